package sources

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"signpost/internal/directory"
	"signpost/internal/sources/memory"
	"signpost/internal/sources/row"
)

var lists = row.Columns{Domains: true, OneDomain: true}

// domains returns rows of domains.
func domains(names ...string) (rows []row.Domain) {
	for _, name := range names {
		rows = append(rows, row.Domain{Domain: name})
	}
	return rows
}

// started returns a source that reads the list of a store's domains.
func started(t testing.TB, columns row.Columns, names ...string) (*Source, *memory.Backend) {
	t.Helper()
	s, b := open(t, columns)
	b.SetDomains(domains(names...)...)
	s.Start(false)
	synctest.Wait()
	return s, b
}

// state asks for a domain: yes, no, or unknown where that cannot be known now.
func state(t testing.TB, s *Source, name string) string {
	t.Helper()
	_, ok, err := s.Domain(t.Context(), name)
	switch {
	case err != nil && errors.Is(err, directory.ErrNotListed):
		return "unlisted"
	case err != nil:
		return "unknown"
	case ok:
		return "yes"
	}
	return "no"
}

func expectState(t testing.TB, s *Source, name, want string) {
	t.Helper()
	if got := state(t, s, name); got != want {
		t.Errorf("Domain(%s) = %s, want %s", name, got, want)
	}
}

// TestNewDomain checks that a new customer's domain is known at once, and in the list
// within a refresh, and that listed domains cost no question.
func TestNewDomain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := started(t, lists, "a.example", "b.example")
		b.Asked()
		expectState(t, s, "a.example", "yes")
		expectState(t, s, "c.example", "no")
		expectState(t, s, "c.example", "no")
		if asked := b.Asked(); !slices.Equal(asked, []string{"c.example"}) {
			t.Errorf("the store was asked for %q, want c.example once", asked)
		}
		b.SetDomains(domains("a.example", "b.example", "new.example")...)
		expectState(t, s, "new.example", "yes")
		if _, ok := s.Listed("new.example"); ok {
			t.Error("Listed(new.example) = true before the next list, want false")
		}
		time.Sleep(70 * time.Second)
		if _, ok := s.Listed("new.example"); !ok {
			t.Error("Listed(new.example) = false after a refresh, want true")
		}
		b.SetDomains(domains("a.example", "b.example")...)
		time.Sleep(70 * time.Second)
		expectState(t, s, "new.example", "no")
	})
}

// TestFlood checks that a flood of foreign names costs at most 20 questions a second.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := started(t, lists, "a.example")
		b.Asked()
		for i := range 1000 {
			expectState(t, s, fmt.Sprintf("x%d.example", i), "no")
		}
		if asked := b.Asked(); len(asked) != newDomains {
			t.Errorf("1000 foreign names cost %d questions at once, want %d", len(asked), newDomains)
		}
		time.Sleep(500 * time.Millisecond)
		for i := range 1000 {
			expectState(t, s, fmt.Sprintf("y%d.example", i), "no")
		}
		if asked := b.Asked(); len(asked) != newDomains/2 {
			t.Errorf("half a second later they cost %d more, want %d", len(asked), newDomains/2)
		}
		expectState(t, s, "a.example", "yes")
	})
}

// TestListOutage checks that a failing store says "no" to nobody and keeps its domains.
func TestListOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := started(t, lists, "a.example")
		b.Fail(errDown)
		time.Sleep(48 * time.Hour)
		expectState(t, s, "a.example", "yes")
		expectState(t, s, "new.example", "unlisted")
		if st := s.Stats(); st.Domains != 1 || !errors.Is(st.ListError, errDown) ||
			time.Since(st.ListRead) < 47*time.Hour {
			t.Errorf("Stats after two days = %+v, want 1 domain, the cause and the age of the list", st)
		}
		b.Fail(nil)
		b.SetDomains(domains("a.example", "new.example")...)
		time.Sleep(maxRetry + maxRetry/10)
		expectState(t, s, "new.example", "yes")
		if st := s.Stats(); st.Domains != 2 || st.ListError != nil {
			t.Errorf("Stats after the outage = %+v, want 2 domains and no error", st)
		}
	})
}

// TestStartInOutage checks that no domain is known before the first list, and all are
// within a second of the store's return if somebody asks.
func TestStartInOutage(t *testing.T) {
	for _, columns := range []row.Columns{lists, {Domains: true}} {
		synctest.Test(t, func(t *testing.T) {
			s, b := open(t, columns)
			b.SetDomains(domains("a.example")...)
			b.Fail(errDown)
			s.Start(false)
			time.Sleep(10 * time.Minute)
			expectState(t, s, "a.example", "unknown")
			expectState(t, s, "other.example", "unknown")
			if err := s.Ready(); !errors.Is(err, errDown) {
				t.Errorf("Ready before the first list = %v, want %v", err, errDown)
			}
			if _, err := s.Domains(); err == nil {
				t.Error("Domains before the first list gives no error")
			}
			b.Fail(nil)
			time.Sleep(time.Second)
			state(t, s, "a.example") // whoever asks has the list read
			time.Sleep(2 * time.Second)
			expectState(t, s, "a.example", "yes")
			expectState(t, s, "other.example", "no")
			if err := s.Ready(); err != nil {
				t.Errorf("Ready after the first list = %v, want nil", err)
			}
		})
	}
}

