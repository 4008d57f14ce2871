//go:build unix

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPipes puts a named pipe, to which nobody writes, and an endless device where a file
// is read. check must say so, and must not wait.
func TestPipes(t *testing.T) {
	const refusal = "not a regular file"
	for _, row := range []struct{ name, more, file string }{
		{"configuration", "", "signpost.yaml"},
		{"domains", "", "domains.txt"},
		{"certificate", "tls: {certificates: [{certificate: pipe, key: pipe}]}", "pipe"},
		{"root", "tls: {acme: {caRoot: pipe, storage: certificates}}", "pipe"},
		{"storage", "tls: {acme: {storage: pipe}}", "pipe"},
		{"certificate for profiles", "profiles: {certificate: pipe, key: pipe}", "pipe"},
		{"template", "branding: {templates: page}", "page/html/page.html"},
		{"text", "branding: {templates: page}", "page/text/en.json"},
		{"logo", "branding: {logo: logo.png}", "logo.png"},
		{"key for updates", "dns: {updates: [{zone: example.se, primary: ns1.example.se, keyFile: pipe}]}", "pipe"},
		{"database", `accounts: [{postfixadmin: {database: "sqlite:FOLDER/pipe"}}]`, "pipe"},
		{"map", `accounts: [{postfix: {mailboxes: [FOLDER/pipe]}}]`, "pipe"},
	} {
		for _, device := range []string{"", "/dev/zero"} {
			folder := prepare(t, row.more)
			// The path of a database is not relative to the configuration.
			put(t, folder, "signpost.yaml",
				configText(folder, "one.example", strings.ReplaceAll(row.more, "FOLDER", folder)))
			path := filepath.Join(folder, row.file)
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			os.Remove(path)
			err := syscall.Mkfifo(path, 0o666)
			if device != "" {
				os.Remove(path)
				err = os.Symlink(device, path)
			}
			if err != nil {
				t.Fatal(err)
			}
			var stderr output
			done := make(chan int, 1)
			go func() {
				e := env{strings.NewReader(""), &output{}, &stderr}
				done <- run(t.Context(), e,
					[]string{"check", "-strict", "-config", filepath.Join(folder, "signpost.yaml")})
			}()
			want := refusal
			switch row.name {
			case "storage":
				want = "is not a directory"
			case "configuration":
				want = refusal + "\nhint: write it to a file of mode 0600"
			}
			select {
			case status := <-done:
				if got := stderr.String(); status != 1 || !strings.Contains(got, want) {
					t.Errorf("%s %s: check ended with status %d and %q, want 1 and %q",
						row.name, device, status, got, want)
				}
			case <-time.After(30 * time.Second):
				t.Fatalf("%s %s: check waits for 30 s", row.name, device)
			}
		}
	}
}

// TestReloadOfPipes replaces files of the running service by named pipes: the reload
// fails, the service goes on, and later reloads work.
func TestReloadOfPipes(t *testing.T) {
	folder := prepare(t, "branding: {templates: page}")
	putTemplates(t, folder)
	r := startServe(t, folder, nil)
	for _, name := range []string{"signpost.yaml", "domains.txt", "page/text/pt.json"} {
		path := filepath.Join(folder, name)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r.stderr.reset()
		if err := syscall.Mkfifo(path+".new", 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
		r.says(t,
			regexp.MustCompile(`msg="reload failed, keeping the previous configuration" fault=".*not a regular file"`))
		r.stderr.reset()
		put(t, folder, name, string(before))
		r.signal(t, syscall.SIGHUP)
		r.says(t, reloaded)
	}
}
