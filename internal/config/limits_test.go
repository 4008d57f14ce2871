package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestConnectionsPerAddress checks that the default follows limits.connections.
func TestConnectionsPerAddress(t *testing.T) {
	for limits, want := range map[string]int{
		"": 1000, "limits: {idle: 30s}": 1000, "limits: {connections: 40000}": 4000, "limits: {connections: 20}": 10,
		"limits: {connectionsPerAddress: 7}": 7, "limits: {connectionsPerAddress: 0}": 0,
	} {
		c, err := parse("signpost.yaml", []byte(limits+"\n"+minimal))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Limits.PerAddress; got != want {
			t.Errorf("%q: Limits.PerAddress = %d, want %d", limits, got, want)
		}
	}
}

// minimal is a configuration with defaults only.
const minimal = `providers:
  - id: example
    displayName: Example Mail
    domains: [example.se]
    servers:
      - {type: imap, hostname: mail.example.se}
      - {type: smtp, hostname: mail.example.se}
`

// TestNamed checks that Named returns every file that may be the reason why the
// configuration is refused.
func TestNamed(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	text := fmt.Sprintf("branding: {logo: logo.png, templates: texts}\nprofiles: {certificate: a.pem, key: %s}\n",
		in("b.pem"))
	text += "providers:\n  - {id: a, displayName: A, domains: [{file: domains.txt}], servers: [{type: imap, hostname: a.example}, {type: smtp, hostname: a.example}]}\n"
	if err := os.WriteFile(in("signpost.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(in("signpost.yaml")); err == nil {
		t.Fatal("Load() accepts a configuration whose files are missing")
	}
	named := Named(in("signpost.yaml"))
	if got := Named(in("none.yaml")); !slices.Equal(got, []string{in("none.yaml")}) {
		t.Errorf("Named() of a missing file = %q, want the file alone", got)
	}
	for _, name := range []string{"signpost.yaml", "logo.png", "texts", "a.pem", "b.pem", "domains.txt"} {
		if !slices.Contains(named, in(name)) {
			t.Errorf("Named() = %q, want it to contain %s", named, in(name))
		}
	}
}
