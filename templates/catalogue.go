package templates

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"signpost/internal/fault"
)

// nameKey is the key of a language's name in itself, shown in the language switch.
const nameKey = "language"

// catalogue holds the texts of one language by key.
type catalogue map[string]message

// readFile adds the texts of a file to the catalogue. They replace texts of
// earlier files; a key that the file has twice is a fault.
func (c catalogue) readFile(file string, data []byte) []fault.Fault {
	if data == nil {
		return nil
	}
	var faults []fault.Fault
	fault := func(offset int64, format string, args ...any) {
		faults = append(faults, fault.Fault{File: file, Line: lineAt(data, offset), Text: fmt.Sprintf(format, args...)})
	}
	d := json.NewDecoder(bytes.NewReader(data))
	var err error
	next := func() (token json.Token) {
		if err == nil {
			token, err = d.Token()
		}
		return token
	}
	if next() != json.Delim('{') && err == nil {
		fault(d.InputOffset(), `want one object, {"key": "text", …}`)
		return faults
	}
	seen := map[string]bool{}
	overlaid := len(c) > 0
	for err == nil && d.More() {
		key, value := next(), next()
		if err != nil {
			break
		}
		name := key.(string) // JSON has no other keys
		text, ok := value.(string)
		switch {
		case !ok:
			fault(d.InputOffset(), "%q: want a text in quotation marks", name)
			return faults
		case seen[name]:
			fault(d.InputOffset(), "%q is given twice", name)
		}
		seen[name] = true
		m, err := parseMessage(text)
		if err != nil {
			fault(d.InputOffset(), "%q: %v", name, err)
			continue
		}
		m.line = lineAt(data, d.InputOffset())
		c[name] = m
	}
	if overlaid {
		// The plural forms of a text do not outlive it.
		maps.DeleteFunc(c, func(key string, _ message) bool {
			base, _, ok := cutForm(key)
			return ok && seen[base] && !seen[key]
		})
	}
	next() // the closing brace
	closed := err == nil
	next()
	syntax, malformed := errors.AsType[*json.SyntaxError](err)
	switch {
	case err == nil:
		fault(d.InputOffset(), "something follows the closing brace")
	case malformed:
		fault(syntax.Offset, "not readable as JSON: %v", syntax)
	case !closed:
		fault(int64(len(data)), "not readable as JSON: it ends too early")
	}
	return faults
}

// lineAt returns the line of an offset, counted from 1.
func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(int(offset), len(data))], []byte("\n"))
}

// languageOf returns the language that a catalogue's file name gives.
func languageOf(file string) (language.Tag, error) {
	name := strings.TrimSuffix(path.Base(file), ".json")
	tag, err := language.Parse(name)
	if err != nil || tag.String() != name {
		return language.Und, errors.New("the name of the file is not a language tag such as de or pt-BR")
	}
	return tag, nil
}

// misnamedForms returns the plural forms that have a name in braces that the English
// text lacks. A form may do without {count}: one minute.
func (c catalogue) misnamedForms(english catalogue, file string) []fault.Fault {
	var faults []fault.Fault
	for _, key := range sortedKeys(c) {
		base, _, _ := cutForm(key)
		if !english.hasForm(key) {
			continue
		}
		for _, name := range c[key].names {
			if !slices.Contains(english[base].names, name) {
				text := fmt.Sprintf("%q has the name %s, want none but [%s]",
					key, name, strings.Join(english[base].names, " "))
				faults = append(faults, fault.Fault{File: file, Line: c[key].line, Text: text})
			}
		}
	}
	return faults
}

// differences are the faults that a comparison of two catalogues finds.
type differences struct {
	missing  []fault.Fault // at most one, for all texts that only the other catalogue has
	misnamed []fault.Fault // texts with other names in braces
	unused   []fault.Fault // texts that only this catalogue has
}

// compare compares the catalogue, read from file, with the English one.
func (c catalogue) compare(english catalogue, file string) differences {
	var d differences
	var missing []string
	all := 0
	for _, key := range sortedKeys(english) {
		if english.hasForm(key) {
			continue // each language has its own
		}
		all++
		m, ok := c[key]
		if !ok {
			missing = append(missing, strconv.Quote(key))
			continue
		}
		if got, want := strings.Join(m.names, " "), strings.Join(english[key].names, " "); got != want {
			text := fmt.Sprintf("%q has the names [%s], want [%s]", key, got, want)
			d.misnamed = append(d.misnamed, fault.Fault{File: file, Line: m.line, Text: text})
		}
	}
	d.misnamed = append(d.misnamed, c.misnamedForms(english, file)...)
	if n := len(missing); n > 0 {
		const most = 5 // a file may hold a few texts on purpose
		more := ""
		if n > most {
			missing, more = missing[:most], fmt.Sprintf(" and %d more", n-most)
		}
		text := fmt.Sprintf("%d of %d texts are in English: %s%s", n, all, strings.Join(missing, ", "), more)
		d.missing = []fault.Fault{{File: file, Text: text}}
	}
	for _, key := range sortedKeys(c) {
		if _, ok := english[key]; !ok && !english.hasForm(key) {
			text := fmt.Sprintf("has %q, which nothing uses", key)
			d.unused = append(d.unused, fault.Fault{File: file, Line: c[key].line, Text: text})
		}
	}
	return d
}
