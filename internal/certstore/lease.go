package certstore

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"time"
)

// times are set by tests only.
type times struct {
	// lease is how long a lock outlives the machine that has it. The machine renews it every
	// renew.
	lease, renew time.Duration
	// keepEvery is how often writing what waits is tried, and leases are looked at.
	keepEvery time.Duration
	// listen is how long the database may go unasked, and how often writing is tried while it
	// takes none. It must be less than lease: a machine that asks nothing would not notice that the
	// database was away.
	listen time.Duration
	// settle is how long no lock is taken from another machine after the database was away:
	// that machine may still be there. It renews its locks within a few keepEvery.
	settle time.Duration
	// retry is when a certificate is written again that the database has refused, and when sealing
	// is tried again that was broken off.
	retry time.Duration
	// seal is how often private keys are looked for that are not sealed with the first of several
	// keys.
	seal time.Duration
}

var defaultTimes = times{lease: 15 * time.Second, renew: 5 * time.Second, keepEvery: 200 * time.Millisecond,
	listen: 5 * time.Second, settle: 3 * time.Second, retry: 10 * time.Second, seal: 10 * time.Minute}

const (
	// pollEvery is how often a lock that another machine has is asked for.
	pollEvery = 100 * time.Millisecond
	// maxOwners is how many leases one statement is about.
	maxOwners = 200
)

var errLost = errors.New("the lock has been lost")

// lease is a lock that this process has.
type lease struct {
	owner   string
	taken   time.Time
	renewed time.Time
	onLoss  func() // called when another machine has it; may be nil
	lost    bool
	// released is set when the lock was given back and goes on only because of a certificate
	// that waits to be written.
	released bool
}

type onLossKey struct{}

// OnLoss returns a context. If a lock that is taken with it is lost, lost is called.
func (s *Store) OnLoss(ctx context.Context, lost func()) context.Context {
	return context.WithValue(ctx, onLossKey{}, lost)
}

// Lock implements certmagic.Storage. It waits until nobody else has the lock.
func (s *Store) Lock(ctx context.Context, name string) error {
	for {
		taken, err := s.TryLock(ctx, name)
		if taken || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return context.Canceled
		case <-time.After(pollEvery):
		}
	}
}

// TryLock implements certmagic.TryLocker.
func (s *Store) TryLock(ctx context.Context, name string) (bool, error) {
	s.mu.Lock()
	_, ours := s.leases[name]
	s.mu.Unlock()
	if ours {
		return false, nil
	}
	l := &lease{owner: rand.Text(), taken: time.Now()}
	l.renewed = l.taken
	l.onLoss, _ = ctx.Value(onLossKey{}).(func())
	taken, err := s.take(ctx, name, l.owner)
	if err != nil {
		s.giveUp(l.owner) // it may have been written all the same
	}
	if !taken || err != nil {
		return false, err
	}
	s.mu.Lock()
	s.leases[name] = l
	s.mu.Unlock()
	return true, nil
}

// take writes a lease into the database, unless somebody has one. Statements may be run twice,
// so the row says who has it in the end.
func (s *Store) take(ctx context.Context, name, owner string) (bool, error) {
	rows, err := s.rows(ctx, "SELECT CASE WHEN expires < "+s.now()+" THEN 'over' ELSE '' END "+
		"FROM signpost_leases WHERE name = ?", name)
	if err != nil {
		return false, err
	}
	var changed int64
	switch {
	case len(rows) == 0:
		changed, err = s.exec(ctx, s.insert("signpost_leases (name, owner, expires) VALUES (?, ?, "+s.in()+")"),
			name, owner, seconds(s.times.lease))
	case rows[0][0] == "over" && s.isSettled():
		changed, err = s.exec(ctx, "UPDATE signpost_leases SET owner = ?, expires = "+s.in()+
			" WHERE name = ? AND expires < "+s.now(), owner, seconds(s.times.lease), name)
	default:
		return false, nil
	}
	if err != nil || changed > 0 {
		return changed > 0, err
	}
	rows, err = s.rows(ctx, "SELECT owner FROM signpost_leases WHERE name = ?", name)
	return err == nil && len(rows) > 0 && rows[0][0] == owner, err
}

// isSettled reports whether the database has been fine for so long that each machine has
// renewed the leases that it still needs.
func (s *Store) isSettled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == fine && !s.fineSince.IsZero() && time.Since(s.fineSince) >= s.times.settle
}

