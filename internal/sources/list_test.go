package sources

import (
	"context"
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
		if st := s.Stats(); st.Domains != 1 || !errors.Is(st.ListError, errDown) || time.Since(st.ListRead) < 47*time.Hour {
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

// someDomains are the domains of a store with ten.
func someDomains() (names []string) {
	for i := range 10 {
		names = append(names, fmt.Sprintf("d%d.example", i))
	}
	return names
}

// TestEmptied checks that a list that is suddenly empty, or less than half of what it was,
// is believed after an hour and not before, whatever is reloaded. Only one that is not
// empty is believed at once, if an operator asks for it.
func TestEmptied(t *testing.T) {
	const nothing, file, operator = "nothing", "a file that changed", "an operator"
	for _, test := range []struct {
		left     int
		reloads  string
		believed bool
	}{
		{0, nothing, false},
		{4, nothing, false},
		{0, file, false},
		{4, file, false},
		{0, operator, false},
		{4, operator, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			names := someDomains()
			s, b := started(t, lists, names...)
			check := func(when string, believed bool) {
				t.Helper()
				want := len(names)
				if believed {
					want = test.left
				}
				if st := s.Stats(); st.Domains != want || (st.ListError == nil) != believed {
					t.Errorf("%s with %d of 10 domains left, where %s reloads: %d domains, error %v; want %d domains",
						when, test.left, test.reloads, st.Domains, st.ListError, want)
				}
			}
			b.SetDomains(domains(names[:test.left]...)...)
			time.Sleep(30 * time.Minute)
			check("after half an hour", false)
			if test.reloads != nothing {
				s.Start(test.reloads == operator)
				time.Sleep(5 * time.Second)
			}
			check("after the reload", test.believed)
			time.Sleep(29 * time.Minute)
			check("before an hour", test.believed)
			time.Sleep(5 * time.Minute)
			check("after an hour", true)
		})
	}
}

// TestOtherStore checks that a reload with another store, which is empty or nearly so,
// takes no domain away unless an operator asks for it.
func TestOtherStore(t *testing.T) {
	for _, test := range []struct {
		left  int
		asked bool
		want  int
	}{
		{0, false, 10}, {0, true, 10}, {4, false, 10}, {4, true, 4}, {6, false, 6},
	} {
		synctest.Test(t, func(t *testing.T) {
			earlier, _ := started(t, lists, someDomains()...)
			s, b := open(t, lists)
			b.SetDomains(domains(someDomains()[:test.left]...)...)
			s.Adopt(earlier)
			s.Start(test.asked)
			time.Sleep(5 * time.Second)
			if got := s.Stats().Domains; got != test.want {
				t.Errorf("another store with %d of 10 domains gives %d (an operator asked: %v), want %d",
					test.left, got, test.asked, test.want)
			}
		})
	}
}

// TestAskedOnce checks that what an operator asked for ends with the first list that is
// read, and with no list that was being read before.
func TestAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := someDomains()
		s, b := started(t, lists, names...)
		s.Start(true)
		time.Sleep(5 * time.Second)
		b.SetDomains(domains(names[:4]...)...)
		s.Start(false)
		time.Sleep(5 * time.Second)
		if got := s.Stats().Domains; got != 10 {
			t.Errorf("a later list is believed: %d domains, want 10", got)
		}
		b.SetDomains()
		s.Start(true)
		time.Sleep(5 * time.Second)
		b.SetDomains(domains(names[:4]...)...)
		time.Sleep(70 * time.Second)
		if got := s.Stats().Domains; got != 10 {
			t.Errorf("the list after the empty one that was asked for is believed: %d domains, want 10", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		names := someDomains()
		s, b := started(t, lists, names...)
		b.Wait = func(context.Context) { time.Sleep(3 * time.Second) }
		s.Start(false)
		time.Sleep(2 * time.Second) // the old list is being read
		s.Start(true)
		time.Sleep(2 * time.Second)
		b.SetDomains(domains(names[:4]...)...)
		time.Sleep(5 * time.Second)
		if got := s.Stats().Domains; got != 4 {
			t.Errorf("the list that was asked for while another was read gives %d domains, want 4", got)
		}
	})
}

// TestReloadInOutage checks that a reload while the store is down does not make a list
// believed that comes much later.
func TestReloadInOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := started(t, lists, "a.example", "b.example", "c.example")
		b.Fail(errDown)
		time.Sleep(2 * DefaultRefresh)
		s.Start(true)
		time.Sleep(time.Hour)
		b.SetDomains(domains("a.example")...)
		b.Fail(nil)
		time.Sleep(2 * DefaultRefresh)
		expectState(t, s, "c.example", "yes")
	})
}

// TestEmptiedAroundOutage checks that an hour in which the store could not be read is no
// hour for which the list stayed empty, and that a list that lost more than half and then
// the rest counts anew.
func TestEmptiedAroundOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := started(t, lists, someDomains()...)
		b.SetDomains()
		time.Sleep(2 * DefaultRefresh)
		b.Fail(errDown)
		time.Sleep(time.Hour)
		b.Fail(nil)
		time.Sleep(50 * time.Minute)
		expectState(t, s, "d9.example", "yes")
		time.Sleep(12 * time.Minute)
		expectState(t, s, "d9.example", "no")
	})
	synctest.Test(t, func(t *testing.T) {
		s, b := started(t, lists, someDomains()...)
		b.SetDomains(domains("d0.example")...)
		time.Sleep(50 * time.Minute)
		b.SetDomains()
		time.Sleep(50 * time.Minute)
		expectState(t, s, "d9.example", "yes")
	})
}

// TestBackFromEmptied checks that a list that was small for a while counts anew.
func TestBackFromEmptied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := started(t, lists, "a.example", "b.example", "c.example")
		for range 3 {
			b.SetDomains()
			time.Sleep(40 * time.Minute)
			b.SetDomains(domains("a.example", "b.example", "c.example")...)
			time.Sleep(3 * time.Minute)
		}
		expectState(t, s, "a.example", "yes")
	})
}

// TestEmptyFirst checks that a first list without domains says "no" to nobody: the table
// may have been emptied before a restart.
func TestEmptyFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := started(t, lists)
		expectState(t, s, "a.example", "unknown")
		time.Sleep(smallTime + 2*DefaultRefresh)
		expectState(t, s, "a.example", "no")
	})
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
