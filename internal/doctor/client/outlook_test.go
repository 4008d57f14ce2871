package client

import (
	"fmt"
	"testing"

	"signpost/internal/doctor/probe"
)

// poxAnswer returns an Autodiscover answer with an account that holds protocols.
func poxAnswer(protocols ...string) string {
	text := `<Autodiscover><Response><User/><Account><AccountType>email</AccountType><Action>settings</Action>`
	for _, p := range protocols {
		text += p
	}
	return text + `</Account></Response></Autodiscover>`
}

// poxServer returns a protocol; more is what stands behind the port.
func poxServer(t, server string, port int, more string) string {
	return fmt.Sprintf("<Protocol><Type>%s</Type><Server>%s</Server><Port>%d</Port>%s</Protocol>", t, server, port, more)
}

func TestOutlook(t *testing.T) {
	const login = "<LoginName>" + anna + "</LoginName>"
	right := poxAnswer(poxServer("IMAP", "in7.nordlys.example", 993, login+"<SSL>on</SSL><Encryption>SSL</Encryption>"),
		poxServer("SMTP", "out7.nordlys.example", 465, login+"<SSL>on</SSL><Encryption>SSL</Encryption>"))
	postDomain, postName := "POST "+poxAtDomain, "POST "+poxAtName
	runRows(t, "outlook", []row{
		{"autodiscover.", func(w *world) { w.page(postName, 200, "text/xml", right) }, "sets itself up from " + poxAtName + goodServers},
		{"the domain first", func(w *world) { w.page(postDomain, 200, "", right).page(postName, 200, "", "<x/>") },
			"sets itself up from " + poxAtDomain + goodServers},
		{"a web page is passed over", func(w *world) {
			w.page(postDomain, 200, "text/html", website).page(postName, 200, "text/xml", right)
		}, "sets itself up from " + poxAtName + goodServers},
		{"a password is asked for on the way", func(w *world) { w.page(postDomain, 401, "", "").page(postName, 200, "", right) },
			"sets itself up, but … (it asks for the password for nordlys.example) from " + poxAtName + goodServers},
		{"only with a password", func(w *world) { w.page(postName, 401, "", "") },
			"cannot be told (autodiscover.nordlys.example answers only with the password)"},
		{"the certificate of the web site", func(w *world) {
			w.page(postDomain, 404, "", "", badTLS(probe.WrongName)).page(postName, 200, "", right)
		}, "sets itself up, but … (it warns of the certificate of nordlys.example) from " + poxAtName + goodServers},
		{"TLS means STARTTLS", func(w *world) {
			w.page(postName, 200, "", poxAnswer(poxServer("IMAP", "in7.nordlys.example", 993, login+"<SSL>on</SSL><Encryption>TLS</Encryption>"),
				poxServer("SMTP", "out7.nordlys.example", 587, login+"<SSL>on</SSL><Encryption>TLS</Encryption>")))
		}, "fails (at the receiving server in7.nordlys.example:993: no TLS) from " + poxAtName +
			"; imap in7.nordlys.example:993 STARTTLS " + anna + "; smtp out7.nordlys.example:587 STARTTLS " + anna},
		{"without Encryption and SSL it is TLS, without LoginName the local part", func(w *world) {
			w.page(postName, 200, "", poxAnswer(poxServer("IMAP", "in7.nordlys.example", 993, ""), poxServer("SMTP", "out7.nordlys.example", 465, "")))
		}, "sets itself up from " + poxAtName + "; imap in7.nordlys.example:993 SSL anna; smtp out7.nordlys.example:465 SSL anna"},
		{"redirect of plain http to the hoster", func(w *world) {
			w.page(poxOnHTTP, 302, "", "", to("https://autodiscover.hoster.example/autodiscover/autodiscover.xml")).
				page("POST https://autodiscover.hoster.example/autodiscover/autodiscover.xml", 200, "", right)
		}, "sets itself up, but … (it asks whether autodiscover.hoster.example may configure the account) " +
			"from https://autodiscover.hoster.example/autodiscover/autodiscover.xml" + goodServers},
		{"SRV, whatever its port", func(w *world) {
			w.record("SRV", "_autodiscover._tcp.nordlys.example", "0 1 8443 ad.nordlys.example.").
				page("POST https://ad.nordlys.example/autodiscover/autodiscover.xml", 200, "", right)
		}, "sets itself up from https://ad.nordlys.example/autodiscover/autodiscover.xml" + goodServers},
		{"RedirectUrl", func(w *world) {
			w.page(postName, 200, "", `<Autodiscover><Response><Account><Action>redirectUrl</Action><RedirectUrl>`+poxAtDomain+
				`</RedirectUrl></Account></Response></Autodiscover>`).page(postDomain, 404, "", "")
		}, "asks for … (the servers)"},
		{"RedirectUrl to itself", func(w *world) {
			w.page(postName, 200, "", `<Autodiscover><Response><Account><Action>redirectUrl</Action><RedirectUrl>`+poxAtName+
				`</RedirectUrl></Account></Response></Autodiscover>`)
		}, "asks for … (the servers)"},
		{"left-over of Microsoft", func(w *world) {
			w.page(poxOnHTTP, 302, "", "", to("https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml")).
				page("POST https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml", 401, "", "")
		}, "goes elsewhere (Microsoft 365 or Outlook.com) from https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml"},
		{"Microsoft has the mail", func(w *world) {
			w.record("MX", "nordlys.example", "10 nordlys-example.mail.protection.outlook.com.")
		}, "asks for … (the sign-in of Microsoft 365 or Outlook.com) from built in"},
		{"Exchange", func(w *world) { w.page(postName, 200, "", poxAnswer(poxServer("EXCH", "ex.nordlys.example", 0, ""))) },
			"sets itself up from " + poxAtName},
		{"nothing", func(*world) {}, "asks for … (the servers)"},
	})
}

