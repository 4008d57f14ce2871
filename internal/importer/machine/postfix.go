package machine

import (
	"fmt"
	"strings"

	"signpost/internal/fault"
	"signpost/internal/importer/draft"
)

// postfix is a configuration of Postfix.
type postfix struct {
	main     map[string]setting
	services []*service
}

// setting is a value and where it stands.
type setting struct {
	value string
	at    draft.Place
}

// service is a line of master.cf.
type service struct {
	name, kind, command string
	options             map[string]setting // -o name=value
	at                  draft.Place
}

// logicalLines yields the lines of main.cf, master.cf and Postfix's tables with the number
// of the first: one that begins with a blank goes on the line before it, and one that is
// empty or begins with # after any blanks is none (postconf(5), "text format").
func logicalLines(text string, yield func(line string, number int)) {
	number, begin := 0, 0
	var logical []string
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		if logical != nil && (line[0] == ' ' || line[0] == '\t') {
			logical = append(logical, trimmed)
			continue
		}
		if logical != nil {
			yield(strings.Join(logical, " "), begin)
		}
		logical, begin = []string{trimmed}, number
	}
	if logical != nil {
		yield(strings.Join(logical, " "), begin)
	}
}

// parseMain reads main.cf, or what postconf prints, or a file of a table.
func parseMain(text Text, faults *fault.List) map[string]setting {
	all := map[string]setting{}
	logicalLines(string(text.Data), func(line string, number int) {
		name, value, ok := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); !ok || !isName(name) {
			text.fault(faults, number, "this is not name = value")
			return
		}
		all[name] = setting{strings.TrimSpace(value), text.place(number)}
	})
	return all
}

// isName reports whether text can be the name of a parameter or a user's own.
func isName(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '_' && r != '-' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// parseMaster reads master.cf, or what postconf -M prints.
func parseMaster(text Text, faults *fault.List) (all []*service) {
	logicalLines(string(text.Data), func(line string, number int) {
		fields, ok := words(line)
		if !ok || len(fields) < 8 {
			text.fault(faults, number, "a service has eight columns, and braces come in pairs")
			return
		}
		s := &service{name: fields[0], kind: fields[1], command: fields[7], options: map[string]setting{},
			at: text.place(number)}
		for i := 8; i < len(fields); i++ {
			option, ok := strings.CutPrefix(fields[i], "-o")
			if !ok {
				continue // such as -v
			}
			if option == "" && i+1 < len(fields) {
				i++
				option = fields[i]
			}
			name, value, ok := strings.Cut(option, "=")
			if name = strings.TrimSpace(name); !ok || !isName(name) {
				text.fault(faults, number, "an option -o of %s is not name=value", s.name)
				continue
			}
			s.options[name] = setting{strings.TrimSpace(value), s.at}
		}
		all = append(all, s)
	})
	return all
}

// words splits a text at blanks. What stands in braces is one word, without them.
func words(text string) (all []string, ok bool) {
	depth, begin := 0, -1
	for i := 0; i <= len(text); i++ {
		switch {
		case i == len(text) || depth == 0 && (text[i] == ' ' || text[i] == '\t'):
			if begin >= 0 {
				all = append(all, unbraced(text[begin:i]))
			}
			begin = -1
			continue
		case text[i] == '{':
			depth++
		case text[i] == '}' && depth > 0:
			depth--
		}
		if begin < 0 {
			begin = i
		}
	}
	return all, depth == 0
}

// unbraced returns the word without a pair of braces around it.
func unbraced(word string) string {
	if inside, ok := strings.CutPrefix(word, "{"); ok {
		if inside, ok = strings.CutSuffix(inside, "}"); ok {
			return strings.TrimSpace(inside)
		}
	}
	return word
}

// setOptions adds what postconf -P prints: service/type/parameter = value.
func (p *postfix) setOptions(text Text, faults *fault.List) {
	byName := map[string][]*service{}
	for _, s := range p.services {
		byName[s.name+"/"+s.kind] = append(byName[s.name+"/"+s.kind], s)
	}
	logicalLines(string(text.Data), func(line string, number int) {
		name, value, ok := strings.Cut(line, "=")
		parts := strings.Split(strings.TrimSpace(name), "/")
		if !ok || len(parts) < 3 {
			text.fault(faults, number, "this is not service/type/parameter = value")
			return
		}
		last := len(parts) - 1
		for _, s := range byName[strings.Join(parts[:last], "/")] { // a name may be a path
			s.options[parts[last]] = setting{strings.TrimSpace(value), text.place(number)}
		}
	})
}

// place returns the place of a line. Those of a program's output tell nobody anything.
func (t Text) place(line int) draft.Place {
	if t.printed {
		line = 0
	}
	return draft.Place{File: t.Path, Line: line}
}

// fault adds a fault, of which few files have more than a handful.
func (t Text) fault(faults *fault.List, line int, format string, args ...any) {
	if len(*faults) < 20 {
		*faults = append(*faults, fault.Fault{File: t.Path, Line: line, Text: fmt.Sprintf(format, args...)})
	}
}
