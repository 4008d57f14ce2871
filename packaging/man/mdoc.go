package main

import (
	"bytes"
	"strings"
	"time"
)

// page is a manual page in the mdoc language, which mandoc and groff read.
type page struct{ bytes.Buffer }

// begin writes the prologue of a page.
func (p *page) begin(title, section string, day time.Time) {
	p.WriteString(".Dd " + day.Format("January 2, 2006") + "\n")
	p.WriteString(".Dt " + strings.ToUpper(title) + " " + section + "\n")
	p.macro("Os")
}

// macro writes a line with a macro and its arguments.
func (p *page) macro(name string, args ...string) {
	p.WriteString("." + name)
	for _, arg := range args {
		p.WriteString(" " + argument(arg))
	}
	p.WriteByte('\n')
}

// text writes running text with each sentence on a line of its own, because that is
// how mdoc recognises the end of a sentence.
func (p *page) text(text string) {
	const width = 66
	at := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case at == 0:
			word = line(word)
		case at+len(word) > width:
			p.WriteByte('\n')
			word, at = line(word), 0
		default:
			p.WriteByte(' ')
			word = escape(word)
		}
		p.WriteString(word)
		if at += len(word) + 1; strings.HasSuffix(word, ".") {
			p.WriteByte('\n')
			at = 0
		}
	}
	if at > 0 {
		p.WriteByte('\n')
	}
}

// literal writes lines without formatting.
func (p *page) literal(text string) {
	p.macro("Bd", "-literal", "-offset", "indent")
	for l := range strings.Lines(strings.TrimRight(text, "\n")) {
		p.WriteString(line(strings.TrimRight(l, "\n")) + "\n")
	}
	p.macro("Ed")
}

// escape escapes the characters that the formatter would interpret. An unescaped
// hyphen would become a typographic one, which cannot be pasted into a shell.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`).Replace(text)
}

// line escapes a text at the beginning of a line, where a dot would begin a macro.
func line(text string) string {
	if strings.HasPrefix(text, ".") {
		return `\&` + escape(text)
	}
	return escape(text)
}

// argument escapes one argument of a macro, even if it looks like a macro itself.
func argument(text string) string {
	if strings.HasPrefix(text, "-") && !strings.ContainsAny(text, " \"") {
		return text // an option of the macro
	}
	text = strings.ReplaceAll(escape(text), `"`, `\(dq`)
	if strings.ContainsAny(text, " ") || text == "" {
		return `"` + text + `"`
	}
	if len(text) <= 3 {
		return `\&` + text // Nm, Ar, comma: macros and punctuation
	}
	return text
}
