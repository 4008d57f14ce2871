package config

import (
	"strings"
	"unicode"

	"signpost/internal/sources"
	"signpost/internal/sources/ldapdir"
)

var ldapKeys = merge(networkKeys, keys[store]{
	"server":     func(s *store, v *value) { s.ldap.Servers = each(v.oneOrList("URIs"), (*value).ldapURI) },
	"socketType": func(s *store, v *value) { s.ldap.Plain = v.either("plain", "STARTTLS") == "plain" },
	"bindDN":     func(s *store, v *value) { s.ldap.BindDN = v.text("the name as whom to bind") },
	"base":       func(s *store, v *value) { s.ldap.Base = v.text("a DN") },
	"account":    func(s *store, v *value) { s.ldap.Account = v.filter() },
	"attributes": func(s *store, v *value) { attributeKeys.read(v, &s.ldap.Attributes) },
	"inactive": func(s *store, v *value) {
		s.ldap.Inactive = each(v.oneOrList("conditions"), (*value).condition)
	},
	"domainBase":       func(s *store, v *value) { s.ldap.DomainBase = v.text("a DN") },
	"domain":           func(s *store, v *value) { s.ldap.Domain = v.filter() },
	"domains":          noDomainsOr(func(s *store, v *value) { s.ldap.Domains = v.filter() }),
	"domainAttributes": func(s *store, v *value) { domainAttributeKeys.read(v, &s.ldap.DomainAttributes) },
	"domainInactive": func(s *store, v *value) {
		s.ldap.DomainInactive = each(v.oneOrList("conditions"), (*value).condition)
	},
})

var attributeKeys = keys[ldapdir.Attributes]{
	"address":     func(a *ldapdir.Attributes, v *value) { a.Address = v.attributes() },
	"username":    func(a *ldapdir.Attributes, v *value) { a.Username = v.attributes() },
	"displayName": func(a *ldapdir.Attributes, v *value) { a.DisplayName = v.attributes() },
	"provider":    func(a *ldapdir.Attributes, v *value) { a.Provider = v.attributes() },
	"mailHost":    func(a *ldapdir.Attributes, v *value) { a.MailHost = v.attributes() },
	"alias":       func(a *ldapdir.Attributes, v *value) { a.Alias = v.attributes() },
	"aliasClass":  func(a *ldapdir.Attributes, v *value) { a.AliasClass = v.attributes() },
}

var domainAttributeKeys = keys[ldapdir.DomainAttributes]{
	"domain":   func(a *ldapdir.DomainAttributes, v *value) { a.Domain = v.attributes() },
	"alias":    func(a *ldapdir.DomainAttributes, v *value) { a.Alias = v.attributes() },
	"provider": func(a *ldapdir.DomainAttributes, v *value) { a.Provider = v.attributes() },
	"mailHost": func(a *ldapdir.DomainAttributes, v *value) { a.MailHost = v.attributes() },
}

func openLDAP(s *store) (sources.Backend, error) {
	s.ldap.PasswordFile, s.ldap.CARoot = s.sql.PasswordFile, s.caRoot
	s.ldap.Timeout, s.ldap.Connections = s.Timeout, s.Connections
	if s.noDomains {
		s.ldap.Domain, s.ldap.Domains = "", ""
	}
	backend, err := ldapdir.New(s.ldap)
	if err != nil {
		return nil, err
	}
	return backend, nil
}

// filter reads a filter of RFC 4515. Between its parentheses there may be blanks and line
// breaks, so that a long one can be read.
func (v *value) filter() string {
	text := v.query()
	var filter strings.Builder
	before := byte('(')
	for i := 0; i < len(text); i++ {
		rest := strings.TrimLeft(text[i:], " \t\r\n")
		blank := len(rest) < len(text[i:])
		if blank && (before == '(' || strings.IndexByte(")&|!", before) >= 0 && strings.IndexAny(rest, "()") == 0) {
			i = len(text) - len(rest)
		}
		before = text[i]
		filter.WriteByte(before)
	}
	return filter.String()
}

// attributes reads the name of an attribute, or several with blanks between them. The
// word none takes one away that a preset has.
func (v *value) attributes() string {
	if v.isWord("none") {
		return ""
	}
	return v.text("the name of an attribute")
}

func (v *value) condition() string { return v.text("a condition, such as accountStatus!=active") }

// ldapURI reads one URI or several with blanks between them. No message quotes them: one
// may hold a password.
func (v *value) ldapURI() string {
	if !v.is(scalar, "a URI, such as ldaps://ldap.example.com") {
		return ""
	}
	text := v.node.text
	switch {
	case strings.TrimSpace(text) == "" || strings.ContainsFunc(text, unicode.IsControl):
		return v.refuse("is not a URI, such as ldaps://ldap.example.com")
	case v.key == "" && v.pos > 0 && !strings.Contains(text, "://"):
		return v.refuse("is not a URI; in a list a comma ends an item, so quote a URI that ends in a DN")
	}
	return text
}
