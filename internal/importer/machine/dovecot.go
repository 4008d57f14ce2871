package machine

import (
	"strings"

	"signpost/internal/fault"
	"signpost/internal/importer/draft"
)

// block is a configuration of Dovecot, or a section of one: service imap-login { … }.
type block struct {
	kind, name string // of a section
	at         draft.Place
	settings   map[string]setting
	order      []string // of the settings
	blocks     []*block
}

// maxDepth is how deep sections may nest. Dovecot itself needs four.
const maxDepth = 16

// parseDovecot reads dovecot.conf, or what doveconf prints.
func parseDovecot(text Text, faults *fault.List) *block {
	root := &block{settings: map[string]setting{}}
	open := []*block{root}
	number, begin := 0, 0
	var logical []string
	for line := range strings.Lines(string(text.Data)) {
		number++
		if logical == nil {
			begin = number
		}
		line = strings.TrimSpace(withoutComment(line))
		if before, ok := strings.CutSuffix(line, `\`); ok {
			logical = append(logical, before)
			continue
		}
		line, logical = strings.TrimSpace(strings.Join(append(logical, line), " ")), nil
		inner := open[len(open)-1]
		at := text.place(begin)
		// A { stands behind the name of a section, but may stand in a value, too.
		equals, brace := strings.IndexByte(line, '='), strings.IndexByte(line, '{')
		switch {
		case line == "":
		case line == "}":
			if len(open) == 1 {
				text.fault(faults, begin, "this } closes no section")
				return root
			}
			open = open[:len(open)-1]
		case line[0] == '!':
			root.blocks = append(root.blocks, &block{kind: "!include", name: line, at: at})
		case brace >= 0 && (equals < 0 || brace < equals):
			kind, name, _ := strings.Cut(strings.TrimSpace(line[:brace]), " ")
			b := &block{kind: kind, name: unquoted(strings.TrimSpace(name)), at: at, settings: map[string]setting{}}
			inner.blocks = append(inner.blocks, b)
			rest := strings.TrimSpace(line[brace+1:])
			if inside, closed := strings.CutSuffix(rest, "}"); closed { // { name = value }
				b.set(inside, at)
				continue
			}
			b.set(rest, at)
			if open = append(open, b); len(open) > maxDepth {
				text.fault(faults, begin, "sections are nested deeper than %d", maxDepth)
				return root
			}
		case !inner.set(line, at):
			text.fault(faults, begin, "this is neither name = value nor a section")
		}
	}
	if len(open) > 1 {
		last := open[len(open)-1]
		text.fault(faults, max(last.at.Line, 1), "the section %s is not closed: is the file complete?", last.kind)
	}
	return root
}

// set reads name = value, if there is one.
func (b *block) set(line string, at draft.Place) bool {
	name, value, ok := strings.Cut(line, "=")
	if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(name, "{} \t") {
		return false
	}
	b.settings[name] = setting{unquoted(strings.TrimSpace(value)), at}
	b.order = append(b.order, name)
	return true
}

// withoutComment cuts a # that begins a word, outside of quotation marks.
func withoutComment(line string) string {
	quoted := byte(0)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quoted != 0:
			if c == '\\' {
				i++
			} else if c == quoted {
				quoted = 0
			}
		case c == '"' || c == '\'' && i > 0 && line[i-1] == ' ':
			if strings.IndexByte(line[i+1:], c) >= 0 {
				quoted = c
			}
		case c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return line[:i]
		}
	}
	return line
}

// unquoted returns the text without a pair of quotation marks.
func unquoted(text string) string {
	if n := len(text); n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n-1] == text[0] {
		return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(text[1 : n-1])
	}
	return text
}

// merge adds what stands in another file: a later setting wins, and sections of one name
// are one.
func (b *block) merge(other *block) {
	for _, name := range other.order {
		b.settings[name] = other.settings[name]
		b.order = append(b.order, name)
	}
	b.blocks = append(b.blocks, other.blocks...)
}

// all returns the sections of a kind.
func (b *block) all(kind string) (found []*block) {
	for _, inner := range b.blocks {
		if inner.kind == kind {
			found = append(found, inner)
		}
	}
	return found
}

// get returns a setting, or the fallback with the place of the whole. In Dovecot 2.4 the
// whole name of port in an inet_listener is inet_listener_port, and both may be written.
func (b *block) get(name, fallback string) setting {
	for _, name := range []string{name, b.kind + "_" + name, b.kind + "_sql_" + name} {
		if s, ok := b.settings[name]; ok {
			return s
		}
	}
	return setting{fallback, b.at}
}
