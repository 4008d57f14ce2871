package finding

import (
	"slices"
	"strings"
	"testing"

	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

// fault is a change of the healthy world and what must be found then, and nothing else.
type fault struct {
	name   string
	change func(w *world)
	want   string // IDs and subjects
	says   string // a part of the first sentence
}

// check holds that exactly the faults of the table are found among those of DNS and web servers.
func check(t *testing.T, rows []fault) {
	t.Helper()
	checkAmong(t, slices.Concat(dnsFaults, webFaults), rows)
}

func checkAmong(t *testing.T, catalogue []Fault, rows []fault) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := healthy()
			row.change(w)
			c := w.caseOf(t)
			found := find(t.Context(), c, catalogue)
			c.checkCures(t, found)
			var got, sentences []string
			for _, f := range found {
				got = append(got, strings.TrimSpace(f.ID+" "+f.Subject))
				sentences = append(sentences, f.Sentence)
				if f.Sentence == "" || len(f.Evidence) == 0 || len(f.Cures) == 0 {
					t.Errorf("%s lacks sentence, evidence or cure: %+v", f.ID, f)
				}
			}
			if strings.Join(got, ", ") != row.want {
				t.Fatalf("found %q, want %q\n%s", strings.Join(got, ", "), row.want, strings.Join(sentences, "\n"))
			}
			if row.want != "" && !strings.Contains(sentences[0], row.says) {
				t.Errorf("the finding says %q, want %q in it", sentences[0], row.says)
			}
		})
	}
}

// checkCures holds that the cures that can be tried in the recording make the findings go.
func (c *Case) checkCures(t *testing.T, found []Finding) {
	t.Helper()
	for _, f := range found {
		then := c.cured(t.Context(), f)
		if then == nil {
			continue
		}
		for _, g := range find(t.Context(), then, append(append([]Fault{}, dnsFaults...), webFaults...)) {
			if f.ID == g.ID && f.Subject == g.Subject {
				t.Errorf("after its cures %s is still there: %+v\n%s %q", f.ID, f.Cures, g.Sentence, g.Evidence)
			}
		}
	}
}

func noAnswer(text string) probe.DNSAnswer {
	return probe.DNSAnswer{Failure: &probe.Failure{Kind: probe.NoAnswer, Text: text}}
}

// withoutDocuments removes all that leads to settings, but for the SRV records.
func withoutDocuments(w *world) {
	w.remove("autoconfig.nordlys.example", "autodiscover.nordlys.example")
	for url := range w.pages {
		delete(w.pages, url)
	}
}

