package records

import (
	"encoding/json"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/dns/dnstest"
)

// world holds the zones around the customer's domain.
var world = map[string]string{
	"example.net": `
setup 300 IN A 192.0.2.10
setup 300 IN AAAA 2001:db8::10
alias 300 IN CNAME setup
mail 300 IN A 192.0.2.11
dav 300 IN A 192.0.2.12
jmap 300 IN A 192.0.2.13
cloud 300 IN CNAME mail
`,
	"outlook.com":   "autodiscover 300 IN A 192.0.2.30\n",
	"other.example": "mail 300 IN A 192.0.2.40\n",
}

// startWorld serves the customer's zone and those of world, and returns the address
// of the name server.
func startWorld(t testing.TB, zone string, change func(*internet)) string {
	t.Helper()
	zones := map[string]string{"kund.example": zone}
	for apex, text := range world {
		zones[apex] = text
	}
	n := newInternet(t, zones)
	if change != nil {
		change(n)
	}
	return dnstest.StartServer(t, n.ServeDNS)
}

// comparerFor returns a comparer for the customer's zone amid those of world. It asks
// the zone's own servers, or the resolver.
func comparerFor(t testing.TB, zone string, own bool, change func(*internet)) *Comparer {
	t.Helper()
	return newTestComparer(t, startWorld(t, zone, change), own, time.Second)
}

const customer = "kund.example"

// wholeDomain returns a domain with every kind of record and an IMAP host of its own.
func wholeDomain() Domain {
	servers := slices.Clone(everyServer)
	servers[0].Hostname = "mail.%EMAILDOMAIN%"
	servers[5].URL = "https://dav.example.net/dav/"
	return New(Options{Name: "setup.example.net"}).For(settingsFor(customer, servers...))
}

func ordinaryDomain() Domain {
	return New(Options{Name: "setup.example.net"}).For(settingsFor(customer, everyServer[0], everyServer[3]))
}

func handedOverDomain() Domain {
	s := settingsFor(customer, everyServer[0], everyServer[3])
	s.Provider.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: "autodiscover-s.outlook.com"}
	return New(Options{Name: "setup.example.net"}).For(s)
}

// addressDomain returns a domain that leads to addresses instead of the service's name.
func addressDomain() Domain {
	g := New(Options{Name: "setup.example.net", Addresses: addresses("192.0.2.10", "2001:db8::10")})
	return g.For(settingsFor(customer, everyServer[0]))
}

// zoneOf returns the text of a zone with all records that the domain should have,
// and some that do not concern Signpost.
func zoneOf(t testing.TB, d Domain) string {
	return string(printed(t, "zone", d)) + `
kund.example. 300 IN MX 10 mail.kund.example.
kund.example. 300 IN A 192.0.2.80
kund.example. 300 IN TXT "v=spf1 -all"
mail.kund.example. 300 IN A 192.0.2.81
_caldavs._tcp.kund.example. 300 IN TXT "something else"
_ua-auto-config.kund.example. 300 IN TXT "not a digest"
`
}

func replace(old, with string) func(string) string {
	return func(zone string) string {
		changed := regexp.MustCompile(`(?m)`+old).ReplaceAllString(zone, with)
		if changed == zone {
			panic("no line of the zone matches " + old)
		}
		return changed
	}
}

func with(lines string) func(string) string {
	return func(zone string) string { return zone + lines + "\n" }
}

