package directory

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
	gone      bool

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

func (s *fakeStore) Gone(string) bool { return s.gone }

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
		return []account.Server{{Type: account.IMAP, Hostname: host, Login: account.Login{Username: account.EmailAddress}}}
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

// TestNotAsked checks that a store is not asked for an account where that cannot change the
// answer, and where it can, is.
func TestNotAsked(t *testing.T) {
	only := func(c row.Columns) row.Columns { c.Domains = true; return c }
	for _, test := range []struct {
		name    string
		columns row.Columns
		signsIn bool
		address string
		asked   bool
	}{
		{"nothing to say", only(row.Columns{}), true, "anna@example.com", false},
		{"user names", only(row.Columns{Username: true}), false, "anna@example.com", true},
		{"products", only(row.Columns{Provider: true}), false, "anna@example.com", true},
		{"hosts, and servers that have none", only(row.Columns{MailHost: true}), false, "anna@example.com", false},
		{"hosts", only(row.Columns{MailHost: true}), false, "x@office.example", true},
		{"aliases that sign in", only(row.Columns{Alias: true}), true, "anna@example.com", true},
		{"aliases to other products", only(row.Columns{Alias: true}), false, "anna@example.com", true},
	} {
		store := mailcow(t, test.columns)
		told(t, hoster(test.signsIn, store), test.address)
		if asked := len(store.asked) > 0; asked != test.asked {
			t.Errorf("%s: Resolve(%s) asks for %q, want that it asks: %v", test.name, test.address, store.asked, test.asked)
		}
	}
	// With one provider, an alias has the servers of its mailbox wherever that is.
	store := mailcow(t, only(row.Columns{Alias: true}))
	for name, domain := range store.list {
		domain.Provider = "pop"
		store.list[name] = domain
	}
	told(t, hoster(false, store), "info@example.com")
	if len(store.asked) > 0 {
		t.Errorf("with one provider, Resolve asks for %q, want nothing", store.asked)
	}
	// A mailbox that the file lists, a domain, a host and a sum need no account.
	store = mailcow(t, everything)
	d := hoster(false, store)
	for _, q := range []account.Query{
		{Address: mail(t, "listed@example.com")}, {Address: account.AnyAt("example.com")}, {Host: "autoconfig.example.com"},
	} {
		if _, err := d.Resolve(t.Context(), q); err != nil || len(store.asked) > 0 {
			t.Errorf("Resolve(%+v) = %v, asks for %q, want nothing", q, err, store.asked)
		}
	}
}

// TestAskedAlike checks that a store is asked as often for an address that nobody has as
// for a mailbox, an inactive one and one of the same name with a tag.
func TestAskedAlike(t *testing.T) {
	for _, kinds := range [][]string{
		{"nobody@example.com", "anna@example.com", "gone@example.com", "sales@example.com", "ext@example.com"},
		{"nobody+x@example.com", "anna+x@example.com", "gone+x@example.com"},
		{"nobody@example.net", "anna@example.net", "own@example.net", "gone@example.net"},
	} {
		var want int
		for i, text := range kinds {
			store := mailcow(t, everything)
			told(t, hoster(false, store, &fakeStore{name: "2-ldap", columns: row.Columns{Username: true}}), text)
			if i == 0 {
				want = len(store.asked)
			}
			if len(store.asked) != want || want == 0 {
				t.Errorf("Resolve(%s) asks %d times, %q; want %d as for %s", text, len(store.asked), store.asked, want, kinds[0])
			}
		}
	}
}

