package acceptance

import (
	"regexp"
	"strings"
	"testing"
)

// way is one way in which Thunderbird comes to the settings of an address.
type way struct {
	name string
	hosting
	address string // what the person types
	login   string // what the mail servers know the person by
	trust   bool   // Thunderbird asks before it sends a password to the service

	source             string // what Thunderbird calls where it found the settings
	incoming, outgoing server
	answered           []string // lines that the journal must have
	never              string   // what no line may match
}

// fromISP is the line of the journal for an answer by autoconfig.
func fromISP(url, address string) string {
	return "GET " + url + "/config-v1.1.xml?emailaddress=" + strings.Replace(address, "@", "%40", 1) + " → 200 clientConfig"
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
		// The hoster has no certificates for the customers' names. With
		// autodiscover.‹domain› failing too, Thunderbird comes to the SRV record
		// and asks, although it has what it needs by then.
		name: "http only", address: anna, login: anna, trust: true,
		hosting: hosting{
			config: hoster(hostsFirma, ""), control: hoster(hostsAnother, ""), domain: "firma.example",
		},
		source: "xml-from-isp-http", incoming: imap, outgoing: smtp,
		answered: []string{fromISP("http://autoconfig.firma.example/mail", anna)},
		never:    `https://([a-z]+\.)?firma\.example/`,
	},
	{
		// The same without the SRV record, and without the question.
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
		// The domain itself is the name of the service, as on a small server, and
		// no other name leads there. Thunderbird then looks for calendars on the
		// set-up page.
		name: "well-known only", address: anna, login: anna,
		hosting: hosting{
			config: strings.Replace(hoster(hostsFirma, ""), "setup.hoster.example", "firma.example", 1), control: hoster(hostsAnother, ""), domain: "firma.example",
			entered: `^$`, more: "firma.example. 60 IN A " + serviceIP, names: []string{"firma.example"},
		},
		source: "xml-from-isp-https", incoming: imap, outgoing: smtp,
		answered: []string{fromISP("https://firma.example/.well-known/autoconfig/mail", anna)},
		never:    `//auto(config|discover)\.`,
	},
	{
		// The domain has the hoster's MX and nothing else; the hoster has the
		// records of a domain of its own.
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
		// A wildcard leads to a web site that knows nothing of autoconfig.
		name: "Autodiscover only", address: anna, login: anna,
		hosting: hosting{
			config: hoster(hostsFirma, ""), control: hoster(hostsAnother, ""), domain: "firma.example",
			entered: `^autodiscover\.`, more: "autoconfig.firma.example. 60 IN A " + webIP + "\nfirma.example. 60 IN A " + webIP,
			names: []string{"autodiscover.firma.example"}, foreign: []string{"firma.example", "autoconfig.firma.example"},
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
		// The service's name belongs to another domain than the address, and a
		// SRV record can be forged, so Thunderbird asks the person.
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
		source: "xml-from-isp-https", incoming: imap.as("u67578"), outgoing: smtp.as("u67578"),
		answered: []string{fromISP("https://autoconfig.firma.example/mail", anna)},
	},
	{
		name: "IDN", address: bücher, login: bücher,
		hosting: hosting{
			config: hoster("domains: [bücher.example]", ""), control: hoster(hostsAnother, ""), domain: "xn--bcher-kva.example",
			names: []string{"autoconfig.xn--bcher-kva.example", "autodiscover.xn--bcher-kva.example"},
		},
		source: "xml-from-isp-https", incoming: imap.as(bücher), outgoing: smtp.as(bücher),
		answered: []string{fromISP("https://autoconfig.xn--bcher-kva.example/mail", bücher)},
	},
}

// ownTLS is the way with Signpost ending TLS itself, and with what its log must
// tell. The log has no URLs and knows of no password: what must not be asked or
// sent is looked for in the same way behind the proxy, which has a journal.
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
	t.Fatalf("there is no way %q", name)
	return way{}
}

// thunderbirdNeeds are the programs for a test with Thunderbird.
var thunderbirdNeeds = []string{"thunderbird", "certutil", "dovecot", "postfix"}

// TestThunderbird has the real Thunderbird set up an account by each way.
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

