package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// examples names the configurations of the tests that the page shows.
var examples = []string{"small", "mamut"}

// key is a row of the table of keys.
type key struct{ name, byDefault, meaning string }

// standard returns what applies if the file does not have the key.
func (k key) standard() string {
	if k.byDefault == "required" {
		return k.byDefault
	}
	return "default: " + k.byDefault
}

// filePage returns signpost.yaml(5).
func filePage(source string, day time.Time) ([]byte, error) {
	keys, notes, err := readKeys(filepath.Join(source, "internal", "config", "doc.go"))
	if err != nil {
		return nil, err
	}
	var p page
	p.begin("signpost.yaml", "5", day)
	p.WriteString(fileHead)
	p.macro("Sh", "KEYS")
	p.text("A dot means a key inside another one, [] an item of a list, and ‹› a word of your own.")
	var chapters []string
	in := map[string][]key{}
	for _, k := range keys {
		chapter := chapterOf(k.name)
		if in[chapter] == nil {
			chapters = append(chapters, chapter)
		}
		in[chapter] = append(in[chapter], k)
	}
	for _, chapter := range chapters {
		p.macro("Ss", chapter)
		p.macro("Bl", "-tag", "-width", "Ds")
		for _, k := range in[chapter] {
			p.macro("It", k.name)
			p.text(k.meaning)
			p.text("(" + k.standard() + ")")
		}
		p.macro("El")
	}
	p.macro("Sh", "NOTES")
	for i, note := range notes {
		if i > 0 {
			p.macro("Pp")
		}
		p.text(note)
	}
	p.macro("Sh", "EXAMPLES")
	for _, name := range examples {
		text, err := os.ReadFile(filepath.Join(source, "testdata", "config", name+".yaml"))
		if err != nil {
			return nil, err
		}
		p.literal(string(text))
	}
	p.macro("Sh", "SEE ALSO")
	p.WriteString(".Xr signpost 1\n")
	return p.Bytes(), nil
}

const fileHead = `.Sh NAME
.Nm signpost.yaml
.Nd configuration of Signpost
.Sh DESCRIPTION
Signpost reads
.Pa /etc/signpost/signpost.yaml ,
or the file that
.Fl config
names.
It is YAML.
.Pp
.Ic signpost check
reports all faults at once, each with its line and a suggestion.
.Ic signpost serve
reloads a changed file by itself, either as a whole or not at all.
`

// chapterOf returns the chapter of the page that a key belongs to.
func chapterOf(name string) string {
	top, _, inside := strings.Cut(name, ".")
	if strings.HasPrefix(name, "providers[].servers") {
		return "servers of a provider"
	}
	top = strings.TrimSuffix(top, "[]")
	if !inside && top != "providers" && top != "accounts" || top == "admin" {
		return "the service"
	}
	return top
}

// readKeys reads the table of a package comment and the paragraphs after it. The
// columns begin where the words of the first row begin.
func readKeys(file string) (keys []key, notes []string, err error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		return nil, nil, err
	}
	var second, third int // where columns begin, in characters
	for paragraph := range strings.SplitSeq(parsed.Doc.Text(), "\n\n") {
		if !strings.HasPrefix(paragraph, "\t") {
			if len(keys) > 0 {
				notes = append(notes, paragraph)
			}
			continue
		}
		for l := range strings.Lines(paragraph) {
			row := []rune(strings.TrimSpace(l))
			if second == 0 {
				second, third = strings.Index(string(row), "default"), strings.Index(string(row), "meaning")
				if second <= 0 || third < second {
					return nil, nil, fmt.Errorf("%s: the first row of the table is not key, default, meaning: %s", file, string(row))
				}
				continue
			}
			if len(row) <= third || row[second-1] != ' ' || row[third-1] != ' ' {
				return nil, nil, fmt.Errorf("%s: this row does not keep to the columns: %s", file, string(row))
			}
			cell := func(r []rune) string { return strings.TrimSpace(string(r)) }
			keys = append(keys, key{cell(row[:second]), cell(row[second:third]), cell(row[third:])})
		}
	}
	if len(keys) == 0 {
		return nil, nil, fmt.Errorf("%s has no table of keys", file)
	}
	return keys, notes, nil
}