// planted lists zones with one fault each and the finding that Compare must return.
var planted = []struct {
	name   string
	domain func() Domain
	plant  func(zone string) string
	kind   Kind
	want   string // Finding.Problem
	remove []string
	put    []string
	kept   bool // the finding lists no change that removes the fault
}{
	{name: "missing", plant: replace(`^autodiscover\.kund.*\n`, ""), kind: Missing,
		want: "autodiscover.kund.example is missing, where Outlook, phones and Thunderbird ask for autodiscover.xml and .json",
		put:  []string{"autodiscover.kund.example. 3600 IN CNAME setup.example.net."}},
	{name: "service missing", plant: replace(`^_submissions.*\n`, ""), kind: Missing,
		want: "_submissions._tcp.kund.example is missing, where FairEmail and Evolution look for sending over TLS",
		put:  []string{"_submissions._tcp.kund.example. 3600 IN SRV 0 1 465 mail.example.net."}},
	{name: "denial of a service missing", plant: replace(`^_pop3\._tcp.*\n`, ""), kind: Missing,
		want: "_pop3._tcp.kund.example is missing: it says that there is no POP3 with STARTTLS here",
		put:  []string{"_pop3._tcp.kund.example. 3600 IN SRV 0 0 0 ."}},
	{name: "digest missing", domain: func() Domain {
		return fixed("v=UAAC1; a=sha256; d=b25l").For(settingsFor(customer, everyServer[0], everyServer[3]))
	}, plant: replace(`^_ua-auto-config.*UAAC1.*\n`, ""), kind: Missing,
		want: "_ua-auto-config.kund.example is missing: it vouches for user-agent-configuration.json by its SHA-256 digest",
		put:  []string{`_ua-auto-config.kund.example. 3600 IN TXT "v=UAAC1; a=sha256; d=b25l"`}},
	{name: "leads elsewhere", plant: replace(`^autoconfig\.(.*) CNAME \S+`, "autoconfig.$1 A 192.0.2.80"), kind: Different,
		want:   "autoconfig.kund.example leads to 192.0.2.80 instead of setup.example.net",
		remove: []string{"autoconfig.kund.example. 3600 IN A 192.0.2.80"},
		put:    []string{"autoconfig.kund.example. 3600 IN CNAME setup.example.net."}},
	{name: "one address missing", domain: addressDomain, plant: replace(`^autoconfig.* AAAA .*\n`, ""), kind: Different,
		want:   "autoconfig.kund.example leads to 192.0.2.10 instead of 192.0.2.10, 2001:db8::10",
		remove: []string{"autoconfig.kund.example. 3600 IN A 192.0.2.10"},
		put: []string{"autoconfig.kund.example. 3600 IN A 192.0.2.10",
			"autoconfig.kund.example. 3600 IN AAAA 2001:db8::10"}},
	{name: "an address of somebody else beside that of the service",
		plant: replace(`^autoconfig\.(.*) 3600 IN CNAME .*`,
			"autoconfig.$1 300 IN A 192.0.2.10\nautoconfig.$1 300 IN AAAA 2001:db8::bad"), kind: Harmful,
		want: "autoconfig.kund.example also leads to 2001:db8::bad, which is not this service: clients go there, too, " +
			"and authorities that check the name there issue no certificate",
		remove: []string{"autoconfig.kund.example. 300 IN AAAA 2001:db8::bad"}},
	{name: "an address of somebody else in place of one", domain: addressDomain,
		plant: replace(`^autoconfig(.*) AAAA .*\n`, "autoconfig.kund.example. 300 IN AAAA 2001:db8::bad\n"), kind: Harmful,
		want: "autoconfig.kund.example also leads to 2001:db8::bad, which is not this service: clients go there, too, " +
			"and authorities that check the name there issue no certificate",
		remove: []string{"autoconfig.kund.example. 300 IN AAAA 2001:db8::bad"},
		put:    []string{"autoconfig.kund.example. 3600 IN AAAA 2001:db8::10"}},
	{name: "wildcard address", plant: func(zone string) string {
		return replace(`^autoconfig\.kund.*\n`, "")(zone) + "*.kund.example. 300 IN A 192.0.2.80\n"
	}, kind: Harmful,
		want: "autoconfig.kund.example is swallowed by the wildcard *.kund.example, which leads clients to 192.0.2.80",
		put:  []string{"autoconfig.kund.example. 3600 IN CNAME setup.example.net."}},
	{name: "wildcard alias", domain: func() Domain {
		return New(Options{Name: "setup.example.net"}).For(settingsFor(customer, everyServer[0]))
	}, plant: func(zone string) string {
		return replace(`^autoconfig\.kund.*\n`, "")(zone) + "*.kund.example. 300 IN CNAME mail.other.example.\n"
	}, kind: Harmful,
		want: "autoconfig.kund.example is swallowed by the wildcard *.kund.example, which leads clients to mail.other.example",
		put:  []string{"autoconfig.kund.example. 3600 IN CNAME setup.example.net."}},
	{name: "two _autodiscover records",
		plant: with("_autodiscover._tcp.kund.example. 300 IN SRV 0 0 443 mail.other.example."), kind: Harmful,
		want:   "_autodiscover._tcp.kund.example has 2 records, of which Thunderbird and Outlook choose differently",
		remove: []string{"_autodiscover._tcp.kund.example. 300 IN SRV 0 0 443 mail.other.example."}},
	{name: "SRV to a CNAME",
		plant: replace(`^mail\.kund.example\. 300 IN A .*`, "mail.kund.example. 300 IN CNAME mail.example.net."), kind: Harmful,
		want:   "_imaps._tcp.kund.example leads to mail.kund.example, which is a CNAME: some clients refuse that (RFC 2782)",
		remove: []string{"mail.kund.example. 3600 IN CNAME mail.example.net."},
		put:    []string{"mail.kund.example. 3600 IN A 192.0.2.11"}},
	{name: "leftover record beside the right one",
		plant: with("_imaps._tcp.kund.example. 300 IN SRV 0 1 993 mail.other.example."), kind: Harmful,
		want:   "_imaps._tcp.kund.example also leads to mail.other.example port 993, where some clients would look for the mailbox",
		remove: []string{"_imaps._tcp.kund.example. 300 IN SRV 0 1 993 mail.other.example."}},
	{name: "leftover record instead of the right one",
		plant: replace(`^(_imaps.*) SRV .*? ;`, "$1 SRV 0 1 993 mail.other.example. ;"), kind: Different,
		want:   "_imaps._tcp.kund.example leads to mail.other.example port 993 instead of mail.kund.example port 993",
		remove: []string{"_imaps._tcp.kund.example. 3600 IN SRV 0 1 993 mail.other.example."},
		put:    []string{"_imaps._tcp.kund.example. 3600 IN SRV 0 1 993 mail.kund.example."}},
	{name: "superfluous service", domain: ordinaryDomain,
		plant: with("_sieve._tcp.kund.example. 300 IN SRV 0 1 4190 mail.example.net."), kind: Superfluous,
		want:   "_sieve._tcp.kund.example leads to mail.example.net port 4190, which does not offer the service",
		remove: []string{"_sieve._tcp.kund.example. 300 IN SRV 0 1 4190 mail.example.net."}},
	{name: "CNAME beside an address", plant: with("autodiscover.kund.example. 300 IN A 192.0.2.80"), kind: Harmful,
		want: "autodiscover.kund.example has a CNAME beside other data, which servers and resolvers treat as they like",
		remove: []string{"autodiscover.kund.example. 3600 IN CNAME setup.example.net.",
			"autodiscover.kund.example. 300 IN A 192.0.2.80"},
		put: []string{"autodiscover.kund.example. 3600 IN CNAME setup.example.net."}},
	{name: "CNAME beside a text", plant: with(`autoconfig.kund.example. 300 IN TXT "x"`), kind: Harmful,
		want:   "autoconfig.kund.example has a CNAME beside other data, which servers and resolvers treat as they like",
		remove: []string{`autoconfig.kund.example. 300 IN TXT "x"`}},
	{name: "wrong port", plant: replace(`^(_submissions.*) 465 `, "$1 587 "), kind: Different,
		want:   "_submissions._tcp.kund.example leads to mail.example.net port 587 instead of mail.example.net port 465",
		remove: []string{"_submissions._tcp.kund.example. 3600 IN SRV 0 1 587 mail.example.net."},
		put:    []string{"_submissions._tcp.kund.example. 3600 IN SRV 0 1 465 mail.example.net."}},
	{name: "record of a service that is not offered",
		plant: replace(`^(_pop3\._tcp.*) SRV .*? ;`, "$1 SRV 0 1 110 mail.example.net. ;"), kind: Harmful,
		want:   "_pop3._tcp.kund.example leads to mail.example.net port 110, though the service is not offered",
		remove: []string{"_pop3._tcp.kund.example. 3600 IN SRV 0 1 110 mail.example.net."},
		put:    []string{"_pop3._tcp.kund.example. 3600 IN SRV 0 0 0 ."}},
	{name: "denial of a service that is offered", plant: replace(`^(_pop3s\._tcp.*) SRV .*? ;`, "$1 SRV 0 0 0 . ;"),
		kind:   Different,
		want:   "_pop3s._tcp.kund.example leads to nowhere instead of mail.example.net port 995",
		remove: []string{"_pop3s._tcp.kund.example. 3600 IN SRV 0 0 0 ."},
		put:    []string{"_pop3s._tcp.kund.example. 3600 IN SRV 10 1 995 mail.example.net."}},
	{name: "POP3 preferred", plant: replace(`^(_imaps._tcp.*) SRV 0 `, "$1 SRV 20 "), kind: Different,
		want: "_pop3s._tcp.kund.example has clients prefer it to _imaps._tcp, which the provider prefers",
		remove: []string{"_imaps._tcp.kund.example. 3600 IN SRV 20 1 993 mail.kund.example.",
			"_pop3s._tcp.kund.example. 3600 IN SRV 10 1 995 mail.example.net."},
		put: []string{"_imaps._tcp.kund.example. 3600 IN SRV 0 1 993 mail.kund.example.",
			"_pop3s._tcp.kund.example. 3600 IN SRV 10 1 995 mail.example.net."}},
	{name: "host without address", plant: replace(`^mail\.kund.example\. 300 IN A .*\n`, ""), kind: Harmful,
		want: "_imaps._tcp.kund.example leads to mail.kund.example, which has no address", kept: true},
	{name: "stale digest", plant: replace(`^(_ua-auto-config.* TXT) "v=.*?" ;`, `$1 "v=UAAC1; a=sha256; d=b2xk" ;`),
		kind:   Different,
		want:   "_ua-auto-config.kund.example vouches for another document than the one that is served, which clients then refuse",
		remove: []string{`_ua-auto-config.kund.example. 3600 IN TXT "v=UAAC1; a=sha256; d=b2xk"`}},
	{name: "three digests", plant: with("_ua-auto-config.kund.example. 300 IN TXT \"v=UAAC1; a=sha256; d=b2xk\"\n" +
		"_ua-auto-config.kund.example. 300 IN TXT \"v=UAAC1; a=sha256; d=b2xkZXI=\""), kind: Superfluous,
		want: "_ua-auto-config.kund.example vouches for documents that were replaced",
		remove: []string{`_ua-auto-config.kund.example. 300 IN TXT "v=UAAC1; a=sha256; d=b2xk"`,
			`_ua-auto-config.kund.example. 300 IN TXT "v=UAAC1; a=sha256; d=b2xkZXI="`}},
	{name: "digest of a document that does not exist", domain: func() Domain {
		return New(Options{Name: "setup.example.net"}).For(settingsFor(customer, everyServer[1]))
	}, plant: with(`_ua-auto-config.kund.example. 300 IN TXT "v=UAAC1; a=sha256; d=b2xk"`), kind: Superfluous,
		want:   "_ua-auto-config.kund.example vouches for a document that there is not",
		remove: []string{`_ua-auto-config.kund.example. 300 IN TXT "v=UAAC1; a=sha256; d=b2xk"`}},
	{name: "PACC host of a document that does not exist", domain: func() Domain {
		return New(Options{Name: "setup.example.net"}).For(settingsFor(customer, everyServer[1]))
	}, plant: with(`ua-auto-config.kund.example. 300 IN CNAME setup.example.net.`), kind: Superfluous,
		want:   "ua-auto-config.kund.example is there, but there is nothing to ask for",
		remove: []string{`ua-auto-config.kund.example. 300 IN CNAME setup.example.net.`}},
	{name: "wrong path", plant: replace(`"path=/dav/calendars/"`, `"path=/old/"`), kind: Different,
		want:   "_caldavs._tcp.kund.example says path=/old/ instead of path=/dav/calendars/",
		remove: []string{`_caldavs._tcp.kund.example. 3600 IN TXT "path=/old/"`},
		put:    []string{`_caldavs._tcp.kund.example. 3600 IN TXT "path=/dav/calendars/"`}},
	{name: "no path", plant: replace(`^_caldavs.*"path=.*\n`, ""), kind: Missing,
		want: "_caldavs._tcp.kund.example is missing, the path on that server (RFC 6764)",
		put:  []string{`_caldavs._tcp.kund.example. 3600 IN TXT "path=/dav/calendars/"`}},
	{name: "two paths", plant: with(`_caldavs._tcp.kund.example. 300 IN TXT "path=/old/"`), kind: Harmful,
		want: "_caldavs._tcp.kund.example has several paths, of which clients take any",
		remove: []string{`_caldavs._tcp.kund.example. 3600 IN TXT "path=/dav/calendars/"`,
			`_caldavs._tcp.kund.example. 300 IN TXT "path=/old/"`},
		put: []string{`_caldavs._tcp.kund.example. 3600 IN TXT "path=/dav/calendars/"`}},
	{name: "path of a service that is not offered", domain: ordinaryDomain,
		plant: with(`_carddavs._tcp.kund.example. 300 IN TXT "path=/old/"`), kind: Superfluous,
		want:   "_carddavs._tcp.kund.example has a path, but there is no such service or it needs none",
		remove: []string{`_carddavs._tcp.kund.example. 300 IN TXT "path=/old/"`}},
	{name: "handed over, but the CNAME still leads to the service", domain: handedOverDomain,
		plant: replace(`^(autodiscover.*) CNAME \S+`, "$1 CNAME setup.example.net."), kind: Different,
		want:   "autodiscover.kund.example leads to setup.example.net instead of autodiscover.outlook.com",
		remove: []string{"autodiscover.kund.example. 3600 IN CNAME setup.example.net."},
		put:    []string{"autodiscover.kund.example. 3600 IN CNAME autodiscover.outlook.com."}},
	{name: "handed over, but the SRV record leads elsewhere", domain: handedOverDomain,
		plant: with("_autodiscover._tcp.kund.example. 300 IN SRV 0 1 443 old.other.example."), kind: Harmful,
		want:   "_autodiscover._tcp.kund.example still leads to old.other.example port 443, which is not where the mailboxes are",
		remove: []string{"_autodiscover._tcp.kund.example. 300 IN SRV 0 1 443 old.other.example."}},
}

// TestCompareFinds plants one fault at a time, asks the domain's own servers and a
// resolver, and then makes the changes of the finding. No fault may remain.
func TestCompareFinds(t *testing.T) {
	for _, test := range planted {
		t.Run(test.name, func(t *testing.T) {
			domain := wholeDomain()
			if test.domain != nil {
				domain = test.domain()
			}
			zone := test.plant(zoneOf(t, domain))
			for _, own := range []bool{true, false} {
				got := comparerFor(t, zone, own, nil).Compare(t.Context(), domain)
				if got.Error != "" || len(got.Findings) != 1 || !got.Wrong() {
					t.Fatalf("Compare(own servers: %v) = %v, error %q; want one finding", own, got, got.Error)
				}
				f := got.Findings[0]
				if f.Kind != test.kind || f.Problem != test.want {
					t.Errorf("Compare(own servers: %v) found %s: %s\nwant %s: %s",
						own, f.Kind, f.Problem, test.kind, test.want)
				}
				if diff := cmp.Diff(test.remove, f.Remove); diff != "" {
					t.Errorf("records to remove (-want +got):\n%s", diff)
				}
				if put := f.Put; test.name == "stale digest" && len(put) == 1 {
					// The golden files hold the current digest.
				} else if diff := cmp.Diff(test.put, put); diff != "" {
					t.Errorf("records to add (-want +got):\n%s", diff)
				}
				if test.kept {
					continue
				}
				if left := comparerFor(t, cure(zone, f), own, nil).Compare(t.Context(), domain); left.Wrong() {
					t.Errorf("Compare(own servers: %v) after the changes of the finding = %v, want nothing wrong",
						own, left)
				}
			}
		})
	}
}

// cure makes the changes that a finding lists.
func cure(zone string, f Finding) string {
	var kept []string
	for line := range strings.Lines(zone) {
		if !slices.ContainsFunc(f.Remove, func(remove string) bool {
			line, _, _ := strings.Cut(line, " ;")
			return withoutTTL(line) == withoutTTL(remove)
		}) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "") + strings.Join(f.Put, "\n") + "\n"
}

func withoutTTL(line string) string {
	fields := strings.Fields(line)
	if len(fields) > 2 {
		fields = slices.Delete(fields, 1, 2)
	}
	return strings.Join(fields, " ")
}

// TestCompareFindsNothing checks that zones without a fault cause no finding.
func TestCompareFindsNothing(t *testing.T) {
	unchanged := func(zone string) string { return zone }
	for _, test := range []struct {
		name   string
		domain func() Domain
		change func(string) string
	}{
		{"exactly the desired records", wholeDomain, unchanged},
		{"ordinary", ordinaryDomain, unchanged},
		{"handed over", handedOverDomain, unchanged},
		{"another weight", wholeDomain, replace(`SRV 0 1 465`, "SRV 0 0 465")},
		{"other priorities in the same order", wholeDomain, replace(`SRV 10 1 995`, "SRV 5 1 995")},
		{"upper case", wholeDomain, replace(`setup\.example\.net\.`, "SETUP.Example.NET.")},
		{"addresses instead of CNAME", wholeDomain,
			replace(`^autoconfig.* CNAME \S+(.*)`,
				"autoconfig.kund.example. 60 IN A 192.0.2.10$1\nautoconfig.kund.example. 60 IN AAAA 2001:db8::10")},
		{"one of the addresses", wholeDomain,
			replace(`^autoconfig.* CNAME \S+(.*)`, "autoconfig.kund.example. 60 IN A 192.0.2.10$1")},
		{"CNAME of a CNAME", wholeDomain, replace(`^(autoconfig.*) CNAME \S+`, "$1 CNAME alias.example.net.")},
		{"the digest before the last change", wholeDomain,
			with(`_ua-auto-config.kund.example. 300 IN TXT "v=UAAC1; a=sha256; d=b2xk"`)},
		{"the digest in another spelling", wholeDomain,
			replace(`TXT "v=UAAC1; a=sha256; d=(.*?)"`, `TXT "d=$1 ;x=y;" "v=UAAC1;a=sha256;"`)},
		{"a wildcard beside explicit records", wholeDomain, with("*.kund.example. 300 IN A 192.0.2.80")},
		{"a wildcard where nothing is wanted", ordinaryDomain, with("*.kund.example. 300 IN A 192.0.2.80")},
		{"a wildcard that leads to the service", wholeDomain, func(zone string) string {
			zone = replace(`^(autoconfig|autodiscover|ua-auto-config)\.kund.*\n`, "")(zone)
			return zone + "*.kund.example. 300 IN A 192.0.2.10\n"
		}},
		{"handed over, the SRV record as well", handedOverDomain,
			with("_autodiscover._tcp.kund.example. 300 IN SRV 0 0 443 autodiscover.outlook.com.")},
		{"handed over, the SRV record to its other name", handedOverDomain,
			with("_autodiscover._tcp.kund.example. 300 IN SRV 0 0 443 Autodiscover-S.outlook.com.")},
		{"addresses of a CNAME", addressDomain,
			replace(`^autoconfig.* A .*\nautoconfig.* AAAA .*`, "autoconfig.kund.example. 60 IN CNAME setup.example.net.")},
		{"denial of a service that is not offered", ordinaryDomain, with("_sieve._tcp.kund.example. 300 IN SRV 0 0 0 .")},
		{"the service's name is not configured", func() Domain {
			return New(Options{}).For(settingsFor(customer, everyServer[0]))
		},
			with("autoconfig.kund.example. 300 IN A 192.0.2.80\n" +
				"_autodiscover._tcp.kund.example. 300 IN SRV 0 0 443 x.other.example.")},
	} {
		t.Run(test.name, func(t *testing.T) {
			domain := test.domain()
			zone := test.change(zoneOf(t, domain))
			for _, own := range []bool{true, false} {
				got := comparerFor(t, zone, own, nil).Compare(t.Context(), domain)
				if len(got.Findings) > 0 || got.Error != "" || got.Wrong() {
					t.Errorf("Compare(own servers: %v) = %v, want no findings", own, got)
				}
			}
		})
	}
}

// TestCompareWarns has faults that whoever runs the domain cannot fix.
func TestCompareWarns(t *testing.T) {
	atCloud := everyServer[0]
	atCloud.Hostname = "cloud.example.net"
	gone := everyServer[3]
	gone.Hostname = "gone.example.net"
	domain := New(Options{Name: "gone.example.net"}).For(settingsFor(customer, atCloud, gone))
	got := comparerFor(t, zoneOf(t, domain), true, nil).Compare(t.Context(), domain)
	want := `kund.example: warning: autoconfig.kund.example leads to gone.example.net, which has no address
kund.example: warning: autodiscover.kund.example leads to gone.example.net, which has no address
kund.example: warning: ua-auto-config.kund.example leads to gone.example.net, which has no address
kund.example: warning: _autodiscover._tcp.kund.example leads to gone.example.net, which has no address
kund.example: warning: _imaps._tcp.kund.example leads to cloud.example.net, which is a CNAME: some clients refuse that (RFC 2782)
kund.example: warning: _submissions._tcp.kund.example leads to gone.example.net, which has no address
`
	if diff := cmp.Diff(want, got.String()); diff != "" || got.Wrong() {
		t.Errorf("Compare: Wrong() = %v, want false; findings (-want +got):\n%s", got.Wrong(), diff)
	}
}

// TestCompareSilence has true records of services of which the configuration says
// nothing: they are nowhere called wrong.
func TestCompareSilence(t *testing.T) {
	silent := func() Domain {
		s := settingsFor(customer)
		s.Provider.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: "mail.other.example"}
		return New(Options{Name: "setup.example.net"}).For(s)
	}
	for _, test := range []struct {
		name    string
		domain  func() Domain
		records string
		want    string // the whole output
	}{
		{"mail of a service that Autodiscover is handed over to", silent,
			"_imaps._tcp.kund.example. 300 IN SRV 0 1 993 mail.other.example.\n" +
				"_submission._tcp.kund.example. 300 IN SRV 0 1 587 mail.other.example.", ""},
		{"its names for other clients", silent, "autoconfig.kund.example. 300 IN A 192.0.2.40\n" +
			"ua-auto-config.kund.example. 300 IN A 192.0.2.40\n" +
			`_ua-auto-config.kund.example. 300 IN TXT "v=UAAC1; a=sha256; d=b2xk"`, ""},
		{"address books", ordinaryDomain, "_carddavs._tcp.kund.example. 300 IN SRV 0 1 443 mail.other.example.\n" +
			`_carddavs._tcp.kund.example. 300 IN TXT "path=/dav/"`,
			"kund.example: warning: _carddavs._tcp.kund.example leads to mail.other.example port 443, " +
				"of which the configuration says nothing: remove it unless the service is there\n"},
	} {
		domain := test.domain()
		zone := zoneOf(t, domain) + test.records + "\n"
		got := comparerFor(t, zone, true, nil).Compare(t.Context(), domain)
		if diff := cmp.Diff(test.want, got.String()); diff != "" || got.Wrong() {
			t.Errorf("%s: Compare: Wrong() = %v, want false; findings (-want +got):\n%s", test.name, got.Wrong(), diff)
		}
	}
}

// TestCompareStraight has a record that leads to the other service itself, where the one
// that leads to a redirect is better.
func TestCompareStraight(t *testing.T) {
	s := settingsFor(customer, everyServer[0], everyServer[3])
	s.Provider.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: "mail.other.example"}
	domain := New(Options{Name: "setup.example.net"}).For(s)
	zone := replace(`^(autodiscover.*) CNAME \S+`, "$1 CNAME mail.other.example.")(zoneOf(t, domain))
	const want = "kund.example: warning: autodiscover.kund.example leads straight to mail.other.example, " +
		"whose certificate needs this name for clients that ask by HTTPS alone\n" +
		"  + autodiscover.kund.example. 3600 IN CNAME setup.example.net.\n"
	got := comparerFor(t, zone, true, nil).Compare(t.Context(), domain)
	if diff := cmp.Diff(want, got.String()); diff != "" || got.Wrong() {
		t.Errorf("Compare: Wrong() = %v, want false; findings (-want +got):\n%s", got.Wrong(), diff)
	}
}

func TestCompareBrokenDNS(t *testing.T) {
	domain := wholeDomain()
	for _, own := range []bool{true, false} {
		c := comparerFor(t, zoneOf(t, domain), own, func(n *internet) { n.servfail = "_imaps._tcp.kund.example." })
		got := c.Compare(t.Context(), domain)
		if got.Error != "" || len(got.Findings) != 1 || got.Findings[0].Kind != Harmful ||
			!strings.HasPrefix(got.Findings[0].Problem,
				"_imaps._tcp.kund.example cannot be looked up, and clients wait in vain: "+
					"SRV of _imaps._tcp.kund.example: 127.0.0.1:") ||
			!strings.HasSuffix(got.Findings[0].Problem, " answers SERVFAIL") {
			t.Errorf("Compare(own servers: %v) with SERVFAIL at one name = %v, want one finding", own, got)
		}
		c = comparerFor(t, zoneOf(t, domain), own, func(n *internet) { n.servfail = "mail.example.net." })
		got = c.Compare(t.Context(), domain)
		if got.Error != "" || got.Wrong() || len(got.Findings) != 4 ||
			!strings.Contains(got.Findings[0].Problem, "leads to mail.example.net, which cannot be looked up: ") {
			t.Errorf("Compare(own servers: %v) with SERVFAIL at the provider's host = %v, want 4 warnings", own, got)
		}
		c = comparerFor(t, zoneOf(t, domain), own, func(n *internet) { n.servfail = "*.kund.example." })
		got = c.Compare(t.Context(), domain)
		if got.Error == "" || len(got.Findings) > 0 || !got.Wrong() ||
			!strings.HasSuffix(got.Error, " answers SERVFAIL") {
			t.Errorf("Compare(own servers: %v) with SERVFAIL at all names = %v, want that error", own, got)
		}
		c = comparerFor(t, zoneOf(t, domain), own, func(n *internet) { n.silent.Store(true) })
		got = c.Compare(t.Context(), domain)
		if got.Error == "" || !got.Wrong() || !strings.Contains(got.Error, "does not answer") {
			t.Errorf("Compare(own servers: %v) with a silent server = %v, want an error", own, got)
		}
		nowhere := Domain{Name: "nowhere.kund.example", Records: domain.Records[:1]}
		got = comparerFor(t, zoneOf(t, domain), own, nil).Compare(t.Context(), nowhere)
		const want = "nowhere.kund.example does not exist in DNS, so that no client finds anything: " +
			"register it and create its zone"
		if len(got.Findings) != 1 || got.Findings[0].Problem != want || len(got.Findings[0].Put) != 1 || !got.Wrong() {
			t.Errorf("Compare(own servers: %v) of a domain that does not exist = %v, want the finding %q",
				own, got, want)
		}
	}
	// The domain's own servers answer only with a referral for one of the names.
	c := comparerFor(t, zoneOf(t, domain), true, func(n *internet) { n.delegated = "_tcp.kund.example." })
	if got := c.Compare(t.Context(), domain); got.Wrong() {
		t.Errorf("Compare with _tcp delegated = %v, want nothing wrong", got)
	}
}

// TestCompareHostileServers has domains whose owners want to keep us waiting: with
// many silent name servers, or with hosts of name servers that cannot be looked up.
func TestCompareHostileServers(t *testing.T) {
	domain := ordinaryDomain()
	var silent, lost strings.Builder
	for i := range 40 {
		fmt.Fprintf(&silent, "@ 300 IN NS ns%d\nns%d 300 IN A 127.9.0.%d\n", i, i, i+1)
		fmt.Fprintf(&lost, "@ 300 IN NS ns%d.lost.example.\n", i)
	}
	for name, zone := range map[string]string{"silent servers": silent.String(), "lost hosts": lost.String()} {
		server := startWorld(t, zone+zoneOf(t, domain), func(n *internet) {
			n.mute = ".lost.example."
			n.unserved = name == "silent servers"
		})
		_, port, _ := net.SplitHostPort(server)
		c := newTestComparer(t, server, true, 250*time.Millisecond)
		if name == "silent servers" {
			// The servers accept packets at this port and never answer.
			for i := range 40 {
				packets, err := net.ListenPacket("udp", fmt.Sprintf("127.9.0.%d:%s", i+1, port))
				if err != nil {
					t.Fatal(err)
				}
				defer packets.Close()
			}
		}
		begin := time.Now()
		got := c.Compare(t.Context(), domain)
		// Asking all 40 in turn would take 500 ms or more for each.
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%s: Compare took %v, want at most 10 s", name, took)
		}
		if got.Error == "" || !strings.Contains(got.Error, "does not answer") {
			t.Errorf("%s: Compare = %v, want the error that a server does not answer", name, got)
		}
	}
}

// TestCompareMany compares many domains in parallel. The results come in order, and
// the comparison ends when the caller stops reading.
func TestCompareMany(t *testing.T) {
	zones := map[string]string{}
	for apex, text := range world {
		zones[apex] = text
	}
	var domains []Domain
	for i := range 60 {
		d := New(Options{Name: "setup.example.net"}).For(settingsFor(fmt.Sprintf("k%02d.example", i), everyServer[0]))
		domains = append(domains, d)
		zones[d.Name] = string(printed(t, "zone", d))
		if i%10 == 3 {
			zones[d.Name] = ""
		}
	}
	n := newInternet(t, zones)
	n.servfail = "k07.example."
	server := dnstest.StartServer(t, n.ServeDNS)
	c := newTestComparer(t, server, true, time.Second)

	var names []string
	var summary Summary
	for got := range Parallel(t.Context(), slices.Values(domains), 7, c.Compare) {
		names = append(names, got.Domain)
		summary.Add(got)
	}
	if !slices.IsSorted(names) || len(names) != 60 {
		t.Errorf("Parallel returned the domains %v, want all 60 in order", names)
	}
	if want := "60 domains: 53 right, 6 wrong with 54 findings, 1 could not be compared"; summary.String() != want {
		t.Errorf("summary %q, want %q", summary, want)
	}
	before := n.queries.Load()
	for range Parallel(t.Context(), slices.Values(domains), 2, c.Compare) {
		break
	}
	if count := n.queries.Load() - before; count > 60*10 {
		t.Errorf("Parallel sent %d queries though the caller stopped after the first domain, want at most %d",
			count, 60*10)
	}
}

func TestComparisonJSON(t *testing.T) {
	for want, c := range map[string]Comparison{
		`{"domain":"a.test","findings":[],"error":"does not answer"}`: {
			Domain: "a.test", Findings: []Finding{}, Error: "does not answer"},
		`{"domain":"a.test","findings":[{"kind":"missing","name":"x.a.test","problem":"why","put":["line"]}]}`: {
			Domain: "a.test", Findings: []Finding{{Kind: Missing, Name: "x.a.test", Problem: "why", Put: []string{"line"}}}},
	} {
		got, err := json.Marshal(c)
		if err != nil || string(got) != want {
			t.Errorf("json.Marshal(%v) = %s, %v\nwant %s", c, got, err, want)
		}
	}
}

func TestSummary(t *testing.T) {
	var s Summary
	check := func(want string) {
		t.Helper()
		if s.String() != want {
			t.Errorf("summary %q, want %q", s, want)
		}
	}
	check("0 domains: 0 right")
	s.Add(Comparison{Findings: []Finding{{Warning: true}}})
	check("1 domain: 1 right, 1 warning")
	s.Add(Comparison{Findings: []Finding{{}}})
	check("2 domains: 1 right, 1 wrong with 1 finding, 1 warning")
}

// newWorldComparer returns a comparer that asks the domains' own servers, which serve
// the zones.
func newWorldComparer(t testing.TB, zones map[string]string) *Comparer {
	t.Helper()
	return newTestComparer(t, dnstest.StartServer(t, newInternet(t, zones).ServeDNS), true, time.Second)
}

// newTestComparer returns a comparer that asks the server, as the domain's own name
// server or as the resolver.
func newTestComparer(t testing.TB, server string, own bool, timeout time.Duration) *Comparer {
	t.Helper()
	r, err := dns.NewResolver([]string{server}, timeout)
	if err != nil {
		t.Fatal(err)
	}
	c := NewViewComparer(r)
	if own {
		_, port, _ := net.SplitHostPort(server)
		c.authorities = dns.NewAuthorities(r, port)
	}
	return c
}
