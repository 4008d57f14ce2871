package row

import "testing"

// TestVisible replaces what could change how other text looks.
func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"Anna Berg":                "Anna Berg",
		"Zoë Müller 李":             "Zoë Müller 李",
		"می\u200cخواهم":            "می\u200cخواهم", // Persian needs the non-joiner
		"\x1b[31mAnna\x1b]0;x\x07": "\uFFFD[31mAnna\uFFFD]0;x\uFFFD",
		"Anna\r\nBerg\tx":          "Anna  Berg x",
		"Anna\u2028Berg":           "Anna Berg",
		"\u202Eannа\u2066":         "\uFFFDannа\uFFFD",
		"\u009b31m":                "\uFFFD31m",
	} {
		if got := Visible(text); got != want {
			t.Errorf("Visible(%q) = %q, want %q", text, got, want)
		}
	}
}
