package templates

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
)

// message is a text of a catalogue, taken apart once: a person may look at the
// page more often than a catalogue changes.
type message struct {
	plain, markup []piece
	whole         []piece  // plain, with no line to end in the midst of e-post
	holes         []string // names, each once, sorted
	line          int      // in its file
}

// piece is literal text followed by what a name stands for, if there is one.
type piece struct{ literal, name string }

// unbroken finds hyphens after which no line should end: e-post. A word joiner
// there is invisible to readers and searches.
var unbroken = regexp.MustCompile(`(\b\pL)-`)

// parseMessage takes a text apart.
func parseMessage(text string) (message, error) {
	var m message
	bold := false
	literal := func(text string, into *[]piece, escape func(string) string) {
		if n := len(*into); n > 0 && (*into)[n-1].name == "" {
			(*into)[n-1].literal += escape(text)
			return
		}
		*into = append(*into, piece{literal: escape(text)})
	}
	same := func(text string) string { return text }
	add := func(text string) {
		literal(text, &m.plain, same)
		text = unbroken.ReplaceAllString(text, "$1-\u2060")
		literal(text, &m.whole, same)
		literal(text, &m.markup, html.EscapeString)
	}
	for text != "" {
		i := strings.IndexAny(text, "*{}")
		if i < 0 {
			break
		}
		add(text[:i])
		text = text[i:]
		switch {
		case strings.HasPrefix(text, "**"):
			bold = !bold
			tag := "</b>"
			if bold {
				tag = "<b>"
			}
			literal(tag, &m.markup, same)
			text = text[2:]
		case text[0] == '{':
			name, rest, ok := strings.Cut(text[1:], "}")
			if !ok || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "" {
				return message{}, fmt.Errorf("{ must open a name in braces, such as {address}")
			}
			for _, into := range []*[]piece{&m.plain, &m.whole, &m.markup} {
				if len(*into) == 0 || (*into)[len(*into)-1].name != "" {
					*into = append(*into, piece{})
				}
				(*into)[len(*into)-1].name = name
			}
			m.holes = append(m.holes, name)
			text = rest
		case text[0] == '}':
			return message{}, fmt.Errorf("} closes nothing")
		default:
			add(text[:1])
			text = text[1:]
		}
	}
	add(text)
	if bold {
		return message{}, fmt.Errorf("** opens bold words that are not closed")
	}
	slices.Sort(m.holes)
	m.holes = slices.Compact(m.holes)
	return m, nil
}

// fill completes pieces with name and value in turn.
func fill(pieces []piece, escape func(string) string, format func(any) string, values []any) (string, error) {
	if len(pieces) == 1 && pieces[0].name == "" {
		return pieces[0].literal, nil
	}
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.literal)
		if p.name == "" {
			continue
		}
		value, ok := valueOf(p.name, values)
		if !ok {
			return "", fmt.Errorf("{%s} is not given a value here", p.name)
		}
		if escape == nil {
			b.WriteString(format(value))
		} else {
			b.WriteString(escape(format(value)))
		}
	}
	return b.String(), nil
}

func valueOf(name string, values []any) (any, bool) {
	for i := 0; i+1 < len(values); i += 2 {
		if values[i] == name {
			return values[i+1], true
		}
	}
	return nil, false
}
