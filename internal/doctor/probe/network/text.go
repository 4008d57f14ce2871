package network

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable makes a text of a stranger's server fit to be shown: without control
// characters, those that turn the direction of writing and others that cannot be seen, and
// of at most limit bytes.
func printable(text string, limit int) string {
	if len(text) > limit {
		text = text[:limit]
		for len(text) > 0 && !utf8.ValidString(text[max(0, len(text)-utf8.UTFMax):]) {
			text = text[:len(text)-1]
			if limit-len(text) > utf8.UTFMax {
				break
			}
		}
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
			return -1
		}
		return r
	}, text)
}
