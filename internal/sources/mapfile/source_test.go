package mapfile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"signpost/account"
	"signpost/internal/sources/row"
)

// rigData holds files of mail systems.
const rigData = "../rig/testdata"

func open(t *testing.T, o Options) *Source {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func in(dir string, names ...string) (files []File) {
	for _, name := range names {
		files = append(files, File{Path: filepath.Join(dir, name)})
	}
	return files
}

// ask returns what a source says of an address, on one line.
func ask(t *testing.T, s *Source, address string) string {
	t.Helper()
	a, err := account.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.Account(t.Context(), a)
	if err != nil {
		return "error: " + err.Error()
	}
	if len(rows) == 0 {
		return "none"
	}
	r := rows[0]
	if len(rows) > 1 || r.Address != a.Key() {
		t.Errorf("Account(%q) has %d rows, the first for %q", address, len(rows), r.Address)
	}
	switch {
	case r.Username != "":
		return "user " + r.Username
	case r.Aliases != "":
		return "alias " + r.Aliases
	}
	return "mailbox"
}

func list(t *testing.T, s *Source) string {
	t.Helper()
	rows, err := s.Domains(t.Context())
	if err != nil {
		return "error: " + err.Error()
	}
	var all []string
	for _, r := range rows {
		one, err := s.Domain(t.Context(), r.Domain)
		if err != nil || len(one) != 1 || one[0] != r {
			t.Errorf("Domain(%q) = %v, %v, want %v as in the list", r.Domain, one, err, r)
		}
		if r.Alias != "" {
			r.Domain += "=" + r.Alias
		}
		all = append(all, r.Domain)
	}
	return strings.Join(all, " ")
}

// hostile are addresses that no file lists.
var hostile = []string{"x'or'1'='1@example.com", "%@example.com", "*@example.com", "😀@example.com", "ånna@example.com",
	strings.Repeat("a", 64) + "@example.com", "any@all.example", `"x y"@example.com`, "info@elsewhere.test"}

func TestPostfix(t *testing.T) {
	s := open(t, Options{Domains: in(rigData, "postfix.vhosts"), Mailboxes: in(rigData, "postfix.vmailbox"),
		Aliases: in(rigData, "postfix.virtual")})
	if got, want := s.Columns(), (row.Columns{Alias: true, Domains: true, OneDomain: true}); got != want {
		t.Errorf("Columns() = %+v, want %+v", got, want)
	}
	if got, want := list(t, s), "all.example example.com example.net xn--rksmrgs-5wao1o.example"; got != want {
		t.Errorf("Domains() = %s, want %s", got, want)
	}
	for address, want := range map[string]string{
		"anna@example.com": "mailbox", "Anna@EXAMPLE.com": "mailbox", "bo@example.com": "mailbox", "o'hara@example.com": "mailbox",
		"upper@example.com": "mailbox", "info@example.com": "alias anna@example.com", "post@example.com": "alias info@example.com",
		"sales@example.com": "alias anna@example.com,                      bo@example.com",
		"loop1@example.com": "alias loop2@example.com", "ext@example.com": "alias someone@elsewhere.test",
		"unix@example.com": "alias anna", "info@example.net": "alias info@example.com", "bo@all.example": "none",
	} {
		if got := ask(t, s, address); got != want {
			t.Errorf("Account(%q): %s, want %s", address, got, want)
		}
	}
	for _, address := range hostile {
		if got := ask(t, s, address); got != "none" {
			t.Errorf("Account(%q): %s, want none", address, got)
		}
	}
	if rows, err := s.Domain(t.Context(), "elsewhere.test"); len(rows) > 0 || err != nil {
		t.Errorf("Domain(elsewhere.test) = %v, %v, want nothing", rows, err)
	}
}

func TestPasswd(t *testing.T) {
	s := open(t, Options{Passwd: in(rigData, "dovecot.passwd"), Aliases: in(rigData, "postfix.virtual")})
	if got, want := list(t, s), "example.com example.net"; got != want {
		t.Errorf("Domains() = %s, want %s", got, want)
	}
	for address, want := range map[string]string{"anna@example.com": "mailbox", "closed@example.com": "mailbox",
		"o'hara@example.com": "mailbox", "info@example.com": "alias anna@example.com"} {
		if got := ask(t, s, address); got != want {
			t.Errorf("Account(%q): %s, want %s", address, got, want)
		}
	}
	if held := fmt.Sprintf("%+v", s.latest); strings.Contains(held, "ARGON") || strings.Contains(held, "secret") {
		t.Error("the source keeps password hashes")
	}
}

func TestDockerMailserver(t *testing.T) {
	s := open(t, Options{Folder: rigData})
	if got, want := list(t, s), "all.example example.com example.net"; got != want {
		t.Errorf("Domains() = %s, want %s", got, want)
	}
	for address, want := range map[string]string{"anna@example.com": "mailbox", "o'hara@example.com": "mailbox",
		"info@example.com": "alias anna@example.com", "upper@example.com": "none"} {
		if got := ask(t, s, address); got != want {
			t.Errorf("Account(%q): %s, want %s", address, got, want)
		}
	}
}

// folder is a directory whose files count as at rest.
type folder struct {
	*testing.T
	dir string
}

func (f folder) write(name, text string) {
	f.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		f.Fatal(err)
	}
	old := time.Now().Add(-time.Minute)
	if err := os.Chtimes(path+".new", old, old); err != nil {
		f.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		f.Fatal(err)
	}
}

