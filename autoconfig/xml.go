package autoconfig

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// Limits of a document that is read. The largest that hosters publish, with a
// thousand domains in it, has 40 KB; none has more than five levels.
const (
	maxDocument = 256 << 10
	maxDepth    = 16
	maxTags     = 50_000
)

// ErrNoDocument is returned by Read and ReadPACC, wrapped with the reason, for
// a text that is not in their format or of no use to any client.
var ErrNoDocument = errors.New("no usable document")

func noDocument(problem string) error { return &documentError{problem} }

// documentError wraps ErrNoDocument. It never quotes the document or a parser.
type documentError struct{ problem string }

func (e *documentError) Error() string { return ErrNoDocument.Error() + ": " + e.problem }
func (e *documentError) Unwrap() error { return ErrNoDocument }

// checkText checks what documents of both formats have in common.
func checkText(document []byte) error {
	switch {
	case len(document) > maxDocument:
		return noDocument("it is larger than 256 KB")
	case !utf8.Valid(document):
		return noDocument("it is not UTF-8")
	}
	return nil
}

// parseXML parses an untrusted document into a tree. It allows one root, no document
// type (and so no entities), and limited size and depth.
func parseXML(document []byte) (*etree.Element, error) {
	if err := checkText(document); err != nil {
		return nil, err
	}
	if bytes.Count(document, []byte("<")) > maxTags {
		return nil, noDocument("it has too many parts")
	}
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{MaxDepth: maxDepth, CharsetReader: refuseCharset}
	err := doc.ReadFromBytes(bytes.TrimPrefix(document, []byte("\ufeff")))
	root := doc.Root()
	switch {
	case errors.Is(err, etree.ErrMaxDepth):
		return nil, noDocument("it is nested too deep")
	case err != nil || root == nil:
		return nil, noDocument("it is not well-formed XML")
	}
	for _, token := range doc.Child {
		switch token := token.(type) {
		case *etree.Element:
			if token != root {
				return nil, noDocument("it has two root elements")
			}
		case *etree.Directive:
			return nil, noDocument("it has a document type declaration")
		case *etree.CharData:
			if !token.IsWhitespace() {
				return nil, noDocument("it has text outside of its elements")
			}
		}
	}
	return root, nil
}

// refuseCharset refuses a document that declares another encoding than UTF-8.
func refuseCharset(string, io.Reader) (io.Reader, error) { return nil, errors.ErrUnsupported }

// children returns the children with one of the names. A nil parent has none. A
// name with a namespace prefix is another: Thunderbird compares names as written.
func children(parent *etree.Element, tags ...string) []*etree.Element {
	if parent == nil {
		return nil
	}
	var found []*etree.Element
	for _, e := range parent.ChildElements() {
		if e.Space == "" && slices.Contains(tags, e.Tag) {
			found = append(found, e)
		}
	}
	return found
}

// firstChild returns the first child with the name, or nil.
func firstChild(parent *etree.Element, tag string) *etree.Element {
	return cmp.Or(children(parent, tag)...)
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
	return cmp.Or(texts(parent, tag)...)
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

// attribute returns the trimmed value of an attribute, "" for a nil element.
func attribute(e *etree.Element, key string) string {
	if e == nil {
		return ""
	}
	return strings.TrimSpace(e.SelectAttrValue(key, ""))
}