// test goes the way while Signpost answers for others' domains, which must lead
// nowhere, and then, in the same Thunderbird, while it answers for the domain.
func (w way) test(t *testing.T) {
	n := w.start(t, mailbox{w.address, w.login})
	person := &wizard{startThunderbird(t, n.ca), n}
	person.until(stepAddress)
	person.typeInto("#realName", "Anna Svensson")
	person.typeInto("#email", w.address)
	person.press("forward")
	h := person.until(stepByHand, stepFound, stepTrust)
	if asks := h.Step == stepTrust; asks != w.trust {
		person.fail("it asks whether to trust the service: %v, want %v", asks, w.trust)
	} else if asks {
		person.press("forward")
		h = person.until(stepByHand, stepFound)
	}
	if h.Step != stepByHand || h.Notice != foundNothing {
		person.fail("it must find nothing while Signpost answers for others' domains")
	}
	n.checkControl(h.String())

	n.serve()
	person.press("back")
	person.until(stepAddress)
	person.press("forward")
	// It remembers whom the person trusts.
	if h := person.until(stepFound, stepByHand, stepTrust); h.Step != stepFound {
		person.fail("it must find the settings")
	}
	got, want := person.found(), found{w.source, w.incoming, w.outgoing}
	if got != want {
		person.fail("it found %v, want %v", got, want)
	}
	w.checkAnswers(person)

	n.mail.await(w.incoming.Port, w.outgoing.Port)
	person.press("forward")
	person.until(stepPassword)
	person.typeInto("#password", password)
	person.press("forward")
	person.until(stepDone)
	person.picture(t, w.name)
	account := configured{"Anna Svensson", w.address, w.incoming, w.outgoing, true}
	if all := person.accounts(); len(all) != 1 || all[0] != account {
		person.fail("it configured %v, want %v", all, account)
	}
	w.checkRest(person)
	person.send(w.address)
	n.mail.awaitLetter(w.login)
	n.mail.checkIncoming(w.incoming.Type, w.login)
	n.mail.checkOutgoing(w.login)
	t.Logf("%v\n%s", got, strings.Join(n.asked(), "\n"))
}

// discovery is what Thunderbird may ask to find settings.
var discovery = regexp.MustCompile(`^(GET https?://(autoconfig\.[a-z0-9.-]+/mail|[a-z0-9.-]+/\.well-known/autoconfig/mail)/config-v1\.1\.xml\?emailaddress=[^&]+` +
	`|POST (https://(autodiscover\.|setup\.)?[a-z0-9.-]+|http://autodiscover\.[a-z0-9.-]+)/autodiscover/autodiscover\.xml)( \(web site\))? → `)

// checkAnswers looks at what reached the web servers up to what was found.
func (w way) checkAnswers(person *wizard) {
	for _, line := range w.answered {
		if !person.has(line) {
			person.fail("there must be %s", line)
		}
	}
	if w.direct {
		return
	}
	for _, line := range person.asked() {
		if !discovery.MatchString(line) || w.never != "" && regexp.MustCompile(w.never).MatchString(line) {
			person.fail("there must not be %s", line)
		}
	}
}

// checkRest looks at what Thunderbird did on the way to the end, when it has an
// account and looks for calendars and address books: PROPFIND, and at last PUT,
// of the domain's web root and of /.well-known. Whoever takes these offers what
// is not there, and whoever challenges gets the password. Signpost's own log, all
// that there is with its own TLS, tells of the former only.
func (w way) checkRest(person *wizard) {
	for _, line := range person.asked() {
		if takes.MatchString(line) {
			person.fail("there must not be %s", line)
		}
	}
}

var takes = regexp.MustCompile(`^(PUT|PROPFIND) .* → 2|→ 5| with a password `)

// TestThunderbirdRefuses: of a domain in letters beyond ASCII, Thunderbird's
// InputSanitizer says that it is no host name before anybody is asked. The
// person has to type it as A-labels, as in the way "IDN".
func TestThunderbirdRefuses(t *testing.T) {
	need(t, thunderbirdNeeds...)
	closed(t, func(t *testing.T) {
		n := wayNamed(t, "IDN").start(t)
		n.serve()
		person := &wizard{startThunderbird(t, n.ca), n}
		person.until(stepAddress)
		person.typeInto("#realName", "Anna Svensson")
		person.typeInto("#email", "anna@bücher.example")
		person.press("forward")
		const refusal = "Hostname is empty or contains forbidden characters. Only letters, numbers, - and . are allowed."
		if h := person.until(stepAddress, stepFound, stepByHand, stepTrust); h.Step != stepAddress || h.Notice != refusal {
			person.fail("it must refuse the address; tell people that it takes such domains now")
		}
		if asked := n.asked(); len(asked) > 0 {
			person.fail("it must not ask anybody")
		}
	})
}