func TestDetails(t *testing.T) {
	f := folder{t, t.TempDir()}
	f.write("vhosts",
		"example.com, räksmörgås.example\t!no.example /etc/more hash:/x .sub.example localhost # x.example\n")
	f.write("map", "example.com other.example\nexample.org x\n")
	f.write("users", "anna:x\nBo@example.org:{PLAIN}a\n:x\n#c:\n\nlast")
	f.write("virtual", `"a b"@example.com anna@example.com
root@example.com root
info@example.com anna
many@example.com anna, bo
file@example.com /var/mail/x
there@example.com @example.org, x@y.example
info@example.com second@example.com
@example.net @example.com
@foreign.example @gmail.example
@loop1.example @loop2.example
@loop2.example @loop1.example
@one.example @example.net
@all.example anna@example.com
kontakt@räksmörgås.example anna@example.com
postmaster anna@example.com
john.doe anna@example.com
`)
	f.write("words", `ALIAS.example x
info@alias.example anna@example.com
catch.example x
@catch.example anna@example.com
example.com x
john.doe anna@example.com
`)
	for _, row := range []struct {
		name, domains string
		options       Options
		answers       map[string]string
	}{
		{"list", "example.com example.net=example.com one.example=example.com xn--rksmrgs-5wao1o.example",
			Options{Domains: in(f.dir, "vhosts"), Aliases: in(f.dir, "virtual")},
			map[string]string{`"a b"@example.com`: "alias anna@example.com", "info@example.com": "alias anna",
				"there@example.com":          "alias there@example.org, x@y.example",
				"kontakt@räksmörgås.example": "alias anna@example.com", "x@all.example": "none"}},
		{"table", "example.com example.org", Options{Domains: []File{{filepath.Join(f.dir, "map"), true}}}, nil},
		{"Unix users", "example.com example.net=example.com example.org one.example=example.com",
			Options{Domains: []File{{filepath.Join(f.dir, "map"), true}}, Aliases: in(f.dir, "virtual"), UnixUsers: true},
			map[string]string{"info@example.com": "user anna", "root@example.com": "alias root",
				"many@example.com": "alias anna, bo", "file@example.com": "alias /var/mail/x"}},
		{"domains of aliases", "alias.example catch.example example.com xn--rksmrgs-5wao1o.example",
			Options{Domains: in(f.dir, "vhosts"), Aliases: in(f.dir, "words")}, nil},
		{"a domain for users", "example.com example.org", Options{Passwd: in(f.dir, "users"), Domain: "Example.com"},
			map[string]string{"anna@example.com": "mailbox", "bo@example.org": "mailbox", "last@example.com": "mailbox"}},
		{"no domain for users", "example.org", Options{Passwd: in(f.dir, "users")},
			map[string]string{"anna@example.com": "none"}},
	} {
		s := open(t, row.options)
		if got := list(t, s); got != row.domains {
			t.Errorf("%s: Domains() = %s, want %s", row.name, got, row.domains)
		}
		for address, want := range row.answers {
			if got := ask(t, s, address); got != want {
				t.Errorf("%s: Account(%q): %s, want %s", row.name, address, got, want)
			}
		}
	}
}