func TestDNSFaults(t *testing.T) {
	check(t, []fault{
		{"healthy", func(w *world) {}, "", ""},
		{"D1 no names", withoutDocuments, "D1 autoconfig.nordlys.example",
			"autoconfig.nordlys.example and autodiscover.nordlys.example do not exist"},
		{"no names, document at the web server", func(w *world) {
			w.remove("autoconfig.nordlys.example", "autodiscover.nordlys.example")
		}, "", ""},
		{"no names, document at the provider", func(w *world) {
			withoutDocuments(w)
			w.page("GET https://autoconfig.hoster.example/mail/config-v1.1.xml", 200, mailXML, settingsXML)
			w.record("autoconfig.hoster.example", "A", "203.0.113.80")
		}, "", ""},
		{"names cannot be known", func(w *world) {
			withoutDocuments(w)
			for _, q := range []probe.DNSQuestion{{Name: "autoconfig.nordlys.example", Type: "A"},
				{Name: "autodiscover.nordlys.example", Type: "A"}} {
				w.dns[q] = probe.DNSAnswer{Failure: notAsked}
			}
		}, "", ""},
		{"D2 wildcard", func(w *world) {
			w.remove("autoconfig.nordlys.example", "autodiscover.nordlys.example")
			w.record("*.nordlys.example", "A", "203.0.113.81")
			for _, label := range []string{"autoconfig", "autodiscover", "ua-auto-config"} {
				w.any(label+".nordlys.example", 200, "text/html", htmlPage)
			}
		}, "D2 *.nordlys.example",
			"autoconfig.nordlys.example and autodiscover.nordlys.example exist only through *.nordlys.example"},
		{"wildcard that leads to the service", func(w *world) {
			w.remove("autoconfig.nordlys.example", "autodiscover.nordlys.example")
			w.record("*.nordlys.example", "A", "203.0.113.80")
		}, "", ""},
		{"wildcard that leads to a server with nothing", func(w *world) {
			w.remove("autoconfig.nordlys.example", "autodiscover.nordlys.example")
			w.record("*.nordlys.example", "A", "203.0.113.81")
			w.any("autoconfig.nordlys.example", 404, "text/html", htmlPage)
			w.any("autodiscover.nordlys.example", 404, "text/html", htmlPage)
		}, "", ""},
		{"wildcard beside names of their own", func(w *world) {
			w.record("*.nordlys.example", "A", "203.0.113.81")
		}, "", ""},
		{"wildcard at a service that tells nothing without an address", func(w *world) {
			w.remove("autoconfig.nordlys.example", "autodiscover.nordlys.example")
			w.record("*.nordlys.example", "A", "203.0.113.80")
			w.any("autoconfig.nordlys.example", 404, "text/plain; charset=utf-8", "404 page not found")
		}, "", ""},
		{"D3 CNAME", func(w *world) {
			w.remove("autodiscover.nordlys.example")
			w.record("autodiscover.nordlys.example", "CNAME", "autodiscover.outlook.com.")
			w.record("autodiscover.outlook.com", "A", "203.0.113.9")
			w.any("autodiscover.nordlys.example", 401, "", "")
			w.redirect("GET http://autodiscover.nordlys.example", 302,
				"https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml")
			w.redirect("POST http://autodiscover.nordlys.example", 302,
				"https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml")
			w.record("autodiscover-s.outlook.com", "A", "203.0.113.9")
			w.any("autodiscover-s.outlook.com", 401, "", "")
		}, "D3 autodiscover.nordlys.example",
			"still leads to autodiscover.outlook.com, but the mail of nordlys.example is at hoster.example"},
		{"D3 redirect", func(w *world) {
			w.any("autodiscover.nordlys.example", 404, "text/html", "")
			w.redirect("GET http://autodiscover.nordlys.example", 302,
				"https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml")
			w.record("autodiscover-s.outlook.com", "A", "203.0.113.9")
			w.any("autodiscover-s.outlook.com", 401, "", "")
		}, "D3 autodiscover.nordlys.example", "still sends clients to autodiscover-s.outlook.com"},
		{"CNAME to Microsoft, where the mail is", func(w *world) {
			w.record("nordlys.example", "MX", "0 nordlys-example.mail.protection.outlook.com.")
			w.record("nordlys-example.mail.protection.outlook.com", "A", "203.0.113.9")
			w.remove("autodiscover.nordlys.example")
			w.record("autodiscover.nordlys.example", "CNAME", "autodiscover.outlook.com.")
			w.record("autodiscover.outlook.com", "A", "203.0.113.9")
			w.any("autodiscover.nordlys.example", 404, "text/html", "")
			w.redirect("GET http://autodiscover.nordlys.example", 302,
				"https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml")
		}, "", ""},
		{"CNAME to Microsoft behind a filter", func(w *world) {
			w.record("nordlys.example", "MX", "0 mx1.pphosted.com.")
			w.record("mx1.pphosted.com", "A", "203.0.113.9")
			w.remove("autodiscover.nordlys.example")
			w.record("autodiscover.nordlys.example", "CNAME", "autodiscover.outlook.com.")
			w.record("autodiscover.outlook.com", "A", "203.0.113.9")
		}, "", ""},
		{"CNAME to a service elsewhere", func(w *world) {
			w.remove("autodiscover.nordlys.example")
			w.record("autodiscover.nordlys.example", "CNAME", "setup.signpost.example.")
			w.record("setup.signpost.example", "A", "203.0.113.9")
		}, "", ""},
		{"D4", func(w *world) {
			w.record("_autodiscover._tcp.nordlys.example", "SRV", "0 0 443 cpanelemaildiscovery.cpanel.example.")
			w.record("cpanelemaildiscovery.cpanel.example", "A", "203.0.113.9")
		}, "D4 cpanelemaildiscovery.cpanel.example", "leads to cpanelemaildiscovery.cpanel.example"},
		{"SRV to the provider", func(w *world) {
			w.record("_autodiscover._tcp.nordlys.example", "SRV", "0 0 443 autodiscover.hoster.example.")
			w.record("autodiscover.hoster.example", "A", "203.0.113.9")
		}, "", ""},
		{"D5 at the domain", func(w *world) {
			w.record("nordlys.example", "A")
			w.record("nordlys.example", "CNAME", "www.hoster.example.")
			w.record("www.hoster.example", "A", "203.0.113.80")
		}, "D5 nordlys.example", "CNAME beside other records"},
		{"D6", func(w *world) {
			w.record("imap.hoster.example", "A")
			w.record("imap.hoster.example", "CNAME", "mx1.hoster.example.")
		}, "D6 imap.hoster.example", "is an alias of mx1.hoster.example"},
		{"D7 doubled name", func(w *world) {
			w.record("_imaps._tcp.nordlys.example", "SRV", "0 1 993 imap.hoster.example.nordlys.example.")
		}, "D7 imap.hoster.example.nordlys.example", "the final dot is missing"},
		{"D7 address", func(w *world) {
			w.record("_imaps._tcp.nordlys.example", "SRV", "0 1 993 198.51.100.25.")
		}, "D7 198.51.100.25", "not an address"},
		{"D7 numbers", func(w *world) {
			w.record("_imaps._tcp.nordlys.example", "SRV", `0 1 993 0\0321\032993\032imap.hoster.example.`)
		}, `D7 0\0321\032993\032imap.hoster.example`, "numbers stand in the field"},
		{"target below the domain that does not exist", func(w *world) {
			w.record("_imaps._tcp.nordlys.example", "SRV", "0 1 993 imap.nordlys.example.")
		}, "", ""},
		{"D8", func(w *world) {
			w.record("_imaps._tcp.nordlys.example", "SRV", "0 1 993 imap.hoster.example.",
				"0 9 993 imap2.hoster.example.")
			w.record("imap2.hoster.example", "A", "198.51.100.26")
		}, "D8 _imaps._tcp.nordlys.example", "has 2 SRV records"},
		{"D9 denied", func(w *world) {
			w.record("_imaps._tcp.nordlys.example", "SRV", "0 0 0 .")
		}, "D9 _imaps._tcp.nordlys.example",
			"DNS says that nordlys.example has no IMAP with TLS from the start, yet imap.hoster.example"},
		{"D9 closed", func(w *world) {
			w.record("_imap._tcp.nordlys.example", "SRV", "0 1 143 imap.hoster.example.")
		}, "D9 _imap._tcp.nordlys.example", "announces IMAP on port 143 of imap.hoster.example, where nobody answers"},
		{"D10", func(w *world) { w.remove("_submission._tcp.nordlys.example") },
			"D10 _submission._tcp.nordlys.example", "aerc and Claws Mail find no sending server"},
		{"sending with STARTTLS only", func(w *world) { w.remove("_submissions._tcp.nordlys.example") }, "", ""},
		{"D11", func(w *world) {
			answer := w.DNS(t.Context(), probe.DNSQuestion{Name: "nordlys.example", Type: "MX"})
			w.dns[probe.DNSQuestion{Name: "nordlys.example", Type: "MX", View: probe.Unchecked}] = answer
			for _, recordType := range []string{"MX", "A", "AAAA", "SOA", "NS"} {
				w.dns[probe.DNSQuestion{Name: "nordlys.example", Type: recordType}] = noAnswer("SERVFAIL")
			}
		}, "D11", "DNSSEC signatures of nordlys.example do not fit"},
		{"silent resolver", func(w *world) {
			for _, view := range []probe.View{"", probe.Unchecked} {
				w.dns[probe.DNSQuestion{Name: "nordlys.example", Type: "MX", View: view}] = noAnswer("SERVFAIL")
			}
		}, "", ""},
		{"D12 different", func(w *world) {
			view := probe.View("198.51.100.54")
			w.records[probe.DNSQuestion{Name: "nordlys.example", Type: "SOA", View: view}] = []string{"ns1. root. 6 1 1 1 1"}
			w.records[probe.DNSQuestion{Name: "nordlys.example", Type: "MX", View: view}] = []string{"10 mx.old.example."}
		}, "D12", "ns2.hoster.example answers differently from ns1.hoster.example about nordlys.example"},
		{"D12 silent", func(w *world) {
			w.dns[probe.DNSQuestion{Name: "nordlys.example", Type: "SOA", View: "198.51.100.54"}] = noAnswer("no answer")
		}, "D12 ns2.hoster.example", "ns2.hoster.example gives no answer"},
		{"a zone on its way", func(w *world) {
			w.records[probe.DNSQuestion{Name: "nordlys.example", Type: "SOA", View: "198.51.100.54"}] = []string{"ns1. root. 6 1 1 1 1"}
		}, "", ""},
		{"no name server may be asked", func(w *world) {
			for _, view := range []probe.View{"198.51.100.53", "198.51.100.54"} {
				w.dns[probe.DNSQuestion{Name: "nordlys.example", Type: "SOA", View: view}] = noAnswer("no answer")
			}
		}, "", ""},
		{"D16", func(w *world) {
			withoutDocuments(w)
			w.record("nordlys.example", "MX", "10 mx.filter.example.")
			w.record("mx.filter.example", "A", "203.0.113.7")
			w.record("autoconfig.filter.example", "A", "203.0.113.7")
			w.page("GET https://autoconfig.filter.example/mail/config-v1.1.xml", 200, mailXML,
				strings.ReplaceAll(settingsXML, "hoster.example", "filter.example"))
		}, "D16", "clients find the settings of filter.example, but the mailboxes of nordlys.example are at imap.hoster.example"},
		{"D17 explained by D1", func(w *world) {
			withoutDocuments(w)
			w.record("nordlys.example", "MX", "10 nordlys.example.")
		}, "D1 autoconfig.nordlys.example", ""},
		{"D18 no domain", func(w *world) {
			*w = world{records: map[probe.DNSQuestion][]string{}}
		}, "D18", "nordlys.example does not exist"},
		{"D18 null MX", func(w *world) { w.record("nordlys.example", "MX", "0 .") }, "D18", "receives no mail"},
		{"D18 no MX", func(w *world) { w.record("nordlys.example", "MX") }, "D18", "its mail goes to its web server"},
		{"D19", func(w *world) {
			w.record("ua-auto-config.nordlys.example", "A", "203.0.113.80")
			w.page("GET https://ua-auto-config.nordlys.example/.well-known/user-agent-configuration.json", 200,
				"application/json", paccJSON)
			w.record("_ua-auto-config.nordlys.example", "TXT", `"v=UAAC1; a=sha256; d=AAAA"`)
		}, "D19 _ua-auto-config.nordlys.example", "another document"},
		{"right digest", func(w *world) {
			w.record("ua-auto-config.nordlys.example", "A", "203.0.113.80")
			w.page("GET https://ua-auto-config.nordlys.example/.well-known/user-agent-configuration.json", 200,
				"application/json", paccJSON)
			w.record("_ua-auto-config.nordlys.example", "TXT", `"v=UAAC1; a=sha256; d=AAAA"`,
				dns.Quote(digest(paccJSON)))
		}, "", ""},
		{"D20", func(w *world) {
			w.each("autoconfig.nordlys.example", func(a *probe.WebAnswer) {
				if a.TLS != nil {
					a.TLS.Problems = []probe.Problem{probe.Expired}
				}
			})
			w.record("nordlys.example", "CAA", `0 issue "digicert.com"`)
		}, "D20 autoconfig.nordlys.example", "can get no certificate from letsencrypt.org"},
		{"CAA allows it", func(w *world) {
			w.each("autoconfig.nordlys.example", func(a *probe.WebAnswer) {
				if a.TLS != nil {
					a.TLS.Problems = []probe.Problem{probe.Expired}
				}
			})
			w.record("nordlys.example", "CAA", `0 issue "letsencrypt.org"`)
		}, "", ""},
		{"D21", func(w *world) {
			w.records[probe.DNSQuestion{Name: "nordlys.example", Type: "SOA"}] = []string{"ns1. root. 6 1 1 1 1"}
			for _, view := range []probe.View{"198.51.100.53", "198.51.100.54"} {
				w.records[probe.DNSQuestion{Name: "nordlys.example", Type: "MX", View: view}] = []string{"10 mx9.hoster.example."}
			}
		}, "D21 nordlys.example", "resolvers still have the old answer; resolvers forget it within 60 min"},
	})
}
