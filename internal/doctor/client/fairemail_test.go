package client

import (
	"testing"

	"signpost/internal/doctor/probe"
)

func TestFairEmail(t *testing.T) {
	const source = "sets itself up from " + nordlysAutoconfig
	pox := `<Autodiscover><Response><Account><AccountType>email</AccountType><Action>settings</Action>` +
		`<Protocol><Type>IMAP</Type><Server>in7.nordlys.example</Server><Port>993</Port><SSL>off</SSL></Protocol>` +
		`<Protocol><Type>SMTP</Type><Server>out7.nordlys.example</Server><Port>587</Port></Protocol></Account></Response></Autodiscover>`
	named := func(username string) string {
		return `<clientConfig><emailProvider id="a"><incomingServer type="imap"><hostname>in7.nordlys.example</hostname>` +
			`<port>993</port></incomingServer><outgoingServer type="smtp"><hostname>out7.nordlys.example</hostname>` +
			`<port>465</port></outgoingServer></emailProvider><webMail><loginPageInfo><username>` + username +
			`</username></loginPageInfo></webMail></clientConfig>`
	}
	login := func(username string) string {
		return "; imap in7.nordlys.example:993 SSL " + username + "; smtp out7.nordlys.example:465 SSL " + username
	}
	runRows(t, "fairemail", []row{
		{"autoconfig", func(w *world) { w.page(nordlysAutoconfig, 200, "text/plain", good) }, source + goodServers},
		{"SRV records score 100, a document 40; _submission before _submissions", func(w *world) {
			w.services().page(nordlysAutoconfig, 200, "text/xml", good)
		}, "sets itself up from DNS SRV; imap in7.nordlys.example:993 SSL " + anna + "; smtp out7.nordlys.example:587 STARTTLS " + anna},
		{"a literal user name beats SRV records", func(w *world) {
			w.services().page(nordlysAutoconfig, 200, "text/xml", named("u67578"))
		}, source + login("u67578")},
		{"a user name from anywhere in the document", func(w *world) { w.page(nordlysAutoconfig, 200, "text/xml", named("%EMAILLOCALPART%")) },
			source + login("anna")},
		{"SRV records without sending are dropped", func(w *world) {
			w.record("SRV", "_imaps._tcp.nordlys.example", "0 1 993 x.nordlys.example.").page(nordlysAutoconfig, 200, "text/xml", good)
		}, source + goodServers},
		{"the next candidate is tried", func(w *world) {
			w.record("SRV", "_imaps._tcp.nordlys.example", "0 1 993 x.nordlys.example.").
				record("SRV", "_submission._tcp.nordlys.example", "0 1 587 x.nordlys.example.").page(nordlysAutoconfig, 200, "text/xml", good)
		}, source + goodServers},
		{"the name in a certificate does not matter", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", good, badTLS(probe.WrongName))
		}, source + goodServers},
		{"but its issuer does", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", good, badTLS(probe.UnknownIssuer)).page(plainAutoconfig, 200, "text/xml", good)
		}, "sets itself up from " + plainAutoconfig + goodServers},
		{"a redirect to another scheme is not followed", func(w *world) {
			w.page(plainAutoconfig, 301, "", "", to("https://other.example/")).page("https://other.example/", 200, "text/xml", good).
				page("http://nordlys.example/.well-known/autoconfig/mail/config-v1.1.xml", 200, "text/xml", good)
		}, "sets itself up from http://nordlys.example/.well-known/autoconfig/mail/config-v1.1.xml" + goodServers},
		{"after a first pop3 section no imap is read", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("pop3", "in7.nordlys.example", 995, "SSL"),
				section("imap", "in7.nordlys.example", 993, "SSL"), section("smtp", "out7.nordlys.example", 465, "SSL"))).
				page(nordlysWellKnown, 200, "text/xml", good)
		}, "sets itself up from " + nordlysWellKnown + goodServers},
		{"a port with white space makes the document unreadable", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", `<clientConfig><incomingServer type="imap"><hostname>a</hostname><port> 993 </port>`+
				`</incomingServer></clientConfig>`).page(nordlysWellKnown, 200, "text/xml", good)
		}, "sets itself up from " + nordlysWellKnown + goodServers},
		{"plain is what is usual on the port", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("imap", "in7.nordlys.example", 993, "plain"),
				section("smtp", "out7.nordlys.example", 587, "plain")))
		}, source + "; imap in7.nordlys.example:993 SSL " + anna + "; smtp out7.nordlys.example:587 STARTTLS " + anna},
		{"Autodiscover by the ports", func(w *world) {
			w.page("POST https://autodiscover.nordlys.example/autodiscover/autodiscover.xml", 200, "text/xml", pox)
		}, "sets itself up from https://autodiscover.nordlys.example/autodiscover/autodiscover.xml; imap in7.nordlys.example:993 SSL " + anna +
			"; smtp out7.nordlys.example:587 STARTTLS " + anna},
		{"scan", func(w *world) {
			w.server("imap://mail.nordlys.example:993").server("smtp+starttls://smtp.nordlys.example:587")
		}, "sets itself up from guess; imap mail.nordlys.example:993 SSL " + anna + "; smtp smtp.nordlys.example:587 STARTTLS " + anna},
		{"by the MX host's parent", func(w *world) {
			w.record("MX", "nordlys.example", "10 mx1.hoster.example.").
				page("https://autoconfig.hoster.example/mail/config-v1.1.xml", 200, "text/xml", good)
		}, "sets itself up from https://autoconfig.hoster.example/mail/config-v1.1.xml" + goodServers},
		{"the MX host's own ports", func(w *world) {
			w.record("MX", "nordlys.example", "10 mx1.hoster.example.").server("imap://mx1.hoster.example:993").
				server("smtp://mx1.hoster.example:465")
		}, "sets itself up from guess; imap mx1.hoster.example:993 SSL " + anna + "; smtp mx1.hoster.example:465 SSL " + anna},
		{"what does not work is said of the best candidate", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", good).server("smtp://out7.nordlys.example:465", func(a *probe.MailAnswer) {
				a.After = []string{"SIZE"}
			})
		}, "fails (at the sending server out7.nordlys.example:465: no login with a password) from " + nordlysAutoconfig + goodServers},
		{"nothing", func(*world) {}, "fails (no settings found)"},
	})
}

func TestFairEmailKnowsProviders(t *testing.T) {
	if f := newWorld(t).forecast("fairemail", "anna@hotmail.fr"); brief(f) !=
		"asks for … (the sign-in of Microsoft 365 or Outlook.com) from built in" {
		t.Errorf("FairEmail at hotmail.fr %s", brief(f))
	}
}
