package autodiscover

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/beevik/etree"
)

var errMalformed = errors.New("it is not well-formed XML")

// parseTree parses untrusted XML into a tree. The error never quotes the
// document.
func parseTree(text []byte, depth, elements int) (*etree.Element, error) {
	text, err := screen(text, elements)
	if err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	doc.ReadSettings.MaxDepth = depth
	if err := doc.ReadFromBytes(text); err != nil {
		return nil, errMalformed
	}
	// etree accepts an empty text, plain words and several roots.
	var root *etree.Element
	for _, token := range doc.Child {
		switch t := token.(type) {
		case *etree.Element:
			if root != nil {
				return nil, errMalformed
			}
			root = t
		case *etree.CharData:
			if !t.IsWhitespace() {
				return nil, errMalformed
			}
		}
	}
	if root == nil {
		return nil, errMalformed
	}
	return root, nil
}

// screen refuses what encoding/xml accepts: document types (entities), other
// encodings than UTF-8 and UTF-16, and too many elements. NUL and other control
// characters encoding/xml refuses itself. It returns the text in UTF-8 without a
// byte order mark.
func screen(text []byte, elements int) ([]byte, error) {
	text = bytes.TrimPrefix(fromUTF16(text), []byte("\xef\xbb\xbf"))
	if !utf8.Valid(text) {
		return nil, errors.New("it is neither UTF-8 nor UTF-16")
	}
	if bytes.Count(text, []byte("<")) > 2*elements {
		return nil, errors.New("it has too many elements")
	}
	for rest := text; ; {
		_, after, found := bytes.Cut(rest, []byte("<!"))
		if !found {
			return text, nil
		}
		if !bytes.HasPrefix(after, []byte("--")) && !bytes.HasPrefix(after, []byte("[CDATA[")) {
			return nil, errors.New("it has a document type")
		}
		rest = after
	}
}

// fromUTF16 returns a text in UTF-16, which begins with a byte order mark (XML 1.0
// §4.3.3), in UTF-8. It returns any other text as it is, and an invalid byte for half
// a character.
func fromUTF16(text []byte) []byte {
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case bytes.HasPrefix(text, []byte("\xfe\xff")):
		order = binary.BigEndian
	case !bytes.HasPrefix(text, []byte("\xff\xfe")):
		return text
	}
	units := make([]uint16, 0, len(text)/2)
	for at := 2; at+1 < len(text); at += 2 {
		units = append(units, order.Uint16(text[at:]))
	}
	converted := []byte(string(utf16.Decode(units)))
	if len(text)%2 != 0 || bytes.ContainsRune(converted, utf8.RuneError) {
		converted = append(converted, 0xff)
	}
	return converted
}

// onlyChild returns the child with the name, in any namespace and case, or nil.
// Two are an error: different readers would take different ones.
func onlyChild(parent *etree.Element, tag string) (*etree.Element, error) {
	var found *etree.Element
	for _, child := range parent.ChildElements() {
		if !strings.EqualFold(child.Tag, tag) {
			continue
		}
		if found != nil {
			return nil, errors.New("it has more than one " + tag)
		}
		found = child
	}
	return found, nil
}

// textOf returns the trimmed text of the first child with the name, or "".
func textOf(parent *etree.Element, tag string) string {
	child := parent.SelectElement(tag)
	if child == nil {
		return ""
	}
	return strings.TrimSpace(child.Text())
}
