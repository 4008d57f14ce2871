package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signpost/internal/config"
	"signpost/internal/importer/draft"
)

// TestAccepted checks that the configuration has no word against the entries of accounts
// and the servers of the examples, but that files of another machine are not here.
func TestAccepted(t *testing.T) {
	for _, name := range examples {
		t.Run(name, func(t *testing.T) {
			texts, files := readExample(t, name)
			var d draft.Draft
			if err := Draft(texts, files, &d); err != nil {
				t.Fatal(err)
			}
			text := asYAML(&d)
			path := filepath.Join(t.TempDir(), "signpost.yaml")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := config.Load(path)
			if err != nil {
				t.Fatalf("config.Load: %v\n%s", err, text)
			}
			for _, warning := range c.Warnings {
				if !strings.Contains(warning.Text, "cannot read") {
					t.Errorf("config warns: %v\n%s", warning, text)
				}
			}
		})
	}
}

// asYAML writes a draft as a plain configuration.
func asYAML(d *draft.Draft) string {
	var b strings.Builder
	b.WriteString("name: setup.hoster.example\nproviders:\n")
	for i, p := range d.Products {
		id := p.Provider.ID
		if id == "" {
			id = fmt.Sprint("p", i)
		}
		fmt.Fprintf(&b, "  - id: %s\n    displayName: %q\n", id, p.Provider.DisplayName)
		if len(p.Domains) > 0 {
			fmt.Fprintf(&b, "    domains: [%s]\n", strings.Join(p.Domains, ", "))
		}
		b.WriteString("    servers:\n")
		for _, s := range p.Provider.Servers {
			methods := fmt.Sprint(s.Authentication)
			fmt.Fprintf(&b, "      - {type: %s, hostname: %s, port: %d, socketType: %s, username: %q, authentication: %s}\n", s.Type,
				s.Hostname, s.Port, s.SocketType, s.Login.Username, strings.ReplaceAll(methods, " ", ", "))
		}
	}
	if len(d.Accounts) > 0 {
		b.WriteString("accounts:\n")
		writeMaps(&b, d.Accounts, "  ")
	}
	return b.String()
}
