package ldapdir

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// sight remembers whether mailboxes can be seen at all. Who loses the right to search gets
// an error from OpenLDAP if the right to the base is gone, too; else, and always from 389
// Directory Server, an answer without entries, as for an address that nobody has.
type sight struct {
	probe *ldap.SearchRequest // for any mailbox; nil: nothing can tell
	seen  atomic.Int64        // when a mailbox was seen last, in nanoseconds

	mu    sync.Mutex // held by the one who looks
	blind time.Time  // when none was seen
}

const (
	sightLasts  = 10 * time.Second // a mailbox that was seen stands for all for as long
	blindLasts  = time.Second      // then somebody looks again
	sightResign = 10 * time.Minute // nobody looks for as long if the server refuses to tell
)

var errBlind = &Error{Op: "search", Class: "no mailbox can be seen at all"}

// newSight returns the sight of a store.
func (s *Store) newSight() *sight {
	for _, k := range s.account.keys {
		if f, result := s.account.filter.only(k); result == maybe {
			probe := s.request(s.fixedBase(), f.expand(nil), []string{"1.1"})
			probe.SizeLimit = 1
			return &sight{probe: probe}
		}
	}
	return &sight{}
}

// resigned returns how long nobody looks after a failure. One that passes, as of the
// network, must not hide for long that a right is lost.
func resigned(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		switch e.Code {
		case ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultSizeLimitExceeded,
			ldap.LDAPResultAdminLimitExceeded, ldap.LDAPResultUnwillingToPerform:
			return sightResign
		}
	}
	return blindLasts
}

// saw remembers that a mailbox was seen.
func (s *sight) saw() { s.seen.Store(time.Now().UnixNano()) }

// recent reports whether a mailbox was seen a moment ago.
func (s *sight) recent() bool {
	return s.probe == nil || time.Since(time.Unix(0, s.seen.Load())) < sightLasts
}

// check returns an error if no mailbox can be seen, so that one that was not found may
// exist. It looks if nobody has seen one for a while.
func (s *sight) check(ctx context.Context, p *pool) error {
	if s.recent() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.recent() {
		return nil
	}
	if time.Since(s.blind) < blindLasts {
		return errBlind
	}
	result, err := p.search(ctx, s.probe)
	switch {
	case result != nil && len(result.Entries) > 0:
		s.saw()
	case err != nil:
		s.seen.Store(time.Now().Add(resigned(err) - sightLasts).UnixNano())
	default:
		s.blind = time.Now()
		return errBlind
	}
	return nil
}
