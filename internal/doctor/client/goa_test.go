package client

import (
	"testing"

	"signpost/internal/doctor/probe"
)

func TestGOA(t *testing.T) {
	const mailV1 = "https://autoconfig.nordlys.example/.well-known/mail-v1.xml"
	named := func(username string) string {
		return `<clientConfig><emailProvider id="a"><incomingServer type="imap"><hostname>in7.nordlys.example</hostname>` +
			`<port>993</port><socketType>SSL</socketType><username>` + username + `</username></incomingServer>` +
			`<outgoingServer type="smtp"><hostname>out7.nordlys.example</hostname><port>465</port>` +
			`<socketType>SSL</socketType><username>` + username + `</username></outgoingServer></emailProvider></clientConfig>`
	}
	local := func(f string) string {
		return "sets itself up from " + nordlysAutoconfig + "; imap in7.nordlys.example:993 SSL " + f +
			"; smtp out7.nordlys.example:465 SSL " + f
	}
	runRows(t, "goa", []row{
		{"autoconfig", func(w *world) { w.page(nordlysAutoconfig, 200, "text/plain", good) },
			"sets itself up from " + nordlysAutoconfig + goodServers},
		{"mail-v1 comes first", func(w *world) {
			w.page(mailV1, 200, "text/xml", good).page(nordlysAutoconfig, 200, "text/xml", named("x"))
		}, "sets itself up from " + mailV1 + goodServers},
		{"only 200", func(w *world) {
			w.page(nordlysAutoconfig, 203, "text/xml", good).page(nordlysWellKnown, 200, "text/xml", good)
		}, "sets itself up from " + nordlysWellKnown + goodServers},
		{"another root: next", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/html", "<html/>").page(plainAutoconfig, 200, "text/xml", good)
		}, "sets itself up from " + plainAutoconfig + goodServers},
		{"what stands before an error counts", func(w *world) { w.page(nordlysAutoconfig, 200, "text/xml", good+"<") },
			"sets itself up from " + nordlysAutoconfig + goodServers},
		{"one placeholder", func(w *world) { w.page(nordlysAutoconfig, 200, "text/xml", named("%EMAILLOCALPART%")) }, local("anna")},
		{"a literal is ignored", func(w *world) { w.page(nordlysAutoconfig, 200, "text/xml", named("u67578")) },
			"asks for … (the user name) from " + nordlysAutoconfig +
				"; imap in7.nordlys.example:993 SSL; smtp out7.nordlys.example:465 SSL"},
		{"two placeholders are ignored", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", named("%EMAILLOCALPART%.%EMAILDOMAIN%"))
		}, "asks for … (the user name) from " + nordlysAutoconfig +
			"; imap in7.nordlys.example:993 SSL; smtp out7.nordlys.example:465 SSL"},
		{"the form has no port", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("imap", "in7.nordlys.example", 1993, "SSL"),
				section("smtp", "out7.nordlys.example", 2525, "STARTTLS")))
		}, "sets itself up from " + nordlysAutoconfig + "; imap in7.nordlys.example:993 SSL " + anna +
			"; smtp out7.nordlys.example:587 STARTTLS " + anna},
		{"never without TLS", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("imap", "in7.nordlys.example", 143, "plain"),
				section("smtp", "out7.nordlys.example", 587, "TLS")))
		}, "sets itself up from " + nordlysAutoconfig + goodServers},
		{"POP3 alone ends the search without a word", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("pop3", "in7.nordlys.example", 995, "SSL"))).
				page(nordlysWellKnown, 200, "text/xml", good)
		}, "asks for … (the servers)"},
		{"without a sending server", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("imap", "in7.nordlys.example", 993, "SSL")))
		}, "sets itself up, but … (cannot send: it takes an account without a sending server) from " + nordlysAutoconfig +
			"; imap in7.nordlys.example:993 SSL " + anna},
		{"by the MX: full name, then the registered domain", func(w *world) {
			w.record("MX", "nordlys.example", "20 other.example.").record("MX", "nordlys.example", "10 mx1.in.hoster.example.").
				page("https://autoconfig.hoster.example/.well-known/mail-v1.xml", 200, "text/xml", good)
		}, "sets itself up from https://autoconfig.hoster.example/.well-known/mail-v1.xml" + goodServers},
		{"a bad certificate can be accepted", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", good).server("imap://in7.nordlys.example:993", func(a *probe.MailAnswer) {
				a.TLS.Problems = []probe.Problem{probe.SelfSigned}
			})
		}, "sets itself up, but … (asks to accept a bad certificate) from " + nordlysAutoconfig + goodServers},
		{"IMAP needs LOGIN", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", good).server("imap://in7.nordlys.example:993", func(a *probe.MailAnswer) {
				a.After = []string{"IMAP4REV1", "LOGINDISABLED", "AUTH=PLAIN"}
			})
		}, "fails (at the receiving server in7.nordlys.example:993: no login with a password) from " + nordlysAutoconfig + goodServers},
		{"nothing", func(*world) {}, "asks for … (the servers)"},
	})
}
