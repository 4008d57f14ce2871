package config

import (
	"embed"
	"maps"
	"path"
	"slices"
	"strings"
)

//go:embed presets/*.yaml
var presetFiles embed.FS

// Preset is what a well-known mail system keeps its accounts in, as an account source.
type Preset struct {
	Name  string // its key in accounts
	Title string // the system, and which of its versions
	Needs string // the keys that it needs
}

// Presets returns all presets by name.
func Presets() []Preset {
	var all []Preset
	for _, name := range presetNames() {
		text, _ := PresetText(name)
		title, rest, _ := strings.Cut(strings.TrimPrefix(text, "# "), "\n")
		needs, _, _ := strings.Cut(strings.TrimPrefix(rest, "# Needs "), "\n")
		all = append(all, Preset{name, strings.TrimSuffix(title, "."), strings.TrimSuffix(needs, ".")})
	}
	return all
}

// PresetText returns a preset as YAML in the general form, to be copied and changed.
func PresetText(name string) (text string, ok bool) {
	data, err := presetFiles.ReadFile("presets/" + name + ".yaml")
	return string(data), err == nil
}

func presetNames() []string {
	files, _ := presetFiles.ReadDir("presets") // an embedded directory can always be read
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(file.Name(), path.Ext(file.Name())))
	}
	return names
}

// readPreset reads a store whose other keys are those of a preset.
func readPreset(l *loader, v *value, name string) {
	if !v.is(mapping, "a mapping (key: value)") {
		return
	}
	kind, keys := presetFor(name, v.node)
	merged := overlay(keys, *v.node)
	if database := find(v.node, "database"); kind == "sql" && database != nil && !presetHas(name, database.text) {
		v.faultAt(database.line, "database: %s is kept in another database: the preset needs %s",
			name, presetNeeds(name))
	}
	readStore(l, &value{node: &merged, parent: v.parent, key: v.key, pos: v.pos, l: l}, name,
		"; "+name+" needs "+presetNeeds(name), storeKinds[kind])
}

// ofOperator are the keys that only stand in a preset as examples.
var ofOperator = []string{"database", "passwordFile", "server", "bindDN", "folder", "caRoot", "provider"}

// presetFor returns the keys of a preset, and of which kind of store they are. Of two
// kinds it takes the one for which the operator names a server, database or folder.
func presetFor(name string, operator *node) (kind string, keys node) {
	text, _ := PresetText(name)
	l := &loader{file: name}
	root, _ := parseYAML(l, []byte(text))
	accounts := find(&root, "accounts")
	for i := range accounts.items {
		of, item := accounts.items[i].items[0].text, accounts.items[i].items[1]
		required := storeKinds[of].required
		if i == 0 || len(required) > 0 && find(operator, required[0]) != nil {
			kind, keys = of, item
		}
	}
	var kept []node
	for i := 0; i+1 < len(keys.items); i += 2 {
		key, item := keys.items[i].text, keys.items[i+1]
		isBase := key == "base" || key == "domainBase"
		if slices.Contains(ofOperator, key) || isBase && !strings.HasSuffix(item.text, ",") {
			continue
		}
		kept = append(kept, keys.items[i], item)
	}
	keys.items = kept
	return kind, keys
}

// find returns the value of a key of a mapping, or nil.
func find(n *node, key string) *node {
	for i := 0; n.kind == mapping && i+1 < len(n.items); i += 2 {
		if n.items[i].text == key {
			return &n.items[i+1]
		}
	}
	return nil
}

// overlay returns a mapping with the operator's keys and those of the preset that it
// does not have.
func overlay(preset, operator node) node {
	merged := operator
	merged.items = slices.Clone(operator.items)
	for i := 0; i+1 < len(preset.items); i += 2 {
		key, item := preset.items[i], preset.items[i+1]
		own := find(&merged, key.text)
		switch {
		case own == nil:
			item.preset = true
			merged.items = append(merged.items, key, item)
		case own.kind == mapping && item.kind == mapping:
			*own = overlay(item, *own)
		}
	}
	return merged
}

// presetNeeds returns what a preset needs.
func presetNeeds(name string) string {
	for _, p := range Presets() {
		if p.Name == name {
			return p.Needs
		}
	}
	return ""
}

// schemes are the words for one kind of database.
var schemes = map[string]string{"postgresql": "postgres", "mariadb": "mysql", "sqlite3": "sqlite", "file": "sqlite"}

// presetHas reports whether the preset knows the kind of database to which a URL leads,
// or the URL has none that any preset knows.
func presetHas(name, url string) bool {
	scheme, _, _ := strings.Cut(strings.ToLower(url), ":")
	if word := schemes[scheme]; word != "" {
		scheme = word
	}
	known := slices.Contains(slices.Collect(maps.Values(schemes)), scheme)
	return !known || strings.Contains(presetNeeds(name), scheme+":")
}

// merge returns the keys of all.
func merge[T any](all ...keys[T]) keys[T] {
	merged := keys[T]{}
	for _, k := range all {
		maps.Copy(merged, k)
	}
	return merged
}
