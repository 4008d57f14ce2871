package autodiscover

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// Limits of a request. A real one has three levels.
const (
	maxDepth    = 16
	maxElements = 128
)

// requestTexts are the texts of a request, trimmed.
type requestTexts struct {
	address   string // EMailAddress
	legacyDN  string // LegacyDN
	schema    string // AcceptableResponseSchema
	namespace string // of Request
}

// scan reads Autodiscover/Request and the texts in it, token by token: building
// a tree, as for answers, would be most of what a request costs. The error
// never quotes the document.
func scan(body []byte) (requestTexts, error) {
	text, err := screen(body, maxElements)
	if err != nil {
		return requestTexts{}, err
	}
	var s scanner
	decoder := xml.NewDecoder(bytes.NewReader(text))
	decoder.CharsetReader = ignoreCharset
	for {
		token, err := decoder.RawToken()
		if err == io.EOF {
			return s.finish()
		}
		if err != nil {
			return requestTexts{}, errMalformed
		}
		if err := s.token(token); err != nil {
			return requestTexts{}, err
		}
	}
}

// ignoreCharset ignores the encoding in a declaration: programs on .NET print a
// string, declared as UTF-16, and send it as UTF-8.
func ignoreCharset(_ string, text io.Reader) (io.Reader, error) { return text, nil }

// scanner is the state of a scan.
type scanner struct {
	requestTexts
	open     []xml.Name // the open elements
	root     []xml.Attr
	requests int  // number of Request elements so far
	ended    bool // the root has been closed
	seen     [3]bool
	text     *string // where the text of the open element goes; nil: nowhere
}

// token processes one token.
func (s *scanner) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return s.start(t)
	case xml.EndElement:
		last := len(s.open) - 1
		if last < 0 || s.open[last] != t.Name {
			return errMalformed
		}
		s.open, s.text = s.open[:last], nil
		s.ended = last == 0
	case xml.CharData:
		if s.text != nil {
			*s.text += string(t)
		} else if len(s.open) == 0 && len(bytes.TrimSpace(t)) > 0 {
			return errMalformed
		}
	}
	return nil
}

func (s *scanner) start(t xml.StartElement) error {
	depth, name := len(s.open), t.Name.Local
	switch {
	case s.ended || depth == maxDepth:
		return errMalformed
	case s.text != nil:
		return errors.New("its " + fieldNames[fieldIndex(s.open[depth-1].Local)] + " holds elements")
	case depth == 0 && !strings.EqualFold(name, "Autodiscover"):
		return errors.New("its root is not Autodiscover")
	case depth == 0:
		s.root = t.Attr
	case depth == 1 && strings.EqualFold(name, "Request"):
		if s.requests++; s.requests > 1 {
			return errors.New("it has more than one Request")
		}
		s.namespace = namespace(t.Name.Space, t.Attr, s.root)
	case depth == 2 && strings.EqualFold(s.open[1].Local, "Request"):
		i := fieldIndex(name)
		if i < 0 {
			break
		}
		if s.seen[i] {
			// Different readers would take different ones.
			return errors.New("it has more than one " + fieldNames[i])
		}
		s.seen[i] = true
		s.text = [...]*string{&s.address, &s.legacyDN, &s.schema}[i]
	}
	s.open = append(s.open, t.Name)
	return nil
}

var fieldNames = [...]string{"EMailAddress", "LegacyDN", "AcceptableResponseSchema"}

// fieldIndex returns the index in fieldNames of an element's name, or -1.
func fieldIndex(name string) int {
	for i, field := range fieldNames {
		if strings.EqualFold(name, field) {
			return i
		}
	}
	return -1
}

// finish returns the result at the end of the document.
func (s *scanner) finish() (requestTexts, error) {
	switch {
	case !s.ended:
		return requestTexts{}, errMalformed
	case s.requests == 0:
		return requestTexts{}, errors.New("it has no Request")
	}
	s.address = strings.TrimSpace(s.address)
	s.legacyDN = strings.TrimSpace(s.legacyDN)
	s.schema = strings.TrimSpace(s.schema)
	return s.requestTexts, nil
}

// namespace resolves a prefix by the declarations of the elements, innermost
// first.
func namespace(prefix string, elements ...[]xml.Attr) string {
	for _, attributes := range elements {
		for _, a := range attributes {
			declares := a.Name.Space == "xmlns" && a.Name.Local == prefix
			if prefix == "" {
				declares = a.Name.Space == "" && a.Name.Local == "xmlns"
			}
			if declares {
				return a.Value
			}
		}
	}
	return ""
}
