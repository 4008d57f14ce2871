package directory

import (
	"context"
	"errors"
	"testing"

	"signpost/account"
	"signpost/internal/dns"
)

var (
	pop = &account.Provider{ID: "pop", Servers: []account.Server{
		{Type: account.IMAP, Hostname: "mamutmail.com", Login: account.Login{Username: account.EmailAddress}},
	}}
	business = &account.Provider{ID: "business-mail", Servers: []account.Server{
		{Type: account.ActiveSync, URL: "https://mamutmail.com/Microsoft-Server-ActiveSync",
			Login: account.Login{Username: "%EMAILLOCALPART%_%EMAILDOMAIN%", DomainName: "hosting01"}},
	}, Exceptions: map[account.Client][]account.Server{
		account.Outlook: {{Type: account.ActiveSync, Login: account.Login{Username: account.EmailAddress}}},
	}}
	own = &account.Provider{ID: "own-domain", AliasSignsInAsMailbox: true, Servers: []account.Server{
		{Type: account.IMAP, Hostname: "mail.%EMAILDOMAIN%", Login: account.Login{Username: account.EmailAddress}},
	}}
	other = &account.Provider{ID: "other", Servers: []account.Server{{Type: account.IMAP, Hostname: "imap.other.se"}}}
)

var errDNS = errors.New("server failure")

