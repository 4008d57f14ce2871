package machine

import "strings"

// simple is SELECT list FROM source WHERE key = '%s' and other conditions. In place of the
// key, the address may be in two columns, which are compared with '%u' and '%d'.
type simple struct {
	list, from, conditions string
	key, local, domain     string
	compared               []string // the comparisons with placeholders
}

// parseSimple takes a query of Postfix's apart, if it is simple enough to be sure what it
// means: one SELECT, and the key compared once, with =, at the top of the conditions.
func parseSimple(query string) (s simple, ok bool) {
	query = strings.ReplaceAll(strings.TrimSuffix(strings.TrimSpace(query), ";"), "\t", " ")
	lower := lowerASCII(query)
	for _, word := range []string{" union ", " or ", " group ", " order ", " having ", " limit ", "(select", "( select",
		"--", "/*"} {
		at := strings.Index(lower, word)
		switch {
		case at < 0:
		case word == " limit " && !strings.Contains(lower[at:], "%"):
			query, lower = query[:at], lower[:at] // of a lookup: LIMIT 1
		default:
			return s, false
		}
	}
	from, where := strings.Index(lower, " from "), strings.Index(lower, " where ")
	if !strings.HasPrefix(lower, "select ") || from < len("select ") || where < from+len(" from ") ||
		strings.Count(lower, " where ") > 1 {
		return s, false
	}
	s.list = strings.TrimSpace(query[len("select "):from])
	s.from = strings.TrimSpace(query[from+len(" from ") : where])
	var rest []string
	conditions := query[where+len(" where "):]
	for len(conditions) > 0 {
		condition := conditions
		if i := strings.Index(lowerASCII(conditions), " and "); i >= 0 {
			condition, conditions = conditions[:i], conditions[i+len(" and "):]
		} else {
			conditions = ""
		}
		if strings.Contains(condition, "%") {
			left, right, equal := strings.Cut(condition, "=")
			left, right = strings.Trim(strings.TrimSpace(left), "'"), strings.Trim(strings.TrimSpace(right), "'")
			if strings.HasPrefix(left, "%") {
				left, right = right, left
			}
			column := map[string]*string{"%s": &s.key, "%u": &s.local, "%d": &s.domain}[right]
			if !equal || column == nil || *column != "" || !isColumn(left) {
				return s, false
			}
			*column = left
			s.compared = append(s.compared, left+" = '"+right+"'")
			continue
		}
		if strings.Count(condition, "(") != strings.Count(condition, ")") || strings.Count(condition, "'")%2 != 0 {
			return s, false
		}
		rest = append(rest, strings.TrimSpace(condition))
	}
	s.conditions = strings.Join(rest, " AND ")
	whole := s.key != "" && s.local == "" && s.domain == ""
	halves := s.key == "" && s.local != "" && s.domain != ""
	return s, (whole || halves) && !strings.Contains(s.list+s.from, "%")
}

// address returns what an address is in the syntax of the database.
func (s simple) address(database string) string {
	switch {
	case s.key != "":
		return s.key
	case strings.HasPrefix(database, "mysql:"):
		return "CONCAT(" + s.local + ", '@', " + s.domain + ")"
	}
	return s.local + " || '@' || " + s.domain
}

// lowerASCII returns the text with small letters, each in its place: other letters than
// ASCII's may have another length.
func lowerASCII(text string) string {
	small := []byte(text)
	for i, c := range small {
		if 'A' <= c && c <= 'Z' {
			small[i] = c + 'a' - 'A'
		}
	}
	return string(small)
}

// isColumn reports whether text is the name of a column.
func isColumn(text string) bool { return isName(strings.NewReplacer("`", "", `"`, "").Replace(text)) }

// where returns the conditions, with the key or, for a list, without it.
func (s simple) where(key bool) string {
	conditions := s.conditions
	if key {
		conditions = strings.Join(s.compared, " AND ")
		if s.conditions != "" {
			conditions += " AND " + s.conditions
		}
	}
	if conditions == "" {
		return ""
	}
	return " WHERE " + conditions
}

// domainQueries returns the query for one domain and, where it can be told, that for all.
func (g *sqlGroup) domainQueries() (one, every string) {
	var ones, everies []string
	known := true
	for i, t := range g.domains {
		s, ok := parseSimple(t.query)
		as := ""
		if i == 0 {
			as = " AS domain"
		}
		if !ok || s.key == "" {
			known = false
			ones = append(ones, strings.TrimSuffix(t.query, ";"))
			continue
		}
		ones = append(ones, "SELECT "+s.key+as+" FROM "+s.from+s.where(true))
		everies = append(everies, "SELECT "+s.key+as+" FROM "+s.from+s.where(false))
	}
	if !known {
		// The columns of a query that was not understood may be others than one.
		return ones[0], ""
	}
	return strings.Join(ones, " UNION ALL "), strings.Join(everies, " UNION ALL ")
}

// accountQuery is a query for an address: alone, and as a part of a UNION with the
// columns address and alias. Either may be empty.
type accountQuery struct {
	table         sqlTable
	alone, joined string
}

// accountQueries returns the queries of tables of mailboxes or, if the column is alias, of
// aliases.
func (g *sqlGroup) accountQueries(tables []sqlTable, column string) (all []accountQuery) {
	for _, t := range tables {
		q := accountQuery{table: t}
		s, ok := parseSimple(t.query)
		target, address := withoutName(s.list), s.address(g.database)
		switch {
		case ok && column == "address":
			q.alone = "SELECT " + address + " AS address FROM " + s.from + s.where(true)
			q.joined = "SELECT " + address + " AS address, NULL AS alias FROM " + s.from + s.where(true)
		case ok && isColumn(target):
			q.alone = "SELECT " + address + " AS address, " + target + " AS alias FROM " + s.from + s.where(true)
			q.joined = "SELECT " + address + ", " + target + " FROM " + s.from + s.where(true)
		case column == "address":
			q.alone = strings.TrimSuffix(t.query, ";")
		}
		all = append(all, q)
	}
	return all
}

// withoutName returns an item of a list without AS and its name.
func withoutName(item string) string {
	if i := strings.LastIndex(lowerASCII(item), " as "); i >= 0 {
		return strings.TrimSpace(item[:i])
	}
	return item
}
