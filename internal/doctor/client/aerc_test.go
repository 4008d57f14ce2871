package client

import (
	"testing"

	"signpost/internal/doctor/probe"
)

const srvStarttls = " from DNS SRV; imap in7.nordlys.example:993 SSL " + anna + "; smtp out7.nordlys.example:587 STARTTLS " + anna

func TestAerc(t *testing.T) {
	const source = "sets itself up from " + nordlysAutoconfig
	runRows(t, "aerc", []row{
		{"autoconfig", func(w *world) { w.page(nordlysAutoconfig, 200, "text/plain", good) }, source + goodServers},
		{"the status does not matter", func(w *world) { w.page(nordlysAutoconfig, 404, "text/html", good) }, source + goodServers},
		{"UTF-8 alone is read", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", "<?xml version='1.0' encoding='ISO-8859-1'?>"+good)
		}, "asks for … (the servers)"},
		{"SRV records come first, submission with STARTTLS", func(w *world) {
			w.services().page(nordlysAutoconfig, 200, "text/xml", good)
		}, "sets itself up" + srvStarttls},
		{"_imap is preferred to _imaps", func(w *world) {
			w.record("SRV", "_imap._tcp.nordlys.example", "0 1 143 in7.nordlys.example.").
				record("SRV", "_imaps._tcp.nordlys.example", "0 1 993 in7.nordlys.example.").
				record("SRV", "_smtps._tcp.nordlys.example", "0 1 465 out7.nordlys.example.").server("imap+starttls://in7.nordlys.example:143")
		}, "sets itself up from DNS SRV; imap in7.nordlys.example:143 STARTTLS " + anna + "; smtp out7.nordlys.example:465 SSL " + anna},
		{"_submissions is not asked", func(w *world) {
			w.record("SRV", "_imaps._tcp.nordlys.example", "0 1 993 in7.nordlys.example.").
				record("SRV", "_submissions._tcp.nordlys.example", "0 1 465 out7.nordlys.example.")
		}, "asks for … (the sending server) from DNS SRV; imap in7.nordlys.example:993 SSL " + anna},
		{"the highest weight counts, whatever the priority", func(w *world) {
			w.services().record("SRV", "_imaps._tcp.nordlys.example", "20 9 1993 in7.nordlys.example.")
		}, "sets itself up, but … (cannot receive: connection refused) from DNS SRV; imap in7.nordlys.example:1993 SSL " + anna +
			"; smtp out7.nordlys.example:587 STARTTLS " + anna},
		{"JMAP before IMAP", func(w *world) {
			w.services().record("SRV", "_jmap._tcp.nordlys.example", "0 1 443 jmap.nordlys.example.")
		}, "sets itself up from DNS SRV; jmap https://jmap.nordlys.example:443/.well-known/jmap " + anna},
		{"first imap, last smtp", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("imap", "in7.nordlys.example", 993, "SSL"),
				section("imap", "x.example", 993, "SSL"), section("smtp", "x.example", 587, "STARTTLS"),
				section("smtp", "out7.nordlys.example", 465, "SSL")))
		}, source + goodServers},
		{"an unknown security is STARTTLS", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("imap", "in7.nordlys.example", 993, "SSL"),
				section("smtp", "out7.nordlys.example", 587, "TLS")))
		}, source + "; imap in7.nordlys.example:993 SSL " + anna + "; smtp out7.nordlys.example:587 STARTTLS " + anna},
		{"POP3 alone: next", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("pop3", "in7.nordlys.example", 995, "SSL"),
				section("smtp", "out7.nordlys.example", 465, "SSL"))).page(nordlysWellKnown, 200, "text/xml", good)
		}, "sets itself up from " + nordlysWellKnown + goodServers},
		{"database", func(w *world) { w.page(databaseEntry, 200, "text/xml", good) }, "sets itself up from " + databaseEntry + goodServers},
		{"guess: 143 before 993", func(w *world) {
			w.server("imap+starttls://imap.nordlys.example:143").server("imap://imap.nordlys.example:993").
				server("smtp+starttls://mail.nordlys.example:587")
		}, "sets itself up from guess; imap imap.nordlys.example:143 STARTTLS " + anna + "; smtp mail.nordlys.example:587 STARTTLS " + anna},
		{"a guess needs both", func(w *world) { w.server("imap://imap.nordlys.example:993") }, "asks for … (the servers)"},
		{"MX host", func(w *world) {
			w.record("MX", "nordlys.example", "10 mx1.hoster.example.").server("imap://mx1.hoster.example:993").
				server("smtp://mx1.hoster.example:465")
		}, "sets itself up from guess; imap mx1.hoster.example:993 SSL " + anna + "; smtp mx1.hoster.example:465 SSL " + anna},
		{"Microsoft takes no password", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("imap", "outlook.office365.com", 993, "SSL"),
				section("smtp", "smtp.office365.com", 587, "STARTTLS"))).server("imap://outlook.office365.com:993").
				server("smtp+starttls://smtp.office365.com:587")
		}, "sets itself up, but … (can neither receive nor send) from " + nordlysAutoconfig +
			"; imap outlook.office365.com:993 SSL " + anna + "; smtp smtp.office365.com:587 STARTTLS " + anna},
		{"nothing is tested", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", good).server("smtp://out7.nordlys.example:465", func(a *probe.MailAnswer) {
				a.After = []string{"SIZE"}
			})
		}, "sets itself up, but … (cannot send: no login with a password) from " + nordlysAutoconfig + goodServers},
	})
}

func TestAercWaits(t *testing.T) {
	w := newWorld(t).healthyMail().page(nordlysAutoconfig, 0, "", "", silent).page(nordlysWellKnown, 200, "text/xml", good)
	f := w.forecast("aerc", anna)
	if f.Outcome != Asks || f.Took != aercLimit {
		t.Errorf("aerc %s after %v, want to give up after 5 s", brief(f), f.Took)
	}
}

func TestAerc014(t *testing.T) {
	runRows(t, "aerc-0.14", []row{
		{"SRV records", func(w *world) { w.services() }, "sets itself up" + srvStarttls},
		{"_imap if _imaps says that there is none", func(w *world) {
			w.record("SRV", "_imaps._tcp.nordlys.example", "0 0 0 .").
				record("SRV", "_imap._tcp.nordlys.example", "0 1 143 in7.nordlys.example.").
				record("SRV", "_submission._tcp.nordlys.example", "0 1 587 out7.nordlys.example.").server("imap+starttls://in7.nordlys.example:143")
		}, "sets itself up from DNS SRV; imap in7.nordlys.example:143 STARTTLS " + anna + "; smtp out7.nordlys.example:587 STARTTLS " + anna},
		{"no _submissions, no document", func(w *world) {
			w.record("SRV", "_imaps._tcp.nordlys.example", "0 1 993 in7.nordlys.example.").
				record("SRV", "_submissions._tcp.nordlys.example", "0 1 465 out7.nordlys.example.").page(nordlysAutoconfig, 200, "text/xml", good)
		}, "asks for … (the sending server) from DNS SRV; imap in7.nordlys.example:993 SSL " + anna},
		{"nothing", func(w *world) { w.page(nordlysAutoconfig, 200, "text/xml", good) }, "asks for … (the servers)"},
	})
}
