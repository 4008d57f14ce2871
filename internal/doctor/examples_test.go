package doctor

import (
	"strings"

	"testing"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// hosterDocument is what autoconfig.hoster.example has for all customers.
const hosterDocument = `<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="hoster.example">
    <domain>hoster.example</domain>
    <displayName>Hoster</displayName>
    <displayShortName>Hoster</displayShortName>
    <incomingServer type="imap">
      <hostname>imap.hoster.example</hostname>
      <port>993</port>
      <socketType>SSL</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </incomingServer>
    <outgoingServer type="smtp">
      <hostname>smtp.hoster.example</hostname>
      <port>587</port>
      <socketType>STARTTLS</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </outgoingServer>
  </emailProvider>
</clientConfig>
`

// threeFaults has a wildcard web server in the place of autoconfig, an autodiscover that
// leads to the former provider, and a sending server without a login.
func threeFaults(t testing.TB) *town {
	const outlook = "192.0.2.99"
	w := healthyTown(t).without("autoconfig.nordlys.example", "autodiscover.nordlys.example", "_submissions._tcp.nordlys.example").
		records(
			"*.nordlys.example A "+townWeb,
			"autodiscover.nordlys.example CNAME autodiscover.outlook.com.",
			"autodiscover.outlook.com A "+outlook,
			"autodiscover-s.outlook.com A "+outlook,
			"autoconfig.hoster.example A 203.0.113.81",
			"_submissions._tcp.nordlys.example SRV 0 0 0 .",
		)
	for key := range w.pages {
		if strings.Contains(key, "nordlys.example") {
			delete(w.pages, key)
		}
	}
	const welcome = "<!DOCTYPE html><html><head><title>Welcome</title></head><body>Welcome</body></html>"
	w.page("* http://"+townWeb, 200, "text/html", welcome).page("* https://"+townWeb, 200, "text/html", welcome)
	foreign := w.pages["* https://"+townWeb]
	foreign.TLS = goodTLS("*.webhost.example")
	foreign.TLS.Problems = []probe.Problem{probe.WrongName}
	w.pages["* https://"+townWeb] = foreign

	const pox = "://autodiscover-s.outlook.com/autodiscover/autodiscover.xml"
	w.page("GET http://autodiscover.nordlys.example/autodiscover/autodiscover.xml", 302, "", "")
	w.pages["GET http://autodiscover.nordlys.example/autodiscover/autodiscover.xml"].Header["Location"] = "https" + pox
	w.pages["POST http://autodiscover.nordlys.example/autodiscover/autodiscover.xml"] =
		w.pages["GET http://autodiscover.nordlys.example/autodiscover/autodiscover.xml"]
	for _, method := range []string{"GET", "POST"} {
		w.page(method+" https"+pox, 401, "text/plain", "")
		w.pages[method+" https"+pox].Header["Www-Authenticate"] = "Bearer"
	}
	w.page("* https://"+outlook, 404, "text/html", "")
	elsewhere := w.pages["* https://"+outlook]
	elsewhere.TLS = goodTLS("*.outlook.com")
	elsewhere.TLS.Problems = []probe.Problem{probe.WrongName}
	w.pages["* https://"+outlook] = elsewhere

	w.page("GET https://autoconfig.hoster.example/mail/config-v1.1.xml", 200, "text/xml", hosterDocument)
	delete(w.mails, "smtp smtp.hoster.example:465 SSL")
	const submission = "smtp smtp.hoster.example:587 STARTTLS"
	w.mail(account.SMTP, "smtp.hoster.example", 587, account.STARTTLS)
	noLogin := w.mails[submission]
	noLogin.After = []string{"PIPELINING", "SIZE 50000000", "8BITMIME"}
	w.mails[submission] = noLogin
	return w
}

func TestThreeFaults(t *testing.T) {
	r := examineTown(t, threeFaults(t), "anna@nordlys.example")
	var b strings.Builder
	if err := r.WriteText(&b, Layout{Width: 100, Exit: 1}); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + b.String())
}
