package config

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"signpost/internal/fault"
)

// value is a node together with its place, so that a message about it can name
// the place. Its methods read it as text, a number, a host name and so on. If it is
// something else, they record a fault and return the zero value. Reading then goes
// on, so that all faults are reported at once.
type value struct {
	*node
	parent *value // nil at the top
	key    string // in a mapping
	pos    int    // in a list
	l      *loader
	people bool // its keys are mail addresses, which no log shows
}

// path returns the place of the value: providers[1].servers[2].port.
func (v *value) path() string {
	if v.parent == nil {
		return ""
	}
	path := v.parent.path()
	switch {
	case v.key == "":
		return path + "[" + strconv.Itoa(v.pos) + "]"
	case path == "":
		return printable(v.key)
	}
	return path + "." + printable(v.key)
}

// forLog returns what a log says of a value in which the names of people may stand: its
// place without them. It returns an empty text for any other value.
func (v *value) forLog(problem string) string {
	for at := v; at != nil; at = at.parent {
		if at.people {
			return v.placeForLog() + ": " + problem + "; signpost check says why"
		}
	}
	return ""
}

// placeForLog is like path, without the local part of the key below a value with people.
func (v *value) placeForLog() string {
	switch {
	case v.people:
		return v.path()
	case !v.parent.people:
		return v.parent.placeForLog() + "." + printable(v.key)
	}
	place := v.parent.placeForLog() + ".…"
	if at := strings.LastIndexByte(v.key, '@'); at >= 0 {
		place += printable(v.key[at:])
	}
	return place
}

// printable returns a key as a path shows it, quoted if it would be confusing otherwise.
func printable(key string) string {
	if len(key) > 80 || strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsGraphic(r) || r == ' ' }) {
		return quote(key)
	}
	return key
}

func (v *value) fault(format string, args ...any) { v.faultAt(v.line, format, args...) }

// refuse records a fault and returns "", the result of a reader of text that failed.
func (v *value) refuse(format string, args ...any) string {
	v.fault(format, args...)
	return ""
}

func (v *value) faultAt(line int, format string, args ...any) {
	v.l.addFault(fault.Fault{File: v.l.file, Line: line, Text: v.message(format, args), Log: v.forLog("is wrong")})
}

// warn records something that is allowed but most likely not intended.
func (v *value) warn(format string, args ...any) {
	v.l.addWarning(fault.Fault{File: v.l.file, Line: v.line, Text: v.message(format, args),
		Log: v.forLog("looks wrong")})
}

func (v *value) message(format string, args []any) string {
	text := fmt.Sprintf(format, args...)
	if path := v.path(); path != "" {
		return path + ": " + text
	}
	return text
}

// is reports whether the value is of kind k, and records a fault if it is not.
func (v *value) is(k kind, wanted string) bool {
	subject := ""
	if v.parent == nil {
		subject = "the file "
	}
	switch {
	case v.kind == k:
		return true
	case v.kind == broken, v.partial:
	case v.kind == nothing:
		v.fault("has no value, want %s", wanted)
	case v.kind == scalar && k == list:
		v.fault("%s is not %s; begin each item with \"- \"", quote(v.node.text), wanted)
	case v.kind == scalar:
		v.fault("%s is not %s", quote(v.node.text), wanted)
	case v.kind == list:
		v.fault("%sis a list, want %s", subject, wanted)
	case v.kind == mapping:
		v.fault("%sis a mapping, want %s", subject, wanted)
	}
	return false
}

// isWord reports whether the value is that word.
func (v *value) isWord(word string) bool { return v.kind == scalar && v.node.text == word }

// keys holds a function for each key of a mapping, which reads its value into a T.
type keys[T any] map[string]func(into *T, v *value)

// names returns the keys in alphabetical order.
func (k keys[T]) names() []string { return slices.Sorted(maps.Keys(k)) }

// present holds the keys that a mapping has.
type present map[string]*value

// read reads each key of a mapping into a T, and records a fault for each required
// key that is missing. It returns nil if the value is no mapping.
func (k keys[T]) read(v *value, into *T, required ...string) present {
	if !v.is(mapping, "a mapping (key: value)") {
		return nil
	}
	has := present{}
	for key, item := range v.entries() {
		if read := k[key.text]; read != nil {
			has[key.text] = item
			read(into, item)
			continue
		}
		v.faultAt(key.line, "unknown key %s%s", quote(key.text), didYouMean(key.text, k.names()))
		if name := suggest(key.text, k.names()); has[name] == nil {
			has[name] = item // so that a misspelt key is not reported as missing, too
		}
	}
	for _, name := range required {
		if has[name] == nil && !v.partial {
			v.fault("%s is missing", name)
		}
	}
	return has
}

// entries iterates over a mapping and yields each key once.
func (v *value) entries() iter.Seq2[*node, *value] {
	return func(yield func(*node, *value) bool) {
		lines := make(map[string]int, len(v.items)/2)
		for i := 0; i+1 < len(v.items); i += 2 {
			key := &v.items[i]
			if first, twice := lines[key.text]; twice {
				v.faultAt(key.line, "%s appears twice, first on line %d", quote(key.text), first)
				continue
			}
			lines[key.text] = key.line
			if !yield(key, &value{node: &v.items[i+1], parent: v, key: key.text, l: v.l}) {
				return
			}
		}
	}
}

// list iterates over a list, which must not be empty.
func (v *value) list(wanted string) iter.Seq[*value] {
	return func(yield func(*value) bool) {
		if !v.is(list, "a list of "+wanted) {
			return
		}
		if len(v.items) == 0 {
			v.fault("the list is empty")
		}
		for i := range v.items {
			if !yield(&value{node: &v.items[i], parent: v, pos: i, l: v.l}) {
				return
			}
		}
	}
}

// oneOrList iterates over a list, or yields the value itself if it is not a list.
func (v *value) oneOrList(wanted string) iter.Seq[*value] {
	if v.kind == scalar {
		return func(yield func(*value) bool) { yield(v) }
	}
	return v.list(wanted)
}

// each reads every item in the same way.
func each[T any](items iter.Seq[*value], read func(*value) T) (all []T) {
	for item := range items {
		all = append(all, read(item))
	}
	return all
}

// mappings reads a list of mappings.
func mappings[T any](v *value, wanted string, k keys[T], required ...string) []T {
	var all []T
	for item := range v.list(wanted) {
		var one T
		if k.read(item, &one, required...) != nil {
			all = append(all, one)
		}
	}
	return all
}