func mail(t testing.TB, text string) account.Address {
	t.Helper()
	a, err := account.ParseAddress(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return a
}

func fixture(t testing.TB) *Directory {
	mx := func(_ context.Context, domain string) ([]dns.MX, error) {
		switch domain {
		case "customer.net":
			return []dns.MX{{Host: "mx1.in.mamutmail.com", Preference: 10}, {Host: "mx.elsewhere.example", Preference: 20}}, nil
		case "equal.net":
			return []dns.MX{{Host: "mx.elsewhere.example", Preference: 10}, {Host: "mx1.in.mamutmail.com", Preference: 10}}, nil
		case "backup.net":
			return []dns.MX{{Host: "mx.elsewhere.example", Preference: 10}, {Host: "mx1.in.mamutmail.com", Preference: 20}}, nil
		case "tenant.net":
			return []dns.MX{{Host: "tenant-net.mail.hosted.example", Preference: 0}}, nil
		case "broken.net":
			return nil, errDNS
		}
		return nil, nil
	}
	return New([]Provider{
		{pop, []string{"domain.se", "shop.domain.se", "xn--bcher-kva.example"}, []string{"mx1.in.mamutmail.com"}},
		{business, nil, nil},
		{own, []string{"foretag.se"}, []string{"*.mail.hosted.example"}},
		{other, []string{"other.se"}, nil},
	}, []Source{List{
		"mail@domain.se":      {Provider: "business-mail", DisplayName: "Anna Ek"},
		"kontakt@domain.se":   {Alias: mail(t, "mail@domain.se")},
		"gammal@domain.se":    {Inactive: true},
		"uid@domain.se":       {Username: "u67578"},
		"info@foretag.se":     {Alias: mail(t, "anna@foretag.se")},
		"anna@foretag.se":     {},
		"uid@foretag.se":      {Alias: mail(t, "nr@foretag.se")},
		"nr@foretag.se":       {Username: "u1"},
		"away@notours.se":     {Provider: "pop"},
		"lost@domain.se":      {Provider: "gone"},
		"alias2@shop.foo.se":  {Alias: mail(t, "mail@domain.se")},
		"inactive@foretag.se": {Alias: mail(t, "gammal@domain.se")},
	}}, mx)
}

func TestResolve(t *testing.T) {
	d := fixture(t)
	tests := []struct {
		name, address, host string
		provider            string
		login               string
		username            string
		lookup              string
		standing            account.AccountInfo
	}{
		{name: "the domain's product", address: "info@domain.se", provider: "pop"},
		{name: "an unlisted mailbox is like any", address: "nobody@domain.se", provider: "pop"},
		{name: "the account's product", address: "mail@domain.se", provider: "business-mail",
			standing: account.AccountInfo{Listed: true, DisplayName: "Anna Ek"}},
		{name: "in any case", address: "MAIL@Domain.SE", provider: "business-mail",
			standing: account.AccountInfo{Listed: true, DisplayName: "Anna Ek"}},
		{name: "with a tag", address: "mail+news@domain.se", provider: "business-mail",
			standing: account.AccountInfo{Listed: true, DisplayName: "Anna Ek"}},
		{name: "an alias has its mailbox's product, not its login", address: "kontakt@domain.se", provider: "business-mail",
			standing: account.AccountInfo{Listed: true, AliasOf: mail(t, "mail@domain.se")}},
		{name: "inactive", address: "gammal@domain.se", provider: "pop", standing: account.AccountInfo{Listed: true, Inactive: true}},
		{name: "a user name of its own", address: "uid@domain.se", provider: "pop", username: "u67578",
			standing: account.AccountInfo{Listed: true, Username: "u67578"}},
		{name: "an alias that signs in as its mailbox", address: "info@foretag.se", provider: "own-domain", login: "anna@foretag.se",
			standing: account.AccountInfo{Listed: true, AliasOf: mail(t, "anna@foretag.se")}},
		{name: "and with its user name", address: "uid@foretag.se", provider: "own-domain", login: "nr@foretag.se", username: "u1",
			standing: account.AccountInfo{Listed: true, AliasOf: mail(t, "nr@foretag.se"), Username: "u1"}},
		{name: "where aliases sign in as mailboxes, so do tags", address: "anna+x@foretag.se", provider: "own-domain", login: "anna@foretag.se",
			standing: account.AccountInfo{Listed: true}},
		{name: "listed or not", address: "bo+x@foretag.se", provider: "own-domain", login: "bo@foretag.se"},
		{name: "an alias's tag", address: "info+x@foretag.se", provider: "own-domain", login: "anna@foretag.se",
			standing: account.AccountInfo{Listed: true, AliasOf: mail(t, "anna@foretag.se")}},
		{name: "elsewhere a tag stays", address: "info+x@domain.se", provider: "pop"},
		{name: "another product, asked at the MX base domain", address: "mail@domain.se", host: "autoconfig.mamutmail.com", provider: "business-mail", lookup: "mamutmail.com",
			standing: account.AccountInfo{Listed: true, DisplayName: "Anna Ek"}},
		{name: "another provider's domain, asked at the MX base domain", address: "a@other.se", host: "autoconfig.mamutmail.com", provider: "other", lookup: "mamutmail.com"},
		{name: "alias of an inactive mailbox of another product", address: "inactive@foretag.se", provider: "pop",
			standing: account.AccountInfo{Listed: true, Inactive: true, AliasOf: mail(t, "gammal@domain.se")}},
		{name: "a listed account in a foreign domain", address: "away@notours.se", provider: "pop", standing: account.AccountInfo{Listed: true}},
		{name: "a foreign alias of our mailbox", address: "alias2@shop.foo.se", provider: "business-mail",
			standing: account.AccountInfo{Listed: true, AliasOf: mail(t, "mail@domain.se")}},
		{name: "IDN", address: "fred@bücher.example", provider: "pop"},
		{name: "MX", address: "u@customer.net", provider: "pop", standing: account.AccountInfo{ByMX: "mx1.in.mamutmail.com"}},
		{name: "one of two best MX", address: "u@equal.net", provider: "pop", standing: account.AccountInfo{ByMX: "mx1.in.mamutmail.com"}},
		{name: "MX by suffix", address: "u@tenant.net", provider: "own-domain", standing: account.AccountInfo{ByMX: "tenant-net.mail.hosted.example"}},
		{name: "asked at the MX host's domain", address: "u@customer.net", host: "autoconfig.in.mamutmail.com", provider: "pop",
			lookup: "in.mamutmail.com", standing: account.AccountInfo{ByMX: "mx1.in.mamutmail.com"}},
		{name: "asked at the MX base domain", address: "info@domain.se", host: "autoconfig.mamutmail.com:443", provider: "pop", lookup: "mamutmail.com"},
		{name: "asked at its own host", address: "info@domain.se", host: "AUTOCONFIG.Domain.SE.", provider: "pop"},
		{name: "the other product of the domain", address: "mail@domain.se", host: "autoconfig.domain.se", provider: "business-mail",
			standing: account.AccountInfo{Listed: true, DisplayName: "Anna Ek"}},
		{name: "the other product, by a sister domain", address: "mail@domain.se", host: "autoconfig.shop.domain.se", provider: "business-mail",
			standing: account.AccountInfo{Listed: true, DisplayName: "Anna Ek"}},
		{name: "asked at an IP address", address: "info@domain.se", host: "[::1]:8080", provider: "pop"},
		{name: "asked at the service", address: "info@domain.se", host: "setup.mamutmail.com", provider: "pop"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := mail(t, test.address)
			s, err := d.Resolve(t.Context(), account.Query{Address: a, Host: test.host, Client: account.Thunderbird})
			if err != nil {
				t.Fatal(err)
			}
			login := a
			if test.login != "" {
				login = mail(t, test.login)
			}
			if s.Provider.ID != test.provider || s.Address != a || s.Login != login || s.LookupDomain != test.lookup {
				t.Errorf("got %s for %s, login %s, lookup domain %q", s.Provider.ID, s.Address, s.Login, s.LookupDomain)
			}
			if s.Account != test.standing {
				t.Errorf("got standing %+v, want %+v", s.Account, test.standing)
			}
			if s.Custom != (test.username != "") || s.Custom && s.Servers[0].Login.Username != test.username {
				t.Errorf("got own %v, user name %q", s.Custom, s.Servers[0].Login.Username)
			}
		})
	}
	if pop.Servers[0].Login.Username != account.EmailAddress || own.Servers[0].Login.Username != account.EmailAddress {
		t.Error("an account's user name got into the shared provider")
	}
}

