package setup

import "regexp"

// outside matches the elements of a page around its content, where a rule begins.
var outside = regexp.MustCompile(`(^|[{},;/]\s*)(?::root|html|body)(\s*\{)`)

// scoped returns a style sheet of the page for a fragment in another site: its rules are
// nested in those of the fragment's element (CSS Nesting), so they hold for nothing else
// there. What holds for the page as a whole holds for that element.
func scoped(style []byte) []byte {
	nested := outside.ReplaceAll(style, []byte("${1}&${2}"))
	return append(append([]byte(".signpost {\ndisplay: flow-root;\n"), nested...), "}\n"...)
}
