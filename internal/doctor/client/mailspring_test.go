package client

import "testing"

func TestMailspring(t *testing.T) {
	const source = "sets itself up from " + nordlysAutoconfig
	guessed := func(w *world) *world {
		return w.server("imap://imap.nordlys.example:993").server("smtp://smtp.nordlys.example:465")
	}
	const guess = "sets itself up from guess; imap imap.nordlys.example:993 SSL " + anna + "; smtp smtp.nordlys.example:465 SSL " + anna
	literal := `<incomingServer type="imap"><hostname>in7.nordlys.example</hostname><port>993</port><socketType>SSL</socketType>` +
		`<username>u67578</username></incomingServer><outgoingServer type="smtp"><hostname>out7.nordlys.example</hostname>` +
		`<port>465</port><socketType>SSL</socketType><username>%EMAILLOCALPART%</username></outgoingServer>`
	runRows(t, "mailspring", []row{
		{"autoconfig", func(w *world) { w.page(nordlysAutoconfig, 200, "text/plain", good) }, source + goodServers},
		{"a page that is no XML: next", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/html", website).page(nordlysWellKnown, 200, "text/xml", good)
		}, "sets itself up from " + nordlysWellKnown + goodServers},
		{"an empty answer ends the search", func(w *world) {
			guessed(w).page(nordlysAutoconfig, 204, "", "").page(nordlysWellKnown, 200, "text/xml", good)
		}, guess},
		{"no plain http", func(w *world) { guessed(w).page(plainAutoconfig, 200, "text/xml", good) }, guess},
		{"a literal login is ignored", func(w *world) { w.page(nordlysAutoconfig, 200, "text/xml", config(literal)) },
			source + "; imap in7.nordlys.example:993 SSL " + anna + "; smtp out7.nordlys.example:465 SSL anna"},
		{"an unknown security is STARTTLS", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("imap", "in7.nordlys.example", 993, "SSL"),
				section("smtp", "out7.nordlys.example", 587, "TLS")))
		}, source + "; imap in7.nordlys.example:993 SSL " + anna + "; smtp out7.nordlys.example:587 STARTTLS " + anna},
		{"of two providers the one with the domain's name", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", replaced("<emailProvider", `<emailProvider id="x"/><emailProvider`))
		}, source + goodServers},
		{"POP3 alone", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("pop3", "in7.nordlys.example", 995, "SSL"),
				section("smtp", "out7.nordlys.example", 465, "SSL")))
		}, "fails (at the receiving server imap.nordlys.example:0: not a host and port) from " + nordlysAutoconfig +
			"; imap imap.nordlys.example:0 STARTTLS " + anna + "; smtp out7.nordlys.example:465 SSL " + anna},
		{"guess", func(w *world) { guessed(w) }, guess},
		{"nothing", func(*world) {}, "asks for … (the servers) from guess; imap imap.nordlys.example:993 SSL " + anna +
			"; smtp smtp.nordlys.example:465 SSL " + anna},
		{"Google by the MX", func(w *world) { w.record("MX", "nordlys.example", "1 aspmx.l.google.com.") },
			"asks for … (the sign-in of Google or an app password) from built in"},
	})
}
