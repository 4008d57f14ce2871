package certstore

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"signpost/internal/sources/sqldb"
)

// state is what the last statements have shown of the database.
type state int

const (
	// fine is a database that can be read and written, or of which nothing is known yet.
	fine state = iota
	// away is one that answers nothing. A statement that is answered ends it.
	away
	// doubtful is one that gave no answer when something was written. Whether it is away or only takes
	// no writing is known when it has been read.
	doubtful
	// unwritable is one that takes no writing: its disk is full, it waits for a replica, or it is a
	// standby, to which no new connections are made either. Small values may be written now and then
	// all the same. It ends when what waits and a large value were written.
	unwritable
)

// heard notes what a statement has shown of the database. An error of the caller's context shows
// nothing.
func (s *Store) heard(err error, writes bool) {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heardAt = time.Now()
	switch {
	case sqldb.RefusesConnection(err):
		s.proved, s.failure = false, err // Check says what is wrong in the log
	case sqldb.IsUnwritable(err):
		s.becomes(unwritable, err)
	case sqldb.IsAway(err) && !writes:
		s.becomes(away, err)
	case sqldb.IsAway(err):
		if s.state == fine {
			s.becomes(doubtful, err)
		}
	case s.state == away, s.state == doubtful && writes, s.state == fine && s.fineSince.IsZero():
		s.becomes(fine, nil)
	}
}

// becomes notes a state of the database and why it is in it, and logs it if that is news. A database
// that was away may take no writing still, which the next statement that writes shows. The caller has
// s.mu.
func (s *Store) becomes(next state, reason error) {
	before := s.state
	s.state, s.failure = next, reason
	if next == fine && (before != fine || s.fineSince.IsZero()) {
		s.fineSince = time.Now()
	}
	if next == before {
		return
	}
	switch {
	case next == away:
		s.log.Warn("the store of certificates is away", "reason", reason)
	case next == unwritable:
		s.log.Warn("the store of certificates takes no writing", "reason", reason)
	case next == fine && before == away:
		s.log.Info("the store of certificates is back")
	case next == fine && before == unwritable:
		s.log.Info("the store of certificates takes writing again")
	}
}

// Away reports whether nothing can be ordered now: the database is away or takes no writing, or it
// was not reached yet, or its private keys cannot be read with the keys of sealFile.
func (s *Store) Away() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state != fine || !s.proved
}

// Ready returns why the storage could not be used since the start: the database refuses it, or
// was not reached. It returns nil once it could be used, whatever happens later.
func (s *Store) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.everProved:
		return nil
	case s.refused != nil:
		return s.refused
	case s.failure != nil:
		return fmt.Errorf("%w: %w", errUnreached, s.failure)
	}
	return errUnreached
}

var errUnreached = errors.New("the store of certificates could not be used since the start")

// Status is what an operator should know of the storage.
type Status struct {
	Failing error // why nothing can be ordered now; nil if it can
	Waiting int   // certificates that are kept in memory until they can be written
}

// Status returns what an operator should know. A failure whose kind is in doubt is none yet.
func (s *Store) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := Status{Waiting: len(s.kept)}
	switch {
	case s.state == away, s.state == unwritable:
		status.Failing = s.failure
	case s.refused != nil:
		status.Failing = s.refused
	case !s.everProved:
		status.Failing = errUnreached
	}
	return status
}

// isUnanswered reports whether an error says nothing about the statement: the database is away, or
// refuses every connection.
func isUnanswered(err error) bool { return sqldb.IsAway(err) || sqldb.RefusesConnection(err) }

// isAny reports whether the database is in one of the states.
func (s *Store) isAny(states ...state) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(states, s.state)
}

// tryWriting finds out whether a database takes writing that did not, or of which that is in doubt.
// Nothing else ends these states.
func (s *Store) tryWriting(ctx context.Context) {
	if s.isAny(doubtful) {
		s.Check(ctx) // it may be away
	}
	s.mu.Lock()
	due := s.state == doubtful || s.state == unwritable && time.Since(s.triedAt) >= s.times.listen
	if due {
		s.triedAt = time.Now()
	}
	s.mu.Unlock()
	if !due {
		return
	}
	err := s.flush(ctx)
	if err == nil {
		err = s.writeMuch(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case ctx.Err() != nil || s.state == away || sqldb.RefusesConnection(err):
	case sqldb.IsAway(err):
		s.becomes(unwritable, err)
	default:
		s.becomes(fine, nil)
	}
}

// muchSize is far more than a certificate with its key, before base64.
const muchSize = 48 << 10

// writeMuch writes as much as there may be to write, which a disk that is nearly full refuses, and
// deletes it.
func (s *Store) writeMuch(ctx context.Context) error {
	const key = ownPrefix + "probe"
	much := make([]byte, muchSize)
	rand.Read(much) // cannot be compressed
	if err := s.write(ctx, parts{key: openForm + base64.StdEncoding.EncodeToString(much)}); err != nil {
		return err
	}
	_, err := s.exec(ctx, "DELETE FROM signpost_certificates WHERE name = ?", key)
	return err
}
