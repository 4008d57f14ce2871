package service

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signpost/internal/server"
)

// loadText loads a configuration with this text.
func loadText(t *testing.T, text string) *Loaded {
	t.Helper()
	file := filepath.Join(t.TempDir(), "signpost.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Load(file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const twoProviders = `
providers:
  - id: a
    displayName: A
    domains: [a.example, b.example]
    servers: [{type: imap, hostname: imap.a.example}, {type: smtp, hostname: smtp.a.example}]
  - id: c
    displayName: C
    domains: [c.example]
    servers: [{type: imap, hostname: imap.c.example}, {type: smtp, hostname: smtp.c.example}]
accounts:
  - list: {x@a.example: {provider: c}, y@a.example: {provider: c}, x@c.example: {inactive: true}}
  - list: {z@a.example: {provider: c}}
`

func TestContents(t *testing.T) {
	want := server.Contents{Providers: 2, Domains: 3, Accounts: 4}
	if got := loadText(t, twoProviders).contents(); got != want {
		t.Errorf("contents() = %+v, want %+v", got, want)
	}
}

// TestResolverIsKept checks that a reload keeps the resolver, with what it has cached,
// unless it would be another one.
func TestResolverIsKept(t *testing.T) {
	const dns = "dns: {servers: [192.0.2.1], timeout: 2s}"
	earlier := loadText(t, dns+twoProviders)
	for text, kept := range map[string]bool{
		dns: true,
		"dns: {servers: [192.0.2.1], timeout: 2s, ttl: 5m}":            true,
		"dns: {servers: [192.0.2.2], timeout: 2s}":                     false,
		"dns: {servers: [192.0.2.1, 192.0.2.2], timeout: 2s}":          false,
		"dns: {servers: [192.0.2.1], timeout: 3s}":                     false,
		"dns: {servers: [192.0.2.2, 192.0.2.1], timeout: 2s, ttl: 5m}": false,
	} {
		l := loadText(t, text+twoProviders)
		got, err := newResolver(l.Config.DNS, earlier)
		if err != nil || (got == earlier.Resolver) != kept {
			t.Errorf("newResolver(%s): error %v, keeps the earlier one: %v, want %v",
				text, err, got == earlier.Resolver, kept)
		}
	}
}

// TestCheckTLS checks that each fault is named, with its place in the file.
func TestCheckTLS(t *testing.T) {
	if faults := loadText(t, twoProviders).CheckTLS(); faults != nil {
		t.Errorf("CheckTLS() without tls = %v, want none", faults)
	}
	l := loadText(t, `name: setup.a.example
tls:
  certificates:
    - {certificate: none.pem, key: none.pem}
    - certificate: signpost.yaml
      key: signpost.yaml
  acme:
    caRoot: root.pem
    storage: signpost.yaml
`+twoProviders)
	dir := filepath.Dir(l.File)
	want := []string{
		"4: tls.certificates[0]: $/none.pem: no such file or directory",
		"5: tls.certificates[1]: $/signpost.yaml: no certificate in PEM form",
		"8: tls.acme.caRoot: $/root.pem: no such file or directory",
		"9: tls.acme.storage: $/signpost.yaml is not a directory",
	}
	var got []string
	for _, f := range l.CheckTLS() {
		text := strings.TrimPrefix(f.String(), l.File+":")
		got = append(got, strings.ReplaceAll(text, dir, "$"))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("CheckTLS() =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	l = loadText(t, "name: setup.a.example\ntls: {acme: {storage: new/storage}}\n"+twoProviders)
	if faults := l.CheckTLS(); faults != nil {
		t.Errorf("CheckTLS() with a storage that can be created = %v, want none", faults)
	}
}

func TestCanBeDirectory(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		dir: true, filepath.Join(dir, "a"): true, filepath.Join(dir, "a", "b", "c"): true, "/": true, "new": true,
		file: false, filepath.Join(file, "a"): false, filepath.Join(file, "a", "b"): false,
	} {
		if got := canBeDirectory(path); got != want {
			t.Errorf("canBeDirectory(%s) = %v, want %v", path, got, want)
		}
	}
}

// TestFindConfig checks that the first default file that exists is used, even one that
// cannot be read.
func TestFindConfig(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	before := defaultFiles
	t.Cleanup(func() { defaultFiles = before })
	defaultFiles = []string{in("first"), in("second")}
	if got, err := findConfig("given"); got != "given" || err != nil {
		t.Errorf("findConfig(given) = %q, %v", got, err)
	}
	if got, err := findConfig(""); err == nil || !strings.Contains(err.Error(), in("second")) {
		t.Errorf("findConfig with no file = %q, %v, want an error that names both", got, err)
	}
	for _, name := range []string{"second", "first"} {
		if err := os.WriteFile(in(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := findConfig(""); got != in(name) || err != nil {
			t.Errorf("findConfig = %q, %v, want %s", got, err, in(name))
		}
	}
	if _, err := Load(in("missing"), nil); err == nil {
		t.Error("Load of a file that does not exist succeeds")
	} else if _, ok := errors.AsType[*FileError](err); !ok {
		t.Errorf("Load of a file that does not exist: %v, want a *FileError", err)
	}
}
