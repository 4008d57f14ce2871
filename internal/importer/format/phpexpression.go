package format

import (
	"slices"
	"strconv"
	"strings"

	"signpost/internal/importer/draft"
)

// expression reads a value: terms joined by dots, perhaps one of two by a comparison.
func (p *phpProgram) expression() phpValue {
	p.nested++
	defer func() { p.nested-- }()
	v := p.joined()
	if t := p.next(); t.kind == '=' && len(t.text) > 1 {
		p.tokens = p.tokens[1:]
		other := p.joined()
		v.computed = v.computed || other.computed
		equal := v.text == other.text
		if v.text = ""; equal == (t.text == "==") {
			v.text = "1"
		}
	}
	if p.take('?') {
		yes := p.expression()
		if !p.take(':') {
			v.computed = true
			return v
		}
		no := p.expression()
		chosen := no
		if v.text != "" && v.text != "0" {
			chosen = yes
		}
		chosen.computed = chosen.computed || v.computed
		return chosen
	}
	return v
}

func (p *phpProgram) joined() phpValue {
	v := p.term()
	for p.take('.') {
		other := p.term()
		v.text += other.text
		v.computed = v.computed || other.computed || v.array || other.array || len(v.text) > maxPHPText
		v.text = v.text[:min(len(v.text), maxPHPText)]
	}
	return v
}

// maxPHPDepth is more than any settings have.
const maxPHPDepth = 32

func (p *phpProgram) term() phpValue {
	t := p.next()
	v := phpValue{at: draft.Place{File: p.file, Line: t.line}}
	if len(p.tokens) == 0 || p.nested > maxPHPDepth {
		p.tokens = nil
		v.computed = true
		return v
	}
	switch t.kind {
	case '\'':
		p.tokens = p.tokens[1:]
		v.text = t.text
	case '"':
		p.tokens = p.tokens[1:]
		v.text, v.computed = p.interpolated(t.text)
	case '$':
		p.tokens = p.tokens[1:]
		known := false
		if v, known = p.vars[t.text]; !known {
			v.computed = true
		}
		for p.take('[') {
			key := p.expression()
			v.computed = !p.take(']') || v.computed || key.computed
			field, known := v.fields[key.text]
			field.computed = field.computed || v.computed || !known
			v = field
		}
		v.at = draft.Place{File: p.file, Line: t.line}
	case '[':
		p.tokens = p.tokens[1:]
		p.elements(&v, ']')
	case '(':
		p.tokens = p.tokens[1:]
		if cast := p.next(); cast.kind == 'w' &&
			slices.Contains([]string{"int", "string"}, strings.ToLower(cast.text)) {
			p.tokens = p.tokens[1:]
			closed := p.take(')')
			v = p.term()
			v.computed = v.computed || !closed
			break
		}
		v = p.expression()
		v.computed = !p.take(')') || v.computed
	case 'w':
		p.tokens = p.tokens[1:]
		p.word(t.text, &v)
	default:
		v.computed = true
	}
	return v
}

// word reads a number, a constant, an array or the call of a function.
func (p *phpProgram) word(word string, v *phpValue) {
	lower := strings.ToLower(word)
	switch {
	case p.take('('):
		if lower == "array" {
			p.elements(v, ')')
			return
		}
		var list phpValue
		p.elements(&list, ')')
		var arguments []string
		for _, key := range list.keys {
			v.computed = v.computed || list.fields[key].computed
			arguments = append(arguments, list.fields[key].text)
		}
		text, ok := p.call(lower, arguments)
		v.text, v.computed = text, v.computed || list.computed || !ok
	case lower == "true":
		v.text = "1"
	case lower == "false" || lower == "null":
	case word[0] >= '0' && word[0] <= '9', word == "FILTER_SANITIZE_NUMBER_INT":
		v.text = word
	default:
		v.computed = true
	}
}

// elements reads the elements of an array, or the arguments of a call.
func (p *phpProgram) elements(v *phpValue, end rune) {
	v.array = true
	for n := 0; !p.take(end); n++ {
		value := p.expression()
		key := strconv.Itoa(n)
		if p.take('>') {
			key, v.computed = value.text, v.computed || value.computed
			value = p.expression()
		}
		if !p.take(',') && p.next().kind != end { // the value goes on in a way that is not known
			value.computed = true
			p.skip(end)
			if !p.take(',') && p.next().kind != end {
				v.computed = true
				return
			}
		}
		v.set(key, value)
	}
}

// skip goes to the end of an element that cannot be read.
func (p *phpProgram) skip(end rune) {
	for depth := 0; len(p.tokens) > 0; p.tokens = p.tokens[1:] {
		switch kind := p.next().kind; {
		case kind == ';', depth == 0 && (kind == end || kind == ','):
			return
		case kind == '(' || kind == '[':
			depth++
		case kind == ')' || kind == ']':
			depth--
		}
	}
}

// interpolated resolves the escapes and the variables of a text in double quotation marks.
func (p *phpProgram) interpolated(text string) (result string, computed bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		rest := text[i+1:]
		switch c := text[i]; {
		case c == '\\' && rest != "":
			i++
			if escape := strings.IndexByte(`"\$nt`, rest[0]); escape >= 0 {
				b.WriteByte("\"\\$\n\t"[escape])
				continue
			}
			b.WriteString(text[i-1 : i+1])
		case c == '{' && strings.HasPrefix(rest, "$"), c == '$' && strings.HasPrefix(rest, "{"):
			end := strings.IndexByte(rest, '}')
			if end < 0 {
				return "", true
			}
			v, known := p.vars[strings.Trim(rest[:end], "${")]
			if !known || v.array || v.computed {
				return "", true
			}
			b.WriteString(v.text)
			i += 1 + end
		case c == '$' && rest != "" && isWordByte(rest[0]):
			n := wordLength(rest)
			v, known := p.vars[rest[:n]]
			if !known || v.array || v.computed {
				return "", true
			}
			b.WriteString(v.text)
			i += n
		default:
			b.WriteByte(c)
		}
	}
	return b.String()[:min(b.Len(), maxPHPText)], b.Len() > maxPHPText
}

// call calls one of the functions that mailcow uses in its settings.
func (p *phpProgram) call(name string, arguments []string) (text string, ok bool) {
	if len(arguments) == 0 {
		return "", false
	}
	text = arguments[0]
	switch {
	case name == "getenv" && len(arguments) == 1:
		return p.getenv(text)
	case name == "intval" && len(arguments) == 1:
		return strconv.Itoa(number(text)), true
	case name == "trim" && len(arguments) == 1:
		return strings.TrimSpace(text), true
	case name == "strtolower" && len(arguments) == 1:
		return strings.ToLower(text), true
	case name == "strpos" && len(arguments) == 2, name == "strrpos" && len(arguments) == 2:
		at := strings.Index(text, arguments[1])
		if name == "strrpos" {
			at = strings.LastIndex(text, arguments[1])
		}
		if at < 0 {
			return "", true // false
		}
		return strconv.Itoa(at), true
	case name == "substr" && len(arguments) == 2:
		from := number(arguments[1])
		return text[min(max(from, 0), len(text)):], from >= 0
	case name == "filter_var" && len(arguments) == 2 && arguments[1] == "FILTER_SANITIZE_NUMBER_INT":
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r == '-' || r == '+' {
				return r
			}
			return -1
		}, text), true
	}
	return "", false
}
