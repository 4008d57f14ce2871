package acceptance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// way is one way in which Thunderbird can come to the settings of an address.
type way struct {
	name    string
	typed   string // the address as the person types it
	address string // as it is then; typed where empty
	login   string // what the mail servers know the person by; address where empty

	config    string   // what Signpost is run with
	control   string   // the same of another domain: the client must find nothing
	zone      string   // the domain that records are printed for
	entered   string   // which of the printed names the domain has in DNS; all where empty
	more      string   // further records
	names     []string // for which the service has certificates, besides its own
	foreign   []string // names at the web server of somebody else
	asksTrust bool     // Thunderbird asks before it sends the password to the service's domain

	source             string
	incoming, outgoing server
	asked              []string // and answered: lines of the journal
	never              string   // what no line of the journal may match
}

const mailServersOfHoster = `
    servers:
      - {type: imap, hostname: in7.hoster.example, port: 993, socketType: SSL}
      - {type: smtp, hostname: out7.hoster.example, port: 465, socketType: SSL}
`

// hosting is a configuration with the mail servers of the hoster, for what the
// lines of a provider say.
func hosting(provider string) string {
	return "name: setup.hoster.example\nproviders:\n  - id: mail\n    displayName: Hoster Mail\n    " + provider + mailServersOfHoster
}

const anna = "anna@firma.example"

var (
	imap = server{"imap", "in7.hoster.example", 993, "SSL", anna}
	smtp = server{"smtp", "out7.hoster.example", 465, "SSL", anna}
)

// as is the server with another login.
func (s server) as(login string) server {
	s.Username = login
	return s
}

// answers: an answer that helps, of either kind.
const helps = `→ 200 (clientConfig|Autodiscover)$`

