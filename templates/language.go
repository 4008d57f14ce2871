package templates

import (
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
	tag     language.Tag
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

// ExecuteFragment writes the page for the data as a part of another site.
func (l *Language) ExecuteFragment(w io.Writer, data any) error {
	return l.pages.ExecuteTemplate(w, "fragment", data)
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
	m, err := l.message(key, nil)
	if err != nil || len(m.names) > 0 {
		return key
	}
	return m.unbroken[0].literal
}

// message returns a text, in the plural form for the values.
func (l *Language) message(key string, values []any) (message, error) {
	if m, ok := l.texts[key]; ok {
		return m.formFor(l.tag, values), nil
	}
	if m, ok := l.english[key]; ok {
		return m.formFor(language.English, values), nil
	}
	return message{}, fmt.Errorf("there is no text %q", key)
}

// functions returns the functions that templates call. Those of a Language without
// texts stand in for them while templates are parsed.
func (l *Language) functions() template.FuncMap {
	return template.FuncMap{"t": l.markup, "text": l.plain, "tel": tel}
}

// markup returns a text for the content of an element. Values are escaped.
func (l *Language) markup(key string, values ...any) (template.HTML, error) {
	m, err := l.message(key, values)
	if err != nil {
		return "", err
	}
	text, err := l.fill(key, m.markup, l.element, values)
	return template.HTML(text), err
}

// element returns a value as the content of an element. In a text from right to left,
// <bdi> keeps an address or a number in the order in which it is typed.
func (l *Language) element(value string) string {
	if l.Dir == "rtl" {
		return "<bdi>" + html.EscapeString(value) + "</bdi>"
	}
	return html.EscapeString(value)
}

// plain returns a text without markup.
func (l *Language) plain(key string, values ...any) (string, error) {
	m, err := l.message(key, values)
	if err != nil {
		return "", err
	}
	return l.fill(key, m.plain, l.LeftToRight, values)
}

// LeftToRight returns a value, such as a URL or a number, for plain text. In a text
// from right to left, an invisible mark before it keeps what it begins with, such as
// the + of a telephone number, on its left.
func (l *Language) LeftToRight(value string) string {
	if l.Dir == "rtl" {
		return "\u200e" + value
	}
	return value
}

// fill joins the pieces of a text. Values alternates names and values; each value
// that is used is written as the language does and then escaped.
func (l *Language) fill(key string, pieces []piece, escape func(string) string, values []any) (string, error) {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.literal)
		if p.name == "" {
			continue
		}
		i := 0
		for i < len(values) && values[i] != p.name {
			i += 2
		}
		if i+1 >= len(values) {
			return "", fmt.Errorf("text %q: {%s} is not given a value here", key, p.name)
		}
		b.WriteString(escape(l.format(values[i+1])))
	}
	return b.String(), nil
}

// newPrinter returns a printer that groups digits as the language does. The digits are
// 0 to 9, as in the settings, also where the language has others.
func newPrinter(tag language.Tag) *numbers.Printer {
	if western, err := tag.SetTypeForKey("nu", "latn"); err == nil {
		tag = western
	}
	return numbers.NewPrinter(tag)
}

// format writes a value as the language does: 2,000 or 2 000.
func (l *Language) format(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	return l.numbers.Sprint(value)
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
