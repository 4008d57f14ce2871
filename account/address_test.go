package account

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	local64 := strings.Repeat("a", 64)
	domain189 := strings.Repeat("d.", 93) + "se" // 188 bytes
	tests := []struct {
		name, text    string
		local, domain string
	}{
		{"plain", "anna@example.com", "anna", "example.com"},
		{"case of the local part stays", "Anna.Ek@EXAMPLE.Com", "Anna.Ek", "example.com"},
		{"white space around", " \tanna@example.com\r\n", "anna", "example.com"},
		{"tag", "anna+news@example.com", "anna+news", "example.com"},
		{"final dot", "anna@example.com.", "anna", "example.com"},
		{"atext", "!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~", "example.com"},
		{"quoted", `"anna ek"@example.com`, `"anna ek"`, "example.com"},
		{"quoted with @", `"anna@home"@example.com`, `"anna@home"`, "example.com"},
		{"quoted without need", `"anna"@example.com`, "anna", "example.com"},
		{"quoted dots", `"a..b"@example.com`, `"a..b"`, "example.com"},
		{"UTF-8 local part", "用户@example.com", "用户", "example.com"},
		{"NFC", "e\u0301va@example.com", "\u00e9va", "example.com"},
		{"U-label", "fred@bücher.example", "fred", "xn--bcher-kva.example"},
		{"U-label, capitals", "fred@BÜCHER.example", "fred", "xn--bcher-kva.example"},
		{"A-label", "fred@XN--bcher-KVA.example", "fred", "xn--bcher-kva.example"},
		{"sharp s is a letter of its own", "fred@straße.example", "fred", "xn--strae-oqa.example"},
		{"full stop of another script", "fred@example。com", "fred", "example.com"},
		{"64 bytes", local64 + "@example.com", local64, "example.com"},
		{"254 bytes", local64 + "@" + domain189 + "x", local64, domain189 + "x"},
		{"looks like a placeholder", "%EMAILDOMAIN%@example.com", "%EMAILDOMAIN%", "example.com"},
		{"looks like a format", "%s%d@example.com", "%s%d", "example.com"},
		{"looks like a template", "{{7*7}}@example.com", "{{7*7}}", "example.com"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, err := ParseAddress(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if a.Local() != test.local || a.Domain() != test.domain || a.String() != test.local+"@"+test.domain {
				t.Errorf("ParseAddress(%q) = %q at %q, %q; want %q at %q",
					test.text, a.Local(), a.Domain(), a, test.local, test.domain)
			}
			if want := strings.ToLower(test.local) + "@" + test.domain; a.Key() != want {
				t.Errorf("Key of %q is %q, want %q", a, a.Key(), want)
			}
			if a.IsAny() || a.IsZero() {
				t.Errorf("%q: IsAny is %v, IsZero is %v, want false", a, a.IsAny(), a.IsZero())
			}
		})
	}
}

func TestParseAddressRefuses(t *testing.T) {
	tests := []struct{ text, problem string }{
		{"", "it is empty"},
		{" ", "it is empty"},
		{"anna", "it has no @"},
		{"@example.com", "it has nothing before the @"},
		{`""@example.com`, "it has nothing before the @"},
		{"anna@", "its domain is empty"},
		{"a@b@example.com", "it has characters before the @ that an address cannot have there"},
		{"a b.c@example.com", "it has characters before the @ that an address cannot have there"}, // a bad one before a dot
		{"a..b@example.com", "it has characters before the @ that an address cannot have there"},
		{"anna ek@example.com", "it has characters before the @ that an address cannot have there"},
		{".anna@example.com", "it has characters before the @ that an address cannot have there"},
		{"anna.@example.com", "it has characters before the @ that an address cannot have there"},
		{"../../x@example.com", "it has characters before the @ that an address cannot have there"},
		{"<b>@example.com", "it has characters before the @ that an address cannot have there"},
		{`a"><script>alert(1)</script>@example.com`, "it has a quotation mark or a backslash before the @"},
		{`hosting01\anna@example.com`, "it has a quotation mark or a backslash before the @"},
		{`"a\"b"@example.com`, "it has a quotation mark or a backslash before the @"},
		{"*)(uid=*@example.com", "it has characters before the @ that an address cannot have there"},
		{"a\x00b@example.com", "it has a control character"},
		{"anna@example.com\r\nX-Evil: 1", "its domain is not a domain name"},
		{"an\r\nna@example.com", "it has a control character"},
		{"a\x7fb@example.com", "it has a control character"},
		{"\"a\x7fb\"@example.com", "it has a control character"},
		{"\"a\x1fb\"@example.com", "it has a control character"},
		{"an\u202ena@example.com", "it has an invisible character before the @"},
		{"an\u200bna@example.com", "it has an invisible character before the @"},
		{"an\u00a0na@example.com", "it has an invisible character before the @"},
		{"\"an\u0080na\"@example.com", "it has an invisible character before the @"}, // the first beyond ASCII
		{"an\ufffdna@example.com", "it has a character before the @ that could not be read (U+FFFD)"},
		{"\xff@example.com", "it is not UTF-8"},
		{strings.Repeat("a", 65) + "@example.com", "it has more than 64 bytes before the @"},
		{strings.Repeat("a", 64) + "@" + strings.Repeat("d.", 95) + "se", "it is longer than 254 bytes"},
		{strings.Repeat("a", 1<<20) + "@example.com", "it is longer than 254 bytes"},
		{"anna@[192.0.2.1]", "its domain is not a domain name"},
		{"anna@192.0.2.1", "its domain is an IP address or ends in a number"},
		{"anna@exa mple.com", "its domain is not a domain name"},
		{"anna@exa_mple.com", "its domain is not a domain name"},
		{"anna@example..com", "its domain has an empty label"},
		{"anna@-example.com", "its domain has a label that begins or ends with a hyphen"},
		{"anna@" + strings.Repeat("d", 64) + ".com", "its domain has a label of more than 63 bytes"},
		{"anna@xn--zzzzzzz99999.com", "its domain has a label that is not valid IDNA"},
		{"anna@example.com/../x", "its domain is not a domain name"},
	}
	for _, test := range tests {
		_, err := ParseAddress(test.text)
		addressError, ok := errors.AsType[*AddressError](err)
		if !ok {
			t.Errorf("ParseAddress(%.40q): error %v, want an AddressError", test.text, err)
			continue
		}
		if addressError.Problem != test.problem {
			t.Errorf("ParseAddress(%.40q): problem %q, want %q", test.text, addressError.Problem, test.problem)
		}
	}
}

