package certs

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// askers are machines that a proxy asks and that share a storage. Names of listed.se are listed.
type askers struct {
	t      *testing.T
	shared *testShared
	policy *testPolicy
	all    []*askHandler
	dns    func(context.Context) error // what DNS answers
}

func newAskers(t *testing.T, perHour, count int) *askers {
	a := &askers{t: t, shared: newTestShared(t), dns: func(context.Context) error { return nil }}
	answer := func(ctx context.Context, _ string) error { return a.dns(ctx) }
	a.policy = &testPolicy{
		listed:  func(name string) bool { return strings.HasSuffix(name, ".listed.se") },
		allowed: answer, leadsHere: answer,
	}
	for range count {
		a.start(perHour)
	}
	return a
}

// start starts one machine more.
func (a *askers) start(perHour int) {
	h := AskHandler(a.policy, testAuthority, perHour, a.shared, slog.New(slog.DiscardHandler)).(*askHandler)
	a.all = append(a.all, h)
	a.t.Cleanup(a.settle)
}

// settle waits until no machine tells the others anything.
func (a *askers) settle() {
	for _, h := range a.all {
		within(a.t, 5*time.Second, "the end of telling", func() bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			return !h.telling
		})
	}
}

// ask asks a machine about a name, and returns the status and how long it took.
func (a *askers) ask(machine int, name string) (int, time.Duration) {
	began := time.Now()
	status, _ := ask(a.t, a.all[machine], "?domain="+name)
	return status, time.Since(began)
}

// granted asks a machine about count names, and returns how many are granted.
func (a *askers) granted(machine int, format string, count int) (yes int) {
	for i := range count {
		if status, _ := a.ask(machine, fmt.Sprintf(format, i)); status == http.StatusOK {
			yes++
		}
	}
	return yes
}

// operations counts what is asked of the storage about names that were granted, until it is
// called again.
func (a *askers) operations() (loads, stores *atomic.Int32) {
	loads, stores = new(atomic.Int32), new(atomic.Int32)
	a.shared.fail(func(operation, key string) bool {
		switch {
		case !strings.HasPrefix(key, askedPrefix+"/"):
		case operation == "Load":
			loads.Add(1)
		case operation == "Store":
			stores.Add(1)
		}
		return false
	})
	return loads, stores
}

// TestAskKnownElsewhere asks about names that another machine has granted more than an hour ago.
// They do not count again, and are granted while DNS is silent.
func TestAskKnownElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perHour, known = 100, 80
		a := newAskers(t, perHour, 1)
		for _, format := range []string{"autoconfig.c%d.se", "autoconfig.c%d.listed.se"} {
			if got := a.granted(0, format, known); got != known {
				t.Fatalf("%d of %d names granted at first", got, known)
			}
		}
		a.settle()
		time.Sleep(2 * time.Hour)
		a.start(perHour)
		a.dns = func(context.Context) error { return errSilent }
		for name, want := range map[string]int{
			"autoconfig.c1.se": 200, "autoconfig.c1.listed.se": 200,
			"autoconfig.new.se": 503, "autoconfig.new.listed.se": 503,
		} {
			if got, _ := a.ask(1, name); got != want {
				t.Errorf("%s while DNS is silent: got %d at another machine, want %d", name, got, want)
			}
		}
		a.dns = func(context.Context) error { return nil }
		if got := a.granted(1, "autoconfig.c%d.se", known); got != known {
			t.Errorf("another machine grants %d of %d known names", got, known)
		}
		if got := a.granted(0, "autoconfig.new%d.se", perHour+10); got != perHour {
			t.Errorf("%d new names granted after another machine was asked about known ones, want %d", got, perHour)
		}
		time.Sleep(grantedFor)
		a.start(perHour)
		a.dns = func(context.Context) error { return errSilent }
		if got, _ := a.ask(2, "autoconfig.c1.se"); got != 503 {
			t.Errorf("a name that was granted too long ago: got %d, want 503", got)
		}
	})
}

// TestAskTimesElsewhere checks how long a proxy waits for an answer about a name that another
// machine has granted, while DNS is silent.
func TestAskTimesElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAskers(t, 0, 2)
		for _, domain := range []string{"customer.se", "listed.se"} {
			a.dns = func(context.Context) error { return nil }
			a.ask(0, "autoconfig."+domain)
			a.settle()
			a.dns = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
			for prefix, want := range map[string]struct {
				status int
				after  time.Duration
			}{"autoconfig.": {200, grantedTimeout}, "autodiscover.": {503, askTimeout}} {
				if status, took := a.ask(1, prefix+domain); status != want.status || took != want.after {
					t.Errorf("%s%s: got %d after %v, want %d after %v",
						prefix, domain, status, took, want.status, want.after)
				}
			}
		}
	})
}

