package directory

import (
	"context"
	"crypto/md5"
	"errors"
	"testing"

	"signpost/account"
	"signpost/internal/dns"
)

// TestFallback checks what a client gets that may know the address but does not name it:
// settings only where they are those of every mailbox of the domain.
func TestFallback(t *testing.T) {
	closed := &account.Provider{ID: "closed", NothingWithoutAddress: true, Servers: pop.Servers}
	lookups := 0
	mx := func(context.Context, string) ([]dns.MX, error) {
		lookups++
		return nil, errDNS
	}
	d := New([]Provider{
		{Provider: pop, Domains: []string{"plain.se", "mixed.se", "named.se", "away.se"}, MX: []string{"mx.mamutmail.com"}},
		{Provider: other, Domains: []string{"other.se"}},
		{Provider: own, Domains: []string{"alias.se"}},
		{Provider: closed, Domains: []string{"closed.se"}},
	}, []List{{
		"anna@plain.se": {Provider: "pop"},
		"chef@mixed.se": {Provider: "other"},
		"uid@named.se":  {Username: "u1"},
		"gone@away.se":  {Alias: mail(t, "x@elsewhere.example")},
		"vd@closed.se":  {Provider: "other"},
	}}, mx)
	sum := md5.Sum([]byte("vd@closed.se"))
	unlisted := md5.Sum([]byte("anna@closed.se"))
	for _, row := range []struct {
		name string
		q    account.Query
		want string // the provider, empty: ErrAddressRequired
	}{
		{"one provider", account.Query{Host: "autoconfig.plain.se"}, "pop"},
		{"another provider", account.Query{Host: "autoconfig.mixed.se"}, ""},
		{"a user name", account.Query{Host: "autoconfig.named.se"}, ""},
		{"an alias of a mailbox elsewhere", account.Query{Host: "autoconfig.away.se"}, ""},
		{"logins of aliases", account.Query{Host: "autoconfig.alias.se"}, ""},
		{"nothing", account.Query{Host: "autoconfig.closed.se"}, ""},
		{"no local part", account.Query{Address: account.AnyAt("plain.se")}, "pop"},
		{"no local part, another provider", account.Query{Address: account.AnyAt("mixed.se")}, ""},
		{"no local part, a user name", account.Query{Address: account.AnyAt("named.se")}, ""},
		{"no local part, an alias of a mailbox elsewhere", account.Query{Address: account.AnyAt("away.se")}, ""},
		{"no local part, nothing", account.Query{Address: account.AnyAt("closed.se")}, ""},
		{"a sum", account.Query{Address: account.AnyAt("closed.se"), MD5: sum}, "other"},
		{"a sum of a mailbox that is not listed", account.Query{Address: account.AnyAt("closed.se"), MD5: unlisted}, "closed"},
		{"an address", account.Query{Address: mail(t, "anna@mixed.se"), Host: "autoconfig.mixed.se"}, "pop"},
		{"an address of a closed domain", account.Query{Address: mail(t, "anna@closed.se")}, "closed"},
	} {
		row.q.Fallback = true
		s, err := d.Resolve(t.Context(), row.q)
		switch {
		case row.want == "" && !errors.Is(err, account.ErrAddressRequired):
			t.Errorf("%s: Resolve returned the error %v, want %v", row.name, err, account.ErrAddressRequired)
		case row.want != "" && err != nil:
			t.Errorf("%s: Resolve returned the error %v, want the provider %s", row.name, err, row.want)
		case row.want != "" && s.Provider.ID != row.want:
			t.Errorf("%s: Resolve returned the provider %s, want %s", row.name, s.Provider.ID, row.want)
		}
	}
	if lookups > 0 {
		t.Errorf("the queries caused %d look-ups of MX records, want none: anybody can send them", lookups)
	}
}

// TestFallbackAtOwnMXDomain asks without an address at a listed domain to which the MX
// hosts of its own provider alone lead: every mailbox behind them has these settings.
func TestFallbackAtOwnMXDomain(t *testing.T) {
	noMX := func(context.Context, string) ([]dns.MX, error) { return nil, nil }
	d := New([]Provider{
		{Provider: pop, Domains: []string{"hoster.example"}, MX: []string{"mx.hoster.example"}},
	}, nil, noMX)
	q := account.Query{Host: "autoconfig.hoster.example", Fallback: true}
	if s, err := d.Resolve(t.Context(), q); err != nil || s.Provider != pop {
		t.Errorf("Resolve at %s = %v, %v, want the provider pop", q.Host, s.Provider, err)
	}
}
