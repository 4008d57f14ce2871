// Package walls tests which packages import which others, and how wide lines are.
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

// floors lists the packages of the module from the bottom up. A package may import
// those on lower floors only, so there is no circle, and a reader who follows an
// import always goes down. A package that is not listed fails the test.
var floors = [][]string{
	{"internal/browser", "internal/fair", "internal/regular", "internal/setup/phone/phonetest"},
	{
		"account",
		"internal/dns", "internal/fault", "internal/filewatch",
		"internal/freeport", "internal/golden", "internal/sources/row", "internal/walls",
		"packaging/man",
	},
	{
		"autoconfig", "autodiscover", "mobileconfig", "templates",
		"internal/doctor/document", "internal/doctor/probe", "internal/importer/draft", "internal/setup/phone",
		"internal/caa", "internal/certfile", "internal/conn", "internal/directory", "internal/dns/dnstest",
		"internal/sources/mapfile", "internal/sources/memory", "internal/sources/rig", "internal/sources/secret",
	},
	{
		"internal/doctor/client", "internal/doctor/mailrig", "internal/doctor/probe/network",
		"internal/importer/machine",
		"internal/certs", "internal/records", "internal/setup", "internal/signer", "internal/sources",
		"internal/sources/ldapdir", "internal/sources/sqldb",
	},
	{"internal/certstore"},
	{
		"internal/config", "internal/doctor/finding",
		"internal/importer/format", "internal/importer/living", "internal/importer/town", "internal/records/publish",
		"internal/server", "internal/show",
	},
	{"internal/doctor", "internal/importer", "internal/importer/start"},
	{"internal/doctor/page"},
	{"internal/service", "internal/systems"},
	{"cmd/signpost", "acceptance", "internal/sources/e2e", "packaging"},
}

// formats are the packages that other programs could use. They import only package
// account of this module.
var formats = []string{"autoconfig", "autodiscover", "mobileconfig"}

// configReaders are the packages that may import internal/config: every other one
// takes the values that it needs.
var configReaders = []string{"cmd/signpost", "internal/importer", "internal/service", "internal/systems"}

// forTests are the packages that only tests may import.
var forTests = []string{"internal/browser", "internal/dns/dnstest", "internal/doctor/mailrig", "internal/freeport",
	"internal/golden", "internal/importer/town", "internal/setup/phone/phonetest", "internal/sources/memory",
	"internal/sources/rig", "internal/systems"}

// owners lists which packages may import a library directly.
var owners = map[string][]string{
	"github.com/gorilla/mux": {"internal/server"},
	"gopkg.in/yaml.v3":       {"internal/config", "internal/importer/format"},
	"github.com/miekg/dns": {"internal/dns", "internal/dns/dnstest", "internal/doctor/probe/network",
		"internal/records", "internal/records/publish"},
	"github.com/beevik/etree":    {"autoconfig", "autodiscover"},
	"howett.net/plist":           {"mobileconfig"},
	"github.com/smallstep/pkcs7": {"internal/signer"},

	"github.com/go-ldap/ldap/v3":      {"internal/sources/ldapdir"},
	"github.com/go-asn1-ber/asn1-ber": {"internal/sources/ldapdir"},

	"github.com/prometheus/client_golang/prometheus":            {"internal/server"},
	"github.com/prometheus/client_golang/prometheus/collectors": {"internal/server"},
	"github.com/prometheus/client_golang/prometheus/promhttp":   {"internal/server"},
	"github.com/pires/go-proxyproto":                            {"internal/conn"},
	"github.com/fsnotify/fsnotify":                              {"internal/filewatch"},
	"github.com/coreos/go-systemd/v22/activation":               {"internal/conn"},
	"github.com/coreos/go-systemd/v22/daemon":                   {"cmd/signpost", "internal/service"},
	"github.com/caddyserver/certmagic":                          {"internal/certs", "internal/certstore"},
	"github.com/mholt/acmez/v3":                                 {"internal/certs"},
	"github.com/mholt/acmez/v3/acme":                            {"internal/certs"},
	"go.uber.org/zap":                                           {"internal/certs"},
	"go.uber.org/zap/zapcore":                                   {"internal/certs"},
	"github.com/jackc/pgx/v5/pgconn":                            {"internal/sources/sqldb"},
	"github.com/go-sql-driver/mysql":                            {"internal/sources/sqldb"},
	"modernc.org/sqlite":                                        {"internal/sources/sqldb"},
}

// accountMayImport is what account may import besides the standard library: IDNA and the
// normalisation that it rests on.
var accountMayImport = []string{"golang.org/x/net/idna", "golang.org/x/text/unicode/norm"}

// forAll calls a function for every Go file of the module.
func forAll(t *testing.T, look func(path string) error) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", ".artefacts", "node_modules"}, entry.Name()):
			return filepath.SkipDir
		case filepath.Ext(path) == ".go":
			return look(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestColumns holds the lines of the program to 120 columns, with a tab as four. Tests are
// exempt: a row of a table is easier to compare with the next one if it is one line.
func TestColumns(t *testing.T) {
	forAll(t, func(path string) error {
		if strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		number := 0
		for line := range strings.Lines(string(text)) {
			number++
			if n := columns(strings.TrimRight(line, "\n")); n > 120 {
				t.Errorf("%s:%d: the line has %d columns, want at most 120", path, number, n)
			}
		}
		return err
	})
}

// columns returns the width of a line whose tabs lead to every fourth column.
func columns(line string) (n int) {
	for _, r := range line {
		if n++; r == '\t' {
			n = (n + 3) / 4 * 4
		}
	}
	return n
}

func TestWalls(t *testing.T) {
	// The result depends on every file: otherwise Go would show a cached one, because it does
	// not know which files go list reads.
	forAll(t, func(path string) error {
		_, err := os.Stat(path)
		return err
	})
	floorOf := map[string]int{}
	for floor, packages := range floors {
		for _, name := range packages {
			floorOf[name] = floor
		}
	}
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
		floor, listed := floorOf[name]
		if !listed {
			t.Errorf("package %s is not in the table of this test: add it to its floor", name)
			continue
		}
		for _, imported := range words[1:] {
			if owner, ok := owners[imported]; ok && !slices.Contains(owner, name) {
				t.Errorf("%s imports %s, which only %v may", name, imported, owner)
			}
			if name == "account" && strings.Contains(imported, ".") && !slices.Contains(accountMayImport, imported) {
				t.Errorf("account imports %s", imported)
			}
			ours, ok := strings.CutPrefix(imported, "signpost/")
			switch {
			case !ok:
			case floorOf[ours] >= floor:
				t.Errorf("%s imports %s, which is not on a lower floor", name, ours)
			case slices.Contains(formats, name) && ours != "account":
				t.Errorf("%s imports %s, but a format may import only account", name, ours)
			case ours == "internal/config" && !slices.Contains(configReaders, name):
				t.Errorf("%s imports internal/config, which only %v may", name, configReaders)
			case slices.Contains(forTests, ours) && !slices.Contains(forTests, name):
				t.Errorf("%s imports %s outside its tests", name, ours)
			}
		}
	}
	if seen < len(floorOf)/2 {
		t.Errorf("go list named only %d packages", seen)
	}
}

// TestDeps reads the whole list of dependencies. A dialect must not depend, even
// indirectly, on another package of ours than account, on YAML, on DNS or on the
// router.
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
