package service

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLostDomains checks which changes of a file of domains are refused: those that lose
// more than a share of the domains, as a half-written export does.
func TestLostDomains(t *testing.T) {
	names := func(from, to int) string {
		var text strings.Builder
		for i := from; i < to; i++ {
			fmt.Fprintf(&text, "customer-%d.example\n", i)
		}
		return text.String()
	}
	for _, test := range []struct {
		name, keys           string
		before, after, moved string
		want                 string // part of the fault; empty for none
	}{
		{"the same", "", names(0, 200), names(0, 200), "", ""},
		{"as many as are allowed", "", names(0, 200), names(0, 180), "", ""},
		{"one more", "", names(0, 200), names(0, 179), "", "list.txt: lost 21 of 200 domains, more than maxLoss allows (10 %)"},
		{"half written", "", names(0, 20000), names(0, 11159), "", "list.txt: lost 8841 of 20000 domains"},
		{"as many others", "", names(0, 200), names(100, 300), "", "lost 100 of 200 domains"},
		{"more domains", "", names(0, 200), names(0, 400), "", ""},
		{"moved to another provider", "", names(0, 200), names(0, 100), names(100, 200), ""},
		{"a few of a short list", "", names(0, 8), names(0, 3), "", ""},
		{"more of a short list", "", names(0, 8), names(0, 2), "", "lost 6 of 8 domains"},
		{"a key allows it", ", maxLoss: 60", names(0, 200), names(0, 100), "", ""},
		{"a key forbids more", ", maxLoss: 0", names(0, 200), names(0, 199), "", "lost 1 of 200 domains, more than maxLoss allows (0 %)"},
		{"a key forbids more of a short list", ", maxLoss: 0", names(0, 8), names(0, 7), "", "lost 1 of 8 domains"},
	} {
		dir := t.TempDir()
		load := func(list, other string) *Loaded {
			t.Helper()
			for name, text := range map[string]string{
				"list.txt": list, "other.txt": "other.example\n" + other,
				"signpost.yaml": `
providers:
  - id: a
    displayName: A
    domains: {file: list.txt` + test.keys + `}
    servers: [{type: imap, hostname: imap.example}, {type: smtp, hostname: smtp.example}]
  - {id: b, displayName: B, domains: [{file: other.txt}], servers: {of: a}}
`,
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			l, err := Load(filepath.Join(dir, "signpost.yaml"), slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			return l
		}
		earlier := load(test.before, "")
		got := lostDomains(earlier, load(test.after, test.moved)).Error()
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: lostDomains = %q, want %q", test.name, got, test.want)
		}
	}
}