// Unlock implements certmagic.Storage. While a certificate of the name waits to be written, the
// lock goes on for other machines.
func (s *Store) Unlock(ctx context.Context, name string) error {
	s.mu.Lock()
	l := s.leases[name]
	if l != nil && !l.lost && s.keeps(name) {
		l.released = true
		l = nil
	} else {
		delete(s.leases, name)
	}
	s.mu.Unlock()
	if l == nil {
		return nil
	}
	if _, err := s.exec(ctx, "DELETE FROM signpost_leases WHERE name = ? AND owner = ?", name, l.owner); err != nil {
		s.giveUp(l.owner)
	}
	return nil
}

// RenewLockLease implements certmagic.LockLeaseRenewer.
func (s *Store) RenewLockLease(ctx context.Context, name string, _ time.Duration) error {
	if err := s.renewAll(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.leases[name]; l == nil || l.lost {
		return errLost
	}
	return nil
}

// giveUp has the leases of an owner deleted, later if the database is away.
func (s *Store) giveUp(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.gone) < maxOwners {
		s.gone[owner] = time.Now()
	}
}

// keepLeases renews leases and deletes those that were given up, until the store is closed.
// Nothing else waits for the database here, so that no lease ends because of it.
func (s *Store) keepLeases() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(s.times.keepEvery):
		}
		if s.isRenewalDue() {
			s.renewAll(s.ctx) // the next round tries again
		}
		s.deleteGone(s.ctx)
	}
}

func (s *Store) isRenewalDue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.leases {
		if !l.lost && time.Since(l.renewed) >= s.times.renew {
			return true
		}
	}
	return false
}

// renewAll renews all leases, and notes which of them are another machine's by now.
func (s *Store) renewAll(ctx context.Context) error {
	held := map[string]*lease{}
	s.mu.Lock()
	for name, l := range s.leases {
		if !l.lost {
			held[name] = l
		}
	}
	s.mu.Unlock()
	for names := range slices.Chunk(slices.Sorted(maps.Keys(held)), maxOwners) {
		if err := s.renew(ctx, names, held); err != nil {
			return err
		}
	}
	return nil
}

// renew renews the leases of some names with one statement.
func (s *Store) renew(ctx context.Context, names []string, held map[string]*lease) error {
	began := time.Now()
	owners := make([]string, len(names))
	for i, name := range names {
		owners[i] = held[name].owner
	}
	changed, err := s.exec(ctx, "UPDATE signpost_leases SET expires = "+s.in()+" WHERE owner IN "+among(len(owners)),
		slices.Concat([]string{seconds(s.times.lease)}, owners)...)
	if err != nil {
		return err
	}
	ours := map[string]bool{}
	if int(changed) < len(names) {
		rows, err := s.rows(ctx, "SELECT owner FROM signpost_leases WHERE owner IN "+among(len(owners)), owners...)
		if err != nil {
			return err
		}
		for _, row := range rows {
			ours[row[0]] = true
		}
	}
	for _, name := range names {
		if l := held[name]; int(changed) == len(names) || ours[l.owner] {
			s.mu.Lock()
			l.renewed = began
			s.mu.Unlock()
		} else {
			s.lose(name, l)
		}
	}
	return nil
}

// lose notes that a lease is another machine's, unless it was given back meanwhile.
func (s *Store) lose(name string, l *lease) {
	s.mu.Lock()
	isHeld := s.leases[name] == l
	l.lost = true
	if isHeld && l.released {
		delete(s.leases, name)
	}
	s.mu.Unlock()
	if !isHeld || l.released {
		return
	}
	s.log.Warn("the lock of an order was lost", "lock", name)
	if l.onLoss != nil {
		l.onLoss()
	}
}

// deleteGone deletes the leases that were given up.
func (s *Store) deleteGone(ctx context.Context) {
	s.mu.Lock()
	maps.DeleteFunc(s.gone, func(_ string, since time.Time) bool { return time.Since(since) > 2*s.times.lease })
	owners := slices.Collect(maps.Keys(s.gone))
	s.mu.Unlock()
	if len(owners) == 0 {
		return
	}
	if _, err := s.exec(ctx, "DELETE FROM signpost_leases WHERE owner IN "+among(len(owners)), owners...); err != nil {
		return
	}
	s.mu.Lock()
	for _, owner := range owners {
		delete(s.gone, owner)
	}
	s.mu.Unlock()
}

// release gives up all leases.
func (s *Store) release(ctx context.Context) {
	s.mu.Lock()
	for _, l := range s.leases {
		s.gone[l.owner] = time.Now()
	}
	clear(s.leases)
	s.mu.Unlock()
	s.deleteGone(ctx)
}
