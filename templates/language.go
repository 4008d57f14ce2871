package templates

import (
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"strings"

	"golang.org/x/text/language"
	numbers "golang.org/x/text/message"
)

// Language is one language of the page.
type Language struct {
	Tag  string // BCP 47
	Name string // in itself
	Dir  string // the direction in which it is written, ltr or rtl

	tag     language.Tag
	texts   catalogue
	english catalogue // for what texts lacks
	numbers *numbers.Printer
	pages   *template.Template
}

// rightToLeft are the scripts that are written from right to left (ISO 15924).
const rightToLeft = "Adlm Arab Hebr Nkoo Rohg Syrc Thaa"

func directionOf(tag language.Tag) string {
	if script, _ := tag.Script(); strings.Contains(rightToLeft, script.String()) {
		return "rtl"
	}
	return "ltr"
}

// Execute writes the page for the data.
func (l *Language) Execute(w io.Writer, data any) error {
	return l.pages.ExecuteTemplate(w, "page", data)
}

// Text is a text without markup, for plain text. The values are names and values
// in turn. It is for keys that the program names; one that does not exist comes
// back itself.
func (l *Language) Text(key string, values ...any) string {
	text, err := l.plain(key, values...)
	if err != nil {
		return key
	}
	return text
}

// Words is a text without markup, for a page: it has no line to end where none
// should.
func (l *Language) Words(key string) string {
	m, err := l.message(key)
	if err != nil || len(m.holes) > 0 {
		return key
	}
	return m.whole[0].literal
}

// Has reports whether there is a text of that key.
func (l *Language) Has(key string) bool {
	_, err := l.message(key)
	return err == nil
}

func (l *Language) message(key string) (message, error) {
	if m, ok := l.texts[key]; ok {
		return m, nil
	}
	if m, ok := l.english[key]; ok {
		return m, nil
	}
	return message{}, fmt.Errorf("there is no text %q", key)
}

// functions are what templates call.
func (l *Language) functions() template.FuncMap {
	return template.FuncMap{"t": l.markup, "text": l.plain, "tel": tel}
}

// Part is one of the templates alone, for what stands on a page several times.
func (l *Language) Part(name string, data any) (template.HTML, error) {
	var b strings.Builder
	err := l.pages.ExecuteTemplate(&b, name, data)
	return template.HTML(b.String()), err
}

// markup is a text for the content of an element. What is filled in is escaped.
func (l *Language) markup(key string, values ...any) (template.HTML, error) {
	m, err := l.message(key)
	if err != nil {
		return "", err
	}
	text, err := fill(m.markup, html.EscapeString, l.format, values)
	if err != nil {
		return "", fmt.Errorf("text %q: %w", key, err)
	}
	return template.HTML(text), nil
}

func (l *Language) plain(key string, values ...any) (string, error) {
	m, err := l.message(key)
	if err != nil {
		return "", err
	}
	text, err := fill(m.plain, nil, l.format, values)
	if err != nil {
		return "", fmt.Errorf("text %q: %w", key, err)
	}
	return text, nil
}

// format writes a value as the language writes it: 2,000 or 2 000.
func (l *Language) format(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	return l.numbers.Sprint(value)
}

var errNoFunctions = errors.New("a template was executed before it had its language")

// placeholders stand for the functions while templates are parsed, before they
// are bound to a language.
var placeholders = template.FuncMap{
	"t":    func(string, ...any) (template.HTML, error) { return "", errNoFunctions },
	"text": func(string, ...any) (string, error) { return "", errNoFunctions },
	"tel":  tel,
}

// tel is the link to a telephone number, without the spaces that make it
// readable (RFC 3966 §3).
func tel(number string) template.URL {
	return template.URL("tel:" + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, number))
}
