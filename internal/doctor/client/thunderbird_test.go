package client

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"signpost/internal/doctor/probe"
)

const (
	overHTTP   = "http://autoconfig.nordlys.example/mail/config-v1.1.xml"
	hosterFile = "https://autoconfig.hoster.example/mail/config-v1.1.xml"
	poxSecure  = "POST https://autodiscover.nordlys.example/autodiscover/autodiscover.xml"
	poxApex    = "POST https://nordlys.example/autodiscover/autodiscover.xml"
	poxPlain   = "POST http://autodiscover.nordlys.example/autodiscover/autodiscover.xml"
	website    = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>Welcome<br></body></html>"
	nothing    = "asks for … (the servers)"
)

func replaced(old, new string) string { return strings.Replace(good, old, new, 1) }

// TestThunderbirdDocuments: what Thunderbird 153.7 made of answers that were planted for it.
// A perfect document waits at https .well-known in each case.
func TestThunderbirdDocuments(t *testing.T) {
	const (
		first = "sets itself up from " + nordlysAutoconfig + goodServers
		next  = "sets itself up from " + nordlysWellKnown + goodServers
	)
	signsInAs := func(name string) string {
		return strings.Replace(strings.Replace(first, "sets itself up", "fails (signs in as “"+name+"”)", 1), "SSL "+anna, "SSL "+name, 1)
	}
	for _, c := range []struct {
		name, contentType, body string
		status                  int
		want                    string
	}{
		{"text/xml", "text/xml; charset=utf-8", good, 200, first},
		{"application/xml", "application/xml", good, 200, first},
		{"byte order mark", "text/xml", "\ufeff" + good, 200, first},
		{"DOCTYPE", "text/xml", replaced("<clientConfig", "<!DOCTYPE clientConfig><clientConfig"), 200, first},
		{"default namespace", "text/xml", replaced("<clientConfig", `<clientConfig xmlns="urn:x"`), 200, first},
		{"foreign domain", "text/xml", replaced("<domain>nordlys.example", "<domain>other.example"), 200, first},
		{"two providers", "text/xml", replaced("</emailProvider>", `</emailProvider><emailProvider id="x.example"><domain>x.example`+
			`</domain></emailProvider>`), 200, first},
		{"jmap before imap", "text/xml", replaced("<incomingServer", `<incomingServer type="jmap"><url>https://j.example/</url>`+
			`</incomingServer><incomingServer`), 200, first},
		{"spaces around the host name and the port", "text/xml", strings.NewReplacer("<hostname>in7.nordlys.example<",
			"<hostname> in7.nordlys.example\n<", "<port>993<", "<port> 993 <").Replace(good), 200, first},
		{"401", "text/html", website, 401, next},
		{"404", "text/html", website, 404, next},
		{"500", "text/html", website, 500, next},
		{"web page", "text/html", website, 200, nothing},
		{"text/plain", "text/plain", good, 200, nothing},
		{"octet-stream", "application/octet-stream", good, 200, nothing},
		{"no content", "", "", 204, nothing},
		{"broken XML", "text/xml", replaced("</domain>", ""), 200, nothing},
		{"XML without a byte", "text/xml", "", 200, next},
		{"XML of white space", "text/xml", "\r\n", 200, nothing},
		{"text as XML", "text/xml", "hello", 200, nothing},
		{"something after the document", "text/xml", good + "<x/>", 200, nothing},
		{"a prefix", "text/xml", strings.NewReplacer("<clientConfig", `<x:clientConfig xmlns:x="u"`, "</clientConfig", "</x:clientConfig").Replace(good),
			200, nothing},
		{"an entity of HTML", "text/xml", replaced(">Nordlys<", ">Nord&nbsp;lys<"), 200, nothing},
		{"CDATA", "text/xml", replaced("<socketType>SSL<", "<socketType><![CDATA[SSL]]><"), 200, first},
		{"a hexadecimal port", "text/xml", replaced(">993<", ">0x3e1<"), 200, nothing},
		{"letters after the port", "text/xml", replaced(">993<", ">993abc<"), 200, first},
		{"an underscore in a host name", "text/xml", replaced(">in7.", ">in_7."), 200, nothing},
		{"JSON", "application/json", "{}", 200, nothing},
		{"300 without a place", "text/xml", good, 300, next},
		{"a user name of spaces", "text/xml", replaced("<username>%EMAILADDRESS%</username>", "<username>  </username>"), 200, signsInAs("NaN")},
		{"a comment as user name", "text/xml", replaced("<username>%EMAILADDRESS%</username>", "<username><!-- x --></username>"), 200,
			signsInAs("[object Object]")},
		{"broken JSON", "application/json", "{", 200, next},
		{"socketType TLS", "text/xml", replaced("<socketType>SSL", "<socketType>TLS"), 200, nothing},
		{"socketType with spaces", "text/xml", replaced("<socketType>SSL<", "<socketType> SSL <"), 200, nothing},
		{"OAuth2 alone", "text/xml", replaced("password-cleartext", "OAuth2"), 200, nothing},
		{"port 70000", "text/xml", replaced("993", "70000"), 200, nothing},
		{"no domain", "text/xml", replaced("<domain>nordlys.example</domain>", ""), 200, nothing},
		{"domain with an underscore", "text/xml", replaced("<domain>nordlys", "<domain>nord_lys"), 200, nothing},
		{"id with an underscore", "text/xml", replaced(`id="nordlys`, `id="nord_lys`), 200, nothing},
		{"no outgoingServer", "text/xml", config(section("imap", "in7.nordlys.example", 993, "SSL")), 200, nothing},
		{"empty user name", "text/xml", replaced("<username>%EMAILADDRESS%</username>", "<username/>"), 200,
			signsInAs("true")},
		{"user name of digits", "text/xml", replaced("%EMAILADDRESS%", "007"), 200, strings.Replace(first, "SSL "+anna, "SSL 7", 1)},
		{"no user name", "text/xml", replaced("<username>%EMAILADDRESS%</username>", ""), 200,
			signsInAs("undefined")},
		{"user name with an attribute", "text/xml", replaced("<username>", `<username x="1">`), 200,
			signsInAs("[object Object]")},
		{"993 with STARTTLS", "text/xml", replaced("SSL", "STARTTLS"), 200, "fails (at the receiving server " +
			"in7.nordlys.example:993: no TLS) from " + strings.TrimPrefix(strings.Replace(first, "993 SSL", "993 STARTTLS", 1),
			"sets itself up from ")},
	} {
		w := newWorld(t).healthyMail().page(nordlysWellKnown, 200, "text/xml", good)
		w.page(nordlysAutoconfig, c.status, c.contentType, c.body)
		for _, id := range []string{"thunderbird", "thunderbird-156"} {
			if f := w.forecast(id, anna); brief(f) != c.want {
				t.Errorf("%s:\n%s %s\nwant %s\n%s", c.name, id, brief(f), c.want, briefSteps(f))
			}
		}
	}
}

