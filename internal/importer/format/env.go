package format

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"signpost/internal/fault"
	"signpost/internal/importer/draft"
)

// envFile are variables by name, each with its line.
type envFile struct {
	file File
	vars map[string]iniValue
	// unread says why the value of a variable cannot be known. It matters if the variable does.
	unread map[string]string
	notes  []draft.Remark
	faults *fault.List // of variables that were asked for
}

func newEnv(f File) envFile {
	return envFile{file: f, vars: map[string]iniValue{}, unread: map[string]string{}, faults: &fault.List{}}
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readEnv reads variables as a shell or an env_file of Compose has them.
func readEnv(f File) (envFile, error) {
	e := newEnv(f)
	data, err := text(f)
	if err != nil {
		return e, err
	}
	line := 0
	for l := range strings.Lines(data) {
		line++
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' || l == "set -a" || l == "set +a" {
			continue
		}
		if problem := e.line(l, line); problem != "" {
			return e, faultAt(f.Path, line, "%s", problem)
		}
	}
	return e, nil
}

// line reads NAME=VALUE, or what follows export: several of them.
func (e envFile) line(l string, number int) (problem string) {
	exported := false
	for _, word := range []string{"export ", "declare -x "} {
		if rest, ok := strings.CutPrefix(l, word); ok {
			l, exported = strings.TrimSpace(rest), true
		}
	}
	for {
		name, value, ok := strings.Cut(l, "=")
		if name = strings.TrimSpace(name); !ok || !variable.MatchString(name) {
			return "the line is no NAME=VALUE"
		}
		value, rest, problem := e.value(name, strings.TrimSpace(value), exported)
		if problem != "" {
			return problem
		}
		e.vars[name] = iniValue{text: value, line: number}
		l = strings.TrimLeft(rest, "; \t")
		if l == "" || l[0] == '#' {
			return ""
		}
		if next, ok := strings.CutPrefix(l, "export "); ok {
			l = strings.TrimSpace(next)
		}
		for { // export NAME, of one that is set already
			name, after, ok := strings.Cut(l, " ")
			if !ok || !variable.MatchString(name) {
				break
			}
			l = after
		}
		if variable.MatchString(l) {
			return ""
		}
	}
}

func (e envFile) get(name string) string {
	v := e.vars[name]
	if problem := e.unread[name]; problem != "" {
		one := fault.Fault{File: e.file.Path, Line: v.line, Text: problem}
		if !slices.Contains(*e.faults, one) {
			*e.faults = append(*e.faults, one)
		}
	}
	return v.text
}

// err returns the faults of the variables that were asked for.
func (e envFile) err() error {
	if len(*e.faults) == 0 {
		return nil
	}
	return *e.faults
}

// note notes a remark that belongs to no variable that is lost.
func (e *envFile) note(line int, format string, args ...any) {
	e.notes = append(e.notes,
		draft.Remark{Place: draft.Place{File: e.file.Path, Line: line}, Text: fmt.Sprintf(format, args...)})
}

func (e envFile) at(name string) draft.Place {
	return draft.Place{File: e.file.Path, Line: e.vars[name].line}
}

// lose says of the variables that are set, and are none of those that were read, that they are
// not carried over.
func (e envFile) lose(d *draft.Draft, known []string, reasons map[string]string) {
	d.Lost = append(d.Lost, e.notes...)
	var names []string
	for name, v := range e.vars {
		if (v.text != "" || e.unread[name] != "") && !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(e.vars[a].line-e.vars[b].line, strings.Compare(a, b))
	})
	for _, name := range names {
		why := "has no equivalent"
		for prefix, reason := range reasons {
			if strings.HasPrefix(name, prefix) {
				why = reason
			}
		}
		if secretName.MatchString(name) {
			why = "left out, as a secret"
		}
		d.Lose(e.at(name), "%s: %s", name, why)
	}
}

var secretName = regexp.MustCompile(`(?i)pass|secret|token|key$`)

// hasVariable returns a function that reports whether a file sets all of the variables.
func hasVariable(names ...string) func(File) bool {
	var patterns []*regexp.Regexp
	for _, name := range names {
		patterns = append(patterns, regexp.MustCompile(`(?m)^\s*(?:-\s*)?["']?(?:export )?`+name+`["']?\s*[=:]`))
	}
	return func(f File) bool {
		for _, p := range patterns {
			if !p.Match(f.Data[:min(len(f.Data), 256<<10)]) {
				return false
			}
		}
		return true
	}
}

// isCompose reports whether a file is a compose.yaml with variables.
func isCompose(f File) bool {
	return bytes.Contains(f.Data, []byte("services:")) &&
		(bytes.Contains(f.Data, []byte("environment:")) || bytes.Contains(f.Data, []byte("env_file:")))
}

// eachEnv returns a Read that reads each file as variables, and of a compose.yaml each service
// that sets all that are needed.
func eachEnv(read func(envFile, *draft.Draft), needed ...string) func([]File, *draft.Draft) error {
	return func(files []File, d *draft.Draft) error {
		for _, f := range files {
			var all []envFile
			var err error
			if isCompose(f) {
				all, err = readCompose(f, needed)
			} else {
				all = make([]envFile, 1)
				all[0], err = readEnv(f)
			}
			if err != nil {
				return err
			}
			for _, e := range all {
				read(e, d)
				if err := e.err(); err != nil {
					return err
				}
			}
		}
		return nil
	}
}
