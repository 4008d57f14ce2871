package finding

import (
	"strings"
	"testing"

	"signpost/internal/doctor/probe"
)

const (
	autoconfigURL = "://autoconfig.nordlys.example/mail/config-v1.1.xml"
	wellKnownURL  = "://nordlys.example/.well-known/autoconfig/mail/config-v1.1.xml"
	apexPOX       = "://nordlys.example/autodiscover/autodiscover.xml"
	hostPOX       = "://autodiscover.nordlys.example/autodiscover/autodiscover.xml"
)

// badCertificate is a certificate for another name.
func badCertificate(a *probe.WebAnswer) {
	if a.TLS != nil {
		a.TLS = &probe.TLS{Names: []string{"*.webhost.example"}, Problems: []probe.Problem{probe.WrongName}}
	}
}

func silent(a *probe.WebAnswer) {
	*a = probe.WebAnswer{Failure: &probe.Failure{Kind: probe.TimedOut, Text: "no answer in 10 s"},
		Took: probe.ByteLimit}
}

func TestWebFaults(t *testing.T) {
	const host = "autoconfig.nordlys.example"
	check(t, []fault{
		{"H1 https", func(w *world) { w.page("GET https"+autoconfigURL, 200, "text/html", htmlPage) }, "H1 " + host,
			"https://autoconfig.nordlys.example/mail/config-v1.1.xml answers with a web page"},
		{"H1 whole site, explains H18", func(w *world) { w.any("nordlys.example", 200, "text/html; charset=utf-8", htmlPage) },
			"H1 nordlys.example", "/.well-known/autoconfig/mail/config-v1.1.xml answers with a web page"},
		{"H1 to https first", func(w *world) {
			w.page("GET https"+autoconfigURL, 200, "text/html", htmlPage)
			w.redirect("GET http"+autoconfigURL, 301, "https"+autoconfigURL)
		}, "H1 " + host, ""},
		{"a web page with status 404", func(w *world) { w.page("GET https"+autoconfigURL, 404, "text/html", htmlPage) }, "", ""},
		{"broken XML is another fault", func(w *world) { w.page("GET https"+autoconfigURL, 200, mailXML, settingsXML[:300]) }, "", ""},
		{"H2 204", func(w *world) { w.page("GET https"+autoconfigURL, 204, "", "") }, "H2 " + host, "answers 204 with nothing in it"},
		{"H2 empty 200", func(w *world) { w.page("GET https"+autoconfigURL, 200, mailXML, "\r\n") }, "H2 " + host, "answers 200"},
		{"H3", func(w *world) { w.page("GET https"+autoconfigURL, 200, "text/plain; charset=utf-8", settingsXML) }, "H3 " + host,
			"is sent as text/plain"},
		{"application/xml", func(w *world) { w.page("GET https"+autoconfigURL, 200, "Application/XML; charset=utf-8", settingsXML) }, "", ""},
		{"H4", func(w *world) {
			w.redirect("GET https"+autoconfigURL, 301, "https://www.nordlys.example/")
			w.record("www.nordlys.example", "A", "203.0.113.80")
			w.page("GET https://www.nordlys.example/", 200, "text/html", htmlPage)
		}, "H4 " + host, "to the page https://www.nordlys.example/"},
		{"H4 whole site", func(w *world) {
			w.any("nordlys.example", 200, "text/html", htmlPage)
			for _, url := range []string{"GET http", "GET https", "POST http", "POST https"} {
				w.redirect(url+"://nordlys.example", 302, "https://www.nordlys.example/")
			}
			w.record("www.nordlys.example", "A", "203.0.113.80")
			w.page("GET https://www.nordlys.example/", 200, "text/html", htmlPage)
			w.page("POST https://www.nordlys.example/", 200, "text/html", htmlPage)
		}, "H4 nordlys.example", ""},
		{"a redirect to a page of 404", func(w *world) {
			w.redirect("GET https"+autoconfigURL, 301, "https://www.nordlys.example/404")
			w.record("www.nordlys.example", "A", "203.0.113.80")
		}, "", ""},
		{"a redirect to the document", func(w *world) {
			w.redirect("GET https"+autoconfigURL, 302, "https://autoconfig.hoster.example/mail/config-v1.1.xml")
			w.record("autoconfig.hoster.example", "A", "203.0.113.81")
			w.page("GET https://autoconfig.hoster.example/mail/config-v1.1.xml", 200, mailXML, settingsXML)
		}, "", ""},
		{"H5 itself", func(w *world) { w.redirect("GET https"+autoconfigURL, 302, "/mail/config-v1.1.xml") }, "H5 " + host,
			"after 1 redirect it is where it was"},
		{"H5 two", func(w *world) {
			w.redirect("GET https"+autoconfigURL, 302, "http"+autoconfigURL)
			w.redirect("GET http"+autoconfigURL, 302, "https"+autoconfigURL)
		}, "H5 " + host, "leads in a circle"},
		{"H6", func(w *world) {
			w.redirect("GET http"+autoconfigURL, 301, "https"+autoconfigURL)
			w.each(host, badCertificate)
		}, "H6 " + host, "sends plain http on to https://autoconfig.nordlys.example/mail/config-v1.1.xml, whose certificate is for *.webhost.example"},
		{"a bad certificate without a redirect", func(w *world) { w.each(host, badCertificate) }, "", ""},
		{"H7", func(w *world) { w.redirect("GET https"+autoconfigURL, 302, "http"+autoconfigURL) }, "H7 " + host, "from https to http://"},
		{"H8", func(w *world) { w.page("GET https"+autoconfigURL, 401, "text/html", "") }, "H8 " + host, "asks for a password"},
		{"H9", func(w *world) {
			w.any("autodiscover.nordlys.example", 401, "text/html", "")
			w.each("autodiscover.nordlys.example", func(*probe.WebAnswer) {})
		}, "H9 autodiscover.nordlys.example", "asks for a password as Exchange does"},
		{"Exchange", func(w *world) {
			w.any("autodiscover.nordlys.example", 401, "text/html", "")
			for url := range w.pages {
				if strings.HasSuffix(url, "://autodiscover.nordlys.example") {
					w.pages[url].Header["Www-Authenticate"] = "Negotiate, NTLM, Basic realm=x"
				}
			}
		}, "", ""},
		{"H10", func(w *world) {
			w.page("GET https"+autoconfigURL, 403, "text/html", "Just a moment...")
			w.pages["GET https"+autoconfigURL].Header["Cf-Mitigated"] = "challenge"
		}, "H10 " + host, "A bot filter answers at autoconfig.nordlys.example in place of the server (403)"},
		{"an ordinary 403", func(w *world) { w.page("GET https"+autoconfigURL, 403, "text/html", "<h1>Forbidden</h1>") }, "", ""},
		{"H11", func(w *world) { w.page("GET https"+autoconfigURL, 522, "text/html", "") }, "H11 " + host, "Cloudflare cannot reach"},
		{"H12", func(w *world) {
			for url := range w.pages {
				if strings.HasSuffix(url, "/Autodiscover/Autodiscover.xml") {
					delete(w.pages, url)
				}
			}
		}, "H12 autodiscover.nordlys.example", "not at /Autodiscover/Autodiscover.xml, as Outlook"},
		{"H13", func(w *world) {
			w.page("GET https"+autoconfigURL+"?emailaddress=anna%40nordlys.example", 200, mailXML, settingsXML)
			w.page("GET https"+autoconfigURL, 400, "text/plain", "emailaddress missing")
		}, "H13 " + host, "answers 400 unless the query has an address"},
		{"nothing without an address", func(w *world) {
			w.page("GET https"+autoconfigURL+"?emailaddress=anna%40nordlys.example", 200, mailXML, settingsXML)
			w.page("GET https"+autoconfigURL, 404, "text/plain", "404 page not found")
		}, "", ""},
		{"H15", func(w *world) { w.each(host, silent) }, "H15 " + host, "does not answer on port 443"},
		{"refused", func(w *world) {
			w.each(host, func(a *probe.WebAnswer) {
				*a = probe.WebAnswer{Failure: &probe.Failure{Kind: probe.Refused, Text: "refused"}}
			})
		}, "", ""},
		{"not asked", func(w *world) {
			w.each(host, func(a *probe.WebAnswer) { *a = probe.WebAnswer{Failure: notAsked} })
		}, "", ""},
		{"H16", func(w *world) {
			w.each("nordlys.example", func(a *probe.WebAnswer) {
				a.Header["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
			})
			w.each(host, badCertificate)
		}, "H16 " + host, "answers on plain http only"},
		{"HSTS with a good certificate", func(w *world) {
			w.each("nordlys.example", func(a *probe.WebAnswer) {
				a.Header["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
			})
		}, "", ""},
		{"H18", func(w *world) { w.page("POST https"+apexPOX, 200, "text/html", htmlPage) }, "H18 nordlys.example",
			"answers Outlook's question with status 200 and a web page"},
		{"601 at the domain", func(w *world) {
			w.page("POST https"+apexPOX, 200, mailXML, refusedXML)
			w.page("POST https://nordlys.example/Autodiscover/Autodiscover.xml", 200, mailXML, refusedXML)
		}, "", ""},
		{"H19", func(w *world) { w.page("GET https"+autoconfigURL, 500, "text/html", "Fatal error") }, "H19 " + host, "answers 500"},
		{"H20 405", func(w *world) { w.page("POST https"+hostPOX, 405, "text/html", "") }, "H20 autodiscover.nordlys.example", "refuses the POST"},
		{"H20 redirect", func(w *world) { w.redirect("POST http"+hostPOX, 301, "https"+hostPOX) }, "H20 autodiscover.nordlys.example",
			"makes a GET of Outlook's question"},
		{"a redirect to another server of Autodiscover", func(w *world) {
			w.redirect("POST https"+hostPOX, 302, "https://mail.hoster.example/autodiscover/autodiscover.xml")
			w.record("mail.hoster.example", "A", "203.0.113.9")
			w.any("mail.hoster.example", 401, "", "")
			for url := range w.pages {
				if strings.HasSuffix(url, "://mail.hoster.example") {
					w.pages[url].Header["Www-Authenticate"] = "NTLM"
				}
			}
		}, "", ""},
		{"H21", func(w *world) { w.page("GET https"+autoconfigURL, 429, "text/plain", "") }, "H21 " + host, "answers 429 after no more than"},
	})
}
