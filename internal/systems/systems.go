// Package systems loads the example systems of testdata/config for tests. A test
// that ranges over All covers every file in that directory, so that a new system
// is one YAML file and joins every such test by itself.
package systems

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/config"
	"signpost/internal/directory"
	"signpost/internal/dns"
)

// System is one example configuration, ready to be asked.
type System struct {
	Name      string // of the file, without .yaml
	File      string
	Config    *config.Config
	Directory *directory.Directory
	// Listed are the accounts that the file lists, in alphabetical order.
	Listed []account.Address
	// Unlisted has one mailbox of each hosted domain, in the order of the file.
	// No account is listed for any of them.
	Unlisted []account.Address
}

// All loads every system of testdata/config, in alphabetical order.
func All(t testing.TB) []System {
	t.Helper()
	return loadAll(t, directoryOf(t))
}

// Load loads the system of that name.
func Load(t testing.TB, name string) System {
	t.Helper()
	return load(t, filepath.Join(directoryOf(t), name+".yaml"))
}

// Root returns the root directory of the module, the nearest one above the working
// directory that has a go.mod file.
func Root(t testing.TB) string {
	t.Helper()
	start, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatalf("no go.mod in %s or above", start)
		}
	}
}

func directoryOf(t testing.TB) string {
	t.Helper()
	return filepath.Join(Root(t), "testdata", "config")
}

func loadAll(t testing.TB, dir string) []System {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no example systems in %s", dir)
	}
	all := make([]System, len(files))
	for i, file := range files {
		all[i] = load(t, file)
	}
	return all
}

func load(t testing.TB, file string) System {
	t.Helper()
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	noMX := func(context.Context, string) ([]dns.MX, error) { return nil, nil }
	s := System{
		Name:      strings.TrimSuffix(filepath.Base(file), ".yaml"),
		File:      file,
		Config:    c,
		Directory: directory.New(c.Providers, c.Lists(), noMX),
	}
	for _, source := range c.Accounts {
		for _, key := range slices.Sorted(maps.Keys(source.List)) {
			s.Listed = append(s.Listed, parse(t, key))
		}
	}
	for _, p := range c.Providers {
		for _, domain := range p.Domains {
			if domain != "*" {
				s.Unlisted = append(s.Unlisted, s.unlisted(t, domain))
			}
		}
	}
	return s
}

// unlisted returns a mailbox of the domain that the file does not list: anna in a
// domain without listed accounts, else info, or the first name that is free.
func (s System) unlisted(t testing.TB, domain string) account.Address {
	t.Helper()
	names := []string{"info", "anna", "kalle", "nobody"}
	if !slices.ContainsFunc(s.Listed, func(a account.Address) bool { return a.Domain() == domain }) {
		names = []string{"anna"}
	}
	for _, name := range names {
		if a := parse(t, name+"@"+domain); !slices.Contains(s.Listed, a) {
			return a
		}
	}
	t.Fatalf("%s: every sample mailbox of %s is listed", s.File, domain)
	return account.Address{}
}

func parse(t testing.TB, text string) account.Address {
	t.Helper()
	a, err := account.ParseAddress(text)
	if err != nil {
		t.Fatalf("ParseAddress(%q): %v", text, err)
	}
	return a
}

// Addresses returns all mailboxes that are worth asking about: the listed accounts,
// then an unlisted mailbox of each domain.
func (s System) Addresses() []account.Address { return slices.Concat(s.Listed, s.Unlisted) }

// Settings returns what the client gets for the mailbox.
func (s System) Settings(t testing.TB, a account.Address, client account.Client) account.Settings {
	t.Helper()
	settings, err := s.Directory.Resolve(t.Context(), account.Query{Address: a, Client: client})
	if err != nil {
		t.Fatalf("%s: Resolve(%s for %s): %v", s.Name, a, client, err)
	}
	return settings
}

// Samples returns one mailbox of each provider, in the order of the file.
func (s System) Samples() []account.Address {
	samples := make([]account.Address, len(s.Config.Providers))
	for i, p := range s.Config.Providers {
		samples[i] = s.Config.Sample(p.ID)
	}
	return samples
}
