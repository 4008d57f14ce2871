package service

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestForeignTexts checks that texts for the page in a language that it lacks cause a
// warning with their line after those of the configuration, and others do not.
func TestForeignTexts(t *testing.T) {
	l := loadText(t, `
providers:
  - id: a
    displayName: A
    domains: [a.example]
    servers: [{type: imap, hostname: imap.example}, {type: smtp, hostname: smtp.example}]
    documentation: [{url: "https://a.example/hilfe", descr: {de: Hilfe}}]
    notices:
      - text: {en: News, sv: Nyheter, en-GB: Tidings}
      - text:
          en: News
          pt: Novidades
    support: {checks: [{en: Look, cs: Podívejte se}]}
  - id: b
    displayName: B
    servers: {of: a}
`)
	var got []string
	for _, w := range l.Warnings() {
		got = append(got, strings.TrimPrefix(w.String(), l.File))
	}
	want := []string{
		":14: providers[1]: is not used: it has no domains and no mx, and no account names it",
		":12: providers[0].notices[1].text.pt: the page has no language pt; branding.templates can add it",
		":13: providers[0].support.checks[0].cs: the page has no language cs; branding.templates can add it",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("Warnings = %q, want %q", got, want)
	}
}

// TestUnreadable checks which files are reported that another user cannot read.
func TestUnreadable(t *testing.T) {
	user := reader{name: "signpost", uid: 4_000_000, groups: []uint64{4_000_001}}
	dir := t.TempDir()
	if at := closedTo(user, dir); at != "" {
		t.Skipf("other users cannot read %s, because of %s", dir, at)
	}
	for name, mode := range map[string]os.FileMode{"open.txt": 0o644, "closed.txt": 0o600} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "inner"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "inner", "open.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"open.txt": "", "closed.txt": "closed.txt", "inner/open.txt": "inner", "missing.txt": "",
	} {
		if want != "" {
			want = filepath.Join(dir, want)
		}
		if got := closedTo(user, filepath.Join(dir, name)); got != want {
			t.Errorf("closedTo(%s) = %q, want %q", name, got, want)
		}
	}
	if acl, err := exec.LookPath("setfacl"); err == nil {
		closed := filepath.Join(dir, "closed.txt")
		if exec.Command(acl, "-m", "u:4000000:r", closed).Run() == nil {
			if at := closedTo(user, closed); at != "" {
				t.Errorf("closedTo with an access list = %q, want no warning", at)
			}
		}
	}
	l := loadText(t, twoProviders) // with mode 0600
	got := l.unreadableFor(user)
	if len(got) != 1 || got[0].File != l.File ||
		!strings.Contains(got[0].Text, "the user signpost, who runs the service, cannot") {
		t.Errorf("unreadableFor = %v, want a warning about %s", got, l.File)
	}
}

// TestReader checks which bits of a file's mode count for a user.
func TestReader(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(file, 5001, 5002); err != nil {
		t.Skip(err)
	}
	owner, member, other := reader{uid: 5001}, reader{uid: 1, groups: []uint64{5002}},
		reader{uid: 1, groups: []uint64{1}}
	for mode, want := range map[os.FileMode][3]bool{
		0o400: {true, false, false}, 0o040: {false, true, false}, 0o004: {false, false, true}, 0o644: {true, true, true},
	} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := [3]bool{owner.may(4, info), member.may(4, info), other.may(4, info)}; got != want {
			t.Errorf("mode %o: owner, member and other may read = %v, want %v", mode, got, want)
		}
	}
}
