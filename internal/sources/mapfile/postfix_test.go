package mapfile

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// postmap returns what Postfix's own program finds in a table for the keys.
func postmap(t *testing.T, table string, keys []string) map[string]string {
	t.Helper()
	program, err := exec.LookPath("postmap")
	if err != nil {
		if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
			t.Fatal("postmap is not installed")
		}
		t.Skip("postmap is not installed")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"main.cf": "compatibility_level = 3.6\nmyhostname = mail.example.com\nmydomain = example.com\n", "table": table} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		// Postfix waits for a file that has just been written to.
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command(program, "-c", dir, "-q", "-", "texthash:"+filepath.Join(dir, "table"))
	command.Stdin = strings.NewReader(strings.Join(keys, "\n") + "\n")
	out, err := command.Output()
	if exit, ok := err.(*exec.ExitError); ok && exit.ExitCode() > 1 || err != nil && !ok {
		t.Fatalf("postmap: %v", err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		found[key] = value
	}
	return found
}

// table returns what entries reads, by key in lower case.
func table(text string) map[string]string {
	found := map[string]string{}
	entries(text, func(e entry) {
		if _, twice := found[strings.ToLower(e.key)]; !twice {
			found[strings.ToLower(e.key)] = e.value
		}
	})
	return found
}

// TestEntriesAsPostfix compares what entries reads with what Postfix reads, on a table
// with every oddity, and on random ones.
func TestEntriesAsPostfix(t *testing.T) {
	pieces := []string{"anna@example.com", "Bo@Example.COM", "@example.com", "example.net", `"a b"@example.com`, `q\`, `"`,
		" ", " ", " ", "\t", "\n", "\n", "\n", "\n ", "\n\t", "#", "\n# ", "\r\n", "\v", ",", ":", "å", "\xff", "x", "y"}
	random := rand.New(rand.NewPCG(1, 2))
	texts := []string{oddTable}
	for range 30 {
		var b strings.Builder
		for range 60 {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		texts = append(texts, b.String())
	}
	compared := 0
	for _, text := range texts {
		want := table(text)
		keys := []string{"nobody@example.com", "Bo@Example.COM", "anna@example.com", "x", "xy", "@example.com"}
		for line := range strings.Lines(text) {
			keys = append(keys, strings.Trim(line, blanks))
			keys = append(keys, strings.Fields(line)...)
		}
		for key := range want {
			keys = append(keys, key)
		}
		var asked []string
		for _, key := range keys {
			if key != "" && utf8.ValidString(key) && !strings.ContainsAny(key, "\t\n\r\v") &&
				strings.TrimSpace(key) == key {
				asked = append(asked, key)
			}
		}
		found := postmap(t, text, asked)
		for _, key := range asked {
			got, ours := want[strings.ToLower(key)]
			theirs, ok := found[key]
			if ours != ok || strings.TrimRight(got, blanks) != strings.TrimRight(theirs, blanks) &&
				!strings.ContainsAny(got, "\r\v") {
				t.Errorf("table %q: key %q has %q (%v), Postfix says %q (%v)", text, key, got, ours, theirs, ok)
			}
			compared++
		}
	}
	if compared < 300 {
		t.Errorf("only %d keys were compared", compared)
	}
}

const oddTable = "  lead x\n" + `"a b"@example.com  quoted
A@Example.com: colon
q\ x y
dup 1
dup 2
novalue
k v` + "\r" + `
#c
  more

   # a comment may be indented, a blank line ends nothing
	 last
"c\" d" z
abc"d e"f g
Å@example.com utf
open"quote a b
next n
ka@example.com a@b,
 c@d
`

func TestEntriesIgnored(t *testing.T) {
	for text, want := range map[string]int{"a b\nc\nd\n": 2, " a b\n": 1, "a b\n\nc \"\n": 0, "a\" b\n": 1, "a b\n#\nx\xff y\n": 3,
		"": 0} {
		if got := entries(text, func(entry) {}); got != want {
			t.Errorf("entries(%q) says that line %d is ignored, want %d", text, got, want)
		}
	}
}

// FuzzEntries checks that no text makes the parsers panic, or give an entry without a key
// or a value, or a mailbox that is no address.
func FuzzEntries(f *testing.F) {
	f.Add(oddTable)
	f.Add("a\\")
	f.Add("\"\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		entries(text, func(e entry) {
			if e.key == "" || e.value == "" || e.line <= last {
				t.Errorf("entries(%q) has %q, %q on line %d", text, e.key, e.value, e.line)
			}
			last = e.line
		})
		c := newContent(&Options{Folder: "x"})
		entries(text, func(e entry) { c.addAlias(&file{}, e); c.addMailbox(&file{}, e.key, e.line) })
		words(text, func(word string, line int) { c.addDomain(&file{}, word, line) })
		users(strings.NewReader(text), ":|", func(user string, line int) { c.addUser(&file{}, user, line) })
		c.addWords()
		c.resolveNames()
		for key := range c.mailboxes {
			if !strings.Contains(key, "@") || strings.ToLower(key) != key {
				t.Errorf("%q makes a mailbox %q", text, key)
			}
		}
	})
}
