package service

import (
	"log/slog"
	"testing"

	"signpost/account"
	"signpost/internal/config"
	"signpost/internal/directory"
	"signpost/internal/dns"
	"signpost/internal/sources"
	"signpost/internal/sources/memory"
	"signpost/internal/sources/row"
)

// withStore returns a configuration with a store in memory.
func withStore(t *testing.T, b *memory.Backend, provider string, earlier *Loaded) *Loaded {
	t.Helper()
	resolver, err := dns.NewResolver([]string{"127.0.0.1:1"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	l := &Loaded{Resolver: resolver, Config: &config.Config{
		Providers: []directory.Provider{{Provider: &account.Provider{ID: "a"}}, {Provider: &account.Provider{ID: "b"}}},
		Accounts: []config.AccountSource{{List: directory.List{}},
			{Store: &sources.Options{Name: "2-memory", Backend: b, Provider: provider}}},
	}}
	l.openSources(earlier, slog.New(slog.DiscardHandler))
	return l
}

// TestReloadedSources checks that a reload keeps what is known of a store that stays the
// same, whatever its domains mean now, and that a store is closed when it is used no more.
func TestReloadedSources(t *testing.T) {
	b := &memory.Backend{Has: row.Columns{Domains: true}}
	b.SetDomains(row.Domain{Domain: "a.example"}, row.Domain{Domain: "b.example", Provider: "b"})
	first := withStore(t, b, "a", nil)
	if err := first.Sources[0].Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	expectProvider(t, first, "a.example", "a")
	expectProvider(t, first, "b.example", "b")
	second := withStore(t, b, "b", first)
	expectProvider(t, second, "a.example", "b")
	first.closeSources()
	expectProvider(t, second, "a.example", "b")
	other := &memory.Backend{Has: row.Columns{Domains: true}}
	third := withStore(t, other, "a", second)
	second.closeSources()
	if !b.Closed() {
		t.Error("the store that left is not closed")
	}
	expectProvider(t, third, "a.example", "a") // until there is a list of the other
	third.closeSources()
	if !other.Closed() {
		t.Error("the other store is not closed at the end")
	}
}

func expectProvider(t *testing.T, l *Loaded, domain, want string) {
	t.Helper()
	s, err := l.Directory.Resolve(t.Context(), account.Query{Address: account.AnyAt(domain)})
	if err != nil || s.Provider.ID != want {
		t.Errorf("Resolve(any mailbox of %s) = %v, %v, want the provider %s", domain, s.Provider, err, want)
	}
}
