package doctor

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// line writes a line. What strangers sent stands in lines as printable text.
func (w *page) line(text string) {
	w.WriteString(strings.TrimRight(printable(text), " ") + "\n")
}

// printable returns a text without anything that moves a terminal's cursor, colours it or
// turns the direction of writing.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '�'
		}
		return r
	}, text)
}

// paragraph writes a text after a label, and breaks it into lines that begin below its first word.
func (w *page) paragraph(label, text string) {
	w.paragraphs(label, strings.Repeat(" ", utf8.RuneCountInString(label)), text)
}

// paragraphs writes a text after a label. Its further lines begin with indent.
func (w *page) paragraphs(label, indent, text string) {
	for i, part := range broken(text, w.width-utf8.RuneCountInString(label), w.width-utf8.RuneCountInString(indent)) {
		if i > 0 {
			label = indent
		}
		w.line(label + part)
	}
}

// record writes a line of a zone file. It is not broken, as it is to be pasted.
func (w *page) record(label, record string) { w.line(label + record) }

// row writes cells in columns after a mark, each broken into lines as wide as its column.
func (w *page) row(columns []int, mark string, cells ...string) {
	parts := make([][]string, len(cells))
	lines := 0
	for i, cell := range cells {
		parts[i] = broken(cell, columns[i], columns[i])
		lines = max(lines, len(parts[i]))
	}
	for n := range lines {
		var b strings.Builder
		b.WriteString(mark)
		mark = strings.Repeat(" ", utf8.RuneCountInString(mark))
		for i, column := range columns {
			text := ""
			if n < len(parts[i]) {
				text = parts[i][n]
			}
			b.WriteString(text)
			b.WriteString(strings.Repeat(" ", max(column-utf8.RuneCountInString(text), 0)+2))
		}
		w.line(b.String())
	}
}

// broken breaks a text into lines, the first of them at most first columns wide and the
// others at most rest. A word that is wider than a line is broken anywhere.
func broken(text string, first, rest int) []string {
	first, rest = max(first, 8), max(rest, 8)
	var lines []string
	line, width := "", first
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
			width = rest
		}
		runes := []rune(word)
		for len(runes) > width {
			lines = append(lines, string(runes[:width]))
			runes = runes[width:]
			width = rest
		}
		line = string(runes)
	}
	return append(lines, line)
}
