package templates

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"signpost/account"
)

// TestEveryTextIsUsed checks that a template or package setup uses each text, and that
// each text that package setup names exists.
func TestEveryTextIsUsed(t *testing.T) {
	set := embeddedSet(t)
	named := map[string]bool{"language": true}
	files, err := filepath.Glob("../internal/setup/*.go")
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`^[a-z]+(\.[a-z0-9]+)+$`)
	keys := sortedKeys(set.Languages[0].texts)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			group, _, _ := strings.Cut(text, ".")
			isText := key.MatchString(text) && slices.ContainsFunc(keys,
				func(k string) bool { return strings.HasPrefix(k, group+".") })
			if slices.Contains(keys, text) {
				named[text] = true
			} else if isText {
				t.Errorf("%s names the text %q, which does not exist", name, text)
			}
			return true
		})
	}
	for _, key := range composedKeys() {
		if !slices.Contains(keys, key) {
			t.Errorf("there is no text %q, which package setup composes", key)
		}
		named[key] = true
	}
	// In the loaded templates, texts stand in place of their keys.
	used := regexp.MustCompile(`\b(?:t|text) "([a-z0-9.]+)"`)
	for _, source := range embeddedHTML(t) {
		for _, match := range used.FindAllStringSubmatch(source, -1) {
			named[match[1]] = true
		}
	}
	for _, key := range keys {
		if base, _, ok := cutForm(key); ok {
			key = base
		}
		if !named[key] {
			t.Errorf("nothing uses the text %q", key)
		}
	}
}

// composedKeys returns the keys that package setup makes of the names of server types,
// socket types and devices.
func composedKeys() []string {
	var keys []string
	for _, t := range account.ServerTypes {
		keys = append(keys, "server."+string(t))
	}
	for _, s := range []account.SocketType{account.SSL, account.STARTTLS, account.Plain} {
		keys = append(keys, "security."+strings.ToLower(string(s)))
	}
	for _, device := range []string{"iphone", "mac", "android", "outlook", "thunderbird", "other"} {
		keys = append(keys, device+".title")
	}
	return keys
}

// embeddedHTML returns the sources of the embedded templates.
func embeddedHTML(t testing.TB) []string {
	t.Helper()
	names, err := fs.Glob(embedded, "html/*.html")
	if err != nil || len(names) == 0 {
		t.Fatalf("no templates are embedded: %v", err)
	}
	var sources []string
	for _, name := range names {
		data, err := embedded.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, string(data))
	}
	return sources
}