// TestChange changes files while a source is in use. The clock of the bubble is behind
// that of the files, which therefore count as at rest.
func TestChange(t *testing.T) {
	f := folder{t, t.TempDir()}
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Options{Mailboxes: in(f.dir, "vmailbox"), Aliases: in(f.dir, "virtual")})
		if got := list(t, s); !strings.HasSuffix(got, "vmailbox: no such file or directory") {
			t.Errorf("Domains() without files: %s, want an error that names the file", got)
		}
		if got := ask(t, s, "anna@example.com"); !strings.HasPrefix(got, "error: ") {
			t.Errorf("Account() without files: %s, want an error", got)
		}
		f.write("vmailbox", "anna@example.com x\n")
		f.write("virtual", "info@example.com anna@example.com\n")
		if got := ask(t, s, "anna@example.com"); got != "mailbox" {
			t.Errorf("Account() after the files appeared: %s, want mailbox", got)
		}
		f.write("vmailbox", "anna@example.com x\nbo@example.org x\n")
		if got := list(t, s); got != "example.com example.org" {
			t.Errorf("Domains() after a change: %s, want the new domain, too", got)
		}
		f.write("vmailbox", "anna@example.com x\nbo@example.org x\ncia@example.org x\n")
		if got := ask(t, s, "cia@example.org"); got != "none" {
			t.Errorf("Account() at once after a change: %s, want what was known", got)
		}
		time.Sleep(lookEvery)
		ask(t, s, "cia@example.org") // begins to look
		synctest.Wait()
		if got := ask(t, s, "cia@example.org"); got != "mailbox" {
			t.Errorf("Account() some seconds after a change: %s, want mailbox", got)
		}
		for _, damage := range []struct {
			name string
			do   func()
		}{
			{"removed", func() { os.Remove(filepath.Join(f.dir, "vmailbox")) }},
			{"a directory", func() { os.Mkdir(filepath.Join(f.dir, "vmailbox"), 0o700) }},
		} {
			damage.do()
			if got := list(t, s); !strings.HasPrefix(got, "error: ") {
				t.Errorf("%s: Domains() = %s, want an error", damage.name, got)
			}
			time.Sleep(24 * time.Hour)
			synctest.Wait()
			if got := ask(t, s, "anna@example.com"); got != "mailbox" {
				t.Errorf("%s: Account(): %s, want what was known", damage.name, got)
			}
		}
	})
}

// TestLoss empties a file for a while, and for good.
func TestLoss(t *testing.T) {
	f := folder{t, t.TempDir()}
	var many strings.Builder
	for i := range 20 {
		fmt.Fprintf(&many, "u%d@example.com x\n", i)
	}
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Options{Domains: in(f.dir, "vhosts"), Mailboxes: in(f.dir, "vmailbox")})
		f.write("vhosts", "example.com\n")
		f.write("vmailbox", many.String())
		if got := ask(t, s, "u19@example.com"); got != "mailbox" {
			t.Fatalf("Account() = %s, want mailbox", got)
		}
		after := func(wait time.Duration, want string) {
			t.Helper()
			time.Sleep(wait)
			ask(t, s, "u0@example.com")
			synctest.Wait()
			if got := ask(t, s, "u19@example.com"); got != want {
				t.Errorf("Account(): %s, want %s", got, want)
			}
		}
		f.write("vmailbox", "")
		after(time.Minute, "mailbox")
		f.write("vmailbox", many.String()[:100])
		after(30*time.Minute, "mailbox")
		after(30*time.Minute, "none")
		f.write("vmailbox", many.String())
		after(time.Minute, "mailbox")
		f.write("vmailbox", strings.Replace(many.String(), "u19", "u20", 1))
		after(time.Minute, "none")
	})
}

// TestHalfWritten writes a file in two steps. It needs real time, because the age of
// a file counts.
func TestHalfWritten(t *testing.T) {
	f := folder{t, t.TempDir()}
	f.write("vhosts", "one.example two.example\n")
	s := open(t, Options{Domains: in(f.dir, "vhosts")})
	if got := list(t, s); got != "one.example two.example" {
		t.Fatalf("Domains() = %s, want both", got)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "vhosts"), []byte("one.example "), 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		time.Sleep(rest / 2)
		os.WriteFile(filepath.Join(f.dir, "vhosts"), []byte("one.example two.example three.example"), 0o600)
	}()
	if got := list(t, s); got != "one.example two.example" {
		t.Errorf("Domains() while a file is written: %s, want what was known", got)
	}
}

