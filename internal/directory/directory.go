// Package directory finds the settings of a mailbox: which provider its domain,
// its MX record or its own account record names, and what the person behind it
// signs in with.
package directory

import (
	"context"
	"strings"

	"signpost/account"
	"signpost/internal/dns"
)

// Provider is a provider and what leads to it. Names are lower-case A-labels.
type Provider struct {
	*account.Provider
	// Domains are the hosted domains; "*" stands for any that no provider
	// names.
	Domains []string
	// MX are hosts: a domain that no provider names belongs to the one that
	// lists its most preferred MX. "*.mail.example" fits every host below
	// mail.example.
	MX []string
}

// LookupMX asks DNS for the mail exchangers of a domain, best first. A domain
// without any, or that does not exist, has none and no error. It caches.
type LookupMX func(ctx context.Context, domain string) ([]dns.MX, error)

// Directory resolves queries. It is safe for concurrent use and never changes.
type Directory struct {
	byDomain map[string]*account.Provider
	any      *account.Provider // for "*", or nil
	byID     map[string]*account.Provider
	byMX     map[string]*account.Provider // host, or suffix with its leading dot
	lookups  map[string]*lookup           // domains that a client may derive from an MX host
	lookupMX LookupMX
	sources  []Source
}

// New makes a directory of providers that the configuration has checked: no
// domain, MX host or id stands twice. lookupMX is asked only if some provider
// lists MX hosts, and may be nil otherwise.
func New(providers []Provider, sources []Source, lookupMX LookupMX) *Directory {
	domains := 0
	for _, p := range providers {
		domains += len(p.Domains)
	}
	d := &Directory{
		byDomain: make(map[string]*account.Provider, domains),
		byID:     make(map[string]*account.Provider, len(providers)),
		byMX:     make(map[string]*account.Provider),
		lookups:  make(map[string]*lookup),
		lookupMX: lookupMX,
		sources:  sources,
	}
	for _, p := range providers {
		d.byID[p.ID] = p.Provider
		for _, domain := range p.Domains {
			if domain == "*" {
				d.any = p.Provider
				continue
			}
			d.byDomain[domain] = p.Provider
		}
		for _, host := range p.MX {
			d.byMX[strings.TrimPrefix(host, "*")] = p.Provider
			d.addLookups(host, p.Provider)
		}
	}
	return d
}

// Names reports whether the configuration names the domain itself.
func (d *Directory) Names(domain string) bool {
	_, hosted := d.byDomain[domain]
	return hosted
}

// Hosts reports whether the configuration names the domain, or an MX host from
// which clients derive it, without asking DNS. Either is asked by clients as
// autoconfig.‹domain› and the like.
func (d *Directory) Hosts(domain string) bool {
	_, hosted := d.byDomain[domain]
	_, derived := d.lookups[domain]
	return hosted || derived
}
