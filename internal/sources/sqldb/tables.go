package sqldb

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Tables is a database in which this program has tables of its own and writes into them.
type Tables struct{ store *Store }

// DefaultTablesTimeout is the time for one statement of Tables.
const DefaultTablesTimeout = 2 * time.Second

// OpenTables returns the database that the options describe, of which only the URL, the
// password file, the time limit and the number of connections count. It checks them and does
// not connect. The error is or wraps an *OptionError. SQLite is refused: it cannot be shared
// by several machines.
func OpenTables(options Options) (*Tables, error) {
	if options.Timeout <= 0 {
		options.Timeout = DefaultTablesTimeout
	}
	store, err := newStore(options)
	if err != nil {
		return nil, err
	}
	if store.place.scheme == "sqlite" {
		return nil, &OptionError{"database", "SQLite cannot be shared by several machines"}
	}
	store.place.writes = true
	store.open()
	return &Tables{store}, nil
}

// OpenToRead is OpenTables for another program's database, SQLite too, in which nothing is
// written. The password is that of the program's configuration, or empty.
func OpenToRead(options Options, password string) (*Tables, error) {
	if options.Timeout <= 0 {
		options.Timeout = DefaultTablesTimeout
	}
	store, err := newStore(options)
	if err != nil {
		return nil, err
	}
	store.place.given = password
	store.open()
	return &Tables{store}, nil
}

// Columns returns the names of the columns of a table, none if there is no such table.
func (t *Tables) Columns(ctx context.Context, table string) ([]string, error) {
	query := "SELECT column_name FROM information_schema.columns WHERE table_name = ? AND table_schema = DATABASE()"
	switch t.Scheme() {
	case "postgres":
		query = "SELECT column_name FROM information_schema.columns WHERE table_name = ? " +
			"AND table_schema = ANY (current_schemas(false))"
	case "sqlite":
		query = "SELECT name FROM pragma_table_info(?)"
	}
	rows, err := t.Rows(ctx, query, table)
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = strings.ToLower(row[0])
	}
	return names, err
}

// Scheme returns the kind of database: postgres, mysql or sqlite.
func (t *Tables) Scheme() string { return t.store.place.scheme }

// Close closes the connections.
func (t *Tables) Close() error { return t.store.Close() }

// Exec runs a statement, in which ? stands for each of the arguments in order, and returns
// how many rows it changed. If the connection is lost, the statement is run again: it must be
// one that can be.
func (t *Tables) Exec(ctx context.Context, statement string, args ...string) (int64, error) {
	var changed int64
	err := t.try(ctx, func(ctx context.Context, db *sql.DB) error {
		result, err := db.ExecContext(ctx, t.spell(statement), arguments(args)...)
		if err != nil {
			return err
		}
		changed, err = result.RowsAffected()
		return err
	})
	return changed, err
}

// Rows runs a query, in which ? stands for each of the arguments in order, and returns the
// values of its rows as texts. NULL is the empty text.
func (t *Tables) Rows(ctx context.Context, query string, args ...string) ([][]string, error) {
	var all [][]string
	err := t.try(ctx, func(ctx context.Context, db *sql.DB) error {
		all = nil
		rows, err := db.QueryContext(ctx, t.spell(query), arguments(args)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		for rows.Next() {
			row, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
			for i := range row {
				targets[i] = &row[i]
			}
			if err := rows.Scan(targets...); err != nil {
				return err
			}
			texts := make([]string, len(row))
			for i := range row {
				texts[i] = row[i].String
			}
			all = append(all, texts)
		}
		return rows.Err()
	})
	return all, err
}

// try runs a statement within the time limit. It runs it again if the database broke off
// statements that waited for one another, and, as Store does, once for each connection of the
// pool if connections are lost.
func (t *Tables) try(caller context.Context, run func(context.Context, *sql.DB) error) error {
	ctx, cancel := context.WithTimeout(caller, t.store.timeout)
	defer cancel()
	err := run(ctx, t.store.db())
	for again := t.store.connections(); again > 0 && ctx.Err() == nil && t.store.lost(err); again-- {
		err = run(ctx, t.store.db())
	}
	for again := 1; again < 20 && ctx.Err() == nil && t.isConflict(err); again++ {
		time.Sleep(time.Duration(again) * rand.N(4*time.Millisecond))
		err = run(ctx, t.store.db())
	}
	switch {
	case err == nil:
		return nil
	case caller.Err() != nil:
		return caller.Err() // it says nothing about the database
	}
	return t.explain(ctx, err)
}

// isConflict reports whether statements waited for one another, so that the database broke
// this one off: serialization_failure and deadlock_detected of PostgreSQL, 1213 (deadlock) and
// 1205 (it waited too long for a lock) of MySQL.
func (t *Tables) isConflict(err error) bool {
	if err == nil {
		return false
	}
	problem := t.store.engine.classify(err)
	return problem != nil && slices.Contains([]string{"40001", "40P01", "1213", "1205"}, problem.Code)
}

// spell replaces each ? of a statement by the database's own spelling of a parameter. The
// statements are this program's own and have no other question mark.
func (t *Tables) spell(statement string) string {
	if t.store.place.scheme != "postgres" {
		return statement
	}
	var b strings.Builder
	for n, part := range strings.Split(statement, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
	}
	return b.String()
}

// arguments returns the texts as package database/sql takes them.
func arguments(args []string) []any {
	all := make([]any, len(args))
	for i, arg := range args {
		all[i] = arg
	}
	return all
}
