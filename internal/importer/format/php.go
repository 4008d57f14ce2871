package format

import (
	"maps"
	"slices"

	"signpost/internal/importer/draft"
)

// phpValue is a value of PHP: a text, an array, or what only PHP could compute.
type phpValue struct {
	at       draft.Place
	text     string // of a text, a number, true (1) and false (empty)
	array    bool
	computed bool
	keys     []string // of an array, in order
	fields   map[string]phpValue
}

// The largest values that are read; settings are far smaller.
const (
	maxPHPText = 4096
	maxPHPKeys = 256
)

func (v *phpValue) set(key string, field phpValue) {
	if v.fields == nil {
		v.fields = map[string]phpValue{}
	}
	if _, known := v.fields[key]; !known {
		if len(v.keys) == maxPHPKeys {
			v.computed = true
			return
		}
		v.keys = append(v.keys, key)
	}
	v.fields[key] = field
}

// get returns what stands at a path of keys, such as imap, server.
func (v phpValue) get(path ...string) phpValue {
	for _, key := range path {
		v = v.fields[key]
	}
	return v
}

// phpProgram is a file of assignments that is being read. It knows some functions, and no loop and
// no condition: what depends on them is computed.
type phpProgram struct {
	file   string
	tokens []phpToken
	vars   map[string]phpValue
	getenv func(name string) (string, bool)
	braces int // that are open
	nested int // expressions within one another
}

// runPHP reads the assignments of a file into vars. It returns the places at which a variable of
// vars is used in another way than by a plain assignment.
func runPHP(f File, vars map[string]phpValue, getenv func(string) (string, bool)) (other []phpToken, err error) {
	tokens, err := scanPHP(f)
	if err != nil {
		return nil, err
	}
	p := &phpProgram{file: f.Path, tokens: tokens, vars: vars, getenv: getenv}
	for len(p.tokens) > 0 {
		more, err := p.statement()
		if err != nil {
			return nil, err
		}
		other = append(other, more...)
	}
	return other, nil
}

func (p *phpProgram) next() phpToken {
	if len(p.tokens) == 0 {
		return phpToken{}
	}
	return p.tokens[0]
}

// take takes the next token if it is of the kind.
func (p *phpProgram) take(kind rune) bool {
	if p.next().kind != kind {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

// statement reads up to the next semicolon or brace.
func (p *phpProgram) statement() (other []phpToken, err error) {
	first := p.next()
	switch {
	case p.take('{'):
		p.braces++
		return nil, nil
	case p.take('}'):
		p.braces--
		return nil, nil
	case p.take(';'):
		return nil, nil
	}
	if first.kind == '$' && p.braces == 0 {
		all := p.tokens
		if p.assignment() {
			return nil, nil
		}
		p.tokens = all
	}
	began := first.line
	for parentheses := 0; len(p.tokens) > 0; p.tokens = p.tokens[1:] {
		switch t := p.next(); t.kind {
		case '(', '[':
			parentheses++
		case ')', ']':
			parentheses--
		case '$':
			if _, known := p.vars[t.text]; known {
				other = append(other, t)
			}
		case ';', '{', '}':
			if parentheses <= 0 {
				return other, nil
			}
		}
	}
	if first.kind == '$' {
		return nil, faultAt(p.file, began, "$%s does not end", first.text)
	}
	return other, nil
}

// assignment reads $name['key'] = value; and reports whether it is one.
func (p *phpProgram) assignment() bool {
	name := p.next().text
	p.tokens = p.tokens[1:]
	var path []string
	for p.take('[') {
		key := p.next()
		if key.kind != '\'' && key.kind != '"' && key.kind != 'w' {
			return false
		}
		p.tokens = p.tokens[1:]
		path = append(path, key.text)
		if !p.take(']') {
			return false
		}
	}
	if t := p.next(); t.kind != '=' || t.text != "=" {
		return false
	}
	p.tokens = p.tokens[1:]
	value := p.expression()
	if !p.take(';') {
		return false
	}
	p.vars[name] = assigned(p.vars[name], path, value)
	return true
}

func assigned(v phpValue, path []string, value phpValue) phpValue {
	if len(path) == 0 {
		return value
	}
	v.keys, v.fields = slices.Clone(v.keys), maps.Clone(v.fields) // another variable may have them
	v.array, v.text = true, ""
	v.set(path[0], assigned(v.fields[path[0]], path[1:], value))
	return v
}
