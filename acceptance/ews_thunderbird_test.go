package acceptance

import (
	"slices"
	"strings"
	"testing"
)

// exchangeFound is what Thunderbird's search finds for an address.
type exchangeFound struct {
	Asked  string   // the host that the person is asked to trust
	Source string   // Thunderbird's name for where it found the settings; empty if there are none
	Types  []string // of the incoming servers, the selected one first
	URL    string   // of EWS
}

// exchangeScript is the search of the Account Hub, with the servers that it offers (email.mjs, #findConfig).
const exchangeScript = `
const { FindConfig } = ChromeUtils.importESModule("resource:///modules/accountcreation/FindConfig.sys.mjs");
const [address] = arguments;
return (async () => {
  const search = FindConfig.parallelAutoDiscovery(address.split("@")[1], address, new AbortController().signal);
  let { value: config } = await search.next();
  const Asked = config?.isRedirect ? config.host : "";
  if (Asked) {
    ({ value: config } = await search.next({ acceptRedirect: true }));
  }
  if (!config) {
    return { Asked };
  }
  FindConfig.ewsifyConfig(config);
  const all = [config.incoming, ...config.incomingAlternatives];
  const URL = all.find(server => server.type == "ews")?.exchangeURL ?? "";
  return { Asked, Source: config.subSource, Types: all.map(server => server.type), URL };
})();`

// searchExchange lets Thunderbird search for the settings of an address.
func (w *wizard) searchExchange(address string) exchangeFound {
	w.t.Helper()
	var f exchangeFound
	if err := w.run(exchangeScript, &f, address); err != nil {
		w.fail("searching for %s: %v", address, err)
	}
	return f
}

// offeredScript reads the kinds of account that the hub offers, the selected one first.
const offeredScript = hubScript + `
const offered = ["imap", "pop3", "exchange", "ews", "graph"].filter(type => !step.querySelector("#" + type).hidden);
return offered.toSorted((a, b) => step.querySelector("#" + b + " input").checked - step.querySelector("#" + a + " input").checked);`

// offered lists the kinds of account that the hub offers, the selected one first.
func (w *wizard) offered() []string {
	w.t.Helper()
	var all []string
	if err := w.run(offeredScript, &all); err != nil {
		w.fail("reading what is offered: %v", err)
	}
	return all
}

// exchangeAccount is an account of Thunderbird.
type exchangeAccount struct{ Type, URL, Username string }

// exchangeAccounts lists the accounts that Thunderbird has.
func (w *wizard) exchangeAccounts() []exchangeAccount {
	w.t.Helper()
	var all []exchangeAccount
	if err := w.run(`
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
return MailServices.accounts.accounts.map(a => a.incomingServer).filter(s => s.type != "none").map(server => ({
  Type: server.type, URL: server.getStringValue("ews_url"), Username: server.username,
}));`, &all); err != nil {
		w.fail("reading the accounts: %v", err)
	}
	return all
}

// enterAddress enters a person and her address, and goes on.
func (w *wizard) enterAddress(address string) {
	w.t.Helper()
	w.until(stepAddress)
	w.enter("#realName", "Anna Svensson")
	w.enter("#email", address)
	w.press("forward")
}

// exchangeZone has the domains of the tests, each with one way to Signpost, and imap.example with all.
const exchangeZone = `
apex.example. 60 IN A ` + serviceIP + `
_autodiscover._tcp.srv.example. 60 IN SRV 0 0 443 setup.hoster.example.
autodiscover.redirect.example. 60 IN A ` + serviceIP + `
autodiscover.imap.example. 60 IN A ` + serviceIP + `
autoconfig.imap.example. 60 IN A ` + serviceIP

const exchangeHosts = "domains: [firma.example, apex.example, srv.example, redirect.example]"

