package records

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
	"signpost/internal/directory"
	"signpost/internal/dns"
)

// directoryOf returns a directory of two providers with a domain each, a.example
// and b.example, and accounts.
func directoryOf(accounts directory.List, b ...account.Server) *directory.Directory {
	mx := func(_ context.Context, domain string) ([]dns.MX, error) {
		if domain == "broken.example" {
			return nil, errors.New("server failure")
		}
		return nil, nil
	}
	return directory.New([]directory.Provider{
		{Provider: &account.Provider{ID: "a", DisplayName: "A", Servers: []account.Server{everyServer[0], everyServer[3]}},
			Domains: []string{"a.example"}, MX: []string{"mx.a.example"}},
		{Provider: &account.Provider{ID: "b", DisplayName: "B", Servers: b}, Domains: []string{"b.example"}},
	}, []directory.List{accounts}, mx)
}

func address(t testing.TB, text string) account.Address {
	t.Helper()
	a, err := account.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func domain(t testing.TB, o Options, name string) Domain {
	t.Helper()
	o.Name = "setup.example.net"
	d, err := New(o).Domain(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestOtherProviders checks that a service that the provider of a listed account
// offers is not denied, whether or not that provider has domains of its own, and that
// a record of such a service causes no finding.
func TestOtherProviders(t *testing.T) {
	pop := []account.Server{everyServer[0], everyServer[2], everyServer[7]}
	plain := domain(t, Options{Directory: directoryOf(nil, pop...)}, "a.example")
	isPOP := func(r Record) bool { return r.Name == "_pop3s._tcp.a.example" }
	if !slices.ContainsFunc(plain.Records, isPOP) {
		t.Fatal("no record denies POP3 over TLS in a domain where no mailbox has it")
	}
	for name, accounts := range map[string]directory.List{
		"an account":                    {"x@a.example": {Provider: "b"}},
		"an alias of another domain":    {"x@a.example": {Alias: address(t, "y@b.example")}},
		"an alias of a listed mailbox":  {"x@a.example": {Alias: address(t, "y@a.example")}, "y@a.example": {Provider: "b"}},
		"an account in a second source": {"x@a.example": {Provider: "b"}, "y@a.example": {}},
	} {
		got := domain(t, Options{Directory: directoryOf(accounts, pop...)}, "a.example")
		if diff := cmp.Diff(slices.DeleteFunc(slices.Clone(plain.Records), isPOP), got.Records); diff != "" {
			t.Errorf("%s: records (-want +got):\n%s", name, diff)
		}
		notes := []string{"_pop3s._tcp: left out, because the domain's own provider does not offer it, " +
			"but accounts of the domain with another provider may"}
		if diff := cmp.Diff(notes, got.Notes); diff != "" {
			t.Errorf("%s: notes (-want +got):\n%s", name, diff)
		}
		for _, line := range []string{"", "_pop3s._tcp.a.example. 300 IN SRV 0 1 995 mail.example.net.\n"} {
			zones := map[string]string{"a.example": strings.Join(lines(got.records()), "\n") + "\n" + line}
			for apex, text := range world {
				zones[apex] = text
			}
			compared := newWorldComparer(t, zones).Compare(t.Context(), got)
			if len(compared.Findings) > 0 || compared.Error != "" {
				t.Errorf("%s: Compare with %q = %v, want no findings", name, line, compared)
			}
		}
	}
}

func TestDomainErrors(t *testing.T) {
	accounts := directory.List{"x@a.example": {Alias: address(t, "y@broken.example")}}
	g := New(Options{Name: "setup.example.net", Directory: directoryOf(accounts, everyServer[0])})
	if _, err := g.Domain(t.Context(), "unknown.example"); !account.IsUnknown(err) ||
		!strings.HasPrefix(err.Error(), "unknown.example: ") {
		t.Errorf("Domain(unknown.example): error %v, want one of account.IsUnknown", err)
	}
	if _, err := g.Domain(t.Context(), "broken.example"); err == nil || account.IsUnknown(err) {
		t.Errorf("Domain(broken.example) while DNS fails: error %v, want that failure", err)
	}
	// The mailbox behind an alias is never looked up in DNS.
	if _, err := g.Domain(t.Context(), "a.example"); err != nil {
		t.Errorf("Domain(a.example), with an alias of y@broken.example, while DNS fails: error %v, want none", err)
	}
}

// TestBefore checks that the digest of the previous configuration stands beside the
// new one.
func TestBefore(t *testing.T) {
	digests := func(d Domain) int {
		n := 0
		for _, r := range d.Records {
			if r.Name == "_ua-auto-config."+d.Name {
				n++
			}
		}
		return n
	}
	now := directoryOf(nil, everyServer[0], everyServer[3])
	for _, test := range []struct {
		name   string
		before *directory.Directory
		want   int
	}{
		{"no other configuration", nil, 1},
		{"the same configuration", directoryOf(nil, everyServer[0], everyServer[3]), 1},
		{"another provider", directoryOf(nil, everyServer[0], everyServer[2], everyServer[3]), 2},
		{"one that PACC could not describe", directoryOf(nil, everyServer[1]), 1},
		{"one without the domain", directory.New(nil, nil, nil), 1},
	} {
		got := domain(t, Options{Directory: now, Before: test.before}, "b.example")
		if n := digests(got); n != test.want {
			t.Errorf("%s: %d digests, want %d", test.name, n, test.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	byMX := []directory.Provider{{Provider: &account.Provider{ID: "a"}, MX: []string{"mx.a.example"}}}
	waiting := directory.New(byMX, nil,
		func(ctx context.Context, _ string) ([]dns.MX, error) { return nil, ctx.Err() })
	g := New(Options{Name: "setup.example.net", Directory: now, Before: waiting})
	if _, err := g.Domain(ctx, "b.example"); !errors.Is(err, context.Canceled) {
		t.Errorf("Domain after the context is cancelled: error %v, want %v", err, context.Canceled)
	}
}
