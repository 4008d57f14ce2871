package templates

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"golang.org/x/text/language"

	"signpost/internal/fault"
)

// nameKey is the text that names a language in itself, for the switch.
const nameKey = "language"

// catalogue is the texts of one language by key.
type catalogue map[string]message

// readFile adds the texts of a file to a catalogue. A text that is there
// already is replaced, but only by another file.
func (c catalogue) readFile(file string, data []byte) []fault.Fault {
	var faults []fault.Fault
	fault := func(offset int64, format string, args ...any) {
		faults = append(faults, fault.Fault{File: file, Line: lineAt(data, offset), Text: fmt.Sprintf(format, args...)})
	}
	if data == nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	token, err := d.Token()
	if err == nil && token != json.Delim('{') {
		fault(0, `want one object, {"key": "text", …}`)
		return faults
	}
	seen := map[string]bool{}
	for err == nil && d.More() {
		var key, text json.Token
		if key, err = d.Token(); err != nil {
			break
		}
		if text, err = d.Token(); err != nil {
			break
		}
		words, ok := text.(string)
		name := key.(string) // JSON has no other keys
		switch {
		case !ok:
			fault(d.InputOffset(), "%q: want a text in quotation marks", name)
			return faults
		case seen[name]:
			fault(d.InputOffset(), "%q is given twice", name)
		}
		seen[name] = true
		m, err := parseMessage(words)
		if err != nil {
			fault(d.InputOffset(), "%q: %v", name, err)
			continue
		}
		m.line = lineAt(data, d.InputOffset())
		c[name] = m
	}
	if err == nil {
		_, err = d.Token() // the closing brace
	}
	if err == nil {
		if _, err = d.Token(); err == nil {
			fault(d.InputOffset(), "something follows the closing brace")
		} else if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		fault(syntax.Offset, "not readable as JSON: %v", syntax)
	case err != nil:
		fault(int64(len(data)), "not readable as JSON: it ends too early")
	}
	return faults
}

func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(int(offset), len(data))], []byte("\n"))
}

// languageOf reads the language out of a catalogue's file name.
func languageOf(file string) (language.Tag, error) {
	name := strings.TrimSuffix(path.Base(file), ".json")
	tag, err := language.Parse(name)
	if err != nil || tag.String() != name {
		return language.Und, errors.New("the name of the file is not a language tag such as de or pt-BR")
	}
	return tag, nil
}

// compare says what a catalogue lacks or has too much, beside English.
func (c catalogue) compare(english catalogue, file string) []fault.Fault {
	var faults []fault.Fault
	for _, key := range sortedKeys(english) {
		m, ok := c[key]
		if !ok {
			faults = append(faults, fault.Fault{File: file, Line: 0, Text: fmt.Sprintf("lacks %q", key)})
			continue
		}
		if got, want := strings.Join(m.holes, " "), strings.Join(english[key].holes, " "); got != want {
			faults = append(faults, fault.Fault{File: file, Line: m.line, Text: fmt.Sprintf("%q has the names [%s], want [%s]", key, got, want)})
		}
	}
	for _, key := range sortedKeys(c) {
		if _, ok := english[key]; !ok {
			faults = append(faults, fault.Fault{File: file, Line: c[key].line, Text: fmt.Sprintf("has %q, which nothing uses", key)})
		}
	}
	return faults
}
