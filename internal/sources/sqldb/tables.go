package sqldb

import (
	"context"
	"database/sql"
	"errors"
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

// Scheme returns the kind of database: postgres or mysql.
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

// try runs a statement within the time limit, again for each connection of the pool if
// connections are lost, as Store does.
func (t *Tables) try(ctx context.Context, run func(context.Context, *sql.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, t.store.timeout)
	defer cancel()
	err := run(ctx, t.store.db())
	for again := t.store.connections(); again > 0 && ctx.Err() == nil && t.store.lost(err); again-- {
		err = run(ctx, t.store.db())
	}
	if err == nil {
		return nil
	}
	return t.store.explain(ctx, err)
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

// IsMissing reports whether an error of Tables says that a table does not exist.
func IsMissing(err error) bool {
	problem, ok := errors.AsType[*Error](err)
	return ok && problem.kind == lacksObject
}

// IsAway reports whether an error of Tables says nothing about the statement: the database
// could not be reached, was too slow or ended the connection.
func IsAway(err error) bool {
	problem, ok := errors.AsType[*Error](err)
	return ok && problem.Code == "" || errors.Is(err, context.DeadlineExceeded)
}
