package templates

import (
	"errors"
	"html"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
)

// message is a text of a catalogue, parsed once when the catalogue is loaded.
type message struct {
	plain    []piece  // without markup
	unbroken []piece  // plain, and lines do not break within e-post
	markup   []piece  // HTML
	names    []string // of the values, sorted, without duplicates
	line     int      // in the catalogue's file
	forms    map[plural.Form]message
}

// piece is literal text followed by the value of a name, if name is not empty.
type piece struct{ literal, name string }

// unbreakable matches a hyphen after a single letter, as in e-post. A word joiner
// after it keeps the line from breaking there; readers and searches do not see it.
var unbreakable = regexp.MustCompile(`(\b\pL)-`)

// parseMessage parses a text of a catalogue.
func parseMessage(text string) (message, error) {
	var m message
	bold := false
	for text != "" {
		i := strings.IndexAny(text, "*{}")
		if i < 0 {
			break
		}
		m.addText(text[:i])
		text = text[i:]
		switch {
		case strings.HasPrefix(text, "**"):
			bold = !bold
			tag := "</b>"
			if bold {
				tag = "<b>"
			}
			addLiteral(&m.markup, tag)
			text = text[2:]
		case text[0] == '{':
			name, rest, ok := strings.Cut(text[1:], "}")
			if !ok || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "" {
				return message{}, errors.New("{ must open a name in braces, such as {address}")
			}
			m.addName(name)
			text = rest
		case text[0] == '}':
			return message{}, errors.New("} closes nothing")
		default:
			m.addText(text[:1])
			text = text[1:]
		}
	}
	m.addText(text)
	if bold {
		return message{}, errors.New("** opens bold words that are not closed")
	}
	slices.Sort(m.names)
	m.names = slices.Compact(m.names)
	return m, nil
}

// addText adds literal text to all forms of the message.
func (m *message) addText(text string) {
	addLiteral(&m.plain, text)
	if strings.Contains(text, "-") {
		text = unbreakable.ReplaceAllString(text, "$1-\u2060")
	}
	addLiteral(&m.unbroken, text)
	addLiteral(&m.markup, html.EscapeString(text))
}

// addName adds the value of a name to all forms of the message.
func (m *message) addName(name string) {
	for _, pieces := range []*[]piece{&m.plain, &m.unbroken, &m.markup} {
		addLiteral(pieces, "")
		(*pieces)[len(*pieces)-1].name = name
	}
	m.names = append(m.names, name)
}

// addLiteral adds literal text to the last piece, or to a new one if the last ends
// with a value.
func addLiteral(pieces *[]piece, text string) {
	if n := len(*pieces); n > 0 && (*pieces)[n-1].name == "" {
		(*pieces)[n-1].literal += text
		return
	}
	*pieces = append(*pieces, piece{literal: text})
}
