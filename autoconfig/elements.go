package autoconfig

import (
	"strings"

	"github.com/beevik/etree"
)

// is reports whether the element has the name, without a namespace prefix:
// Thunderbird goes by the name as written.
func is(e *etree.Element, tag string) bool { return e.Space == "" && e.Tag == tag }

// all lists the children with the name; a nil parent has none.
func all(parent *etree.Element, tag string) []*etree.Element {
	if parent == nil {
		return nil
	}
	var found []*etree.Element
	for _, token := range parent.Child {
		if e, ok := token.(*etree.Element); ok && is(e, tag) {
			found = append(found, e)
		}
	}
	return found
}

// first is the first child with the name, or nil.
func first(parent *etree.Element, tag string) *etree.Element {
	if found := all(parent, tag); len(found) > 0 {
		return found[0]
	}
	return nil
}

// values lists the texts of the children with the name that have one.
func values(parent *etree.Element, tag string) []string {
	var texts []string
	for _, e := range all(parent, tag) {
		if text := content(e); text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

// value is the first text of a child with the name.
func value(parent *etree.Element, tag string) string {
	if texts := values(parent, tag); len(texts) > 0 {
		return texts[0]
	}
	return ""
}

// content is the text of an element, comments left out.
func content(e *etree.Element) string {
	var b strings.Builder
	for _, token := range e.Child {
		if text, ok := token.(*etree.CharData); ok {
			b.WriteString(text.Data)
		}
	}
	return strings.TrimSpace(b.String())
}
