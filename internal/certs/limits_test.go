package certs

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// nth returns a name in a domain of its own.
func nth(i int) string { return fmt.Sprintf("autoconfig.customer%d.se", i) }

func TestOrdersWithinAnHour(t *testing.T) {
	for _, test := range []struct {
		name     string
		perHour  int
		priority priority
		succeed  bool
		want     int // orders until one is refused
	}{
		{"failures count twice", 40, high, false, 20},
		{"successes count once", 40, high, true, 39}, // the last leaves no room for a failure
		{"a quarter is reserved for high priority", 40, normal, true, 29},
		{"a half for high and normal", 40, low, true, 19},
		{"the lowest limit", 1, normal, true, 1},
		{"the lowest limit, low priority", 1, low, true, 1},
		{"the default", 0, normal, true, 67},
		{"the default, low priority", 0, low, true, 45},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLimits(test.perHour)
				got := 0
				for ; l.allow(t.Context(), nth(got), test.priority) == nil; got++ {
					if test.succeed {
						l.succeeded(nth(got))
					}
					time.Sleep(time.Second)
				}
				if got != test.want {
					t.Errorf("%d orders allowed, want %d", got, test.want)
				}
				if err := l.allow(t.Context(), "other.se", test.priority); err == nil ||
					!strings.Contains(err.Error(), "within an hour") {
					t.Errorf("the next order: %v, want a refusal with \"within an hour\"", err)
				}
				time.Sleep(window)
				if err := l.allow(t.Context(), "other.se", test.priority); err != nil {
					t.Errorf("an hour later: %v", err)
				}
				if orders, _ := l.state(); orders != ordersPerAttempt {
					t.Errorf("an hour later: %d orders counted, want %d", orders, ordersPerAttempt)
				}
			})
		})
	}
}

// TestPriorities checks that names of low priority cannot use what is reserved for
// the others.
func TestPriorities(t *testing.T) {
	for _, test := range []struct {
		listed, renewal, own bool
		want                 priority
	}{
		{true, true, false, high}, {false, false, true, high}, {true, false, false, normal},
		{false, true, false, normal}, {false, false, false, low},
	} {
		if got := priorityOf(test.listed, test.renewal, test.own); got != test.want {
			t.Errorf("priorityOf(listed %v, renewal %v, own %v) = %d, want %d",
				test.listed, test.renewal, test.own, got, test.want)
		}
	}
	l := newLimits(40)
	next := 0
	for _, step := range []struct {
		priority priority
		want     int
	}{{low, 10}, {normal, 5}, {low, 0}, {high, 5}, {normal, 0}} {
		got := 0
		for ; l.allow(t.Context(), nth(next), step.priority) == nil; got++ {
			next++
		}
		if got != step.want {
			t.Errorf("priority %d: %d orders allowed, want %d", step.priority, got, step.want)
		}
	}
	l = newLimits(16)
	for next = 0; l.allow(t.Context(), nth(next), normal) == nil; next++ {
	}
	if next != 6 {
		t.Errorf("%d orders of normal priority allowed of 16, want 6", next)
	}
	if err := l.allow(t.Context(), "renewed.se", high); err != nil {
		t.Errorf("a renewal after them: %v", err)
	}
}

// TestOrdersOfDomain checks that one registrable domain cannot use up all
// orders, and names below a public suffix do not count as one domain.
func TestOrdersOfDomain(t *testing.T) {
	l := newLimits(100)
	allowed := 0
	for i := range 50 {
		if l.allow(t.Context(), fmt.Sprintf("autoconfig.n%d.attacker.se", i), normal) == nil {
			allowed++
		}
	}
	if allowed != 12 {
		t.Errorf("%d orders allowed for names of one domain, want 12", allowed)
	}
	if err := l.allow(t.Context(), "autoconfig.attacker.se", high); err != nil {
		t.Errorf("an order of high priority for the same domain: %v", err)
	}
	for i := range 10 {
		if err := l.allow(t.Context(), fmt.Sprintf("autoconfig.n%d.co.uk", i), normal); err != nil {
			t.Fatalf("domain %d below co.uk: %v", i, err)
		}
	}
}

// TestFailuresOfName checks that each failure of a name doubles its delay, up
// to a day.
func TestFailuresOfName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits(1000)
		const name = "autoconfig.customer.se"
		bad := acme.Problem{Type: acme.ProblemTypeDNS, Status: http.StatusBadRequest, Detail: "NXDOMAIN"}
		for i, want := range []time.Duration{10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440} {
			want *= time.Minute
			if err := l.ready(name); err != nil {
				t.Fatalf("before failure %d: %v", i, err)
			}
			again := l.failed(name, fmt.Errorf("[%s] Obtain: %w", name, bad), "NXDOMAIN")
			if got := time.Until(again); got != want {
				t.Errorf("after failure %d the name is tried again after %v, want %v", i, got, want)
			}
			if err := l.ready("autoconfig.other.se"); err != nil {
				t.Errorf("after failure %d another name is refused: %v", i, err)
			}
			time.Sleep(want - time.Second)
			for _, err := range []error{l.ready(name), l.allow(t.Context(), name, high)} {
				if err == nil || !strings.Contains(err.Error(), "NXDOMAIN") {
					t.Errorf("a second before the end of delay %d: %v, want a refusal with NXDOMAIN", i, err)
				}
			}
			time.Sleep(time.Second)
		}
		l.succeeded(name)
		if got := time.Until(l.failed(name, bad, "")); got != nameDelay {
			t.Errorf("the first delay after a success is %v, want %v", got, nameDelay)
		}
		time.Sleep(nameDelay + maxNameDelay + time.Second)
		if got := l.failing(); len(got) != 0 {
			t.Errorf("long after the delay failing() = %q, want none", got)
		}
	})
}

