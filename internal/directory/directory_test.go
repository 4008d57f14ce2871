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
			return []dns.MX{{Host: "mx1.in.mamutmail.com", Preference: 10},
				{Host: "mx.elsewhere.example", Preference: 20}}, nil
		case "equal.net":
			return []dns.MX{{Host: "mx.elsewhere.example", Preference: 10},
				{Host: "mx1.in.mamutmail.com", Preference: 10}}, nil
		case "backup.net":
			return []dns.MX{{Host: "mx.elsewhere.example", Preference: 10},
				{Host: "mx1.in.mamutmail.com", Preference: 20}}, nil
		case "tenant.net":
			return []dns.MX{{Host: "tenant-net.mail.hosted.example", Preference: 0}}, nil
		case "broken.net":
			return nil, errDNS
		}
		return nil, nil
	}
	return New([]Provider{
		{Provider: pop, Domains: []string{"domain.se", "shop.domain.se", "xn--bcher-kva.example", "autoconfig.nu"},
			MX: []string{"mx1.in.mamutmail.com"}},
		{Provider: business},
		{Provider: own, Domains: []string{"foretag.se"}, MX: []string{"*.mail.hosted.example"}},
		{Provider: other, Domains: []string{"other.se", "xdomain.se"}},
	}, []List{{
		"mail@domain.se":        {Provider: "business-mail", DisplayName: "Anna Ek"},
		"kontakt@domain.se":     {Alias: mail(t, "mail@domain.se")},
		"gammal@domain.se":      {Inactive: true},
		"uid@domain.se":         {Username: "u67578"},
		"info@foretag.se":       {Alias: mail(t, "anna@foretag.se")},
		"anna@foretag.se":       {},
		"uid@foretag.se":        {Alias: mail(t, "nr@foretag.se")},
		"nr@foretag.se":         {Username: "u1"},
		"both@foretag.se":       {Alias: mail(t, "nr@foretag.se"), Username: "u2"},
		"tag@domain.se":         {Username: "untagged"},
		"tag+x@domain.se":       {Username: "tagged"},
		"away@notours.se":       {Provider: "pop"},
		"lost@domain.se":        {Provider: "gone"},
		"alias2@shop.foo.se":    {Alias: mail(t, "mail@domain.se")},
		"remote@domain.se":      {Alias: mail(t, "x@customer.net")},
		"remote@foretag.se":     {Alias: mail(t, "x@customer.net")},
		"uid-remote@foretag.se": {Alias: mail(t, "uid@customer.net")},
		"uid@customer.net":      {Username: "u3"},
		"vip-remote@domain.se":  {Alias: mail(t, "vip@customer.net")},
		"vip@customer.net":      {Provider: "business-mail"},
		"inactive@foretag.se":   {Alias: mail(t, "gammal@domain.se")},
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
		account             account.AccountInfo
	}{
		{name: "the domain's product", address: "info@domain.se", provider: "pop"},
		{name: "an unlisted mailbox is like any", address: "nobody@domain.se", provider: "pop"},
		{name: "the account's product", address: "mail@domain.se", provider: "business-mail",
			account: account.AccountInfo{Listed: true, DisplayName: "Anna Ek"}},
		{name: "in any case", address: "MAIL@Domain.SE", provider: "business-mail",
			account: account.AccountInfo{Listed: true, DisplayName: "Anna Ek"}},
		{name: "with a tag", address: "mail+news@domain.se", provider: "business-mail",
			account: account.AccountInfo{Listed: true, DisplayName: "Anna Ek"}},
		{name: "an alias has its mailbox's product, not its login", address: "kontakt@domain.se", provider: "business-mail",
			account: account.AccountInfo{Listed: true, AliasOf: mail(t, "mail@domain.se")}},
		{name: "inactive", address: "gammal@domain.se", provider: "pop",
			account: account.AccountInfo{Listed: true, Inactive: true}},
		{name: "a user name of its own", address: "uid@domain.se", provider: "pop", username: "u67578",
			account: account.AccountInfo{Listed: true, Username: "u67578"}},
		{name: "an alias that signs in as its mailbox", address: "info@foretag.se", provider: "own-domain",
			login:   "anna@foretag.se",
			account: account.AccountInfo{Listed: true, AliasOf: mail(t, "anna@foretag.se")}},
		{name: "and with its user name", address: "uid@foretag.se", provider: "own-domain", login: "nr@foretag.se",
			username: "u1",
			account:  account.AccountInfo{Listed: true, AliasOf: mail(t, "nr@foretag.se"), Username: "u1"}},
		{name: "an alias with a user name of its own", address: "both@foretag.se", provider: "own-domain",
			login: "nr@foretag.se", username: "u2",
			account: account.AccountInfo{Listed: true, AliasOf: mail(t, "nr@foretag.se"), Username: "u2"}},
		{name: "listed with its tag", address: "tag+x@domain.se", provider: "pop", username: "tagged",
			account: account.AccountInfo{Listed: true, Username: "tagged"}},
		{name: "another tag", address: "tag+y@domain.se", provider: "pop", username: "untagged",
			account: account.AccountInfo{Listed: true, Username: "untagged"}},
		{name: "without its tag", address: "tag@domain.se", provider: "pop", username: "untagged",
			account: account.AccountInfo{Listed: true, Username: "untagged"}},
		{name: "where aliases sign in as mailboxes, so do tags", address: "anna+x@foretag.se", provider: "own-domain",
			login:   "anna@foretag.se",
			account: account.AccountInfo{Listed: true}},
		{name: "listed or not", address: "bo+x@foretag.se", provider: "own-domain", login: "bo@foretag.se"},
		{name: "an alias's tag", address: "info+x@foretag.se", provider: "own-domain", login: "anna@foretag.se",
			account: account.AccountInfo{Listed: true, AliasOf: mail(t, "anna@foretag.se")}},
		{name: "elsewhere a tag stays", address: "info+x@domain.se", provider: "pop"},
		{name: "another product, asked at the MX base domain", address: "mail@domain.se", host: "autoconfig.mamutmail.com",
			provider: "business-mail", lookup: "mamutmail.com",
			account: account.AccountInfo{Listed: true, DisplayName: "Anna Ek"}},
		{name: "another provider's domain, asked at the MX base domain", address: "a@other.se",
			host: "autoconfig.mamutmail.com", provider: "other", lookup: "mamutmail.com"},
		{name: "alias of an inactive mailbox of another product", address: "inactive@foretag.se", provider: "pop",
			account: account.AccountInfo{Listed: true, Inactive: true, AliasOf: mail(t, "gammal@domain.se")}},
		{name: "a listed account in a foreign domain", address: "away@notours.se", provider: "pop",
			account: account.AccountInfo{Listed: true}},
		{name: "an alias of a mailbox whose domain only DNS knows", address: "remote@domain.se", provider: "pop",
			account: account.AccountInfo{Listed: true, AliasOf: mail(t, "x@customer.net"), AliasUnresolved: true}},
		{name: "and where aliases sign in as mailboxes", address: "remote@foretag.se", provider: "own-domain",
			account: account.AccountInfo{Listed: true, AliasOf: mail(t, "x@customer.net"), AliasUnresolved: true}},
		{name: "with a tag, like any tag there", address: "remote+t@foretag.se", provider: "own-domain",
			login:   "remote@foretag.se",
			account: account.AccountInfo{Listed: true, AliasOf: mail(t, "x@customer.net"), AliasUnresolved: true}},
		{name: "and a user name of that mailbox", address: "uid-remote@foretag.se", provider: "own-domain",
			account: account.AccountInfo{Listed: true, AliasOf: mail(t, "uid@customer.net"), AliasUnresolved: true}},
		{name: "an alias with the product of a mailbox whose domain only DNS knows", address: "vip-remote@domain.se",
			provider: "business-mail",
			account:  account.AccountInfo{Listed: true, AliasOf: mail(t, "vip@customer.net")}},
		{name: "a foreign alias of our mailbox", address: "alias2@shop.foo.se", provider: "business-mail",
			account: account.AccountInfo{Listed: true, AliasOf: mail(t, "mail@domain.se")}},
		{name: "IDN", address: "fred@bücher.example", provider: "pop"},
		{name: "MX", address: "u@customer.net", provider: "pop", account: account.AccountInfo{ByMX: "mx1.in.mamutmail.com"}},
		{name: "one of two best MX", address: "u@equal.net", provider: "pop",
			account: account.AccountInfo{ByMX: "mx1.in.mamutmail.com"}},
		{name: "MX by suffix", address: "u@tenant.net", provider: "own-domain",
			account: account.AccountInfo{ByMX: "tenant-net.mail.hosted.example"}},
		{name: "asked at the MX host's domain", address: "u@customer.net", host: "autoconfig.in.mamutmail.com",
			provider: "pop",
			lookup:   "in.mamutmail.com", account: account.AccountInfo{ByMX: "mx1.in.mamutmail.com"}},
		{name: "asked at the MX base domain", address: "info@domain.se", host: "autoconfig.mamutmail.com:443",
			provider: "pop", lookup: "mamutmail.com"},
		{name: "asked at its own host", address: "info@domain.se", host: "AUTOCONFIG.Domain.SE.", provider: "pop"},
		{name: "the other product of the domain", address: "mail@domain.se", host: "autoconfig.domain.se",
			provider: "business-mail",
			account:  account.AccountInfo{Listed: true, DisplayName: "Anna Ek"}},
		{name: "the other product, by a sister domain", address: "mail@domain.se", host: "autoconfig.shop.domain.se",
			provider: "business-mail",
			account:  account.AccountInfo{Listed: true, DisplayName: "Anna Ek"}},
		{name: "asked at the host of another customer", address: "info@domain.se", host: "autoconfig.other.se",
			provider: "pop"},
		{name: "asked at another customer's domain", address: "info@domain.se", host: "xdomain.se", provider: "pop"},
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
				t.Errorf("Resolve(%s) = %s for %s, login %s, lookup domain %q; want %s for %s, login %s, lookup domain %q",
					a, s.Provider.ID, s.Address, s.Login, s.LookupDomain, test.provider, a, login, test.lookup)
			}
			if s.Account != test.account {
				t.Errorf("Resolve(%s) has account %+v, want %+v", a, s.Account, test.account)
			}
			if s.Custom != (test.username != "") || s.Custom && s.Servers[0].Login.Username != test.username {
				t.Errorf("Resolve(%s) is custom %v with the user name %q, want %q",
					a, s.Custom, s.Servers[0].Login.Username, test.username)
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
		{"a domain that looks like a host", "autoconfig.nu", "pop", "autoconfig.nu"},
		{"a domain below another hosted one", "autoconfig.shop.domain.se", "pop", "shop.domain.se"},
		{"IDN", "autoconfig.xn--bcher-kva.example", "pop", "xn--bcher-kva.example"},
		{"a customer by MX", "autoconfig.customer.net", "pop", "customer.net"},
		{"a customer by MX, Autodiscover", "autodiscover.customer.net", "pop", "customer.net"},
		{"a customer by MX, PACC", "ua-auto-config.customer.net", "pop", "customer.net"},
		{"a customer by MX, its domain", "customer.net", "pop", "customer.net"},
		{"the MX host's domain", "autoconfig.in.mamutmail.com", "pop", "in.mamutmail.com"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := d.Resolve(t.Context(), account.Query{Host: test.host})
			if err != nil {
				t.Fatal(err)
			}
			if s.Provider.ID != test.provider || s.Address != account.AnyAt(test.domain) || !s.Cacheable() {
				t.Errorf("Resolve at %s = %s at %s, want %s at %s",
					test.host, s.Provider.ID, s.Address.Domain(), test.provider, test.domain)
			}
			wantMX := ""
			if test.domain == "customer.net" {
				wantMX = "mx1.in.mamutmail.com"
			}
			if s.Account.ByMX != wantMX {
				t.Errorf("Resolve at %s is by the MX %q, want %q", test.host, s.Account.ByMX, wantMX)
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
		{"an unknown domain at the host of a customer", "anna@unknown.example", "autoconfig.domain.se",
			account.ErrUnknownDomain},
		{"a domain below a hosted one", "anna@kurs.domain.se", "", account.ErrUnknownDomain},
		{"the host of a domain below a hosted one", "", "autoconfig.kurs.domain.se", account.ErrUnknownDomain},
		{"a domain below an MX domain", "", "autoconfig.x.mamutmail.com", account.ErrUnknownDomain},
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
				t.Errorf("Resolve(%q at %q) = %+v, %v; want %v", test.address, test.host, s, err, test.want)
			}
		})
	}
	if s, err := d.Resolve(t.Context(), account.Query{Address: mail(t, "lost@domain.se")}); err == nil ||
		errors.Is(err, account.ErrUnknownDomain) {
		t.Errorf("Resolve of an account whose provider does not exist = %+v, %v, want a failure", s, err)
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
			t.Errorf("user name for %s = %q, want %q", client, got, want)
		}
	}
}

