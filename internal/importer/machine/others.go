package machine

import "strings"

// UsernameQuery returns a query for the user name of an address, made of one of another tool that
// finds it in a column; or reports that it is not simple enough to be sure what it means. The
// placeholders are Postfix's. The query also returns the address, and has the condition, if any.
func UsernameQuery(query, database, column, condition string) (string, bool) {
	s, ok := parseSimple(query)
	if !ok {
		return "", false
	}
	for item := range strings.SplitSeq(s.list, ",") {
		item = strings.TrimSpace(item)
		expression := withoutName(item)
		name := strings.TrimSpace(strings.TrimPrefix(item, expression))
		if _, after, named := strings.Cut(lowerASCII(name), "as "); named {
			name = strings.TrimSpace(after)
		} else {
			name = expression[strings.LastIndexByte(expression, '.')+1:]
		}
		name = strings.Trim(name, "`\"")
		if !strings.EqualFold(name, column) || !isColumn(expression) {
			continue
		}
		where := s.where(true)
		if condition != "" {
			where += " AND " + condition
		}
		return "SELECT " + s.address(database) + " AS address, " + expression + " AS username FROM " +
			s.from + where, true
	}
	return "", false
}

// KeyAttribute returns the attribute that a filter compares with the whole address, %s; or nothing.
func KeyAttribute(filter string) string { return keyAttribute(filter) }
