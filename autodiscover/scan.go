package autodiscover

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// texts are what stands in a request, trimmed.
type texts struct {
	address   string // EMailAddress
	legacyDN  string // LegacyDN
	schema    string // AcceptableResponseSchema
	namespace string // of Request
}

// scan reads Autodiscover/Request and the texts in it, token by token: making
// the tree that answers are read into would be most of what a request costs.
// The error never holds a text of the document.
func scan(body []byte) (texts, error) {
	text, err := screen(body, maxElements)
	if err != nil {
		return texts{}, err
	}
	var s scanner
	decoder := xml.NewDecoder(bytes.NewReader(text))
	decoder.CharsetReader = asItIs
	for {
		token, err := decoder.RawToken()
		if err == nil {
			err = s.take(token)
		} else if err != io.EOF {
			err = errMalformed
		} else {
			return s.finish()
		}
		if err != nil {
			return texts{}, err
		}
	}
}

// asItIs ignores the encoding that a declaration names: programs on .NET print
// a string, declared as UTF-16, and send it as UTF-8.
func asItIs(_ string, text io.Reader) (io.Reader, error) { return text, nil }

// scanner is where in a request the scan is.
type scanner struct {
	texts
	open     []xml.Name // the elements that are open
	root     []xml.Attr
	requests int  // seen so far
	ended    bool // the root has been closed
	seen     [3]bool
	text     *string // what the text under way belongs to, nil for none of ours
}

func (s *scanner) take(token xml.Token) error {
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
		return errors.New("its " + fieldNames[fieldOf(s.open[depth-1].Local)] + " holds elements")
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
		i := fieldOf(name)
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

func fieldOf(name string) int {
	for i, field := range fieldNames {
		if strings.EqualFold(name, field) {
			return i
		}
	}
	return -1
}

func (s *scanner) finish() (texts, error) {
	switch {
	case !s.ended:
		return texts{}, errMalformed
	case s.requests == 0:
		return texts{}, errors.New("it has no Request")
	}
	s.address = strings.TrimSpace(s.address)
	s.legacyDN = strings.TrimSpace(s.legacyDN)
	s.schema = strings.TrimSpace(s.schema)
	return s.texts, nil
}

// namespace resolves a prefix by the declarations of the innermost element that
// has one.
func namespace(prefix string, elements ...[]xml.Attr) string {
	for _, attributes := range elements {
		for _, a := range attributes {
			if a.Name.Space == "xmlns" && a.Name.Local == prefix || prefix == "" && a.Name.Space == "" && a.Name.Local == "xmlns" {
				return a.Value
			}
		}
	}
	return ""
}
