package main

import (
	"embed"
	"strings"
	"text/template"
)

// The manual pages are in the mdoc language, which mandoc and groff read.
//
//go:embed *.tmpl
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"argument": argument, "escape": escape, "literal": literal, "text": text, "upper": strings.ToUpper,
}).ParseFS(files, "*.tmpl"))

// text formats running text with each sentence on a line of its own, because that is
// how mdoc recognises the end of a sentence.
func text(text string) string {
	const width = 66
	var out strings.Builder
	at := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case at == 0:
			word = line(word)
		case at+len(word) > width:
			out.WriteByte('\n')
			word, at = line(word), 0
		default:
			out.WriteByte(' ')
			word = escape(word)
		}
		out.WriteString(word)
		if at += len(word) + 1; strings.HasSuffix(word, ".") {
			out.WriteByte('\n')
			at = 0
		}
	}
	if at > 0 {
		out.WriteByte('\n')
	}
	return out.String()
}

// literal formats lines that stay as they are.
func literal(text string) string {
	var out strings.Builder
	for l := range strings.Lines(strings.TrimRight(text, "\n")) {
		out.WriteString(line(l))
	}
	return ".Bd -literal -offset indent\n" + out.String() + "\n.Ed\n"
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
	text = strings.ReplaceAll(escape(text), `"`, `\(dq`)
	if strings.ContainsAny(text, " ") || text == "" {
		return `"` + text + `"`
	}
	if len(text) <= 3 {
		return `\&` + text // Nm, Ar, comma: macros and punctuation
	}
	return text
}
