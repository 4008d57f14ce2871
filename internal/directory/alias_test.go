package directory

import (
	"context"
	"crypto/md5"
	"errors"
	"testing"

	"signpost/account"
	"signpost/internal/dns"
)

// twoNames returns a directory in which example.com is another name of example.se.
func twoNames(t *testing.T) *Directory {
	ordinary := &account.Provider{ID: "ordinary", Servers: []account.Server{
		{Type: account.IMAP, Hostname: "imap.%EMAILDOMAIN%", Login: account.Login{Username: account.EmailAddress}},
		{Type: account.CalDAV, URL: "https://dav.%EMAILDOMAIN%/%EMAILLOCALPART%/",
			Login: account.Login{Username: account.EmailLocalPart}},
	}}
	special := &account.Provider{ID: "special", AliasSignsInAsMailbox: true, Servers: ordinary.Servers[:1]}
	return New([]Provider{
		{Provider: ordinary, Domains: []string{"example.se", "example.com", "other.se"},
			Aliases: map[string]string{"example.com": "example.se"}},
		{Provider: special},
	}, []List{{
		"anna@example.se": {Username: "anna.ek"},
		"chef@example.se": {Provider: "special"},
		"info@example.se": {Alias: mail(t, "chef@example.com")},
		"info@other.se":   {Alias: mail(t, "chef@example.com")},
	}}, nil)
}

// TestAliasDomain checks that a mailbox is the same under both names of its domain: it
// has one provider, one record and one login.
func TestAliasDomain(t *testing.T) {
	d := twoNames(t)
	for _, test := range []struct {
		address, host              string
		provider, hostname, signIn string
	}{
		{"bo@example.se", "", "ordinary", "imap.example.se", "bo@example.se"},
		{"bo@example.com", "autoconfig.example.com", "ordinary", "imap.example.se", "bo@example.se"},
		{"bo@example.com", "autoconfig.example.se", "ordinary", "imap.example.se", "bo@example.se"},
		{"bo+x@example.com", "", "ordinary", "imap.example.se", "bo+x@example.se"},
		{"anna@example.com", "", "ordinary", "imap.example.se", "anna.ek"},
		{"chef@example.com", "", "special", "imap.example.se", "chef@example.se"},
		{"chef+x@example.com", "", "special", "imap.example.se", "chef@example.se"},
		{"info@example.com", "", "special", "imap.example.se", "chef@example.se"},
		{"info@other.se", "", "special", "imap.example.se", "chef@example.se"},
		{"", "autoconfig.example.com", "ordinary", "imap.example.se", "%EMAILLOCALPART%@example.se"},
		{"", "example.com", "ordinary", "imap.example.se", "%EMAILLOCALPART%@example.se"},
	} {
		q := account.Query{Host: test.host}
		domain := "example.com"
		if test.address != "" {
			q.Address = mail(t, test.address)
			domain = q.Address.Domain()
		}
		s, err := d.Resolve(t.Context(), q)
		if err != nil {
			t.Errorf("Resolve(%q at %q): %v", test.address, test.host, err)
			continue
		}
		imap := s.Expanded()[0]
		if s.Provider.ID != test.provider || imap.Hostname != test.hostname || imap.Login.Username != test.signIn {
			t.Errorf("Resolve(%q at %q) = %s at %s of %s, want %s at %s of %s", test.address, test.host,
				imap.Login.Username, imap.Hostname, s.Provider.ID, test.signIn, test.hostname, test.provider)
		}
		if s.Address.Domain() != domain {
			t.Errorf("Resolve(%q at %q) is for %s, want the domain %s",
				test.address, test.host, s.Address.Domain(), domain)
		}
	}
}

// TestAliasDomainProviders checks that records and certificates of the other name take
// its accounts into account.
func TestAliasDomainProviders(t *testing.T) {
	d := twoNames(t)
	providers, err := d.ProvidersOf(t.Context(), "example.com")
	if err != nil {
		t.Fatal(err)
	}
	if len(providers) != 2 || providers[0].ID != "ordinary" || providers[1].ID != "special" {
		t.Errorf("ProvidersOf(example.com) = %d providers, want ordinary and special", len(providers))
	}
	if !d.Lists("example.com") {
		t.Error("Lists(example.com) = false, want true, as it needs certificates")
	}
}

