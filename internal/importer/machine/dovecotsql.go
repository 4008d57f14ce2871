package machine

import (
	"slices"
	"strings"

	"signpost/internal/fault"
	"signpost/internal/importer/draft"
)

// dovecotSQL is a database in which Dovecot looks for users.
type dovecotSQL struct {
	kind, hosts, user, name string // as Postfix's tables have them
	query                   string
}

// databaseUsers returns the source for users that Dovecot finds in a database. Of its
// query only the conditions are taken: its columns are a home, or a password.
func (m *machine) databaseUsers(words []string) []draft.Map {
	for _, b := range slices.Concat(m.dovecot.all("userdb"), m.dovecot.all("passdb")) {
		if b.get("driver", b.name).value != "sql" || b.get("master", "no").value == "yes" ||
			b.get("deny", "no").value == "yes" {
			continue
		}
		q, ok := m.inlineSQL(b)
		if file := b.get("args", "").value; file != "" {
			q, ok = m.sqlFile(b, file)
		}
		if !ok {
			continue
		}
		database, ok := databaseURL(q.kind, q.hosts, q.user, q.name)
		if q.kind == "sqlite" {
			database, ok = "sqlite:"+q.name, strings.HasPrefix(q.name, "/")
		}
		if i := strings.Index(lowerASCII(q.query), " from "); i >= 0 {
			q.query = "SELECT 1" + q.query[i:]
		}
		s, simple := parseSimple(q.query)
		if !ok || !simple {
			m.Lose(b.at, "%s sql is not carried over: its query is too special, or names no database; see "+
				"docs/accounts.md for a query of your own", b.kind)
			continue
		}
		g := &sqlGroup{database: database, user: q.user}
		inside := draft.Map{{Key: "database", Value: database}}
		if q.kind != "sqlite" {
			inside = append(inside, draft.Entry{Key: "passwordFile", Value: m.passwordFile(g)})
		}
		if len(words) == 0 {
			m.hint("write a query domains into the source %s, or the domains below domains: Dovecot does not know them",
				database)
		}
		inside = append(inside, draft.Entry{Key: "domains", Value: false},
			draft.Entry{Key: "account", Value: "SELECT " + s.address(database) + " AS address FROM " +
				s.from + s.where(true)})
		return []draft.Map{{{Key: "sql", Value: inside}}}
	}
	return nil
}

// sqlFile reads the file of a userdb or passdb of Dovecot 2.3, such as
// /etc/dovecot/dovecot-sql.conf.ext.
func (m *machine) sqlFile(b *block, file string) (q dovecotSQL, ok bool) {
	data, err := m.files(file)
	if err != nil {
		m.Lose(b.at, "%s sql is not carried over: %s cannot be read; run as root, or give it together with the others",
			b.kind, file)
		return q, false
	}
	settings := parseDovecot(Text{Path: file, Data: data}, new(fault.List))
	q.kind = settings.get("driver", "").value
	connect := settings.get("connect", "").value
	if q.kind == "sqlite" {
		q.name = connect
	}
	for _, pair := range strings.Fields(connect) {
		name, value, _ := strings.Cut(pair, "=")
		q.set(name, value)
	}
	query := map[string]string{"userdb": "user_query", "passdb": "password_query"}[b.kind]
	q.query = placeholders(settings.get(query, "").value)
	return q, q.query != ""
}

// inlineSQL reads what Dovecot 2.4 has in its configuration itself: sql_driver, a section
// with the driver's name, and query.
func (m *machine) inlineSQL(b *block) (q dovecotSQL, ok bool) {
	q.kind = m.dovecot.get("sql_driver", "").value
	q.name = m.dovecot.get("sqlite_path", "").value
	for _, server := range m.dovecot.all(q.kind) {
		host := server.name
		if strings.HasPrefix(host, "/") {
			host = "unix:" + host
		}
		q.hosts = strings.TrimSpace(q.hosts + " " + host)
		for _, section := range append([]*block{server}, server.all("parameters")...) {
			for _, name := range section.order {
				q.set(strings.TrimPrefix(name, q.kind+"_"), section.settings[name].value)
			}
		}
	}
	q.query = placeholders(b.get("query", "").value)
	return q, q.query != ""
}

// set takes a part of a connection that is no secret.
func (q *dovecotSQL) set(name, value string) {
	switch name {
	case "host":
		if strings.HasPrefix(value, "/") {
			value = "unix:" + value
		}
		q.hosts = strings.TrimSpace(q.hosts + " " + value)
	case "port":
		if value != "" && !strings.Contains(q.hosts, ":") && !strings.Contains(q.hosts, " ") && q.hosts != "" {
			q.hosts += ":" + value
		}
	case "user":
		q.user = value
	case "dbname":
		q.name = value
	}
}

// placeholders replaces Dovecot's variables by Postfix's, or returns nothing if there are
// others.
func placeholders(query string) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(query, "%")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		length := 1
		name := strings.TrimLeft(after, "L")
		switch inside, _, braced := strings.Cut(strings.TrimPrefix(after, "{"), "}"); {
		case braced && strings.HasPrefix(after, "{"):
			length = len(inside) + 2
			name = map[string]string{"user": "u", "user|username": "n", "user|domain": "d"}[strings.TrimSuffix(
				strings.ReplaceAll(inside, " ", ""), "|lower")]
		case name != "":
			length = len(after) - len(name) + 1
			name = name[:1]
		}
		letter := map[string]string{"u": "s", "n": "u", "d": "d"}[name]
		if letter == "" || length > len(after) {
			return ""
		}
		b.WriteString("%" + letter)
		query = after[length:]
	}
}
