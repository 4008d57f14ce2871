package sqldb

import (
	"context"
	"database/sql"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"signpost/account"
	"signpost/internal/sources/row"
)

const (
	// listTimeout bounds the query of the whole list, which may have a million rows.
	listTimeout = time.Minute
	// maxRows bounds the rows about one address or domain. Postfix's limits of the
	// same kind are 1000 (virtual_alias_expansion_limit).
	maxRows = 1000
	// maxKey is the length of the longest address (RFC 3696 erratum 1690).
	maxKey = 254
)

// Store is a database of accounts and domains.
type Store struct {
	options Options
	place   *place
	engine  *engine
	timeout time.Duration
	db      func() *sql.DB // opens the pool of connections with its first call

	domains, domain, account *query // nil if there is none
}

// statement is a query's prepared statement. It is nil before the first use.
type statement = atomic.Pointer[sql.Stmt]

// Close closes the connections.
func (s *Store) Close() error { return s.db().Close() }

// Account returns the rows about the address. Where its domain has a Unicode spelling, it
// asks for that spelling, too: PostfixAdmin and others store what was typed.
func (s *Store) Account(ctx context.Context, a account.Address) ([]row.Account, error) {
	if s.account == nil || a.IsAny() || a.IsZero() {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	local := strings.TrimSuffix(a.Key(), "@"+a.Domain())
	var found []row.Account
	for _, domain := range account.Spellings(a.Domain()) {
		k := key{whole: local + "@" + domain, local: local, domain: domain}
		before := len(found)
		err := s.ask(ctx, s.account, k, maxRows, func(v *values) {
			r := v.account()
			// A query without the column vouches for its rows by itself. A row in the
			// other spelling is about the same address.
			if !v.has.address || row.EqualASCII(r.Address, k.whole) {
				r.Address = a.Key()
			}
			found = append(found, r)
		}, func() { found = found[:before] })
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Domain returns the rows about the domain, which is in lower-case A-labels. It asks for
// the Unicode spelling, too.
func (s *Store) Domain(ctx context.Context, name string) ([]row.Domain, error) {
	if s.domain == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var found []row.Domain
	for _, domain := range account.Spellings(name) {
		k := key{whole: domain, domain: domain}
		before := len(found)
		err := s.ask(ctx, s.domain, k, maxRows, func(v *values) {
			r := v.domainRow()
			if !v.has.domain || row.EqualASCII(r.Domain, domain) {
				r.Domain = name
			}
			found = append(found, r)
		}, func() { found = found[:before] })
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Domains returns all domains.
func (s *Store) Domains(ctx context.Context) ([]row.Domain, error) {
	var list []row.Domain
	err := s.EachDomain(ctx, func(r row.Domain) { list = append(list, r) })
	if err != nil {
		return nil, err
	}
	return list, nil
}

// EachDomain calls each for all domains, without holding more than one.
func (s *Store) EachDomain(ctx context.Context, each func(row.Domain)) error {
	if s.domains == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	return s.ask(ctx, s.domains, key{}, 0, func(v *values) { each(v.domainRow()) }, nil)
}

// key is what is asked for: what %s, %u and %d stand for.
type key struct{ whole, local, domain string }

// args returns the values of the parameters.
func (k key) args(holes string) []any {
	args := make([]any, len(holes))
	for i := range holes {
		switch holes[i] {
		case 'u':
			args[i] = k.local
		case 'd':
			args[i] = k.domain
		default:
			args[i] = k.whole
		}
	}
	return args
}

// askable reports whether databases can be asked for the key. PostgreSQL refuses what is
// not UTF-8, and zero bytes.
func (k key) askable() bool {
	return len(k.whole) <= maxKey && utf8.ValidString(k.whole) && !strings.Contains(k.whole, "\x00")
}
