package setup

import (
	"encoding/json"
	"os"
	"testing"

	"signpost/templates"
)

// TestShortStyle checks that the style as it is served has the same rules as its file, in
// which blanks and comments are for readers.
func TestShortStyle(t *testing.T) {
	original, err := os.ReadFile("../../templates/static/style.css")
	if err != nil {
		t.Fatal(err)
	}
	ctx := open(t)
	rules := func(style []byte) []string {
		text, err := json.Marshal(string(style))
		if err != nil {
			t.Fatal(err)
		}
		return js[[]string](t, ctx, `(() => {
			const sheet = new CSSStyleSheet();
			sheet.replaceSync(`+string(text)+`);
			return [...sheet.cssRules].map(rule => rule.cssText);
		})()`)
	}
	got, want := rules(templates.Embedded().Style), rules(original)
	if len(got) != len(want) || len(want) < 100 {
		t.Fatalf("the style is served with %d rules, want the %d of its file", len(got), len(want))
	}
	for i, rule := range want {
		if got[i] != rule {
			t.Errorf("rule %d is served as\n%s\nwant\n%s", i, got[i], rule)
		}
	}
}
