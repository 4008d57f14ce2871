package fault

import (
	"fmt"
	"strings"
	"testing"
)

func TestWithoutLocalParts(t *testing.T) {
	for text, want := range map[string]string{
		"no address":                     "no address",
		`unknown key "anna@example.com"`: `unknown key "…@example.com"`,
		"anna@example.com and o'brien+x@a.se are aliases":  "…@example.com and …@a.se are aliases",
		`list."\"anna ek\"@example.com": has no value`:     `list."…@example.com": has no value`,
		`"anna ek"@example.com is no domain`:               `"…@example.com is no domain`,
		`"<anna@example.com>" is not a domain`:             `"…@example.com>" is not a domain`,
		`"anna maria@example.com" is not a mapping`:        `"…@example.com" is not a mapping`,
		`"anna "ek" maria@example.com" is not a mapping`:   `"…@example.com" is not a mapping`,
		`"@anna maria@example.com" and "bo ek@a.se"`:       `"@…@example.com"…@a.se"`,
		`mailto:anna@example.com is not https`:             `mailto:…@example.com is not https`,
		`a value cannot begin with @: "@anna@example.com"`: `a value cannot begin with @: "@…@example.com"`,
		"jürgen@bücher.example":                            "…@bücher.example",
		"anna@":                                            "…@",
	} {
		if got := WithoutLocalParts(text); got != want {
			t.Errorf("WithoutLocalParts(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestForLog(t *testing.T) {
	l := List{
		{File: "a.yaml", Line: 3, Text: "accounts.anna: no domain", Log: "accounts.…: is wrong"},
		{File: "b.txt", Text: `"anna@example.com" is no domain`},
	}
	err := fmt.Errorf("loading: %w", WithHint(l, "signpost check"))
	got := ForLog(err)
	if want := "a.yaml:3: accounts.…: is wrong\nb.txt: \"…@example.com\" is no domain"; got.Error() != want {
		t.Errorf("the text for the log is %q, want %q", got, want)
	}
	if Hint(got) != "signpost check" {
		t.Errorf("the hint of the error for the log is %q, want that of the error", Hint(got))
	}
	if !strings.Contains(err.Error(), "anna@example.com") {
		t.Errorf("the error itself became %q", err)
	}
	plain := fmt.Errorf("no list")
	if ForLog(plain) != plain {
		t.Error("ForLog changed an error without faults")
	}
}
