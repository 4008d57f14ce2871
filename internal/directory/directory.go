// Package directory finds the settings of a mailbox: which provider its domain,
// its MX record or its own account record names, and what its owner signs in
// with. It also knows which domains are hosted here, and which providers a
// domain's mailboxes have.
package directory

import (
	"context"
	"maps"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/dns"
)

// Provider is a provider with the domains and MX hosts that lead to it. Names
// are lower-case A-labels.
type Provider struct {
	*account.Provider
	// Domains are the hosted domains. "*" stands for any domain that no provider
	// names.
	Domains []string
	// Aliases are those of Domains that are another name of a domain, which is
	// among Domains, too. Every mailbox there exists under both names, and signs
	// in with that domain.
	Aliases map[string]string
	// MX are hosts: a domain that no provider names belongs to the provider that
	// lists its most preferred MX. "*.mail.example" matches every host below
	// mail.example.
	MX []string
}

// LookupMX asks DNS for the mail exchangers of a domain, best first. It returns
// no hosts and no error for a domain that has none or does not exist. It caches
// the answers.
type LookupMX func(ctx context.Context, domain string) ([]dns.MX, error)

// Directory resolves queries. It is safe for concurrent use and never changes.
type Directory struct {
	providers   []Provider
	byDomain    map[string]*account.Provider
	domainsOf   []*account.Provider // those that byDomain leads to, each once
	anyDomain   *account.Provider   // for "*", or nil
	aliases     map[string]string   // the domain that a domain is another name of
	byID        map[string]*account.Provider
	byMX        map[string]*account.Provider // by host, or by suffix with its leading dot
	mxDomains   map[string][]*account.Provider
	accountOnly []*account.Provider
	lookupMX    LookupMX
	lists       []*indexedList
	stores      []*storeUse
	byAccount   bool // accounts of a store may name their provider
}

// New returns a directory of providers that the configuration has checked: no
// domain, MX host or id occurs twice. The lists are asked first, then the stores.
// lookupMX is called only if some provider lists MX hosts, and may be nil otherwise.
func New(providers []Provider, lists []List, lookupMX LookupMX, stores ...Store) *Directory {
	domains := 0
	for _, p := range providers {
		domains += len(p.Domains)
	}
	d := &Directory{
		providers: providers,
		byDomain:  make(map[string]*account.Provider, domains),
		byID:      make(map[string]*account.Provider, len(providers)),
		aliases:   make(map[string]string),
		byMX:      make(map[string]*account.Provider),
		mxDomains: make(map[string][]*account.Provider),
		lookupMX:  lookupMX,
	}
	for _, p := range providers {
		d.byID[p.ID] = p.Provider
		for _, domain := range p.Domains {
			if domain == "*" {
				d.anyDomain = p.Provider
				continue
			}
			d.byDomain[domain] = p.Provider
		}
		if slices.ContainsFunc(p.Domains, func(domain string) bool { return domain != "*" }) {
			d.domainsOf = append(d.domainsOf, p.Provider)
		}
		maps.Copy(d.aliases, p.Aliases)
		for _, host := range p.MX {
			d.byMX[strings.TrimPrefix(host, "*")] = p.Provider
			d.addMXDomains(host, p.Provider)
		}
		if len(p.Domains) == 0 && len(p.MX) == 0 {
			d.accountOnly = append(d.accountOnly, p.Provider)
		}
	}
	names := map[string][]string{}
	for name, domain := range d.aliases {
		names[domain] = append(names[domain], name)
	}
	for _, list := range lists {
		d.lists = append(d.lists, list.index(names))
	}
	for _, store := range stores {
		d.stores = append(d.stores, d.newStoreUse(store))
		d.byAccount = d.byAccount || store.Columns().Provider
	}
	return d
}
