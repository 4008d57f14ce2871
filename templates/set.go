package templates

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
	numbers "golang.org/x/text/message"

	"signpost/internal/fault"
)

//go:embed html/*.html text/*.json static/*
var embedded embed.FS

// Folders are where the files of a set are.
var Folders = []string{"html", "text", "static"}

// Set is everything that people read, ready to be filled in. It is safe for
// concurrent use and never changes.
type Set struct {
	Languages []*Language // English first, as it is spoken to all others
	Style     []byte      // of the page, CSS
	Script    []byte      // of the page, JavaScript

	// Warnings are what does not keep the set from being used: files that are
	// not looked at, and texts that an operator's language lacks, for which the
	// English ones stand in.
	Warnings []fault.Fault

	matcher language.Matcher
	used    []string // keys of the texts that templates name
}

// Embedded are the files that come with the program.
var Embedded = sync.OnceValue(func() *Set {
	set, err := Load(nil)
	if err != nil {
		panic(err) // tests read them
	}
	return set
})

// Load reads the embedded files with those of an operator's folder over them.
// The overlay may be nil. The error is of type Faults.
func Load(overlay fs.FS) (*Set, error) {
	l := loader{files: map[string]file{}, set: &Set{}}
	l.readAll(embedded, false)
	if overlay != nil {
		l.readAll(overlay, true)
	}
	l.loadTexts()
	l.loadPages()
	l.set.Style, l.set.Script = l.files["static/style.css"].data, l.files["static/copy.js"].data
	if len(l.faults) > 0 {
		return nil, fault.List(l.faults)
	}
	return l.set, nil
}

// file is the content of a file, or of several over each other.
type file struct {
	data     []byte
	under    []byte // what an overlay covers
	embedded bool
}

type loader struct {
	files  map[string]file
	set    *Set
	faults []fault.Fault
	pages  *template.Template
	ours   catalogue // English as it is embedded, where an overlay covers it
}

func (l *loader) fault(file string, line int, format string, args ...any) {
	l.faults = append(l.faults, fault.Fault{File: file, Line: line, Text: fmt.Sprintf(format, args...)})
}

func (l *loader) warn(file string, line int, format string, args ...any) {
	l.set.Warnings = append(l.set.Warnings, fault.Fault{File: file, Line: line, Text: fmt.Sprintf(format, args...)})
}

// loadTexts reads the catalogues, English first.
func (l *loader) loadTexts() {
	const first = "text/en.json"
	names := slices.DeleteFunc(sortedKeys(l.files), func(name string) bool { return path.Dir(name) != "text" || name == first })
	var tags []language.Tag
	for _, name := range append([]string{first}, names...) {
		tag, err := languageOf(name)
		if err != nil {
			l.fault(name, 0, "%v", err)
			continue
		}
		lang := &Language{Tag: tag.String(), Dir: directionOf(tag), tag: tag, texts: catalogue{}, numbers: numbers.NewPrinter(tag)}
		f := l.files[name]
		faults := lang.texts.readFile(name, f.under)
		if lang.Tag == "en" && f.under != nil {
			l.ours = maps.Clone(lang.texts)
		}
		faults = append(faults, lang.texts.readFile(name, f.data)...)
		l.faults = append(l.faults, faults...)
		l.set.Languages = append(l.set.Languages, lang)
		lang.english = l.set.Languages[0].texts
		lang.Name = lang.Text(nameKey)
		if _, ok := lang.texts[nameKey]; !ok && len(faults) == 0 {
			l.fault(name, 0, "lacks %q, the language's name in itself", nameKey)
		}
		if !f.embedded && len(faults) == 0 {
			l.compare(lang, name)
		}
		tags = append(tags, tag)
	}
	l.set.matcher = language.NewMatcher(tags)
}

// compare looks at an operator's catalogue. What is lacking there is in English
// then, and a warning; what cannot work is a fault. English itself may have
// texts more, for templates of the operator's own.
func (l *loader) compare(lang *Language, name string) {
	with := lang.english
	if lang == l.set.Languages[0] {
		with = l.ours
	}
	for _, f := range lang.texts.compare(with, name) {
		switch {
		case strings.HasPrefix(f.Text, "lacks "):
			l.set.Warnings = append(l.set.Warnings, f)
		case lang != l.set.Languages[0] || !strings.HasSuffix(f.Text, "nothing uses"):
			l.faults = append(l.faults, f)
		}
	}
}

// loadPages parses the templates and binds them to each language.
func (l *loader) loadPages() {
	l.pages = template.New("").Funcs(placeholders).Option("missingkey=error")
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
	used := usedKeys(l.pages)
	l.set.used = sortedKeys(used)
	for _, key := range sortedKeys(used) {
		if !l.set.Languages[0].Has(key) {
			l.fault(used[key].File, used[key].Line, "there is no text %q", key)
		}
	}
	for _, key := range sortedKeys(l.set.Languages[0].texts) {
		_, known := l.ours[key]
		if _, ok := used[key]; l.ours != nil && !known && !ok {
			l.fault("text/en.json", l.set.Languages[0].texts[key].line, "has %q, which nothing uses", key)
		}
	}
	l.lookForTemplates()
	for _, lang := range l.set.Languages {
		pages, err := l.pages.Clone()
		if err != nil {
			l.faults = append(l.faults, faultOf(err, "html/page.html"))
			return
		}
		for _, page := range pages.Templates() {
			if page.Tree != nil {
				settle(page.Tree.Root, lang)
			}
		}
		lang.pages = pages.Funcs(lang.functions())
	}
}

// maxWishes is how much of a browser's list of languages is read.
const maxWishes = 200

// Match finds the language that suits best: the first wish that can be met, in
// the form of Accept-Language; a single tag is that too.
func (s *Set) Match(wishes ...string) *Language {
	for _, wish := range wishes {
		if len(wish) > maxWishes {
			wish = wish[:max(0, strings.LastIndexByte(wish[:maxWishes], ','))]
		}
		if wish == "" {
			continue
		}
		tags, _, err := language.ParseAcceptLanguage(wish)
		if err != nil {
			continue
		}
		if _, i, confidence := s.matcher.Match(tags...); confidence != language.No {
			return s.Languages[i]
		}
	}
	return s.Languages[0]
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