// TestFailuresOfServer checks that a failure that is not the fault of the name
// stops all orders for a while.
func TestFailuresOfServer(t *testing.T) {
	limited := func(detail string) error {
		return acme.Problem{Type: acme.ProblemTypeRateLimited, Status: 429, Detail: detail}
	}
	for _, test := range []struct {
		name  string
		err   error
		stops bool // all orders
		delay time.Duration
	}{
		{"unreachable", errors.New("performing request: connection refused"), true, serverDelay},
		{"internal error", fmt.Errorf("order: %w", acme.Problem{Type: acme.ProblemTypeServerInternal, Status: 500}),
			true, serverDelay},
		{"overloaded", acme.Problem{Status: 503}, true, serverDelay},
		{"too many orders", limited("too many new orders (300) from this account in the last 3h0m0s"), true, serverDelay},
		{"too many certificates", limited(`too many certificates (50) already issued for "a.se" in the last 168h0m0s`),
			false, window},
		{"too many of the same", limited("too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s"), false, window},
		{"wrong answer", acme.Problem{Type: acme.ProblemTypeUnauthorized, Status: 403}, false, nameDelay},
		{"refused name", acme.Problem{Type: acme.ProblemTypeRejectedIdentifier, Status: 400}, false, nameDelay},
		{"invalid order", fmt.Errorf("final order is invalid: %w",
			&acme.Problem{Type: acme.ProblemTypeCAA, Status: 403}), false, nameDelay},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLimits(1000)
				if got := time.Until(l.failed("a.se", test.err, "words")); got != test.delay {
					t.Errorf("the name is tried again after %v, want %v", got, test.delay)
				}
				if err := l.ready("b.se"); (err != nil) != test.stops {
					t.Errorf("another name: %v, want a refusal: %v", err, test.stops)
				}
				if _, until := l.state(); until.IsZero() == test.stops {
					t.Errorf("orders are stopped until %v, want a stop: %v", until, test.stops)
				}
				if !test.stops {
					return
				}
				// Orders that were under way fail as well, and change nothing.
				for i := range 5 {
					l.failed(nth(100+i), test.err, "words")
				}
				var delays []time.Duration
				for range 6 {
					_, until := l.state()
					delays = append(delays, time.Until(until))
					time.Sleep(time.Until(until))
					if err := l.ready("b.se"); err != nil {
						t.Fatalf("after delay %d: %v", len(delays), err)
					}
					l.failed(nth(len(delays)), test.err, "words")
				}
				if got, want := fmt.Sprint(delays), "[1m0s 2m0s 4m0s 8m0s 15m0s 15m0s]"; got != want {
					t.Errorf("the delays are %s, want %s", got, want)
				}
				l.succeeded("b.se")
				if err := l.ready("c.se"); err != nil {
					t.Errorf("after a success: %v", err)
				}
			})
		})
	}
}

// TestRetryAfter checks that a rate limit that says when it ends is respected,
// within bounds.
func TestRetryAfter(t *testing.T) {
	const (
		ofAccount = "too many new orders (300) from this account in the last 3h0m0s"
		ofName    = `too many failed authorizations (5) for "a.se" in the last 1h0m0s`
	)
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		detail     string
		name, stop time.Duration // delay of the name, and of all orders
	}{
		{ofAccount + ", retry after 2026-11-21 12:40:00 UTC: see https://letsencrypt.org/docs/rate-limits/",
			40 * time.Minute, 40 * time.Minute},
		{ofAccount + ", retry after 2026-11-21T12:40:00Z", 40 * time.Minute, 40 * time.Minute},
		{ofAccount + ", retry after 2026-11-21 12:00:07 UTC", serverDelay, serverDelay},
		{ofAccount + ", retry after 2026-11-21 11:00:00 UTC", serverDelay, serverDelay},
		{ofAccount + ", retry after 2027-11-21 12:00:00 UTC", maxNameRetryAfter, maxServerRetryAfter},
		{ofAccount + ", retry after 2026-99-99 99:99:99 UTC", serverDelay, serverDelay},
		{ofName + ", retry after 2026-11-21 12:12:00 UTC", 12 * time.Minute, 0},
		{ofName + ", retry after 2026-11-22 22:00:00 UTC", 34 * time.Hour, 0},
		{ofName + ", retry after 2027-11-21 12:00:00 UTC", maxNameRetryAfter, 0},
	} {
		t.Run("", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(start))
				l := newLimits(1000)
				l.failed("a.se", fmt.Errorf("ordering: %w",
					acme.Problem{Type: acme.ProblemTypeRateLimited, Status: 429, Detail: test.detail}), "words")
				if got := time.Until(l.failures["a.se"].until); got != test.name {
					t.Errorf("%s: the name is delayed by %v, want %v", test.detail, got, test.name)
				}
				_, until := l.state()
				got := max(0, time.Until(until))
				if got != test.stop {
					t.Errorf("%s: all orders are delayed by %v, want %v", test.detail, got, test.stop)
				}
				if test.stop == 0 {
					return
				}
				// An order that was under way fails without a time, which changes nothing.
				l.failed("b.se", errors.New("connection refused"), "words")
				if _, after := l.state(); !after.Equal(until) {
					t.Errorf("%s: after another failure all orders are stopped until %v, want %v",
						test.detail, after, until)
				}
			})
		})
	}
}
