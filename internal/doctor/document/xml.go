package document

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// XML is a document as far as it could be read.
type XML struct {
	Root *Element
	// Error is the first reason for which a strict reader refuses the document; nil if there
	// is none.
	Error *Error
	// Encoding is that of the document, as its first bytes or its declaration say, in lower
	// case. All texts are in UTF-8 nevertheless.
	Encoding string
}

// Error is a place where a document breaks the rules of XML.
type Error struct {
	Line int
	Text string // for people: "<hostname> is not closed"
	Kind ErrorKind
}

// ErrorKind says what is left of a document with an error.
type ErrorKind int

// The kinds of errors.
const (
	Syntax  ErrorKind = iota // what stands before the error was read
	Cut                      // the document ends between two tags; what stands before was read
	Entity                   // an entity of HTML, which XML does not know; the whole document was read
	Outside                  // the first element is whole, but more than it is there, or only text
	Empty                    // there is nothing
	Late                     // something stands before the XML declaration; the whole document was read
)

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

// Element is an element with all that it holds, in order.
type Element struct {
	Name       string // as written, with its prefix
	Attributes []Attribute
	Children   []*Element
	// Text is the character data that is directly in the element: entities resolved, white
	// space as it stands.
	Text string
	// Raw is what stands between the tags.
	Raw  string
	Line int
}

// Attribute is an attribute of an element.
type Attribute struct{ Name, Value string }

// The limits of what is read. No autoconfig document comes near them.
const (
	maxDepth      = 64
	maxElements   = 5000
	maxAttributes = 50 // of one element
)

// ReadXML reads a document. It keeps what it can of one that is not well-formed.
func ReadXML(body []byte) XML { return readXML(body, maxElements) }

// ReadLargeXML is ReadXML for a file of the operator's own, which may name many domains.
func ReadLargeXML(body []byte) XML { return readXML(body, 1_000_000) }

func readXML(body []byte, most int) XML {
	text, encoding := decode(body)
	r := &reader{body: text, most: most}
	r.read()
	if r.error == nil && r.root == nil {
		r.fail(Empty, "there is no XML")
	}
	return XML{r.root, r.error, encoding}
}

type reader struct {
	body    string // that of all elements' Raw
	decoder *xml.Decoder
	root    *Element
	open    []*Element
	starts  []int64  // where the contents of the open elements start
	texts   [][]byte // those of the open elements
	count   int
	most    int // elements
	error   *Error
}

func (r *reader) fail(kind ErrorKind, format string, arguments ...any) {
	if r.error == nil {
		line := 1
		if r.decoder != nil {
			line, _ = r.decoder.InputPos()
		}
		r.error = &Error{line, fmt.Sprintf(format, arguments...), kind}
	}
}

func (r *reader) read() {
	r.decoder = xml.NewDecoder(strings.NewReader(r.body))
	r.decoder.Entity = xml.HTMLEntity
	r.decoder.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil }
	defer r.closeAll()
	for {
		before := r.decoder.InputOffset()
		token, err := r.decoder.RawToken()
		if errors.Is(err, io.EOF) {
			if len(r.open) > 0 {
				r.fail(Cut, "the document ends inside <%s>", r.open[len(r.open)-1].Name)
			}
			return
		}
		if err != nil {
			r.fail(Syntax, "%s", syntaxText(err))
			return
		}
		if !r.take(token, before) {
			return
		}
	}
}

// take takes a token that starts at before, and reports whether reading can go on.
func (r *reader) take(token xml.Token, before int64) bool {
	switch t := token.(type) {
	case xml.StartElement:
		return r.start(t)
	case xml.EndElement:
		return r.end(qualified(t.Name), before)
	case xml.CharData:
		r.text(string(t), before)
	case xml.ProcInst:
		if t.Target == "xml" && before > 0 { // XML 1.0 §2.8
			r.fail(Late, "something stands before the XML declaration, at best a blank line")
		}
	}
	return true
}

