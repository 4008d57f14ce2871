package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// PostgreSQL is spoken to with pgconn, the lowest layer of pgx, below a database/sql
// driver of our own. It has one way to ask: the unnamed statement, with parse, bind and
// execute in one message. A pooler in transaction mode (PgBouncer) may give every
// message to another server connection, where a named statement is unknown or somebody
// else's: then the drivers that prepare give other queries' rows without an error.
func init() {
	engines["postgres"] = &engine{
		port: "5432", socket: "/run/postgresql",
		syntax: &syntax{
			escapeTexts: true, dollarTexts: true, nested: true,
			// PostgreSQL must know the type of a parameter, which concat($1) does not tell
			// (42P18). Next to = the column tells, as it does of a literal: a cast would
			// keep citext columns from comparing without case, and from their index.
			parameter: func(n int, compared bool) string {
				mark := "$" + strconv.Itoa(n)
				if compared {
					return mark
				}
				return "CAST(" + mark + " AS text)"
			},
			join: func(parts []string) string { return "(" + strings.Join(parts, " || ") + ")" },
		},
		connector: newPostgres,
		strange:   strangeToPostgres,
		lost:      lostByPostgres,
		classify:  classifyPostgres,
		check: checks{
			serverText: func(err error) string {
				refused, _ := errors.AsType[*pgconn.PgError](err)
				return refused.Message
			},
			user:  "SELECT current_user, ''",
			quote: func(user, _ string) string { return quoteName(user) },
			grant: func(place *place, u *use, user string) string {
				return "GRANT SELECT" + u.inParentheses() + " ON " + u.table + " TO " + user + ";"
			},
			other: func(place *place, words, user string) string {
				if schema, ok := strings.CutPrefix(words, "permission denied for schema "); ok {
					return "GRANT USAGE ON SCHEMA " + quoteName(schema) + " TO " + user + ";"
				}
				if strings.HasPrefix(words, "permission denied for database ") {
					return "GRANT CONNECT ON DATABASE " + quoteName(place.database) + " TO " + user + ";"
				}
				return ""
			},
			elsewhere: `SELECT n.nspname, has_schema_privilege(n.oid, 'USAGE')
				FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
				WHERE c.relname = CAST($1 AS text) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
				AND NOT pg_table_is_visible(c.oid) AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
				ORDER BY 2, 1 LIMIT 1`,
			create:    "CREATE ROLE %s LOGIN PASSWORD '…';",
			password:  "ALTER ROLE %s LOGIN PASSWORD '…';",
			readsOnly: "SELECT current_setting('transaction_read_only') = 'on'",
			writable: `SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
				WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
				AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
				OR has_any_column_privilege(c.oid, 'INSERT, UPDATE'))
				ORDER BY 1`,
			secrets: `SELECT c.oid::regclass::text || '.' || a.attname
				FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
				JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type y ON y.oid = a.atttypid
				WHERE c.relkind IN ('r', 'p', 'v', 'm')
				AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
				AND a.attnum > 0 AND NOT a.attisdropped AND (y.typcategory = 'S' OR y.typname = 'bytea')
				AND a.attname ~* '` + secretColumns + `'
				AND has_column_privilege(c.oid, a.attnum, 'SELECT') ORDER BY 1`,
		},
	}
}

// postgresConnector connects to a PostgreSQL server.
type postgresConnector struct {
	place   *place
	host    host
	timeout time.Duration
	// pooled is set once the server has refused the settings of a session, as poolers
	// do. They would leave them to the next user of the connection.
	pooled atomic.Bool
}

func newPostgres(p *place, h host, timeout time.Duration) driver.Connector {
	return &postgresConnector{place: p, host: h, timeout: timeout}
}

// Driver returns nil: nobody asks.
func (c *postgresConnector) Driver() driver.Driver { return nil }

// Connect connects, and asks the server to refuse all writing unless that is wanted.
func (c *postgresConnector) Connect(ctx context.Context) (driver.Conn, error) {
	config, err := c.config()
	if err != nil {
		return nil, err
	}
	if !c.pooled.Load() {
		conn, err := c.connect(ctx, config, true)
		if !isPooler(err) {
			return conn, err
		}
		c.pooled.Store(true)
	}
	return c.connect(ctx, config, false)
}

