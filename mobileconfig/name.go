package mobileconfig

import (
	"strings"
	"unicode"
)

// maxName is how many characters of a person's name are kept.
const maxName = 100

// cleanName makes a name that a stranger wrote into a link fit to be shown and
// to stand in From: without what is invisible and changes how the rest reads
// (control characters, overrides of the writing direction) and without what XML
// cannot hold. White space becomes single spaces. All else stays as it was
// given, in any script and Unicode form; joiners too, which emoji and several
// scripts need.
func cleanName(name string) string {
	var b strings.Builder
	kept, space := 0, false
	for _, r := range strings.ToValidUTF8(name, "") {
		switch {
		case unicode.IsSpace(r):
			space = kept > 0
			continue
		case hidden(r):
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

func hidden(r rune) bool {
	switch {
	case unicode.IsControl(r):
		return true
	case unicode.Is(unicode.Bidi_Control, r): // marks, embeddings, overrides, isolates
		return true
	case r == '\uFEFF': // byte order mark
		return true
	case unicode.Is(unicode.Noncharacter_Code_Point, r):
		return true
	}
	return false
}
