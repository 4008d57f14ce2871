package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"signpost/account"
)

// Lists reports whether the configuration or the list of a store names the domain itself.
// It asks nobody, so false is no final "no" where there are stores.
func (d *Directory) Lists(domain string) bool { return d.listed(domain).provider != nil }

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
	w := wait{ctx: ctx}
	defer w.end()
	h := d.named(&w, domain)
	if h.provider != nil {
		return nil
	}
	err := d.findProvider(&w, domain, &h)
	if err == nil && h.mx == "" {
		return cmp.Or(h.err, account.ErrUnknownDomain)
	}
	return err
}

// Gone reports whether a domain that Serves denies was missing for so long that what was
// made for it, such as a certificate, may be removed. Where stores have domains, that is
// so only if one of them had this one: the first lists after a start may lack domains by
// a mistake that was made before it.
func (d *Directory) Gone(domain string) bool {
	certain, seen := true, false // the configuration alone is certain
	for _, u := range d.stores {
		if u.hasDomains {
			gone, had := u.Gone(domain)
			certain, seen = false, seen || had
			if !gone {
				return false
			}
		}
	}
	return certain || seen
}

// Hosted returns the domains that the configuration and the lists of stores name, those
// of the configuration first. The error names the stores whose domains cannot be known
// now, which the sequence lacks.
func (d *Directory) Hosted() (iter.Seq[string], error) {
	var errs []error
	for _, u := range d.stores {
		if _, err := u.Domains(); err != nil && u.hasDomains {
			errs = append(errs, fmt.Errorf("the domains of %s: %w", u.Name(), err))
		}
	}
	return func(yield func(string) bool) {
		for _, p := range d.providers {
			for _, domain := range p.Domains {
				if domain != "*" && !yield(domain) {
					return
				}
			}
		}
		for _, u := range d.stores {
			domains, err := u.Domains()
			if err != nil {
				continue
			}
			for domain := range domains {
				h := d.listed(domain)
				if h.provider != nil && h.store == u && !yield(domain) {
					return
				}
			}
		}
	}, errors.Join(errs...)
}

// HostedBy returns how many of the domains that a store lists are hosted because it does:
// neither the configuration nor an earlier store names them.
func (d *Directory) HostedBy(name string) (hosted int) {
	for _, u := range d.stores {
		domains, err := u.Domains()
		if u.Name() != name || err != nil {
			continue
		}
		for domain := range domains {
			if h := d.listed(domain); h.provider != nil && h.store == u {
				hosted++
			}
		}
	}
	return hosted
}

// ProvidersOf returns every provider that a mailbox of the domain may have: the
// domain's own first, then those of accounts with an address in the domain, even
// if that address is an alias of a mailbox in another domain. Providers without domains
// and MX hosts, which only accounts name, count for all domains, so that the next
// account changes nothing.
func (d *Directory) ProvidersOf(ctx context.Context, domain string) ([]*account.Provider, error) {
	w := wait{ctx: ctx}
	defer w.end()
	h, err := d.hosted(&w, domain)
	if err != nil {
		return nil, err
	}
	providers := []*account.Provider{h.provider}
	add := func(more ...*account.Provider) {
		for _, p := range more {
			if p != nil && !slices.Contains(providers, p) {
				providers = append(providers, p)
			}
		}
	}
	for _, list := range d.lists {
		e := list.exceptionsOf(cmp.Or(h.of, domain))
		for _, id := range e.Providers {
			p, err := d.provider(id)
			if err != nil {
				return nil, err
			}
			add(p)
		}
		for _, mailbox := range e.Aliases {
			of := d.listed(mailbox.Domain())
			p, err := d.ofTarget(&of, d.inLists(&names{exact: of.login(mailbox)}).Record)
			if err != nil {
				return nil, err
			}
			add(p)
		}
	}
	for _, u := range d.stores {
		if u.knowsAccountsOf(&h) {
			add(d.ofAccounts(u)...)
		}
	}
	if len(d.lists) > 0 {
		add(d.accountOnly...)
	}
	return providers, nil
}

// ofAccounts returns the providers that accounts of the store may have: those that they
// name, and those of the domains that aliases may lead to.
func (d *Directory) ofAccounts(u *storeUse) (providers []*account.Provider) {
	if u.columns.Provider {
		for _, id := range u.AccountProviders() {
			providers = append(providers, d.byID[id])
		}
	}
	if !u.columns.Alias {
		return providers
	}
	providers = append(providers, d.domainsOf...)
	for _, other := range d.stores {
		for _, id := range other.DomainProviders() {
			providers = append(providers, d.byID[id])
		}
	}
	return providers
}

// varies reports whether a mailbox of the domain may have other settings than its
// provider gives without an address. It does not follow an alias to another domain: such
// a mailbox may be anywhere, and anybody can ask this often.
func (d *Directory) varies(domain string, h *hosting) bool {
	own := h.provider
	isOther := func(p *account.Provider) bool { return p != own }
	if d.ListsMX(domain) {
		// Clients of any domain behind the MX record ask here, too.
		if len(d.lists) > 0 || d.Lists(domain) && slices.ContainsFunc(d.mxDomains[domain], isOther) ||
			len(d.stores) > 0 && d.hasOtherThan(own) {
			return true
		}
	}
	if len(d.lists) > 0 && (own.AliasSignsInAsMailbox || slices.ContainsFunc(d.accountOnly, isOther)) {
		return true
	}
	for _, list := range d.lists {
		e := list.exceptionsOf(cmp.Or(h.of, domain))
		isOtherID := func(id string) bool { return d.byID[id] != own }
		if e.Usernames || len(e.Aliases) > 0 || slices.ContainsFunc(e.Providers, isOtherID) {
			return true
		}
	}
	return d.isAsked(h)
}

// isAsked reports whether a store has to be asked about mailboxes of the domain, because
// its account may get another answer than a mailbox that nobody knows.
func (d *Directory) isAsked(h *hosting) bool {
	for _, u := range d.stores {
		if u.knowsAccountsOf(h) && d.mayDiffer(u, h.provider) {
			return true
		}
	}
	return false
}

// provider returns the provider that an account names.
func (d *Directory) provider(id string) (*account.Provider, error) {
	if p := d.byID[id]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("an account source names the provider %q, which the configuration does not have", id)
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
