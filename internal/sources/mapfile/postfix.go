package mapfile

import (
	"strings"
	"unicode/utf8"
)

// blanks are what Postfix takes for white space (isspace in the C locale).
const blanks = " \t\n\v\f\r"

// entry is a line of a table.
type entry struct {
	key, value string
	line       int
}

// entries yields what a table of Postfix says, in its order, and reports the number of
// the first line that Postfix would ignore with a warning, or 0. The rules are those of
// postmap(1) and of Postfix's texthash (dict_thash.c, readllines.c):
//
//   - a line that begins with a blank goes on the logical line before it;
//   - empty lines and those that begin with #, also after blanks, are no lines at all;
//   - the key ends at the first blank outside of quotation marks, in which a backslash
//     stands before any character;
//   - a line without a value, with an open quotation mark or with bytes that are not
//     UTF-8 is ignored.
func entries(text string, yield func(entry)) (ignored int) {
	number, begin := 0, 0
	logical := "" // the logical line so far
	end := func() {
		e, ok := split(logical, begin)
		switch {
		case ok:
			yield(e)
		case logical != "" && ignored == 0:
			ignored = begin
		}
		logical = ""
	}
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if trimmed := strings.TrimLeft(line, blanks); trimmed == "" || trimmed[0] == '#' {
			continue
		}
		if logical != "" && strings.IndexByte(blanks, line[0]) >= 0 {
			logical += line
			continue
		}
		end()
		logical, begin = line, number
	}
	end()
	return ignored
}

// split splits a logical line into its key and its value.
func split(logical string, line int) (entry, bool) {
	if logical == "" || strings.IndexByte(blanks, logical[0]) >= 0 || !utf8.ValidString(logical) {
		return entry{}, false
	}
	length, quoted := 0, false
	for ; length < len(logical); length++ {
		c := logical[length]
		if c == '\\' {
			length++
		} else if c == '"' {
			quoted = !quoted
		} else if !quoted && strings.IndexByte(blanks, c) >= 0 {
			break
		}
	}
	length = min(length, len(logical))
	value := strings.Trim(logical[length:], blanks)
	return entry{logical[:length], value, line}, !quoted && value != ""
}
