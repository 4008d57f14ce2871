package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"signpost/internal/fault"
)

// kind is the kind of a node.
type kind int

const (
	nothing kind = iota // "key:" without a value
	scalar
	list
	mapping
	broken // a fault has been recorded for it already
)

// node is a value of the file before its meaning is known. It is all that the rest of
// the package sees of YAML.
type node struct {
	kind  kind
	line  int
	text  string // of a scalar
	items []node // of a list; of a mapping key, value, key, value …

	// partial is set for a mapping that has entries which could not be read, so that
	// no other key can be called missing.
	partial bool
	// preset is set for what a preset has added: no line of the file is to blame for it.
	preset bool
}

// maxDepth is far below what the parser can handle and above what any key needs.
const maxDepth = 16

// parseYAML parses the only document of a file. No other file of the package uses the
// YAML library, and this one uses only its tree of nodes: when it decodes into values,
// the library panics on crafted merge keys, reads 0143 as octal and loses track of
// unknown keys. A mail configuration needs no anchors, merge keys or tags, so they
// are faults.
func parseYAML(l *loader, data []byte) (node, bool) {
	if line, problem := notText(data); problem != "" {
		l.fault(l.file, line, "%s", problem)
		return node{}, false
	}
	all, err := documents(data)
	if err != nil {
		line, problem, forLog := explain(data, err)
		l.addFault(fault.Fault{File: l.file, Line: line, Text: problem, Log: forLog})
	} else if len(all) > 1 {
		l.fault(l.file, all[1].Line, "a second document begins here; a configuration is one document")
	}
	var root node
	if len(all) > 0 {
		root = convert(l, all[0].Content[0], 0)
	}
	if root.kind == nothing && err == nil {
		l.fault(l.file, 0, "the file is empty")
	}
	return root, root.kind != nothing
}

// documents returns the documents before the first one that the library cannot read,
// and its error.
func documents(data []byte) (all []yaml.Node, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var document yaml.Node
		switch err := decoder.Decode(&document); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return all, err
		}
		all = append(all, document)
	}
}

// convert copies a node and everything below it, and records a fault for each
// feature of YAML that is not supported.
func convert(l *loader, from *yaml.Node, depth int) node {
	n := node{line: from.Line, kind: broken}
	switch {
	case depth > maxDepth:
		l.fault(l.file, n.line, "lists and mappings are nested more than %d deep", maxDepth)
		return n
	case from.Kind == yaml.AliasNode:
		l.unsupported(n.line, "alias", "*"+from.Value, "aliases are not supported; repeat the value, "+
			"or write servers: {of: id} for those of another provider")
		return n
	case from.Anchor != "":
		l.unsupported(n.line, "anchor", "&"+from.Anchor, "anchors are not supported; quote the value if it is text")
	case from.Style&yaml.TaggedStyle != 0:
		l.unsupported(n.line, "tag", from.Tag, "tags are not supported; quote the value if it is text")
	}
	switch from.Kind {
	case yaml.ScalarNode:
		n.kind, n.text = scalar, from.Value
		if from.Style == 0 && from.Tag == "!!null" {
			n.kind = nothing
		}
	case yaml.SequenceNode:
		n.kind = list
		n.items = make([]node, len(from.Content))
		for i, item := range from.Content {
			n.items[i] = convert(l, item, depth+1)
		}
	case yaml.MappingNode:
		n.kind = mapping
		n.items = make([]node, 0, len(from.Content))
		for i := 0; i+1 < len(from.Content); i += 2 {
			key, item := from.Content[i], from.Content[i+1]
			switch {
			case key.Kind == yaml.ScalarNode && key.Style == 0 && key.Value == "<<":
				l.fault(l.file, key.Line, "<<: YAML merge keys are not supported; write out the keys")
				n.partial = true
			case key.Kind == yaml.ScalarNode:
				n.items = append(n.items, convert(l, key, depth+1), convert(l, item, depth+1))
			case key.Kind == yaml.AliasNode:
				convert(l, key, depth+1) // for its fault
				n.partial = true
			default:
				l.fault(l.file, key.Line, "a key must be a word, not a list or a mapping; "+
					"quote a value that begins with { or [")
				n.partial = true
			}
		}
	}
	return n
}

// unsupported records a fault about a word that YAML takes for a feature of its own. It
// may be a name, which no log shows.
func (l *loader) unsupported(line int, feature, word, problem string) {
	problem = ": YAML " + problem
	l.addFault(fault.Fault{File: l.file, Line: line, Text: feature + " " + quote(word) + problem,
		Log: feature + problem})
}

// isUTF16 reports whether a text begins with the byte order mark of UTF-16.
func isUTF16(text string) bool {
	return strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff")
}

// notText says why data is not text. The YAML library reads UTF-16 too, but names no
// line if it finds anything else.
func notText(data []byte) (line int, problem string) {
	if isUTF16(string(data[:min(len(data), 2)])) {
		return 0, "the file is in UTF-16; save it as UTF-8"
	}
	line = 1
	for rest := bytes.TrimPrefix(data, []byte("\ufeff")); len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			return line, "this line is not in UTF-8; save the file as UTF-8"
		case r == 0:
			return line, "this line contains a NUL character; is the file in UTF-8?"
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', 0x7f <= r && r < 0xa0, r == '\u2028', r == '\u2029',
			r == '\ufeff':
			// Some of these characters end a line in YAML, but not in an
			// editor.
			return line, fmt.Sprintf("this line contains an invisible character, U+%04X", r)
		case r == '\n':
			line++
		}
		rest = rest[size:]
	}
	return 0, ""
}
