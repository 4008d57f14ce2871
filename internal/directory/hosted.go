package directory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"signpost/account"
)

// Lists reports whether the configuration names the domain itself.
func (d *Directory) Lists(domain string) bool {
	_, ok := d.byDomain[domain]
	return ok
}

// ListsMX reports whether clients derive the domain from an MX host that the
// configuration names, so that they ask autoconfig.‹domain› and the like. It may
// be anybody's domain, as protection.outlook.com is.
func (d *Directory) ListsMX(domain string) bool {
	_, ok := d.mxDomains[domain]
	return ok
}

// Serves returns nil if the domain is hosted here, by its name or by its MX
// record. A provider for any domain hosts none. The error satisfies
// account.IsUnknown if the domain is certainly not hosted here. Any other error
// means that this cannot be known now.
func (d *Directory) Serves(ctx context.Context, domain string) error {
	if d.Lists(domain) {
		return nil
	}
	_, mx, err := d.byName(ctx, domain)
	if err == nil && mx == "" {
		return account.ErrUnknownDomain
	}
	return err
}

// ProvidersOf returns every provider that a mailbox of the domain may have: the
// domain's own first, then those of accounts with an address in the domain, even
// if that address is an alias of a mailbox elsewhere. Providers without domains
// and MX hosts, which only accounts name, count for all domains, so that the next
// account changes nothing.
func (d *Directory) ProvidersOf(ctx context.Context, domain string) ([]*account.Provider, error) {
	domain = cmp.Or(d.aliases[domain], domain)
	own, _, err := d.byName(ctx, domain)
	if err != nil {
		return nil, err
	}
	providers := []*account.Provider{own}
	for _, address := range d.accountsIn()[domain] {
		s := d.settings(address)
		err := d.resolveMailbox(ctx, &s)
		if account.IsUnknown(err) {
			continue // an alias of a mailbox that is not hosted here
		}
		if err != nil {
			return nil, fmt.Errorf("the providers of %s's accounts: %w", domain, err)
		}
		if !slices.Contains(providers, s.Provider) {
			providers = append(providers, s.Provider)
		}
	}
	if len(d.sources) == 0 {
		return providers, nil
	}
	for _, p := range d.accountOnly {
		if !slices.Contains(providers, p) {
			providers = append(providers, p)
		}
	}
	return providers, nil
}

// indexAccounts returns the addresses of all accounts by their domain.
func indexAccounts(sources []Source) map[string][]account.Address {
	index := map[string][]account.Address{}
	for _, source := range sources {
		for key := range source.Keys() {
			address, err := account.ParseAddress(key)
			if err != nil {
				continue // no query can have this address
			}
			index[address.Domain()] = append(index[address.Domain()], address)
		}
	}
	return index
}

// byName returns the provider of a domain: by its name, by its best MX, or the
// one for any domain. It also returns the MX host if that decided.
func (d *Directory) byName(ctx context.Context, domain string) (*account.Provider, string, error) {
	if p, ok := d.byDomain[domain]; ok {
		return p, "", nil
	}
	if len(d.byMX) > 0 {
		hosts, err := d.lookupMX(ctx, domain)
		if err != nil {
			// The error is not "unknown": a client that gets that answer goes
			// elsewhere for good.
			return nil, "", fmt.Errorf("looking up the MX record: %w", err)
		}
		for _, mx := range hosts {
			// A host of ours with a worse preference than somebody else's is a
			// backup that holds no mailboxes.
			if mx.Preference != hosts[0].Preference {
				break
			}
			if p := d.byMXHost(mx.Host); p != nil {
				return p, mx.Host, nil
			}
		}
	}
	if d.anyDomain != nil {
		return d.anyDomain, "", nil
	}
	return nil, "", account.ErrUnknownDomain
}

// byMXHost returns the provider that lists the MX host, or a suffix of it, the
// longest first.
func (d *Directory) byMXHost(host string) *account.Provider {
	if p, ok := d.byMX[host]; ok {
		return p
	}
	for {
		dot := strings.IndexByte(host, '.')
		if dot < 0 {
			return nil
		}
		if p, ok := d.byMX[host[dot:]]; ok {
			return p
		}
		host = host[dot+1:]
	}
}
