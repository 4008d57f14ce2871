package directory

import (
	"context"
	"errors"
	"slices"
	"testing"

	"signpost/account"
	"signpost/internal/dns"
)

func TestServes(t *testing.T) {
	d := fixture(t)
	for domain, want := range map[string]error{
		"domain.se":       nil,
		"customer.net":    nil, // by its MX
		"backup.net":      account.ErrUnknownDomain,
		"unknown.example": account.ErrUnknownDomain,
		"www.domain.se":   account.ErrUnknownDomain, // only its parent is ours
		"broken.net":      errDNS,
	} {
		if err := d.Serves(t.Context(), domain); !errors.Is(err, want) {
			t.Errorf("Serves(%q) = %v, want %v", domain, err, want)
		}
	}
	anyDomain := New([]Provider{{Provider: pop, Domains: []string{"*"}}}, nil, nil)
	if err := anyDomain.Serves(t.Context(), "anything.example"); !account.IsUnknown(err) {
		t.Errorf("Serves of a domain of the provider for any domain = %v, want unknown", err)
	}
}

func TestProvidersOf(t *testing.T) {
	mx := func(_ context.Context, domain string) ([]dns.MX, error) {
		if domain == "broken.net" {
			return nil, errDNS
		}
		return nil, nil
	}
	providers := []Provider{
		{Provider: &account.Provider{ID: "a"},
			Domains: []string{"a.se", "plain.se", "alias.se", "chain.se", "lost.se", "gone.se", "unsure.se"}},
		{Provider: &account.Provider{ID: "b"}, Domains: []string{"b.se"}},
		{Provider: &account.Provider{ID: "c"}, Domains: []string{"c.se"}, MX: []string{"mx.c.se"}},
		{Provider: &account.Provider{ID: "extra"}}, // for accounts only
	}
	sources := []List{
		{
			"x@a.se":      {Provider: "b"},
			"y@a.se":      {Provider: "b"},
			"x@alias.se":  {Alias: mail(t, "anna@b.se")}, // what the alias's domain has
			"x@chain.se":  {Alias: mail(t, "x@c.se")},    // what the mailbox's account has
			"x@lost.se":   {Alias: mail(t, "x@elsewhere.example")},
			"x@unsure.se": {Alias: mail(t, "x@broken.net")},
			"x@gone.se":   {Provider: "nosuch"},
		},
		{"x@c.se": {Provider: "extra"}, "z@a.se": {Provider: "c"}},
	}
	d := New(providers, sources, mx)
	for domain, want := range map[string][]string{
		"plain.se":  {"a", "extra"},
		"a.se":      {"a", "b", "c", "extra"},
		"alias.se":  {"a", "b", "extra"},
		"chain.se":  {"a", "extra"},
		"lost.se":   {"a", "extra"},
		"unsure.se": {"a", "extra"}, // DNS is not asked for an alias
		"c.se":      {"c", "extra"},
	} {
		got, err := d.ProvidersOf(t.Context(), domain)
		var ids []string
		for _, p := range got {
			ids = append(ids, p.ID)
		}
		if err != nil || !slices.Equal(ids, want) {
			t.Errorf("ProvidersOf(%q) = %v, %v, want %v", domain, ids, err, want)
		}
	}
	if got, err := d.ProvidersOf(t.Context(), "gone.se"); err == nil || account.IsUnknown(err) {
		t.Errorf("ProvidersOf with an account of an unknown provider = %v, %v, want a failure", got, err)
	}
	if got, err := d.ProvidersOf(t.Context(), "elsewhere.example"); !account.IsUnknown(err) {
		t.Errorf("ProvidersOf a foreign domain = %v, %v, want unknown", got, err)
	}
	// Without accounts, nobody can have the provider that only accounts name.
	if got, err := New(providers, nil, mx).ProvidersOf(t.Context(), "a.se"); err != nil || len(got) != 1 {
		t.Errorf("ProvidersOf without accounts = %v, %v, want a alone", got, err)
	}
}

