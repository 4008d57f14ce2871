package dns

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{
		"":                       `""`,
		"v=UAAC1; a=b":           `"v=UAAC1; a=b"`,
		`a"b\c`:                  `"a\"b\\c"`,
		"å\n":                    `"\195\165\010"`,
		strings.Repeat("x", 256): `"` + strings.Repeat("x", 255) + `" "x"`,
	} {
		got := Quote(text)
		if got != want {
			t.Errorf("Quote(%q) = %s, want %s", text, got, want)
		}
		rr, err := dns.NewRR("a.test. IN TXT " + got)
		if err != nil {
			t.Errorf("TXT record with the data %s: %v", got, err)
			continue
		}
		if back := Unquote(RecordOf(rr).Data); back != text {
			t.Errorf("Unquote(Quote(%q)) = %q", text, back)
		}
	}
	for data, want := range map[string]string{`\`: `\`, `"\"`: `"`, `"\2`: "2", `"\999"`: "999", `"\299"`: ""} {
		if got := Unquote(data); got != want {
			t.Errorf("Unquote(%s) = %q, want %q", data, got, want)
		}
	}
}