func TestAnyDomain(t *testing.T) {
	any, named := Provider{Provider: pop, Domains: []string{"*"}},
		Provider{Provider: other, Domains: []string{"other.se"}}
	d := New([]Provider{any, named}, nil, nil)
	for address, want := range map[string]string{"a@anything.example": "pop", "a@other.se": "other"} {
		s, err := d.Resolve(t.Context(), account.Query{Address: mail(t, address)})
		if err != nil || s.Provider.ID != want {
			t.Errorf("Resolve(%s) = %v, %v, want %s", address, s.Provider, err, want)
		}
	}
	s, err := d.Resolve(t.Context(), account.Query{Host: "autoconfig.anything.example"})
	if err != nil || s.Address.Domain() != "anything.example" {
		t.Errorf("Resolve at autoconfig.anything.example = domain %q, %v", s.Address.Domain(), err)
	}
}

func TestLists(t *testing.T) {
	d := fixture(t)
	for domain, want := range map[string]bool{
		"domain.se":        true,
		"in.mamutmail.com": true,
		"mamutmail.com":    true,
		"www.domain.se":    false,
		"customer.net":     false, // only DNS knows
		"com":              false,
	} {
		if got := d.Lists(domain) || d.ListsMX(domain); got != want {
			t.Errorf("Lists or ListsMX(%q) = %v, want %v", domain, got, want)
		}
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
