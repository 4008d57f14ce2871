package machine

import (
	"path"
	"slices"
	"strings"

	"signpost/internal/importer/draft"
)

// sqlGroup is what Postfix asks one database.
type sqlGroup struct {
	database, user              string
	from                        entry // the first table that names it
	domains, mailboxes, aliases []sqlTable
}

// source returns the entries of accounts for a database: a preset if its tables are those
// of a mail system that Signpost knows, else the queries themselves.
func (m *machine) source(g *sqlGroup, words []string) []draft.Map {
	start := draft.Map{{Key: "database", Value: g.database}}
	if !strings.HasPrefix(g.database, "sqlite:") {
		start = append(start, draft.Entry{Key: "passwordFile", Value: m.passwordFile(g)})
		if strings.Contains(g.database, "?socket=") || strings.Contains(g.database, "@/") ||
			strings.Contains(g.database, "@127.") || strings.Contains(g.database, "@localhost/") {
			// The way does not leave this machine.
		} else {
			m.hint("the connection to %s is encrypted, and its certificate verified: add caRoot, or "+
				"?socketType=plain to the URL, if the database has none that the system trusts", g.database)
		}
	}
	if name := g.preset(); name != "" {
		if len(words) > 0 {
			m.hint("domains stand in main.cf and in the database: signpost check names those that stand in both")
		}
		return []draft.Map{{{Key: name, Value: start}}}
	}
	// Postfix's SELECT 1 says nothing about what it found.
	inside := slices.Clone(start)
	if len(g.domains) == 0 {
		inside = append(inside, draft.Entry{Key: "domains", Value: false, Comment: "they stand above"})
	} else if query, every := g.domainQueries(); query != "" {
		if every != "" {
			inside = append(inside, draft.Entry{Key: "domains", Value: every})
		} else {
			m.hint("write a query domains into the source %s, which lists all domains: of Postfix's it cannot be told",
				g.database)
		}
		inside = append(inside, draft.Entry{Key: "domain", Value: query})
	}
	mailboxes, aliases := g.accountQueries(g.mailboxes, "address"), g.accountQueries(g.aliases, "alias")
	if len(mailboxes) == 1 && len(aliases) == 1 && mailboxes[0].joined != "" && aliases[0].joined != "" {
		inside = append(inside,
			draft.Entry{Key: "account", Value: mailboxes[0].joined + " UNION ALL " + aliases[0].joined})
		return []draft.Map{{{Key: "sql", Value: inside}}}
	}
	queries := append(mailboxes, aliases...)
	if len(queries) == 0 {
		return []draft.Map{{{Key: "sql", Value: inside}}}
	}
	var all []draft.Map
	for i, q := range queries {
		if q.alone == "" {
			m.Lose(q.table.at,
				"%s: the query of %s is not carried over: which of its columns holds the alias cannot be told",
				q.table.parameter, q.table.name)
			continue
		}
		if i > 0 {
			inside = append(slices.Clone(start), draft.Entry{Key: "domains", Value: false})
		}
		all = append(all, draft.Map{{Key: "sql", Value: append(inside, draft.Entry{Key: "account", Value: q.alone})}})
	}
	if len(all) == 0 {
		all = []draft.Map{{{Key: "sql", Value: inside}}}
	}
	return all
}

// passwordFile returns the path of the file with the password, and says who writes it.
func (m *machine) passwordFile(g *sqlGroup) string {
	name, _, _ := strings.Cut(path.Base(strings.Split(g.database, "?")[0]), "%")
	if !isName(name) {
		name = "database"
	}
	file := "/etc/signpost/" + name + ".password"
	m.hint("write the password of the database user %s into %s, one line, readable for signpost only: no secret is "+
		"copied. Better is a user of its own with fewer rights (docs/accounts.md)", g.user, file)
	return file
}

// presets are the mail systems whose tables Signpost knows, with words that their queries
// have and others do not. The first one that fits counts.
var presets = []struct {
	name    string
	tables  []string // of which each must be in a query
	columns []string // likewise
	schemes []string // of the database's URL
}{
	{"iredmail", []string{"forwardings", "mailbox"}, nil, []string{"mysql", "postgres"}},
	{"froxlor", []string{"mail_virtual"}, []string{"email"}, []string{"mysql"}},
	{"froxlor", []string{"panel_domains"}, []string{"isemaildomain"}, []string{"mysql"}},
	{"ispconfig", []string{"mail_domain", "mail_user"}, nil, []string{"mysql"}},
	{"modoboa", []string{"admin_domain"}, nil, []string{"postgres", "mysql", "sqlite"}},
	{"ispmail", []string{"virtual_domains", "virtual_users"}, []string{"email", "name"}, []string{"mysql"}},
	{"postfixadmin", []string{"domain", "mailbox", "alias"}, []string{"goto", "username"},
		[]string{"mysql", "postgres", "sqlite"}},
}

// preset returns the preset that fits the queries, or nothing.
func (g *sqlGroup) preset() string {
	tables := map[string]bool{}
	columns := ""
	for _, t := range slices.Concat(g.domains, g.mailboxes, g.aliases) {
		for _, name := range tablesOf(t.query) {
			tables[name] = true
		}
		columns += " " + strings.ToLower(t.query)
	}
	scheme, _, _ := strings.Cut(g.database, ":")
	for _, p := range presets {
		if slices.Contains(p.schemes, scheme) &&
			!slices.ContainsFunc(p.tables, func(name string) bool { return !tables[name] }) &&
			!slices.ContainsFunc(p.columns, func(name string) bool { return !strings.Contains(columns, name) }) {
			return p.name
		}
	}
	return ""
}

// tablesOf returns the names behind FROM and JOIN, in lower case.
func tablesOf(query string) (names []string) {
	fields := strings.FieldsFunc(strings.ToLower(query), func(r rune) bool {
		return r == ' ' || r == '\t' || r == '(' || r == ')' || r == '`' || r == '"'
	})
	from := false
	for i, word := range fields {
		switch {
		case word == "from" || word == "join":
			from = true
			continue
		case word == "where" || word == "on" || word == "set" || word == "group" || word == "order" || word == "select":
			from = false
		case from && (i > 0 && (fields[i-1] == "from" || fields[i-1] == "join" || strings.HasSuffix(fields[i-1], ","))):
			for name := range strings.SplitSeq(word, ",") {
				if _, after, ok := strings.Cut(name, "."); ok { // schema.table
					name = after
				}
				names = append(names, strings.TrimSuffix(name, ";"))
			}
		}
	}
	return names
}