func (c *postgresConnector) connect(ctx context.Context, config *pgconn.Config, session bool) (driver.Conn, error) {
	// Poolers know these three.
	config.RuntimeParams = map[string]string{
		"application_name": "signpost", "client_encoding": "UTF8", "standard_conforming_strings": "on",
	}
	if session {
		if !c.place.writes {
			config.RuntimeParams["default_transaction_read_only"] = "on"
		}
		// The user's own limit may be meant for single rows, and a list of a million takes
		// longer. Whatever takes longer than it may is cancelled from here.
		config.RuntimeParams["statement_timeout"] = strconv.FormatInt(listTimeout.Milliseconds(), 10)
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if c.place.writes {
		if err := mayWrite(ctx, conn); err != nil {
			conn.Close(ctx)
			return nil, err
		}
	}
	return &postgresConn{conn: conn, writes: c.place.writes}, nil
}

// mayWrite returns an error if the server takes no writing, as a standby does: another host of the
// URL may.
func mayWrite(ctx context.Context, conn *pgconn.PgConn) error {
	result := conn.ExecParams(ctx, "SHOW transaction_read_only", nil, nil, nil, nil).Read()
	if result.Err == nil && len(result.Rows) > 0 && string(result.Rows[0][0]) == "on" {
		return errReadOnly
	}
	return result.Err
}

// isPooler reports whether a pooler has refused a setting. PgBouncer: "unsupported
// startup parameter: …", protocol_violation.
func isPooler(err error) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refused.Code == "08P01" && strings.Contains(refused.Message, "startup parameter")
}

// config returns how to connect. pgconn takes defaults from the environment and from the
// home directory (PGHOST, .pgpass); all that matters is overwritten.
func (c *postgresConnector) config() (*pgconn.Config, error) {
	config, err := pgconn.ParseConfig("host=127.0.0.1 port=5432 user=signpost password=none dbname=none " +
		"sslmode=disable passfile=/dev/null servicefile=/dev/null target_session_attrs=any")
	if err != nil {
		return nil, err
	}
	if config.Password, err = c.place.password(); err != nil {
		return nil, err
	}
	if config.TLSConfig, err = c.place.tlsConfig(c.host); err != nil {
		return nil, err
	}
	config.User, config.Database = c.place.user, c.place.database
	config.Fallbacks = nil
	config.Host = c.host.name
	config.Port = 5432
	if c.host.socket != "" {
		config.Host, config.Port = splitSocket(c.host.socket)
	} else {
		port, err := strconv.ParseUint(c.host.port, 10, 16)
		if err != nil {
			return nil, err
		}
		config.Port = uint16(port)
	}
	return config, nil
}

// splitSocket returns the directory and the port of a socket's path, which may be that of
// the directory.
func splitSocket(path string) (directory string, port uint16) {
	if number, ok := strings.CutPrefix(filepath.Base(path), postgresSocket); ok {
		if n, err := strconv.ParseUint(number, 10, 16); err == nil {
			return filepath.Dir(path), uint16(n)
		}
	}
	return path, 5432
}

// postgresConn is a connection.
type postgresConn struct {
	conn   *pgconn.PgConn
	writes bool // unless a server has become a standby
}

// closeTimeout bounds saying goodbye to a server that may have gone.
const closeTimeout = 100 * time.Millisecond

func (c *postgresConn) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return c.conn.Close(ctx)
}

// IsValid reports whether the connection may be used again.
func (c *postgresConn) IsValid() bool { return !c.conn.IsClosed() }

// Begin returns an error: nothing here needs a transaction.
func (c *postgresConn) Begin() (driver.Tx, error) { return nil, errors.ErrUnsupported }

// Prepare keeps the text. The server hears of it with each execution.
func (c *postgresConn) Prepare(query string) (driver.Stmt, error) {
	return &postgresStmt{c, query}, nil
}

type postgresStmt struct {
	conn  *postgresConn
	query string
}

func (s *postgresStmt) Close() error  { return nil }
func (s *postgresStmt) NumInput() int { return -1 }

func (s *postgresStmt) Exec([]driver.Value) (driver.Result, error) {
	return nil, errors.ErrUnsupported
}
func (s *postgresStmt) Query([]driver.Value) (driver.Rows, error) { return nil, errors.ErrUnsupported }