// TestMXDomains asks at the domains that clients derive from MX hosts.
func TestMXDomains(t *testing.T) {
	p := func(id string) *account.Provider { return &account.Provider{ID: id} }
	for _, test := range []struct {
		name      string
		providers []Provider
		host      string
		want      string // the provider, empty for none
	}{
		{"one host", []Provider{{Provider: p("a"), MX: []string{"mx1.hoster.example"}}}, "autoconfig.hoster.example", "a"},
		{"two hosts of one provider",
			[]Provider{{Provider: p("a"), MX: []string{"mx1.hoster.example", "mx2.hoster.example"}}},
			"autoconfig.hoster.example", "a"},
		{"two providers", []Provider{{Provider: p("a"), MX: []string{"mx1.hoster.example"}},
			{Provider: p("b"), MX: []string{"mx2.hoster.example"}}}, "autoconfig.hoster.example", ""},
		{"two providers, each below its own domain",
			[]Provider{{Provider: p("a"), MX: []string{"mx1.a.hoster.example"}},
				{Provider: p("b"), MX: []string{"mx1.b.hoster.example"}}},
			"autoconfig.a.hoster.example", "a"},
		{"the host is a registrable domain", []Provider{{Provider: p("a"), MX: []string{"hoster.example"}}},
			"autoconfig.hoster.example", "a"},
		{"a suffix", []Provider{{Provider: p("a"), MX: []string{"*.mail.hoster.example"}}},
			"autoconfig.mail.hoster.example", "a"},
		{"a public suffix", []Provider{{Provider: p("a"), MX: []string{"*.co.uk"}}}, "autoconfig.co.uk", ""},
		{"a host of one of two providers, which is no domain", []Provider{{Provider: p("a"), MX: []string{"mx1.hoster.example"}},
			{Provider: p("b"), MX: []string{"mx2.hoster.example"}}}, "autoconfig.mx1.hoster.example", ""},
		{"a public suffix as a host", []Provider{{Provider: p("a"), MX: []string{"co.uk"}}}, "autoconfig.co.uk", ""},
	} {
		noMX := func(context.Context, string) ([]dns.MX, error) { return nil, nil }
		s, err := New(test.providers, nil, noMX).Resolve(t.Context(), account.Query{Host: test.host})
		switch {
		case test.want == "" && !account.IsUnknown(err):
			t.Errorf("%s: Resolve at %s = %v, %v, want unknown", test.name, test.host, s.Provider, err)
		case test.want != "" && (err != nil || s.Provider.ID != test.want):
			t.Errorf("%s: Resolve at %s = %v, %v, want provider %s", test.name, test.host, s.Provider, err, test.want)
		}
	}
}

// TestSuffixOfMX matches hosts any number of labels below a suffix.
func TestSuffixOfMX(t *testing.T) {
	for host, want := range map[string]bool{
		"a.hoster.example": true, "b.a.hoster.example": true, "c.b.a.hoster.example": true,
		"hoster.example": false, "a.xhoster.example": false,
	} {
		mx := func(context.Context, string) ([]dns.MX, error) { return []dns.MX{{Host: host}}, nil }
		d := New([]Provider{{Provider: pop, MX: []string{"*.hoster.example"}}}, nil, mx)
		if err := d.Serves(t.Context(), "customer.net"); (err == nil) != want {
			t.Errorf("Serves with the MX %s = %v, want served %v", host, err, want)
		}
	}
}

func TestDomainsAfterStar(t *testing.T) {
	d := New([]Provider{{Provider: pop, Domains: []string{"*", "a.example"}}}, nil, nil)
	if !d.Lists("a.example") {
		t.Error(`a.example, listed after "*", is not listed`)
	}
	if d.Lists("*") || d.Lists("b.example") {
		t.Error(`"*" lists a domain by name`)
	}
}