// expectGone compares what the source says about a domain that lists lack.
func expectGone(t testing.TB, s *Source, name, when string, wantGone, wantHad bool) {
	t.Helper()
	if gone, had := s.Gone(name); gone != wantGone || had != wantHad {
		t.Errorf("Gone(%s) %s = %v, had it: %v; want %v, %v", name, when, gone, had, wantGone, wantHad)
	}
}

// TestGone checks that a domain is gone after three good lists without it, and never by a
// failure, and that one which was never listed is told apart.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := started(t, lists, "a.example", "b.example", "c.example")
		expectGone(t, s, "other.example", "after one list", false, false)
		time.Sleep(3 * time.Minute)
		expectGone(t, s, "other.example", "after four lists", true, false)
		expectGone(t, s, "a.example", "while it is listed", false, false)
		b.SetDomains(domains("b.example", "c.example")...)
		next := func() { time.Sleep(DefaultRefresh + DefaultRefresh/10) }
		next()
		expectState(t, s, "a.example", "no")
		expectGone(t, s, "a.example", "after one list without it", false, true)
		b.Fail(errDown)
		time.Sleep(time.Hour)
		expectGone(t, s, "a.example", "after failures", false, true)
		b.Fail(nil)
		next()
		next()
		next()
		expectGone(t, s, "a.example", "after three lists without it", true, true)
		time.Sleep(24 * time.Hour)
		expectGone(t, s, "a.example", "a day later", true, true)
		b.SetDomains(domains("a.example", "b.example", "c.example")...)
		next()
		expectGone(t, s, "a.example", "when it is back", false, false)
	})
}

// TestNoList checks a store that can only be asked for one domain after the other.
func TestNoList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := started(t, row.Columns{OneDomain: true}, "a.example")
		expectState(t, s, "a.example", "yes")
		for i := range 100 {
			expectState(t, s, fmt.Sprintf("x%d.example", i), "no")
		}
		b.Fail(errDown)
		time.Sleep(time.Hour)
		expectState(t, s, "a.example", "yes") // as before the failure
		expectState(t, s, "b.example", "unknown")
		expectGone(t, s, "b.example", "without lists", false, false)
		if err := s.Ready(); err != nil {
			t.Errorf("Ready without a list = %v, want nil", err)
		}
	})
}

// TestWith checks that a reload keeps what is known if the store is the same.
func TestWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := started(t, row.Columns{Username: true, Domains: true, OneDomain: true}, "a.example")
		expect(t, s, b, "anna@example.com", "u1", false, "domains", "anna@example.com")
		o := s.options
		o.Name, o.Provider = "2-memory", "other"
		same := s.With(o)
		if same == nil {
			t.Fatal("With the same store = nil")
		}
		s.Close()
		expect(t, same, b, "anna@example.com", "u1", false)
		if d, ok := same.Listed("a.example"); !ok || d.Provider != "other" {
			t.Errorf("Listed(a.example) = %+v, %v, want the provider other", d, ok)
		}
		o.Timeout = time.Second
		if same.With(o) != nil {
			t.Error("With another timeout gives a source, want nil")
		}
		changed := New(o, nil)
		b.Fail(errDown)
		changed.Adopt(same)
		changed.Start(true)
		synctest.Wait()
		expectState(t, changed, "a.example", "yes")
		expectState(t, changed, "b.example", "unlisted")
		same.Close()
		changed.Close()
		if !b.Closed() {
			t.Error("the store is open after its last source is closed")
		}
		if _, err := ask(t, same, "bo@example.com"); err == nil {
			t.Error("a closed source answers")
		}
	})
}

// TestRefresh checks the list of a command, which starts nothing.
func TestRefresh(t *testing.T) {
	s, b := open(t, lists)
	b.SetDomains(domains("b.example", "a.example", "bücher.example", "ALL", "no domain", "")...)
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := s.Domains()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a.example", "b.example", "xn--bcher-kva.example"}
	if got := slices.Sorted(maps.Keys(maps.Collect(all))); !slices.Equal(got, want) {
		t.Errorf("Domains = %q, want %q", got, want)
	}
}

// TestMailHosts checks that an account may be on a host of its own.
func TestMailHosts(t *testing.T) {
	s, b := open(t, row.Columns{MailHost: true})
	b.SetAccounts(row.Account{Address: "a@example.com", MailHost: "mail7.example.com"})
	r, _, err := s.Account(t.Context(), address(t, "a@example.com"), directory.Lookup{})
	if err != nil || r.MailHost != "mail7.example.com" {
		t.Errorf("Account = host %q, %v, want mail7.example.com", r.MailHost, err)
	}
}

var _ directory.Store = (*Source)(nil)
