// Package walls keeps the packages apart: who may import whom.
package walls

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// allowed lists, for each package, which packages of the module its code (tests
// aside) may import. A package that is not listed fails the test.
var allowed = map[string][]string{
	"account":            {},
	"internal/directory": {"account"},
	"internal/config":    {"account", "internal/directory"},
	"internal/certs":     {"account"},
	"autodiscover":       {"account"},
	"autoconfig":         {"account"},
	"mobileconfig":       {"account"},
	"internal/records":   {"account", "autoconfig", "internal/directory"},
	"templates":          {},
	"internal/setup":     {"account", "templates"},
	"internal/server":    {"account", "autoconfig", "autodiscover", "mobileconfig", "internal/setup", "templates"},
	"acceptance":         {}, // tests alone
	"cmd/signpost":       {"account", "autoconfig", "autodiscover", "internal/certs", "internal/config", "internal/directory", "mobileconfig", "internal/records", "internal/server", "internal/setup", "templates"},

	"packaging":     {}, // tests alone
	"packaging/man": {},

	"internal/freeport": {},
	"internal/golden":   {},
	"internal/walls":    {},
}

// owners lists which packages may import a library directly.
var owners = map[string][]string{
	"github.com/gorilla/mux":     {"internal/server"},
	"gopkg.in/yaml.v3":           {"internal/config"},
	"github.com/miekg/dns":       {"internal/records"},
	"github.com/beevik/etree":    {"autoconfig", "autodiscover"},
	"howett.net/plist":           {"mobileconfig"},
	"github.com/smallstep/pkcs7": {"mobileconfig"},

	"github.com/prometheus/client_golang/prometheus":            {"internal/server"},
	"github.com/prometheus/client_golang/prometheus/collectors": {"internal/server"},
	"github.com/prometheus/client_golang/prometheus/promhttp":   {"internal/server"},
	"github.com/pires/go-proxyproto":                            {"internal/server"},
	"github.com/fsnotify/fsnotify":                              {"internal/server"},
	"github.com/coreos/go-systemd/v22/activation":               {"internal/server"},
	"github.com/coreos/go-systemd/v22/daemon":                   {"cmd/signpost"},
	"github.com/caddyserver/certmagic":                          {"internal/certs"},
	"github.com/mholt/acmez/v3":                                 {"internal/certs"},
	"github.com/mholt/acmez/v3/acme":                            {"internal/certs"},
	"go.uber.org/zap":                                           {"internal/certs"},
	"go.uber.org/zap/zapcore":                                   {"internal/certs"},
}

// accountMayImport is what account may import besides the standard library: IDNA and the
// normalisation that it rests on.
var accountMayImport = []string{"golang.org/x/net/idna", "golang.org/x/text/unicode/norm"}

// lookAtAll makes the result depend on every file of the module: Go would show one
// from before again, as it does not know what go list reads.
func lookAtAll(t *testing.T) {
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == ".artefacts" || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case filepath.Ext(path) == ".go":
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWalls(t *testing.T) {
	lookAtAll(t)
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "signpost/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		name, ok := strings.CutPrefix(words[0], "signpost/")
		if !ok {
			continue
		}
		seen++
		may, known := allowed[name]
		if !known {
			t.Errorf("package %s is not in the table of this test: say what it may import", name)
			continue
		}
		for _, imported := range words[1:] {
			if ours, ok := strings.CutPrefix(imported, "signpost/"); ok && !slices.Contains(may, ours) {
				t.Errorf("%s imports %s, which the design keeps from it", name, ours)
			}
			if owner, ok := owners[imported]; ok && !slices.Contains(owner, name) {
				t.Errorf("%s imports %s, which is for %v alone", name, imported, owner)
			}
			if name == "account" && strings.Contains(imported, ".") && !slices.Contains(accountMayImport, imported) {
				t.Errorf("account imports %s", imported)
			}
		}
	}
	if seen < len(allowed)/2 {
		t.Errorf("go list named %d packages only", seen)
	}
}

// TestDeps reads the whole list of dependencies: a dialect must not reach another
// package of ours than account, YAML, DNS or the router by any path.
func TestDeps(t *testing.T) {
	never := []string{"gopkg.in/yaml.v3", "github.com/miekg/dns", "github.com/gorilla/mux"}
	for _, dialect := range []string{"autodiscover", "autoconfig", "mobileconfig", "account"} {
		out, err := exec.Command("go", "list", "-deps", "signpost/"+dialect).Output()
		if err != nil {
			t.Fatalf("go list -deps %s: %v", dialect, err)
		}
		deps := strings.Fields(string(out))
		if !slices.Contains(deps, "signpost/account") {
			t.Errorf("%s does not even import account: is this the right list?", dialect)
		}
		for _, dep := range deps {
			ours := strings.HasPrefix(dep, "signpost/") && dep != "signpost/account" && dep != "signpost/"+dialect
			if ours || slices.Contains(never, dep) {
				t.Errorf("%s depends on %s", dialect, dep)
			}
		}
	}
}
