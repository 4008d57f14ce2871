package acceptance

import (
	"regexp"
	"strings"
	"testing"
)

// way is one way in which Thunderbird finds the settings of an address.
type way struct {
	name string
	hosting
	address   string   // that the person enters
	login     string   // of the person at the mail servers
	trust     bool     // whether Thunderbird asks before it sends a password to the service
	configure []string // the command that makes the configuration from that of the mail servers

	source             string // Thunderbird's name for where it found the settings
	incoming, outgoing server
	answered           []string // lines that the journal must contain
	never              string   // pattern that no line may match
}

// fromISP returns the journal's line for an answer by autoconfig.
func fromISP(url, address string) string {
	query := "?emailaddress=" + strings.Replace(address, "@", "%40", 1)
	return "GET " + url + "/config-v1.1.xml" + query + " → 200 clientConfig"
}

const bücher = "anna@xn--bcher-kva.example"

var ways = []way{
	{
		name: "https", address: anna, login: anna,
		hosting: hosting{
			config: hoster(hostsFirma, ""), control: hoster(hostsAnother, ""), domain: "firma.example",
			names: []string{"autoconfig.firma.example", "autodiscover.firma.example"},
		},
		source: "xml-from-isp-https", incoming: imap, outgoing: smtp,
		answered: []string{fromISP("https://autoconfig.firma.example/mail", anna)},
	},
	{
		// The hoster has no certificates for the customers' names. As
		// autodiscover.‹domain› fails too, Thunderbird reaches the SRV record and
		// asks the person, although it has the settings by then.
		name: "http only", address: anna, login: anna, trust: true,
		hosting: hosting{
			config: hoster(hostsFirma, ""), control: hoster(hostsAnother, ""), domain: "firma.example",
		},
		source: "xml-from-isp-http", incoming: imap, outgoing: smtp,
		answered: []string{fromISP("http://autoconfig.firma.example/mail", anna)},
		never:    `https://([a-z]+\.)?firma\.example/`,
	},
	{
		// Without the SRV record Thunderbird does not ask.
		name: "http only without SRV", address: anna, login: anna,
		hosting: hosting{
			config: hoster(hostsFirma, ""), control: hoster(hostsAnother, ""), domain: "firma.example",
			entered: `^autoconfig\.|^autodiscover\.`,
		},
		source: "xml-from-isp-http", incoming: imap, outgoing: smtp,
		answered: []string{fromISP("http://autoconfig.firma.example/mail", anna)},
		never:    `https://`,
	},
	{
		// The domain itself is the name of the service, as on a small server, and no
		// other name leads there. Thunderbird then looks for calendars on the set-up
		// page.
		name: "well-known only", address: anna, login: anna,
		hosting: hosting{
			config:  strings.Replace(hoster(hostsFirma, ""), "setup.hoster.example", "firma.example", 1),
			control: hoster(hostsAnother, ""), domain: "firma.example",
			entered: `^$`, more: "firma.example. 60 IN A " + serviceIP, names: []string{"firma.example"},
		},
		source: "xml-from-isp-https", incoming: imap, outgoing: smtp,
		answered: []string{fromISP("https://firma.example/.well-known/autoconfig/mail", anna)},
		never:    `//auto(config|discover)\.`,
	},
	{
		// The domain has nothing but the hoster's MX record. The hoster's own domain
		// has all records.
		name: "MX of a hoster", address: anna, login: anna,
		hosting: hosting{
			config:  hoster("domains: [hoster.example]\n    mx: [mx1.in.hoster.example]", ""),
			control: hoster("domains: [hoster.example]\n    mx: [mx1.in.another.example]", ""), domain: "hoster.example",
			more: "firma.example. 60 IN MX 10 mx1.in.hoster.example.", names: []string{"autoconfig.hoster.example"},
		},
		source: "xml-from-isp-https", incoming: imap, outgoing: smtp,
		answered: []string{fromISP("https://autoconfig.hoster.example/mail", anna)},
		never:    `firma\.example/`,
	},
	{
		// A wildcard record leads to a web site that does not offer autoconfig.
		name: "Autodiscover only", address: anna, login: anna,
		hosting: hosting{
			config: hoster(hostsFirma, ""), control: hoster(hostsAnother, ""), domain: "firma.example",
			entered: `^autodiscover\.`,
			more:    "autoconfig.firma.example. 60 IN A " + webIP + "\nfirma.example. 60 IN A " + webIP,
			names:   []string{"autodiscover.firma.example"}, foreign: []string{"firma.example", "autoconfig.firma.example"},
		},
		source: "exchange-from-url1", incoming: imap, outgoing: smtp,
		answered: []string{
			"POST https://autodiscover.firma.example/autodiscover/autodiscover.xml → 200 Autodiscover",
			"GET https://autoconfig.firma.example/mail/config-v1.1.xml?emailaddress=anna%40firma.example (web site) → 404",
			"GET http://autoconfig.firma.example/mail/config-v1.1.xml?emailaddress=anna%40firma.example (web site) → 404",
			"GET https://firma.example/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=anna%40firma.example (web site) → 404",
			"GET http://firma.example/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=anna%40firma.example (web site) → 404",
		},
		never: `clientConfig$`,
	},
	{
		// The service's name is in another domain than the address, and an SRV record
		// can be forged, so Thunderbird asks the person.
		name: "SRV only", address: anna, login: anna, trust: true,
		hosting: hosting{
			config: hoster(hostsFirma, ""), control: hoster(hostsAnother, ""), domain: "firma.example",
			entered: `^_autodiscover\._tcp\.`,
		},
		source: "exchange-from-srv", incoming: imap, outgoing: smtp,
		answered: []string{"POST https://setup.hoster.example/autodiscover/autodiscover.xml → 200 Autodiscover"},
		never:    `//auto(config|discover)\.`,
	},
	{
		name: "POP", address: anna, login: anna,
		hosting: hosting{
			config: `
name: setup.hoster.example
admin: {listen: none}
providers:
  - id: pop
    displayName: Hoster POP
    domains: [firma.example]
    servers:
      - {type: pop3, hostname: in7.hoster.example, port: 995, socketType: SSL}
      - {type: smtp, hostname: out7.hoster.example, port: 587, socketType: STARTTLS}
`, control: hoster(hostsAnother, ""), domain: "firma.example",
			names: []string{"autoconfig.firma.example", "autodiscover.firma.example"},
		},
		source:   "xml-from-isp-https",
		incoming: server{"pop3", "in7.hoster.example", 995, "SSL", anna},
		outgoing: server{"smtp", "out7.hoster.example", 587, "STARTTLS", anna},
		answered: []string{fromISP("https://autoconfig.firma.example/mail", anna)},
	},
	{
		name: "login that is not the address", address: anna, login: "u67578",
		hosting: hosting{
			config:  hoster(hostsFirma, "accounts:\n  - list:\n      anna@firma.example: {username: u67578}\n"),
			control: hoster(hostsAnother, ""), domain: "firma.example",
			names: []string{"autoconfig.firma.example", "autodiscover.firma.example"},
		},
		source: "xml-from-isp-https", incoming: imap.withLogin("u67578"), outgoing: smtp.withLogin("u67578"),
		answered: []string{fromISP("https://autoconfig.firma.example/mail", anna)},
	},
	{
		name: "IDN", address: bücher, login: bücher,
		hosting: hosting{
			config:  hoster("domains: [bücher.example]", ""),
			control: hoster(hostsAnother, ""), domain: "xn--bcher-kva.example",
			names: []string{"autoconfig.xn--bcher-kva.example", "autodiscover.xn--bcher-kva.example"},
		},
		source: "xml-from-isp-https", incoming: imap.withLogin(bücher), outgoing: smtp.withLogin(bücher),
		answered: []string{fromISP("https://autoconfig.xn--bcher-kva.example/mail", bücher)},
	},
}

