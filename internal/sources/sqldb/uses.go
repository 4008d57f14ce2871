package sqldb

import (
	"slices"
	"strings"
)

// use is a table that a query reads, and which of its columns. It is what a GRANT names.
type use struct {
	table   string   // as the query writes it, with schema and quotation marks
	columns []string // as the query writes them; empty if the whole table is read
	whole   bool     // there is a *, or it cannot be told which columns are the table's
}

// uses returns the tables of queries, each once. It reads the texts without knowing the
// tables: a column without a table's name in front belongs to the only table of its
// SELECT, and if there are several to none of them for certain.
func uses(queries ...*query) []*use {
	r := &reader{}
	for _, q := range queries {
		if q != nil {
			r.tokens, r.at, r.with = q.tokens, 0, nil
			for r.at < len(r.tokens) {
				r.statement(nil)
				r.at++ // a closing parenthesis too many; the query was checked, so there is none
			}
		}
	}
	return r.found
}

// reader reads queries for their tables.
type reader struct {
	tokens []token
	at     int
	with   []string // names that WITH gives to queries
	found  []*use
}

// scope is a SELECT: its tables by the names that its columns have in front.
type scope struct {
	outer  *scope
	tables map[string]*use // nil for a query in parentheses
	refs   []ref
	names  []string // that the SELECT gives to its columns
}

// ref is a column that a SELECT names; column is * for all.
type ref struct{ table, column string }

// next returns the token at a distance, and an empty one beyond the ends.
func (r *reader) next(distance int) token {
	if i := r.at + distance; 0 <= i && i < len(r.tokens) {
		return r.tokens[i]
	}
	return token{kind: sign}
}

// statement reads up to the end or to the parenthesis that closes the statement.
func (r *reader) statement(outer *scope) {
	s := &scope{outer: outer, tables: map[string]*use{}}
	for depth := 0; r.at < len(r.tokens); r.at++ {
		t := r.next(0)
		switch {
		case t.isSign("(") && (r.next(1).is("SELECT") || r.next(1).is("WITH")):
			if r.next(-1).is("AS") && identifier(r.next(-2)) {
				r.with = append(r.with, strings.ToLower(r.next(-2).body))
			}
			r.at++
			r.statement(s)
		case t.isSign("("):
			depth++
		case t.isSign(")") && depth == 0:
			r.resolve(s)
			return
		case t.isSign(")"):
			depth--
		case t.is("UNION"), t.is("EXCEPT"), t.is("INTERSECT"):
			r.resolve(s)
			s = &scope{outer: outer, tables: map[string]*use{}}
		case t.is("FROM") && depth == 0, t.is("JOIN"):
			r.table(s)
			for r.next(1).isSign(",") && t.is("FROM") {
				r.at++
				r.table(s)
			}
		default:
			r.column(s)
		}
	}
	r.resolve(s)
}

// table reads the table behind the present token: name, schema.name, with another name
// behind it.
func (r *reader) table(s *scope) {
	if !identifier(r.next(1)) {
		return // a query in parentheses
	}
	r.at++
	last := r.next(0)
	text := written(last)
	for r.next(1).isSign(".") && identifier(r.next(2)) {
		r.at += 2
		last = r.next(0)
		text += "." + written(last)
	}
	names := []string{last.body}
	if r.next(1).is("AS") && identifier(r.next(2)) {
		r.at++
	}
	if identifier(r.next(1)) {
		r.at++
		names = append(names, r.next(0).body)
	}
	u := r.use(text, last)
	for _, name := range names {
		s.tables[strings.ToLower(name)] = u
	}
}

// use returns the table, or nil if WITH gives that name to a query.
func (r *reader) use(text string, last token) *use {
	if slices.Contains(r.with, strings.ToLower(last.body)) {
		return nil
	}
	if i := slices.IndexFunc(r.found, func(u *use) bool { return u.table == text }); i >= 0 {
		return r.found[i]
	}
	u := &use{table: text}
	r.found = append(r.found, u)
	return u
}