// ExecContext sends a statement that gives no rows, and its parameters, which are texts.
func (s *postgresStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	reader, err := s.send(ctx, args)
	if err != nil {
		return nil, err
	}
	tag, err := reader.Close()
	if s.conn.writes && isReadOnly(err) {
		s.conn.Close() // the next connection may be to a server that takes writing
	}
	if err != nil && s.conn.conn.IsClosed() && ctx.Err() == nil {
		return nil, driver.ErrBadConn
	}
	return driver.RowsAffected(tag.RowsAffected()), err
}

func (s *postgresStmt) send(ctx context.Context, args []driver.NamedValue) (*pgconn.ResultReader, error) {
	parameters := make([][]byte, len(args))
	for i, arg := range args {
		text, ok := arg.Value.(string)
		if !ok {
			return nil, errors.ErrUnsupported
		}
		parameters[i] = []byte(text)
	}
	return s.conn.conn.ExecParams(ctx, s.query, parameters, nil, nil, nil), nil
}

// QueryContext sends the query and its parameters, which are texts.
func (s *postgresStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	reader, err := s.send(ctx, args)
	if err != nil {
		return nil, err
	}
	fields := reader.FieldDescriptions()
	if fields == nil {
		_, err := reader.Close()
		if err == nil {
			err = errors.New("the statement gives no rows")
		}
		if s.conn.conn.IsClosed() && ctx.Err() == nil {
			// The server ended the connection before it answered: database/sql takes
			// another one.
			return nil, driver.ErrBadConn
		}
		return nil, err
	}
	columns := make([]string, len(fields))
	for i, field := range fields {
		columns[i] = field.Name
	}
	return &postgresRows{reader, columns}, nil
}

type postgresRows struct {
	reader  *pgconn.ResultReader
	columns []string
}

func (r *postgresRows) Columns() []string { return r.columns }

func (r *postgresRows) Close() error {
	_, err := r.reader.Close()
	return err
}

func (r *postgresRows) Next(row []driver.Value) error {
	if !r.reader.NextRow() {
		if err := r.Close(); err != nil {
			return err
		}
		return io.EOF
	}
	for i, value := range r.reader.Values() {
		if value == nil {
			row[i] = nil
		} else {
			row[i] = value
		}
	}
	return nil
}

// isReadOnly reports whether the server takes no writing: read_only_sql_transaction.
func isReadOnly(err error) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refused.Code == "25006"
}

// strangeToPostgres reports whether PostgreSQL cannot take a parameter's bytes: they
// do not exist in the database's encoding, are no value of the column's type, or no
// pattern (PostgreSQL, Appendix A, "Error Codes").
func strangeToPostgres(err error) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch refused.Code {
	case "22021", // character_not_in_repertoire
		"22P05", // untranslatable_character
		"22P02", // invalid_text_representation
		"22003", // numeric_value_out_of_range
		"22001", // string_data_right_truncation
		"22025", // invalid_escape_sequence: LIKE
		"2201B": // invalid_regular_expression
		return true
	}
	return false
}

// lostByPostgres reports whether the server says that it ends the connection:
// admin_shutdown, crash_shutdown.
func lostByPostgres(err error) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (refused.Code == "57P01" || refused.Code == "57P02")
}

// classifyPostgres returns what PostgreSQL's error means.
func classifyPostgres(err error) *Error {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if strings.Contains(err.Error(), "server refused TLS connection") {
			return errorNoTLS()
		}
		return nil
	}
	text, kind := "the database reports an error", other
	switch refused.Code {
	case "28P01":
		text, kind = "the database refuses the password", refusesUser
	case "28000":
		text, kind = "the database refuses the user", refusesUser
	case "3D000":
		text = "the database does not exist"
	case "42501":
		text, kind = "the database user may not read what the query needs", refusesReading
	case "42P01":
		text, kind = "a table of the query does not exist", lacksObject
	case "42703":
		text, kind = "a column of the query does not exist", lacksObject
	case "53100":
		text = "the disk of the database is full"
	case "53300":
		text = "the database has no connection left"
	case "57014":
		text = "the database gave up the query, which took too long"
	case "57P01", "57P02", "57P03":
		text = "the database is starting or stopping"
	case "25006":
		text = "the query writes"
	}
	return &Error{Text: text, Code: refused.Code, kind: kind}
}
