package directory

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/sources/row"
)

// fakeStore is a store whose answers a test sets. It remembers nothing.
type fakeStore struct {
	name      string
	columns   row.Columns
	accounts  map[string]Stored
	providers []string // of accounts
	list      map[string]Domain
	fresh     map[string]Domain // not in the list as yet
	err       error             // of every question
	blind     bool              // it has no list as yet
	gone, had bool              // what Gone says

	asked []string
}

func (s *fakeStore) Name() string               { return s.name }
func (s *fakeStore) Columns() row.Columns       { return s.columns }
func (s *fakeStore) AccountProviders() []string { return s.providers }

func (s *fakeStore) DomainProviders() (ids []string) {
	for _, domain := range s.list {
		if domain.Provider != "" && !slices.Contains(ids, domain.Provider) {
			ids = append(ids, domain.Provider)
		}
	}
	return ids
}

func (s *fakeStore) Account(_ context.Context, a account.Address, _ Lookup) (Stored, bool, error) {
	s.asked = append(s.asked, a.Key())
	r, ok := s.accounts[a.Key()]
	return r, ok && s.err == nil, s.err
}

func (s *fakeStore) Known(account.Address, Lookup) (Stored, bool, bool) {
	return Stored{}, false, false
}

func (s *fakeStore) Domain(_ context.Context, name string) (Domain, bool, error) {
	s.asked = append(s.asked, name)
	switch {
	case s.err != nil && s.blind:
		return Domain{}, false, s.err
	case s.err != nil:
		return Domain{}, false, fmt.Errorf("%w: %w", ErrNotListed, s.err)
	}
	r, ok := s.fresh[name]
	return r, ok, nil
}

func (s *fakeStore) HasList() bool { return !s.blind }

func (s *fakeStore) Listed(name string) (Domain, bool) {
	if s.blind {
		return Domain{}, false
	}
	r, ok := s.list[name]
	return r, ok
}

func (s *fakeStore) Domains() (iter.Seq2[string, Domain], error) {
	if s.blind {
		return nil, s.err
	}
	return func(yield func(string, Domain) bool) {
		for _, name := range slices.Sorted(maps.Keys(s.list)) {
			if !yield(name, s.list[name]) {
				return
			}
		}
	}, nil
}

func (s *fakeStore) Gone(string) (gone, had bool) { return s.gone, s.had }

var errStore = errors.New("the store is down")

// everything are the columns of a store that can say all that there is.
var everything = row.Columns{
	Alias: true, Provider: true, Username: true, MailHost: true, Domains: true, OneDomain: true,
}

// mailcow returns a store with the kinds of addresses and domains that mail systems have.
func mailcow(t testing.TB, columns row.Columns) *fakeStore {
	t.Helper()
	to := func(targets ...string) (s Stored) {
		for _, target := range targets {
			s.Aliases = append(s.Aliases, mail(t, target))
		}
		return s
	}
	return &fakeStore{
		name: "1-mailcow", columns: columns, providers: []string{"pop", "office"}, gone: true,
		list: map[string]Domain{
			"example.com":           {Provider: "pop"},
			"example.net":           {Provider: "pop", Alias: "example.com"},
			"office.example":        {Provider: "office", MailHost: "mail2.example.org"},
			"closed.example":        {Provider: "pop", Inactive: true},
			"lost.example":          {Provider: "pop", Alias: "gone.example"},
			"circle1.example":       {Alias: "circle2.example"},
			"circle2.example":       {Alias: "circle1.example"},
			"xn--bcher-kva.example": {Provider: "pop"},
			"yaml.example":          {Provider: "office"},
			"alias.example":         {Alias: "yaml.example"},
		},
		fresh: map[string]Domain{"new.example": {Provider: "office"}},
		accounts: map[string]Stored{
			"anna@example.com":           {Record: Record{DisplayName: "Anna Å"}},
			"bo@example.com":             {Record: Record{Username: "u7"}},
			"boss@example.com":           {Record: Record{Provider: "office"}, MailHost: "mail3.example.org"},
			"gone@example.com":           {Record: Record{Inactive: true}},
			"info@example.com":           to("anna@example.com"),
			"post@example.com":           to("info@example.com"),
			"copy@example.com":           to("bo@example.com", "bo@elsewhere.example", "bo@example.net"),
			"sales@example.com":          to("anna@example.com", "bo@example.com"),
			"ext@example.com":            to("x@elsewhere.example"),
			"loop1@example.com":          to("loop2@example.com"),
			"loop2@example.com":          to("loop1@example.com"),
			"self@example.com":           to("self@example.com"),
			"dead@example.com":           to("gone@example.com"),
			"chief@example.com":          to("boss@example.com"),
			"far@example.com":            to("kim@office.example"),
			"new@example.com":            to("nobody@example.com"),
			"own@example.net":            {},
			"team@example.net":           to("anna@example.com", "bo@example.com"),
			"via@example.com":            to("anna@example.net"),
			"fred@xn--bcher-kva.example": to("anna@example.com"),
			"deep0@example.com":          to("deep1@example.com"),
			"deep1@example.com":          to("deep2@example.com"),
			"deep2@example.com":          to("deep3@example.com"),
			"deep3@example.com":          to("deep4@example.com"),
			"deep4@example.com":          to("deep5@example.com"),
			"deep5@example.com":          to("deep6@example.com"),
			"deep6@example.com":          {},
			"tag@example.com":            {Record: Record{Username: "tag"}},
			"two@example.com":            {Record: Record{}, Problem: "2 entries have the address"},
			"kim@office.example":         {Record: Record{Username: "kim"}},
			"ann@file.example":           {Record: Record{Username: "wrong"}},
			"ann@yaml.example":           {Record: Record{Username: "ann"}},
			"@example.com":               to("anna@example.com"),
		},
	}
}