var ways = []way{
	{
		name: "https", typed: anna,
		config: hosting("domains: [firma.example]"), control: hosting("domains: [other.example]"), zone: "firma.example",
		names:  []string{"autoconfig.firma.example", "autodiscover.firma.example"},
		source: "xml-from-isp-https", incoming: imap, outgoing: smtp,
		asked: []string{"GET https://autoconfig.firma.example/mail/config-v1.1.xml?emailaddress=anna%40firma.example → 200 clientConfig"},
	},
	{
		// The customer's names point at a service that has no certificates for them.
		name: "http only", typed: anna,
		config: hosting("domains: [firma.example]"), control: hosting("domains: [other.example]"), zone: "firma.example",
		source: "xml-from-isp-http", incoming: imap, outgoing: smtp,
		asked: []string{"GET http://autoconfig.firma.example/mail/config-v1.1.xml?emailaddress=anna%40firma.example → 200 clientConfig"},
		never: `https://[a-z]*\.?firma\.example/.* ` + helps,
	},
	{
		// The customer's web server hands /.well-known to the service.
		name: "well-known only", typed: anna,
		config: hosting("domains: [firma.example]"), control: hosting("domains: [other.example]"), zone: "firma.example",
		entered: `^$`, more: "firma.example. 60 IN A " + serviceIP, names: []string{"firma.example"},
		source: "xml-from-isp-https", incoming: imap, outgoing: smtp,
		asked: []string{"GET https://firma.example/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=anna%40firma.example → 200 clientConfig"},
		never: `//auto(config|discover)\.`,
	},
	{
		// The customer has nothing but the hoster's MX.
		name: "MX of a hoster", typed: anna,
		config:  hosting("domains: [hoster.example]\n    mx: [mx1.in.hoster.example]"),
		control: hosting("domains: [hoster.example]\n    mx: [mx1.in.other.example]"), zone: "hoster.example",
		more: "firma.example. 60 IN MX 10 mx1.in.hoster.example.", names: []string{"autoconfig.hoster.example"},
		source: "xml-from-isp-https", incoming: imap, outgoing: smtp,
		asked: []string{"GET https://autoconfig.hoster.example/mail/config-v1.1.xml?emailaddress=anna%40firma.example → 200 clientConfig"},
		never: `firma\.example/`,
	},
	{
		// A wildcard leads autoconfig to the web site, which knows nothing of it.
		name: "Autodiscover only", typed: anna,
		config: hosting("domains: [firma.example]"), control: hosting("domains: [other.example]"), zone: "firma.example",
		entered: `^autodiscover\.`, more: "autoconfig.firma.example. 60 IN A " + webIP + "\nfirma.example. 60 IN A " + webIP,
		names: []string{"autodiscover.firma.example"}, foreign: []string{"firma.example", "autoconfig.firma.example"},
		source: "exchange-from-url1", incoming: imap, outgoing: smtp,
		asked: []string{
			"POST https://autodiscover.firma.example/autodiscover/autodiscover.xml → 200 Autodiscover",
			"GET https://autoconfig.firma.example/mail/config-v1.1.xml?emailaddress=anna%40firma.example (web site) → 404",
			"GET http://autoconfig.firma.example/mail/config-v1.1.xml?emailaddress=anna%40firma.example (web site) → 404",
			"GET https://firma.example/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=anna%40firma.example (web site) → 404",
			"GET http://firma.example/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=anna%40firma.example (web site) → 404",
		},
		never: `clientConfig$`,
	},
	{
		name: "SRV only", typed: anna,
		config: hosting("domains: [firma.example]"), control: hosting("domains: [other.example]"), zone: "firma.example",
		entered: `^_autodiscover\._tcp\.`, asksTrust: true,
		source: "exchange-from-srv", incoming: imap, outgoing: smtp,
		asked: []string{"POST https://setup.hoster.example/autodiscover/autodiscover.xml → 200 Autodiscover"},
		never: `//auto(config|discover)\.`,
	},
	{
		name: "POP", typed: anna,
		config: `
name: setup.hoster.example
providers:
  - id: pop
    displayName: Hoster POP
    domains: [firma.example]
    servers:
      - {type: pop3, hostname: in7.hoster.example, port: 995, socketType: SSL}
      - {type: smtp, hostname: out7.hoster.example, port: 587, socketType: STARTTLS}
`, control: hosting("domains: [other.example]"), zone: "firma.example",
		names:    []string{"autoconfig.firma.example", "autodiscover.firma.example"},
		source:   "xml-from-isp-https",
		incoming: server{"pop3", "in7.hoster.example", 995, "SSL", anna},
		outgoing: server{"smtp", "out7.hoster.example", 587, "STARTTLS", anna},
		asked:    []string{"GET https://autoconfig.firma.example/mail/config-v1.1.xml?emailaddress=anna%40firma.example → 200 clientConfig"},
	},
	{
		name: "login of another form", typed: anna, login: "u67578",
		config:  hosting("domains: [firma.example]") + "accounts:\n  - list:\n      anna@firma.example: {username: u67578}\n",
		control: hosting("domains: [other.example]"), zone: "firma.example",
		names:  []string{"autoconfig.firma.example", "autodiscover.firma.example"},
		source: "xml-from-isp-https", incoming: imap.as("u67578"), outgoing: smtp.as("u67578"),
		asked: []string{"GET https://autoconfig.firma.example/mail/config-v1.1.xml?emailaddress=anna%40firma.example → 200 clientConfig"},
	},
}

func TestThunderbird(t *testing.T) {
	need(t, "thunderbird", "certutil", "dovecot", "postfix")
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			closed(t, w.test)
		})
	}
}

