package sqldb

import (
	"regexp"
	"strings"
)

// checks is what differs between the kinds of database in a check of one. Without users
// all but serverText is empty.
type checks struct {
	// serverText returns the server's own words of an error that classify knows.
	serverText func(error) string
	// user asks for the user and the machine as the server knows them.
	user string
	// userIn finds both in the server's words, where there is no connection.
	userIn func(message string) (user, machine string, ok bool)
	// quote returns them as a GRANT names them.
	quote func(user, machine string) string
	// grant returns the statement that lets the user read the table.
	grant func(place *place, u *use, user string) string
	// other returns the statement that lets the user where it may not even look for a
	// table, by the server's words, or an empty text.
	other func(place *place, words, user string) string
	// elsewhere asks for the schema of a table that exists and is not found, and whether the
	// user may use the schema.
	elsewhere string
	// create is the statement that creates the user %s, and password the one that sets the
	// password of a user who exists.
	create, password string
	// readsOnly asks whether the session refuses to write.
	readsOnly string
	// writable lists the tables that the user may change.
	writable string
	// secrets lists the columns with passwords that the user may read.
	secrets string
}

// secretColumns matches the names of columns that hold passwords and private keys in the mail
// systems that have a preset, and probably in others.
const secretColumns = "passw|pwd|secret|^crypt$|private_?key|privkey|dkim_priv"

var secretColumn = regexp.MustCompile("(?i)" + secretColumns)

// split returns the use without the columns that nobody should be granted, and those.
func (u *use) split() (granted *use, secret []string) {
	granted = &use{table: u.table, whole: u.whole}
	for _, column := range u.columns {
		if secretColumn.MatchString(bare(column)) {
			secret = append(secret, column)
		} else {
			granted.columns = append(granted.columns, column)
		}
	}
	return granted, secret
}

// inParentheses returns the columns of a GRANT, or an empty text for the whole table.
func (u *use) inParentheses() string {
	if list := u.list(); list != "" {
		return " (" + list + ")"
	}
	return ""
}

// probe returns a query that reads nothing and needs the rights for the columns.
func (u *use) probe() string {
	columns := u.list()
	if columns == "" {
		columns = "*"
	}
	if len(u.columns) == 0 && !u.whole {
		columns = "1"
	}
	return "SELECT " + columns + " FROM " + u.table + " WHERE 1 = 0"
}

// quoteName returns a name as SQL writes it: as it is, if it is plain.
func quoteName(name string) string {
	if isPlain(name) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// backtick is like quoteName for MySQL.
func backtick(name string) string {
	if isPlain(name) {
		return name
	}
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// isPlain reports whether the name needs no quotation marks.
func isPlain(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !('a' <= c && c <= 'z' || c == '_' || i > 0 && '0' <= c && c <= '9') {
			return false
		}
	}
	return name != "" && !keywords[strings.ToUpper(name)]
}