// TestThreeValues checks that a failing store says "no" to nobody, and that what it is not
// needed for stays.
func TestThreeValues(t *testing.T) {
	down, blind := mailcow(t, everything), mailcow(t, everything)
	down.err, blind.err, blind.blind = errStore, errStore, true
	for _, test := range []struct {
		address            string
		whileDown, atStart string
	}{
		{"x@yaml.example", "not now", "not now"}, // it may have a user name of its own
		{"x@file.example", "x@file.example at mail.pop.example", "not now"},
		{"listed@example.com", "l1 at mail.pop.example", "not now"},
		{"anna@example.com", "not now", "not now"},
		{"x@elsewhere.example", "not now", "not now"},
		{"x@new.example", "not now", "not now"},
		{"x@closed.example", "unknown", "not now"},
	} {
		for store, want := range map[*fakeStore]string{down: test.whileDown, blind: test.atStart} {
			if got := told(t, hoster(false, store), test.address); got != want {
				t.Errorf("Resolve(%s) with a store that is down (no list: %v) = %s, want %s", test.address, store.blind, got, want)
			}
		}
	}
	// Where accounts cannot differ, they are not asked for.
	down.columns = row.Columns{Domains: true, OneDomain: true}
	for text, want := range map[string]string{
		"anna@example.com":    "anna@example.com at mail.pop.example",
		"x@bymx.example":      "x@bymx.example at mail.pop.example", // as before the failure
		"x@elsewhere.example": "not now",
	} {
		if got := told(t, hoster(false, down), text); got != want {
			t.Errorf("Resolve(%s) with a store that is down and knows domains only = %s, want %s", text, got, want)
		}
	}
	for _, test := range []struct {
		domain                 string
		up, whileDown, atStart string
		lists                  bool
	}{
		{"yaml.example", "yes", "yes", "yes", true},
		{"example.com", "yes", "yes", "not now", true},
		{"example.net", "yes", "yes", "not now", true},
		{"new.example", "yes", "not now", "not now", false},
		{"bymx.example", "yes", "yes", "not now", false},
		{"elsewhere.example", "unknown", "not now", "not now", false},
		{"closed.example", "unknown", "unknown", "not now", false},
		{"lost.example", "unknown", "not now", "not now", false},
	} {
		up := hoster(false, mailcow(t, everything))
		for _, c := range []struct {
			d    *Directory
			when string
			want string
		}{{up, "up", test.up}, {hoster(false, down), "down", test.whileDown},
			{hoster(false, blind), "down since the start", test.atStart}} {
			got := "yes"
			if err := c.d.Serves(t.Context(), test.domain); account.IsUnknown(err) {
				got = "unknown"
			} else if err != nil {
				got = "not now"
			}
			if got != c.want {
				t.Errorf("Serves(%s) with a store that is %s = %s, want %s", test.domain, c.when, got, c.want)
			}
		}
		if got := up.Lists(test.domain); got != test.lists {
			t.Errorf("Lists(%s) = %v, want %v", test.domain, got, test.lists)
		}
	}
	recent := mailcow(t, everything)
	recent.gone = false
	settled := mailcow(t, everything)
	if hoster(false, recent).Gone("elsewhere.example") || !hoster(false, settled).Gone("elsewhere.example") {
		t.Error("Gone is not what the store says")
	}
}

// TestHosted checks the list of all domains.
func TestHosted(t *testing.T) {
	blind := &fakeStore{name: "2-blind", columns: everything, blind: true, err: errStore}
	all, err := hoster(false, mailcow(t, everything), blind).Hosted()
	if err == nil || !strings.Contains(err.Error(), "2-blind") || !errors.Is(err, errStore) {
		t.Errorf("Hosted with a store that has no list: error %v, want one that names it", err)
	}
	want := []string{"yaml.example", "file.example", "alias.example", "example.com",
		"example.net", "office.example", "xn--bcher-kva.example"}
	if got := slices.Collect(all); !slices.Equal(got, want) {
		t.Errorf("Hosted = %q, want %q", got, want)
	}
	for range all {
		break
	}
}

// TestStoresWithoutAddress checks that what an address was refused is not given without
// one, and that a sum that no store can be asked for gives no wrong login.
func TestStoresWithoutAddress(t *testing.T) {
	names, plain := mailcow(t, everything), mailcow(t, row.Columns{Domains: true})
	for _, q := range []account.Query{
		{Host: "example.com", Fallback: true},
		{Address: account.AnyAt("example.com"), Fallback: true},
		{Address: account.AnyAt("example.com"), MD5: [16]byte{1}},
		{Address: account.AnyAt("example.net"), MD5: [16]byte{1}},
	} {
		if _, err := hoster(false, names).Resolve(t.Context(), q); !errors.Is(err, account.ErrAddressRequired) {
			t.Errorf("Resolve(%+v) where accounts may differ: %v, want that an address is required", q, err)
		}
		office := &account.Provider{ID: "office"}
		s, err := New([]Provider{{Provider: pop, Domains: []string{"yaml.example"}}, {Provider: office}}, nil, nil, plain).Resolve(t.Context(), q)
		if err != nil || s.Provider != pop {
			t.Errorf("Resolve(%+v) where accounts cannot differ = %v, %v, want the provider pop", q, s.Provider, err)
		}
	}
}

// TestStoredProviders checks which providers a mailbox may have.
func TestStoredProviders(t *testing.T) {
	for _, test := range []struct {
		columns row.Columns
		domain  string
		want    string
	}{
		{row.Columns{Domains: true}, "yaml.example", "pop office"}, // the list in the file names it, too
		{row.Columns{Domains: true, Provider: true}, "example.com", "pop office"},
		{row.Columns{Domains: true, Alias: true}, "office.example", "office pop"},
	} {
		providers, err := hoster(false, mailcow(t, test.columns)).ProvidersOf(t.Context(), test.domain)
		var ids []string
		for _, p := range providers {
			ids = append(ids, p.ID)
		}
		if got := strings.Join(ids, " "); err != nil || got != test.want {
			t.Errorf("ProvidersOf(%s) with the columns %+v = %s, %v, want %s", test.domain, test.columns, got, err, test.want)
		}
	}
	d := New([]Provider{
		{Provider: pop, Domains: []string{"yaml.example"}}, {Provider: other, Domains: []string{"o.example"}},
	}, nil, nil, mailcow(t, row.Columns{Domains: true}))
	if providers, err := d.ProvidersOf(t.Context(), "yaml.example"); err != nil || len(providers) != 1 {
		t.Errorf("ProvidersOf where no account may differ = %v, %v, want one", providers, err)
	}
}

