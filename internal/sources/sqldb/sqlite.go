package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"

	"signpost/internal/fault"
)

// SQLite, translated to Go.
func init() {
	engines["sqlite"] = &engine{
		syntax: &syntax{
			brackets: true, parameters: "?:@$",
			parameter: func(int, bool) string { return "?" },
			join:      func(parts []string) string { return "(" + strings.Join(parts, " || ") + ")" },
		},
		connector: newSQLite,
		strange:   func(error) bool { return false }, // it takes every text
		lost:      func(error) bool { return false },
		classify:  classifySQLite,
		rights:    nil, // a file has no users
	}
}

// sqliteConnector opens a SQLite file for reading.
type sqliteConnector struct {
	path    string
	timeout time.Duration
}

func newSQLite(p *place, h host, timeout time.Duration) driver.Connector {
	return &sqliteConnector{p.database, timeout}
}

// Driver returns nil: nobody asks.
func (c *sqliteConnector) Driver() driver.Driver { return nil }

// Connect opens the file.
func (c *sqliteConnector) Connect(context.Context) (driver.Conn, error) {
	// Before SQLite opens it: what is there afterwards could be a newer file.
	opened, err := os.Stat(c.path)
	if err != nil {
		return nil, &localError{fmt.Errorf("%s: %w", c.path, fault.WithoutPath(err))}
	}
	options := url.Values{"mode": {"ro"}, "_pragma": {
		"query_only(1)", "busy_timeout(" + strconv.FormatInt(c.timeout.Milliseconds(), 10) + ")",
	}}
	name := url.URL{Scheme: "file", Path: c.path, RawQuery: options.Encode()}
	conn, err := (&sqlite.Driver{}).Open(name.String())
	if err != nil {
		return nil, c.explain(err)
	}
	return &sqliteConn{conn, c, opened}, nil
}

// explain adds what the code alone does not tell.
func (c *sqliteConnector) explain(err error) error {
	problem, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch problem.Code() {
	case sqliteReadOnlyDirectory, sqliteReadOnlyRecovery, sqliteCantOpen:
		if _, failed := os.Stat(c.path + "-wal"); failed == nil {
			return &localError{fault.WithHint(
				fmt.Errorf("%s is in WAL mode, for which SQLite must write into its folder, and may not (%d)", c.path, problem.Code()),
				fmt.Sprintf("let the user of Signpost write into %s, or give it a copy of the database", filepath.Dir(c.path)))}
		}
		if failed := fileError(c.path); failed != nil {
			return failed
		}
	}
	return err
}

// sqliteConn is an open file.
type sqliteConn struct {
	driver.Conn
	connector *sqliteConnector
	opened    fs.FileInfo
}

// PrepareContext prepares a statement.
func (c *sqliteConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, c.connector.explain(err)
	}
	return stmt, nil
}

// ResetSession gives the connection up if another file has taken the place of the one
// that is open: restored from a backup, or copied anew.
func (c *sqliteConn) ResetSession(ctx context.Context) error {
	if now, err := os.Stat(c.connector.path); err == nil && !os.SameFile(c.opened, now) {
		return driver.ErrBadConn
	}
	return c.Conn.(driver.SessionResetter).ResetSession(ctx)
}

// IsValid reports whether the connection may be used again.
func (c *sqliteConn) IsValid() bool { return c.Conn.(driver.Validator).IsValid() }

// Result codes (https://sqlite.org/rescode.html).
const (
	sqliteBusy              = 5
	sqliteLocked            = 6
	sqliteReadOnly          = 8
	sqliteInterrupt         = 9
	sqliteCorrupt           = 11
	sqliteCantOpen          = 14
	sqliteNotADatabase      = 26
	sqliteReadOnlyRecovery  = 264
	sqliteReadOnlyDirectory = 1544
)

// classifySQLite returns what SQLite's error means.
func classifySQLite(err error) *Error {
	problem, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return nil
	}
	text := "the database reports an error"
	switch problem.Code() & 0xff {
	case sqliteBusy, sqliteLocked:
		text = "another program holds the database"
	case sqliteInterrupt:
		text = "the database does not answer in time"
	case sqliteReadOnly:
		text = "the query writes, or the folder of the database must be writable"
	case sqliteCorrupt, sqliteNotADatabase:
		text = "the file is damaged or not a SQLite database"
	case sqliteCantOpen:
		text = "the file cannot be opened"
	case 1:
		text = "the database cannot run the query"
	}
	return &Error{Text: text, Code: strconv.Itoa(problem.Code())}
}
