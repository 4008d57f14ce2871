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

// text reads one line of text.
func (v *value) text(wanted string) string {
	if !v.is(scalar, wanted) {
		return ""
	}
	text := v.node.text
	switch {
	case text == "":
		v.fault("is empty, want %s", wanted)
	case strings.TrimSpace(text) != text:
		v.fault("%s begins or ends with white space", quote(text))
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }):
		v.fault("%s contains a line break or an invisible character", quote(text))
	default:
		return text
	}
	return ""
}

// label reads a text for people of at most so many characters. It must not contain
// placeholders, because some clients do not complete them in names.
func (v *value) label(most int) string {
	text := v.text("a text")
	switch {
	case utf8.RuneCountInString(text) > most:
		v.fault("%s is longer than %d characters", quote(text), most)
	case len(account.Placeholders(text)) > 0:
		v.fault("%s contains a placeholder, which some clients do not complete in names", quote(text))
	default:
		return text
	}
	return ""
}

// number reads a whole number without a sign.
func (v *value) number(least, most int) int {
	wanted := fmt.Sprintf("a number from %d to %d", least, most)
	if !v.is(scalar, wanted) {
		return 0
	}
	text := v.node.text
	digits := text != "" && strings.Trim(text, "0123456789") == ""
	n, err := strconv.Atoi(text)
	switch {
	case digits && len(text) > 1 && text[0] == '0':
		v.fault("%s begins with a zero, which other programs read as octal; remove the zero", text)
	case !digits || err != nil || n < least || n > most:
		v.fault("%s is not %s", quote(text), wanted)
	default:
		return n
	}
	return 0
}

var booleans = []string{"true", "false"}

// boolean reads true or false.
func (v *value) boolean() bool { return choice(v, "true or false", booleans) == "true" }

// choice reads one of the words.
func choice[T ~string](v *value, wanted string, words []T) T {
	if !v.is(scalar, wanted) {
		return ""
	}
	if slices.Contains(words, T(v.node.text)) {
		return T(v.node.text)
	}
	names := make([]string, len(words))
	for i, word := range words {
		names[i] = string(word)
	}
	hint := didYouMean(v.node.text, names)
	if len(names) == 2 && suggest(v.node.text, names) == "" {
		hint = "" // wanted names both
	}
	v.fault("%s is not %s%s", quote(v.node.text), wanted, hint)
	return ""
}

// duration reads a time with its unit.
func (v *value) duration(least, most time.Duration) time.Duration {
	wanted := fmt.Sprintf("a time from %v to %v with its unit, such as 3s", least, strings.TrimSuffix(most.String(), "0s"))
	text := v.text(wanted)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < least || d > most {
		v.fault("%s is not %s", quote(text), wanted)
		return 0
	}
	return d
}

// day reads a date and returns its midnight in the time zone of this machine.
func (v *value) day() time.Time {
	const wanted = "a date, such as 2027-01-31"
	text := v.text(wanted)
	if text == "" {
		return time.Time{}
	}
	day, err := time.ParseInLocation(time.DateOnly, text, time.Local)
	if err != nil {
		v.fault("%s is not %s", quote(text), wanted)
	}
	return day
}

// word reads an id.
func (v *value) word() string {
	const wanted = "a word of letters, digits, hyphens, dots and underscores"
	text := v.text(wanted)
	for i, r := range text {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !letter && (i == 0 || !strings.ContainsRune("-._", r)) {
			v.fault("%s is not %s", quote(text), wanted)
			return ""
		}
	}
	return text
}

// address reads a mail address. The text may be a key, whose line is not the value's.
func (v *value) address(text string, line int) account.Address {
	if text == "" {
		return account.Address{}
	}
	address, err := account.ParseAddress(text)
	if err != nil {
		v.faultAt(line, "%s is %v", quote(text), err)
	}
	return address
}

// mailAddress reads the address of a mailbox as text.
func (v *value) mailAddress() string {
	return v.address(v.text("a mail address"), v.line).String()
}