// TestAskCost counts what names cost that are known: one question for each that a machine does
// not know, and one writing a day by all machines together.
func TestAskCost(t *testing.T) {
	for kind, format := range map[string]string{"listed": "autoconfig.c%d.listed.se", "by MX": "autoconfig.c%d.se"} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const names = 20
				a := newAskers(t, 0, 2)
				step := func(what string, machine, wantLoads, wantStores int) {
					t.Helper()
					loads, stores := a.operations()
					if got := a.granted(machine, format, names); got != names {
						t.Errorf("%s: %d of %d names granted", what, got, names)
					}
					a.settle()
					if loads.Load() > int32(wantLoads) || stores.Load() != int32(wantStores) {
						t.Errorf("%s: %d names cost %d questions and %d writings, want at most %d and %d",
							what, names, loads.Load(), stores.Load(), wantLoads, wantStores)
					}
				}
				step("new names", 0, 2*names, names)
				step("the same again", 0, 0, 0)
				step("at another machine", 1, names, 0)
				time.Sleep(tellEvery - time.Minute)
				step("almost a day later", 0, 0, 0)
				time.Sleep(time.Minute)
				step("a day later", 0, names, names)
				step("then at the other machine", 1, names, 0)
			})
		})
	}
}

// TestAskWithoutStorage asks while the storage is slow, fails or is away. Nobody is told no, no
// answer about a listed name waits, and the others are told later.
func TestAskWithoutStorage(t *testing.T) {
	for state, fail := range map[string]func(s *testShared, yes bool){
		"slow": func(s *testShared, yes bool) {
			s.fail(func(string, string) bool {
				if yes {
					time.Sleep(2 * time.Second)
				}
				return yes
			})
		},
		"failing": func(s *testShared, yes bool) { s.fail(func(string, string) bool { return yes }) },
		"away":    func(s *testShared, yes bool) { s.away.Store(yes) },
	} {
		t.Run(state, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAskers(t, 0, 2)
				fail(a.shared, true)
				for range 2 {
					for name, most := range map[string]time.Duration{
						"autoconfig.one.listed.se": 0, "autoconfig.one.se": 2 * countTimeout,
					} {
						if status, took := a.ask(0, name); status != 200 || took > most {
							t.Errorf("%s: got %d after %v, want 200 after at most %v", name, status, took, most)
						}
					}
				}
				if _, took := a.ask(0, "autoconfig.one.se"); took != 0 {
					t.Errorf("a name that this machine knows: the answer took %v, want none", took)
				}
				a.settle()
				fail(a.shared, false)
				a.ask(0, "autoconfig.one.se") // the next yes about any name
				a.settle()
				a.dns = func(context.Context) error { return errSilent }
				for _, name := range []string{"autoconfig.one.listed.se", "autoconfig.one.se"} {
					if status, _ := a.ask(1, name); status != 200 {
						t.Errorf("%s: another machine says %d after the storage is back, want 200", name, status)
					}
				}
			})
		})
	}
}

// TestAskDamaged reads values that no machine with a right clock has written. They are as good as
// none, and are replaced.
func TestAskDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAskers(t, 0, 2)
		ahead := time.Now().Add(365 * 24 * time.Hour).Format(time.RFC3339)
		for i, value := range []string{"", "words", ahead} {
			name := fmt.Sprintf("autoconfig.c%d.se", i)
			if err := a.shared.Store(t.Context(), askedPrefix+"/"+name, []byte(value)); err != nil {
				t.Fatal(err)
			}
			a.dns = func(context.Context) error { return errSilent }
			if status, _ := a.ask(0, name); status != 503 {
				t.Errorf("%q while DNS is silent: got %d, want 503", value, status)
			}
			a.dns = func(context.Context) error { return nil }
			a.ask(0, name)
			a.settle()
			a.dns = func(context.Context) error { return errSilent }
			if status, _ := a.ask(1, name); status != 200 {
				t.Errorf("%q, after the name was granted: got %d at another machine, want 200", value, status)
			}
		}
	})
}

// TestAskOneConnection asks about many names at once. The storage is asked one thing at a time, so
// that the locks of orders do not wait for strangers.
func TestAskOneConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAskers(t, 0, 1)
		var now, most atomic.Int32
		a.shared.fail(func(string, string) bool {
			n := now.Add(1)
			defer now.Add(-1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(time.Millisecond)
			return false
		})
		done := make(chan int)
		for i := range 20 {
			go func() {
				status, _ := a.ask(0, fmt.Sprintf("autoconfig.c%d.se", i))
				done <- status
			}()
		}
		for range 20 {
			if status := <-done; status != 200 {
				t.Errorf("got %d, want 200", status)
			}
		}
		a.settle()
		if got := most.Load(); got != 1 {
			t.Errorf("the storage was asked %d things at once, want 1", got)
		}
	})
}

// TestTidyAsked removes the names that were granted so long ago that it does not count any more.
func TestTidyAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAskers(t, 0, 1)
		a.granted(0, "autoconfig.c%d.se", 2)
		a.settle()
		for name, age := range map[string]time.Duration{"c0": grantedFor, "c1": grantedFor - time.Minute} {
			at := time.Now().Add(-age)
			if err := os.Chtimes(a.shared.Filename(askedPrefix+"/autoconfig."+name+".se"), at, at); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		(&acmeIssuer{storage: a.shared, log: (&testLog{}).logger(), zap: zap.NewNop()}).tidy(ctx)
		for name, want := range map[string]bool{"c0": false, "c1": true} {
			if got := a.shared.Exists(t.Context(), askedPrefix+"/autoconfig."+name+".se"); got != want {
				t.Errorf("after tidying, autoconfig.%s.se is stored: %t, want %t", name, got, want)
			}
		}
	})
}