// test goes the way with a service that knows other domains only, which must
// lead nowhere, and then, in the same Thunderbird, with one that knows this.
func (w way) test(t *testing.T) {
	if w.address == "" {
		w.address = w.typed
	}
	if w.login == "" {
		w.login = w.address
	}
	ca := newAuthority(t)
	names := startDNS(t, w.dns(t))
	mail := startMail(t, ca, mailbox{w.address, w.login})
	behind, journal := &backend{}, &journal{}
	serveSite(t, &site{journal, "", behind.proxy()}, serviceIP, ca.load("service", append([]string{"setup.hoster.example"}, w.names...)...))
	serveSite(t, &site{journal, "web site", nothingHere}, webIP, ca.load("web", append([]string{"www.example"}, w.foreign...)...))

	stranger := startService(t, "stranger", w.control)
	behind.set(stranger.address)
	tb := startThunderbird(t, ca)
	d := &drive{tb, t, journal, names, 0}
	d.until("emailAutoConfigSubview")
	d.typeInto("#realName", "Anna Svensson")
	d.typeInto("#email", w.typed)
	d.press("forward")
	// What Thunderbird tells the person when it has found nothing and could
	// guess nothing: fill in the form yourself.
	h := d.until("emailIncomingConfigSubview", "emailConfigFoundSubview", "emailCredentialsConfirmationSubview")
	if asked := h.Step == "emailCredentialsConfirmationSubview"; asked != w.asksTrust {
		d.fail(fmt.Sprintf("it asks whether to trust the service: %v, want %v", asked, w.asksTrust))
	} else if asked {
		d.press("forward")
		h = d.until("emailIncomingConfigSubview", "emailConfigFoundSubview")
	}
	if h.Step != "emailIncomingConfigSubview" || h.Notice != "account-hub-find-account-settings-failed" {
		d.fail("with Signpost answering for another domain it must find nothing")
	}

	behind.set(startService(t, "signpost", w.config).address)
	d.mark = journal.mark()
	d.press("back")
	d.until("emailAutoConfigSubview")
	d.press("forward")
	// It remembers whom it was told to trust.
	if h = d.until("emailConfigFoundSubview", "emailIncomingConfigSubview"); h.Step != "emailConfigFoundSubview" {
		d.fail("it must find the settings")
	}
	got, err := tb.found()
	if err != nil {
		t.Fatal(err)
	}
	if want := (found{w.source, w.incoming, w.outgoing}); got != want {
		d.fail(fmt.Sprintf("found %v; want %v", got, want))
	}
	mail.await(t, w.incoming.Port, w.outgoing.Port)
	d.press("forward")
	d.until("emailPasswordSubview")
	d.typeInto("#password", password)
	d.press("forward")
	d.until("emailAddedSuccessSubview")
	tb.picture(t, w.name)

	accounts, err := tb.accounts()
	if err != nil {
		t.Fatal(err)
	}
	want := configured{"Anna Svensson", w.address, w.incoming, w.outgoing, true}
	if len(accounts) != 1 || accounts[0] != want {
		d.fail(fmt.Sprintf("configured %v; want %v", accounts, want))
	}
	if err := tb.send(t, w.address); err != nil {
		d.fail(err.Error())
	}
	if err := mail.awaitLetter(w.login); err != nil {
		t.Fatal(err)
	}
	mail.check(t, w.incoming.Type, w.login)
	w.checkJournal(d)
	t.Logf("configured %v, found by %s", accounts[0], got.Source)
}

// dns is all zone text of the closed network.
func (w way) dns(t *testing.T) string {
	entered := regexp.MustCompile(w.entered)
	var b strings.Builder
	for line := range strings.Lines(published(t, w.config, w.zone)) {
		if entered.MatchString(line) {
			b.WriteString(line)
		}
	}
	fmt.Fprintf(&b, "setup.hoster.example. 60 IN A %s\nin7.hoster.example. 60 IN A %s\nout7.hoster.example. 60 IN A %[2]s\n%s\n", serviceIP, mailIP, w.more)
	return b.String()
}

func (w way) checkJournal(d *drive) {
	asked := d.journal.since(d.mark)
	for _, line := range w.asked {
		if !slices.Contains(asked, line) {
			d.fail("not asked and answered: " + line)
		}
	}
	if w.never == "" {
		return
	}
	never := regexp.MustCompile(w.never)
	for _, line := range asked {
		if never.MatchString(line) {
			d.fail("must not be asked: " + line)
		}
	}
}