// TestTrace checks what the operator is told of each hop.
func TestTrace(t *testing.T) {
	for text, want := range map[string]string{
		"post@example.com":  "post@example.com → info@example.com → anna@example.com, active",
		"dead@example.com":  "dead@example.com → gone@example.com, inactive",
		"anna@example.net":  "anna@example.com, active",
		"sales@example.com": "sales@example.com, an alias of 2 addresses has no login of its own",
		"ext@example.com":   "ext@example.com, none of the 1 addresses behind it is hosted here by name",
		"loop1@example.com": "loop1@example.com → loop2@example.com → loop1@example.com, " +
			"the aliases lead around in a circle, or are more than 5",
		"two@example.com":    "two@example.com, 2 entries have the address",
		"nobody@example.com": "not listed",
	} {
		// The store can say nothing that an answer depends on, and is asked all the same.
		trace, err := hoster(false, mailcow(t, row.Columns{Domains: true, Alias: true})).Trace(t.Context(), mail(t, text))
		if err != nil || trace.String() != want || trace.Domain != "1-mailcow" {
			t.Errorf("Trace(%s) = %s in %s, %v; want %s in 1-mailcow", text, trace, trace.Domain, err, want)
		}
	}
	down := mailcow(t, everything)
	down.err = errStore
	if _, err := hoster(false, down).Trace(t.Context(), mail(t, "anna@example.com")); !errors.Is(err, errStore) {
		t.Errorf("Trace with a store that is down: %v, want the failure", err)
	}
	_, err := hoster(false, mailcow(t, everything)).Trace(t.Context(), mail(t, "lisa@closed.example"))
	if !account.IsUnknown(err) || !strings.Contains(err.Error(), "inactive in 1-mailcow") {
		t.Errorf("Trace in an inactive domain: %v, want that it is inactive there", err)
	}
}

// TestTwoStores checks that the first store has a domain, and that accounts are looked for
// where the domain is, and in stores without domains.
func TestTwoStores(t *testing.T) {
	first, second := mailcow(t, everything), mailcow(t, everything)
	second.name = "2-second"
	second.list = map[string]Domain{"example.com": {Provider: "office"}, "two.example": {Provider: "office"}}
	second.accounts = map[string]Stored{"anna@example.com": {Record: Record{Username: "wrong"}},
		"anna@two.example": {Record: Record{Username: "right"}}}
	ldap := &fakeStore{name: "3-ldap", columns: row.Columns{Username: true},
		accounts: map[string]Stored{"kim@two.example": {Record: Record{Username: "kim"}},
			"bo@example.com": {Record: Record{Username: "late"}}}}
	for text, want := range map[string]string{
		"anna@example.com": "anna@example.com at mail.pop.example",
		"bo@example.com":   "u7 at mail.pop.example",
		"anna@two.example": "right at mail1.example.org",
		"kim@two.example":  "kim at mail1.example.org",
	} {
		if got := told(t, hoster(false, first, second, ldap), text); got != want {
			t.Errorf("Resolve(%s) = %s, want %s", text, got, want)
		}
	}
}

// slowStore is a store that needs nearly a second for an account.
type slowStore struct{ fakeStore }

func (s *slowStore) Account(ctx context.Context, a account.Address, how Lookup) (Stored, bool, error) {
	select {
	case <-ctx.Done():
		return Stored{}, false, ctx.Err()
	case <-time.After(900 * time.Millisecond):
		return s.fakeStore.Account(ctx, a, how)
	}
}

// TestAnswerTime checks that an answer waits for stores no longer than two seconds,
// however many questions it takes.
func TestAnswerTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := hoster(true, &slowStore{*mailcow(t, everything)})
		for text, want := range map[string]time.Duration{
			"anna@example.com":   900 * time.Millisecond,
			"info@example.com":   1800 * time.Millisecond,
			"anna+x@example.net": answerTime, // four questions
		} {
			start := time.Now()
			_, err := d.Resolve(t.Context(), account.Query{Address: mail(t, text)})
			if took := time.Since(start); took != want || (err != nil) != (want == answerTime) {
				t.Errorf("Resolve(%s) = %v after %v, want %v", text, err, took, want)
			}
		}
	})
}