// TestThunderbirdSearch: which place wins, and how long it takes.
func TestThunderbirdSearch(t *testing.T) {
	const first = "sets itself up from " + nordlysAutoconfig + goodServers
	const byMX = "sets itself up from " + hosterFile + goodServers
	for _, c := range []struct {
		name    string
		make    func(*world)
		want    string
		seconds float64 // rounded to whole ones
	}{
		{"http", func(w *world) { w.page(overHTTP, 200, "text/xml", good) },
			"sets itself up from " + overHTTP + goodServers, 0},
		{"wrong certificate", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", good, badTLS(probe.WrongName)).page(overHTTP, 200, "text/xml", good)
		}, "sets itself up from " + overHTTP + goodServers, 0},
		{"redirect to http", func(w *world) {
			w.page(nordlysAutoconfig, 302, "", "", to("http://x.example/f")).page("http://x.example/f", 200, "text/xml", good)
		}, first, 0},
		{"redirect to itself", func(w *world) {
			w.page(nordlysAutoconfig, 302, "", "", to(nordlysAutoconfig)).page(nordlysWellKnown, 200, "text/xml", good)
		}, "sets itself up from " + nordlysWellKnown + goodServers, 5},
		{"redirect to the home page", func(w *world) {
			w.page(nordlysAutoconfig, 301, "", "", to("https://www.nordlys.example/")).
				page("https://www.nordlys.example/", 200, "text/html", website).page(nordlysWellKnown, 200, "text/xml", good)
		}, nothing, 2},
		{"http leads to a bad certificate", func(w *world) {
			w.page(overHTTP, 302, "", "", to("https://x.example/f")).
				page("https://x.example/f", 200, "text/xml", good, badTLS(probe.WrongName))
		}, nothing, 2},
		{"silent", func(w *world) {
			w.page(nordlysAutoconfig, 0, "", "", silent).page(nordlysWellKnown, 200, "text/xml", good)
		}, "sets itself up from " + nordlysWellKnown + goodServers, 5},
		{"database", func(w *world) { w.page(ISPDBLive+"nordlys.example", 200, "text/xml", good) },
			"sets itself up from " + ISPDBLive + "nordlys.example" + goodServers, 0},
		{"MX", func(w *world) {
			w.record("MX", "nordlys.example", "10 mx1.in.hoster.example.").record("MX", "nordlys.example", "5 mx2.in.hoster.example.").
				page(hosterFile, 200, "text/xml", good)
		}, byMX, 0},
		{"MX, and a web page on plain http", func(w *world) {
			w.record("MX", "nordlys.example", "10 mx1.in.hoster.example.").page(hosterFile, 200, "text/xml", good).
				page(nordlysAutoconfig, 200, "text/html", website, badTLS(probe.WrongName)).
				page(overHTTP, 200, "text/html", website)
		}, byMX, 0},
		{"MX, http only", func(w *world) {
			w.record("MX", "nordlys.example", "10 mx1.hoster.example.").page(strings.Replace(hosterFile, "https", "http", 1), 200, "text/xml", good)
		}, nothing, 2},
		{"MX of its own", func(w *world) { w.record("MX", "nordlys.example", "10 mail.nordlys.example.") }, nothing, 2},
		{"Autodiscover hangs", func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", good).page(poxSecure, 0, "", "", silent)
		}, first, 5},
	} {
		w := newWorld(t).healthyMail()
		c.make(w)
		f := w.forecast("thunderbird", anna)
		if brief(f) != c.want {
			t.Errorf("%s:\nThunderbird %s\nwant        %s\n%s", c.name, brief(f), c.want, briefSteps(f))
		}
		if got := f.Took.Seconds(); got < c.seconds-0.5 || got > c.seconds+0.7 {
			t.Errorf("%s: Thunderbird takes %.1f s, want about %.0f", c.name, got, c.seconds)
		}
	}
}

