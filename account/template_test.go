package account

import (
	"slices"
	"testing"
)

func TestExpand(t *testing.T) {
	anna, err := ParseAddress("Anna+x@Example.com")
	if err != nil {
		t.Fatal(err)
	}
	odd, err := ParseAddress("%EMAILDOMAIN%@example.com")
	if err != nil {
		t.Fatal(err)
	}
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
		{"%EMAILADDRESS%", odd, "%EMAILDOMAIN%@example.com"}, // filled in once only
		{"%EMAILLOCALPART%.%EMAILDOMAIN%", odd, "%EMAILDOMAIN%.example.com"},
		{"%EMAILADDRESS%", AnyAt("example.com"), "%EMAILADDRESS%"},
		{"mail.%EMAILDOMAIN%", AnyAt("example.com"), "mail.example.com"},
		{"%EMAILLOCALPART%_%EMAILDOMAIN%", AnyAt("example.com"), "%EMAILLOCALPART%_example.com"},
	}
	for _, test := range tests {
		if got := Expand(test.text, test.a); got != test.want {
			t.Errorf("%q for %q: got %q, want %q", test.text, test.a, got, test.want)
		}
	}
}

func TestTemplateEscapesWhatItFillsIn(t *testing.T) {
	a, err := ParseAddress("a&b@example.com")
	if err != nil {
		t.Fatal(err)
	}
	escape := func(dst []byte, text string) []byte { return append(append(append(dst, '<'), text...), '>') }
	got := string(ParseTemplate("&%EMAILADDRESS%&").Append(nil, a, escape))
	if want := "&<a&b@example.com>&"; got != want {
		t.Errorf("got %q, want %q", got, want)
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
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
