package directory

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"signpost/account"
	"signpost/internal/sources/row"
)

// fakeStore is a store whose answers a test sets. It remembers nothing.
type fakeStore struct {
	name      string
	columns   row.Columns
	accounts  map[string]Stored
	providers []string // of accounts
	list      map[string]Domain
	fresh     map[string]Domain // not in the list as yet
	err       error             // of every question
	blind     bool              // it has no list as yet
	gone      bool

	asked []string
}

func (s *fakeStore) Name() string               { return s.name }
func (s *fakeStore) Columns() row.Columns       { return s.columns }
func (s *fakeStore) AccountProviders() []string { return s.providers }

func (s *fakeStore) DomainProviders() (ids []string) {
	for _, domain := range s.list {
		if domain.Provider != "" && !slices.Contains(ids, domain.Provider) {
			ids = append(ids, domain.Provider)
		}
	}
	return ids
}

func (s *fakeStore) Account(_ context.Context, a account.Address, alike bool) (Stored, bool, error) {
	s.asked = append(s.asked, a.Key())
	r, ok := s.accounts[a.Key()]
	return r, ok && s.err == nil, s.err
}

func (s *fakeStore) Known(account.Address) (Stored, bool, bool) { return Stored{}, false, false }

func (s *fakeStore) Domain(_ context.Context, name string) (Domain, bool, error) {
	s.asked = append(s.asked, name)
	switch {
	case s.err != nil && s.blind:
		return Domain{}, false, s.err
	case s.err != nil:
		return Domain{}, false, fmt.Errorf("%w: %w", ErrNotListed, s.err)
	}
	r, ok := s.fresh[name]
	return r, ok, nil
}

func (s *fakeStore) Listed(name string) (Domain, bool) {
	if s.blind {
		return Domain{}, false
	}
	r, ok := s.list[name]
	return r, ok
}

func (s *fakeStore) Domains() (iter.Seq2[string, Domain], error) {
	if s.blind {
		return nil, s.err
	}
	return func(yield func(string, Domain) bool) {
		for _, name := range slices.Sorted(maps.Keys(s.list)) {
			if !yield(name, s.list[name]) {
				return
			}
		}
	}, nil
}

func (s *fakeStore) Gone(string) bool { return s.gone }

var errStore = errors.New("the store is down")

// everything are the columns of a store that can say all that there is.
var everything = row.Columns{Alias: true, Provider: true, Username: true, MailHost: true, Domains: true, OneDomain: true}
