package format

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// jsonValue is a value of a JSON document with the line in which it stands.
type jsonValue struct {
	line   int
	text   string // of strings, numbers and words; "null" is empty
	keys   []string
	fields map[string]jsonValue // of an object
	items  []jsonValue          // of an array
	object bool
	array  bool
	null   bool // of YAML
}

const maxJSONDepth = 32

// readJSON reads a document with the lines of its values.
func readJSON(f File) (jsonValue, error) {
	data, err := text(f)
	if err != nil {
		return jsonValue{}, err
	}
	r := jsonReader{text: data, decoder: json.NewDecoder(strings.NewReader(data)), line: 1}
	r.decoder.UseNumber()
	v, err := r.value(0)
	if err == nil {
		if _, more := r.decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more behind the end of the document")
		}
	}
	if err != nil {
		reason := err.Error()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			reason = "the document ends too early"
		}
		offset := r.decoder.InputOffset()
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			offset = syntax.Offset
		}
		return jsonValue{}, faultAt(f.Path, lineAt(data, offset), "%s", reason)
	}
	return v, nil
}

type jsonReader struct {
	text    string
	decoder *json.Decoder
	offset  int
	line    int
}

// token returns the next token and sets the line in which it ends.
func (r *jsonReader) token() (json.Token, error) {
	t, err := r.decoder.Token()
	now := int(r.decoder.InputOffset())
	r.line += strings.Count(r.text[r.offset:now], "\n")
	r.offset = now
	return t, err
}

func (r *jsonReader) value(depth int) (jsonValue, error) {
	t, err := r.token()
	if err != nil {
		return jsonValue{}, err
	}
	v := jsonValue{line: r.line}
	switch t := t.(type) {
	case string:
		v.text = t
	case json.Number:
		v.text = t.String()
	case bool:
		v.text = map[bool]string{true: "yes", false: "no"}[t]
	case json.Delim:
		if depth >= maxJSONDepth {
			return v, errors.New("there are too many values within one another")
		}
		if t == '[' {
			v.array = true
			for r.decoder.More() {
				item, err := r.value(depth + 1)
				if err != nil {
					return v, err
				}
				v.items = append(v.items, item)
			}
			_, err = r.token()
			return v, err
		}
		v.object, v.fields = true, map[string]jsonValue{}
		for r.decoder.More() {
			key, err := r.token()
			if err != nil {
				return v, err
			}
			field, err := r.value(depth + 1)
			if err != nil {
				return v, err
			}
			name := key.(string)
			v.keys = append(v.keys, name)
			v.fields[name] = field
		}
		_, err = r.token()
	}
	return v, err
}
