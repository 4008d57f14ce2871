package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"signpost/account"
)

// text reads a line of text.
func (v *value) text(wanted string) (string, bool) {
	if !v.is(scalar, wanted) {
		return "", false
	}
	text := v.node.text
	switch {
	case text == "":
		v.fault("is empty, want %s", wanted)
	case strings.TrimSpace(text) != text:
		v.fault("%s begins or ends with white space", quote(text))
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }):
		v.fault("%s holds a line break or an invisible character", quote(text))
	default:
		return text, true
	}
	return "", false
}

// label reads a text for people of at most so many characters. Placeholders
// have no place there: not all clients complete them in names.
func (v *value) label(most int) (string, bool) {
	text, ok := v.text("a text")
	switch {
	case !ok:
		return "", false
	case utf8.RuneCountInString(text) > most:
		v.fault("%s is longer than %d characters", quote(text), most)
		return "", false
	case len(account.Placeholders(text)) > 0:
		v.fault("%s holds a placeholder, which not all clients complete in names", quote(text))
		return "", false
	}
	return text, true
}

// number reads a whole number without sign.
func (v *value) number(least, most int) (int, bool) {
	wanted := fmt.Sprintf("a number from %d to %d", least, most)
	if !v.is(scalar, wanted) {
		return 0, false
	}
	text := v.node.text
	digits := text != "" && strings.Trim(text, "0123456789") == ""
	if digits && len(text) > 1 && text[0] == '0' {
		v.fault("%s begins with a zero, which other programs read as octal; leave it out", text)
		return 0, false
	}
	if n, err := strconv.Atoi(text); digits && err == nil && n >= least && n <= most {
		return n, true
	}
	v.fault("%s is not %s", quote(text), wanted)
	return 0, false
}

// boolean reads true or false into a flag.
func (v *value) boolean(flag *bool) {
	if word, ok := choice(v, "true or false", []string{"true", "false"}); ok {
		*flag = word == "true"
	}
}

// choice reads one of a few words.
func choice[T ~string](v *value, what string, words []T) (T, bool) {
	if !v.is(scalar, what) {
		return "", false
	}
	if slices.Contains(words, T(v.node.text)) {
		return T(v.node.text), true
	}
	names := make([]string, len(words))
	for i, word := range words {
		names[i] = string(word)
	}
	hint := didYouMean(v.node.text, names)
	if len(names) == 2 && nearest(v.node.text, names) == "" {
		hint = "" // what has named both
	}
	v.fault("%s is not %s%s", quote(v.node.text), what, hint)
	return "", false
}

// duration reads a time with its unit.
func (v *value) duration(least, most time.Duration) (time.Duration, bool) {
	wanted := fmt.Sprintf("a time from %v to %v with its unit, such as 3s", least, strings.TrimSuffix(most.String(), "0s"))
	text, ok := v.text(wanted)
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < least || d > most {
		v.fault("%s is not %s", quote(text), wanted)
		return 0, false
	}
	return d, true
}

// word reads an id: letters, digits, and what joins them.
func (v *value) word() (string, bool) {
	const wanted = "a word of letters, digits, hyphens, dots and underscores"
	text, ok := v.text(wanted)
	if !ok {
		return "", false
	}
	for i := range len(text) {
		c := text[i] | 0x20
		if alphanumeric := 'a' <= c && c <= 'z' || '0' <= text[i] && text[i] <= '9'; !alphanumeric && (i == 0 || strings.IndexByte("-._", text[i]) < 0) {
			v.fault("%s is not %s", quote(text), wanted)
			return "", false
		}
	}
	return text, true
}
