package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
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
		check: checks{ // a file has no users
			serverText: func(err error) string {
				problem, _ := errors.AsType[*sqlite.Error](err)
				return problem.Error()
			},
		},
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
func (c *sqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	// Before SQLite opens it: what is there afterwards could be a newer file.
	opened, err := holdSQLite(c.path)
	if err != nil {
		return nil, &localError{err}
	}
	wal := opened.inWAL()
	if wal {
		release, err := opened.keepLog()
		if err != nil {
			return nil, &localError{err}
		}
		defer release()
	}
	options := url.Values{"mode": {"ro"},
		// So that SQLite never creates the file -shm (os_unix.c, unixOpenSharedMemory).
		"readonly_shm": {"1"},
		"_pragma": {
			"query_only(1)", "busy_timeout(" + strconv.FormatInt(c.timeout.Milliseconds(), 10) + ")",
		}}
	name := url.URL{Scheme: "file", Path: c.path, RawQuery: options.Encode()}
	conn, err := (&sqlite.Driver{}).Open(name.String())
	if err != nil {
		return nil, err
	}
	if wal {
		// SQLite opens the log with the first question, which must not come later.
		if err := firstQuestion(ctx, conn); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return &sqliteConn{conn, c, opened, wal}, nil
}

// firstQuestion has SQLite open all files of the database.
func firstQuestion(ctx context.Context, conn driver.Conn) error {
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, "SELECT 1 FROM sqlite_schema LIMIT 1", nil)
	if err != nil {
		return err
	}
	return rows.Close()
}

// sqliteConn is an open file.
type sqliteConn struct {
	driver.Conn
	connector *sqliteConnector
	opened    *sqliteFile
	wal       bool // the file was in WAL mode
}

// PrepareContext prepares a statement.
func (c *sqliteConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
}

// ResetSession gives the connection up if another file has taken the place of the one
// that is open, restored from a backup or copied anew, or if the file is in WAL mode now.
func (c *sqliteConn) ResetSession(ctx context.Context) error {
	if now, err := os.Stat(c.connector.path); err == nil && !os.SameFile(c.opened.info, now) {
		return driver.ErrBadConn
	}
	if !c.wal && c.opened.inWAL() {
		return driver.ErrBadConn
	}
	return c.Conn.(driver.SessionResetter).ResetSession(ctx)
}

// IsValid reports whether the connection may be used again.
func (c *sqliteConn) IsValid() bool { return c.Conn.(driver.Validator).IsValid() }

// Result codes (https://sqlite.org/rescode.html).
const (
	sqliteError       = 1
	sqliteBusy        = 5
	sqliteLocked      = 6
	sqliteReadOnly    = 8
	sqliteInterrupt   = 9
	sqliteCorrupt     = 11
	sqliteCantOpen    = 14
	sqliteNotDatabase = 26

	sqliteReadOnlyRecovery  = sqliteReadOnly | 1<<8
	sqliteReadOnlyDirectory = sqliteReadOnly | 6<<8
)

// classifySQLite returns what SQLite's error means.
func classifySQLite(err error) *Error {
	problem, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return nil
	}
	e := &Error{Text: "the database reports an error", Code: strconv.Itoa(problem.Code())}
	switch problem.Code() & 0xff {
	case sqliteError:
		e.Text = "the database cannot run the query"
	case sqliteBusy, sqliteLocked:
		e.Text = "another program holds the database"
	case sqliteInterrupt:
		e.Text = "the database does not answer in time"
	case sqliteReadOnly:
		e.Text = "the query writes"
	case sqliteCorrupt, sqliteNotDatabase:
		e.Text = "the file is damaged or not a SQLite database"
	case sqliteCantOpen:
		e.Text, e.cure = "the file cannot be opened", walCure
	}
	switch problem.Code() {
	case sqliteReadOnlyDirectory, sqliteReadOnlyRecovery:
		// https://sqlite.org/wal.html, "Read-Only Databases"
		e.Text, e.cure = "the database is in WAL mode, and its log cannot be read without writing beside it", walCure
	}
	return e
}
