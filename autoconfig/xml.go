package autoconfig

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// Limits of a document that is read. The largest that hosters publish, with a
// thousand domains in it, has 40 KB; none is nested deeper than five.
const (
	maxDocument = 256 << 10
	maxDepth    = 16
	maxTokens   = 50_000
)

// ErrNoDocument is what Read and ReadPACC return, wrapped with the reason, for
// what is no document of their format or none that a client could use.
var ErrNoDocument = errors.New("no usable document")

func noDocument(problem string) error {
	return &documentError{problem}
}

// documentError never holds text of the document or of a parser.
type documentError struct{ problem string }

func (e *documentError) Error() string { return ErrNoDocument.Error() + ": " + e.problem }
func (e *documentError) Unwrap() error { return ErrNoDocument }

// parseXML reads a document from a stranger into a tree.
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

// check goes over the document once, keeping nothing, before a tree is made of
// it: one root, no declarations (and so no entities), nothing deep or endless.
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
