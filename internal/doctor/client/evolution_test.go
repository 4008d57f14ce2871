package client

import (
	"testing"
	"time"

	"signpost/internal/doctor/probe"
)

const (
	plainAutoconfig = "http://autoconfig.nordlys.example/mail/config-v1.1.xml"
	databaseEntry   = ISPDBThunderbird + "nordlys.example"
	srvServers      = " from DNS SRV; imap in7.nordlys.example:993 SSL " + anna + "; smtp out7.nordlys.example:465 SSL " + anna
)

// services puts the SRV records of the good document's servers into a world.
func (w *world) services() *world {
	return w.record("SRV", "_imaps._tcp.nordlys.example", "0 1 993 in7.nordlys.example.").
		record("SRV", "_submissions._tcp.nordlys.example", "0 1 465 out7.nordlys.example.").
		record("SRV", "_imap._tcp.nordlys.example", "0 0 0 .").
		record("SRV", "_submission._tcp.nordlys.example", "0 1 587 out7.nordlys.example.")
}

// database makes Mozilla's databases answer: 404 for all domains.
func (w *world) database() *world {
	for _, base := range []string{ISPDBLive, ISPDBThunderbird, ISPDBV1} {
		w.page(base+"none.example", 404, "text/html", "")
	}
	return w
}

// row is a case of a client's table.
type row struct {
	name string
	make func(*world)
	want string
}

// runRows compares the client's forecasts for anna@nordlys.example.
func runRows(t *testing.T, id string, rows []row) {
	t.Helper()
	for _, c := range rows {
		w := newWorld(t).healthyMail().database()
		c.make(w)
		if f := w.forecast(id, anna); brief(f) != c.want {
			t.Errorf("%s:\n%s %s\nwant %s\n%s", c.name, id, brief(f), c.want, briefSteps(f))
		}
	}
}

func TestEvolution(t *testing.T) {
	two := config(section("imap", "first.nordlys.example", 993, "SSL"), section("imap", "in7.nordlys.example", 993, "SSL"),
		section("smtp", "first.nordlys.example", 465, "SSL"), section("smtp", "out7.nordlys.example", 465, "SSL"))
	pop := config(section("pop3", "in7.nordlys.example", 995, "SSL"), section("smtp", "out7.nordlys.example", 465, "SSL"))
	runRows(t, "evolution", []row{
		{"autoconfig", func(w *world) { w.page(nordlysAutoconfig, 200, "text/xml", good) },
			"sets itself up from " + nordlysAutoconfig + goodServers},
		{"autoconfig comes before SRV records", func(w *world) { w.page(nordlysAutoconfig, 200, "text/xml", good).services() },
			"sets itself up from " + nordlysAutoconfig + goodServers},
		{"plain http is asked second", func(w *world) {
			w.page(plainAutoconfig, 200, "text/xml", good).page(nordlysWellKnown, 200, "text/xml", two)
		}, "sets itself up from " + plainAutoconfig + goodServers},
		{"a web page is passed over", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/html", "<html><p>hi<br></html>").page(nordlysWellKnown, 200, "text/xml", good)
		}, "sets itself up from " + nordlysWellKnown + goodServers},
		{"a well-formed web page ends the search", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/html", "<html><p>hi</p></html>").page(nordlysWellKnown, 200, "text/xml", good)
		}, "asks for … (the servers)"},
		{"and SRV records count then", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/html", "<html><p>hi</p></html>").services()
		}, "sets itself up" + srvServers},
		{"SRV records", func(w *world) { w.services() }, "sets itself up" + srvServers},
		{"the last section of a type wins", func(w *world) { w.page(nordlysAutoconfig, 200, "text/xml", two) },
			"sets itself up from " + nordlysAutoconfig + goodServers},
		{"IMAP of DNS before POP3 of the document", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", pop).services()
		}, "sets itself up" + srvServers},
		{"POP3", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", pop).server("pop3://in7.nordlys.example:995")
		}, "sets itself up from " + nordlysAutoconfig + "; pop3 in7.nordlys.example:995 SSL " + anna +
			"; smtp out7.nordlys.example:465 SSL " + anna},
		{"a placeholder in a host name is lost", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("imap", "in7.%EMAILDOMAIN%", 993, "SSL"),
				section("smtp", "out7.nordlys.example", 465, "SSL")))
		}, "sets itself up, but … (cannot receive: its name has no address) from " + nordlysAutoconfig +
			"; imap in7.:993 SSL " + anna + "; smtp out7.nordlys.example:465 SSL " + anna},
		{"an attribute beside the type makes the document unreadable", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", `<clientConfig><emailProvider id="a"><incomingServer type="imap" x="1"/>`+
				`</emailProvider></clientConfig>`).page(nordlysWellKnown, 200, "text/xml", good)
		}, "sets itself up from " + nordlysWellKnown + goodServers},
		{"by the MX host's parent", func(w *world) {
			w.record("MX", "nordlys.example", "10 mx1.hoster.example.").
				page("https://autoconfig.hoster.example/mail/config-v1.1.xml", 200, "text/xml", good)
		}, "sets itself up from https://autoconfig.hoster.example/mail/config-v1.1.xml" + goodServers},
		{"not by the MX if the database fails", func(w *world) {
			w.record("MX", "nordlys.example", "10 mx1.hoster.example.").page(databaseEntry, 500, "text/html", "").
				page("https://autoconfig.hoster.example/mail/config-v1.1.xml", 200, "text/xml", good)
		}, "asks for … (the servers)"},
		{"no sending server", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("imap", "in7.nordlys.example", 993, "SSL")))
		}, "asks for … (the sending server) from " + nordlysAutoconfig + "; imap in7.nordlys.example:993 SSL " + anna},
		{"sending is not tested", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", good).server("smtp://out7.nordlys.example:465", func(a *probe.MailAnswer) {
				a.After = []string{"PIPELINING"}
			})
		}, "sets itself up, but … (cannot send: no login with a password) from " + nordlysAutoconfig + goodServers},
	})
}

func TestEvolutionWaits(t *testing.T) {
	w := newWorld(t).healthyMail().page(nordlysAutoconfig, 0, "", "", silent).page(plainAutoconfig, 0, "", "", silent).
		page(nordlysWellKnown, 200, "text/xml", good)
	if f := w.forecast("evolution", anna); f.Took < 30*time.Second || f.Took > 31*time.Second {
		t.Errorf("Evolution takes %v, want 15 s for each of the two silent servers", f.Took)
	}
}

// TestNotAsked: a client whose search needs an answer that the diagnosis did not get has no forecast.
func TestNotAsked(t *testing.T) {
	for _, c := range All() {
		s := &Search{Address: address(t, anna), Asker: probe.NewRecording(nil)}
		f := c.Forecast(t.Context(), s)
		if c.Certainty == ByCode && f.Outcome != Unknown {
			t.Errorf("%s %s, with nothing known, %s; want %q", c.ID, c.Version, brief(f), Unknown)
		}
	}
}