// ownTLS returns the way with Signpost terminating TLS, and with a line that its log
// must contain. The log has no URLs and no passwords. What must not be requested or
// sent is therefore checked in the same way behind the proxy, which has a journal.
func (w way) ownTLS(logged string) way {
	w.name, w.direct = w.name+" with own TLS", true
	w.answered = []string{logged}
	return w
}

func wayNamed(t *testing.T, name string) way {
	t.Helper()
	for _, w := range ways {
		if w.name == name {
			return w
		}
	}
	t.Fatalf("ways has no %q", name)
	return way{}
}

// thunderbirdNeeds are the programs for a test with Thunderbird.
var thunderbirdNeeds = []string{"thunderbird", "certutil", "dovecot", "postfix"}

// TestThunderbird lets Thunderbird set up an account in each way.
func TestThunderbird(t *testing.T) {
	need(t, thunderbirdNeeds...)
	for _, w := range append([]way{
		wayNamed(t, "https").ownTLS("GET autoconfig of firma.example → 200 answered"),
		wayNamed(t, "http only").ownTLS("GET autoconfig of firma.example → 200 answered"),
		wayNamed(t, "Autodiscover only").ownTLS("POST autodiscover of firma.example → 200 answered"),
	}, ways...) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			closed(t, w.test)
		})
	}
}

