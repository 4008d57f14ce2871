package client

import (
	"testing"

	"signpost/internal/doctor/probe"
)

const (
	soapAtDomain = "https://nordlys.example/autodiscover/autodiscover.svc"
	soapAtName   = "https://autodiscover.nordlys.example/autodiscover/autodiscover.svc"
	poxAtDomain  = "https://nordlys.example/autodiscover/autodiscover.xml"
	poxAtName    = "https://autodiscover.nordlys.example/autodiscover/autodiscover.xml"
	poxOnHTTP    = "http://autodiscover.nordlys.example/autodiscover/autodiscover.xml"
	none         = "asks for … (the Exchange server: none is announced)"
)

func header(name, value string) func(*probe.WebAnswer) {
	return func(a *probe.WebAnswer) { a.Header[name] = value }
}

// userResponse is an answer in SOAP with a code for the mailbox, and a URL if it is not empty.
func userResponse(code, url string) string {
	settings := ""
	if url != "" {
		settings = `<UserSetting><Name>ExternalEwsUrl</Name><Value>` + url + `</Value></UserSetting>`
	}
	return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><GetUserSettingsResponseMessage ` +
		`xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover"><Response><ErrorCode>NoError</ErrorCode>` +
		`<UserResponses><UserResponse><ErrorCode>` + code + `</ErrorCode><UserSettings>` + settings + `</UserSettings>` +
		`</UserResponse></UserResponses></Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>`
}

const ewsAt = "https://ex.hoster.example/EWS/Exchange.asmx"

func TestExchangelib(t *testing.T) {
	basic := header("Www-Authenticate", `Basic realm="x"`)
	runRows(t, "exchangelib", []row{
		{"no Exchange", func(w *world) { w.page(nordlysAutoconfig, 200, "text/xml", good) }, none},
		{"the domain first", func(w *world) {
			w.page("POST "+soapAtDomain, 401, "", "", basic).page("POST "+soapAtName, 401, "", "", basic)
		},
			"sets itself up from " + soapAtDomain},
		{"a web site's 404, then autodiscover.", func(w *world) {
			w.page("https://nordlys.example/", 200, "text/html", "").page("POST "+soapAtName, 401, "", "", basic)
		}, "sets itself up from " + soapAtName},
		{"a web site's 200", func(w *world) {
			w.page("POST "+soapAtDomain, 200, "text/html", "<html>").page("POST "+soapAtName, 401, "", "", basic)
		}, "sets itself up from " + soapAtName},
		{"no password wanted", func(w *world) {
			w.page("POST "+soapAtName, 200, "text/xml", userResponse("NoError", ewsAt))
		}, "sets itself up from " + soapAtName + "; ews " + ewsAt + " " + anna},
		{"no password wanted, and another mailbox has EWS: the search ends", func(w *world) {
			w.page("POST "+soapAtDomain, 200, "text/xml", userResponse("InvalidUser", "")).
				page("POST "+soapAtName, 401, "", "", basic)
		}, none},
		{"a fault, then autodiscover.", func(w *world) {
			w.page("POST "+soapAtDomain, 200, "text/xml", "<s:Envelope><s:Body><s:Fault/></s:Body></s:Envelope>").
				page("POST "+soapAtName, 401, "", "", basic)
		}, "sets itself up from " + soapAtName},
		{"401 without a way to sign in", func(w *world) { w.page("POST "+soapAtName, 401, "", "") }, none},
		{"no A record, so not asked", func(w *world) {
			w.page("POST "+soapAtName, 401, "", "", basic)
			w.hosts["autodiscover.nordlys.example"] = false
			w.record("AAAA", "autodiscover.nordlys.example", "2001:db8::1")
		}, none},
		{"redirect of plain http", func(w *world) {
			w.page("http://autodiscover.nordlys.example/autodiscover/autodiscover.svc", 302, "", "",
				to("https://ews.hoster.example/autodiscover/autodiscover.svc")).
				page("POST https://ews.hoster.example/autodiscover/autodiscover.svc", 401, "", "", basic)
		}, "sets itself up from https://ews.hoster.example/autodiscover/autodiscover.svc"},
		{"SRV: the highest priority number, and only port 443", func(w *world) {
			w.record("SRV", "_autodiscover._tcp.nordlys.example", "0 1 443 good.example.").
				record("SRV", "_autodiscover._tcp.nordlys.example", "10 1 443 worse.example.").
				record("SRV", "_autodiscover._tcp.nordlys.example", "99 1 8443 other.example.").
				page("POST https://good.example/autodiscover/autodiscover.svc", 401, "", "", basic).
				page("POST https://worse.example/autodiscover/autodiscover.svc", 401, "", "", basic)
		}, "sets itself up from https://worse.example/autodiscover/autodiscover.svc"},
		{"left-over of Microsoft", func(w *world) {
			w.record("SRV", "_autodiscover._tcp.nordlys.example", "0 1 443 autodiscover.outlook.com.").
				record("MX", "nordlys.example", "10 mx.nordlys.example.").
				page("POST https://autodiscover.outlook.com/autodiscover/autodiscover.svc", 401, "", "", basic)
		}, "goes elsewhere (Microsoft 365 or Outlook.com) from https://autodiscover.outlook.com/autodiscover/autodiscover.svc"},
		{"Microsoft has the mail", func(w *world) {
			w.record("SRV", "_autodiscover._tcp.nordlys.example", "0 1 443 autodiscover.outlook.com.").
				record("MX", "nordlys.example", "10 nordlys-example.mail.protection.outlook.com.").
				page("POST https://autodiscover.outlook.com/autodiscover/autodiscover.svc", 401, "", "", basic)
		}, "asks for … (the sign-in of Microsoft 365 or Outlook.com) from https://autodiscover.outlook.com/autodiscover/autodiscover.svc"},
	})
}

