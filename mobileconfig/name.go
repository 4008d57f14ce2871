package mobileconfig

import (
	"strings"
	"unicode"
)

// maxName is the number of characters of a person's name that are kept.
const maxName = 100

// CleanName makes a person's name, which is untrusted input, fit to be shown and to
// stand in From. It drops invisible characters that change how the rest reads
// (control characters, overrides of the writing direction) and characters that XML
// cannot hold, and turns white space into single spaces. Everything else stays as
// given, in any script and Unicode form, joiners included: emoji and several scripts
// need them.
func CleanName(name string) string {
	var b strings.Builder
	kept, space := 0, false
	for _, r := range strings.ToValidUTF8(name, "") {
		switch {
		case unicode.IsSpace(r):
			space = kept > 0
			continue
		case IsHidden(r):
			continue
		}
		if space {
			if kept+2 > maxName {
				break
			}
			b.WriteByte(' ')
			kept, space = kept+1, false
		}
		if kept == maxName {
			break
		}
		b.WriteRune(r)
		kept++
	}
	return b.String()
}

// IsHidden reports whether a character is invisible and changes how the rest of a
// text is read, or is no character at all.
func IsHidden(r rune) bool {
	return unicode.IsControl(r) ||
		unicode.Is(unicode.Bidi_Control, r) || // marks, embeddings, overrides, isolates
		r == '\uFEFF' || // byte order mark
		unicode.Is(unicode.Noncharacter_Code_Point, r)
}