// test goes the way twice in the same Thunderbird: first Signpost does not host the
// domain, and nothing may be found, then it does.
func (w way) test(t *testing.T) {
	n := w.start(t, mailbox{w.address, w.login})
	if w.configure != nil {
		n.hosting.config = n.configuredBy(w.configure)
	}
	person := &wizard{startThunderbird(t, n.ca), n}
	person.until(stepAddress)
	person.enter("#realName", "Anna Svensson")
	person.enter("#email", w.address)
	person.press("forward")
	h := person.until(stepByHand, stepFound, stepTrust)
	if asks := h.Step == stepTrust; asks != w.trust {
		person.fail("Thunderbird asks whether to trust the service: %v, want %v", asks, w.trust)
	} else if asks {
		person.press("forward")
		h = person.until(stepByHand, stepFound)
	}
	if h.Step != stepByHand || h.Notice != foundNothing {
		person.fail("Thunderbird found settings while Signpost did not host the domain")
	}
	n.checkControl(h.String())

	n.serve()
	person.press("back")
	person.until(stepAddress)
	person.press("forward")
	// Thunderbird does not ask again whether to trust the service.
	if h := person.until(stepFound, stepByHand, stepTrust); h.Step != stepFound {
		person.fail("Thunderbird did not find the settings")
	}
	got, want := person.found(), found{w.source, w.incoming, w.outgoing}
	if got != want {
		person.fail("Thunderbird found %v, want %v", got, want)
	}
	w.checkAnswers(person)

	n.mail.await(w.incoming.Port, w.outgoing.Port)
	person.press("forward")
	person.until(stepPassword)
	person.enter("#password", password)
	person.press("forward")
	person.until(stepDone)
	person.picture(t, w.name)
	account := configured{"Anna Svensson", w.address, w.incoming, w.outgoing, true}
	if all := person.accounts(); len(all) != 1 || all[0] != account {
		person.fail("the accounts are %v, want %v", all, account)
	}
	w.checkRest(person)
	person.send(w.address)
	n.mail.awaitLetter(w.login)
	n.mail.checkIncoming(w.incoming.Type, w.login)
	n.mail.checkOutgoing(w.login)
	t.Logf("%v\n%s", got, strings.Join(n.requests(), "\n"))
}

// discovery matches the requests that Thunderbird may send to find settings.
var discovery = regexp.MustCompile(`^(GET https?://(autoconfig\.[a-z0-9.-]+/mail|[a-z0-9.-]+/\.well-known/autoconfig/mail)` +
	`/config-v1\.1\.xml\?emailaddress=[^&]+` +
	`|POST (https://(autodiscover\.|setup\.)?[a-z0-9.-]+|http://autodiscover\.[a-z0-9.-]+)/autodiscover/autodiscover\.xml)( \(web site\))? → `)

// checkAnswers checks the requests that reached the web servers until settings were
// found.
func (w way) checkAnswers(person *wizard) {
	for _, line := range w.answered {
		if !person.has(line) {
			person.fail("the journal lacks %s", line)
		}
	}
	if w.direct {
		return
	}
	for _, line := range person.requests() {
		forbidden := w.never != "" && regexp.MustCompile(w.never).MatchString(line)
		if !discovery.MatchString(line) || forbidden {
			person.fail("the journal has the unwanted line %s", line)
		}
	}
}

// checkRest checks the requests that Thunderbird sends when it has an account and looks
// for calendars and address books: PROPFIND, and finally PUT, of the domain's web root
// and of /.well-known. A server that accepts these offers what does not exist, and one
// that challenges gets the password. With its own TLS there is only Signpost's log,
// which shows the former alone.
func (w way) checkRest(person *wizard) {
	for _, line := range person.requests() {
		if accepted.MatchString(line) {
			person.fail("the journal has the unwanted line %s", line)
		}
	}
}

// accepted matches a request that must not have been accepted, failed in the server, or
// come with a password.
var accepted = regexp.MustCompile(`^(PUT|PROPFIND) .* → 2|→ 5| with a password `)

// TestThunderbirdRefuses checks what docs say about domains with letters beyond ASCII:
// Thunderbird's InputSanitizer rejects them before it sends a request. The person has to
// enter A-labels, as in the way "IDN".
func TestThunderbirdRefuses(t *testing.T) {
	need(t, thunderbirdNeeds...)
	closed(t, func(t *testing.T) {
		n := wayNamed(t, "IDN").start(t)
		n.serve()
		person := &wizard{startThunderbird(t, n.ca), n}
		person.until(stepAddress)
		person.enter("#realName", "Anna Svensson")
		person.enter("#email", "anna@bücher.example")
		person.press("forward")
		const refusal = "Hostname is empty or contains forbidden characters. Only letters, numbers, - and . are allowed."
		if h := person.until(stepAddress, stepFound, stepByHand, stepTrust); h.Step != stepAddress ||
			h.Notice != refusal {
			person.fail("Thunderbird accepts the address: the page may now say that it takes such domains")
		}
		if len(n.requests()) > 0 {
			person.fail("Thunderbird sent requests, want none")
		}
	})
}
