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

// yamlBreaks are what YAML takes for the end of a line, as far as we let it.
var yamlBreaks = regexp.MustCompile(`\r\n|[\r\n]`)

// FuzzParse: no bytes may panic the reader, and whatever it accepts has to be
// what its users build on.
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
			if len(data) < 4<<10 { // the fuzzer spends its time on shortening others
				f.Add(data)
			}
		}
	}
	f.Add([]byte(everything))
	// Inputs that have panicked YAML libraries of this family.
	for _, text := range []string{"#\n-\n-\n0", "0: [:!00 \xef", "#\n - - QI\xd7", "a:\n.\n-\n", "{? {? ", "  0: [\n] 0", "\"\\0\\\r\n", "? \ufeff: \ufeff\n", "&8:\n<<:\n - *8\n"} {
		f.Add([]byte(text))
	}
	path := filepath.Join(f.TempDir(), "x.yaml") // nothing is beside it
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parse(path, data)
		var faults fault.List
		switch {
		case err == nil:
			checkUsable(t, c)
		case !errors.As(err, &faults) || len(faults) == 0 || c != nil:
			t.Fatalf("neither a configuration nor faults: %v, %v", c, err)
		}
		lines := 1 + len(yamlBreaks.FindAllIndex(data, -1))
		for _, fault := range faults {
			if fault.File != path {
				continue // of a file that the configuration names
			}
			if fault.Line < 0 || fault.Line > lines {
				t.Errorf("%s: the file has %d lines", fault, lines)
			}
			if strings.ContainsAny(fault.Text, "\n\r\x00\x1b") || !utf8.ValidString(fault.Text) {
				t.Errorf("unfit for a terminal: %q", fault.Text)
			}
			if wrong := misformatted(fault.Text, data); wrong != "" {
				t.Errorf("%s in %q, and nowhere in the file", wrong, fault.Text)
			}
		}
	})
}

// formatErrors are what package fmt writes where a format and its arguments do
// not fit ("Format errors" in its documentation): %!d(string=hi), %!s(<nil>),
// %!d(MISSING), %!(EXTRA int=1), %!v(PANIC=String method: …), %!(NOVERB).
var formatErrors = regexp.MustCompile(`%!.?\((MISSING|NOVERB|BADINDEX|BADWIDTH|BADPREC|EXTRA |PANIC=|<nil>|[\w.*{}\[\]]+=)`)

// misformatted is a formatting error in a message, or "". A message quotes the
// operator's own text, so what the file itself holds is none, as it is written
// there or as YAML reads it; and host names come out in lower case.
func misformatted(message string, data []byte) string {
	found := formatErrors.FindAllString(message, -1)
	if found == nil {
		return ""
	}
	held := strings.ToLower(string(data) + "\n" + strings.Join(yamlTexts(data), "\n"))
	for _, text := range found {
		if !strings.Contains(held, strings.ToLower(text)) {
			return text
		}
	}
	return ""
}

// yamlTexts are all values, keys, tags and names of anchors, unescaped.
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
	for _, args := range [][]any{{"%d", "hi"}, {"%d"}, {"x", 1}, {"%v", panics{}}, {"%[5]d", 1}, {"%*d", "x", 1}, {"%.*d", "x", 1}, {"%"}, {"%d", nil}, {"%z", []byte("x")}, {"%d", &fault.Fault{}}} {
		message := fmt.Sprintf(args[0].(string), args[1:]...)
		if misformatted("p[0]: "+message, []byte("a: b")) == "" {
			t.Errorf("%q passes", message)
		}
		own, err := yaml.Marshal(map[string]string{"text": message})
		if err != nil {
			t.Fatal(err)
		}
		if got := misformatted(quote(message), own); got != "" {
			t.Errorf("%q is the operator's own, and not an error", got)
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
			t.Errorf("%s of %s: %s", message, file, got)
		}
	}
}

type panics struct{}

func (panics) String() string { panic("no") }

func checkUsable(t *testing.T, c *Config) {
	if len(c.Providers) == 0 {
		t.Error("no provider")
	}
	anna := mail(t, "anna@example.com")
	for _, p := range c.Providers {
		if p.ID == "" || p.DisplayName == "" || p.DisplayShortName == "" || len(p.Servers) == 0 && p.AutodiscoverRedirect == nil {
			t.Errorf("provider without its words: %+v", p.Provider)
		}
		if c.Sample(p.ID).IsZero() {
			t.Errorf("%s: no sample", p.ID)
		}
		for _, client := range append([]account.Client{""}, account.Clients...) {
			if len(p.ServersFor(client)) != len(p.Servers) {
				t.Errorf("%s: incomplete list for %s", p.ID, client)
			}
			for _, s := range p.ServersFor(client) {
				s = s.Expand(anna)
				if s.Login.Username == "" || len(s.Authentication) == 0 {
					t.Errorf("%s: no login: %+v", p.ID, s)
				}
				if s.Type.HasURL() {
					if !strings.HasPrefix(s.URL, "https://") || s.Hostname != "" {
						t.Errorf("%s: %+v", p.ID, s)
					}
				} else if host, err := account.ParseDomain(s.Hostname); err != nil || host != s.Hostname || s.Port < 1 || s.Port > 65535 || s.SocketType == "" || s.URL != "" {
					t.Errorf("%s: %+v", p.ID, s)
				}
			}
		}
	}
}
