package certstore

import (
	"context"
	"maps"
	"time"

	"signpost/internal/sources/sqldb"
)

// change is what is to be written for a key.
type change struct {
	delete bool
	text   string
}

// maxPending is how many changes are kept while the database is away. A machine orders at
// most some hundred certificates in an hour, each of three values.
const maxPending = 3000

// change writes a change. While the database is away, it is kept and written later.
func (s *Store) change(ctx context.Context, key string, c change) error {
	s.mu.Lock()
	_, waits := s.pending[key]
	s.mu.Unlock()
	if !waits {
		err := s.write(ctx, key, c)
		if err == nil || !sqldb.IsAway(err) || ctx.Err() != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) >= maxPending {
		return errFull
	}
	s.pending[key] = c
	return nil
}

func (s *Store) write(ctx context.Context, key string, c change) error {
	if c.delete {
		from, to := below(key)
		_, err := s.exec(ctx, "DELETE FROM signpost_certificates WHERE name = ? OR name > ? AND name < ?", key, from, to)
		return err
	}
	statement := "INSERT INTO signpost_certificates (name, value, modified) VALUES (?, ?, " + s.now() + ") "
	if s.tables.Scheme() == "postgres" {
		statement += "ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value, modified = EXCLUDED.modified"
	} else {
		statement += "ON DUPLICATE KEY UPDATE value = VALUES(value), modified = VALUES(modified)"
	}
	_, err := s.exec(ctx, statement, key, c.text)
	return err
}

// kept returns what waits to be written for a key.
func (s *Store) kept(key string) (change, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.pending[key]
	return c, ok
}

// keep writes what waits, renews leases and listens whether the database is there, until the
// store is closed.
func (s *Store) keep() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(s.times.keepEvery):
		}
		s.flush(s.ctx)
		s.renew(s.ctx)
		s.mu.Lock()
		unasked := s.away || !s.proved || time.Since(s.heardAt) > s.times.listen
		s.mu.Unlock()
		if unasked {
			s.Check(s.ctx) // heard notes the result
		}
	}
}

// flush writes what waits, and stops at the first failure.
func (s *Store) flush(ctx context.Context) {
	s.mu.Lock()
	waiting := maps.Clone(s.pending)
	s.mu.Unlock()
	for key, c := range waiting {
		if err := s.write(ctx, key, c); sqldb.IsAway(err) || ctx.Err() != nil {
			return
		} else if err != nil {
			s.log.Error("cannot store", "key", key, "reason", err)
		}
		s.mu.Lock()
		if s.pending[key] == c { // and not changed meanwhile
			delete(s.pending, key)
		}
		s.mu.Unlock()
	}
}