// column reads the present token if it is the name of a column.
func (r *reader) column(s *scope) {
	t, before := r.next(0), r.next(-1)
	switch {
	case t.isSign("*") && (before.is("SELECT") || before.isSign(",") || before.is("DISTINCT")):
		s.refs = append(s.refs, ref{"", "*"})
	case t.isSign("*") && before.isSign("."):
		s.refs = append(s.refs, ref{r.next(-2).body, "*"})
	case !identifier(t) || r.next(1).isSign("("), before.is("COLLATE"), before.isSign(":"):
	case r.next(1).isSign("."):
		// The name of a table: the column follows.
	case before.is("AS") || identifier(before) || before.isSign(")") && !before.is("IN") || before.kind == text &&
		t.blank:
		s.names = append(s.names, t.body)
	case before.isSign("."):
		s.refs = append(s.refs, ref{r.next(-2).body, written(t)})
	default:
		s.refs = append(s.refs, ref{"", written(t)})
	}
}

// resolve gives the columns of a SELECT to its tables.
func (r *reader) resolve(s *scope) {
	for _, c := range s.refs {
		if c.table == "" {
			if !slices.ContainsFunc(s.names, func(name string) bool { return strings.EqualFold(name, c.column) }) {
				s.give(c.column)
			}
			continue
		}
		for at := s; at != nil; at = at.outer {
			if u, ok := at.tables[strings.ToLower(c.table)]; ok {
				u.add(c.column)
				break
			}
		}
	}
	s.refs, s.names = nil, nil
	// Its tables stay for the queries in parentheses that follow.
}

// give gives a column without a table in front to the tables that may have it.
func (s *scope) give(column string) {
	at := s
	for len(at.tables) == 0 && at.outer != nil {
		at = at.outer
	}
	var tables []*use
	for _, u := range at.tables {
		if !slices.Contains(tables, u) {
			tables = append(tables, u)
		}
	}
	for _, u := range tables {
		if len(tables) > 1 {
			column = "*"
		}
		u.add(column)
	}
}

// add adds a column to what is read of a table.
func (u *use) add(column string) {
	switch {
	case u == nil || slices.ContainsFunc(u.columns, func(c string) bool {
		return strings.EqualFold(bare(c),
			bare(column))
	}):
	case column == "*":
		u.whole = true
	default:
		u.columns = append(u.columns, column)
	}
}

// list returns the columns as SQL lists them, or an empty text for the whole table.
func (u *use) list() string {
	if u.whole {
		return ""
	}
	return strings.Join(u.columns, ", ")
}

// bare returns a name without its quotation marks.
func bare(name string) string { return strings.Trim(name, "\"`[]") }

// written returns a name as the query writes it.
func written(t token) string { return t.open + t.body + t.close }

// identifier reports whether the token may name a table or a column.
func identifier(t token) bool {
	switch t.kind {
	case name:
		return true
	case word:
		return t.body[0] > '9' && !keywords[strings.ToUpper(t.body)]
	}
	return false
}

// keywords lists the words of SQL that stand where a column could.
var keywords = func() map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.Fields(`
		SELECT DISTINCT ALL FROM WHERE AND OR NOT NULL IS ISNULL NOTNULL IN LIKE ILIKE RLIKE REGEXP SIMILAR
		TO BETWEEN CASE WHEN THEN ELSE END AS ON USING JOIN LEFT RIGHT INNER OUTER CROSS FULL NATURAL
		STRAIGHT_JOIN LATERAL UNION EXCEPT INTERSECT ORDER GROUP BY HAVING LIMIT OFFSET ASC DESC NULLS FIRST
		LAST FETCH NEXT ROW ROWS ONLY FOR SHARE UPDATE TRUE FALSE UNKNOWN EXISTS ANY SOME ESCAPE COLLATE
		BINARY DIV MOD XOR WITH RECURSIVE INTERVAL SEPARATOR VALUES OVER PARTITION WINDOW CURRENT_TIMESTAMP
		CURRENT_DATE CURRENT_TIME LOCALTIMESTAMP CURRENT_USER SQL_NO_CACHE HIGH_PRIORITY MATERIALIZED`) {
		all[w] = true
	}
	return all
}()
