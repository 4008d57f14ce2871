package machine

import (
	"net/url"
	"slices"
	"strings"

	"signpost/internal/fault"
	"signpost/internal/importer/draft"
)

// sqlTable is one of Postfix's tables in a database, without its password.
type sqlTable struct {
	entry
	database, user string // URL, and the user in it
	query          string
	values         map[string]setting
}

// settings returns what a table's file says, or parameters of main.cf that begin with its
// name, as old configurations have them (mysql_table(5)).
func (m *machine) settings(e entry) (map[string]setting, bool) {
	if !strings.HasPrefix(e.name, "/") {
		all := map[string]setting{}
		for name, value := range m.postfix.main {
			if rest, ok := strings.CutPrefix(name, e.name+"_"); ok {
				all[rest] = value
			}
		}
		if len(all) == 0 {
			m.Lose(e.at, "%s: %s:%s is not carried over: main.cf has no %s_query", e.parameter, e.kind, e.name, e.name)
		}
		return all, len(all) > 0
	}
	data, err := m.files(e.name)
	if err != nil {
		m.Lose(e.at, "%s: %s:%s is not carried over: the file cannot be read; run as root, or give it together with "+
			"the others", e.parameter, e.kind, e.name)
		return nil, false
	}
	// A line that Postfix could not read either is none.
	return parseMain(Text{Path: e.name, Data: data}, new(fault.List)), true
}

// sqlTable reads a table in a database.
func (m *machine) sqlTable(e entry) (t sqlTable, ok bool) {
	t.entry = e
	if t.values, ok = m.settings(e); !ok {
		return t, false
	}
	value := func(name string) string { return t.values[name].value }
	if t.query = value("query"); t.query == "" && value("table") != "" { // before Postfix 2.2
		t.query = "SELECT " + value("select_field") + " FROM " + value("table") + " WHERE " + value("where_field") +
			" = '%s' " + value("additional_conditions")
	}
	t.query = strings.TrimSpace(t.query)
	t.user = value("user")
	switch e.kind {
	case "sqlite":
		t.database = "sqlite:" + value("dbpath")
		ok = strings.HasPrefix(value("dbpath"), "/")
	default:
		t.database, ok = databaseURL(e.kind, value("hosts"), value("user"), value("dbname"))
		if hosts := value("hosts"); strings.Contains(hosts, "://") {
			t.database, t.user, ok = fromURI(hosts)
		}
	}
	switch {
	case !ok:
		m.Lose(e.at, "%s: %s:%s is not carried over: it does not name a database and a user",
			e.parameter, e.kind, e.name)
	case t.query == "":
		m.Lose(e.at, "%s: %s:%s is not carried over: it has no query", e.parameter, e.kind, e.name)
		ok = false
	case value("result_format") != "" && value("result_format") != "%s":
		m.Lose(t.values["result_format"].at, "result_format of %s is not carried over: write it into the query", e.name)
	}
	return t, ok
}

// databaseURL returns the URL of a database as Signpost writes it. Postfix's hosts are
// names, host:port, inet:host:port and unix:/path; localhost is MySQL's socket.
func databaseURL(kind, hosts, user, name string) (string, bool) {
	if user == "" || name == "" {
		return "", false
	}
	scheme := map[string]string{"mysql": "mysql", "pgsql": "postgres"}[kind]
	var names []string
	socket := ""
	for _, host := range list(hosts) {
		host = strings.TrimPrefix(host, "inet:")
		path, isSocket := strings.CutPrefix(host, "unix:")
		switch {
		case isSocket:
			socket = path
		case kind == "mysql" && host == "localhost":
		default:
			names = append(names, host)
		}
	}
	text := scheme + "://" + escape(user) + "@"
	if socket == "" || len(names) > 0 {
		return text + strings.Join(names, ",") + "/" + escape(name), true
	}
	return text + "/" + escape(name) + "?socket=" + escapePath(socket), true
}

// escape escapes a part of a URL in which no sign may have a meaning.
func escape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

func escapePath(path string) string { return strings.ReplaceAll(escape(path), "%2F", "/") }

// fromURI reads PostgreSQL's postgresql://user:password@host/name?options.
func fromURI(text string) (database, user string, ok bool) {
	u, err := url.Parse(strings.Fields(text)[0])
	if err != nil || u.User.Username() == "" || len(u.Path) < 2 {
		return "", "", false
	}
	return "postgres://" + escape(u.User.Username()) + "@" + u.Host + u.EscapedPath(), u.User.Username(), true
}

// databases returns the sources for tables in databases.
func (m *machine) databases(words []string) (all []draft.Map) {
	var order []string
	groups := map[string]*sqlGroup{}
	read := func(entries []entry, add func(*sqlGroup, sqlTable)) {
		for _, e := range entries {
			if e.kind != "mysql" && e.kind != "pgsql" && e.kind != "sqlite" {
				continue
			}
			t, ok := m.sqlTable(e)
			if !ok {
				continue
			}
			g := groups[t.database]
			if g == nil {
				g = &sqlGroup{database: t.database, user: t.user, from: e}
				groups[t.database] = g
				order = append(order, t.database)
			}
			add(g, t)
		}
	}
	read(slices.Concat(m.mailboxDomains, m.aliasDomains),
		func(g *sqlGroup, t sqlTable) { g.domains = append(g.domains, t) })
	read(m.mailboxes, func(g *sqlGroup, t sqlTable) { g.mailboxes = append(g.mailboxes, t) })
	read(m.aliases, func(g *sqlGroup, t sqlTable) { g.aliases = append(g.aliases, t) })
	for _, database := range order {
		all = append(all, m.source(groups[database], words)...)
	}
	return all
}
