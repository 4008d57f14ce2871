package certstore

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// sealAll seals the private keys that were stored before there was a key, among them that of the
// ACME account. After that, one that is not sealed is refused: whoever can write into the
// database, but does not have the key, could have put it there.
//
// If there are several keys, it also seals with the first one what another one has sealed. It does
// so regularly, because machines whose first key is another one may go on writing for a while.
func (s *Store) sealAll(ctx context.Context) {
	s.mu.Lock()
	isFirst := !s.sealedAnew
	due := (!s.sealed || s.isRotating()) && !time.Now().Before(s.sealNext) && s.proved && s.state == fine
	if due {
		s.sealNext = time.Now().Add(s.times.retry)
	}
	s.mu.Unlock()
	if !due {
		return
	}
	count, isDone, err := s.sealOld(ctx, isFirst)
	if count > 0 {
		s.log.Info("private keys have been sealed", "count", count)
	}
	if isUnanswered(err) || ctx.Err() != nil {
		return
	}
	if err != nil {
		s.log.Error("private keys cannot be sealed", "reason", err)
	}
	if isDone && s.isRotating() && (isFirst || count > 0) {
		s.log.Info("all private keys are sealed with the first key of sealFile")
	}
	s.mu.Lock()
	s.sealed, s.sealNext = true, time.Now().Add(s.times.seal)
	s.sealedAnew = s.sealedAnew || isDone
	s.mu.Unlock()
}

// isRotating reports whether there are several keys, of which one replaces the others.
func (s *Store) isRotating() bool { return s.seal != nil && len(s.seal.keys) > 1 }

// sealOld seals what is not sealed with the first key, the proof at last: a machine that has only
// this key is refused until then. It returns how many private keys it has sealed, and reports
// whether none is left.
//
// Machines with different keys in the first place would undo each other's work, so the one that was
// started later decides. Unless isFirst is set, sealOld leaves all as it is if the proof is sealed
// with another key. It looks twice at most.
func (s *Store) sealOld(ctx context.Context, isFirst bool) (count int, isDone bool, err error) {
	if _, _, isOld, err := s.proof(ctx); err != nil || isOld && !isFirst {
		return 0, false, err
	}
	for range 2 {
		found, sealed, err := s.sealOnce(ctx)
		count += sealed
		if err != nil {
			return count, false, err
		}
		if found == 0 {
			isDone, err := s.sealProof(ctx)
			return count, isDone, err
		}
	}
	return count, false, nil
}

// sealOnce looks at all private keys but the proof. It returns how many were not sealed with the
// first key, and how many of them it has sealed: not those that another machine has replaced
// meanwhile. Those that cannot be read do not count. Keys of session tickets that are not sealed at
// all are deleted: somebody may know them, and new ones are soon made.
func (s *Store) sealOnce(ctx context.Context) (found, sealed int, err error) {
	unreadable, reason := 0, error(nil)
	err = s.secrets(ctx, func(name, text string) error {
		if name == proofKey {
			return nil
		}
		value, isOld, err := s.read(name, text)
		isDeleted := isAlwaysSealed(name) && strings.HasPrefix(text, openForm)
		switch {
		case err != nil && !isDeleted:
			unreadable, reason = unreadable+1, err
			return nil // the others can be sealed
		case !isOld && !isDeleted:
			return nil
		}
		changed := false
		if isDeleted {
			changed, err = s.change(ctx, "DELETE FROM signpost_certificates", name, text)
		} else {
			changed, err = s.sealAnew(ctx, name, text, value)
		}
		found++
		if changed {
			sealed++
		}
		return err
	})
	if unreadable > 0 {
		s.log.Error("private keys cannot be sealed", "count", unreadable, "reason", reason)
	}
	return found, sealed, err
}

// sealProof seals the proof with the first key, and reports whether it is.
func (s *Store) sealProof(ctx context.Context) (bool, error) {
	text, value, isOld, err := s.proof(ctx)
	if err != nil || !isOld {
		return err == nil, err
	}
	if _, err := s.sealAnew(ctx, proofKey, text, value); err != nil {
		return false, err
	}
	_, _, isOld, err = s.proof(ctx) // another machine may have been faster
	return err == nil && !isOld, err
}

// sealAnew seals a value with the first key, unless it is not text any more. It reports whether it
// did.
func (s *Store) sealAnew(ctx context.Context, name, text string, value []byte) (bool, error) {
	return s.change(ctx, "UPDATE signpost_certificates SET value = ?", s.encode(name, value), name, text)
}

// change runs a statement for the row of a name, unless its value is not text any more, and
// reports whether it has changed the row. The arguments are those of the statement, the name and
// the text.
func (s *Store) change(ctx context.Context, statement string, args ...string) (bool, error) {
	changed, err := s.exec(ctx, statement+" WHERE name = ? AND "+s.same(), args...)
	return changed > 0, err
}

// sealPage is the number of names of which one query asks whether they are sealed, so that none is
// slow.
const sealPage = 500

// secrets calls f with each private key as it is written, until f returns an error. If there is one
// key, those that are sealed are left out.
func (s *Store) secrets(ctx context.Context, f func(name, text string) error) error {
	condition := "name LIKE '%.key'"
	if !s.isRotating() {
		condition += " AND SUBSTR(value, 1, 2) = '" + openForm + "'"
	}
	for last := ""; ; {
		rows, err := s.rows(ctx, "SELECT name, CASE WHEN "+condition+" THEN value ELSE '' END "+
			"FROM signpost_certificates WHERE name > ? ORDER BY name LIMIT "+strconv.Itoa(sealPage), last)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			last = row[0]
			if row[1] == "" {
				continue // not such a key
			}
			if err := f(row[0], row[1]); err != nil {
				return err
			}
		}
	}
}
