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
// if that address is an alias of a mailbox in another domain. Providers without domains
// and MX hosts, which only accounts name, count for all domains, so that the next
// account changes nothing.
func (d *Directory) ProvidersOf(ctx context.Context, domain string) ([]*account.Provider, error) {
	domain = cmp.Or(d.aliases[domain], domain)
	own, _, err := d.byName(ctx, domain)
	if err != nil {
		return nil, err
	}
	providers := []*account.Provider{own}
	add := func(p *account.Provider) {
		if !slices.Contains(providers, p) {
			providers = append(providers, p)
		}
	}
	for _, source := range d.sources {
		exceptions, err := source.Exceptions(ctx, domain)
		if err != nil {
			return nil, fmt.Errorf("the accounts of %s: %w", domain, err)
		}
		for _, id := range exceptions.Providers {
			p, err := d.provider(id)
			if err != nil {
				return nil, err
			}
			add(p)
		}
		for _, mailbox := range exceptions.Aliases {
			mailbox = d.settings(mailbox).Login
			record, _, err := d.record(ctx, mailbox)
			if err != nil {
				return nil, fmt.Errorf("the accounts of %s: %w", domain, err)
			}
			p, err := d.ofTarget(mailbox, record)
			if err != nil {
				return nil, err
			}
			if p != nil {
				add(p)
			}
		}
	}
	if len(d.sources) > 0 {
		for _, p := range d.accountOnly {
			add(p)
		}
	}
	return providers, nil
}

// varies reports whether a mailbox of the domain may have other settings than own, the
// domain's provider, gives without an address. It does not follow an alias to another
// domain: such a mailbox may be anywhere, and anybody can ask this often.
func (d *Directory) varies(ctx context.Context, domain string, own *account.Provider) (bool, error) {
	isOther := func(p *account.Provider) bool { return p != own }
	if d.ListsMX(domain) {
		// Clients of any domain behind the MX record ask here, too.
		if len(d.sources) > 0 || d.Lists(domain) && slices.ContainsFunc(d.mxDomains[domain], isOther) {
			return true, nil
		}
	}
	if len(d.sources) > 0 && (own.AliasSignsInAsMailbox || slices.ContainsFunc(d.accountOnly, isOther)) {
		return true, nil
	}
	for _, source := range d.sources {
		e, err := source.Exceptions(ctx, cmp.Or(d.aliases[domain], domain))
		if err != nil {
			return true, fmt.Errorf("the accounts of %s: %w", domain, err)
		}
		isOtherID := func(id string) bool { return d.byID[id] != own }
		if e.Usernames || len(e.Aliases) > 0 || slices.ContainsFunc(e.Providers, isOtherID) {
			return true, nil
		}
	}
	return false, nil
}

// provider returns the provider that an account names.
func (d *Directory) provider(id string) (*account.Provider, error) {
	if p := d.byID[id]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("an account source names the provider %q, which the configuration does not have", id)
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
