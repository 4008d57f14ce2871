package config

import (
	"fmt"
	"regexp"
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

// parsed reads a text and returns what parse makes of it. If parse refuses it, the
// fault says that it is not what is wanted.
func parsed[T any](v *value, wanted string, parse func(text string) (T, bool)) (result T) {
	text := v.text(wanted)
	if text == "" {
		return result
	}
	t, ok := parse(text)
	if !ok {
		v.fault("%s is not %s", quote(text), wanted)
		return result
	}
	return t
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

// boolean reads true or false.
func (v *value) boolean() bool { return v.either("true", "false") == "true" }

// either reads one of two words.
func (v *value) either(one, other string) string {
	return choice(v, one+" or "+other, []string{one, other})
}

// choice reads one of the words.
func choice[T ~string](v *value, wanted string, words []T) T {
	if !v.is(scalar, wanted) {
		return ""
	}
	text, names := v.node.text, texts(words)
	if slices.Contains(names, text) {
		return T(text)
	}
	hint := didYouMean(text, names)
	if len(names) == 2 && suggest(text, names) == "" {
		hint = "" // wanted names both
	}
	return T(v.refuse("%s is not %s%s", quote(text), wanted, hint))
}

// texts converts words to strings.
func texts[T ~string](words []T) []string {
	var all []string
	for _, word := range words {
		all = append(all, string(word))
	}
	return all
}

// duration reads a time with its unit.
func (v *value) duration(least, most time.Duration) time.Duration {
	wanted := fmt.Sprintf("a time from %s to %s with its unit, such as 3s", short(least), short(most))
	return parsed(v, wanted, func(text string) (time.Duration, bool) {
		d, err := time.ParseDuration(text)
		return d, err == nil && least <= d && d <= most
	})
}

// short returns a time as people write it: 1h, and not 1h0m0s.
func short(d time.Duration) string {
	text := d.String()
	for _, nothing := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, nothing) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// day reads a date and returns its midnight in the time zone of this machine.
func (v *value) day() time.Time {
	return parsed(v, "a date, such as 2027-01-31", func(text string) (time.Time, bool) {
		day, err := time.ParseInLocation(time.DateOnly, text, time.Local)
		return day, err == nil
	})
}

// word reads an id.
func (v *value) word() string {
	return parsed(v, "a word of letters, digits, hyphens, dots and underscores", func(text string) (string, bool) {
		return text, wordSyntax.MatchString(text)
	})
}

var wordSyntax = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]*$`)

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
