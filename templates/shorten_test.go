package templates

import (
	"bytes"
	"regexp"
	"testing"
	"testing/fstest"
)

// TestShorten checks that the embedded style and script are served without what is for
// their readers only, and that an operator's are served as they are.
func TestShorten(t *testing.T) {
	short := Embedded()
	for name, got := range map[string][]byte{styleFile: short.Style, scriptFile: short.Script} {
		original, err := embedded.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if rest := regexp.MustCompile(`(?m)^\s+|/\*|\*/|^//`).Find(got); rest != nil {
			t.Errorf("%s is served with %q", name, rest)
		}
		// What withoutComments takes for granted.
		if bad := regexp.MustCompile("`|\\\\\n|(?m)\\S[ \\t]*/\\*|\\*/[ \\t]*\\S|\\S[ \\t]+//").Find(original); bad != nil {
			t.Errorf("%s has %q: a text across lines, or a comment that has no lines of its own", name, bad)
		}
		set, err := Load(fstest.MapFS{name: {Data: original}})
		if err != nil {
			t.Fatal(err)
		}
		if own := map[string][]byte{styleFile: set.Style, scriptFile: set.Script}[name]; !bytes.Equal(own, original) {
			t.Errorf("an operator's %s is served with %d bytes, want the %d of the file", name, len(own), len(original))
		}
	}
}
