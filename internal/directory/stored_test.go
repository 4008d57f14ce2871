package directory

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signpost/account"
	"signpost/internal/sources/row"
)

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
			t.Errorf("%s: Resolve(%s) asks for %q, want that it asks: %v",
				test.name, test.address, store.asked, test.asked)
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
				t.Errorf("Resolve(%s) asks %d times, %q; want %d as for %s",
					text, len(store.asked), store.asked, want, kinds[0])
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
				t.Errorf("Resolve(%s) with a store that is down (no list: %v) = %s, want %s",
					test.address, store.blind, got, want)
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
}

// TestListBeforeStores checks that an account of a list with a provider of its own does not
// wait for a store that may have its domain, unless that could change the answer.
func TestListBeforeStores(t *testing.T) {
	list := List{
		"boss@new.example":  {Provider: "pop", Username: "boss"},
		"host@new.example":  {Provider: "office"}, // whose servers depend on the domain's host
		"user@new.example":  {Username: "u2"},
		"alias@new.example": {Provider: "pop", Alias: mail(t, "boss@new.example")},
	}
	for _, test := range []struct {
		address, want string
		asks          bool
	}{
		{"boss@new.example", "boss at mail.pop.example", false},
		{"boss+x@new.example", "boss at mail.pop.example", false},
		{"host@new.example", "host@new.example at mail1.example.org", true},
		{"alias@new.example", "not now", true},
		{"user@new.example", "not now", true},
		{"nobody@new.example", "not now", true},
	} {
		store := mailcow(t, everything)
		store.err, store.blind = errStore, true
		d := hoster(false, store)
		d = New(d.providers, []List{list}, d.lookupMX, store)
		if got := told(t, d, test.address); got != test.want || len(store.asked) > 0 != test.asks {
			t.Errorf("Resolve(%s) while the store is down = %s, asks for %q; want %s, that it asks: %v",
				test.address, got, store.asked, test.want, test.asks)
		}
	}
}

// TestAliasInOtherStore checks an alias whose mailbox is in another name of a domain that
// only another store can have: before that has a list, nobody knows that it is not hosted.
func TestAliasInOtherStore(t *testing.T) {
	first := mailcow(t, everything)
	first.list["short.example"] = Domain{Alias: "long.example"}
	first.accounts["away@example.com"] = Stored{Aliases: []account.Address{mail(t, "kim@short.example")}}
	second := &fakeStore{name: "2-other", columns: everything, providers: []string{"office"},
		list: map[string]Domain{"long.example": {Provider: "office"}}}
	for _, test := range []struct {
		what   string
		change func()
		want   string
	}{
		{"has a list", func() {}, "kim@long.example at mail1.example.org"},
		{"is down, with a list without it", func() { second.list, second.err = nil, errStore },
			"away@example.com at mail.pop.example"},
		{"is down since the start", func() { second.blind = true }, "not now"},
		{"has no list, and is asked", func() {
			second.err, second.fresh = nil, map[string]Domain{"long.example": {Provider: "office"}}
		}, "kim@long.example at mail1.example.org"},
		{"has no list, and lacks it", func() { second.fresh = nil }, "away@example.com at mail.pop.example"},
	} {
		test.change()
		if got := told(t, hoster(true, first, second), "away@example.com"); got != test.want {
			t.Errorf("Resolve(away@example.com) where the other store %s = %s, want %s", test.what, got, test.want)
		}
	}
}

// TestGone checks that a domain is gone that some store has had and that all lack, and
// that one which no store has had since the start keeps what was made for it.
func TestGone(t *testing.T) {
	const never, recent, gone, accounts = "never had it", "had it in a recent list", "had it", "has accounts only"
	store := func(kind string) Store {
		s := mailcow(t, everything)
		s.gone, s.had = kind != recent, kind == recent || kind == gone
		if kind == accounts {
			s.columns, s.gone = row.Columns{Username: true}, false
		}
		return s
	}
	for _, test := range []struct {
		stores []string
		want   bool
	}{
		{nil, true},
		{[]string{accounts}, true},
		{[]string{never}, false},
		{[]string{recent}, false},
		{[]string{gone}, true},
		{[]string{gone, accounts}, true},
		{[]string{never, never}, false},
		{[]string{never, gone}, true},
		{[]string{gone, never}, true},
		{[]string{gone, recent}, false},
	} {
		var stores []Store
		for _, kind := range test.stores {
			stores = append(stores, store(kind))
		}
		if got := hoster(false, stores...).Gone("elsewhere.example"); got != test.want {
			t.Errorf("Gone(elsewhere.example) with stores of which each %q = %v, want %v", test.stores, got, test.want)
		}
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
		d := New([]Provider{{Provider: pop, Domains: []string{"yaml.example"}}, {Provider: office}}, nil, nil, plain)
		s, err := d.Resolve(t.Context(), q)
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
			t.Errorf("ProvidersOf(%s) with the columns %+v = %s, %v, want %s",
				test.domain, test.columns, got, err, test.want)
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
		"sales@example.com": "sales@example.com, several mailboxes here get its mail, so it is nobody's login",
		"ext@example.com":   "ext@example.com, its mail goes only to addresses whose domains neither this file nor an account source lists",
		"loop1@example.com": "loop1@example.com → loop2@example.com → loop1@example.com, " +
			"the aliases lead around in a circle, or more than 5 follow one another",
		"two@example.com":    "two@example.com, 2 entries have the address",
		"nobody@example.com": "not listed",
	} {
		// The store can say nothing that an answer depends on, and is asked all the same.
		trace, err := hoster(false, mailcow(t, row.Columns{Domains: true, Alias: true})).Trace(t.Context(),
			mail(t, text))
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
	if !account.IsUnknown(err) || !strings.Contains(err.Error(), "inactive in account source 1-mailcow") {
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
