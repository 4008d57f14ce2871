package format

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"signpost/internal/fault"
)

// composeCure is how everything gets its value that Compose takes from elsewhere.
const composeCure = "import what `docker compose config` prints"

// readCompose reads the environments of the services that set all variables that are needed.
func readCompose(f File, needed []string) (all []envFile, err error) {
	root, err := readYAML(f)
	if list, ok := errors.AsType[fault.List](err); ok && list[0].Text == errAnchor.Error() {
		list[0].Text += ", or " + composeCure
	}
	if err != nil {
		return nil, err
	}
	services := root.fields["services"]
	var elsewhere jsonValue // an env_file of a service that lacks the variables
	for _, name := range services.keys {
		service := services.fields[name]
		e := newEnv(f)
		e.compose(service.fields["environment"])
		missing := func(name string) bool { return e.vars[name].line == 0 }
		files, extends := service.fields["env_file"], service.fields["extends"]
		if slices.ContainsFunc(needed, missing) {
			if files.line > 0 && elsewhere.line == 0 {
				elsewhere = files
			}
			continue
		}
		if files.line > 0 {
			e.note(files.line, "env_file %s: what it sets is not read; %s", composeFiles(files), composeCure)
		}
		if extends.line > 0 {
			e.note(extends.line, "extends: what the other service sets is not read; %s", composeCure)
		}
		all = append(all, e)
	}
	switch {
	case len(all) > 0:
		return all, nil
	case elsewhere.line > 0:
		return nil, faultAt(f.Path, elsewhere.line, "the variables stand in %s: import that file instead, or %s",
			composeFiles(elsewhere), composeCure)
	}
	return nil, faultAt(f.Path, max(services.line, 1), "no service sets %s in its environment",
		strings.Join(needed, " and "))
}

// composeFiles names the files of env_file: a path, or a list of paths or of mappings with one.
func composeFiles(v jsonValue) string {
	var paths []string
	for _, item := range append([]jsonValue{v}, v.items...) {
		for _, path := range []string{item.text, item.fields["path"].text} {
			if path != "" {
				paths = append(paths, path)
			}
		}
	}
	return list(paths, "files")
}

// compose adds the variables of environment: a list of NAME=VALUE, or a mapping.
func (e *envFile) compose(environment jsonValue) {
	for _, item := range environment.items {
		name, value, ok := strings.Cut(item.text, "=")
		e.composeValue(name, value, item.line, ok)
	}
	for _, name := range environment.keys {
		v := environment.fields[name]
		e.composeValue(name, v.text, v.line, !v.null)
	}
}

func (e *envFile) composeValue(name, value string, line int, ok bool) {
	lookup := func(string) (string, bool) { return "", false } // what Compose has is not known here
	expanded := expandCompose(value, lookup, func(what string) {
		e.unread[name] = fmt.Sprintf("%s has %s, which Compose takes from elsewhere: %s", name, what, composeCure)
	})
	switch {
	case strings.Contains(value, "${") && ok && e.unread[name] == "":
		e.note(line, "%s: its default is taken; .env beside the file may set another value", name)
	case !ok:
		e.unread[name] = fmt.Sprintf("%s has no value here, and Compose takes it from elsewhere: %s", name, composeCure)
	}
	e.vars[name] = iniValue{text: expanded, line: line}
}

// expandCompose is expand for Compose, where a dollar sign is written twice.
func expandCompose(text string, lookup func(string) (string, bool), unknown func(string)) string {
	parts := strings.Split(text, "$$")
	for i, part := range parts {
		parts[i] = expand(strings.ReplaceAll(part, `\`, `\\`), lookup, unknown)
	}
	return strings.Join(parts, "$")
}