// blankLocals are local parts in which there is nothing to see.
var blankLocals = []string{
	"\u3164", "\u2800", "\ufe0f", "\u115f", "\u1160", "\uffa0", "\u17b4", "\u17b5", "\u034f", "\u180b", "\ufe00",
	"\U000e0100", "\U0001d159", "\U00013441", "\U00016fe4", "\u115f\u1160", "\u3164\u2800\ufe0f", `" "`, "\"\u3164 \"",
	"\u3164.\u3164", "\u2800+tag", "\u3164.\u3164+a.b", "\u303f", "\ufffc", "\".\u3164\"",
}

// TestBlankLocal checks that an address in which nobody sees a local part is refused, in
// every way in which one is read.
func TestBlankLocal(t *testing.T) {
	for _, local := range blankLocals {
		text := local + "@example.com"
		a, err := ParseAddress(text)
		if refusal, ok := errors.AsType[*AddressError](err); !ok ||
			refusal.Problem != "it has nothing visible before the @" {
			t.Errorf("ParseAddress(%+q) = %q, %v, want that nothing is visible before the @", text, a, err)
		}
		var address, escaped, twice Query
		address.ReadAddress(text)
		escape := func(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
		escaped.ReadParameter(escape(text))
		twice.ReadParameter(escape(escape(text)))
		for i, q := range []Query{address, escaped, twice} {
			if !q.Address.IsAny() || q.Address.Domain() != "example.com" {
				t.Errorf("%+q, escaped %d times, is read as %q, want any mailbox of example.com", text, i, q.Address)
			}
		}
	}
	// Beside something visible they have a use, or do no harm.
	for _, text := range []string{"\u2764\ufe0f@example.com", "\u115f\u1161@example.com", "a\u2800@example.com",
		"\u3164.a@example.com", "+tag@example.com", "a\u2800+tag@example.com"} {
		if a, err := ParseAddress(text); err != nil {
			t.Errorf("ParseAddress(%+q) = %q, %v, want the address", text, a, err)
		}
	}
}

func TestUntagged(t *testing.T) {
	for text, want := range map[string]string{
		"anna+news@example.com":     "anna@example.com",
		"anna+a+b@example.com":      "anna@example.com",
		"anna@example.com":          "",
		"+anna@example.com":         "",
		`"anna ek+news"@example.se`: "",
	} {
		a, err := ParseAddress(text)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := a.Untagged()
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("Untagged of %s = %s, %v, want %q", text, got, ok, want)
		}
	}
}

func TestAnyAt(t *testing.T) {
	a := AnyAt("example.com")
	if a.String() != "%EMAILADDRESS%" || a.Local() != "%EMAILLOCALPART%" || a.Domain() != "example.com" || !a.IsAny() {
		t.Errorf("AnyAt = %s, %s at %s, IsAny %v, want the placeholders", a, a.Local(), a.Domain(), a.IsAny())
	}
	if _, tagged := a.Untagged(); tagged {
		t.Error("AnyAt has a tag")
	}
	if a.IsZero() || !(Address{}).IsZero() || (Address{}).IsAny() {
		t.Error("AnyAt and the zero Address are not told apart")
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"anna@example.com", `"a b"@bücher.example`, "用户@例え.jp", "a@b@c", "%EMAILADDRESS%@x.se",
		"anna@xn--bcher-kva.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAddress(text)
		if err != nil {
			return
		}
		if len(a.String()) > maxAddress || len(a.Local()) > maxLocal {
			t.Errorf("ParseAddress(%q) = %q, which is too long", text, a)
		}
		if strings.ContainsAny(a.String(), "\x00\r\n\t<>\\\u202e") && !strings.HasPrefix(a.Local(), `"`) {
			t.Errorf("ParseAddress(%q) = %q, which has a character that needs quotation marks", text, a)
		}
		if strings.ContainsAny(a.String(), "\x00\r\n\\") {
			t.Errorf("ParseAddress(%q) = %q, which has a character that is never allowed", text, a)
		}
		again, err := ParseAddress(a.String())
		if err != nil || again != a {
			t.Errorf("ParseAddress(%q) = %q, %v, want the same address", a, again, err)
		}
	})
}

// TestAtext checks every byte against the alphabet of RFC 5322 §3.2.3.
func TestAtext(t *testing.T) {
	const alphabet = "abcdefghijklmnopqrstuvwxyz" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "0123456789" + "!#$%&'*+-/=?^_`{|}~"
	for c := range 256 {
		if got, want := isAtext(byte(c)), strings.IndexByte(alphabet, byte(c)) >= 0; got != want {
			t.Errorf("isAtext(%q) = %v, want %v", byte(c), got, want)
		}
	}
}
