package ldapdir

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"signpost/account"
	"signpost/internal/sources/row"
)

// accounts is how mailboxes are searched for.
type accounts struct {
	base     base
	filter   *filter
	keys     []*filter // comparisons of the filter with the address
	asked    []string  // attributes that are asked for
	inactive []condition

	address, username, displayName, provider, mailHost, alias []string

	aliasClass string
}

func newAccounts(o Options, ofURI string) (a accounts, err error) {
	if a.base, err = parseBase(o.Base, ofURI, "d"); err != nil {
		return a, fmt.Errorf("base: %w", err)
	}
	if o.Account == "" {
		return a, fmt.Errorf("account: no filter")
	}
	if a.filter, err = parseFilter(o.Account, "sud"); err == nil {
		a.keys, err = a.filter.keyAttributes()
	}
	if err != nil {
		return a, fmt.Errorf("account: %w", err)
	}
	if err := parseNames([]nameList{
		{"address", o.Attributes.Address, &a.address},
		{"username", o.Attributes.Username, &a.username},
		{"displayName", o.Attributes.DisplayName, &a.displayName},
		{"provider", o.Attributes.Provider, &a.provider},
		{"mailHost", o.Attributes.MailHost, &a.mailHost},
		{"alias", o.Attributes.Alias, &a.alias},
	}); err != nil {
		return a, err
	}
	if a.address == nil {
		a.address = []string{a.keys[0].name}
	}
	if o.Attributes.AliasClass != "" && a.alias == nil {
		return a, fmt.Errorf("aliasClass: there is no attribute alias")
	}
	if a.inactive, err = parseConditions("inactive", o.Inactive); err != nil {
		return a, err
	}
	a.aliasClass = o.Attributes.AliasClass
	a.asked = attributeList(a.address, attributeNames(a.keys), a.username, a.displayName, a.provider, a.mailHost,
		a.alias, attributesOf(a.inactive))
	if a.aliasClass != "" {
		a.asked = attributeList(a.asked, []string{"objectClass"})
	}
	return a, nil
}

// nameList is a text with names of attributes, and where they belong.
type nameList struct {
	what, text string
	to         *[]string
}

func parseNames(lists []nameList) (err error) {
	for _, l := range lists {
		if *l.to, err = names(l.what, l.text); err != nil {
			return err
		}
	}
	return nil
}

// attributeNames returns the attributes of comparisons.
func attributeNames(comparisons []*filter) (names []string) {
	for _, c := range comparisons {
		names = append(names, c.name)
	}
	return names
}

// hasAliases reports whether an entry can be found by another address than its own, or
// can lead to other addresses.
func (a *accounts) hasAliases() bool {
	other := func(c *filter) bool {
		return !slices.ContainsFunc(a.address, func(name string) bool { return strings.EqualFold(name, c.name) })
	}
	return a.alias != nil || slices.ContainsFunc(a.keys, other) || slices.ContainsFunc(a.address, isProxyAddresses)
}

func isProxyAddresses(name string) bool { return strings.EqualFold(name, "proxyAddresses") }

// Account returns the rows for the address. An entry that has it as its own is a mailbox.
// Any other mailbox that has it makes it an alias of that mailbox's own address. If more
// entries have the address than were asked for, the last row is of a mailbox of which
// nothing is known.
func (s *Store) Account(ctx context.Context, address account.Address) ([]row.Account, error) {
	a := &s.account
	keys := accountKeys(address)
	entries, more, err := s.find(ctx, a.base, a.filter, keys, a.asked)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, s.sight.check(ctx, s.pool)
	}
	s.sight.saw()
	var rows []row.Account
	for _, e := range entries {
		r, ok, err := a.row(e, keys)
		if err != nil {
			return nil, err
		}
		if ok {
			rows = append(rows, r)
		}
	}
	if more && len(rows) > 0 {
		rows = append(rows, row.Account{Address: keys[0].whole})
	}
	return rows, nil
}

