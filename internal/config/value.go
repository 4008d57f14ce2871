package config

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
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
	v.l.warnIn(v.l.file, v.line, v.say(format, args))
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
	what := ""
	if v.in == nil {
		what = "the file "
	}
	switch {
	case v.kind == k:
		return true
	case v.kind == broken, v.partial:
	case v.kind == nothing:
		v.fault("has no value, want %s", wanted)
	case v.kind == scalar && k == list:
		v.fault("%s is not %s; begin each with \"- \"", quote(v.node.text), wanted)
	case v.kind == scalar:
		v.fault("%s is not %s", quote(v.node.text), wanted)
	case v.kind == list:
		v.fault("%sis a list, want %s", what, wanted)
	case v.kind == mapping:
		v.fault("%sis a mapping, want %s", what, wanted)
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
	if !v.is(mapping, "a mapping (key: value)") {
		return nil, false
	}
	has, meant := given{}, given{}
	for key, item := range v.entries() {
		read, known := k[key.text]
		if !known {
			v.faultAt(key.line, "unknown key %s%s", quote(key.text), didYouMean(key.text, k.names()))
			if name := nearest(key.text, k.names()); name != "" {
				meant[name] = item
			}
			continue
		}
		has[key.text] = item
		read(into, item)
	}
	for name, item := range meant {
		// What is misspelt is not missing too.
		if has[name] == nil {
			has[name] = item
		}
	}
	return has, true
}

// require records a fault for each key that is not there.
func (v *value) require(has given, names ...string) {
	for _, name := range names {
		if has[name] == nil && !v.partial {
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
