package client

import (
	"strings"
	"testing"

	"signpost/internal/doctor/probe"
)

func TestK9(t *testing.T) {
	const (
		first   = "sets itself up from " + nordlysAutoconfig + goodServers
		next    = "sets itself up from " + nordlysWellKnown + goodServers
		trustIt = "sets itself up, but … (the person must tick “I trust this configuration”) from "
	)
	document := func(body string) func(*world) {
		return func(w *world) {
			w.page(nordlysAutoconfig, 200, "text/xml", body).page(nordlysWellKnown, 200, "text/xml", good)
		}
	}
	for _, c := range []struct {
		name string
		make func(*world)
		want string
	}{
		{"good", document(good), first},
		{"text/plain does not matter", func(w *world) { w.page(nordlysAutoconfig, 200, "text/plain", good) }, first},
		{"web page: next", document(website), next},
		{"nothing in it: next", func(w *world) {
			w.page(nordlysAutoconfig, 204, "", "").page(nordlysWellKnown, 200, "text/xml", good)
		}, next},
		{"cut", document(good[:len(good)-20]), next},
		{"plain in one section", document(strings.Replace(good, "</emailProvider>", section("imap", "x.example", 143, "plain")+
			"</emailProvider>", 1)), next},
		{"spaces around the port", document(replaced(">993<", "> 993 <")), next},
		{"spaces around the security", document(replaced(">SSL<", "> SSL <")), next},
		{"no user name", document(replaced("<username>%EMAILADDRESS%</username>", "")), next},
		{"OAuth2 alone", document(replaced("password-cleartext", "OAuth2")), next},
		{"pop3 first does not matter", document(replaced("<incomingServer", section("pop3", "p.example", 995, "plain")+"<incomingServer")), first},
		{"the second provider counts", document(replaced("</emailProvider>", `</emailProvider><emailProvider id="x.example"><domain>x.example`+
			`</domain></emailProvider>`)), next},
		{"http", func(w *world) { w.page(overHTTP, 200, "text/xml", good) }, trustIt + overHTTP + goodServers},
		{"redirect over http", func(w *world) {
			w.page(nordlysAutoconfig, 302, "", "", to("http://x.example/f")).page("http://x.example/f", 200, "text/xml", good)
		}, trustIt + nordlysAutoconfig + goodServers},
		{"MX", func(w *world) {
			w.record("MX", "nordlys.example", "10 mx1.in.hoster.example.").page(hosterFile, 200, "text/xml", good)
		}, trustIt + hosterFile + goodServers},
		{"nothing", func(*world) {}, nothing},
		{"no login for sending", func(w *world) {
			document(good)(w)
			w.server("smtp://out7.nordlys.example:465", func(a *probe.MailAnswer) { a.After = []string{"AUTH GSSAPI"} })
		}, "fails (at the sending server out7.nordlys.example:465: no login with a password) from " + nordlysAutoconfig + goodServers},
	} {
		w := newWorld(t).healthyMail()
		c.make(w)
		if f := w.forecast("thunderbird-android", anna); brief(f) != c.want {
			t.Errorf("%s:\nThunderbird for Android %s\nwant                    %s\n%s",
				c.name, brief(f), c.want, briefSteps(f))
		}
	}
}

func TestGeary(t *testing.T) {
	const first = "sets itself up from " + nordlysAutoconfig + goodServers
	const fields = "asks for … (the servers, and fills in imap.nordlys.example and smtp.nordlys.example)"
	for _, c := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"good", good, 200, first},
		{"the status does not matter", good, 404, first},
		{"web page", website, 200, fields},
		{"pop3 first", replaced("<incomingServer", section("pop3", "p.example", 995, "SSL")+"<incomingServer"), 200, fields},
		{"no sending server", config(section("imap", "in7.nordlys.example", 993, "SSL")), 200, fields},
		{"a literal user name does not matter", strings.ReplaceAll(good, "%EMAILADDRESS%", "u67578"), 200, first},
		{"a security that it does not know is none", replaced("SSL", "TLS"), 200,
			"fails (at the receiving server in7.nordlys.example:993: no TLS) from " + nordlysAutoconfig +
				strings.Replace(goodServers, "993 SSL", "993 plain", 1)},
		{"Gmail", replaced(`id="nordlys.example"`, `id="googlemail.com"`), 200,
			"asks for … (the provider's own sign-in) from " + nordlysAutoconfig + goodServers},
	} {
		w := newWorld(t).healthyMail().page(nordlysAutoconfig, c.status, "text/html", c.body)
		if f := w.forecast("geary", anna); brief(f) != c.want {
			t.Errorf("%s:\nGeary %s\nwant  %s\n%s", c.name, brief(f), c.want, briefSteps(f))
		}
	}
}

func TestKMail(t *testing.T) {
	const first = "sets itself up from " + nordlysAutoconfig + goodServers
	const never = "fails (its search never ends)"
	for _, c := range []struct {
		name string
		make func(*world)
		want string
	}{
		{"autoconfig", func(w *world) { w.page(nordlysAutoconfig, 200, "", good) }, first},
		{"the database comes first", func(w *world) {
			w.page(nordlysAutoconfig, 200, "", good).page(ISPDBThunderbird+"nordlys.example", 200, "", good)
		}, "sets itself up from " + ISPDBThunderbird + "nordlys.example" + goodServers},
		{"web page", func(w *world) { w.page(nordlysAutoconfig, 200, "", website).page(nordlysWellKnown, 200, "", good) }, never},
		{"empty", func(w *world) { w.page(nordlysAutoconfig, 200, "", "") }, never},
		{"204", func(w *world) { w.page(nordlysAutoconfig, 204, "", "").page(nordlysWellKnown, 200, "", good) },
			"sets itself up from " + nordlysWellKnown + goodServers},
		{"web page at the last place", func(w *world) { w.page(nordlysWellKnown, 200, "", website) }, nothing},
		{"404 in XML at the last place", func(w *world) { w.page(nordlysWellKnown, 404, "", "<html><body/></html>") }, never},
		{"nothing", func(*world) {}, nothing},
		{"STARTTLS before TLS for sending", func(w *world) {
			w.page(nordlysAutoconfig, 200, "", replaced("</emailProvider>", section("smtp", "out7.nordlys.example", 587, "STARTTLS")+"</emailProvider>"))
		}, strings.Replace(first, "465 SSL", "587 STARTTLS", 1)},
		{"no login for sending", func(w *world) {
			w.page(nordlysAutoconfig, 200, "", good).server("smtp://out7.nordlys.example:465", func(a *probe.MailAnswer) { a.After = nil })
		}, strings.Replace(first, "up from", "up, but … (cannot send: no login with a password) from", 1)},
	} {
		w := newWorld(t).healthyMail()
		c.make(w)
		if f := w.forecast("kmail", anna); brief(f) != c.want {
			t.Errorf("%s:\nKMail %s\nwant  %s\n%s", c.name, brief(f), c.want, briefSteps(f))
		}
	}
}
