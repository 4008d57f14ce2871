package doctor

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/finding"
	"signpost/internal/doctor/probe"
	"signpost/internal/golden"
	"signpost/internal/records"
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
	// The web site of the domain itself knows what it does not have.
	w.page("* http://nordlys.example", 404, "text/html", "").page("* https://nordlys.example", 404, "text/html", "")
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

// expiredAt465 has a certificate that was renewed at the IMAP server and forgotten at the
// server for sending.
func expiredAt465(t testing.TB) *town {
	w := healthyTown(t)
	const submissions = "smtp smtp.hoster.example:465 SSL"
	old := w.mails[submissions]
	old.TLS = goodTLS("smtp.hoster.example")
	old.TLS.Start, old.TLS.End = old.TLS.Start.AddDate(0, -3, 0), old.TLS.Start.AddDate(0, 1, 0)
	old.TLS.Problems = []probe.Problem{probe.Expired}
	w.mails[submissions] = old
	return w
}

// oldInstance is a domain of this service. One of its two instances has an old configuration,
// and the name for Autodiscover was never published.
func oldInstance(t testing.TB) (*town, *Own) {
	own, old := ownService("imap.hoster.example"), ownService("mail.former.example")
	own.Records = func(_ context.Context, domain string) (records.Domain, error) {
		d := records.Domain{Name: domain}
		for _, label := range []string{"autoconfig", "autodiscover"} {
			d.Records = append(d.Records, records.Record{Record: dns.Record{
				Name: label + "." + domain, TTL: 3600, Type: "CNAME", Data: "setup.nord.example."}})
		}
		return d, nil
	}
	w := healthyTown(t).without("autoconfig.nordlys.example", "autodiscover.nordlys.example").records(
		"autoconfig.nordlys.example CNAME setup.nord.example.",
		"setup.nord.example A 203.0.113.7",
		"setup.nord.example A 203.0.113.8",
	)
	anna := address(t, "anna@nordlys.example")
	const whole = "GET https://autoconfig.nordlys.example/mail/config-v1.1.xml"
	w.mail(account.SMTP, "imap.hoster.example", 465, account.SSL)
	for _, scheme := range []string{"https", "http"} {
		place := strings.Replace(whole, "https", scheme, 1)
		w.page(place, 200, "text/xml", string(own.document(t, "thunderbird", anna)))
		w.page("203.0.113.8 "+place, 200, "text/xml", string(old.document(t, "thunderbird", anna)))
	}
	return w, own
}

// examples are the worked examples of docs/doctor.md: what a person types, and what the
// program prints.
var examples = map[string]func(*testing.T) string{
	"healthy":      func(t *testing.T) string { return workedExample(t, healthyTown(t), nil) },
	"three-faults": func(t *testing.T) string { return workedExample(t, threeFaults(t), nil) },
	"certificate":  func(t *testing.T) string { return workedExample(t, expiredAt465(t), nil) },
	"own": func(t *testing.T) string {
		w, own := oldInstance(t)
		return workedExample(t, w, own)
	},
	"many": func(t *testing.T) string {
		lines := "$ cat customers.txt\nnordlys.example\nanna@nordlys.example\nfjord.example\n$ signpost doctor -from customers.txt\n"
		for _, who := range []string{"nordlys.example", "anna@nordlys.example", "fjord.example"} {
			if !strings.Contains(who, "@") {
				a, err := AtDomain(who)
				if err != nil {
					t.Fatal(err)
				}
				who = a.String()
			}
			r := examineTown(t, healthyTown(t), who, nil)
			lines += r.Line(r.Fails(finding.Error)) + "\n"
		}
		return lines
	},
}

// workedExample returns the command with what it prints.
func workedExample(t *testing.T, w *town, own *Own) string {
	r := examineTown(t, w, "anna@nordlys.example", own)
	exit := 0
	if r.Fails(finding.Error) {
		exit = 1
	}
	var b strings.Builder
	if err := r.WriteText(&b, Layout{Width: 100, Exit: exit}); err != nil {
		t.Fatal(err)
	}
	return "$ signpost doctor anna@nordlys.example\n" + b.String()
}

// exampleBlock matches a worked example in the document.
var exampleBlock = regexp.MustCompile("(?s)(<!-- example: ([a-z-]+) -->\n```text\n)(.*?)(```\n)")

// TestWorkedExamples holds the examples of docs/doctor.md to what the program prints.
// UPDATE_GOLDEN=1 rewrites the document.
func TestWorkedExamples(t *testing.T) {
	const file = "../../docs/doctor.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	got := exampleBlock.ReplaceAllFunc(text, func(found []byte) []byte {
		m := exampleBlock.FindSubmatch(found)
		name := string(m[2])
		example, ok := examples[name]
		if !ok {
			t.Errorf("docs/doctor.md has an example %q, which this test does not know", name)
			return found
		}
		seen[name] = true
		return slices.Concat(m[1], []byte(example(t)), m[4])
	})
	if len(seen) != len(examples) {
		t.Errorf("docs/doctor.md has the examples %v, want all %d", seen, len(examples))
	}
	golden.Check(t, file, got)
}
