package certstore

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"signpost/internal/sources/sqldb"
)

// times are set by tests only.
type times struct {
	// lease is how long a lock outlives the machine that has it. While an order is under way,
	// the lock is renewed, renewBefore its end.
	lease, renewBefore time.Duration
	// keepEvery is how often what waits is tried to be written, and leases are looked at.
	keepEvery time.Duration
	// listen is how long the database may go unasked. It must be less than lease: a machine
	// that asks nothing would not notice that the database was away.
	listen time.Duration
	// settle is how long no lock is taken after the database was away: what other machines
	// have kept meanwhile must arrive first. They try every keepEvery.
	settle time.Duration
}

var defaultTimes = times{lease: 15 * time.Second, renewBefore: 10 * time.Second,
	keepEvery: 200 * time.Millisecond, listen: 5 * time.Second, settle: 3 * time.Second}

// pollEvery is how often a lock that another machine has is asked for.
const pollEvery = 100 * time.Millisecond

var (
	errFull = errors.New("the database is away, and too much waits to be written")
	errLost = errors.New("the lock has been lost")
)

// lease is a lock that this process has.
type lease struct {
	owner   string
	renewAt time.Time
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
	settling := s.away || time.Since(s.back) < s.times.settle
	_, ours := s.leases[name]
	s.mu.Unlock()
	if ours {
		return false, nil
	}
	if settling {
		// Only to hear whether it is back: a lock is not to be had now.
		_, err := s.rows(ctx, "SELECT owner FROM signpost_leases WHERE name = ?", name)
		return false, err
	}
	l := &lease{owner: rand.Text(), renewAt: time.Now().Add(s.times.lease - s.times.renewBefore)}
	taken, err := s.take(ctx, name, l.owner)
	if !taken || err != nil {
		return false, err
	}
	s.mu.Lock()
	s.leases[name] = l
	s.mu.Unlock()
	return true, nil
}

// take writes a lease into the database, unless somebody has one. Both statements may be run
// twice, so the row says who has it in the end.
func (s *Store) take(ctx context.Context, name, owner string) (bool, error) {
	changed, err := s.exec(ctx, "UPDATE signpost_leases SET owner = ?, expires = "+s.in()+
		" WHERE name = ? AND expires < "+s.now(), owner, seconds(s.times.lease), name)
	if err != nil || changed > 0 {
		return changed > 0, err
	}
	insert := "INSERT INTO signpost_leases (name, owner, expires) VALUES (?, ?, " + s.in() + ") ON CONFLICT DO NOTHING"
	if s.tables.Scheme() == "mysql" {
		insert = "INSERT IGNORE INTO signpost_leases (name, owner, expires) VALUES (?, ?, " + s.in() + ")"
	}
	changed, err = s.exec(ctx, insert, name, owner, seconds(s.times.lease))
	if err != nil || changed > 0 {
		return changed > 0, err
	}
	rows, err := s.rows(ctx, "SELECT owner FROM signpost_leases WHERE name = ?", name)
	return err == nil && len(rows) > 0 && rows[0][0] == owner, err
}

// Unlock implements certmagic.Storage. While the database is away, the lease ends by itself.
func (s *Store) Unlock(ctx context.Context, name string) error {
	s.mu.Lock()
	l := s.leases[name]
	delete(s.leases, name)
	s.mu.Unlock()
	if l == nil {
		return nil
	}
	_, err := s.exec(ctx, "DELETE FROM signpost_leases WHERE name = ? AND owner = ?", name, l.owner)
	if sqldb.IsAway(err) {
		return nil
	}
	return err
}

// RenewLockLease implements certmagic.LockLeaseRenewer.
func (s *Store) RenewLockLease(ctx context.Context, name string, _ time.Duration) error {
	s.mu.Lock()
	l := s.leases[name]
	s.mu.Unlock()
	if l == nil {
		return errLost
	}
	return s.renewOne(ctx, name, l)
}

// renew renews the leases that will end soon.
func (s *Store) renew(ctx context.Context) {
	due := map[string]*lease{}
	s.mu.Lock()
	for name, l := range s.leases {
		if time.Now().After(l.renewAt) {
			due[name] = l
		}
	}
	s.mu.Unlock()
	for name, l := range due {
		if err := s.renewOne(ctx, name, l); sqldb.IsAway(err) || ctx.Err() != nil {
			return // the next round tries again
		} else if err != nil {
			s.log.Warn("the lock of an order was lost", "lock", name, "reason", err)
			s.mu.Lock()
			if s.leases[name] == l {
				delete(s.leases, name)
			}
			s.mu.Unlock()
		}
	}
}

func (s *Store) renewOne(ctx context.Context, name string, l *lease) error {
	began := time.Now()
	changed, err := s.exec(ctx, "UPDATE signpost_leases SET expires = "+s.in()+" WHERE name = ? AND owner = ?",
		seconds(s.times.lease), name, l.owner)
	if err != nil {
		return err
	}
	if changed == 0 {
		return errLost
	}
	s.mu.Lock()
	l.renewAt = began.Add(s.times.lease - s.times.renewBefore)
	s.mu.Unlock()
	return nil
}

// release gives up all leases.
func (s *Store) release() {
	s.mu.Lock()
	leases := s.leases
	s.leases = map[string]*lease{}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for name, l := range leases {
		if _, err := s.exec(ctx, "DELETE FROM signpost_leases WHERE name = ? AND owner = ?", name, l.owner); err != nil {
			return
		}
	}
}
