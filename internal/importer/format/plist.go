package format

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// plistValue is a value of a property list in XML, with its place in the text.
type plistValue struct {
	jsonValue
	kind       string       // the name of its element
	begin, end int          // of its element
	fields     []plistField // of a dict, in order
	items      []plistValue // of an array
}

type plistField struct {
	key   string
	value plistValue
}

// get returns the first field with a key.
func (v plistValue) get(key string) plistValue {
	for _, f := range v.fields {
		if f.key == key {
			return f.value
		}
	}
	return plistValue{}
}

// readPlist reads a property list in XML. A boolean is yes or no; the bytes of data are left out.
func readPlist(path, text string) (plistValue, error) {
	r := plistReader{text: text, decoder: xml.NewDecoder(strings.NewReader(text))}
	// What is not UTF-8 has been refused; then the name of the encoding says nothing.
	r.decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	for {
		begin := int(r.decoder.InputOffset())
		token, err := r.decoder.Token()
		if start, ok := token.(xml.StartElement); ok && start.Name.Local != "plist" {
			var v plistValue
			if v, err = r.value(start, begin, 0); err == nil {
				return v, nil
			}
		}
		if err != nil {
			line, _ := r.decoder.InputPos()
			reason := err.Error()
			if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
				line, reason = syntax.Line, syntax.Msg
			} else if errors.Is(err, io.EOF) {
				reason = "the property list is empty"
			}
			return plistValue{}, faultAt(path, line, "%s", reason)
		}
	}
}

type plistReader struct {
	text    string
	decoder *xml.Decoder
}

// value reads the value that begins with an element.
func (r *plistReader) value(start xml.StartElement, begin, depth int) (v plistValue, err error) {
	if depth > maxJSONDepth {
		return v, errors.New("there are too many values within one another")
	}
	v.begin, v.kind = begin, start.Name.Local
	v.line, _ = r.decoder.InputPos()
	kind := v.kind
	if !slices.Contains([]string{"dict", "array", "string", "integer", "real", "true", "false", "data", "date"}, kind) {
		return v, fmt.Errorf("<%s> is no element of a property list", kind)
	}
	var text strings.Builder
	key, hasKey := "", false
	for {
		at := int(r.decoder.InputOffset())
		token, err := r.decoder.Token()
		if err != nil {
			return v, err
		}
		switch t := token.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			switch {
			case kind == "dict" && t.Name.Local == "key":
				if key, err = r.key(); err != nil {
					return v, err
				}
				hasKey = true
			case kind == "dict" && hasKey, kind == "array":
				inner, err := r.value(t, at, depth+1)
				if err != nil {
					return v, err
				}
				if kind == "array" {
					v.items = append(v.items, inner)
				} else {
					v.fields = append(v.fields, plistField{key, inner})
				}
				hasKey = false
			default:
				return v, fmt.Errorf("<%s> comes where it has no place", t.Name.Local)
			}
		case xml.EndElement:
			v.end = int(r.decoder.InputOffset())
			v.object, v.array = kind == "dict", kind == "array"
			switch kind {
			case "true":
				v.text = "yes"
			case "false":
				v.text = "no"
			case "string", "integer", "real":
				v.text = strings.TrimSpace(text.String())
			}
			return v, nil
		}
	}
}

func (r *plistReader) key() (string, error) {
	var text strings.Builder
	for {
		token, err := r.decoder.Token()
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			return "", fmt.Errorf("<%s> comes within a <key>", t.Name.Local)
		case xml.EndElement:
			return strings.TrimSpace(text.String()), nil
		}
	}
}
