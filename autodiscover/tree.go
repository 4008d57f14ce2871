package autodiscover

import (
	"errors"
	"strings"

	"github.com/beevik/etree"
)

// parse reads XML from strangers into a tree. The error never holds a text of
// the document.
func parse(text []byte, depth, elements int) (*etree.Element, error) {
	text, err := screen(text, elements)
	if err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	doc.ReadSettings.MaxDepth = depth
	if err := doc.ReadFromBytes(text); err != nil {
		return nil, errMalformed
	}
	// etree takes an empty text, plain words and several roots for documents.
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

// only is the child of that name, whatever its namespace and case, nil where
// there is none. Two are an error: different readers would take different ones.
func only(parent *etree.Element, tag string) (*etree.Element, error) {
	var found *etree.Element
	for _, token := range parent.Child {
		child, ok := token.(*etree.Element)
		if !ok || !strings.EqualFold(child.Tag, tag) {
			continue
		}
		if found != nil {
			return nil, errors.New("it has more than one " + tag)
		}
		found = child
	}
	return found, nil
}
