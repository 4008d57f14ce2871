package ldapdir

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// hostile are keys that mean something in a filter or a DN.
var hostile = []string{
	"*@", "a)(uid=*@", `a\@`, `a\2a@`, "a\x00@", "😀@", "ånna@", "anna @", " anna@", "x' OR '1'='1@", "#@", "=@",
	"a,b+c=d;e<f>g\"h@", "\xff\xfe@", "(|(mail=*))@", "%s@", "%%@", ":dn:=@", "~=@",
	strings.Repeat("(", 64) + "@", strings.Repeat("\\", 64) + "@",
}

// TestHostileKeys puts keys into filters that no parser of addresses lets through.
func TestHostileKeys(t *testing.T) {
	for _, text := range hostile {
		for _, domain := range []string{"example.com", `ex"am,ple\`, " example ", "#example", "bücher.example"} {
			checkKey(t, text+domain)
		}
	}
}

// checkKey puts a key into filters and DNs, and compares what comes of it with a harmless
// key: only the values may differ.
func checkKey(t *testing.T, text string) {
	t.Helper()
	at := strings.LastIndexByte(text, '@')
	k := key{whole: text, local: text[:max(at, 0)], domain: text[at+1:]}
	harmless := key{"nobody@example.com", "nobody", "example.com"}
	for _, source := range []string{
		"(mail=%s)",
		"(&(objectClass=user)(|(mail=%s)(proxyAddresses=smtp:%s)(uid=%u))(!(mail=*@%d)))",
		"(|(mail=%u@%d)(cn=100%%)(memberOf:1.2.840.113556.1.4.1941:=cn=%d,dc=x)(mail=*%u*%d))",
	} {
		f, err := parseFilter(source, "sud")
		if err != nil {
			t.Fatal(err)
		}
		for _, keys := range [][]key{{k}, {k, harmless}} {
			same := slices.Repeat([]key{harmless}, len(keys))
			got, err := ldap.CompileFilter(f.expand(keys))
			if err != nil {
				t.Fatalf("%s with %q: %v", source, text, err)
			}
			want, err := ldap.CompileFilter(f.expand(same))
			if err != nil {
				t.Fatal(err)
			}
			compare(t, source, got, want, k, harmless)
		}
	}
	if !utf8.ValidString(k.domain) {
		return // no domain is like this
	}
	b, err := parseBase("domainName=%d,ou=%d\\, Ltd,dc=example", "", "d")
	if err != nil {
		t.Fatal(err)
	}
	dn, err := ldap.ParseDN(b.expand(k))
	if err != nil {
		t.Fatalf("%q in a DN: %v", text, err)
	}
	if len(dn.RDNs) != 3 || len(dn.RDNs[0].Attributes) != 1 || dn.RDNs[0].Attributes[0].Value != k.domain ||
		dn.RDNs[1].Attributes[0].Value != k.domain+", Ltd" {
		t.Errorf("%q in a DN gives %q, want three parts with it in two", text, dn)
	}
}

// compare compares two filters: the same tree, and values in which the key stands for the
// harmless one.
func compare(t *testing.T, source string, got, want *ber.Packet, k, harmless key) {
	t.Helper()
	if got.Tag != want.Tag || got.ClassType != want.ClassType || len(got.Children) != len(want.Children) {
		t.Fatalf("%s with %q has another structure than with a harmless key", source, k.whole)
	}
	for i := range got.Children {
		compare(t, source, got.Children[i], want.Children[i], k, harmless)
	}
	if len(got.Children) > 0 {
		return
	}
	is, should := got.Data.String(), want.Data.String()
	if is == should {
		return
	}
	// The value may be any that the templates make: the whole key, or its parts.
	whole := strings.ReplaceAll(should, harmless.whole, k.whole)
	parts := strings.NewReplacer(harmless.local, k.local, harmless.domain, k.domain).Replace(should)
	if is != whole && is != parts {
		t.Errorf("%s with %q has the value %q, want %q", source, k.whole, is, whole)
	}
}

func FuzzKey(f *testing.F) {
	for _, text := range hostile {
		f.Add(text + "example.com")
	}
	f.Fuzz(func(t *testing.T, text string) {
		if at := strings.LastIndexByte(text, '@'); at > 0 && at < len(text)-1 { // as every address
			checkKey(t, text)
		}
	})
}

// FuzzFilter reads filters as operators may write them: no error is a filter that can be
// sent for any key.
func FuzzFilter(f *testing.F) {
	for _, o := range presets {
		f.Add(o.Account)
		f.Add(o.Domain)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := parseFilter(text, "sud")
		if err != nil {
			return
		}
		k := key{`a)(\*@b`, `a)(\*`, "b"}
		if _, err := ldap.CompileFilter(filter.expand([]key{k})); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		for _, l := range filter.lists() {
			if _, err := ldap.CompileFilter(l.filter); err != nil {
				t.Errorf("%q: the filter %q for all domains: %v", text, l.filter, err)
			}
		}
	})
}
