// Package sources answers from the stores in which operators keep accounts and domains:
// databases, LDAP directories and files. It remembers what they say, asks them no more
// than they can bear, and tells "no" from "cannot be known now".
package sources

import (
	"context"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"signpost/account"
	"signpost/internal/directory"
	"signpost/internal/sources/row"
)

// Source is a directory.Store that asks a Backend. It is safe for concurrent use.
type Source struct {
	core      *core
	options   Options
	columns   row.Columns
	providers []string // of accounts
	ofDomains atomic.Pointer[domainProviders]
}

// domainProviders are the providers of the domains in a table.
type domainProviders struct {
	table *table
	ids   []string
}

// New returns a Source, which connects to nothing before the first question. Start has it
// read its list of domains. The caller must call Close.
func New(o Options, log *slog.Logger) *Source {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	o = o.withDefaults()
	return newSource(newCore(o, log), o)
}

func newSource(c *core, o Options) *Source {
	s := &Source{core: c, options: o, columns: c.options.Backend.Columns()}
	if o.NoDomains {
		s.columns.Domains, s.columns.OneDomain = false, false
	}
	if s.columns.Provider {
		s.providers = slices.Compact(slices.Sorted(maps.Values(o.Providers)))
	}
	return s
}

// With returns a Source for options that ask the same store in the same way, with all that
// is known of it; it is nil if they do not. The backend of the options is closed then.
// Both sources must be closed.
func (s *Source) With(o Options) *Source {
	o = o.withDefaults()
	if !s.core.options.sameStore(o) || !s.core.share() {
		return nil
	}
	if o.Backend != s.core.options.Backend {
		o.Backend.Close()
	}
	s.core.name.Store(&o.Name)
	return newSource(s.core, o)
}

// Adopt takes over the list of domains of an earlier source, which asks another store or
// in another way, until there is a new one: a store that is down at a reload takes no
// domain away.
func (s *Source) Adopt(earlier *Source) {
	if s.columns.Domains && s.core != earlier.core {
		s.core.list.table.CompareAndSwap(nil, earlier.core.list.table.Load())
	}
}

// Name implements directory.Store.
func (s *Source) Name() string { return s.options.Name }

// Backend returns what asks the store, for a check of it.
func (s *Source) Backend() Backend { return s.core.options.Backend }

// Start has the list of domains read, now and regularly. If asked is set, an operator
// asked for it, and the next list is believed even if it lost more than half of its
// domains. One that is empty is not.
func (s *Source) Start(asked bool) { s.core.start(asked) }

// Refresh reads the list of domains once. Commands, which start nothing, call it.
func (s *Source) Refresh(ctx context.Context) error {
	if !s.columns.Domains {
		return nil
	}
	return s.core.readList(ctx)
}

// Close ends the source when its questions have ended, but for what others made by With
// still use.
func (s *Source) Close() error { return s.core.release() }

// Columns implements directory.Store.
func (s *Source) Columns() row.Columns { return s.columns }

// AccountProviders implements directory.Store.
func (s *Source) AccountProviders() []string { return s.providers }

