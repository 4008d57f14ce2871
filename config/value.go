package config

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"signpost/account"
)

// value is a node in its place, so that what is wrong with it can be said with
// the place. Its methods read it as something; when it is something else they
// record the fault and report false, and the reader goes on with the next.
type value struct {
	*node
	in  *value // what holds it; nil at the top
	key string // its key, or empty in a list
	pos int    // its position in a list
	l   *loader
}

// path is where the value stands: providers[1].servers[2].port.
func (v *value) path() string {
	if v.in == nil {
		return ""
	}
	path := v.in.path()
	switch {
	case v.key == "":
		return path + "[" + strconv.Itoa(v.pos) + "]"
	case path == "":
		return shown(v.key)
	}
	return path + "." + shown(v.key)
}

// shown is a key as a path shows it: as it is unless that would confuse.
func shown(key string) string {
	if len(key) > 80 || strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsGraphic(r) || r == ' ' }) {
		return quote(key)
	}
	return key
}

func (v *value) fault(format string, args ...any) { v.faultAt(v.line, format, args...) }

func (v *value) faultAt(line int, format string, args ...any) {
	v.l.fault(line, "%s", v.say(format, args))
}

// warn records what is allowed but most likely not meant.
func (v *value) warn(format string, args ...any) {
	v.l.warnings = append(v.l.warnings, Fault{v.l.file, v.line, v.say(format, args)})
}

func (v *value) say(format string, args []any) string {
	text := fmt.Sprintf(format, args...)
	if path := v.path(); path != "" {
		return path + ": " + text
	}
	return text
}

// is reports whether the value is of the kind, else it says what is wanted.
func (v *value) is(k kind, wanted string) bool {
	switch v.kind {
	case k:
		return true
	case nothing:
		v.fault("has no value, want %s", wanted)
	case scalar:
		v.fault("%s is not %s", quote(v.node.text), wanted)
	case list:
		v.fault("is a list, want %s", wanted)
	case mapping:
		v.fault("is a mapping of keys, want %s", wanted)
	}
	return false
}

// keys are the keys of a mapping, each with what reads it into a T.
type keys[T any] map[string]func(into *T, v *value)

// names lists the keys in a stable order.
func (k keys[T]) names() []string { return slices.Sorted(maps.Keys(k)) }

// given are the keys that a mapping has.
type given map[string]*value

// read goes through a mapping and reads each key into a T.
func (k keys[T]) read(v *value, into *T) (given, bool) {
	if !v.is(mapping, "a mapping of keys, such as "+strings.Join(k.names()[:min(3, len(k))], ", ")) {
		return nil, false
	}
	has := given{}
	for key, item := range v.entries() {
		read, known := k[key.text]
		if !known {
			v.faultAt(key.line, "unknown key %s%s", quote(key.text), didYouMean(key.text, k.names()))
			continue
		}
		has[key.text] = item
		read(into, item)
	}
	return has, true
}

// require records a fault for each key that is not there.
func (v *value) require(has given, names ...string) {
	for _, name := range names {
		if has[name] == nil {
			v.fault("%s is missing", name)
		}
	}
}

// entries goes through a mapping, each key once.
func (v *value) entries() iter.Seq2[*node, *value] {
	return func(yield func(*node, *value) bool) {
		lines := make(map[string]int, len(v.items)/2)
		for i := 0; i+1 < len(v.items); i += 2 {
			key := &v.items[i]
			if first, twice := lines[key.text]; twice {
				v.faultAt(key.line, "%s is given twice, first on line %d", quote(key.text), first)
				continue
			}
			lines[key.text] = key.line
			if !yield(key, &value{node: &v.items[i+1], in: v, key: key.text, l: v.l}) {
				return
			}
		}
	}
}

// list goes through a list, which must hold something.
func (v *value) list(wanted string) iter.Seq[*value] {
	return func(yield func(*value) bool) {
		if !v.is(list, "a list of "+wanted) {
			return
		}
		if len(v.items) == 0 {
			v.fault("the list is empty")
		}
		for i := range v.items {
			if !yield(&value{node: &v.items[i], in: v, pos: i, l: v.l}) {
				return
			}
		}
	}
}

// oneOrList goes through a list, or takes the value for the only item of one.
func (v *value) oneOrList(wanted string) iter.Seq[*value] {
	if v.kind == scalar {
		return func(yield func(*value) bool) { yield(v) }
	}
	return v.list(wanted)
}

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
	case strings.Contains(text, account.EmailAddress), len(account.Placeholders(text)) > 0:
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

// boolean reads true or false.
func (v *value) boolean() bool {
	if v.is(scalar, "true or false") && v.node.text != "true" && v.node.text != "false" {
		v.fault("%s is not true or false%s", quote(v.node.text), didYouMean(v.node.text, []string{"true", "false"}))
	}
	return v.node.text == "true"
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
	v.fault("%s is not %s%s", quote(v.node.text), what, didYouMean(v.node.text, names))
	return "", false
}
