package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"syscall"
)

// ask runs a query and calls read for each row, of at most limit if that is not 0. A key
// that the database cannot take, because of its encoding or of a collation, gives no rows
// and no error: whoever sends such an address must not make the database look dead.
//
// The server, or somebody with the right to, may end the connection while it is in use, and
// the idle ones with it, which the driver does not notice at once. So the query is run again
// for each connection of the pool, which may all fail before there is a new one. After some
// rows, that needs forget, which drops them.
func (s *Store) ask(ctx context.Context, q *query, k key, limit int, read func(*values), forget func()) error {
	if !k.askable() {
		return nil
	}
	got := 0
	count := func(v *values) { got++; read(v) }
	_, err := s.run(ctx, q, k, limit, count)
	repeats := func() bool { return ctx.Err() == nil && s.lost(err) && (got == 0 || forget != nil) }
	for again := s.connections(); again > 0 && repeats(); again-- {
		if got > 0 {
			forget()
		}
		_, err = s.run(ctx, q, k, limit, count)
	}
	switch {
	case err == nil:
		return nil
	case q.holes != "" && s.engine.strange(err):
		return nil
	}
	return s.explain(ctx, err)
}

// run runs a query once. The values that it returns know the columns of the answer.
func (s *Store) run(ctx context.Context, q *query, k key, limit int, read func(*values)) (*values, error) {
	stmt, err := s.prepare(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, k.args(q.holes)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	v := new(values)
	targets := make([]any, len(columns))
	for i, column := range columns {
		targets[i] = v.target(column)
	}
	for n := 0; (limit == 0 || n < limit) && rows.Next(); n++ {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		read(v)
	}
	return v, rows.Err()
}

// prepare returns the query's statement. The pool prepares it once on each connection; with
// PostgreSQL that is no round trip, and the server keeps nothing.
func (s *Store) prepare(ctx context.Context, q *query) (*sql.Stmt, error) {
	if stmt := q.stmt.Load(); stmt != nil {
		return stmt, nil
	}
	stmt, err := s.db().PrepareContext(ctx, q.sql)
	if err != nil {
		return nil, err
	}
	if !q.stmt.CompareAndSwap(nil, stmt) {
		stmt.Close()
	}
	return q.stmt.Load(), nil
}

// lost reports whether a connection ended, so that another one may do.
func (s *Store) lost(err error) bool {
	return err != nil && (isBad(err) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || s.engine.lost(err))
}

// isBad reports whether database/sql gave up a connection as broken, after a few others. The
// drivers say so of one that ended before the query was sent.
func isBad(err error) bool { return errors.Is(err, driver.ErrBadConn) }
