package sources

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signpost/internal/sources/memory"
	"signpost/internal/sources/row"
)

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
		s, b := open(t, lists)
		b.SetDomains(domains(names...)...)
		b.Wait = func(context.Context) { time.Sleep(3 * time.Second) }
		s.Start(false)
		time.Sleep(4 * time.Second)
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

// TestStrangersAndList checks that whoever asks for domains that are not hosted has a list
// hardly read more often than it is anyway, where it is not believed or takes long to fail.
func TestStrangersAndList(t *testing.T) {
	for _, test := range []struct {
		what   string
		change func(b *memory.Backend)
		slow   bool // each answer takes five seconds then
		most   int  // readings in ten minutes
	}{
		{"is emptied", func(b *memory.Backend) { b.SetDomains() }, false, 12},
		{"has lost more than half", func(b *memory.Backend) { b.SetDomains(domains("d0.example")...) }, false, 12},
		{"fails after five seconds", func(b *memory.Backend) { b.Fail(errDown) }, true, 26},
	} {
		for _, columns := range []row.Columns{lists, {Domains: true}} {
			synctest.Test(t, func(t *testing.T) {
				var slow atomic.Bool
				s, b := open(t, columns)
				b.SetDomains(domains(someDomains()...)...)
				b.Wait = func(context.Context) {
					if slow.Load() {
						time.Sleep(5 * time.Second)
					}
				}
				s.Start(false)
				synctest.Wait()
				test.change(b)
				slow.Store(test.slow)
				time.Sleep(2 * DefaultRefresh)
				b.Asked()
				for began := time.Now(); time.Since(began) < 10*time.Minute; time.Sleep(500 * time.Millisecond) {
					state(t, s, "stranger.example")
				}
				read := 0
				for _, what := range b.Asked() {
					if what == "domains" {
						read++
					}
				}
				if read > test.most {
					t.Errorf("a list that %s is read %d times in ten minutes in which strangers ask, want at most %d",
						test.what, read, test.most)
				}
				slow.Store(false)
				time.Sleep(6 * time.Second) // a reading ends
			})
		}
	}
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
