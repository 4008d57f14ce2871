package machine

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"signpost/internal/fault"
	"signpost/internal/importer/draft"
)

// TestPrograms asks the real postconf and doveconf about the examples, and compares with
// what is read from the examples' own files. The programs print all defaults, or write
// the same in another form.
func TestPrograms(t *testing.T) {
	for _, name := range []string{"postconf", "doveconf"} {
		if _, err := find(name); err != nil {
			if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	for _, name := range []string{"unix", "tables", "odd"} { // each takes postconf a second
		t.Run(name, func(t *testing.T) {
			texts, files := readExample(t, name)
			var want draft.Draft
			if err := Draft(texts, files, &want); err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			var options []byte
			for _, text := range texts {
				base := text.Path
				switch {
				case strings.HasPrefix(base, "postconf-n"):
					base = "main.cf"
				case strings.HasPrefix(base, "postconf-M"):
					base = "master.cf"
				case base == "postconf-P.txt":
					options = text.Data
					continue
				}
				// Paths in the test's own folder, and what the programs refuse.
				data := strings.NewReplacer("/etc/postfix/sql/", folder+"/", "/etc/postfix/pgsql/", folder+"/",
					"/etc/postfix/", folder+"/",
					"10.0.0.5, 127.0.0.1", "all", "70000", "0").Replace(string(text.Data))
				if err := os.WriteFile(filepath.Join(folder, base), []byte(data), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("MAIL_CONFIG", folder)
			t.Setenv("CONFIG_FILE", filepath.Join(folder, "doveconf-n.txt"))
			for line := range strings.Lines(string(options)) {
				service, rest, _ := strings.Cut(strings.TrimSpace(line), "=")
				set := strings.TrimSpace(service) + "=" + strings.TrimSpace(rest)
				if out, err := exec.Command("/usr/sbin/postconf", "-P", set).CombinedOutput(); err != nil {
					t.Fatalf("postconf -P %s: %v\n%s", set, err, out)
				}
			}
			var got draft.Draft
			if err := Read(context.Background(), Programs{Postfix: true, Dovecot: true}, &got); err != nil {
				t.Fatalf("Read = %v", err)
			}
			if len(got.Products) != len(want.Products) || len(got.Products) == 0 {
				t.Fatalf("the programs give\n%s\nthe files give\n%s", write(&got), write(&want))
			}
			for i := range got.Products {
				a, b := got.Products[i], want.Products[i]
				if !reflect.DeepEqual(a.Domains, b.Domains) ||
					!reflect.DeepEqual(a.Provider.Servers, b.Provider.Servers) {
					t.Errorf("the programs give\n%s\nthe files give\n%s", write(&got), write(&want))
				}
			}
			var a, b strings.Builder
			writeMaps(&a, got.Accounts, "")
			writeMaps(&b, want.Accounts, "")
			if text := strings.ReplaceAll(a.String(), folder+"/", "/etc/postfix/"); text != b.String() {
				t.Errorf("accounts by the programs:\n%s\nby the files:\n%s", text, b.String())
			}
		})
	}
}

// TestMissing checks what an operator reads where a program cannot be asked.
func TestMissing(t *testing.T) {
	before := folders
	folders = nil
	defer func() { folders = before }()
	folder := t.TempDir()
	t.Setenv("PATH", folder)
	script := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	read := func() error {
		return Read(t.Context(), Programs{Postfix: true}, new(draft.Draft))
	}
	if err := read(); err == nil || !strings.Contains(err.Error(), "is Postfix on this machine?") ||
		!strings.Contains(fault.Hint(err), "container") {
		t.Errorf("without a program, Read = %v; hint %q", err, fault.Hint(err))
	}
	tests := []struct{ script, want string }{
		{"echo 'postconf: fatal: open /etc/postfix/main.cf: Permission denied' >&2; exit 1", "Permission denied"},
		{"printf 'a\\033[31m\\n' >&2; exit 1", "exit status 1: a [31m"},
		{"exit 0", "it prints nothing"},
		{"exec /usr/bin/yes", "more than 16 MiB"},
		{"echo no such thing", "no configuration of Postfix or Dovecot"},
	}
	for _, tt := range tests {
		script("postconf", tt.script)
		if err := read(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Read = %v, want %q", tt.script, err, tt.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	script("postconf", "sleep 5")
	if err := Read(ctx, Programs{Postfix: true}, new(draft.Draft)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled, Read = %v, want %v", err, context.Canceled)
	}
}
