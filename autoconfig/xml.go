package autoconfig

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// Limits of a document that is read. The largest that hosters publish, with a
// thousand domains in it, has 40 KB; none has more than five levels.
const (
	maxDocument = 256 << 10
	maxDepth    = 16
	maxTokens   = 50_000
)

// ErrNoDocument is returned by Read and ReadPACC, wrapped with the reason, for
// a text that is not in their format or of no use to any client.
var ErrNoDocument = errors.New("no usable document")

func noDocument(problem string) error { return &documentError{problem} }

// documentError wraps ErrNoDocument. It never quotes the document or a parser.
type documentError struct{ problem string }

func (e *documentError) Error() string { return ErrNoDocument.Error() + ": " + e.problem }
func (e *documentError) Unwrap() error { return ErrNoDocument }

// parseXML parses an untrusted document into a tree.
func parseXML(document []byte) (*etree.Element, error) {
	document = bytes.TrimPrefix(document, []byte("\ufeff"))
	if err := check(document); err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	doc.ReadSettings.MaxDepth = maxDepth
	if err := doc.ReadFromBytes(document); err != nil || doc.Root() == nil {
		return nil, noDocument("it is not well-formed XML")
	}
	return doc.Root(), nil
}

// check reads the document once before a tree is built from it. It allows one
// root, no declarations (and so no entities), and limited size and depth.
func check(document []byte) error {
	switch {
	case len(document) > maxDocument:
		return noDocument("it is larger than 256 KB")
	case !utf8.Valid(document):
		return noDocument("it is not UTF-8")
	}
	decoder := xml.NewDecoder(bytes.NewReader(document))
	depth, roots := 0, 0
	for range maxTokens {
		token, err := decoder.Token()
		if err == io.EOF && roots == 1 {
			return nil
		}
		if err != nil {
			return noDocument("it is not well-formed XML")
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			if depth++; depth > maxDepth {
				return noDocument("it is nested too deep")
			}
		case xml.EndElement:
			depth--
		case xml.Directive:
			return noDocument("it has a document type declaration")
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(token)) > 0 {
				return noDocument("it has text outside of its elements")
			}
		}
		if roots > 1 {
			return noDocument("it has two root elements")
		}
	}
	return noDocument("it has too many parts")
}

// hasName reports whether the element has the name, without a namespace prefix:
// Thunderbird compares the name as written.
func hasName(e *etree.Element, tag string) bool { return e.Space == "" && e.Tag == tag }

// children returns the children with the name. A nil parent has none.
func children(parent *etree.Element, tag string) []*etree.Element {
	if parent == nil {
		return nil
	}
	var found []*etree.Element
	for _, e := range parent.ChildElements() {
		if hasName(e, tag) {
			found = append(found, e)
		}
	}
	return found
}

// firstChild returns the first child with the name, or nil.
func firstChild(parent *etree.Element, tag string) *etree.Element {
	if found := children(parent, tag); len(found) > 0 {
		return found[0]
	}
	return nil
}

// texts returns the texts of the children with the name, without empty ones.
func texts(parent *etree.Element, tag string) []string {
	var found []string
	for _, e := range children(parent, tag) {
		if text := content(e); text != "" {
			found = append(found, text)
		}
	}
	return found
}

// firstText returns the first text of a child with the name, or "".
func firstText(parent *etree.Element, tag string) string {
	if found := texts(parent, tag); len(found) > 0 {
		return found[0]
	}
	return ""
}

// content returns the trimmed text of an element, without comments.
func content(e *etree.Element) string {
	var b strings.Builder
	for _, token := range e.Child {
		if text, ok := token.(*etree.CharData); ok {
			b.WriteString(text.Data)
		}
	}
	return strings.TrimSpace(b.String())
}