// TestAliasDomainURL checks that a client that sends no address can complete the URL.
func TestAliasDomainURL(t *testing.T) {
	s, err := twoNames(t).Resolve(t.Context(), account.Query{Host: "autoconfig.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Expanded()[1].URL, "https://dav.example.se/%EMAILLOCALPART%/"; got != want {
		t.Errorf("the URL of any mailbox of example.com is %q, want %q", got, want)
	}
}

// TestForeignAlias checks that an alias that is listed in a domain that is not hosted gets
// what its mailbox gets, also by its MD5 sum, and that other addresses there are unknown.
func TestForeignAlias(t *testing.T) {
	d := mixed(t, List{"boss@foreign.example": {Alias: mail(t, "anna@office.se")}})
	for local, want := range map[string]error{"boss": nil, "nobody": account.ErrUnknownDomain} {
		a := mail(t, local+"@foreign.example")
		for _, q := range []account.Query{{Address: a},
			{Address: account.AnyAt(a.Domain()), MD5: md5.Sum([]byte(a.Key()))}} {
			s, err := d.Resolve(t.Context(), q)
			if !errors.Is(err, want) || err == nil && s.Provider.ID != "office" {
				t.Errorf("Resolve(%s) for %s = provider %v, %v, want office or the error %v",
					q.Address, a, s.Provider, err, want)
			}
		}
	}
}

// TestAliasAsksNoDNS checks that an alias of a mailbox in a domain that no provider names
// is answered like any address of its own domain, without a look-up: its time, its failure
// or an "unknown" would show that the alias exists.
func TestAliasAsksNoDNS(t *testing.T) {
	a, b := &account.Provider{ID: "a"}, &account.Provider{ID: "b", AliasSignsInAsMailbox: true}
	providers := []Provider{
		{Provider: a, Domains: []string{"a.se"}, MX: []string{"mx.a.se"}},
		{Provider: b, Domains: []string{"b.se"}},
	}
	accounts := List{}
	for _, domain := range []string{"a.se", "b.se"} {
		for name, target := range map[string]string{
			"out": "x@elsewhere.example", "unsure": "x@broken.example", "known": "bound@elsewhere.example",
		} {
			accounts[name+"@"+domain] = Record{Alias: mail(t, target)}
		}
	}
	accounts["bound@elsewhere.example"] = Record{Inactive: true}
	asked := []string{}
	d := New(providers, []List{accounts}, func(_ context.Context, domain string) ([]dns.MX, error) {
		asked = append(asked, domain)
		return nil, errDNS
	})
	for _, domain := range []string{"a.se", "b.se"} {
		want, err := d.Resolve(t.Context(), account.Query{Address: mail(t, "nobody@"+domain)})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"out", "unsure", "known"} {
			address := mail(t, name+"@"+domain)
			got, err := d.Resolve(t.Context(), account.Query{Address: address})
			if err != nil || got.Provider != want.Provider || got.Login != address || got.Custom {
				t.Errorf("Resolve(%s) = provider %v, login %s, custom %v, %v; want the provider of %s and its own login",
					address, got.Provider, got.Login, got.Custom, err, domain)
			}
		}
		if _, err := d.ProvidersOf(t.Context(), domain); err != nil {
			t.Errorf("ProvidersOf(%s) fails with %v, want nil", domain, err)
		}
	}
	if len(asked) > 0 {
		t.Errorf("the aliases caused look-ups of the MX records of %q, want none", asked)
	}
}

// TestAliasInAnyDomain checks that without MX hosts the provider for any domain has the
// mailbox behind an alias: no look-up is needed to know it.
func TestAliasInAnyDomain(t *testing.T) {
	d := New([]Provider{{Provider: pop, Domains: []string{"*"}}, {Provider: other, Domains: []string{"other.se"}}},
		[]List{{"out@other.se": {Alias: mail(t, "x@elsewhere.example")}}}, nil)
	s, err := d.Resolve(t.Context(), account.Query{Address: mail(t, "out@other.se")})
	if err != nil || s.Provider != pop || s.Account.AliasUnresolved {
		t.Errorf("Resolve(out@other.se) = %v, %v, want the provider for any domain, pop", s.Provider, err)
	}
}

// TestAliasInMXDomain checks that an alias in a domain found by MX needs the look-up that
// any address of the domain needs, and fails with it: an answer without one would show
// that the alias exists.
func TestAliasInMXDomain(t *testing.T) {
	p := &account.Provider{ID: "p"}
	asked, failure := 0, error(nil)
	d := New([]Provider{{Provider: p, Domains: []string{"p.se"}, MX: []string{"mx.p.se"}}},
		[]List{{"alias@customer.se": {Alias: mail(t, "x@p.se")}}},
		func(context.Context, string) ([]dns.MX, error) {
			asked++
			return []dns.MX{{Host: "mx.p.se"}}, failure
		})
	for _, local := range []string{"nobody", "alias"} {
		for _, failure = range []error{nil, errDNS} {
			before := asked
			s, err := d.Resolve(t.Context(), account.Query{Address: mail(t, local+"@customer.se")})
			if asked != before+1 {
				t.Errorf("%s@customer.se caused %d look-ups, want 1", local, asked-before)
			}
			if !errors.Is(err, failure) || err == nil && s.Provider != p {
				t.Errorf("Resolve(%s@customer.se) = %v, %v, want the error %v", local, s.Provider, err, failure)
			}
		}
	}
}
