package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// maxDepth is far below what the parser bears and above what any key needs.
const maxDepth = 16

// parseYAML reads the one document of a file. This file is the only one that
// knows the YAML library, and it takes nothing from it but the tree of nodes:
// decoding into values is where the library panics at crafted merge keys, reads
// 0143 as octal and loses track of unknown keys. Nothing that an operator would
// write for a mail service needs anchors, merges or tags; they are faults.
func parseYAML(l *loader, data []byte) (node, bool) {
	if line, text := unreadable(data); text != "" {
		l.fault(line, "%s", text)
		return node{}, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		l.fault(0, "the file is empty")
		return node{}, false
	case err != nil:
		line, text := explain(data, err, syntaxError)
		l.fault(line, "%s", text)
		return node{}, false
	}
	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		line, text := explain(data, err, syntaxError)
		l.fault(line, "%s", text)
	default:
		l.fault(second.Line, "a second document begins here; a configuration is one document")
	}
	root := convert(l, document.Content[0], 0)
	if root.kind == nothing {
		l.fault(0, "the file is empty")
	}
	return root, root.kind != nothing
}

// syntaxError is what the library says of data, nil where it can be read.
func syntaxError(data []byte) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var document yaml.Node
		switch err := decoder.Decode(&document); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// convert takes over a node and what is below it, and refuses what we do not
// want to understand.
func convert(l *loader, from *yaml.Node, depth int) node {
	n := node{line: from.Line, kind: broken}
	switch {
	case depth > maxDepth:
		l.fault(n.line, "lists and mappings are nested more than %d deep", maxDepth)
		return n
	case from.Kind == yaml.AliasNode:
		l.fault(n.line, "alias %s: aliases are not understood here; write the value out, or quote it if it is text", quote("*"+from.Value))
		return n
	case from.Anchor != "":
		l.fault(n.line, "anchor %s: anchors are not understood here; quote the value if it is text", quote("&"+from.Anchor))
	case from.Style&yaml.TaggedStyle != 0:
		l.fault(n.line, "tag %s: tags are not understood here; quote the value if it is text", quote(from.Tag))
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
				l.fault(key.Line, "<<: merge keys are not understood here; write the keys out")
				n.partial = true
			case key.Kind == yaml.ScalarNode:
				n.items = append(n.items, convert(l, key, depth+1), convert(l, item, depth+1))
			case key.Kind == yaml.AliasNode:
				convert(l, key, depth+1) // for its fault
				n.partial = true
			default:
				l.fault(key.Line, "a key must be a word, not a list or a mapping; quote a value that begins with { or [")
				n.partial = true
			}
		}
	}
	return n
}

// unreadable says why the bytes are not text. The YAML library would read
// UTF-16 too, but names no line when it finds something else.
func unreadable(data []byte) (line int, text string) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return 0, "the file is in UTF-16; save it as UTF-8"
	}
	line = 1
	for rest := bytes.TrimPrefix(data, []byte("\ufeff")); len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			return line, "this line is not in UTF-8; save the file as UTF-8"
		case r == 0:
			return line, "this line holds a NUL character; is the file in UTF-8?"
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', 0x7f <= r && r < 0xa0, r == '\u2028', r == '\u2029', r == '\ufeff':
			// Some of them end a line for YAML and for no editor.
			return line, fmt.Sprintf("this line holds an invisible character, U+%04X", r)
		case r == '\n':
			line++
		}
		rest = rest[size:]
	}
	return 0, ""
}