func TestEWSPrograms(t *testing.T) {
	soap := header("X-Soap-Enabled", "True")
	svc := func(w *world, hosts ...string) *world {
		for _, host := range hosts {
			w.page("POST https://"+host+"/autodiscover/autodiscover.svc", 401, "", "")
		}
		return w
	}
	runRows(t, "ews-javascript-api", []row{
		{"no Exchange", func(w *world) { w.page(poxAtName, 200, "text/xml", "<Autodiscover/>") }, none},
		{"autodiscover. first, whatever the status", func(w *world) {
			svc(w, "autodiscover.nordlys.example", "nordlys.example").page(poxAtName, 401, "", "", soap).
				page(poxAtDomain, 200, "", "", soap)
		}, "sets itself up from " + poxAtName},
		{"the domain", func(w *world) {
			svc(w, "nordlys.example").page(poxAtDomain, 200, "", "", soap)
		}, "sets itself up from " + poxAtDomain},
		{"announced, and not there", func(w *world) { w.page(poxAtName, 200, "", "", soap) }, none},
		{"no password wanted", func(w *world) {
			w.page(poxAtName, 404, "", "", soap).page("POST "+soapAtName, 200, "text/xml", userResponse("NoError", ewsAt))
		}, "sets itself up from " + poxAtName + "; ews " + ewsAt + " " + anna},
		{"another mailbox has EWS: the search ends", func(w *world) {
			svc(w, "nordlys.example").page(poxAtDomain, 200, "", "", soap).
				page(poxAtName, 404, "", "", soap).page("POST "+soapAtName, 200, "text/xml", userResponse("InvalidUser", ""))
		}, none},
		{"redirect to the right path", func(w *world) {
			svc(w, "ews.hoster.example").page(poxAtName, 302, "", "", to("https://ews.hoster.example/autodiscover/autodiscover.xml")).
				page("https://ews.hoster.example/autodiscover/autodiscover.xml", 401, "", "", soap)
		}, "sets itself up from https://ews.hoster.example/autodiscover/autodiscover.xml"},
		{"redirect to a path in another case", func(w *world) {
			w.page(poxAtName, 302, "", "", to("https://ews.hoster.example/Autodiscover/Autodiscover.xml")).
				page("https://ews.hoster.example/autodiscover/autodiscover.xml", 401, "", "", soap)
		}, none},
		{"redirect of plain http", func(w *world) {
			svc(w, "ews.hoster.example").page(poxOnHTTP, 301, "", "", to("https://ews.hoster.example/autodiscover/autodiscover.xml")).
				page("https://ews.hoster.example/autodiscover/autodiscover.xml", 401, "", "", soap)
		}, "sets itself up from https://ews.hoster.example/autodiscover/autodiscover.xml"},
		{"SRV: the lowest priority number", func(w *world) {
			svc(w, "good.example").record("SRV", "_autodiscover._tcp.nordlys.example", "10 1 443 worse.example.").
				record("SRV", "_autodiscover._tcp.nordlys.example", "0 1 443 good.example.").
				page("https://good.example/autodiscover/autodiscover.xml", 401, "", "", soap)
		}, "sets itself up from https://good.example/autodiscover/autodiscover.xml"},
		{"bad certificate", func(w *world) { w.page(poxAtName, 401, "", "", soap, badTLS(probe.WrongName)) }, none},
	})
}

// TestNoExchangeIsNoFault: clients of Exchange have nothing to say against a domain that has none and
// says so in order.
func TestNoExchangeIsNoFault(t *testing.T) {
	const no = `<Autodiscover><Response><Error><ErrorCode>601</ErrorCode></Error></Response></Autodiscover>`
	for _, id := range []string{"exchangelib", "ews-javascript-api", "apple-exchange", "gmail", "nine", "outlook-new"} {
		w := func() *world {
			return newWorld(t).page("https://nordlys.example/", 200, "text/html", website).page("POST "+poxAtName, 200, "text/xml", no).
				page(poxAtName, 200, "text/xml", no).page(poxOnHTTP, 302, "", "", to(poxAtName)).
				page("https://autodiscover.nordlys.example/autodiscover/autodiscover.json", 400, "application/json", `{"ErrorCode":"InvalidProtocol"}`)
		}
		if f := w().forecast(id, anna); len(f.Steps) > 0 {
			t.Errorf("%s %s, and notes\n%s", id, brief(f), briefSteps(f))
		}
		bad := w().page("POST "+poxAtDomain, 200, "text/html", website).page(poxAtDomain, 200, "text/html", website).
			page("POST "+soapAtDomain, 200, "text/html", website)
		if f := bad.forecast(id, anna); len(f.Steps) == 0 {
			t.Errorf("%s notes nothing of a web page in the place of Autodiscover", id)
		}
	}
}
