// Package sources answers from the stores in which operators keep accounts and domains:
// databases, LDAP directories and files. It remembers what they say, asks them no more
// than they can bear, and tells "no" from "cannot be known now".
package sources

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"maps"
	"slices"

	"signpost/account"
	"signpost/internal/directory"
	"signpost/internal/sources/row"
)

// Source is a directory.Store that asks a store. It is safe for concurrent use.
type Source struct {
	options Options
	log     *slog.Logger
}

// New returns a Source, which connects to nothing before the first question. Start keeps
// its list of domains. The caller must call Close.
func New(o Options, log *slog.Logger) *Source {
	return &Source{options: o.withDefaults(), log: log}
}

// Name returns the name of the source.
func (s *Source) Name() string { return s.options.Name }

// Backend returns what asks the store, for a check of it.
func (s *Source) Backend() Backend { return s.options.Backend }

// Is reports whether a Source with the options would do the same as this one.
func (s *Source) Is(o Options) bool { return s.options.equal(o.withDefaults()) }

// Start begins to read the list of domains, until Close.
func (s *Source) Start() {}

// Close ends the source. Questions under way may still end.
func (s *Source) Close() error { return s.options.Backend.Close() }

// Columns implements directory.Store.
func (s *Source) Columns() row.Columns {
	c := s.options.Backend.Columns()
	if s.options.NoDomains {
		c.Domains, c.OneDomain = false, false
	}
	return c
}

// AccountProviders implements directory.Store.
func (s *Source) AccountProviders() []string {
	return slices.Sorted(maps.Values(s.options.Providers))
}

// DomainProviders implements directory.Store.
func (s *Source) DomainProviders() []string { return []string{s.options.Provider} }

// Account implements directory.Store.
func (s *Source) Account(ctx context.Context, a account.Address, alike bool) (directory.Stored, bool, error) {
	rows, err := s.options.Backend.Account(ctx, a)
	if err != nil || len(rows) == 0 {
		return directory.Stored{}, false, err
	}
	r := directory.Record{Username: rows[0].Username, DisplayName: rows[0].DisplayName, Inactive: rows[0].Inactive}
	return directory.Stored{Record: r}, true, nil
}

// Known implements directory.Store.
func (s *Source) Known(account.Address) (r directory.Stored, listed, known bool) {
	return r, false, false
}

// Domain implements directory.Store.
func (s *Source) Domain(ctx context.Context, name string) (directory.Domain, bool, error) {
	rows, err := s.options.Backend.Domain(ctx, name)
	if err != nil || len(rows) == 0 {
		return directory.Domain{}, false, err
	}
	return directory.Domain{Provider: s.options.Provider, Alias: rows[0].Alias, Inactive: rows[0].Inactive}, true, nil
}

// Listed implements directory.Store.
func (s *Source) Listed(string) (directory.Domain, bool) { return directory.Domain{}, false }

// Domains implements directory.Store.
func (s *Source) Domains() (iter.Seq2[string, directory.Domain], error) {
	return nil, errors.New("not read as yet")
}

// Gone implements directory.Store.
func (s *Source) Gone(string) bool { return false }
