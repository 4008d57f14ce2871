package certstore

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"

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

// proof returns the proof as it is written, its value, and whether another key than the first one
// has sealed it.
func (s *Store) proof(ctx context.Context) (text string, value []byte, isOld bool, err error) {
	rows, err := s.rows(ctx, "SELECT value FROM signpost_certificates WHERE name = ?", proofKey)
	if err != nil || len(rows) == 0 {
		return "", nil, false, err
	}
	value, isOld, err = s.read(proofKey, rows[0][0])
	return rows[0][0], value, isOld, err
}

// Probe reports whether the database that the options describe can be used, and writes nothing. If
// the error is that rights are missing, its hint is the statements that grant them. If there are
// several keys in the file, old is how many values are not sealed with the first one.
func Probe(ctx context.Context, o Options) (old int, err error) {
	key, err := readSeal(o.SealFile)
	if err != nil {
		return 0, sealError(err)
	}
	tables, err := o.open(1)
	if err != nil {
		return 0, err
	}
	defer tables.Close()
	if err := tables.Allows(ctx, ownTables(tables.Scheme())...); err != nil {
		return 0, err
	}
	rows, err := tables.Rows(ctx, "SELECT value FROM signpost_certificates WHERE name = ?", proofKey)
	if sqldb.IsMissing(err) {
		return 0, nil // it will be created
	}
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	s := newStore(tables, tables, key, slog.New(slog.DiscardHandler), defaultTimes)
	if _, err := s.decode(proofKey, rows[0][0]); err != nil || !s.isRotating() {
		return 0, err
	}
	err = s.secrets(ctx, func(name, text string) error {
		if _, isOld, err := s.read(name, text); err == nil && isOld {
			old++
		}
		return nil
	})
	return old, err
}
