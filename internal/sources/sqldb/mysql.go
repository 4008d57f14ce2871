package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// MySQL and MariaDB. Statements are prepared once on each connection, which is one round
// trip for a query and a third of the time of preparing each.
func init() {
	engines["mysql"] = &engine{
		port: "3306", socket: "/run/mysqld/mysqld.sock",
		syntax: &syntax{
			backslashes: true, doubleTexts: true, hashComments: true, dashBlank: true, parameters: "?",
			parameter: func(int, bool) string { return "?" },
			join:      func(parts []string) string { return "CONCAT(" + strings.Join(parts, ", ") + ")" },
		},
		connector: newMySQL,
		strange:   strangeToMySQL,
		lost:      lostByMySQL,
		classify:  classifyMySQL,
		check: checks{
			serverText: func(err error) string {
				refused, _ := errors.AsType[*mysql.MySQLError](err)
				return refused.Message
			},
			user:   "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1), SUBSTRING_INDEX(CURRENT_USER(), '@', -1)",
			userIn: userIn,
			quote:  func(user, machine string) string { return "'" + user + "'@'" + machine + "'" },
			grant: func(place *place, u *use, user string) string {
				table := u.table
				if !strings.Contains(table, ".") {
					table = backtick(place.database) + "." + table
				}
				return "GRANT SELECT" + u.inParentheses() + " ON " + table + " TO " + user + ";"
			},
			create:    "CREATE USER %s IDENTIFIED BY '…';",
			password:  "ALTER USER %s IDENTIFIED BY '…';",
			readsOnly: "",
			writable: `SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = DATABASE()
				AND (FIND_IN_SET('insert', privileges) OR FIND_IN_SET('update', privileges))
				UNION SELECT table_name FROM information_schema.table_privileges WHERE grantee = ` + mysqlGrantee + `
				AND table_schema = DATABASE() AND privilege_type IN (` + mysqlWrites + `)
				UNION SELECT '*' FROM information_schema.schema_privileges WHERE grantee = ` + mysqlGrantee + `
				AND privilege_type IN (` + mysqlWrites + `)
				UNION SELECT '*.*' FROM information_schema.user_privileges WHERE grantee = ` + mysqlGrantee + `
				AND privilege_type IN (` + mysqlWrites + `) ORDER BY 1`,
			secrets: `SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns
				WHERE table_schema = DATABASE() AND data_type IN ('char', 'varchar', 'tinytext', 'text', 'mediumtext',
				'longtext', 'binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob')
				AND LOWER(column_name) REGEXP '` + secretColumns + `' AND FIND_IN_SET('select', privileges) ORDER BY 1`,
		},
	}
}

const (
	mysqlGrantee = `CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', 1), '''@''',
		SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')`
	mysqlWrites = `'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'DROP', 'ALTER', 'INDEX', 'TRIGGER', 'FILE', 'SUPER',
		'CREATE USER', 'GRANT OPTION'`
)

// mysqlConnector connects to a MySQL or MariaDB server.
type mysqlConnector struct {
	place   *place
	host    host
	timeout time.Duration
}

func newMySQL(p *place, h host, timeout time.Duration) driver.Connector {
	return &mysqlConnector{p, h, timeout}
}

// Driver returns nil: nobody asks.
func (c *mysqlConnector) Driver() driver.Driver { return nil }

