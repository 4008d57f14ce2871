package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"signpost/account"
	"signpost/internal/certs"
	"signpost/internal/records"
	"signpost/internal/setup"
	"signpost/internal/sources"
	"signpost/internal/sources/mapfile"
	"signpost/internal/sources/sqldb"
)

// inWords are the defaults of the table in doc.go that are no values.
var inWords = []string{
	"the authority's", "required", "none", "unsigned", "see below", "a tenth", "by type", "by domain", "from displayName", "found by client",
	"at once", "no end", "the host name", "the name", "the system's", "the provider's", "branding's", "Let's Encrypt's",
	"of server", "from account", "from domain", "as base", "from mailboxes", "the only one",
}

// sections has every section that some default belongs to, with as few keys as
// possible.
const sections = `
listen: ":80"
tls: {acme: {}}
providers:
  - id: example
    displayName: Example Mail
    domains: [example.se]
    servers:
      - {type: activesync, url: "https://mail.example.se/", username: u, clients: {outlook: {domainName: d}}}
      - {type: imap, hostname: mail.example.se}
      - {type: smtp, hostname: mail.example.se}
  - {id: other, displayName: Other, mx: [mx.example], autodiscover: {hostname: autodiscover.example.net}}
accounts: [list: {a@example.se: {}}]
`

