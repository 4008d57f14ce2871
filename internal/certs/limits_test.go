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
		rank    rank
		succeed bool
		want    int // attempts until one is refused
	}{
		{"failures count twice", 40, first, false, 20},
		{"successes count once", 40, first, true, 39}, // the last has no room to fail
		{"a quarter is kept for renewals", 40, second, true, 29},
		{"another for configured names", 40, third, true, 19},
		{"the smallest number", 1, second, true, 1},
		{"the smallest number for others", 1, third, true, 1},
		{"the default", 0, second, true, 67},
		{"the default for others", 0, third, true, 45},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock := newFakeClock()
			l := newLimits(test.perHour, clock.now)
			got := 0
			for ; l.take(nth(got), test.rank) == nil; got++ {
				if test.succeed {
					l.succeeded(nth(got))
				}
				clock.pass(time.Second)
			}
			if got != test.want {
				t.Errorf("%d attempts, want %d", got, test.want)
			}
			if err := l.take("other.se", test.rank); err == nil || !strings.Contains(err.Error(), "within an hour") {
				t.Errorf("got %v", err)
			}
			clock.pass(window)
			if err := l.take("other.se", test.rank); err != nil {
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
	for ; l.take(nth(i), second) == nil; i++ {
	}
	if i != 6 {
		t.Errorf("%d new names", i)
	}
	if err := l.take("renewed.se", first); err != nil {
		t.Errorf("a renewal: %v", err)
	}
}

// TestLimitsOfRanks: what strangers' names may not use, configured ones may, and
// their renewals may what neither may.
func TestLimitsOfRanks(t *testing.T) {
	for _, row := range []struct {
		listed, renewal, own bool
		want                 rank
	}{
		{true, true, false, first}, {false, false, true, first}, {true, false, false, second},
		{false, true, false, second}, {false, false, false, third},
	} {
		if got := rankOf(row.listed, row.renewal, row.own); got != row.want {
			t.Errorf("%+v: got %d", row, got)
		}
	}
	l := newLimits(40, newFakeClock().now)
	next := 0
	for _, row := range []struct {
		rank rank
		want int
	}{{third, 10}, {second, 5}, {third, 0}, {first, 5}, {second, 0}} {
		got := 0
		for ; l.take(nth(next), row.rank) == nil; got++ {
			next++
		}
		if got != row.want {
			t.Errorf("rank %d: %d attempts, want %d", row.rank, got, row.want)
		}
	}
}

// TestLimitsOfDomain: one registrable domain cannot use the hour up, nor can
// what looks like many under a public suffix be taken for one.
func TestLimitsOfDomain(t *testing.T) {
	l := newLimits(100, newFakeClock().now)
	taken := 0
	for i := range 50 {
		if l.take(fmt.Sprintf("autoconfig.n%d.attacker.se", i), second) == nil {
			taken++
		}
	}
	if taken != 12 {
		t.Errorf("%d attempts for names of one domain", taken)
	}
	if err := l.take("autoconfig.attacker.se", first); err != nil {
		t.Errorf("a renewal there: %v", err)
	}
	for i := range 10 {
		if err := l.take(fmt.Sprintf("autoconfig.n%d.co.uk", i), second); err != nil {
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
		for _, err := range []error{l.ready(name), l.take(name, first)} {
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
		{"too many orders", acme.Problem{Type: acme.ProblemTypeRateLimited, Status: 429, Detail: "too many new orders (300) from this account in the last 3h0m0s"}, true, failedServer},
		{"too many certificates", acme.Problem{Type: acme.ProblemTypeRateLimited, Status: 429, Detail: `too many certificates (50) already issued for "a.se" in the last 168h0m0s`}, false, window},
		{"too many of the same", acme.Problem{Type: acme.ProblemTypeRateLimited, Status: 429, Detail: "too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s"}, false, window},
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

// TestLimitsTold: a rate limit that says when it ends is believed, within bounds.
func TestLimitsTold(t *testing.T) {
	const account, name = "too many new orders (300) from this account in the last 3h0m0s", `too many failed authorizations (5) for "a.se" in the last 1h0m0s`
	for _, row := range []struct {
		detail        string
		forName, stop time.Duration
	}{
		{account + ", retry after 2026-11-21 12:40:00 UTC: see https://letsencrypt.org/docs/rate-limits/", 40 * time.Minute, 40 * time.Minute},
		{account + ", retry after 2026-11-21T12:40:00Z", 40 * time.Minute, 40 * time.Minute},
		{account + ", retry after 2026-11-21 12:00:07 UTC", failedServer, failedServer},
		{account + ", retry after 2026-11-21 11:00:00 UTC", failedServer, failedServer},
		{account + ", retry after 2027-11-21 12:00:00 UTC", longestNameTold, longestStopTold},
		{account + ", retry after 2026-99-99 99:99:99 UTC", failedServer, failedServer},
		{name + ", retry after 2026-11-21 12:12:00 UTC", 12 * time.Minute, 0},
		{name + ", retry after 2026-11-22 22:00:00 UTC", 34 * time.Hour, 0},
		{name + ", retry after 2027-11-21 12:00:00 UTC", longestNameTold, 0},
	} {
		clock := newFakeClock()
		l := newLimits(1000, clock.now)
		l.fail("a.se", fmt.Errorf("ordering: %w", acme.Problem{Type: acme.ProblemTypeRateLimited, Status: 429, Detail: row.detail}), "words")
		if got := l.names["a.se"].until.Sub(clock.t); got != row.forName {
			t.Errorf("%s: the name waits %v, want %v", row.detail, got, row.forName)
		}
		_, stopped := l.state()
		if got := stopped.Sub(clock.t); row.stop != 0 && got != row.stop || row.stop == 0 && !stopped.IsZero() {
			t.Errorf("%s: all wait until %v, want %v", row.detail, stopped, row.stop)
		}
	}
	// What was told lasts, though others that were under way fail without a word.
	clock := newFakeClock()
	l := newLimits(1000, clock.now)
	l.fail("a.se", acme.Problem{Type: acme.ProblemTypeRateLimited, Detail: account + ", retry after 2026-11-21 12:40:00 UTC"}, "words")
	l.fail("b.se", errors.New("connection refused"), "words")
	if _, stopped := l.state(); stopped.Sub(clock.t) != 40*time.Minute {
		t.Errorf("all wait until %v", stopped)
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