// Connect connects, and makes the session one that does not wait long for a locked table,
// and only reads unless writing is wanted.
func (c *mysqlConnector) Connect(ctx context.Context) (driver.Conn, error) {
	config := mysql.NewConfig()
	config.Logger = &mysql.NopLogger{}
	config.RejectReadOnly = c.place.writes // ends the connection when its server has become a replica
	config.User, config.DBName = c.place.user, c.place.database
	config.Net, config.Addr = "tcp", c.host.String()
	if c.host.socket != "" {
		config.Net = "unix"
	}
	var err error
	if config.Passwd, err = c.place.password(); err != nil {
		return nil, err
	}
	if config.TLS, err = c.place.tlsConfig(c.host); err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	session := conn.(driver.ExecerContext)
	statements := []string{"SET SESSION lock_wait_timeout = " + strconv.Itoa(max(1, int(c.timeout/time.Second)))}
	if !c.place.writes {
		statements = append(statements, "SET SESSION TRANSACTION READ ONLY")
	}
	for _, statement := range statements {
		_, err := session.ExecContext(ctx, statement, nil)
		// A proxy may refuse a setting. The user's rights matter more, and the query is a SELECT.
		if _, refused := errors.AsType[*mysql.MySQLError](err); err != nil && !refused {
			conn.Close()
			return nil, err
		}
	}
	if c.place.writes {
		if err := mayWriteMySQL(ctx, conn); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// mayWriteMySQL returns an error if the server takes no writing, as a replica does: another host of
// the URL may.
func mayWriteMySQL(ctx context.Context, conn driver.Conn) error {
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, "SELECT @@global.read_only", nil)
	if err != nil {
		return err
	}
	defer rows.Close()
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil {
		return err
	}
	if text, ok := row[0].([]byte); ok && string(text) == "1" || row[0] == int64(1) {
		return errReadOnly
	}
	return nil
}

// strangeToMySQL reports whether MySQL cannot take a parameter's characters: the
// column's character set lacks them, or they are no pattern.
func strangeToMySQL(err error) bool {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return false
	}
	switch refused.Number {
	case 1267, 1270, 1271, // illegal mix of collations, of two, three and more operands
		1300,                                           // invalid character string
		1366,                                           // incorrect string value
		1977,                                           // MariaDB: cannot convert a character
		3854,                                           // MySQL: cannot convert a string
		3988,                                           // MySQL: impossible conversion
		1139, 3685, 3688, 3689, 3690, 3691, 3692, 3696: // regular expressions
		return true
	}
	return false
}

// lostByMySQL reports whether the server ended the connection during a query.
func lostByMySQL(err error) bool {
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return refused.Number == 1053 || refused.Number == 1927 // shutdown; MariaDB: killed
	}
	return errors.Is(err, mysql.ErrInvalidConn)
}

// classifyMySQL returns what MySQL's error means.
func classifyMySQL(err error) *Error {
	switch {
	case errors.Is(err, mysql.ErrNoTLS):
		return errorNoTLS()
	case errors.Is(err, mysql.ErrInvalidConn):
		return &Error{Text: "the database ended the connection"}
	case errors.Is(err, mysql.ErrCleartextPassword), errors.Is(err, mysql.ErrUnknownPlugin),
		errors.Is(err, mysql.ErrOldPassword), errors.Is(err, mysql.ErrNativePassword):
		return &Error{Text: "the database wants a way to sign in that Signpost does not have", kind: refusesConnection,
			cure: "give the database user a password of caching_sha2_password or mysql_native_password (ALTER USER)"}
	}
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return nil
	}
	text, kind := "the database reports an error", other
	switch refused.Number {
	case 1045, 1698:
		text, kind = "the database refuses the user or the password", refusesUser
	case 1130:
		text = "the database takes no connections from this machine"
	case 1129:
		text = "the database has blocked this machine after failed connections"
	case 1044:
		text, kind = "the user may not use the database, or it does not exist", refusesReading
	case 1049:
		text = "the database does not exist"
	case 1142, 1143:
		text, kind = "the database user may not read what the query needs", refusesReading
	case 1146:
		text, kind = "a table of the query does not exist", lacksObject
	case 1054:
		text, kind = "a column of the query does not exist", lacksObject
	case 1040, 1203, 1226:
		text = "the database has no connection left"
	case 1205, 1969, 3024, 1317:
		text = "the database gave up the query, which took too long"
	case 1021, 1114:
		text = "the disk of the database is full"
	case 1053:
		text = "the database is stopping"
	case 1792:
		text = "the query writes"
	case 1064:
		text = "the database cannot read the query"
	}
	return &Error{Text: text, Code: strconv.Itoa(int(refused.Number)), kind: kind}
}

// userIn returns the user and the machine that MySQL names in its refusals:
// "Access denied for user 'signpost'@'127.0.0.1' …".
func userIn(message string) (user, machine string, ok bool) {
	_, rest, ok := strings.Cut(message, "for user '")
	if !ok {
		return "", "", false
	}
	user, rest, ok = strings.Cut(rest, "'@'")
	machine, _, ok2 := strings.Cut(rest, "'")
	return user, machine, ok && ok2
}
