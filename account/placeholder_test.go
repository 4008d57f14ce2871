package account

import (
	"slices"
	"testing"
)

func TestExpand(t *testing.T) {
	anna, odd := parse(t, "Anna+x@Example.com"), parse(t, "%EMAILDOMAIN%@example.com")
	tests := []struct {
		text string
		a    Address
		want string
	}{
		{"", anna, ""},
		{"mail.example.com", anna, "mail.example.com"},
		{"%EMAILADDRESS%", anna, "Anna+x@example.com"},
		{"mail.%EMAILDOMAIN%", anna, "mail.example.com"},
		{"%EMAILLOCALPART%_%EMAILDOMAIN%", anna, "Anna+x_example.com"},
		{"%EMAILADDRESS%%EMAILADDRESS%", anna, "Anna+x@example.comAnna+x@example.com"},
		{"100% %EMAILADDRESS", anna, "100% %EMAILADDRESS"},
		{"%%EMAILADDRESS%%", anna, "%EMAILADDRESS%"},
		{"%%EMAILADDRESS%", anna, "%Anna+x@example.com"},
		{"a%%EMAILLOCALPART%%b%EMAILDOMAIN%", anna, "a%EMAILLOCALPART%bexample.com"},
		{"%emailaddress%", anna, "%emailaddress%"},
		{"%EMAILADDRESS%", odd, "%EMAILDOMAIN%@example.com"}, // not parsed again
		{"%EMAILLOCALPART%.%EMAILDOMAIN%", odd, "%EMAILDOMAIN%.example.com"},
		{"%EMAILADDRESS%", AnyAt("example.com"), "%EMAILADDRESS%"},
		{"mail.%EMAILDOMAIN%", AnyAt("example.com"), "mail.example.com"},
		{"%EMAILLOCALPART%_%EMAILDOMAIN%", AnyAt("example.com"), "%EMAILLOCALPART%_example.com"},
	}
	for _, test := range tests {
		if got := Expand(test.text, test.a); got != test.want {
			t.Errorf("Expand(%q, %q) = %q, want %q", test.text, test.a, got, test.want)
		}
	}
}

func TestTemplateEscapesValues(t *testing.T) {
	a := parse(t, "a&b@example.com")
	escape := func(dst []byte, text string) []byte { return append(append(append(dst, '<'), text...), '>') }
	got := string(ParseTemplate("&%EMAILADDRESS%&").Append(nil, a, escape))
	if want := "&<a&b@example.com>&"; got != want {
		t.Errorf("Append = %q, want %q", got, want)
	}
}

func TestPlaceholders(t *testing.T) {
	for text, want := range map[string][]string{
		"":                               nil,
		"mail.example.com":               nil,
		"https://example.com/%C3%A5%20":  nil,
		"%EMAILADRESS%":                  {"%EMAILADRESS%"},
		"%EMAILLOCALPART%_%emaildomain%": {"%EMAILLOCALPART%", "%emaildomain%"},
		"100% of %EMAILDOMAIN%":          {"%EMAILDOMAIN%"},
	} {
		if got := Placeholders(text); !slices.Equal(got, want) {
			t.Errorf("Placeholders(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestExpandURL(t *testing.T) {
	for address, want := range map[string]string{
		"anna+x@example.com":  "https://dav.example.com/anna+x@example.com/anna+x",
		"a/b?c#d@example.com": "https://dav.example.com/a%2Fb%3Fc%23d@example.com/a%2Fb%3Fc%23d",
		`"a b"@example.com`:   "https://dav.example.com/%22a%20b%22@example.com/%22a%20b%22",
		"%41@example.com":     "https://dav.example.com/%2541@example.com/%2541",
	} {
		if got := ExpandURL("https://dav.%EMAILDOMAIN%/%EMAILADDRESS%/%EMAILLOCALPART%", parse(t, address)); got != want {
			t.Errorf("ExpandURL for %s = %s, want %s", address, got, want)
		}
	}
	got := ExpandURL("https://dav.%EMAILDOMAIN%/%EMAILADDRESS%", AnyAt("example.com"))
	if got != "https://dav.example.com/%EMAILADDRESS%" {
		t.Errorf("ExpandURL for any mailbox = %s, want the placeholder to stay", got)
	}
}

func TestVerbatim(t *testing.T) {
	anna := parse(t, "anna@example.com")
	for _, text := range []string{"", "100 %", "%EMAILADDRESS%", "a%EMAILDOMAIN%b%EMAILLOCALPART%"} {
		if got := Expand(Verbatim(text), anna); got != text {
			t.Errorf("Expand(Verbatim(%q)) = %q, want the text itself", text, got)
		}
	}
}

func TestNamesMailbox(t *testing.T) {
	for text, want := range map[string]bool{
		"":                          false,
		"mail.%EMAILDOMAIN%":        false,
		"%EMAILLOCALPART%.x":        true,
		"https://x/%EMAILADDRESS%/": true,
		"%%EMAILADDRESS%%":          true, // to be on the safe side
		"%EMAILADDRESS":             false,
	} {
		if got := NamesMailbox(text); got != want {
			t.Errorf("NamesMailbox(%q) = %v, want %v", text, got, want)
		}
	}
}