// DomainProviders implements directory.Store.
func (s *Source) DomainProviders() []string {
	if !s.columns.Domains && !s.columns.OneDomain {
		return nil
	}
	t := s.core.list.table.Load()
	if known := s.ofDomains.Load(); known != nil && known.table == t {
		return known.ids
	}
	ids := []string{s.options.Provider}
	if t != nil {
		ids = nil
		for _, d := range t.values {
			if id := s.provider(d.Provider, s.options.Provider); d.Alias == "" && !d.Inactive &&
				!slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	s.ofDomains.Store(&domainProviders{t, ids})
	return ids
}

// provider returns the ID that a word of the store means, or other for none.
func (s *Source) provider(word, other string) string {
	if word == "" {
		return other
	}
	if id, ok := s.options.Providers[word]; ok {
		return id
	}
	s.core.warn("a row names a provider that is not known")
	return other
}

// Account implements directory.Store.
func (s *Source) Account(
	ctx context.Context, a account.Address, how directory.Lookup,
) (directory.Stored, bool, error) {
	if !isAskable(a.Key()) {
		return directory.Stored{}, false, nil
	}
	r, err := s.core.accounts.ask(ctx, keyOf(a, how), func() (directory.Stored, bool, error) {
		return s.core.account(a, how.Alike)
	})
	return s.stored(r), r.listed, err
}

// Known implements directory.Store.
func (s *Source) Known(a account.Address, how directory.Lookup) (r directory.Stored, listed, known bool) {
	result, known := s.core.accounts.known(keyOf(a, how))
	if known {
		s.core.hits.Add(1)
	}
	return s.stored(result), result.listed, known
}

// keyOf returns the key by which an answer is remembered. No address has NUL.
func keyOf(a account.Address, how directory.Lookup) string {
	if how.Behind {
		return "\x00" + a.Key()
	}
	return a.Key()
}

// stored returns an answer with the ID of its provider in place of the store's word.
func (s *Source) stored(r result[directory.Stored]) directory.Stored {
	if r.value.Provider != "" {
		r.value.Provider = s.provider(r.value.Provider, "")
	}
	return r.value
}

// maxKey is the length of the longest key that a store is asked for, that of an address.
const maxKey = 254

// isAskable reports whether a store can be asked for the key. PostgreSQL fails at NUL and
// at what is not UTF-8 (error 22021).
func isAskable(key string) bool {
	return key != "" && len(key) <= maxKey && utf8.ValidString(key) && !strings.Contains(key, "\x00")
}

// account asks the store for an address. If alike is set, a second question follows
// whatever the answer is: about the mailbox behind an alias, whose answer is remembered
// for longer than that about the alias, or the same again.
func (c *core) account(a account.Address, alike bool) (directory.Stored, bool, error) {
	rows, err := c.rows(a)
	if err != nil {
		return directory.Stored{}, false, err
	}
	s, listed := merge(a, rows)
	if !alike {
		return s, listed, nil
	}
	next := c.behind(a, s)
	rows, err = c.rows(next)
	if err == nil && next != a {
		target, found := merge(next, rows)
		r := result[directory.Stored]{value: target, listed: found}
		c.accounts.remember(keyOf(next, directory.Lookup{Behind: true}), r, 2*missingLife)
	}
	return s, listed, err
}

// rows returns the store's rows about an address.
func (c *core) rows(a account.Address) ([]row.Account, error) {
	rows, err := inTime(c, c.options.Backend.Account, a)
	clean, odd := cleaned(rows)
	if odd {
		c.warn("a row has a user name that is none")
	}
	return clean, err
}

// behind returns the mailbox behind an alias, or the address itself if there is none or
// it cannot be asked for.
func (c *core) behind(a account.Address, s directory.Stored) account.Address {
	next := a
	for _, target := range s.Aliases {
		if d, ok := c.list.table.Load().find(target.Domain()); target.Domain() != a.Domain() && (!ok || d.Inactive) {
			continue
		}
		if next != a {
			return a // several
		}
		next = target
	}
	if !isAskable(next.Key()) {
		return a
	}
	return next
}

// Domain implements directory.Store.
func (s *Source) Domain(ctx context.Context, name string) (directory.Domain, bool, error) {
	r, err := s.core.domain(ctx, name)
	return s.domain(r.value), r.listed, err
}

// HasList implements directory.Store.
func (s *Source) HasList() bool { return s.core.list.table.Load() != nil }

// Listed implements directory.Store.
func (s *Source) Listed(name string) (directory.Domain, bool) {
	d, ok := s.core.list.table.Load().find(name)
	return s.domain(d), ok
}

// domain returns what is said of a domain with the ID of its provider in place of the
// store's word.
func (s *Source) domain(d directory.Domain) directory.Domain {
	d.Provider = s.provider(d.Provider, s.options.Provider)
	return d
}

// Domains implements directory.Store.
func (s *Source) Domains() (iter.Seq2[string, directory.Domain], error) {
	t := s.core.list.table.Load()
	if t == nil {
		return nil, s.core.list.failure()
	}
	return func(yield func(string, directory.Domain) bool) {
		for name, d := range t.all() {
			if !yield(name, s.domain(d)) {
				return
			}
		}
	}, nil
}

// Gone implements directory.Store.
func (s *Source) Gone(name string) (gone, had bool) {
	if !s.columns.Domains {
		return false, false
	}
	return s.core.list.isGone(name)
}
