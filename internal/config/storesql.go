package config

import (
	"errors"
	"strings"
	"unicode"

	"signpost/internal/sources"
	"signpost/internal/sources/sqldb"
)

var sqlKeys = merge(networkKeys, keys[store]{
	"database": func(s *store, v *value) { s.sql.Database = v.databaseURL() },
	"domains":  noDomainsOr(func(s *store, v *value) { s.sql.Domains = v.query() }),
	"domain":   func(s *store, v *value) { s.sql.Domain = v.query() },
	"account":  func(s *store, v *value) { s.sql.Account = v.query() },
})

func openSQL(s *store) (sources.Backend, error) {
	s.sql.Timeout, s.sql.Connections, s.sql.CARoot = s.Timeout, s.Connections, s.caRoot
	if s.noDomains {
		s.sql.Domains, s.sql.Domain = "", ""
	}
	backend, err := sqldb.New(s.sql)
	if err != nil {
		return nil, err
	}
	return backend, nil
}

// databaseURL reads the URL of a database. No message quotes it: it may hold a password.
func (v *value) databaseURL() string {
	if !v.is(scalar, "the URL of a database") {
		return ""
	}
	switch text := v.node.text; {
	case text == "":
		v.fault("is empty, want the URL of a database")
	case strings.TrimSpace(text) != text:
		v.fault("begins or ends with white space")
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }):
		v.fault("contains a line break or an invisible character")
	case sqldb.File(text) != "": // any path
		v.l.StoreFiles = append(v.l.StoreFiles, sqldb.File(text))
		return text
	case strings.ContainsFunc(text, unicode.IsSpace):
		v.fault("contains a blank; a URL has %%20 in its place")
	default:
		return text
	}
	return ""
}

// query reads a text that may have several lines.
func (v *value) query() string {
	if !v.is(scalar, "a query") {
		return ""
	}
	text := strings.TrimSpace(v.node.text)
	if text == "" {
		v.fault("is empty, want a query")
	}
	return text
}

// optionOf returns the key to which the error of a backend belongs, if it says so, and
// what is wrong.
func optionOf(err error) (option, text string) {
	if e, ok := errors.AsType[*sqldb.OptionError](err); ok {
		return e.Option, e.Text
	}
	option, text, ok := strings.Cut(err.Error(), ": ")
	if !ok || strings.ContainsAny(option, " /") {
		return "", err.Error()
	}
	return option, text
}
