package certstore

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
)

// Store implements certmagic.Storage. A certificate that cannot be written is kept and written
// later; everything else fails.
func (s *Store) Store(ctx context.Context, key string, value []byte) error {
	text := s.encode(key, value)
	if site, ok := siteOf(key); ok {
		return s.storePart(ctx, site, key, text)
	}
	return s.write(ctx, parts{key: text})
}

// write writes values, all or none.
func (s *Store) write(ctx context.Context, values parts) error {
	list, args := s.listOf(values)
	statement := "INSERT INTO signpost_certificates (name, value, modified) VALUES " + list
	if s.isMySQL() {
		statement += " ON DUPLICATE KEY UPDATE value = VALUES(value), modified = VALUES(modified)"
	} else {
		statement += " ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value, modified = EXCLUDED.modified"
	}
	_, err := s.exec(ctx, statement, args...)
	return err
}

// listOf returns the rows of values for a statement that inserts them, and its arguments, in the
// same order on each machine.
func (s *Store) listOf(values parts) (list string, args []string) {
	row := "(?, ?, " + s.now() + ")"
	for _, key := range slices.Sorted(maps.Keys(values)) {
		args = append(args, key, values[key])
	}
	return row + strings.Repeat(", "+row, len(values)-1), args
}

// Swap replaces the value of a key by another one, and reports whether it did: not if the value
// is not old any more. Without old, there must be none. No two machines may write the same value:
// each takes it for its own.
func (s *Store) Swap(ctx context.Context, key string, old, value []byte) (bool, error) {
	text := s.encode(key, value)
	if old == nil {
		changed, err := s.exec(ctx,
			s.insert("signpost_certificates (name, value, modified) VALUES (?, ?, "+s.now()+")"), key, text)
		if err != nil || changed > 0 {
			return changed > 0, err
		}
		return s.is(ctx, key, text)
	}
	rows, err := s.rows(ctx, "SELECT value FROM signpost_certificates WHERE name = ?", key)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	found, err := s.decode(key, rows[0][0])
	if err != nil || !bytes.Equal(found, old) {
		return false, err
	}
	changed, err := s.exec(ctx, "UPDATE signpost_certificates SET value = ?, modified = "+s.now()+
		" WHERE name = ? AND "+s.same(), text, key, rows[0][0])
	if err != nil || changed > 0 {
		return changed > 0, err
	}
	return s.is(ctx, key, text)
}

// is reports whether the value of a key is a text: a statement may be run twice, and the second
// time it finds the work of the first.
func (s *Store) is(ctx context.Context, key, text string) (bool, error) {
	rows, err := s.rows(ctx, "SELECT value FROM signpost_certificates WHERE name = ?", key)
	return err == nil && len(rows) > 0 && rows[0][0] == text, err
}

// same is a condition that the value is the same byte by byte, with one parameter.
func (s *Store) same() string {
	if s.isMySQL() {
		return "CAST(value AS BINARY) = CAST(? AS BINARY)"
	}
	return "value = ?"
}

// Load implements certmagic.Storage. The error is fs.ErrNotExist if there is no such key.
func (s *Store) Load(ctx context.Context, key string) ([]byte, error) {
	if text, ok := s.keptPart(key); ok {
		return s.decode(key, text)
	}
	rows, err := s.rowsOf(ctx, s.poolOf(key), "SELECT value FROM signpost_certificates WHERE name = ?", key)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fs.ErrNotExist
	}
	return s.decode(key, rows[0][0])
}

// Delete implements certmagic.Storage.
func (s *Store) Delete(ctx context.Context, key string) error {
	if s.dropParts(key) {
		return nil
	}
	from, to := below(key)
	_, err := s.exec(ctx, "DELETE FROM signpost_certificates WHERE name = ? OR name > ? AND name < ?", key, from, to)
	return err
}

// Exists implements certmagic.Storage. It is false if nothing can be known.
func (s *Store) Exists(ctx context.Context, key string) bool {
	if _, ok := s.keptPart(key); ok {
		return true
	}
	from, to := below(key)
	rows, err := s.rowsOf(ctx, s.poolOf(key),
		"SELECT name FROM signpost_certificates WHERE name = ? OR name > ? AND name < ? LIMIT 1", key, from, to)
	return err == nil && len(rows) > 0
}

// List implements certmagic.Storage.
func (s *Store) List(ctx context.Context, prefix string, recursive bool) ([]string, error) {
	from, to := below(prefix)
	rows, err := s.rowsOf(ctx, s.reads,
		"SELECT name FROM signpost_certificates WHERE name > ? AND name < ? ORDER BY name", from, to)
	if err != nil {
		return nil, err
	}
	var keys []string
	last := ""
	for _, row := range rows {
		key := row[0]
		if !recursive {
			rest, _, _ := strings.Cut(strings.TrimPrefix(key, from), "/")
			key = path.Join(prefix, rest)
		}
		if key != last {
			keys = append(keys, key)
		}
		last = key
	}
	if len(keys) == 0 {
		return nil, fs.ErrNotExist
	}
	return keys, nil
}

// Stat implements certmagic.Storage.
func (s *Store) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	epoch := "CAST(EXTRACT(EPOCH FROM modified) AS VARCHAR(40))"
	if s.isMySQL() {
		epoch = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', modified) / 1000000"
	}
	value, err := s.Load(ctx, key)
	if err == nil {
		info := certmagic.KeyInfo{Key: key, Modified: time.Now(), Size: int64(len(value)), IsTerminal: true}
		rows, err := s.rowsOf(ctx, s.reads, "SELECT "+epoch+" FROM signpost_certificates WHERE name = ?", key)
		if err != nil || len(rows) == 0 {
			return info, err
		}
		at, err := strconv.ParseFloat(rows[0][0], 64)
		info.Modified = time.UnixMicro(int64(at * 1e6))
		return info, err
	}
	if errors.Is(err, fs.ErrNotExist) && s.Exists(ctx, key) {
		return certmagic.KeyInfo{Key: key}, nil
	}
	return certmagic.KeyInfo{}, err
}

// agePage is the number of names of which one query asks how old they are, so that none is slow.
const agePage = 500

// DeleteOlder deletes the values below a prefix that were stored an age ago or earlier, by the
// database's clock.
func (s *Store) DeleteOlder(ctx context.Context, prefix string, age time.Duration) error {
	isOld := "modified <= " + s.in()
	last, to := below(prefix)
	for last < to {
		// With the upper bound in the query, PostgreSQL sorts all of the range for each page when it
		// expects few rows there.
		rows, err := s.rows(ctx, "SELECT name, CASE WHEN "+isOld+" THEN 'old' ELSE '' END FROM signpost_certificates "+
			"WHERE name > ? ORDER BY name LIMIT "+strconv.Itoa(agePage), seconds(-age), last)
		if err != nil || len(rows) == 0 {
			return err
		}
		old := []string{seconds(-age)} // once more, because they may be stored again meanwhile
		for _, row := range rows {
			if last = row[0]; last < to && row[1] != "" {
				old = append(old, last)
			}
		}
		if len(old) == 1 {
			continue
		}
		_, err = s.exec(ctx, "DELETE FROM signpost_certificates WHERE "+isOld+" AND name IN "+among(len(old)-1), old...)
		if err != nil {
			return err
		}
	}
	return nil
}
