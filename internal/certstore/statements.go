package certstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"signpost/internal/sources/sqldb"
)

// database is what the storage needs of a *sqldb.Tables.
type database interface {
	Scheme() string
	Exec(ctx context.Context, statement string, args ...string) (changed int64, err error)
	Rows(ctx context.Context, query string, args ...string) ([][]string, error)
	Close() error
}

// tableStatements create the tables, by the kind of database. Names are compared byte by
// byte, so that those below a prefix are a range.
var tableStatements = map[string][]string{
	"postgres": {
		`CREATE TABLE IF NOT EXISTS signpost_certificates (name VARCHAR(700) COLLATE "C" PRIMARY KEY,
			value TEXT NOT NULL, modified TIMESTAMPTZ NOT NULL)`,
		`CREATE TABLE IF NOT EXISTS signpost_leases (name VARCHAR(700) COLLATE "C" PRIMARY KEY,
			owner VARCHAR(64) NOT NULL, expires TIMESTAMPTZ NOT NULL)`,
	},
	"mysql": {
		`CREATE TABLE IF NOT EXISTS signpost_certificates (
			name VARCHAR(700) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
			value MEDIUMTEXT CHARACTER SET ascii NOT NULL, modified DATETIME(6) NOT NULL) ENGINE=InnoDB`,
		`CREATE TABLE IF NOT EXISTS signpost_leases (
			name VARCHAR(700) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
			owner VARCHAR(64) CHARACTER SET ascii NOT NULL, expires DATETIME(6) NOT NULL) ENGINE=InnoDB`,
	},
}

// ownTables returns the tables with what is done with them, as a check of the rights needs it.
func ownTables(scheme string) []sqldb.OwnTable {
	create := tableStatements[scheme]
	return []sqldb.OwnTable{
		{Name: "signpost_certificates", Create: create[0],
			Columns: []string{"name", "value", "modified"}, Changed: []string{"value", "modified"}},
		{Name: "signpost_leases", Create: create[1],
			Columns: []string{"name", "owner", "expires"}, Changed: []string{"owner", "expires"}},
	}
}

// now is the database's clock, by the kind of database. It is read when the statement runs,
// also if that had to wait for another one.
var now = map[string]string{"postgres": "clock_timestamp()", "mysql": "UTC_TIMESTAMP(6)"}

// rowAge is how old a row is by the database's clock, in microseconds.
var rowAge = map[string]string{
	"postgres": "CAST(EXTRACT(EPOCH FROM clock_timestamp() - modified) * 1000000 AS BIGINT)",
	"mysql":    "TIMESTAMPDIFF(MICROSECOND, modified, UTC_TIMESTAMP(6))",
}

func (s *Store) isMySQL() bool { return s.control.Scheme() == "mysql" }

func (s *Store) now() string { return now[s.control.Scheme()] }

// in returns the time a number of seconds from now, as an expression with one parameter.
func (s *Store) in() string {
	if s.isMySQL() {
		return "TIMESTAMPADD(MICROSECOND, ? * 1000000, UTC_TIMESTAMP(6))"
	}
	return "clock_timestamp() + CAST(? AS double precision) * INTERVAL '1 second'"
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }

// microseconds returns a duration that the database has given in microseconds.
func microseconds(text string) (time.Duration, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	return time.Duration(n) * time.Microsecond, err
}

// insert returns a statement that inserts rows and does nothing about those that are there.
func (s *Store) insert(statement string) string {
	if s.isMySQL() {
		return "INSERT IGNORE INTO " + statement
	}
	return "INSERT INTO " + statement + " ON CONFLICT DO NOTHING"
}

// among returns a list of parameters, one for each of n values.
func among(n int) string { return "(?" + strings.Repeat(", ?", n-1) + ")" }

// below returns the bounds of the names below a prefix: behind its slash.
func below(prefix string) (from, to string) {
	if prefix = strings.Trim(prefix, "/"); prefix == "" {
		return "", "\x7f" // above all characters of names
	}
	return prefix + "/", prefix + "0" // the character behind the slash
}

// exec runs a statement and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, statement string, args ...string) (changed int64, err error) {
	err = s.try(ctx, true, func() error {
		changed, err = s.control.Exec(ctx, statement, args...)
		return err
	})
	return changed, err
}

// rows runs a query on the connections for what must not wait, and returns its rows.
func (s *Store) rows(ctx context.Context, query string, args ...string) ([][]string, error) {
	return s.rowsOf(ctx, s.control, query, args...)
}

// rowsOf runs a query on a pool of connections and returns its rows.
func (s *Store) rowsOf(ctx context.Context, d database, query string, args ...string) (rows [][]string, err error) {
	err = s.try(ctx, false, func() error {
		rows, err = d.Rows(ctx, query, args...)
		return err
	})
	return rows, err
}

// poolOf returns the connections for a query about a key. Strangers cause queries about
// certificates and challenges. The rest is the work of this machine, which never waits for
// theirs.
func (s *Store) poolOf(key string) database {
	if strings.HasPrefix(key, ownPrefix) {
		return s.control
	}
	return s.reads
}

// ownPrefix begins the keys that are not certmagic's.
const ownPrefix = "signpost/"

// try runs a statement. If a table is missing, it creates the tables first.
func (s *Store) try(ctx context.Context, writes bool, run func() error) error {
	err := run()
	if sqldb.IsMissing(err) {
		writes = true
		if refused := s.create(ctx); refused != nil {
			err = refused
		} else {
			err = run()
		}
	}
	s.heard(err, writes)
	return err
}

// create creates the tables. Of several machines that do so at the same time, PostgreSQL refuses
// all but one, some of them before the tables are there.
func (s *Store) create(ctx context.Context) error {
	var err error
	for range 10 {
		if err = s.createOnce(ctx); err == nil || isUnanswered(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("its tables cannot be created: %w", err)
}

func (s *Store) createOnce(ctx context.Context) error {
	for _, statement := range tableStatements[s.control.Scheme()] {
		if _, err := s.control.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
