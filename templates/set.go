package templates

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sync"

	"golang.org/x/text/language"

	"signpost/internal/fault"
)

//go:embed html/*.html text/*.json static/*
var embedded embed.FS

// Files of which there is one.
const (
	styleFile  = "static/style.css"
	scriptFile = "static/copy.js"
)

// Dirs lists the directories of a set's files.
var Dirs = []string{"html", "text", "static"}

// Set holds everything that people read. It is safe for concurrent use and never
// changes.
type Set struct {
	Languages []*Language // English, the fallback, is the first
	Style     []byte      // of the page, CSS
	Script    []byte      // of the page, JavaScript

	// Warnings do not keep the set from being used. They name files that the page
	// does not use, rules of an operator's style for what the page no longer has, and
	// texts that an operator's language lacks; the English texts stand in for those.
	Warnings []fault.Fault

	matcher language.Matcher
}

// Embedded returns the set of files that come with the program.
var Embedded = sync.OnceValue(func() *Set {
	set, err := Load(nil)
	if err != nil {
		panic(err) // excluded by the tests
	}
	return set
})

// Load reads the embedded files, overlaid with those of an operator's directory;
// overlay may be nil. The error is of type fault.List.
func Load(overlay fs.FS) (*Set, error) {
	l := loader{files: map[string]file{}, set: &Set{}}
	l.readAll(embedded, false)
	if overlay != nil {
		l.readAll(overlay, true)
	}
	l.loadTexts()
	l.loadPages()
	l.set.Style, l.set.Script = l.served(styleFile), l.served(scriptFile)
	if len(l.faults) > 0 {
		return nil, l.faults
	}
	return l.set, nil
}

type loader struct {
	files       map[string]file
	set         *Set
	faults      fault.List
	pages       *template.Template
	baseEnglish catalogue // the embedded English texts, if an overlay changes some
}

func (l *loader) fault(file string, line int, format string, args ...any) {
	l.faults = append(l.faults, fault.Fault{File: file, Line: line, Text: fmt.Sprintf(format, args...)})
}

func (l *loader) warn(file, text string) {
	l.set.Warnings = append(l.set.Warnings, fault.Fault{File: file, Text: text})
}

// loadTexts reads the catalogues, English first.
func (l *loader) loadTexts() {
	const english = "text/en.json"
	names := slices.DeleteFunc(sortedKeys(l.files), func(name string) bool {
		return path.Dir(name) != "text" || name == english
	})
	var tags []language.Tag
	for _, name := range append([]string{english}, names...) {
		tag, err := languageOf(name)
		if err != nil {
			l.fault(name, 0, "%v", err)
			continue
		}
		l.loadLanguage(tag, name)
		tags = append(tags, tag)
	}
	l.set.matcher = language.NewMatcher(tags)
}

// loadLanguage reads the catalogue of one language.
func (l *loader) loadLanguage(tag language.Tag, name string) {
	lang := &Language{Tag: tag.String(), Dir: directionOf(tag), texts: catalogue{}, numbers: newPrinter(tag), tag: tag}
	f := l.files[name]
	faults := lang.texts.readFile(name, f.base)
	if lang.Tag == "en" && f.base != nil {
		l.baseEnglish = maps.Clone(lang.texts)
	}
	faults = append(faults, lang.texts.readFile(name, f.data)...)
	lang.texts.joinForms()
	l.faults = append(l.faults, faults...)
	l.set.Languages = append(l.set.Languages, lang)
	lang.english = l.set.Languages[0].texts
	lang.Name = lang.Text(nameKey)
	if len(faults) > 0 {
		return
	}
	if _, ok := lang.texts[nameKey]; !ok {
		l.fault(name, 0, "lacks %q, the language's name in itself", nameKey)
	}
	if !f.embedded {
		l.compare(lang, name)
	}
}

// compare checks an operator's catalogue against the English one. A text that is
// lacking is a warning, as the English one stands in for it; a text that cannot
// work is a fault. The English catalogue may have texts of its own, for the
// operator's templates.
func (l *loader) compare(lang *Language, name string) {
	isEnglish := lang == l.set.Languages[0]
	with := lang.english
	if isEnglish {
		with = l.baseEnglish
	}
	d := lang.texts.compare(with, name)
	l.set.Warnings = append(l.set.Warnings, d.missing...)
	l.faults = append(l.faults, d.misnamed...)
	if !isEnglish {
		l.faults = append(l.faults, d.unused...)
	}
}

// loadPages parses the templates and binds them to each language.
func (l *loader) loadPages() {
	l.pages = template.New("").Funcs(new(Language).functions()).Option("missingkey=error")
	for _, name := range sortedKeys(l.files) {
		if path.Dir(name) != "html" {
			continue
		}
		if _, err := l.pages.New(name).Parse(string(l.files[name].data)); err != nil {
			l.faults = append(l.faults, faultOf(err, name))
		}
	}
	if len(l.faults) > 0 {
		return
	}
	l.checkTexts()
	l.checkIncludes()
	l.checkStyle()
	for _, lang := range l.set.Languages {
		pages, err := l.pages.Clone()
		if err != nil {
			l.faults = append(l.faults, faultOf(err, "html/page.html"))
			return
		}
		lang.pages = pages.Funcs(lang.functions())
		for _, t := range templatesOf(lang.pages) {
			lang.fold(t.Tree.Root)
		}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
