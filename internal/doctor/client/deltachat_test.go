package client

import (
	"strings"
	"testing"
	"time"

	"signpost/internal/doctor/probe"
)

func TestDeltaChat(t *testing.T) {
	const guessed = "from guess; imap imap.nordlys.example:993 SSL " + anna + "; smtp smtp.nordlys.example:465 SSL " + anna
	pox := `<Autodiscover><Response><Account><Protocol><Type>IMAP</Type><Server>in7.nordlys.example</Server><Port>993</Port>` +
		`<SSL>on</SSL></Protocol><Protocol><Type>SMTP</Type><Server>out7.nordlys.example</Server><Port>587</Port>` +
		`<SSL>on</SSL></Protocol></Account></Response></Autodiscover>`
	for _, c := range []struct {
		name string
		make func(*world)
		want string
	}{
		{"autoconfig", func(w *world) { w.page(nordlysAutoconfig, 200, "text/xml", good) },
			"sets itself up from " + nordlysAutoconfig + goodServers},
		{"text/plain does not matter", func(w *world) { w.page(nordlysAutoconfig, 200, "text/plain", good) },
			"sets itself up from " + nordlysAutoconfig + goodServers},
		{"broken XML: next", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", "<a><b></a>").page(nordlysWellKnown, 200, "text/xml", good)
		}, "sets itself up from " + nordlysWellKnown + goodServers},
		{"cut between tags: what was read counts", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", strings.TrimSuffix(good, "</emailProvider></clientConfig>"))
		}, "sets itself up from " + nordlysAutoconfig + goodServers},
		{"cut inside a tag: next", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", good[:len(good)-3]).page(nordlysWellKnown, 200, "text/xml", good)
		}, "sets itself up from " + nordlysWellKnown + goodServers},
		{"an entity of HTML does not matter", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", replaced(">Nordlys<", ">Nord&nbsp;lys<"))
		}, "sets itself up from " + nordlysAutoconfig + goodServers},
		{"user name in CDATA: the server is dropped", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", replaced("%EMAILADDRESS%", "<![CDATA[%EMAILADDRESS%]]>")).
				server("imap://imap.nordlys.example:993")
		}, "sets itself up from " + nordlysAutoconfig + strings.Replace(goodServers, "in7.", "imap.", 1)},
		{"nothing in it: guesses", func(w *world) {
			w.page(nordlysAutoconfig, 204, "", "").page(nordlysWellKnown, 200, "text/xml", good).
				server("imap://imap.nordlys.example:993").server("smtp://smtp.nordlys.example:465")
		}, "sets itself up " + guessed},
		{"wrong certificate: next", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", good, badTLS(probe.WrongName)).page(nordlysWellKnown, 200, "text/xml", good)
		}, "sets itself up from " + nordlysWellKnown + goodServers},
		{"redirect", func(w *world) {
			w.page(nordlysAutoconfig, 301, "", "", to("https://other.example/x")).page("https://other.example/x", 200, "", good)
		}, "sets itself up from " + nordlysAutoconfig + goodServers},
		{"relative redirect: next", func(w *world) {
			w.page(nordlysAutoconfig, 301, "", "", to("/x")).page("https://autoconfig.nordlys.example/x", 200, "", good).
				page(nordlysWellKnown, 200, "text/xml", good)
		}, "sets itself up from " + nordlysWellKnown + goodServers},
		{"no user name: the server is dropped", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(`<incomingServer type="imap"><hostname>in7.nordlys.example</hostname>`+
				`<port>993</port><socketType>SSL</socketType></incomingServer>`)).
				server("imap://imap.nordlys.example:993").server("smtp://smtp.nordlys.example:465")
		}, "sets itself up " + guessed},
		{"Autodiscover, SSL on is TLS or STARTTLS", func(w *world) {
			w.page("https://nordlys.example/autodiscover/autodiscover.xml", 200, "text/xml", pox)
		}, "sets itself up from https://nordlys.example/autodiscover/autodiscover.xml; imap in7.nordlys.example:993 SSL " + anna +
			"; smtp out7.nordlys.example:587 STARTTLS " + anna},
		{"no login for sending", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", good).server("smtp://out7.nordlys.example:465", func(a *probe.MailAnswer) {
				a.After = []string{"PIPELINING"}
			})
		}, "sets itself up, but … (cannot send: no login with a password) from " + nordlysAutoconfig + goodServers},
		{"closed for sending", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", strings.Replace(good, "465", "466", 1))
		}, "fails (at the sending server out7.nordlys.example:466: connection refused) from " + nordlysAutoconfig +
			strings.Replace(goodServers, "465", "466", 1)},
		{"second server works", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", config(section("imap", "dead.nordlys.example", 993, "SSL"),
				section("imap", "in7.nordlys.example", 993, "ssl"), section("smtp", "out7.nordlys.example", 465, " SSL ")))
		}, "sets itself up from " + nordlysAutoconfig + goodServers},
		{"nothing at all", func(*world) {},
			"fails (at the receiving server imap.nordlys.example:993: its name has no address) " + guessed},
	} {
		w := newWorld(t).healthyMail()
		c.make(w)
		if f := w.forecast("deltachat", anna); brief(f) != c.want {
			t.Errorf("%s:\nDelta Chat %s\nwant       %s\n%s", c.name, brief(f), c.want, briefSteps(f))
		}
	}
}

func TestDeltaChatWaits(t *testing.T) {
	w := newWorld(t).healthyMail().page(nordlysAutoconfig, 0, "", "", silent).page(nordlysWellKnown, 200, "text/xml", good)
	f := w.forecast("deltachat", anna)
	if f.Took < time.Minute || f.Took > 61*time.Second {
		t.Errorf("Took = %v, want a minute for the silent server and a moment for the rest", f.Took)
	}
	if f.Steps[0].Verdict != Slowed {
		t.Errorf("the first step is %q, want %q", f.Steps[0].Verdict, Slowed)
	}
}

// TestUnknown: what could not be asked is not taken for "no".
func TestUnknown(t *testing.T) {
	notAsked := func(a *probe.WebAnswer) {
		*a = probe.WebAnswer{Failure: &probe.Failure{Kind: probe.NotAsked, Text: "the diagnosis has ended"}}
	}
	led := newWorld(t).healthyMail().page(poxAtDomain, 200, "text/xml", `<Autodiscover><Response><Account><RedirectUrl>`+
		`https://ad.hoster.example/</RedirectUrl></Account></Response></Autodiscover>`).
		page("https://ad.hoster.example/", 0, "", "", notAsked)
	if f := led.forecast("deltachat", anna); f.Outcome != Unknown {
		t.Errorf("Delta Chat, sent to a URL that was not asked, %s, want %q", brief(f), Unknown)
	}
	w := newWorld(t).healthyMail().page(nordlysAutoconfig, 0, "", "", notAsked)
	if f := w.forecast("deltachat", anna); f.Outcome != Unknown {
		t.Errorf("Delta Chat %s, want %q", brief(f), Unknown)
	}
}
