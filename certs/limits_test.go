package certs

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// fakeClock is a clock that stands until it is set.
type fakeClock struct{ t time.Time }

func newFakeClock() *fakeClock            { return &fakeClock{time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)} }
func (c *fakeClock) now() time.Time       { return c.t }
func (c *fakeClock) pass(d time.Duration) { c.t = c.t.Add(d) }

// nth is a name of a domain of its own.
func nth(i int) string { return fmt.Sprintf("autoconfig.customer%d.se", i) }

func TestLimitsOfAnHour(t *testing.T) {
	for _, test := range []struct {
		name    string
		perHour int
		first   bool
		succeed bool
		want    int // attempts until one is refused
	}{
		{"failures count twice", 40, true, false, 20},
		{"successes count once", 40, true, true, 39}, // the last has no room to fail
		{"a quarter is kept for renewals", 40, false, true, 29},
		{"the smallest number", 1, false, true, 1},
		{"the default", 0, false, true, 67},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock := newFakeClock()
			l := newLimits(test.perHour, clock.now)
			got := 0
			for ; l.take(nth(got), test.first) == nil; got++ {
				if test.succeed {
					l.succeeded(nth(got))
				}
				clock.pass(time.Second)
			}
			if got != test.want {
				t.Errorf("%d attempts, want %d", got, test.want)
			}
			if err := l.take("other.se", test.first); err == nil || !strings.Contains(err.Error(), "within an hour") {
				t.Errorf("got %v", err)
			}
			clock.pass(window)
			if err := l.take("other.se", test.first); err != nil {
				t.Errorf("an hour later: %v", err)
			}
			if orders, _ := l.state(); orders != ordersPerAttempt {
				t.Errorf("an hour later %d orders are counted", orders)
			}
		})
	}
}

// TestLimitsOfRenewals: what new names may not use, renewals may.
func TestLimitsOfRenewals(t *testing.T) {
	l := newLimits(16, newFakeClock().now)
	i := 0
	for ; l.take(nth(i), false) == nil; i++ {
	}
	if i != 6 {
		t.Errorf("%d new names", i)
	}
	if err := l.take("renewed.se", true); err != nil {
		t.Errorf("a renewal: %v", err)
	}
}

// TestLimitsOfDomain: one registrable domain cannot use the hour up, nor can
// what looks like many under a public suffix be taken for one.
func TestLimitsOfDomain(t *testing.T) {
	l := newLimits(100, newFakeClock().now)
	taken := 0
	for i := range 50 {
		if l.take(fmt.Sprintf("autoconfig.n%d.attacker.se", i), false) == nil {
			taken++
		}
	}
	if taken != 12 {
		t.Errorf("%d attempts for names of one domain", taken)
	}
	if err := l.take("autoconfig.attacker.se", true); err != nil {
		t.Errorf("a renewal there: %v", err)
	}
	for i := range 10 {
		if err := l.take(fmt.Sprintf("autoconfig.n%d.co.uk", i), false); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLimitsOfName: each failure of a name doubles its time, up to a day.
func TestLimitsOfName(t *testing.T) {
	clock := newFakeClock()
	l := newLimits(1000, clock.now)
	const name = "autoconfig.customer.se"
	bad := acme.Problem{Type: acme.ProblemTypeDNS, Status: http.StatusBadRequest, Detail: "NXDOMAIN"}
	for i, want := range []time.Duration{10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440} {
		want *= time.Minute
		if err := l.ready(name); err != nil {
			t.Fatalf("failure %d: %v", i, err)
		}
		again := l.fail(name, fmt.Errorf("[%s] Obtain: %w", name, bad), "NXDOMAIN")
		if got := again.Sub(clock.t); got != want {
			t.Errorf("failure %d: again after %v, want %v", i, got, want)
		}
		if err := l.ready("autoconfig.other.se"); err != nil {
			t.Errorf("another name is held up: %v", err)
		}
		clock.pass(want - time.Second)
		for _, err := range []error{l.ready(name), l.take(name, true)} {
			if err == nil || !strings.Contains(err.Error(), "NXDOMAIN") {
				t.Errorf("failure %d: a second too early: %v", i, err)
			}
		}
		clock.pass(time.Second)
	}
	l.succeeded(name)
	if got := l.fail(name, bad, "").Sub(clock.t); got != failedName {
		t.Errorf("after a success it begins with %v", got)
	}
	// And what nobody asks for any more is forgotten.
	clock.pass(failedName + longestName + time.Second)
	if got := l.failing(); len(got) != 0 {
		t.Errorf("%v are remembered", got)
	}
}

// TestLimitsOfServer: what is not the name's fault stops all orders for a while.
func TestLimitsOfServer(t *testing.T) {
	for _, test := range []struct {
		name    string
		err     error
		stops   bool
		forName time.Duration
	}{
		{"unreachable", errors.New("performing request: connection refused"), true, failedServer},
		{"internal error", fmt.Errorf("order: %w", acme.Problem{Type: acme.ProblemTypeServerInternal, Status: 500}), true, failedServer},
		{"overloaded", acme.Problem{Status: 503}, true, failedServer},
		{"too many orders", acme.Problem{Type: acme.ProblemTypeRateLimited, Status: 429}, false, window},
		{"wrong answer", acme.Problem{Type: acme.ProblemTypeUnauthorized, Status: 403}, false, failedName},
		{"refused name", acme.Problem{Type: acme.ProblemTypeRejectedIdentifier, Status: 400}, false, failedName},
		{"invalid order", fmt.Errorf("final order is invalid: %w", &acme.Problem{Type: acme.ProblemTypeCAA, Status: 403}), false, failedName},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock := newFakeClock()
			l := newLimits(1000, clock.now)
			again := l.fail("a.se", test.err, "words")
			if got := again.Sub(clock.t); got != test.forName {
				t.Errorf("the name is tried again after %v, want %v", got, test.forName)
			}
			err := l.ready("b.se")
			if stops := err != nil; stops != test.stops {
				t.Errorf("another name: %v", err)
			}
			if _, until := l.state(); until.IsZero() == test.stops {
				t.Errorf("stopped until %v", until)
			}
			if !test.stops {
				return
			}
			// Others that were under way fail with it and change nothing.
			for i := range 5 {
				l.fail(nth(100+i), test.err, "words")
			}
			var pauses []time.Duration
			for range 6 {
				_, until := l.state()
				pauses = append(pauses, until.Sub(clock.t))
				clock.t = until
				if err := l.ready("b.se"); err != nil {
					t.Fatal(err)
				}
				l.fail(nth(len(pauses)), test.err, "words")
			}
			if got := fmt.Sprint(pauses); got != "[1m0s 2m0s 4m0s 8m0s 15m0s 15m0s]" {
				t.Errorf("pauses %s", got)
			}
			l.succeeded("b.se")
			if err := l.ready("c.se"); err != nil {
				t.Errorf("after a success: %v", err)
			}
		})
	}
}

func TestSampler(t *testing.T) {
	clock := newFakeClock()
	s := &sampler{now: clock.now}
	for i := range linesPerMinute + 5 {
		left, ok := s.admit()
		if ok != (i < linesPerMinute) || left != 0 {
			t.Errorf("line %d: %v, %d left out", i, ok, left)
		}
	}
	clock.pass(time.Minute)
	if left, ok := s.admit(); !ok || left != 5 {
		t.Errorf("a minute later: %v, %d left out", ok, left)
	}
	clock.pass(time.Minute)
	if left, ok := s.admit(); !ok || left != 0 {
		t.Errorf("two minutes later: %v, %d left out", ok, left)
	}
}