func TestResolveHost(t *testing.T) {
	d := fixture(t)
	tests := []struct{ name, host, provider, domain string }{
		{"autoconfig host", "autoconfig.domain.se", "pop", "domain.se"},
		{"autodiscover host with port", "Autodiscover.Domain.se:8443", "pop", "domain.se"},
		{"PACC host", "ua-auto-config.foretag.se", "own-domain", "foretag.se"},
		{"apex", "domain.se", "pop", "domain.se"},
		{"longest hosted name", "autoconfig.a.shop.domain.se", "pop", "shop.domain.se"},
		{"IDN", "autoconfig.xn--bcher-kva.example", "pop", "xn--bcher-kva.example"},
		{"a customer by MX", "autoconfig.customer.net", "pop", "customer.net"},
		{"the MX host's domain", "autoconfig.in.mamutmail.com", "pop", "in.mamutmail.com"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := d.Resolve(t.Context(), account.Query{Host: test.host})
			if err != nil {
				t.Fatal(err)
			}
			if s.Provider.ID != test.provider || s.Address != account.AnyAt(test.domain) || !s.Cacheable() {
				t.Errorf("got %s at %s", s.Provider.ID, s.Address.Domain())
			}
		})
	}
}

func TestResolveErrors(t *testing.T) {
	d := fixture(t)
	tests := []struct {
		name, address, host string
		want                error
	}{
		{"unknown domain", "anna@unknown.example", "", account.ErrUnknownDomain},
		{"only the second MX is ours", "anna@backup.net", "", account.ErrUnknownDomain},
		{"DNS failure is not unknown", "anna@broken.net", "", errDNS},
		{"host of another customer", "info@domain.se", "autoconfig.other.se", account.ErrWrongHost},
		{"unknown host", "", "autoconfig.unknown.example", account.ErrUnknownDomain},
		{"no host", "", "", account.ErrUnknownDomain},
		{"IP address", "", "192.0.2.1:80", account.ErrUnknownDomain},
		{"host with a space", "", "a b.se", account.ErrUnknownDomain},
		{"MX domain whose customers differ", "", "autoconfig.hosted.example", account.ErrUnknownDomain},
		{"public suffix", "", "autoconfig.se", account.ErrUnknownDomain},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var a account.Address
			if test.address != "" {
				a = mail(t, test.address)
			}
			s, err := d.Resolve(t.Context(), account.Query{Address: a, Host: test.host})
			if !errors.Is(err, test.want) {
				t.Errorf("got %+v, %v; want %v", s, err, test.want)
			}
		})
	}
	if s, err := d.Resolve(t.Context(), account.Query{Address: mail(t, "lost@domain.se")}); err == nil || errors.Is(err, account.ErrUnknownDomain) {
		t.Errorf("a provider that does not exist: got %+v, %v", s, err)
	}
}

func TestClientException(t *testing.T) {
	d := fixture(t)
	for client, want := range map[account.Client]string{
		account.Outlook: account.EmailAddress,
		account.Apple:   "%EMAILLOCALPART%_%EMAILDOMAIN%",
	} {
		s, err := d.Resolve(t.Context(), account.Query{Address: mail(t, "mail@domain.se"), Client: client})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Servers[0].Login.Username; got != want {
			t.Errorf("%s: got %q, want %q", client, got, want)
		}
	}
}

func TestAnyDomain(t *testing.T) {
	d := New([]Provider{{pop, []string{"*"}, nil}, {other, []string{"other.se"}, nil}}, nil, nil)
	for address, want := range map[string]string{"a@anything.example": "pop", "a@other.se": "other"} {
		s, err := d.Resolve(t.Context(), account.Query{Address: mail(t, address)})
		if err != nil || s.Provider.ID != want {
			t.Errorf("%s: got %v, %v", address, s.Provider, err)
		}
	}
	s, err := d.Resolve(t.Context(), account.Query{Host: "autoconfig.anything.example"})
	if err != nil || s.Address.Domain() != "anything.example" {
		t.Errorf("got %v, %v", s.Address.Domain(), err)
	}
}

func TestHosts(t *testing.T) {
	d := fixture(t)
	for domain, want := range map[string]bool{
		"domain.se":        true,
		"in.mamutmail.com": true,
		"mamutmail.com":    true,
		"www.domain.se":    false,
		"customer.net":     false, // only DNS knows
		"com":              false,
	} {
		if got := d.Hosts(domain); got != want {
			t.Errorf("%s: got %v", domain, got)
		}
	}
}

type failing struct{}

func (failing) Account(context.Context, account.Address) (Record, bool, error) {
	return Record{}, false, errDNS
}

func TestSourceFailureIsNotUnknown(t *testing.T) {
	d := New([]Provider{{pop, []string{"domain.se"}, nil}}, []Source{failing{}}, nil)
	if _, err := d.Resolve(t.Context(), account.Query{Address: mail(t, "a@domain.se")}); !errors.Is(err, errDNS) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkResolve(b *testing.B) {
	d := fixture(b)
	q := account.Query{Address: mail(b, "info@domain.se"), Host: "autoconfig.domain.se", Client: account.Thunderbird}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Resolve(b.Context(), q); err != nil {
			b.Fatal(err)
		}
	}
}
