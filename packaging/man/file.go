package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// examples names the configurations of the tests that the page shows.
var examples = []string{"small", "mamut"}

// key is a row of the table of keys.
type key struct{ Name, Default, Meaning string }

// Standard returns what applies if the file does not have the key.
func (k key) Standard() string {
	if k.Default == "required" {
		return k.Default
	}
	return "default: " + k.Default
}

// filePage is what signpost.yaml(5) takes from package config and the tests.
type filePage struct {
	Chapters        []chapter
	Notes, Examples []string
}

type chapter struct {
	Name string
	Keys []key
}

// readFilePage reads the keys and the examples in the directory of the module.
func readFilePage(source string) (p filePage, err error) {
	keys, notes, err := readKeys(filepath.Join(source, "internal", "config", "doc.go"))
	if err != nil {
		return p, err
	}
	p.Notes = notes
	for _, k := range keys {
		name := chapterOf(k.Name)
		i := slices.IndexFunc(p.Chapters, func(c chapter) bool { return c.Name == name })
		if i < 0 {
			i = len(p.Chapters)
			p.Chapters = append(p.Chapters, chapter{Name: name})
		}
		p.Chapters[i].Keys = append(p.Chapters[i].Keys, k)
	}
	for _, name := range examples {
		text, err := os.ReadFile(filepath.Join(source, "testdata", "config", name+".yaml"))
		if err != nil {
			return p, err
		}
		p.Examples = append(p.Examples, string(text))
	}
	return p, nil
}

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
// columns begin where the words of the first row begin. A row without a key continues
// the meaning of the row above.
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
			row := []rune(strings.TrimRight(l[1:], "\n"))
			if second == 0 {
				second, third = strings.Index(string(row), "default"), strings.Index(string(row), "meaning")
				if second <= 0 || third < second {
					return nil, nil, fmt.Errorf("%s: the first row of the table is not key, default, meaning: %s",
						file, string(row))
				}
				continue
			}
			if len(row) <= third || row[second-1] != ' ' || row[third-1] != ' ' {
				return nil, nil, fmt.Errorf("%s: this row does not keep to the columns: %s", file, string(row))
			}
			cell := func(r []rune) string { return strings.TrimSpace(string(r)) }
			k := key{cell(row[:second]), cell(row[second:third]), cell(row[third:])}
			if last := len(keys) - 1; k.Name == "" && last >= 0 {
				keys[last].Meaning += " " + k.Meaning
				continue
			}
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, nil, fmt.Errorf("%s has no table of keys", file)
	}
	return keys, notes, nil
}