// hoster returns a directory with the store, in which aliases sign in as their mailbox or
// not.
func hoster(aliasSignsIn bool, stores ...Store) *Directory {
	server := func(host string) []account.Server {
		return []account.Server{{Type: account.IMAP, Hostname: host,
			Login: account.Login{Username: account.EmailAddress}}}
	}
	noMX := func(context.Context, string) ([]dns.MX, error) { return nil, nil }
	mx := func(ctx context.Context, domain string) ([]dns.MX, error) {
		if domain == "bymx.example" {
			return []dns.MX{{Host: "mx.pop.example"}}, nil
		}
		return noMX(ctx, domain)
	}
	return New([]Provider{
		{Provider: &account.Provider{ID: "pop", Servers: server("mail.pop.example"), AliasSignsInAsMailbox: aliasSignsIn},
			Domains: []string{"yaml.example", "file.example"}, MX: []string{"mx.pop.example"}},
		{Provider: &account.Provider{ID: "office", Servers: server(account.MailHost), MailHost: "mail1.example.org",
			AliasSignsInAsMailbox: aliasSignsIn}},
	}, []List{{"listed@example.com": {Username: "l1"}}}, mx, stores...)
}

// TestStored checks what the kinds of addresses in a store are told, where aliases sign in
// as their mailbox.
func TestStored(t *testing.T) {
	for text, want := range map[string]string{
		"anna@example.com":       "anna@example.com at mail.pop.example",
		"bo@example.com":         "u7 at mail.pop.example",
		"boss@example.com":       "boss@example.com at mail3.example.org",
		"gone@example.com":       "gone@example.com at mail.pop.example",
		"nobody@example.com":     "nobody@example.com at mail.pop.example",
		"listed@example.com":     "l1 at mail.pop.example",
		"info@example.com":       "anna@example.com at mail.pop.example",
		"post@example.com":       "anna@example.com at mail.pop.example",
		"copy@example.com":       "u7 at mail.pop.example",
		"sales@example.com":      "sales@example.com at mail.pop.example",
		"ext@example.com":        "ext@example.com at mail.pop.example",
		"loop1@example.com":      "loop1@example.com at mail.pop.example",
		"self@example.com":       "self@example.com at mail.pop.example",
		"dead@example.com":       "gone@example.com at mail.pop.example",
		"chief@example.com":      "boss@example.com at mail3.example.org",
		"far@example.com":        "kim at mail2.example.org",
		"new@example.com":        "nobody@example.com at mail.pop.example",
		"two@example.com":        "two@example.com at mail.pop.example",
		"via@example.com":        "anna@example.com at mail.pop.example",
		"deep1@example.com":      "deep6@example.com at mail.pop.example",
		"deep0@example.com":      "deep0@example.com at mail.pop.example",
		"anna+x@example.com":     "anna@example.com at mail.pop.example", // as for any with a tag
		"tag+x@example.com":      "tag at mail.pop.example",
		"info+x@example.com":     "anna@example.com at mail.pop.example",
		"fred@bücher.example":    "anna@example.com at mail.pop.example",
		"anna@example.net":       "anna@example.com at mail.pop.example",
		"info@example.net":       "anna@example.com at mail.pop.example",
		"bo@example.net":         "u7 at mail.pop.example",
		"nobody@example.net":     "nobody@example.com at mail.pop.example",
		"own@example.net":        "own@example.net at mail.pop.example",
		"team@example.net":       "team@example.com at mail.pop.example",
		"x@office.example":       "x@office.example at mail2.example.org",
		"x@new.example":          "x@new.example at mail1.example.org",
		"x@yaml.example":         "x@yaml.example at mail.pop.example",
		"ann@yaml.example":       "ann at mail.pop.example",
		"ann@alias.example":      "ann at mail.pop.example",
		"x@alias.example":        "x@yaml.example at mail.pop.example",
		"ann@file.example":       "ann@file.example at mail.pop.example", // no domain of the store
		"x@bymx.example":         "x@bymx.example at mail.pop.example",
		"lisa@closed.example":    "unknown",
		"lisa@lost.example":      "unknown",
		"lisa@circle1.example":   "unknown",
		"lisa@elsewhere.example": "unknown",
	} {
		if got := told(t, hoster(true, mailcow(t, everything)), text); got != want {
			t.Errorf("Resolve(%s) = %s, want %s", text, got, want)
		}
	}
	// Where they do not, an alias has the servers of its mailbox and its own login.
	for text, want := range map[string]string{
		"info@example.com":   "info@example.com at mail.pop.example",
		"info+x@example.com": "info+x@example.com at mail.pop.example",
		"chief@example.com":  "chief@example.com at mail3.example.org",
		"far@example.com":    "far@example.com at mail2.example.org",
		"sales@example.com":  "sales@example.com at mail.pop.example",
		"info@example.net":   "info@example.com at mail.pop.example",
		"own@example.net":    "own@example.net at mail.pop.example",
		"copy@example.com":   "copy@example.com at mail.pop.example",
	} {
		if got := told(t, hoster(false, mailcow(t, everything)), text); got != want {
			t.Errorf("Resolve(%s) = %s, want %s", text, got, want)
		}
	}
}

// told returns the login and the host that an address is told.
func told(t testing.TB, d *Directory, text string) string {
	t.Helper()
	s, err := d.Resolve(t.Context(), account.Query{Address: mail(t, text)})
	switch {
	case account.IsUnknown(err):
		return "unknown"
	case err != nil:
		return "not now"
	}
	server := s.Expanded()[0]
	return server.Login.Username + " at " + server.Hostname
}
