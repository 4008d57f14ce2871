package ldapdir

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"signpost/internal/sources/row"
)

// domains is how domains are searched for. Without a filter, the directory has none.
type domains struct {
	base     base
	filter   *filter
	keys     []*filter // comparisons of the filter with the name
	lists    []list    // the searches for all domains
	asked    []string  // attributes that are asked for
	inactive []condition

	name, alias, provider, mailHost []string
}

func newDomains(o Options, ofURI string) (d domains, err error) {
	if o.Domain == "" {
		if o.Domains != "" {
			return d, errors.New("domains: there is no filter domain")
		}
		return d, nil
	}
	dn := o.DomainBase
	if dn == "" {
		dn = o.Base
	}
	if d.base, err = parseBase(dn, ofURI, ""); err != nil {
		return d, fmt.Errorf("base of domains: %w", err)
	}
	if d.filter, err = parseFilter(o.Domain, "sd"); err != nil {
		return d, fmt.Errorf("domain: %w", err)
	}
	if d.keys = d.filter.comparisons(); len(d.keys) == 0 {
		return d, errors.New("domain: it compares no attribute with %s")
	}
	if err := parseNames([]nameList{
		{"name of domains", o.DomainAttributes.Domain, &d.name},
		{"alias of domains", o.DomainAttributes.Alias, &d.alias},
		{"provider of domains", o.DomainAttributes.Provider, &d.provider},
		{"mailHost of domains", o.DomainAttributes.MailHost, &d.mailHost},
	}); err != nil {
		return d, err
	}
	if d.name == nil {
		d.name = []string{d.keys[0].name}
	}
	if d.inactive, err = parseConditions("inactive of domains", o.DomainInactive); err != nil {
		return d, err
	}
	if o.Domains == "" {
		d.lists = d.filter.lists()
	} else {
		all, err := parseFilter(o.Domains, "")
		if err != nil {
			return d, fmt.Errorf("domains: %w", err)
		}
		d.lists = []list{{all.expand(nil), d.name[0]}}
	}
	d.asked = attributeList(d.name, attributeNames(d.keys), d.alias, d.provider, d.mailHost, attributesOf(d.inactive))
	for _, l := range d.lists {
		d.asked = attributeList(d.asked, []string{l.name})
	}
	return d, nil
}

// Domain returns the rows for the domain, whose name is in lower-case A-labels.
func (s *Store) Domain(ctx context.Context, name string) ([]row.Domain, error) {
	d := &s.domain
	if d.filter == nil {
		return nil, nil
	}
	keys := domainKeys(name)
	entries, _, err := s.find(ctx, d.base, d.filter, keys, d.asked)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 && len(d.lists) == 0 {
		// Nobody compares lists, so a lost right would look like a domain that is gone.
		return nil, s.sight.check(ctx, s.pool)
	}
	var rows []row.Domain
	for _, e := range entries {
		ok, err := d.holds(e, keys)
		if err != nil {
			return nil, err
		}
		if ok {
			rows = append(rows, d.row(e, name, keys))
		}
	}
	return slices.Compact(rows), nil
}

// holds reports whether the entry has the domain's name. One that was found by a part of a
// value, as an address in the domain is, has it.
func (d *domains) holds(e *ldap.Entry, keys []key) (bool, error) {
	var whole []*filter
	for _, c := range d.keys {
		if !c.equality {
			return true, nil
		}
		whole = append(whole, c)
	}
	return holdsKey(e, whole, keys)
}

// row returns what the entry says of one of its names.
func (d *domains) row(e *ldap.Entry, name string, spellings []key) row.Domain {
	r := row.Domain{
		Domain:   name,
		Provider: firstValue(e, d.provider),
		MailHost: firstValue(e, d.mailHost),
		Inactive: anyHolds(d.inactive, e),
	}
	own := firstValues(e, d.name)
	isOwn := func(k key) bool { return containsKey(own, strings.ToLower(k.whole)) }
	switch {
	case len(d.alias) > 0 && firstValue(e, d.alias) != "":
		target := firstValue(e, d.alias)
		r.Alias = target[strings.LastIndexByte(target, '@')+1:] // @example.com in Zimbra
	case len(own) > 0 && !strings.Contains(own[0], "@") && !slices.ContainsFunc(spellings, isOwn):
		r.Alias = slices.Min(own)
	}
	return r
}

// Domains returns the rows for all domains.
func (s *Store) Domains(ctx context.Context) ([]row.Domain, error) {
	var rows []row.Domain
	if err := s.EachDomain(ctx, func(r row.Domain) { rows = append(rows, r) }); err != nil {
		return nil, err
	}
	return rows, nil
}

// EachDomain calls each for all domains, page by page.
func (s *Store) EachDomain(ctx context.Context, each func(row.Domain)) error {
	d := &s.domain
	for _, l := range d.lists {
		err := s.pages(ctx, d.base.expand(key{}), l.filter, d.asked, func(e *ldap.Entry) {
			for _, name := range valuesOf(e, l.name) {
				each(d.row(e, name, []key{{whole: name}}))
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