// pox returns an Autodiscover answer with protocols.
func pox(protocols ...string) string {
	return `<?xml version="1.0"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">` +
		`<Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"><Account>` +
		strings.Join(protocols, "") + `</Account></Response></Autodiscover>`
}

func protocol(name, host string, port int, more string) string {
	return fmt.Sprintf("<Protocol><Type>%s</Type><Server>%s</Server><Port>%d</Port>%s</Protocol>", name, host, port, more)
}

var (
	poxGood = pox(protocol("IMAP", "in7.nordlys.example", 993, "<SSL>on</SSL>"),
		protocol("SMTP", "out7.nordlys.example", 587, "<Encryption>TLS</Encryption>"))
	exch = "<Protocol><Type>EXCH</Type><EwsUrl>https://ex.nordlys.example/EWS/Exchange.asmx</EwsUrl></Protocol>"
)

func TestThunderbirdAutodiscover(t *testing.T) {
	const (
		servers = "; imap in7.nordlys.example:993 SSL " + anna + "; smtp out7.nordlys.example:587 STARTTLS " + anna
		first   = "sets itself up from " + nordlysAutoconfig + goodServers
		secure  = "https://autodiscover.nordlys.example/autodiscover/autodiscover.xml"
	)
	autoconfig := func(w *world) *world { return w.page(nordlysAutoconfig, 200, "text/xml", good) }
	for _, c := range []struct {
		name           string
		make           func(*world)
		want, want156  string // want156 if it differs
		secondsAtLeast float64
	}{
		{"IMAP and SMTP", func(w *world) { w.page(poxSecure, 200, "text/xml", poxGood) }, "sets itself up from " + secure + servers, "", 0},
		{"at the apex", func(w *world) { w.page(poxApex, 200, "text/xml", poxGood) },
			"sets itself up from https://nordlys.example/autodiscover/autodiscover.xml" + servers, "", 0},
		{"SRV of the own domain", func(w *world) {
			w.record("SRV", "_autodiscover._tcp.nordlys.example", "0 5 443 ad.nordlys.example.").
				page("POST https://ad.nordlys.example/autodiscover/autodiscover.xml", 200, "text/xml", poxGood)
		}, "sets itself up from https://ad.nordlys.example/autodiscover/autodiscover.xml" + servers, "", 0},
		{"a web page at the apex loses the SRV", func(w *world) {
			w.page(poxApex, 200, "text/html", website).record("SRV", "_autodiscover._tcp.nordlys.example", "0 5 443 ad.nordlys.example.").
				page("POST https://ad.nordlys.example/autodiscover/autodiscover.xml", 200, "text/xml", poxGood)
		}, nothing, "", 0},
		{"SRV of another domain", func(w *world) {
			w.record("SRV", "_autodiscover._tcp.nordlys.example", "0 5 443 ad.hoster.example.")
		}, "asks for … (leave to send the password to hoster.example; refused, it asks for the servers)", "", 2},
		{"SRV of another domain, with autoconfig", func(w *world) {
			autoconfig(w).record("SRV", "_autodiscover._tcp.nordlys.example", "0 5 443 ad.hoster.example.")
		}, "asks for … (leave to send the password to hoster.example; refused, it sets itself up) from " + nordlysAutoconfig +
			goodServers, "", 2},
		{"SRV says there is none", func(w *world) { autoconfig(w).record("SRV", "_autodiscover._tcp.nordlys.example", "0 0 0 .") },
			first, "", 0},
		{"http leads to Microsoft", func(w *world) {
			autoconfig(w).page(poxPlain, 302, "", "", to("https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml")).
				page("https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml", 401, "", "")
		}, "asks for … (a Microsoft sign-in; cancelled, it sets itself up) from " + nordlysAutoconfig + goodServers, "", 0},
		{"http leads to the own domain", func(w *world) {
			w.page(poxPlain, 302, "", "", to("https://ad.nordlys.example/autodiscover/autodiscover.xml")).
				page("https://ad.nordlys.example/autodiscover/autodiscover.xml", 405, "", "").
				page("POST https://ad.nordlys.example/autodiscover/autodiscover.xml", 200, "text/xml", poxGood)
		}, "sets itself up from https://ad.nordlys.example/autodiscover/autodiscover.xml" + servers, "", 0},
		{"401 without autoconfig", func(w *world) { w.page(poxSecure, 401, "text/html", "") },
			"asks for … (the password of a Microsoft Exchange account, and guesses nothing)", "", 0},
		{"401 with autoconfig", func(w *world) { autoconfig(w).page(poxSecure, 401, "text/html", "") }, first, "", 0},
		{"Exchange alone", func(w *world) { w.page(poxSecure, 200, "text/xml", pox(exch)) },
			"sets itself up, but … (as Microsoft Exchange) from " + secure + "; ews https://ex.nordlys.example/EWS/Exchange.asmx " + anna,
			"", 0},
		{"Exchange alone, whose host has IMAP", func(w *world) {
			w.page(poxSecure, 200, "text/xml", pox(exch)).server("imap://ex.nordlys.example:993").server("smtp+starttls://ex.nordlys.example:587")
		}, "sets itself up from " + secure + "; imap ex.nordlys.example:993 SSL " + anna +
			"; smtp ex.nordlys.example:587 STARTTLS " + anna, "", 0},
		{"Exchange and autoconfig", func(w *world) { autoconfig(w).page(poxSecure, 200, "text/xml", pox(exch)) }, first, "", 0},
		{"Exchange before IMAP", func(w *world) {
			w.page(poxSecure, 200, "text/xml", strings.Replace(poxGood, "<Protocol>", exch+"<Protocol>", 1))
		},
			"sets itself up from " + secure + servers, "", 0},
		{"Exchange after IMAP takes its place", func(w *world) {
			w.page(poxSecure, 200, "text/xml", strings.Replace(poxGood, "</Account>", exch+"</Account>", 1))
		}, "sets itself up, but … (as Microsoft Exchange) from " + secure + "; ews https://ex.nordlys.example/EWS/Exchange.asmx " + anna, "", 0},
		{"IMAP alone", func(w *world) {
			w.page(poxSecure, 200, "text/xml", pox(protocol("IMAP", "in7.nordlys.example", 993, "")))
		}, "sets itself up, but … (has no server for sending) from " + secure + "; imap in7.nordlys.example:993 SSL " + anna, "", 0},
		{"another address", func(w *world) {
			w.page(poxSecure, 200, "text/xml", pox("<RedirectAddr>anna@hoster.example</RedirectAddr>")).
				page("POST https://autodiscover.hoster.example/autodiscover/autodiscover.xml", 200, "text/xml", poxGood)
		}, "sets itself up from https://autodiscover.hoster.example/autodiscover/autodiscover.xml" + servers, nothing, 0},
		{"TLS of the document on 587", func(w *world) {
			w.page(poxSecure, 200, "text/xml", strings.Replace(poxGood, "TLS", "SSL", 1))
		}, "sets itself up from " + secure + servers, "", 0},
	} {
		w := newWorld(t).healthyMail()
		c.make(w)
		for _, id := range []string{"thunderbird", "thunderbird-156"} {
			want := c.want
			if id == "thunderbird-156" && c.want156 != "" {
				want = c.want156
			}
			f := w.forecast(id, anna)
			if brief(f) != want {
				t.Errorf("%s:\n%s %s\nwant %s\n%s", c.name, id, brief(f), want, briefSteps(f))
			}
			if f.Took.Seconds() < c.secondsAtLeast {
				t.Errorf("%s: %s takes %v, want %v s at least", c.name, id, f.Took, c.secondsAtLeast)
			}
		}
	}
}

