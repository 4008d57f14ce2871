package client

import (
	"testing"
	"time"

	"signpost/internal/doctor/probe"
)

func TestNextcloud(t *testing.T) {
	mx := func(w *world) *world { return w.record("MX", "nordlys.example", "10 mx1.hoster.example.") }
	const atMX = "imap mx1.hoster.example:993 SSL " + anna
	runRows(t, "nextcloud", []row{
		{"autoconfig", func(w *world) { w.page(nordlysAutoconfig, 200, "text/plain", good) },
			"sets itself up from " + nordlysAutoconfig + goodServers},
		{"a page that is no document: next", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/html", "<html><br></html>").page(nordlysWellKnown, 200, "text/xml", good)
		}, "sets itself up from " + nordlysWellKnown + goodServers},
		{"the database before plain http", func(w *world) {
			w.page(databaseEntry, 200, "text/xml", good).page(plainAutoconfig, 200, "text/xml", "<x/>")
		}, "sets itself up from " + databaseEntry + goodServers},
		{"bad certificate: next", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", good, badTLS(probe.WrongName)).page(plainAutoconfig, 200, "text/xml", good)
		}, "sets itself up from " + plainAutoconfig + goodServers},
		{"TLS means STARTTLS, anything else none", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("imap", "in7.nordlys.example", 993, "ssl"),
				section("smtp", "out7.nordlys.example", 587, "TLS")))
		}, "sets itself up from " + nordlysAutoconfig + "; imap in7.nordlys.example:993 SSL " + anna +
			"; smtp out7.nordlys.example:587 STARTTLS " + anna},
		{"the first section of a type", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("pop3", "x.example", 995, "SSL"),
				section("imap", "in7.nordlys.example", 993, "SSL"), section("imap", "x.example", 993, "SSL"),
				section("smtp", "out7.nordlys.example", 465, "SSL"), section("smtp", "x.example", 465, "SSL")))
		}, "sets itself up from " + nordlysAutoconfig + goodServers},
		{"half a document ends the search", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("imap", "in7.nordlys.example", 993, "SSL"))).
				page(nordlysWellKnown, 200, "text/xml", good)
		}, "fails (there is no SMTP server in what it found) from " + nordlysAutoconfig +
			"; imap in7.nordlys.example:993 SSL " + anna},
		{"at the MX host", func(w *world) {
			mx(w).page("https://autoconfig.mx1.hoster.example/mail/config-v1.1.xml", 200, "text/xml", good)
		}, "sets itself up from https://autoconfig.mx1.hoster.example/mail/config-v1.1.xml" + goodServers},
		{"at the name above", func(w *world) {
			mx(w).page("https://autoconfig.hoster.example/mail/config-v1.1.xml", 200, "text/xml", good)
		}, "sets itself up from https://autoconfig.hoster.example/mail/config-v1.1.xml" + goodServers},
		{"open ports of the MX host, 465 before 587", func(w *world) {
			mx(w).server("imap://mx1.hoster.example:993").server("smtp://mx1.hoster.example:465").
				server("smtp+starttls://mx1.hoster.example:587")
		}, "sets itself up from guess; " + atMX + "; smtp mx1.hoster.example:465 SSL " + anna},
		{"143 does not help", func(w *world) {
			mx(w).server("imap+starttls://mx1.hoster.example:143").server("smtp+starttls://mx1.hoster.example:587")
		}, "asks for … (the servers)"},
		{"the sending server is tested", func(w *world) {
			mx(w).server("imap://mx1.hoster.example:993").
				server("smtp+starttls://mx1.hoster.example:587", func(a *probe.MailAnswer) { a.After = []string{"SIZE"} })
		}, "fails (at the sending server mx1.hoster.example:587: no login with a password) from guess; " + atMX +
			"; smtp mx1.hoster.example:587 STARTTLS " + anna},
		{"nothing", func(*world) {}, "asks for … (the servers)"},
	})
}

func TestNextcloudWaits(t *testing.T) {
	w := newWorld(t).healthyMail().page(nordlysAutoconfig, 0, "", "", silent).page(nordlysWellKnown, 200, "text/xml", good)
	if f := w.forecast("nextcloud", anna); f.Took < 7*time.Second || f.Took > 8*time.Second {
		t.Errorf("Nextcloud Mail takes %v, want 7 s for the silent server and a moment for the rest", f.Took)
	}
}
