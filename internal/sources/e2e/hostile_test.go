package e2e

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"signpost/internal/sources/rig"
)

// hostile are local parts that are meant to do harm: to queries, filters, collations,
// encodings and tables of files.
var hostile = []string{
	`x' OR '1'='1`, `x" OR "1"="1`, `x'; DROP TABLE mailbox; --`, `x' --`, `x\' OR 1=1 -- `, `x/*`, `'`, `''`, `"`, "`",
	`%`, `_`, `%%`, `an%`, `ann_`, `*`, `anna*`, `?`, `[a-z]*`, `.*`, `$1`, `:1`, `@p1`, `%s`, `%u`, `%d`, `%1`, `{0}`,
	`a)(uid=*`, `*)(mail=*`, `a)(|(mail=*`, `a&b`, `a|b`, `!a`, `(`, `)`, `a=b`, `a~=b`, `a>=b`, `\2a`, `\00`, `\\`, `\`,
	`a\`, `anna\`, "anna\x00", "\x00", "a\x00b", "anna\n", "anna\r\n", "anna\t", "\x7f", "\x1b",
	`😀`, `anna😀`, `ånna`, `änna`, `anná`, `ANNÅ`, `strasse`, `straße`, `ﬁ`, `ａｎｎａ`,
	"a\u0308nna", "anna\u200b", "\u202eanna",
	"anna ", " anna", "anna  ", "anna\u00a0", `"anna"`, `"anna "`, `"an na"`, `"a@b"`,
	`anna@example.com`, `anna,bo`, `anna;bo`,
	"\xff", "\xc3\x28", "\xf0\x28\x8c\x28", "\xed\xa0\x80", "anna\xff",
	`|/bin/sh`, `/etc/passwd`, `:include:/etc/passwd`, `../anna`, `~anna`, `-anna`, `@`, ``, `.`, `..`, `.anna`, `anna.`,
	strings.Repeat("a", 64), strings.Repeat("'", 64), strings.Repeat("%", 64), strings.Repeat(`\`, 64),
	strings.Repeat("*", 64), strings.Repeat("å", 32), strings.Repeat("😀", 16), strings.Repeat(")", 64),
	strings.Repeat("a", 65), strings.Repeat("a", 250), strings.Repeat("a", 2000),
}

// hostileDomains are domains meant to do harm.
var hostileDomains = []string{
	`' OR '1'='1`, `%`, `*`, `example.com'--`, `example.com%00`, "example.com\x00", `exämple.com`, `example。com`,
	`😀.example`, `xn--`, `xn--a`, strings.Repeat("a", 64) + ".com", strings.Repeat("a.", 150) + "com",
	`ALL`, `[127.0.0.1]`,
	`example.com.`, `EXAMPLE.com `, `ex_mple.com`, `%example.com`, `*.example.com`, `)(domainName=*`, ``, `.`,
}

// hostileFixtures have every server and, of MariaDB, every kind of collation.
var hostileFixtures = []string{"postfixadmin.pgsql", "postfixadmin.mysql", "postfixadmin.sqlite", "mailcow",
	"ispconfig", "gromox", "mailinabox.sqlite"}

// TestHostile asks about addresses that nobody has. Each is answered as by a service that
// knows the domain from its configuration, and no question to the database fails.
func TestHostile(t *testing.T) {
	reference := referenceService(t)
	for _, fixture := range hostileFixtures {
		t.Run(fixture, func(t *testing.T) {
			s := serve(t, provider+source(rig.Load(t, fixture)))
			s.loaded(t)
			for _, local := range hostile {
				s.same(t, reference, local+"@example.com", "example.com")
			}
			for _, domain := range hostileDomains {
				s.same(t, reference, "anna@"+domain, domain)
			}
			s.quiet(t)
		})
	}
}

// referenceService serves example.com from its configuration, with an account that differs
// from the others, as those of a store may.
func referenceService(t *testing.T) *running {
	t.Helper()
	return serve(t,
		withDomains("example.com")+"accounts:\n  - list:\n      somebody@example.com: {username: somebody}\n")
}

// changing matches the parts of an answer that differ each time.
var changing = regexp.MustCompile(`(Time=")[0-9:.]+(" Id=")[0-9]+"`)

// same requires that the service answers about an address as another one does.
func (s *running) same(t *testing.T, reference *running, address, domain string) {
	t.Helper()
	for _, w := range ways {
		got, err := s.do(w.request(address, domain))
		if err != nil {
			continue // no HTTP client sends it
		}
		want, err := reference.do(w.request(address, domain))
		if err != nil {
			t.Fatal(err)
		}
		got.body, want.body = changing.ReplaceAll(got.body, nil), changing.ReplaceAll(want.body, nil)
		if got.status != want.status || !bytes.Equal(got.body, want.body) {
			t.Errorf("%s about %q: status %d\n%s\nwant what an unknown mailbox gets, status %d\n%s",
				w.name, address, got.status, got.body, want.status, want.body)
		}
	}
}
