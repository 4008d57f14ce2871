package directory

import (
	"testing"

	"signpost/account"
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
	}, []Source{List{
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
			t.Errorf("Resolve(%q at %q) is for %s, want the domain %s", test.address, test.host, s.Address.Domain(), domain)
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
