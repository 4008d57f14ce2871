package format

import (
	"fmt"
	"strings"
)

// value reads the value of a variable. One that is exported is a word of a shell, and has more of
// the line behind it. Another one is one as well, if it begins with a quotation mark or has some
// without spaces; otherwise it goes to the end of the line, as files for docker run have it.
func (e envFile) value(name, text string, exported bool) (value, rest string, problem string) {
	quoted := text != "" && strings.ContainsRune(`"'`, rune(text[0]))
	if !exported && !quoted {
		text, _, _ = strings.Cut(text, " #")
		if text = strings.TrimSpace(text); strings.HasPrefix(text, "#") {
			text = ""
		}
		if word, rest, ok := e.word(name, text); ok && rest == "" {
			return word, "", ""
		}
		return e.expand(name, text), "", ""
	}
	value, rest, ok := e.word(name, text)
	trimmed := strings.TrimSpace(rest)
	switch {
	case !ok:
		return "", "", fmt.Sprintf("the value of %s has a quotation mark that does not end in its line", name)
	case !exported && trimmed != "" && trimmed[0] != '#':
		return "", "", fmt.Sprintf("more follows the quotation marks of %s", name)
	case !exported:
		rest = ""
	}
	return value, rest, ""
}

// word reads a word of a shell: parts in quotation marks and without, up to a space.
func (e envFile) word(name, text string) (word, rest string, ok bool) {
	var b strings.Builder
	for text != "" {
		switch c := text[0]; c {
		case ' ', '\t', ';':
			return b.String(), text, true
		case '\'':
			part, after, ok := strings.Cut(text[1:], "'")
			if !ok {
				return "", "", false
			}
			b.WriteString(part)
			text = after
		case '"':
			end := 1
			for end < len(text) && text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(text) {
				return "", "", false
			}
			b.WriteString(e.expand(name, text[1:end]))
			text = text[end+1:]
		default:
			end := strings.IndexAny(text, " \t;'\"")
			if end < 0 {
				end = len(text)
			}
			b.WriteString(e.expand(name, text[:end]))
			text = text[end:]
		}
	}
	return b.String(), "", true
}

// expand puts the values of variables in the place of $NAME and ${NAME}.
func (e envFile) expand(name, text string) string {
	return expand(text, func(variable string) (string, bool) {
		if why := e.unread[variable]; why != "" {
			return "", false
		}
		v, ok := e.vars[variable]
		return v.text, ok
	}, func(what string) {
		e.unread[name] = fmt.Sprintf("%s has %s, which the lines above do not set: write what it stands for",
			name, what)
	})
}

// expand resolves references to variables, and tells what cannot be resolved.
func expand(text string, lookup func(string) (string, bool), unknown func(what string)) string {
	var b strings.Builder
	for text != "" {
		at := strings.IndexAny(text, "$\\`")
		if at < 0 || at == len(text)-1 {
			break
		}
		b.WriteString(text[:at])
		mark, next := text[at], text[at+1]
		text = text[at+1:]
		switch {
		case mark == '\\':
			if !strings.ContainsRune("\"\\$`", rune(next)) {
				b.WriteByte(mark)
			}
			b.WriteByte(next)
			text = text[1:]
		case mark == '`' || next == '(':
			unknown("the output of a command")
			return ""
		case next == '{':
			inner, after, ok := strings.Cut(text[1:], "}")
			n := wordLength(inner)
			value, known := lookup(inner[:n])
			operator := inner[n:]
			switch {
			case known && (value != "" || !strings.HasPrefix(operator, ":")) && (operator == "" || isDefault(operator)):
			case isDefault(operator):
				value = operator[strings.IndexByte(operator, '-')+1:]
			default:
				ok = false
			}
			if !ok {
				unknown("${" + inner[:n] + "}")
				return ""
			}
			b.WriteString(value)
			text = after
		case isWordByte(next) && (next < '0' || next > '9'):
			n := wordLength(text)
			value, known := lookup(text[:n])
			if !known {
				unknown("$" + text[:n])
				return ""
			}
			b.WriteString(value)
			text = text[n:]
		default:
			b.WriteByte(mark)
		}
	}
	return b.String() + text
}

// isDefault reports whether the operator of ${NAME:-value} gives a default.
func isDefault(operator string) bool {
	return strings.HasPrefix(operator, "-") || strings.HasPrefix(operator, ":-")
}
