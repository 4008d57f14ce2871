package row

import (
	"strings"
	"unicode"
)

// Visible returns a text of a store for a terminal, a log or a page: with a blank in place
// of each line break, and a replacement character in place of what else could change how
// the text around it looks.
func Visible(text string) string {
	if !strings.ContainsFunc(text, disturbs) {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case !disturbs(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return unicode.ReplacementChar
	}, text)
}

// disturbs reports whether the character begins a line, controls a terminal, or changes the
// direction of the text that follows.
func disturbs(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}