// TestDefaults compares every value in the column "default" of the table in doc.go
// with what a configuration without the key has.
func TestDefaults(t *testing.T) {
	c, err := parse("x.yaml", []byte(sections))
	if err != nil {
		t.Fatal(err)
	}
	// Without the sections admin and limits, their defaults apply as well.
	plain, err := parse("x.yaml", []byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	p, redirect := c.Providers[0], c.Providers[1]
	record := c.Accounts[0].List["a@example.se"]
	login := p.Servers[1].Login.Username
	activeSync, imap, smtp := p.Servers[0], p.Servers[1], p.Servers[2]
	withFile, err := Load(write(t, "signpost.yaml", domainsFromFile, "domains.txt", "example.com"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{
		"listen":                               plain.Listen,
		"admin.listen":                         plain.Admin.Listen,
		"admin.askPerHour":                     orDefault(plain.Admin.AskPerHour, certs.DefaultAskPerHour),
		"admin.pprof":                          plain.Admin.Pprof,
		"trustedProxies":                       strings.Trim(strings.ReplaceAll(fmt.Sprint(plain.Proxies.Trusted), "/128", ""), "[]"),
		"proxyHeaders":                         map[bool]string{false: "x-forwarded", true: "forwarded"}[plain.Proxies.Forwarded],
		"proxyProtocol":                        plain.Proxies.Protocol,
		"limits.requests":                      plain.Limits.Requests,
		"limits.burst":                         plain.Limits.Burst,
		"limits.connections":                   plain.Limits.Connections,
		"limits.header":                        plain.Limits.Header,
		"limits.read":                          plain.Limits.Read,
		"limits.write":                         plain.Limits.Write,
		"limits.idle":                          plain.Limits.Idle,
		"limits.drain":                         plain.Limits.Drain,
		"limits.stop":                          plain.Limits.Stop,
		"log.format":                           map[bool]string{false: "text", true: "json"}[plain.Log.JSON],
		"log.level":                            strings.ToLower(plain.Log.Level.String()),
		"log.requests":                         plain.Log.Requests,
		"apexCertificates":                     plain.ApexCertificates,
		"tls.listen":                           c.TLS.Listen,
		"tls.acme.ordersPerHour":               orDefault(c.TLS.ACME.OrdersPerHour, certs.DefaultOrdersPerHour),
		"branding.accent":                      `"` + setup.DefaultAccent.String() + `"`,
		"dns.timeout":                          plain.DNS.Timeout,
		"dns.ttl":                              time.Duration(orDefault(int(plain.DNS.TTL.Seconds()), records.DefaultTTL)) * time.Second,
		"dns.updates[].key.algorithm":          (&value{node: &node{}, l: &loader{}}).tsigKey().Algorithm,
		"providers[].domains.maxLoss":          withFile.DomainFiles[0].MaxLoss,
		"providers[].servers[].socketType":     imap.SocketType,
		"providers[].servers[].username":       `"` + login + `"`,
		"providers[].servers[].authentication": strings.Trim(fmt.Sprint(smtp.Authentication), "[]"),
		"providers[].servers[].clients.‹client›.username": `"` + p.Exceptions[account.Outlook][0].Login.Username + `"`,
		"providers[].servers[].pastDays":                  activeSync.PastDays,
		"providers[].servers[].answerWithoutLogin":        activeSync.AnswerWithoutLogin,
		"providers[].servers[].exchangeEntries":           activeSync.ExchangeEntries,
		"providers[].passwords":                           !strings.Contains(fmt.Sprint(imap.Authentication), "OAuth2"),
		"providers[].autodiscover.answer":                 map[bool]string{false: "http", true: "xml"}[redirect.AutodiscoverRedirect.AsXML],
		"providers[].withoutAddress":                      map[bool]string{false: "ordinary", true: "nothing"}[p.NothingWithoutAddress],
		"providers[].idnLogin":                            map[bool]string{false: "ascii", true: "unicode"}[p.UnicodeLogin],
		"providers[].aliasLogin":                          map[bool]string{false: "address", true: "mailbox"}[p.AliasSignsInAsMailbox],
		"accounts[].list.‹address›.inactive":              record.Inactive,
		"accounts[].sql.connections":                      sqldb.DefaultConnections,
		"accounts[].ldap.connections":                     sqldb.DefaultConnections,
		"accounts[].postfix.unixUsers":                    mapfile.Options{}.UnixUsers,
		"accounts[].‹source›.timeout":                     sources.DefaultTimeout,
		"accounts[].‹source›.refresh":                     sources.DefaultRefresh,
		"accounts[].‹source›.keep":                        sources.DefaultKeep,
	}
	for _, row := range documentedRows(t) {
		if slices.Contains(inWords, row.byDefault) {
			continue
		}
		value, ok := got[row.key]
		if !ok {
			t.Errorf("%s: this test does not know its default, %s", row.key, row.byDefault)
			continue
		}
		text := fmt.Sprint(value)
		if d, ok := value.(time.Duration); ok {
			text = strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
			if d < time.Minute {
				text = d.String()
			}
		}
		if text != row.byDefault {
			t.Errorf("%s: the default is %s, but doc.go says %s", row.key, text, row.byDefault)
		}
	}
	if c.TLS.ACME.Storage != "/var/lib/signpost/certificates" {
		t.Errorf("tls.acme.storage = %q, want what doc.go says below the table", c.TLS.ACME.Storage)
	}
	if got, want := plain.Limits.PerAddress, plain.Limits.Connections/10; got != want {
		t.Errorf("limits.connectionsPerAddress = %d, want a tenth of limits.connections, %d", got, want)
	}
}

// orDefault returns n, or the default of the package that reads 0 as one.
func orDefault(n, byDefault int) int {
	if n == 0 {
		return byDefault
	}
	return n
}

// TestAdmin checks that each key of admin leaves the others as they are.
func TestAdmin(t *testing.T) {
	for text, want := range map[string]Admin{
		"":                               {Listen: "127.0.0.1:9480", Default: true},
		"admin: {listen: none}":          {},
		"admin: {pprof: true}":           {Listen: "127.0.0.1:9480", Default: true, Pprof: true},
		"admin: {askPerHour: 5}":         {Listen: "127.0.0.1:9480", Default: true, AskPerHour: 5},
		"admin: {listen: 127.0.0.1:1}":   {Listen: "127.0.0.1:1"},
		"admin: {listen: \"[::1]:1\"}":   {Listen: "[::1]:1"},
		"admin: {listen: localhost:1}":   {Listen: "localhost:1"},
		"admin: {listen: \"unix:/a/b\"}": {Listen: "unix:/a/b"},
		"admin: {listen: none, pprof: true, askPerHour: 5}": {Pprof: true, AskPerHour: 5},
	} {
		c, err := parse("x.yaml", []byte(text+"\n"+minimal))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if c.Admin != want {
			t.Errorf("%q: Admin = %+v, want %+v", text, c.Admin, want)
		}
		if len(c.Warnings) > 0 {
			t.Errorf("%q: warnings %v, want none", text, c.Warnings)
		}
	}
}

// TestAdminExposed checks the warning about an admin listener that other machines
// can reach.
func TestAdminExposed(t *testing.T) {
	for _, address := range []string{":9480", "0.0.0.0:9480", "192.0.2.1:9480", "admin.example.com:9480"} {
		c, err := parse("x.yaml", []byte("admin: {listen: \""+address+"\"}\n"+minimal))
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Text, "can be reached from other machines") {
			t.Errorf("admin.listen %s: warnings %v, want that other machines can reach it", address, c.Warnings)
		}
	}
}

// TestTrustedNone checks that no proxy is trusted, not even on this machine.
func TestTrustedNone(t *testing.T) {
	c, err := parse("x.yaml", []byte("trustedProxies: none\n"+minimal))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Proxies.Trusted) > 0 {
		t.Errorf("trustedProxies: none trusts %v", c.Proxies.Trusted)
	}
}
