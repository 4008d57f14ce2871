package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"signpost/account"
	"signpost/internal/fault"
)

// yamlBreaks matches the line breaks of YAML that are allowed in a configuration.
var yamlBreaks = regexp.MustCompile(`\r\n|[\r\n]`)

// FuzzParse checks that no input makes the reader panic, that all faults can be printed,
// and that an accepted configuration has what the other packages rely on.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"../../testdata/config/*.yaml", "../../testdata/broken/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatal(pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 4<<10 { // the fuzzer would spend its time shortening larger ones
				f.Add(data)
			}
		}
	}
	f.Add([]byte(everything))
	// Inputs that have made YAML libraries of this family panic.
	for _, text := range []string{"#\n-\n-\n0", "0: [:!00 \xef", "#\n - - QI\xd7", "a:\n.\n-\n", "{? {? ", "  0: [\n] 0",
		"\"\\0\\\r\n", "? \ufeff: \ufeff\n", "&8:\n<<:\n - *8\n"} {
		f.Add([]byte(text))
	}
	path := filepath.Join(f.TempDir(), "x.yaml") // the directory is empty
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parse(path, data)
		faults, ok := errors.AsType[fault.List](err)
		switch {
		case err == nil:
			checkUsable(t, c)
		case !ok || len(faults) == 0 || c != nil:
			t.Fatalf("parse() = %v, %v, want a configuration or faults", c, err)
		}
		lines := 1 + len(yamlBreaks.FindAllIndex(data, -1))
		for _, fault := range faults {
			if fault.File != path {
				continue // the fault is in a file that the configuration names
			}
			if fault.Line < 0 || fault.Line > lines {
				t.Errorf("fault %q, but the file has only %d lines", fault, lines)
			}
			if strings.ContainsAny(fault.Text, "\n\r\x00\x1b") || !utf8.ValidString(fault.Text) {
				t.Errorf("fault %q contains control characters", fault.Text)
			}
			if wrong := misformatted(fault.Text, data); wrong != "" {
				t.Errorf("fault %q contains the formatting error %s", fault.Text, wrong)
			}
		}
	})
}

// formatErrors matches what package fmt writes if a format does not match its arguments
// ("Format errors" in its documentation): %!d(string=hi), %!s(<nil>),
// %!d(MISSING), %!(EXTRA int=1), %!v(PANIC=String method: …), %!(NOVERB).
var formatErrors = regexp.MustCompile(`%!.?\((MISSING|NOVERB|BADINDEX|BADWIDTH|BADPREC|EXTRA |PANIC=|<nil>|[\w.*{}\[\]]+=)`)

// misformatted returns a formatting error in a message, or "". A message quotes the
// file, so text of the file is no error, whether as written or as YAML reads it. Host
// names appear in lower case.
func misformatted(message string, data []byte) string {
	found := formatErrors.FindAllString(message, -1)
	if found == nil {
		return ""
	}
	quoted := strings.ToLower(string(data) + "\n" + strings.Join(yamlTexts(data), "\n"))
	for _, text := range found {
		if !strings.Contains(quoted, strings.ToLower(text)) {
			return text
		}
	}
	return ""
}

// yamlTexts returns all values, keys, tags and names of anchors, unescaped.
func yamlTexts(data []byte) []string {
	var texts []string
	var collect func(*yaml.Node)
	collect = func(n *yaml.Node) {
		texts = append(texts, n.Value, n.Tag, n.Anchor)
		for _, item := range n.Content {
			collect(item)
		}
	}
	for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var document yaml.Node
		if decoder.Decode(&document) != nil {
			return texts
		}
		collect(&document)
	}
}

func TestMisformatted(t *testing.T) {
	for _, args := range [][]any{{"%d", "hi"}, {"%d"}, {"x", 1}, {"%v", panics{}}, {"%[5]d", 1}, {"%*d", "x", 1},
		{"%.*d", "x", 1}, {"%"}, {"%d", nil}, {"%z", []byte("x")}, {"%d", &fault.Fault{}}} {
		message := fmt.Sprintf(args[0].(string), args[1:]...)
		if misformatted("p[0]: "+message, []byte("a: b")) == "" {
			t.Errorf("misformatted(%q) finds no error", message)
		}
		own, err := yaml.Marshal(map[string]string{"text": message})
		if err != nil {
			t.Fatal(err)
		}
		if got := misformatted(quote(message), own); got != "" {
			t.Errorf("misformatted() = %q for a text of the file, want none", got)
		}
	}
	for message, file := range map[string]string{
		`"%!d\t" is no host name`: `"%!d\t"`,
		`"100%!" is no name`:      `100%!`,
		`"%!d(MISSING)" is no host name`: `"\x25!d(M\
			ISSING)"`,
		`"%!d(int=3) is not a host name`: `%!D(INT=3)`,
		`tag "!%!d(MISSING)"`:            `!%25!d(MISSING) x`,
	} {
		if got := misformatted(message, []byte(file)); got != "" {
			t.Errorf("misformatted(%q) = %q for the file %q, want none", message, got, file)
		}
	}
}

type panics struct{}

func (panics) String() string { panic("no") }

// checkUsable checks what the other packages rely on.
func checkUsable(t *testing.T, c *Config) {
	if len(c.Providers) == 0 {
		t.Error("the configuration has no provider")
	}
	anna := mail(t, "anna@example.com")
	for _, p := range c.Providers {
		if p.ID == "" || p.DisplayName == "" || p.DisplayShortName == "" ||
			len(p.Servers) == 0 && p.AutodiscoverRedirect == nil {
			t.Errorf("provider without id, names or servers: %+v", p.Provider)
		}
		if c.Sample(p.ID).IsZero() && (len(p.Domains) > 0 || len(p.MX) > 0) {
			t.Errorf("Sample(%q) is empty, although the provider has domains", p.ID)
		}
		for _, client := range append([]account.Client{""}, account.Clients...) {
			if len(p.ServersFor(client)) != len(p.Servers) {
				t.Errorf("%s: ServersFor(%q) lacks servers", p.ID, client)
			}
			for _, s := range p.ServersFor(client) {
				s = s.Expand(anna)
				if s.Login.Username == "" || len(s.Authentication) == 0 {
					t.Errorf("%s: server without login: %+v", p.ID, s)
				}
				if s.Type.HasURL() {
					if !strings.HasPrefix(s.URL, "https://") || s.Hostname != "" {
						t.Errorf("%s: server without an https URL, or with a host name: %+v", p.ID, s)
					}
				} else if host, err := account.ParseDomain(s.Hostname); err != nil || host != s.Hostname ||
					s.Port < 1 || s.Port > 65535 || s.SocketType == "" || s.URL != "" {
					t.Errorf("%s: %+v", p.ID, s)
				}
			}
		}
	}
}
