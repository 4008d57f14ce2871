package certs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// ACME servers limit the orders: Let's Encrypt accepts 300 orders of an account in
// three hours, and five failed validations of a name in an hour. Strangers can make
// us order, so we stay below these limits, and strangers' names cannot use up what
// customers need.
const (
	// DefaultOrdersPerHour applies if ACME.OrdersPerHour is zero.
	DefaultOrdersPerHour = 90

	// An order counts as the number of orders that it may become: acmez places one
	// for each type of challenge until one succeeds. If it succeeds, it counts as
	// one, because acmez begins with the type that succeeds most often.
	ordersPerAttempt = 2

	nameDelay      = 10 * time.Minute // after the first failure of a name
	maxNameDelay   = 24 * time.Hour   // it doubles with each failure
	serverDelay    = time.Minute      // for all orders, after the first failure of the server
	maxServerDelay = 15 * time.Minute

	// Delays that the server asks for are respected up to these bounds.
	maxNameRetryAfter   = 7 * 24 * time.Hour
	maxServerRetryAfter = 3 * time.Hour
)

// What is remembered of failures is written with each order.
const (
	maxFailures = 1000 // names
	maxReason   = 200  // bytes
)

// priority decides which part of an hour's orders a name may use.
type priority int

const (
	high   priority = iota // everything: the service's own name, and renewals of listed names
	normal                 // three quarters: new listed names, and other renewals
	low                    // half: other new names, which are hosted here by DNS only
)

func priorityOf(listed, renewal, own bool) priority {
	switch {
	case own, listed && renewal:
		return high
	case listed, renewal:
		return normal
	}
	return low
}

// limitFor returns how many orders may be placed within an hour before those of
// priority p are refused.
func (l *limits) limitFor(p priority) int {
	return max(l.perHour-int(p)*(l.perHour/4), ordersPerAttempt)
}

// limits decides whether an order may be placed now.
type limits struct {
	perHour int
	ledger  *ledger[entries] // where all machines count together; nil if this one is alone

	mu sync.Mutex
	counts
	untold []func(*counts) // what has happened, and could not be told the other machines
}

// counts is what is counted.
type counts struct {
	orders       history
	failures     map[string]*failure // by name
	stoppedUntil time.Time           // no orders at all before
	stoppedSince time.Time           // when the failure of that stop was noted
	stopDelay    time.Duration
	stopReason   string
}

// failure describes a name whose last order failed.
type failure struct {
	count  int
	until  time.Time // no order before
	reason string
}

// refusal is the reason why no order is placed.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

func newLimits(perHour int) *limits {
	if perHour == 0 {
		perHour = DefaultOrdersPerHour
	}
	return &limits{perHour: max(perHour, ordersPerAttempt), counts: counts{failures: map[string]*failure{}}}
}

// ready returns a refusal if an order for the name would be refused because of
// earlier failures. It is called before anything that costs time.
func (l *limits) ready(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.check(name)
}