// TestNoWait checks that a caller without time gets an error if nothing is known.
func TestNoWait(t *testing.T) {
	s := open(t, Options{Domains: in(rigData, "postfix.vhosts")})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.mu.Lock()
	s.running = make(chan struct{}) // a read that does not end
	s.mu.Unlock()
	if rows, err := s.Domains(ctx); err != context.Canceled {
		t.Errorf("Domains() = %v, %v, want %v", rows, err, context.Canceled)
	}
}

func TestSettings(t *testing.T) {
	o := Options{Aliases: in(rigData, "postfix.virtual")}
	if s := open(t, o); !reflect.DeepEqual(s.Settings(), o) || s.Close() != nil {
		t.Errorf("Settings() = %+v, want %+v", s.Settings(), o)
	}
}

func TestCheck(t *testing.T) {
	f := folder{t, t.TempDir()}
	f.write("odd", "anna@example.com x\nnovalue\n")
	f.write("empty", "# nothing\n")
	f.write("binary", "a\x00b")
	f.write("users", "anna:x\n")
	f.write("users2", "anna@example.com x\n")
	f.write("words", "example.com x\njohn.doe anna@example.com\n")
	f.write("postfix-accounts.cf", "anna@example.com|x\n")
	f.write("postfix-regexp.cf", "/^x/ anna@example.com\n")
	p := f.dir + "/"
	for _, row := range []struct {
		options Options
		want    []string // each a part of a finding
	}{
		{Options{Mailboxes: in(f.dir, "odd", "empty")}, []string{p + "odd:2: Postfix ignores", p + "empty lists nothing"}},
		{Options{Mailboxes: in(f.dir, "users2"), Aliases: in(f.dir, "words")}, []string{p + "words:2: this is taken for a user"}},
		{Options{Mailboxes: in(f.dir, "missing")}, []string{p + "missing: no such file"}},
		{Options{Mailboxes: in(f.dir, "binary")}, []string{p + "binary: it is not text"}},
		{Options{Passwd: in(f.dir, "users")}, []string{"holds password hashes", p + "users:1: the user has no domain",
			"lists nothing"}},
		{Options{Folder: f.dir}, []string{"postfix-regexp.cf holds patterns"}},
		{Options{Domains: in("/home/nobody-at-all", "x")}, []string{"/home/nobody-at-all/x: no such file"}},
		{Options{Domains: []File{{Path: f.dir}}}, []string{f.dir + ": it is a directory"}},
	} {
		got := open(t, row.options).Check(t.Context(), "nobody@example.com")
		if !slices.EqualFunc(got, row.want,
			func(f finding, part string) bool { return strings.Contains(f.Text, part) }) {
			t.Errorf("Check() of %+v = %+v, want findings with %q", row.options, got, row.want)
		}
	}
}

// finding has a name of its own because row names the rows of tables here.
type finding = row.Finding

// TestTooLarge checks that the size of a file is limited, also where it grows.
func TestTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large")
	writeSparse(t, path, maxFile+1)
	c := &content{options: &Options{}}
	if err := c.read(&file{kind: mailboxes, path: path}); err == nil || err.Error() != "it is larger than 64 MiB" {
		t.Errorf("reading more than 64 MiB: %v, want that it is too large", err)
	}
	r := &limited{strings.NewReader("anna@example.com:x\nbo@example.com:x\n"), 20}
	if err := users(r, ":", func(string, int) {}); err == nil {
		t.Error("reading users beyond the limit gives no error")
	}
}

func writeSparse(t *testing.T, path string, size int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
}

// TestPipe checks that a named pipe in the place of a file is a failure and not a wait.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	s := open(t, Options{Mailboxes: []File{{Path: path}}})
	if got := list(t, s); !strings.HasSuffix(got, "pipe: it is not a regular file") {
		t.Errorf("Domains() = %s, want that it is not a regular file", got)
	}
}
