package certs

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/mholt/acmez/v3/acme"
	"golang.org/x/net/publicsuffix"
)

// An ACME server limits what it is asked for: Let's Encrypt takes 300 orders
// from an account in three hours and five failed validations of a name in an
// hour. Strangers can make us ask, so we stay below, and keep them from using
// up what customers need.
const (
	defaultOrders = 90 // an hour
	window        = time.Hour

	// An attempt is counted as the orders that it may take: acmez makes one for
	// each kind of challenge until one is met. One that succeeds took one; acmez
	// begins with the kind that mostly succeeds.
	ordersPerAttempt = 2

	failedName   = 10 * time.Minute // no order for a name after its first failure
	failedServer = time.Minute      // no order at all after the server failed
	longestName  = 24 * time.Hour
	longestStop  = 15 * time.Minute
)

// limits decides whether an order may be placed now.
type limits struct {
	perHour int
	now     func() time.Time

	mu      sync.Mutex
	placed  []placed // within the window, oldest first
	names   map[string]*failing
	stopped time.Time // until when the server is left alone
	stop    time.Duration
	why     string // of the stop
}

// placed is an attempt, counted as so many orders.
type placed struct {
	at     time.Time
	name   string
	group  string // the registrable domain
	orders int
}

// failing is a name whose last order failed.
type failing struct {
	failures int
	until    time.Time
	why      string
}

// refusal is why there is no order now.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

func newLimits(perHour int, now func() time.Time) *limits {
	if perHour == 0 {
		perHour = defaultOrders
	}
	return &limits{perHour: max(perHour, ordersPerAttempt), now: now, names: map[string]*failing{}}
}

// ready reports why an order for the name would be refused because of what
// failed before. It is asked before anything that costs.
func (l *limits) ready(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed(name, l.now())
}

func (l *limits) failed(name string, now time.Time) error {
	if now.Before(l.stopped) {
		return &refusal{fmt.Sprintf("no orders before %s, the ACME server failed: %s", clock(l.stopped), l.why)}
	}
	if f := l.names[name]; f != nil && now.Before(f.until) {
		return &refusal{fmt.Sprintf("no order before %s, the last one failed: %s", clock(f.until), f.why)}
	}
	return nil
}

// take counts an attempt, or refuses it. A name that matters more, because it has
// a certificate to lose or is the service's own, may use what others may not: of
// every hour a quarter is kept for these, and the names of one registrable domain
// get no more than another quarter. Whoever points the MX records of endless
// names at us shall not keep our customers waiting.
func (l *limits) take(name string, first bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if err := l.failed(name, now); err != nil {
		return err
	}
	l.forget(now)
	group := groupOf(name)
	total, ofGroup := ordersPerAttempt, ordersPerAttempt
	for _, p := range l.placed {
		total += p.orders
		if p.group == group {
			ofGroup += p.orders
		}
	}
	most := l.perHour
	if !first {
		most = max(l.perHour-l.perHour/4, ordersPerAttempt)
	}
	switch {
	case total > most:
		return &refusal{fmt.Sprintf("%d orders were placed within an hour, and no more than %d may be", total-ordersPerAttempt, most)}
	case !first && ofGroup > max(l.perHour/4, 4*ordersPerAttempt):
		return &refusal{fmt.Sprintf("%d orders were placed within an hour for names of %s", ofGroup-ordersPerAttempt, group)}
	}
	l.placed = append(l.placed, placed{now, name, group, ordersPerAttempt})
	return nil
}

// forget drops what is older than the window.
func (l *limits) forget(now time.Time) {
	old := slices.IndexFunc(l.placed, func(p placed) bool { return now.Sub(p.at) < window })
	if old < 0 {
		old = len(l.placed)
	}
	l.placed = slices.Delete(l.placed, 0, old)
}

// succeeded settles an attempt.
func (l *limits) succeeded(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.placed) - 1; i >= 0; i-- {
		if l.placed[i].name == name {
			l.placed[i].orders = 1
			break
		}
	}
	delete(l.names, name)
	l.stopped, l.stop, l.why = time.Time{}, 0, ""
}

// fail notes a failure, why in words for the log, and returns when the name may
// be tried again.
func (l *limits) fail(name string, err error, why string) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.clear(now)
	f := l.names[name]
	if f == nil {
		f = &failing{}
		l.names[name] = f
	}
	pause := failedServer
	switch p := problemOf(err); {
	case p == nil, p.Status >= http.StatusInternalServerError:
		// Nothing is wrong with the name, and the next one would fare no better.
		// Orders that were under way together fail together.
		if !now.Before(l.stopped) {
			l.stop = min(max(2*l.stop, failedServer), longestStop)
			l.stopped, l.why = now.Add(l.stop), why
		}
	case p.Type == acme.ProblemTypeRateLimited:
		pause = window
	default:
		pause, l.stop = failedName, 0
	}
	f.until = now.Add(min(pause<<min(f.failures, 12), longestName))
	f.failures++
	f.why = why
	return latest(f.until, l.stopped)
}

// clear drops names of which nothing has been heard for long.
func (l *limits) clear(now time.Time) {
	for name, f := range l.names {
		if now.Sub(f.until) > longestName {
			delete(l.names, name)
		}
	}
}

// problemOf is what the ACME server said (RFC 8555 §6.7), nil if it said nothing.
func problemOf(err error) *acme.Problem {
	var value acme.Problem
	if errors.As(err, &value) {
		return &value
	}
	var pointer *acme.Problem // of an order that has become invalid
	if errors.As(err, &pointer) {
		return pointer
	}
	return nil
}

func groupOf(name string) string {
	group, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		return name
	}
	return group
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05 MST") }