func (r *reader) start(t xml.StartElement) bool {
	if len(r.open) == 0 && r.root != nil {
		r.fail(Outside, "<%s> stands after the end of the document", qualified(t.Name))
		return false
	}
	if r.count++; len(r.open) >= maxDepth || r.count > r.most {
		r.fail(Syntax, "there are too many elements")
		return false
	}
	if len(t.Attr) > maxAttributes {
		r.fail(Syntax, "<%s> has too many attributes", qualified(t.Name))
		return false
	}
	line, _ := r.decoder.InputPos()
	e := &Element{Name: qualified(t.Name), Line: line}
	for _, a := range t.Attr {
		if _, twice := e.Attribute(qualified(a.Name)); twice {
			r.fail(Syntax, "<%s> has %s twice", e.Name, qualified(a.Name))
		}
		e.Attributes = append(e.Attributes, Attribute{qualified(a.Name), a.Value})
	}
	if len(r.open) == 0 {
		r.root = e
	} else {
		parent := r.open[len(r.open)-1]
		parent.Children = append(parent.Children, e)
	}
	r.open = append(r.open, e)
	r.starts = append(r.starts, r.decoder.InputOffset())
	r.texts = append(r.texts, nil)
	return true
}

func (r *reader) end(name string, before int64) bool {
	if len(r.open) == 0 {
		r.fail(Syntax, "</%s> closes nothing", name)
		return false
	}
	last := len(r.open) - 1
	if e := r.open[last]; e.Name != name {
		r.fail(Syntax, "</%s> comes where <%s> of line %d is not closed", name, e.Name, e.Line)
		return false
	}
	r.close(before)
	return true
}

func (r *reader) close(at int64) {
	last := len(r.open) - 1
	if start := r.starts[last]; start <= at {
		r.open[last].Raw = r.body[start:at]
	}
	r.open[last].Text = string(r.texts[last])
	r.open, r.starts, r.texts = r.open[:last], r.starts[:last], r.texts[:last]
}

func (r *reader) closeAll() {
	for len(r.open) > 0 {
		r.close(min(r.decoder.InputOffset(), int64(len(r.body))))
	}
}

func (r *reader) text(text string, before int64) {
	if len(r.open) == 0 {
		if strings.TrimSpace(text) != "" {
			r.fail(Outside, "there is text outside of the document's element")
		}
		return
	}
	last := len(r.open) - 1
	r.texts[last] = append(r.texts[last], text...)
	raw := r.body[before:min(r.decoder.InputOffset(), int64(len(r.body)))]
	if name := htmlEntity(raw); name != "" {
		r.fail(Entity, "&%s; is known in HTML only", name)
	}
}

// htmlEntity returns the name of an entity that only HTML has, or "".
func htmlEntity(raw string) string {
	if strings.HasPrefix(raw, "<![CDATA[") {
		return ""
	}
	for rest := raw; ; {
		var found bool
		if _, rest, found = strings.Cut(rest, "&"); !found {
			return ""
		}
		name, _, _ := strings.Cut(rest, ";")
		if _, isHTML := xml.HTMLEntity[name]; isHTML && !strings.Contains(" amp lt gt quot apos ", " "+name+" ") {
			return name
		}
	}
}

func syntaxText(err error) string {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return syntax.Msg
	}
	return err.Error()
}

func qualified(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// Attribute returns the value of an attribute.
func (e *Element) Attribute(name string) (string, bool) {
	if e != nil {
		for _, a := range e.Attributes {
			if a.Name == name {
				return a.Value, true
			}
		}
	}
	return "", false
}

// Child returns the first child of a name, or nil.
func (e *Element) Child(name string) *Element {
	if e != nil {
		for _, c := range e.Children {
			if c.Name == name {
				return c
			}
		}
	}
	return nil
}

// All returns the children of a name, in order.
func (e *Element) All(name string) []*Element {
	var found []*Element
	if e != nil {
		for _, c := range e.Children {
			if c.Name == name {
				found = append(found, c)
			}
		}
	}
	return found
}

// Down returns the element that a path of names leads to, by the first child of each, or nil.
func (e *Element) Down(names ...string) *Element {
	for _, name := range names {
		e = e.Child(name)
	}
	return e
}

// Content returns the text of the first child of a name, as it stands, or "".
func (e *Element) Content(name string) string {
	if c := e.Child(name); c != nil {
		return c.Text
	}
	return ""
}

// Local returns the name without its prefix.
func (e *Element) Local() string {
	if _, local, ok := strings.Cut(e.Name, ":"); ok {
		return local
	}
	return e.Name
}

// Walk calls visit for the element and all below it, in the order of the document.
func (e *Element) Walk(visit func(*Element)) {
	if e == nil {
		return
	}
	visit(e)
	for _, c := range e.Children {
		c.Walk(visit)
	}
}