// TestThunderbirdExchange lets Thunderbird set up an Exchange account.
func TestThunderbirdExchange(t *testing.T) {
	needExchange(t)
	need(t, thunderbirdNeeds...)
	closed(t, func(t *testing.T) {
		n, server := hosting{
			config: exchangeHoster(exchangeHosts), control: exchangeHoster(hostsAnother), domain: "firma.example",
			entered: `^autodiscover\.`, more: exchangeZone, names: []string{"autodiscover.firma.example", "apex.example"},
		}.startExchange(t)
		person := &wizard{startThunderbird(t, n.ca), n}
		person.enterAddress(anna)
		if h := person.until(stepByHand, stepFound, stepTrust); h.Step != stepByHand {
			person.fail("Thunderbird found settings while Signpost did not host the domain")
		}
		n.serve()
		for domain, want := range map[string]exchangeFound{
			"apex.example":     {"", "exchange-from-url2-guess", []string{"exchange", "exchange", "ews"}, ewsURL},
			"srv.example":      {"hoster.example", "exchange-from-srv-guess", []string{"exchange", "exchange", "ews"}, ewsURL},
			"redirect.example": {"hoster.example", "exchange-from-url3-guess", []string{"exchange", "exchange", "ews"}, ewsURL},
			"nobody.example":   {},
		} {
			got := person.searchExchange("anna@" + domain)
			t.Logf("%s: %+v", domain, got)
			if got.Asked != want.Asked || got.Source != want.Source || got.URL != want.URL ||
				!slices.Equal(got.Types, want.Types) {
				t.Errorf("Thunderbird found %+v for %s, want %+v", got, domain, want)
			}
		}

		person.press("back")
		person.until(stepAddress)
		person.press("forward")
		if h := person.until(stepFound, stepByHand, stepTrust); h.Step != stepFound {
			person.fail("Thunderbird did not find the settings")
		}
		// "exchange" needs an add-on; "ews" is Thunderbird's own.
		if got := person.offered(); !slices.Equal(got, []string{"exchange", "ews"}) {
			person.fail("Thunderbird offers %q, want exchange and ews", got)
		}
		person.choose("ews")
		person.press("forward")
		person.until(stepPassword)
		person.enter("#password", password)
		person.press("forward")
		person.until(stepDone)
		want := exchangeAccount{"ews", ewsURL, anna}
		if all := person.exchangeAccounts(); len(all) != 1 || all[0] != want {
			person.fail("the accounts are %v, want %v", all, want)
		}
		signedIn := server.signedIn()
		if len(signedIn) == 0 {
			person.fail("Thunderbird did not sign in at %s", ewsURL)
		}
		t.Logf("%v\n%s", signedIn, strings.Join(n.requests(), "\n"))
	})
}

// choose selects a kind of account.
func (w *wizard) choose(kind string) {
	w.t.Helper()
	if err := w.run(hubScript+`step.querySelector("#" + arguments[0] + " input").click();`, nil, kind); err != nil {
		w.fail("choosing %s: %v", kind, err)
	}
}

// TestThunderbirdPrefersIMAP checks that Thunderbird selects IMAP where the provider has both, wherever it
// learns that, and offers Exchange beside it.
func TestThunderbirdPrefersIMAP(t *testing.T) {
	needExchange(t)
	need(t, thunderbirdNeeds...)
	closed(t, func(t *testing.T) {
		both := []string{"      - {type: imap, hostname: in7.hoster.example, port: 993, socketType: SSL}\n",
			"      - {type: smtp, hostname: out7.hoster.example, port: 465, socketType: SSL}\n"}
		n, _ := hosting{
			config:  exchangeHoster("domains: [firma.example, imap.example]", both...),
			control: exchangeHoster(hostsAnother), domain: "firma.example",
			entered: `^autodiscover\.`, more: exchangeZone,
			names: []string{"autodiscover.firma.example", "autodiscover.imap.example", "autoconfig.imap.example"},
		}.startExchange(t)
		n.serve()
		person := &wizard{startThunderbird(t, n.ca), n}
		for address, source := range map[string]string{
			anna: "exchange-from-url1", "anna@imap.example": "xml-from-isp-https",
		} {
			got := person.searchExchange(address)
			if got.Source != source || len(got.Types) == 0 || got.Types[0] != "imap" || got.URL != ewsURL {
				t.Errorf("Thunderbird found %+v for %s, want imap first, then %s, from %s",
					got, address, ewsURL, source)
			}
			t.Logf("%s: %+v", address, got)
		}
		person.enterAddress("anna@imap.example")
		if h := person.until(stepFound, stepByHand, stepTrust); h.Step != stepFound {
			person.fail("Thunderbird did not find the settings")
		}
		got := person.offered()
		if !slices.Equal(got, []string{"imap", "exchange", "ews"}) {
			person.fail("Thunderbird offers %q, want imap selected, exchange and ews", got)
		}
		person.picture(t, "IMAP before Exchange")
		t.Logf("%v\n%s", got, strings.Join(n.requests(), "\n"))
	})
}