func TestPhones(t *testing.T) {
	sync := func(url string) string {
		return `<Autodiscover><Response><Culture>en:us</Culture><Action><Settings><Server><Type>MobileSync</Type><Url>` + url +
			`</Url></Server></Settings></Action></Response></Autodiscover>`
	}
	const eas = "https://eas.nordlys.example/Microsoft-Server-ActiveSync"
	runRows(t, "apple-exchange", []row{
		{"ActiveSync", func(w *world) { w.page("POST "+poxAtName, 200, "", sync(eas)) },
			"sets itself up from " + poxAtName + "; activesync " + eas + " " + anna},
		{"the domain first", func(w *world) {
			w.page("POST "+poxAtDomain, 200, "", sync(eas)).page("POST "+poxAtName, 200, "", sync("https://x.example/"))
		}, "sets itself up from " + poxAtDomain + "; activesync " + eas + " " + anna},
		{"unencrypted", func(w *world) { w.page("POST "+poxAtName, 200, "", sync("http://eas.nordlys.example/a")) },
			"sets itself up, but … (synchronises without encryption) from " + poxAtName + "; activesync http://eas.nordlys.example/a " + anna},
		{"error 601", func(w *world) {
			w.page("POST "+poxAtName, 200, "", "<Autodiscover><Response><Error/></Response></Autodiscover>")
		},
			"asks for … (the server, the domain and the user name)"},
		{"nothing", func(*world) {}, "asks for … (the server, the domain and the user name)"},
	})
	runRows(t, "apple-mail", []row{
		{"nothing of ours is read", func(w *world) { w.page(nordlysAutoconfig, 200, "text/xml", good).services() },
			"asks for … (the servers, unless they come in a profile)"},
		{"a large provider", func(w *world) { w.record("MX", "nordlys.example", "10 aspmx.l.google.com.") },
			"asks for … (the sign-in of Google or an app password) from built in"},
	})
	runRows(t, "gmail", []row{
		{"nothing", func(*world) {}, "cannot be told (no ActiveSync server is announced)"},
		{"ActiveSync", func(w *world) { w.page("POST "+poxAtName, 200, "", sync(eas)) },
			"cannot be told (ActiveSync is announced at eas.nordlys.example) from " + poxAtName + "; activesync " + eas + " " + anna},
	})
	runRows(t, "nine", []row{
		{"version 2 of Autodiscover", func(w *world) {
			w.page("https://autodiscover.nordlys.example/autodiscover/autodiscover.json", 200, "application/json",
				`{"Protocol":"ActiveSync","Url":"`+eas+`"}`)
		}, "cannot be told (ActiveSync is announced at eas.nordlys.example) from " +
			"https://autodiscover.nordlys.example/autodiscover/autodiscover.json"},
	})
	for _, id := range []string{"samsung", "outlook-new", "outlook-mobile"} {
		runRows(t, id, []row{{"nothing", func(*world) {}, "cannot be told (no ActiveSync server is announced)"}})
	}
}
