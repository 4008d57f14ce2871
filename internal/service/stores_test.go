package service

import (
	"log/slog"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/config"
	"signpost/internal/directory"
	"signpost/internal/dns"
	"signpost/internal/sources"
	"signpost/internal/sources/memory"
	"signpost/internal/sources/row"
)

// withStore returns a configuration with a list and a store in memory.
func withStore(t *testing.T, b *memory.Backend, provider string, earlier *Loaded) *Loaded {
	t.Helper()
	return withAccounts(t, earlier, config.AccountSource{List: directory.List{}},
		config.AccountSource{Store: &sources.Options{Name: "2-memory", Backend: b, Provider: provider}})
}

// withAccounts returns a configuration with two providers and sources of accounts.
func withAccounts(t *testing.T, earlier *Loaded, accounts ...config.AccountSource) *Loaded {
	t.Helper()
	resolver, err := dns.NewResolver([]string{"127.0.0.1:1"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	l := &Loaded{Resolver: resolver, Config: &config.Config{
		Providers: []directory.Provider{{Provider: &account.Provider{ID: "a"}}, {Provider: &account.Provider{ID: "b"}}},
		Accounts:  accounts,
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

// TestReplacedSources checks that a source which is changed, and may stand elsewhere in
// the file now, has the list of the one that it replaces while its store is down.
func TestReplacedSources(t *testing.T) {
	type settings struct {
		Place string
		Limit int
	}
	type others struct{ Place string }
	source := func(name string, options any, domains ...string) config.AccountSource {
		b := &memory.Backend{Has: row.Columns{Domains: true}, Options: options}
		for _, domain := range domains {
			b.SetDomains(row.Domain{Domain: domain})
		}
		return config.AccountSource{Store: &sources.Options{Name: name, Backend: b, Provider: "a"}}
	}
	for _, test := range []struct {
		what    string
		sources []config.AccountSource
		want    []string
	}{
		{"a list above is removed", []config.AccountSource{
			source("1-sql", settings{"x", 2}), source("2-sql", settings{"y", 2}), source("3-ldap", others{"x2"}),
		}, []string{"x.example", "y.example", "ldap.example"}},
		{"the first one is removed", []config.AccountSource{source("1-sql", settings{"y", 2})}, []string{"y.example"}},
		{"they change places", []config.AccountSource{source("2-sql", settings{"y", 2}), source("3-sql", settings{"x", 2})},
			[]string{"y.example", "x.example"}},
		{"the first one stays", []config.AccountSource{source("2-sql", settings{"x", 1}), source("3-sql", settings{"z", 1})},
			[]string{"x.example", "y.example"}},
		{"its preset is written out", []config.AccountSource{source("2-own", settings{"y", 2})}, []string{"y.example"}},
		{"another kind comes", []config.AccountSource{source("2-sql", struct{ A int }{1})}, []string{""}},
	} {
		earlier := withAccounts(t, nil, config.AccountSource{List: directory.List{}},
			source("2-sql", settings{"x", 1}, "x.example"), source("3-sql", settings{"y", 1}, "y.example"),
			source("4-ldap", others{"x"}, "ldap.example"))
		if errs := earlier.ReadSources(t.Context()); len(errs) > 0 {
			t.Fatal(errs)
		}
		l := withAccounts(t, earlier, test.sources...)
		for i, s := range l.Sources {
			got := ""
			if domains, err := s.Domains(); err == nil {
				for domain := range domains {
					got += domain
				}
			}
			if got != test.want[i] {
				t.Errorf("where %s, source %s knows the domain %q before it is read, want %q",
					test.what, s.Name(), got, test.want[i])
			}
		}
		earlier.closeSources()
		l.closeSources()
	}
}

// TestWords checks that a store may name a provider by its id, also if it has words for
// some, and that a check says what follows for its accounts.
func TestWords(t *testing.T) {
	b := &memory.Backend{Has: row.Columns{Domains: true, Provider: true}}
	b.SetDomains(row.Domain{Domain: "word.example", Provider: "prem"}, row.Domain{Domain: "id.example", Provider: "b"},
		row.Domain{Domain: "none.example"})
	l := withAccounts(t, nil, config.AccountSource{Store: &sources.Options{
		Name: "1-memory", Backend: b, Provider: "a", Providers: map[string]string{"prem": "b"},
	}})
	defer l.closeSources()
	if errs := l.ReadSources(t.Context()); len(errs) > 0 {
		t.Fatal(errs)
	}
	expectProvider(t, l, "word.example", "b")
	expectProvider(t, l, "id.example", "b")
	expectProvider(t, l, "none.example", "a")
	told, misled := l.toldOf(l.Sources[0])
	if len(misled) != 1 || !strings.Contains(misled[0], "no address") {
		t.Errorf("these set accounts up wrongly: %q, want clients that send no address", misled)
	}
	if len(told) != 1 || !strings.Contains(told[0], "learns its provider") {
		t.Errorf("the notes about accounts are %q, want one about what is told", told)
	}
	for i := range l.Config.Providers {
		l.Config.Providers[i].NothingWithoutAddress = true
	}
	if _, misled := l.toldOf(l.Sources[0]); len(misled) != 0 {
		t.Errorf("with withoutAddress: nothing these set accounts up wrongly: %q, want none", misled)
	}
}

// TestAliasLogin has a check say what an alias is told as its login.
func TestAliasLogin(t *testing.T) {
	b := &memory.Backend{Has: row.Columns{Domains: true, Alias: true}}
	l := withAccounts(t, nil,
		config.AccountSource{Store: &sources.Options{Name: "1-memory", Backend: b, Provider: "a"}})
	defer l.closeSources()
	for _, test := range []struct {
		follows bool
		want    string
	}{
		{false, "aliasLogin: mailbox tells the login"},
		{true, "learns the mailbox behind an alias"},
	} {
		for i := range l.Config.Providers {
			l.Config.Providers[i].AliasSignsInAsMailbox = test.follows
		}
		if told, _ := l.toldOf(l.Sources[0]); len(told) != 1 || !strings.Contains(told[0], test.want) {
			t.Errorf("with aliases that lead to mailboxes (%t) the notes are %q, want one with %q",
				test.follows, told, test.want)
		}
	}
}
