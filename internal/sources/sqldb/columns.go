package sqldb

import (
	"slices"
	"strings"
)

// known lists the columns that a query may give. Their case does not matter: PostgreSQL
// writes names in lower case unless they stand in quotation marks.
var known = struct{ account, domain []string }{
	account: []string{"address", "alias", "provider", "username", "displayName", "givenName", "familyName",
		"mailHost", "inactive"},
	domain: []string{"domain", "alias", "provider", "mailHost", "inactive"},
}

// names reports whether the query gives the column. If its text does not tell, because of
// a *, it may give any.
func (q *query) names(column string) bool {
	return q.result == nil || slices.ContainsFunc(q.result, func(name string) bool {
		return strings.EqualFold(name,
			column)
	})
}

// resultColumns returns the names of the columns of a query, which stand in its first
// SELECT outside of parentheses; names behind UNION count for nothing in SQL. Of an
// expression without AS it returns every word, because databases differ in what they call
// such a column. The result is nil if there is a *.
func resultColumns(tokens []token) []string {
	first := slices.IndexFunc(tokens, func(t token) bool { return t.is("SELECT") })
	if tokens[0].is("WITH") {
		first = mainSelect(tokens)
	}
	columns, depth := []string{}, 0
	start := first + 1
	for i := start; i <= len(tokens); i++ {
		if i < len(tokens) {
			switch t := tokens[i]; {
			case t.isSign("("):
				depth++
			case t.isSign(")"):
				depth--
			}
			if depth > 0 || !tokens[i].isSign(",") && !endsList(tokens[i]) {
				continue
			}
		}
		item := tokens[start:i]
		if len(item) > 0 && item[len(item)-1].isSign("*") {
			return nil
		}
		columns = append(columns, columnNames(item)...)
		if i == len(tokens) || !tokens[i].isSign(",") {
			break
		}
		start = i + 1
	}
	return columns
}

// mainSelect returns the place of the first SELECT outside of parentheses.
func mainSelect(tokens []token) int {
	depth := 0
	for i, t := range tokens {
		switch {
		case t.isSign("("):
			depth++
		case t.isSign(")"):
			depth--
		case depth == 0 && t.is("SELECT"):
			return i
		}
	}
	return 0
}

// endsList reports whether the key word ends the list of columns.
func endsList(t token) bool {
	return slices.ContainsFunc([]string{"FROM", "WHERE", "UNION", "EXCEPT", "INTERSECT", "GROUP", "ORDER", "HAVING",
		"LIMIT"}, t.is)
}

// columnNames returns the names that the column of an expression may have.
func columnNames(item []token) []string {
	n := len(item)
	if n == 1 || n > 1 && (item[n-2].is("AS") || n%2 == 1 && isPath(item)) {
		return []string{item[n-1].body}
	}
	var names []string
	for _, t := range item {
		if t.kind == word || t.kind == name || t.kind == text {
			names = append(names, t.body)
		}
	}
	return names
}

// isPath reports whether the tokens are names with dots between them.
func isPath(item []token) bool {
	for i, t := range item {
		if i%2 == 1 && !t.isSign(".") || i%2 == 0 && t.kind != word && t.kind != name {
			return false
		}
	}
	return true
}