func TestThunderbirdGuess(t *testing.T) {
	slowBy := func(d time.Duration) func(*probe.MailAnswer) {
		return func(a *probe.MailAnswer) { a.GreetedAt, a.Took = d, d }
	}
	bad := func(a *probe.MailAnswer) { a.TLS.Problems = []probe.Problem{probe.WrongName} }
	const usual = "sets itself up from guess; imap imap.nordlys.example:993 SSL anna; smtp smtp.nordlys.example:465 SSL anna"
	usualWorld := func(w *world) *world {
		return w.server("imap://imap.nordlys.example:993").server("smtp://smtp.nordlys.example:465")
	}
	for _, c := range []struct {
		name    string
		make    func(*world)
		want    string
		seconds float64
	}{
		{"usual names", func(w *world) { usualWorld(w) }, usual, 2},
		{"mail.", func(w *world) {
			w.server("imap://mail.nordlys.example:993").server("smtp+starttls://mail.nordlys.example:587")
		},
			"sets itself up from guess; imap mail.nordlys.example:993 SSL anna; smtp mail.nordlys.example:587 STARTTLS anna", 2},
		{"POP3 alone", func(w *world) { w.server("pop3://pop.nordlys.example:995").server("smtp://smtp.nordlys.example:465") },
			"sets itself up from guess; pop3 pop.nordlys.example:995 SSL anna; smtp smtp.nordlys.example:465 SSL anna", 2},
		{"TLS of another host before STARTTLS", func(w *world) {
			usualWorld(w).server("imap+starttls://imap.nordlys.example:143").server("imap://mail.nordlys.example:993")
			delete(w.mail, mailQuestion(t, "imap://imap.nordlys.example:993"))
		}, "sets itself up from guess; imap mail.nordlys.example:993 SSL anna; smtp smtp.nordlys.example:465 SSL anna", 2},
		{"plain", func(w *world) {
			w.server("imap+plain://imap.nordlys.example:143").server("smtp+plain://smtp.nordlys.example:587")
		},
			"sets itself up from guess; imap imap.nordlys.example:143 plain anna; smtp smtp.nordlys.example:587 plain anna", 2},
		{"no sending server", func(w *world) { w.server("imap://imap.nordlys.example:993") }, nothing, 2},
		{"bad certificate", func(w *world) {
			usualWorld(w).server("imap://imap.nordlys.example:993", bad).server("imap+starttls://imap.nordlys.example:143")
		}, "sets itself up from guess; imap imap.nordlys.example:143 STARTTLS anna; smtp smtp.nordlys.example:465 SSL anna", 2},
		{"greeting after 8 s", func(w *world) { usualWorld(w).server("imap://imap.nordlys.example:993", slowBy(8*time.Second)) },
			usual, 8},
		{"greeting after 13 s", func(w *world) { usualWorld(w).server("imap://imap.nordlys.example:993", slowBy(13*time.Second)) },
			nothing, 10},
		{"no login for sending", func(w *world) {
			usualWorld(w).server("smtp://smtp.nordlys.example:465", func(a *probe.MailAnswer) { a.After = nil })
		}, "sets itself up, but … (cannot send: no login with a password) from guess; imap imap.nordlys.example:993 SSL anna; " +
			"smtp smtp.nordlys.example:465 SSL anna", 2},
	} {
		w := newWorld(t)
		c.make(w)
		f := w.forecast("thunderbird", anna)
		if brief(f) != c.want {
			t.Errorf("%s:\nThunderbird %s\nwant        %s\n%s", c.name, brief(f), c.want, briefSteps(f))
		}
		if got := f.Took.Seconds(); got < c.seconds-0.5 || got > c.seconds+0.7 {
			t.Errorf("%s: Thunderbird takes %.1f s, want about %.0f", c.name, got, c.seconds)
		}
		if f := w.forecast("thunderbird-156", anna); strings.Contains(brief(f), "SSL anna;") {
			t.Errorf("%s: Thunderbird 156 %s, want the whole address as user name", c.name, brief(f))
		}
	}
}

func TestThunderbirdUnknown(t *testing.T) {
	w := newWorld(t).healthyMail().page(nordlysAutoconfig, 0, "", "", func(a *probe.WebAnswer) {
		*a = probe.WebAnswer{Failure: &probe.Failure{Kind: probe.Forbidden, Text: "10.0.0.1 must not be asked"}}
	}).page(nordlysWellKnown, 200, "text/xml", good)
	if f := w.forecast("thunderbird", anna); f.Outcome != Unknown {
		t.Errorf("Thunderbird %s, want %q", brief(f), Unknown)
	}
}
