package sqldb

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"signpost/internal/sources/row"
)

// dying is a server whose connections end with the first query, with an error, until it has
// ended some. It counts them.
type dying struct {
	err         error
	afterRow    bool // a row comes before the error
	ends, ended int
}

func (d *dying) Connect(context.Context) (driver.Conn, error) { return &dyingConn{server: d}, nil }
func (d *dying) Driver() driver.Driver                        { return nil }

type dyingConn struct {
	server *dying
	broken bool
}

func (c *dyingConn) IsValid() bool                       { return !c.broken }
func (c *dyingConn) Close() error                        { return nil }
func (c *dyingConn) Begin() (driver.Tx, error)           { return nil, driver.ErrSkip }
func (c *dyingConn) Prepare(string) (driver.Stmt, error) { return &dyingStmt{c}, nil }

type dyingStmt struct{ conn *dyingConn }

func (s *dyingStmt) Close() error                               { return nil }
func (s *dyingStmt) NumInput() int                              { return -1 }
func (s *dyingStmt) Exec([]driver.Value) (driver.Result, error) { return nil, driver.ErrSkip }

func (s *dyingStmt) Query([]driver.Value) (driver.Rows, error) {
	if d := s.conn.server; d.ended < d.ends {
		d.ended++
		s.conn.broken = true
		if d.afterRow {
			return &oneRow{end: d.err}, nil
		}
		return nil, d.err
	}
	return &oneRow{end: io.EOF}, nil
}

// oneRow is the row of an alias, and what ends the rows.
type oneRow struct {
	read bool
	end  error
}

func (r *oneRow) Columns() []string { return []string{"address", "alias"} }
func (r *oneRow) Close() error      { return nil }

func (r *oneRow) Next(row []driver.Value) error {
	if r.read {
		return r.end
	}
	r.read, row[0], row[1] = true, "info@example.com", "anna@example.com"
	return nil
}

// TestLost has all connections of the pool end at once, without anybody noticing before the
// query. What ends every connection is not asked for good.
func TestLost(t *testing.T) {
	reset := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	for _, test := range []struct {
		scheme string
		err    error
		lost   bool
	}{
		{"mysql", driver.ErrBadConn, true},
		{"mysql", mysql.ErrInvalidConn, true},
		{"mysql", &mysql.MySQLError{Number: 1927, Message: "Connection was killed"}, true},
		{"mysql", &mysql.MySQLError{Number: 1053, Message: "Server shutdown in progress"}, true},
		{"mysql", reset, true},
		{"mysql", &mysql.MySQLError{Number: 1317, Message: "Query execution was interrupted"}, false},
		{"mysql", &mysql.MySQLError{Number: 1142, Message: "SELECT command denied"}, false},
		{"postgres", driver.ErrBadConn, true},
		{"postgres", &pgconn.PgError{Code: "57P01", Message: "terminating connection"}, true},
		{"postgres", fmt.Errorf("receive message failed: %w", io.ErrUnexpectedEOF), true},
		{"postgres", reset, true},
		{"postgres", &pgconn.PgError{Code: "42501", Message: "permission denied"}, false},
		{"postgres", &pgconn.PgError{Code: "57014", Message: "canceling statement"}, false},
	} {
		for _, server := range []*dying{
			{ends: 1}, {ends: DefaultConnections}, {ends: 1000}, {ends: 1, afterRow: true}, {ends: 1000, afterRow: true},
		} {
			server.err = test.err
			if isBad(test.err) && server.afterRow {
				continue // it is never said after a row
			}
			s := dyingStore(t, test.scheme, server)
			got := rowsOf(t, s, "info@example.com")
			answered := got == "info@example.com -> anna@example.com"
			if want := test.lost && server.ends < 1000; answered != want {
				t.Errorf("%s: %d connections ended with %q, after a row: %t: Account = %q, want the alias: %t",
					test.scheme, server.ends, test.err, server.afterRow, got, want)
			}
			// Package database/sql itself tries three connections.
			if most := 3 * (1 + DefaultConnections); server.ended > most {
				t.Errorf("%s: one question had %d connections end with %q, want at most %d",
					test.scheme, server.ended, test.err, most)
			}
		}
	}
}

// TestLostList ends the connection within the list, of which nobody has kept what came.
func TestLostList(t *testing.T) {
	s := dyingStore(t, "mysql", &dying{err: mysql.ErrInvalidConn, afterRow: true, ends: 1})
	got := 0
	err := s.EachDomain(t.Context(), func(row.Domain) { got++ })
	if err == nil || got != 1 {
		t.Errorf("EachDomain gives %d rows, %v, want the row and the error", got, err)
	}
}

// dyingStore returns a store that is on the server.
func dyingStore(t *testing.T, scheme string, server *dying) *Store {
	t.Helper()
	s := openStore(t, Options{
		Database: scheme + "://signpost@127.0.0.1/mail", Timeout: 10 * time.Second,
		Domains: "SELECT domain FROM domain",
		Account: "SELECT address, goto AS alias FROM alias WHERE address = '%s'",
	})
	engine := *s.engine
	engine.connector = func(*place, host, time.Duration) driver.Connector { return server }
	s.engine = &engine
	return s
}
