package config

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"signpost/account"
)

// yamlBreaks are what YAML takes for the end of a line, as far as we let it.
var yamlBreaks = regexp.MustCompile(`\r\n|[\r\n]`)

// FuzzParse: no bytes may panic the reader, and whatever it accepts has to be
// what its users build on.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"../testdata/config/*.yaml", "../testdata/broken/*.yaml"} {
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
		var faults Faults
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
			if strings.ContainsAny(fault.Text, "\n\r\x00\x1b") || strings.Contains(fault.Text, "%!") || !utf8.ValidString(fault.Text) {
				t.Errorf("unfit for a terminal: %q", fault.Text)
			}
		}
	})
}

func checkUsable(t *testing.T, c *Config) {
	if len(c.Providers) == 0 {
		t.Error("no provider")
	}
	anna := mail(t, "anna@example.com")
	for _, p := range c.Providers {
		if p.ID == "" || p.DisplayName == "" || p.DisplayShortName == "" || len(p.Servers) == 0 && p.HandOver == nil {
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
