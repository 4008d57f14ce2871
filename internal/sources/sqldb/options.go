// Package sqldb reads accounts and domains from a database: PostgreSQL, MySQL and
// MariaDB, and SQLite. Each driver stands in a file of its own, and nothing else knows
// it: without that file the program is built without the driver.
package sqldb

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"signpost/internal/fault"
	"signpost/internal/sources/row"
	"signpost/internal/sources/secret"
)

// Options describe a database and what is asked of it. The names of the fields are the
// keys of the configuration.
type Options struct {
	// Database is the URL of the database:
	//
	//	postgres://signpost@db1.example,db2.example:5433/mail?caRoot=/etc/ssl/db.pem
	//	mysql://signpost@127.0.0.1:13306/mailcow
	//	mysql://signpost@/postfix?socket=/run/mysqld/mysqld.sock
	//	sqlite:/var/lib/postfixadmin/postfixadmin.db
	Database     string
	PasswordFile string // see package secret; empty where the database asks for none

	// The queries have Postfix's placeholders: %s is the address or the domain that is
	// asked for, %u what stands before the @ and %d what stands behind it, %% is a percent
	// sign. A placeholder may stand inside the quotation marks of a text, as in '@%d'. It
	// always becomes a bound parameter.
	Domains string // lists all domains
	Domain  string // gives one domain, in lower-case A-labels
	Account string // gives the rows about an address

	Timeout     time.Duration // of a query; 500 ms if 0
	Connections int           // most open connections; 4 if 0
	CARoot      string        // PEM file of the authorities that the server's certificate may have
}

// Default values of Options.
const (
	DefaultTimeout     = 500 * time.Millisecond
	DefaultConnections = 4
)

// OptionError is what New says of an option that cannot be right. A cure is attached to
// it with fault.WithHint.
type OptionError struct {
	Option string // the key in the configuration: database, passwordFile, account, …
	Text   string // never holds a password
}

// Error returns the text.
func (e *OptionError) Error() string { return e.Text }

// optionError attaches the option to the problem and keeps its hint.
func optionError(option string, err error) error {
	problem := error(&OptionError{option, err.Error()})
	if hint := fault.Hint(err); hint != "" {
		return fault.WithHint(problem, hint)
	}
	return problem
}

// New returns the store that the options describe. It checks the options and does not
// connect. The error is or wraps an *OptionError.
func New(options Options) (*Store, error) {
	store, err := newStore(options)
	if err != nil {
		return nil, err
	}
	if err := store.setQueries(); err != nil {
		return nil, err
	}
	store.open()
	return store, nil
}

// newStore checks what the options say about the database. The store is not open yet.
func newStore(options Options) (*Store, error) {
	place, err := parseURL(options.Database)
	if err != nil {
		return nil, optionError("database", err)
	}
	engine, ok := engines[place.scheme]
	if !ok {
		return nil, optionError("database", fmt.Errorf("this Signpost has no driver for %s:, only for %s",
			place.scheme, strings.Join(slices.Sorted(maps.Keys(engines)), ", ")))
	}
	if options.PasswordFile != "" {
		if place.scheme == "sqlite" {
			return nil, optionError("passwordFile", errors.New("SQLite has no passwords"))
		}
		if err := secret.Check(options.PasswordFile); err != nil {
			return nil, optionError("passwordFile", err)
		}
	}
	place.passwordFile = options.PasswordFile
	if options.CARoot != "" {
		if err := place.setCARoot(options.CARoot); err != nil {
			return nil, optionError("caRoot", err)
		}
	}
	if err := place.checkTLS(); err != nil {
		return nil, optionError("database", err)
	}
	store := &Store{options: options, place: place, engine: engine, timeout: options.Timeout}
	if store.timeout <= 0 {
		store.timeout = DefaultTimeout
	}
	return store, nil
}

// setQueries rewrites the queries of the options.
func (s *Store) setQueries() error {
	for _, q := range []struct {
		option, text string
		query        **query
		holes        string
	}{
		{"domains", s.options.Domains, &s.domains, ""},
		{"domain", s.options.Domain, &s.domain, "sd"},
		{"account", s.options.Account, &s.account, "sud"},
	} {
		if strings.TrimSpace(q.text) == "" {
			continue
		}
		rewritten, err := rewrite(q.text, q.holes, s.engine.syntax)
		if err != nil {
			return optionError(q.option, err)
		}
		rewritten.option = q.option
		*q.query = rewritten
	}
	if s.domains == nil && s.domain == nil && s.account == nil {
		return optionError("account", fault.WithHint(errors.New("there is no query"),
			"write at least one of account, domain and domains"))
	}
	return nil
}

// Settings returns the options, so that a reload can tell whether they are the same.
func (s *Store) Settings() any { return s.options }

// Columns returns the columns that the texts of the queries name.
func (s *Store) Columns() row.Columns {
	columns := row.Columns{Domains: s.domains != nil, OneDomain: s.domain != nil}
	if s.account != nil {
		columns.Alias = s.account.names("alias")
		columns.Provider = s.account.names("provider")
		columns.Username = s.account.names("username")
		columns.MailHost = s.account.names("mailHost")
	}
	return columns
}