// row returns what the entry says of the address. It reports false for an entry that has
// another address: servers compare with rules of their own, such as that accents do not
// count.
func (a *accounts) row(e *ldap.Entry, keys []key) (r row.Account, ok bool, err error) {
	if ok, err = holdsKey(e, a.keys, keys); !ok {
		return r, false, err
	}
	r = row.Account{Address: keys[0].whole}
	own := addresses(firstValues(e, a.address))
	switch {
	case a.isAlias(e, own):
		r.Aliases = strings.Join(addresses(firstValues(e, a.alias)), ",")
		r.Inactive = anyHolds(a.inactive, e)
		return r, r.Aliases != "", nil
	case len(own) > 0 && !slices.ContainsFunc(keys, func(k key) bool { return containsKey(own, k.whole) }):
		r.Aliases = slices.Min(own)
		return r, true, nil
	}
	r.Username = firstValue(e, a.username)
	r.DisplayName = firstValue(e, a.displayName)
	r.Provider = firstValue(e, a.provider)
	r.MailHost = firstValue(e, a.mailHost)
	r.Inactive = anyHolds(a.inactive, e)
	return r, true, nil
}

// isAlias reports whether the entry, with addresses of its own, is no mailbox.
func (a *accounts) isAlias(e *ldap.Entry, own []string) bool {
	if a.aliasClass != "" {
		return containsFold(valuesOf(e, "objectClass"), a.aliasClass)
	}
	return len(own) == 0 && len(firstValues(e, a.alias)) > 0
}

// holdsKey reports whether the entry holds what the comparisons ask for, as letters and
// not only by the server's rules. An entry that shows none of the attributes is an error:
// the server compared what we may not read.
func holdsKey(e *ldap.Entry, comparisons []*filter, keys []key) (bool, error) {
	readable := false
	for _, c := range comparisons {
		values := valuesOf(e, c.name)
		readable = readable || len(values) > 0
		for _, k := range keys {
			if containsKey(values, strings.ToLower(c.value.expand(k, literal))) {
				return true, nil
			}
		}
		if isCut(e, c.name) {
			return true, nil
		}
	}
	if !readable {
		return false, &Error{Op: "search", Class: "the attributes that the filter compares may not be read"}
	}
	return false, nil
}

// containsKey reports whether one of the values is a key, which is in lower case. It folds
// less than servers do and than strings.EqualFold, for which ſ is s.
func containsKey(values []string, key string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return strings.ToLower(v) == key })
}

// isCut reports whether the server gave a part of the attribute's values only, as Active
// Directory does with more than 1,500 ([MS-ADTS] §3.1.1.3.1.3.3).
func isCut(e *ldap.Entry, name string) bool {
	prefix := strings.ToLower(name) + ";range="
	return slices.ContainsFunc(e.Attributes, func(a *ldap.EntryAttribute) bool {
		return strings.HasPrefix(strings.ToLower(a.Name), prefix)
	})
}

// firstValues returns the values of the first attribute that has some.
func firstValues(e *ldap.Entry, names []string) []string {
	for _, name := range names {
		if values := valuesOf(e, name); len(values) > 0 {
			return values
		}
	}
	return nil
}

// firstValue is like firstValues for an attribute of which one value counts. A directory
// gives several in any order, so it is the least.
func firstValue(e *ldap.Entry, names []string) string {
	values := slices.DeleteFunc(slices.Clone(firstValues(e, names)), func(v string) bool { return v == "" })
	if len(values) == 0 {
		return ""
	}
	return slices.MinFunc(values, func(x, y string) int { return cmp.Compare(x, y) })
}

// addresses returns the mail addresses among the values. Active Directory writes a kind
// before the address, SMTP: in capitals before the own one and smtp: before others
// ([MS-OXOABK] §2.2.3.23).
func addresses(values []string) (all []string) {
	var own []string
	for _, v := range values {
		kind, address, hasKind := strings.Cut(v, ":")
		switch {
		case !hasKind:
			all = append(all, v)
		case kind == "SMTP":
			own = append(own, address)
		case strings.EqualFold(kind, "smtp"):
			all = append(all, address)
		}
	}
	if own != nil {
		return own
	}
	return all
}
