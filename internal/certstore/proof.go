package certstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"

	"signpost/internal/fault"
	"signpost/internal/sources/sqldb"
)

// proofKey is the key of a value that is sealed as private keys are. Who can read it can read
// them.
const proofKey = ownPrefix + "proof.key"

// Check reports whether the database can be used, and creates the tables if they are missing.
// It proves that private keys can be read: by the first value under proofKey, which the first
// machine with a key writes.
func (s *Store) Check(ctx context.Context) error {
	err := s.prove(ctx)
	if sqldb.IsAway(err) || ctx.Err() != nil {
		return err // it says nothing about the keys
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil && (s.refused == nil || s.refused.Error() != err.Error()):
		s.log.Error("the store of certificates cannot be used", fields(err)...)
	case err == nil && s.refused != nil:
		s.log.Info("the store of certificates can be used again")
	}
	s.proved, s.refused = err == nil, err
	s.everProved = s.everProved || s.proved
	return err
}

// fields returns the reason and the hint of an error for the log.
func fields(err error) []any {
	all := []any{"reason", err}
	if hint := fault.Hint(err); hint != "" {
		all = append(all, "hint", hint)
	}
	return all
}

func (s *Store) prove(ctx context.Context) error {
	_, err := s.Load(ctx, proofKey)
	if !errors.Is(err, fs.ErrNotExist) || s.seal == nil {
		return ignoreAbsence(err)
	}
	text := s.encode(proofKey, []byte("signpost\n"))
	_, err = s.exec(ctx, s.insert("signpost_certificates (name, value, modified) VALUES (?, ?, "+s.now()+")"),
		proofKey, text)
	if err != nil {
		return err
	}
	_, err = s.Load(ctx, proofKey) // which is another machine's, perhaps
	return err
}

func ignoreAbsence(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
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

// Probe reports whether the database that the options describe can be used, and writes nothing. If
// the error is that rights are missing, its hint is the statements that grant them.
func Probe(ctx context.Context, o Options) error {
	key, err := readSeal(o.SealFile)
	if err != nil {
		return sealError(err)
	}
	tables, err := o.open(1)
	if err != nil {
		return err
	}
	defer tables.Close()
	if err := tables.Allows(ctx, ownTables(tables.Scheme())...); err != nil {
		return err
	}
	rows, err := tables.Rows(ctx, "SELECT value FROM signpost_certificates WHERE name = ?", proofKey)
	if sqldb.IsMissing(err) {
		return nil // it will be created
	}
	if err != nil || len(rows) == 0 {
		return err
	}
	s := newStore(tables, tables, key, slog.New(slog.DiscardHandler), defaultTimes)
	_, err = s.decode(proofKey, rows[0][0])
	return err
}

// sealAll seals the private keys that were stored before there was a key, among them that of the
// ACME account. After that, one that is not sealed is refused: whoever can write into the
// database, but does not have the key, could have put it there.
func (s *Store) sealAll(ctx context.Context) {
	s.mu.Lock()
	due := !s.sealed && s.proved && s.state == fine
	s.mu.Unlock()
	if !due {
		return
	}
	count, err := s.sealOpen(ctx)
	if count > 0 {
		s.log.Info("private keys have been sealed", "count", count)
	}
	if sqldb.IsAway(err) || ctx.Err() != nil {
		return
	}
	if err != nil {
		s.log.Error("private keys cannot be sealed", "reason", err)
	}
	s.mu.Lock()
	s.sealed = true
	s.mu.Unlock()
}

// sealPage is the number of names of which one query asks whether they are sealed, so that none is
// slow.
const sealPage = 500

// sealOpen seals the private keys that are not, and returns how many there were. Keys of session
// tickets are deleted: somebody may know them, and new ones are soon made.
func (s *Store) sealOpen(ctx context.Context) (count int, err error) {
	for last := ""; ; {
		rows, err := s.rows(ctx, "SELECT name, CASE WHEN name LIKE '%.key' THEN SUBSTR(value, 1, 2) ELSE '' END "+
			"FROM signpost_certificates WHERE name > ? ORDER BY name LIMIT "+strconv.Itoa(sealPage), last)
		if err != nil || len(rows) == 0 {
			return count, err
		}
		for _, row := range rows {
			last = row[0]
			if row[1] != openForm {
				continue
			}
			if err := s.sealOne(ctx, last); err != nil {
				return count, err
			}
			count++
		}
	}
}

func (s *Store) sealOne(ctx context.Context, name string) error {
	rows, err := s.rows(ctx, "SELECT value FROM signpost_certificates WHERE name = ?", name)
	if err != nil || len(rows) == 0 {
		return err
	}
	text := rows[0][0]
	if isAlwaysSealed(name) {
		_, err := s.exec(ctx, "DELETE FROM signpost_certificates WHERE name = ? AND "+s.same(), name, text)
		return err
	}
	value, err := s.decode(name, text)
	if err != nil {
		s.log.Error("private keys cannot be sealed", "reason", err)
		return nil // the others can be
	}
	_, err = s.exec(ctx, "UPDATE signpost_certificates SET value = ? WHERE name = ? AND "+s.same(),
		s.encode(name, value), name, text)
	return err
}
