package format

import (
	"strings"
)

// iniSection is a section of a file that Python's configparser reads: names of keys have no
// case, and those of [DEFAULT] are in every section.
type iniSection struct {
	name string
	line int
	keys map[string]iniValue
}

type iniValue struct {
	text      string
	line      int
	inherited bool // from [DEFAULT]
}

// readINI reads the sections of a file in order.
func readINI(f File) ([]*iniSection, error) {
	data, err := text(f)
	if err != nil {
		return nil, err
	}
	var sections []*iniSection
	var current *iniSection
	last := ""
	line := 0
	for l := range strings.Lines(data) {
		line++
		l = strings.TrimRight(l, "\r\n")
		trimmed := strings.TrimSpace(l)
		switch {
		case trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';':
			continue
		case trimmed[0] == '[':
			name, _, ok := strings.Cut(trimmed[1:], "]")
			if !ok {
				return nil, faultAt(f.Path, line, "the name of the section does not end with ]")
			}
			current = &iniSection{name: strings.TrimSpace(name), line: line, keys: map[string]iniValue{}}
			sections = append(sections, current)
			last = ""
			continue
		case current == nil:
			return nil, faultAt(f.Path, line, "a key stands before the first section")
		case (l[0] == ' ' || l[0] == '\t') && last != "":
			v := current.keys[last]
			v.text += "\n" + trimmed
			current.keys[last] = v
			continue
		}
		end := strings.IndexAny(trimmed, "=:")
		if end < 0 {
			return nil, faultAt(f.Path, line, "the line is neither a section nor a key with a value")
		}
		last = strings.ToLower(strings.TrimSpace(trimmed[:end]))
		current.keys[last] = iniValue{text: strings.TrimSpace(trimmed[end+1:]), line: line}
	}
	inherit(sections)
	return sections, nil
}

// inherit gives every section the keys of [DEFAULT] that it lacks.
func inherit(sections []*iniSection) {
	for _, defaults := range sections {
		if defaults.name != "DEFAULT" {
			continue
		}
		for _, s := range sections {
			for key, v := range defaults.keys {
				if _, own := s.keys[key]; !own {
					v.inherited = true
					s.keys[key] = v
				}
			}
		}
	}
}
