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
	Name string // in the language itself
	Dir  string // direction of writing, ltr or rtl

	texts   catalogue
	english catalogue // stands in for what texts lacks
	numbers *numbers.Printer
	pages   *template.Template
}

// rightToLeft lists the scripts that are written from right to left (ISO 15924).
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

// Text returns a text as plain text, without markup. Values alternates names and
// values. Text is for keys that the program names and returns the key itself if
// there is no such text.
func (l *Language) Text(key string, values ...any) string {
	text, err := l.plain(key, values...)
	if err != nil {
		return key
	}
	return text
}

// Label returns a text without markup for use on a page: lines do not break
// within a word such as e-post. Like Text, it returns the key if there is no such
// text.
func (l *Language) Label(key string) string {
	m, err := l.message(key)
	if err != nil || len(m.names) > 0 {
		return key
	}
	return m.unbroken[0].literal
}

// Has reports whether the language or English has a text with the key.
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

// functions returns the functions that templates call.
func (l *Language) functions() template.FuncMap {
	return template.FuncMap{"t": l.markup, "text": l.plain, "tel": tel}
}

// markup returns a text for the content of an element. Values are escaped.
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

// plain returns a text without markup.
func (l *Language) plain(key string, values ...any) (string, error) {
	m, err := l.message(key)
	if err != nil {
		return "", err
	}
	unescaped := func(text string) string { return text }
	text, err := fill(m.plain, unescaped, l.format, values)
	if err != nil {
		return "", fmt.Errorf("text %q: %w", key, err)
	}
	return text, nil
}

// format writes a value as the language does: 2,000 or 2 000.
func (l *Language) format(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	return l.numbers.Sprint(value)
}

var errNoLanguage = errors.New("a template was executed before it was bound to a language")

// unboundFunctions stand in for the functions of a language while templates are
// parsed.
var unboundFunctions = template.FuncMap{
	"t":    func(string, ...any) (template.HTML, error) { return "", errNoLanguage },
	"text": func(string, ...any) (string, error) { return "", errNoLanguage },
	"tel":  tel,
}

// tel returns the link to a telephone number: the digits without the spaces that
// make it readable (RFC 3966 §3).
func tel(number string) template.URL {
	return template.URL("tel:" + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, number))
}