func (c *counts) check(name string) error {
	now := time.Now()
	if now.Before(c.stoppedUntil) {
		return &refusal{fmt.Sprintf("no orders before %s, the ACME server failed: %s",
			clock(c.stoppedUntil), c.stopReason)}
	}
	if f := c.failures[name]; f != nil && now.Before(f.until) {
		return &refusal{fmt.Sprintf("no order before %s, the last one failed: %s", clock(f.until), f.reason)}
	}
	return nil
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05 MST") }

// allow counts an order, or returns a refusal. The names of one registrable domain
// get at most a quarter of an hour's orders, unless their priority is high.
// Otherwise somebody who points the MX records of many names at us could keep our
// customers waiting.
func (l *limits) allow(ctx context.Context, name string, p priority) error {
	var refused error
	err := l.update(ctx, func(c *counts) bool {
		refused = l.add(c, name, p)
		return refused == nil
	})
	if err != nil {
		return &refusal{fmt.Sprintf("the orders of all machines cannot be counted now: %v", err)}
	}
	return refused
}

func (l *limits) add(c *counts, name string, p priority) error {
	if err := c.check(name); err != nil {
		return err
	}
	c.orders.prune()
	e := newEvent(name, ordersPerAttempt)
	total, ofDomain := c.orders.sum(e.domain)
	if limit := l.limitFor(p); total+e.count > limit {
		return &refusal{fmt.Sprintf("%d orders were placed within an hour, and no more than %d may be", total, limit)}
	}
	if p != high && ofDomain+e.count > max(l.perHour/4, 4*ordersPerAttempt) {
		return &refusal{fmt.Sprintf("%d orders were placed within an hour for names of %s", ofDomain, e.domain)}
	}
	c.orders = append(c.orders, e)
	return nil
}

// update changes what is counted, by all machines if there is a ledger. The error says why
// that is not possible now. change reports whether it changed anything, and may be called several
// times.
func (l *limits) update(ctx context.Context, change func(*counts) bool) error {
	if l.ledger == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		change(&l.counts)
		return nil
	}
	var now counts
	told := 0
	err := l.ledger.update(ctx, func(e *entries) bool {
		now = e.counts()
		l.mu.Lock()
		untold := slices.Clone(l.untold)
		l.mu.Unlock()
		for _, earlier := range untold {
			earlier(&now)
		}
		told = len(untold)
		changed := change(&now)
		*e = toEntries(now)
		return changed || told > 0
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.untold = slices.Delete(l.untold, 0, told)
	for _, later := range l.untold {
		later(&now)
	}
	l.counts = now
	return nil
}

// maxUntold limits what is remembered while the ledger is away. Nothing is ordered then, so it is
// about orders that were under way.
const maxUntold = 100

// updateAnyhow is update for what has happened: if it cannot be told the others now, this
// machine counts it, and tells them with its next order.
func (l *limits) updateAnyhow(change func(*counts)) {
	ctx, cancel := context.WithTimeout(context.Background(), ledgerTimeout)
	defer cancel()
	if l.update(ctx, func(c *counts) bool { change(c); return true }) != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		change(&l.counts)
		if len(l.untold) < maxUntold {
			l.untold = append(l.untold, change)
		}
	}
}

// succeeded records that the last order for the name succeeded. It ends a stop that was decided
// before that order was placed. One that is newer, of another machine perhaps, it does not.
func (l *limits) succeeded(name string) {
	l.updateAnyhow(func(c *counts) {
		placed := time.Now()
		for i, e := range slices.Backward(c.orders) {
			if e.name == name {
				c.orders[i].count, placed = 1, e.at
				break
			}
		}
		delete(c.failures, name)
		if !c.stoppedSince.After(placed) {
			c.stoppedUntil, c.stopDelay = time.Time{}, 0
		}
	})
}

// forgetFailures lets all names and the ACME server be tried again.
func (l *limits) forgetFailures() {
	l.updateAnyhow(func(c *counts) {
		clear(c.failures)
		c.stoppedUntil, c.stoppedSince, c.stopDelay = time.Time{}, time.Time{}, 0
	})
}

// notPlaced takes back what allow has counted for an order that was not placed.
func (l *limits) notPlaced(name string) {
	l.updateAnyhow(func(c *counts) {
		for i, e := range slices.Backward(c.orders) {
			if e.name == name {
				c.orders = slices.Delete(c.orders, i, i+1)
				return
			}
		}
	})
}

// failed records that an order failed, with a reason for the log, and returns when
// the next one may be placed.
func (l *limits) failed(name string, err error, reason string) (again time.Time) {
	l.updateAnyhow(func(c *counts) { again = c.fail(name, err, reason) })
	return again
}

func (c *counts) fail(name string, err error, reason string) time.Time {
	c.pruneFailures()
	now := time.Now()
	problem := problemOf(err)
	wanted := retryAfter(problem)
	delay := nameDelay
	switch {
	case isServerFault(problem, name):
		delay = serverDelay
		c.stop(wanted, reason)
	case problem.Type == acme.ProblemTypeRateLimited:
		delay = window
	default:
		c.stopDelay = 0
	}
	f := c.failures[name]
	if f == nil {
		c.forgetFirst()
		f = &failure{}
		c.failures[name] = f
	}
	f.until = now.Add(min(delay<<min(f.count, 12), maxNameDelay))
	if !wanted.IsZero() {
		f.until = earlier(later(wanted, now.Add(serverDelay)), now.Add(maxNameRetryAfter))
	}
	f.count++
	f.reason = shorten(reason, maxReason)
	return later(f.until, c.stoppedUntil)
}

// stop stops all orders for a while, which doubles with each failure. Orders that
// are under way at the same time fail together and count as one failure.
func (c *counts) stop(wanted time.Time, reason string) {
	now := time.Now()
	if !now.Before(c.stoppedUntil) {
		c.stopDelay = min(max(2*c.stopDelay, serverDelay), maxServerDelay)
		c.stoppedUntil, c.stoppedSince, c.stopReason = now.Add(c.stopDelay), now, reason
	}
	c.stoppedUntil = later(c.stoppedUntil, earlier(wanted, now.Add(maxServerRetryAfter)))
}

// pruneFailures forgets names that nobody has asked for in a long time.
func (c *counts) pruneFailures() {
	for name, f := range c.failures {
		if time.Since(f.until) > maxNameDelay {
			delete(c.failures, name)
		}
	}
}

// forgetFirst makes room for one more failure: it forgets the name that may be tried again first.
func (c *counts) forgetFirst() {
	if len(c.failures) < maxFailures {
		return
	}
	first := ""
	for name, f := range c.failures {
		if first == "" || f.until.Before(c.failures[first].until) {
			first = name
		}
	}
	delete(c.failures, first)
}

// failing lists the names whose last order failed.
func (l *limits) failing() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pruneFailures()
	return slices.Collect(maps.Keys(l.failures))
}

// state returns how many orders were placed within the window, and until when all
// orders are stopped, zero if they are not.
func (l *limits) state() (orders int, stoppedUntil time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.orders.prune()
	orders, _ = l.orders.sum("")
	if time.Now().Before(l.stoppedUntil) {
		stoppedUntil = l.stoppedUntil
	}
	return orders, stoppedUntil
}

func earlier(times ...time.Time) time.Time { return slices.MinFunc(times, time.Time.Compare) }

func later(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }
