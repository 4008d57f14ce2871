package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/finding"
	"signpost/internal/doctor/probe"
	"signpost/internal/records"
	"signpost/internal/show"
)

// ownService is a service that hosts nordlys.example with the server.
func ownService(hostname string) *Own {
	provider := &account.Provider{ID: "nord", DisplayName: "Nord"}
	for _, t := range []account.ServerType{account.IMAP, account.SMTP} {
		provider.Servers = append(provider.Servers, account.Server{Type: t, Hostname: hostname,
			Port: account.DefaultPort(t, account.SSL), SocketType: account.SSL,
			Authentication: []account.Authentication{account.PasswordCleartext},
			Login:          account.Login{Username: account.EmailAddress}})
	}
	return &Own{
		Service: "setup.nord.example",
		Resolve: func(_ context.Context, q account.Query) (account.Settings, error) {
			a := q.Address
			if a.IsZero() {
				a = account.AnyAt("nordlys.example")
			}
			if a.Domain() != "nordlys.example" {
				return account.Settings{}, account.ErrUnknownDomain
			}
			return account.Settings{Address: a, Login: a, Provider: provider, Servers: provider.Servers}, nil
		},
		Records: func(_ context.Context, domain string) (records.Domain, error) {
			return records.Domain{Name: domain, Records: []records.Record{
				{Record: dns.Record{Name: "autoconfig." + domain, TTL: 3600, Type: "CNAME", Data: "setup.nord.example."}},
			}}, nil
		},
	}
}

// document returns what the service writes for a dialect.
func (o *Own) document(t testing.TB, name string, a account.Address) []byte {
	t.Helper()
	dialect, _ := show.Find(name)
	settings, err := o.Resolve(t.Context(), dialect.Query(a))
	if err != nil {
		t.Fatal(err)
	}
	document, err := dialect.Write(settings, o.Service)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// TestOwn has the same service at one address, another one with an old configuration at
// the second, and a web server where Autodiscover is asked.
func TestOwn(t *testing.T) {
	own, old := ownService("mail.nord.example"), ownService("old.nord.example")
	anna := address(t, "anna@nordlys.example")
	first, second := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("203.0.113.8")
	n := &fakeNetwork{
		dns: func(_ context.Context, q probe.DNSQuestion) probe.DNSAnswer {
			if q.Name != "autoconfig.nordlys.example" || q.Type != "A" {
				return probe.DNSAnswer{}
			}
			return probe.DNSAnswer{Answer: dns.Answer{Records: []dns.Record{
				{Name: q.Name, Type: "A", Data: first.String()}, {Name: q.Name, Type: "A", Data: second.String()}}}}
		},
		web: func(_ context.Context, q probe.WebQuestion) probe.WebAnswer {
			switch {
			case strings.Contains(q.URL, "//autodiscover."):
				return probe.WebAnswer{Status: 200,
					Header: map[string]string{"Content-Type": "text/html"}, Address: first}
			case strings.HasPrefix(q.URL, "http://"):
				return probe.WebAnswer{Failure: &probe.Failure{Kind: probe.Refused, Text: "refused"}}
			case !strings.Contains(q.URL, "emailaddress"):
				return probe.WebAnswer{Failure: &probe.Failure{Kind: probe.NotAsked, Text: "not asked"}}
			case q.Address == second:
				return probe.WebAnswer{Status: 200, Body: old.document(t, "thunderbird", anna), Address: second}
			}
			return probe.WebAnswer{Status: 200, Body: own.document(t, "thunderbird", anna), Address: first}
		},
	}
	rule := func(context.Context, *finding.Case) []finding.Finding {
		return []finding.Finding{{ID: "D1", Cures: []finding.Cure{{Who: finding.YourDNS, Put: []dns.Record{
			{Name: "autoconfig.nordlys.example", TTL: 3600, Type: "CNAME", Data: "guess.example."}}}}}}
	}
	r, err := examine(t.Context(), Options{Address: anna, Asker: n, Own: own}, nil, rule)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range r.Own.Places {
		got = append(got,
			strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", p.Client, p.URL, p.Address, p.Answer, p.Text)))
	}
	want := []string{
		"thunderbird https://autoconfig.nordlys.example/mail/config-v1.1.xml 203.0.113.7 this-service",
		"thunderbird https://autoconfig.nordlys.example/mail/config-v1.1.xml 203.0.113.8 other-settings " +
			"tells imap old.nord.example:993 SSL, smtp old.nord.example:465 SSL",
		"thunderbird http://autoconfig.nordlys.example/mail/config-v1.1.xml  none refused",
		"thunderbird-android https://autoconfig.nordlys.example/mail/config-v1.1.xml  not-known not asked",
		"outlook https://autodiscover.nordlys.example/autodiscover/autodiscover.xml 203.0.113.7 none 200 text/html",
	}
	for i, line := range want {
		if i >= len(got) || got[i] != line {
			t.Fatalf("place %d is\n%s\nwant\n%s", i, strings.Join(got, "\n"), line)
		}
	}
	if len(r.Own.Servers) != 2 || r.Own.Servers[0].Hostname != "mail.nord.example" {
		t.Errorf("a person would type %v, want the servers at mail.nord.example", r.Own.Servers)
	}
	if len(r.Findings) != 2 || r.Findings[0].ID != "O1" ||
		!strings.HasPrefix(r.Findings[0].Sentence, "203.0.113.8 answers for autoconfig.nordlys.example") {
		t.Fatalf("the findings are %v, want the address that tells other settings before that of the rule", r.Findings)
	}
	cure := r.Findings[1].Cures[0]
	if want := "autoconfig.nordlys.example. 3600 IN CNAME setup.nord.example."; len(cure.Put) != 1 || cure.Put[0] != want ||
		!strings.Contains(cure.Text, "records -publish nordlys.example") {
		t.Errorf("the cure is %q, want %q by records -publish", cure, want)
	}
	if got, want := r.Own.summary(), "served by this Signpost, which answers at 203.0.113.7; not everybody gets what it would tell"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
}

// TestNotOwn: a domain that is not hosted, and one of which that cannot be known now.
func TestNotOwn(t *testing.T) {
	other := address(t, "anna@other.example")
	r, err := examine(t.Context(), Options{Address: other, Asker: &fakeNetwork{}, Own: ownService("mail.nord.example")},
		nil, none)
	if err != nil || r.Own == nil || r.Own.Hosted {
		t.Fatalf("own view of another's domain: %+v, %v, want one that is not hosted", r.Own, err)
	}
	down := &Own{Resolve: func(context.Context, account.Query) (account.Settings, error) {
		return account.Settings{}, fmt.Errorf("the database is down")
	}}
	r, err = examine(t.Context(), Options{Address: other, Asker: &fakeNetwork{}, Own: down}, nil, none)
	if err != nil || r.Own.NotKnown == "" || r.Complete {
		t.Errorf("own view while the store is down: %+v, complete %v, %v, want an incomplete report",
			r.Own, r.Complete, err)
	}
}
