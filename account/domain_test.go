package account

import (
	"errors"
	"strings"
	"testing"
)

func TestParseDomain(t *testing.T) {
	for text, want := range map[string]string{
		"example.com":                        "example.com",
		"Example.COM.":                       "example.com",
		"a-b.1.example":                      "a-b.1.example",
		"bücher.example":                     "xn--bcher-kva.example",
		"XN--BCHER-KVA.example":              "xn--bcher-kva.example",
		"localhost":                          "localhost",
		"1a":                                 "1a",
		strings.Repeat("a", 63) + ".example": strings.Repeat("a", 63) + ".example",
	} {
		if got, err := ParseDomain(text); got != want || err != nil {
			t.Errorf("ParseDomain(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestParseDomainRefuses(t *testing.T) {
	long := strings.Repeat(strings.Repeat("a", 49)+".", 5) // 250 bytes
	if _, err := ParseDomain(long + "com"); err != nil {
		t.Errorf("a name of 253 bytes: %v", err)
	}
	for text, want := range map[string]string{
		"":                        "is empty",
		".":                       "is empty",
		"a..b":                    "has an empty label",
		long + "comm":             "is longer than 253 bytes",
		strings.Repeat("a", 5000): "is too long",
		strings.Repeat("a", 64):   "has a label of more than 63 bytes",
		"-a.example":              "has a label that begins or ends with a hyphen",
		"a-.example":              "has a label that begins or ends with a hyphen",
		"xn--zzzzzzz99999.com":    "has a label that is not valid IDNA",
		"192.0.2.1":               "is an IP address or ends in a number",
		"example.1":               "is an IP address or ends in a number",
		"2001:db8::1":             "is not a domain name",
		"a_b.example":             "is not a domain name",
		"a/b.example":             "is not a domain name",
		"a\xff.example":           "is not UTF-8",
	} {
		got, err := ParseDomain(text)
		problem, ok := errors.AsType[*DomainError](err)
		if !ok || got != "" || problem.Problem != want {
			t.Errorf("ParseDomain(%.40q) = %q, %v, want a DomainError: it %s", text, got, err, want)
		}
	}
}
