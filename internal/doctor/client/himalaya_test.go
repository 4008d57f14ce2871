package client

import (
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

func TestHimalaya(t *testing.T) {
	const source = "sets itself up from " + nordlysAutoconfig
	const pacc = "https://ua-auto-config.nordlys.example/.well-known/user-agent-configuration.json"
	const jmap = "https://nordlys.example/.well-known/jmap"
	digest := func(body string) string {
		sum := sha256.Sum256([]byte(body))
		return dns.Quote("v=UAAC1; a=sha256; d=" + base64.StdEncoding.EncodeToString(sum[:]))
	}
	draft2 := `{"protocols":{"imap":{"host":"in7.nordlys.example"},"smtp":{"host":"out7.nordlys.example"}},"authentication":{"password":true}}`
	draft3 := `{"protocols":{"imap":{"host":"in7.nordlys.example"},"submit":{"host":"out7.nordlys.example"}}}`
	other := config(section("imap", "x.example", 993, "SSL"), section("smtp", "x.example", 465, "SSL"))
	runRows(t, "himalaya", []row{
		{"autoconfig", func(w *world) { w.page(nordlysAutoconfig, 200, "text/plain", good) }, source + goodServers},
		{"the last of equally secure ways: SRV for IMAP, the document for SMTP", func(w *world) {
			w.services().page(nordlysAutoconfig, 200, "text/xml", config(section("imap", "x.example", 993, "SSL"),
				section("smtp", "out7.nordlys.example", 465, "SSL")))
		}, "sets itself up from DNS SRV" + goodServers},
		{"_submissions is not asked", func(w *world) { w.services() }, "sets itself up" + srvStarttls},
		{"the database comes after the domain", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", other).page(databaseEntry, 200, "text/xml", good)
		}, "sets itself up from " + databaseEntry + goodServers},
		{"no redirect", func(w *world) {
			w.page(nordlysAutoconfig, 301, "", "", to("https://hoster.example/")).page("https://hoster.example/", 200, "text/xml", good)
		}, "fails (no configuration found)"},
		{"no plain http", func(w *world) { w.page(plainAutoconfig, 200, "text/xml", good) }, "fails (no configuration found)"},
		{"PACC with its digest", func(w *world) {
			w.page(pacc, 200, "application/json", draft2).record("TXT", "_ua-auto-config.nordlys.example", digest(draft2))
		}, "sets itself up from " + pacc + goodServers},
		{"PACC with another digest", func(w *world) {
			w.page(pacc, 200, "application/json", draft2).record("TXT", "_ua-auto-config.nordlys.example", digest("x"))
		}, "fails (no configuration found)"},
		{"PACC of draft 3 has no SMTP", func(w *world) {
			w.page(pacc, 200, "application/json", draft3).record("TXT", "_ua-auto-config.nordlys.example", digest(draft3))
		}, "sets itself up, but … (cannot send: the account has no sending server) from " + pacc + "; imap in7.nordlys.example:993 SSL " + anna},
		{"mailconf", func(w *world) {
			w.record("TXT", "nordlys.example", `"mailconf=https://conf.example/c.xml"`).page("https://conf.example/c.xml", 200, "text/xml", good)
		}, "sets itself up from https://conf.example/c.xml" + goodServers},
		{"a server type that it does not know", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("jmap", "x.example", 443, "SSL"),
				section("imap", "in7.nordlys.example", 993, "SSL"), section("smtp", "out7.nordlys.example", 465, "SSL")))
		}, "fails (no configuration found)"},
		{"a literal login is not offered", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", `<clientConfig version="1.1"><emailProvider id="a"><incomingServer type="imap">`+
				`<hostname>in7.nordlys.example</hostname><username>u67578</username></incomingServer><outgoingServer type="smtp">`+
				`<hostname>out7.nordlys.example</hostname></outgoingServer></emailProvider></clientConfig>`)
		}, source + goodServers},
		{"no SMTP host is invented", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("imap", "in7.nordlys.example", 993, "SSL"))).
				server("smtp://smtp.nordlys.example:465")
		}, "sets itself up, but … (cannot send: the account has no sending server) from " + nordlysAutoconfig +
			"; imap in7.nordlys.example:993 SSL " + anna},
		{"JMAP comes first", func(w *world) { w.page(nordlysAutoconfig, 200, "text/xml", good).page(jmap, 401, "", "") },
			"sets itself up from " + jmap + "; jmap " + jmap + " " + anna},
		{"a web site is taken for JMAP", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", good).page(jmap, 200, "text/html", "<html>")
		}, "sets itself up, but … (it offers the web site of nordlys.example as JMAP first: choose IMAP) from " + nordlysAutoconfig + goodServers},
		{"SMTP is tested", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", good).server("smtp://out7.nordlys.example:465", func(a *probe.MailAnswer) {
				a.After = []string{"SIZE"}
			})
		}, "fails (at the sending server out7.nordlys.example:465: no login with a password) from " + nordlysAutoconfig + goodServers},
		{"Microsoft by the MX", func(w *world) {
			w.record("MX", "nordlys.example", "10 nordlys-example.mail.protection.outlook.com.").page(nordlysAutoconfig, 200, "text/xml", good)
		}, "asks for … (the sign-in of Microsoft 365 or Outlook.com) from built in"},
	})
}
