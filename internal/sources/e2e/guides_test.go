package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"signpost/internal/sources/rig"
)

// TestGuides does what the pages of docs/accounts say, with the database of each system:
// it creates the user with the statements of the page, takes the page's configuration,
// checks it and asks for everybody.
func TestGuides(t *testing.T) {
	for i, fixture := range rig.SQL() {
		preset, kind, _ := strings.Cut(fixture, ".")
		if kind == "sqlite" {
			continue // needs no user
		}
		t.Run(fixture, func(t *testing.T) {
			d := rig.Load(t, fixture)
			text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "accounts", preset+".md"))
			if err != nil {
				t.Fatal(err)
			}
			page := string(text)
			d.User = fmt.Sprintf("guide%d", i)
			d.Run(t, statements(t, page, d))
			d.URL = regexp.MustCompile(`//[^@]*@`).ReplaceAllString(d.URL, "//"+d.User+"@")

			config := codeBlock(t, page, "```yaml\n# signpost.yaml\n")
			config = regexp.MustCompile(` *passwordFile: .*\n`).ReplaceAllString(config, "")
			config = regexp.MustCompile(`database: .*`).ReplaceAllLiteralString(config,
				"database: "+d.URL+"\n      passwordFile: "+d.PasswordFile)
			config = strings.Replace(config, "    servers:", "    aliasLogin: mailbox\n    servers:", 1)
			said := check(t, config)
			if preset == "postfixadmin" && !strings.Contains(said, "and 4 domains are hosted here because of it") {
				t.Errorf("signpost check counts the domains wrongly, want 4 that are active:\n%s", said)
			}
			s := serve(t, config)
			s.loaded(t)
			for address, login := range join(people, differences[preset]) {
				if got, want := s.ask(t, ways[0], address), s.expect(t, ways[0], address, login); got != want {
					t.Errorf("autoconfig about %s: %s, want %s", address, got, want)
				}
			}
			s.quiet(t)
		})
	}
}

// statements returns the statements of the page for the database's server, with the names
// of the rig.
func statements(t *testing.T, page string, d *rig.Database) string {
	t.Helper()
	for rest := page; ; {
		_, after, ok := strings.Cut(rest, "```sql\n")
		if !ok {
			t.Fatalf("the page has no statements for %s", d.Server.Scheme)
		}
		script, next, _ := strings.Cut(after, "```")
		rest = next
		if strings.Contains(script, "CREATE ROLE") != (d.Server.Scheme == "postgres") {
			continue
		}
		script = strings.ReplaceAll(script, "…", rig.Password)
		script = regexp.MustCompile(`\bsignpost\b`).ReplaceAllString(script, d.User)
		return regexp.MustCompile(`(SELECT[^;]* ON )\w+\.`).ReplaceAllString(script, "${1}"+d.Name+".")
	}
}

// codeBlock returns what stands in a page behind the beginning of a block.
func codeBlock(t *testing.T, page, beginning string) string {
	t.Helper()
	_, after, ok := strings.Cut(page, beginning)
	if !ok {
		t.Fatalf("the page has no block that begins with %q", beginning)
	}
	text, _, _ := strings.Cut(after, "```")
	return text
}

// check runs "signpost check", which must find no fault and nothing to warn of, and
// returns what it says.
func check(t *testing.T, config string) string {
	t.Helper()
	file := rig.Write(t, t.TempDir(), "signpost.yaml", config)
	var stderr strings.Builder
	command := exec.Command(build(t), "check", "-config", file)
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil || stderr.Len() > 0 {
		t.Errorf("signpost check: %v\n%s%s", err, out, stderr.String())
	}
	return string(out)
}
