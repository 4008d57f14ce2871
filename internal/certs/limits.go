package certs

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
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

	// As long as the server says itself, within reason.
	longestNameTold = 7 * 24 * time.Hour
	longestStopTold = 3 * time.Hour
)

// rank says what of an hour's orders is for a name.
type rank int

const (
	first  rank = iota // all of it: the service's own name, and the renewal of a configured one
	second             // three quarters: a configured name that is new, and the renewal of any other
	third              // half of it: a new name that is ours by what DNS says
)

func rankOf(listed, renewal, own bool) rank {
	switch {
	case own, listed && renewal:
		return first
	case listed, renewal:
		return second
	}
	return third
}

// most is how many of an hour's orders names of a rank leave no more room after.
func (l *limits) most(r rank) int {
	return max(l.perHour-int(r)*(l.perHour/4), ordersPerAttempt)
}

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

// take counts an attempt, or refuses it. Of every hour, names of a lower rank
// leave a quarter or two to those above, and the names of one registrable domain
// get no more than a quarter, unless they are of the first. Whoever points the MX
// records of endless names at us shall not keep our customers waiting.
func (l *limits) take(name string, r rank) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if err := l.failed(name, now); err != nil {
		return err
	}
	l.placed = recent(l.placed, now)
	group := groupOf(name)
	total, ofGroup := count(l.placed, group)
	total, ofGroup = total+ordersPerAttempt, ofGroup+ordersPerAttempt
	switch most := l.most(r); {
	case total > most:
		return &refusal{fmt.Sprintf("%d orders were placed within an hour, and no more than %d may be", total-ordersPerAttempt, most)}
	case r != first && ofGroup > max(l.perHour/4, 4*ordersPerAttempt):
		return &refusal{fmt.Sprintf("%d orders were placed within an hour for names of %s", ofGroup-ordersPerAttempt, group)}
	}
	l.placed = append(l.placed, placed{now, name, group, ordersPerAttempt})
	return nil
}

// recent drops what is older than the window.
func recent(list []placed, now time.Time) []placed {
	old := slices.IndexFunc(list, func(p placed) bool { return now.Sub(p.at) < window })
	if old < 0 {
		old = len(list)
	}
	return slices.Delete(list, 0, old)
}

// count sums up orders, and those for a group.
func count(list []placed, group string) (total, ofGroup int) {
	for _, p := range list {
		total += p.orders
		if p.group == group {
			ofGroup += p.orders
		}
	}
	return total, ofGroup
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
	p := problemOf(err)
	again := told(p)
	pause := failedServer
	switch {
	case p == nil, p.Status >= http.StatusInternalServerError, p.Type == acme.ProblemTypeRateLimited && !isAbout(p, name):
		// Nothing is wrong with the name, and the next one would fare no better.
		// Orders that were under way together fail together.
		if !now.Before(l.stopped) {
			l.stop = min(max(2*l.stop, failedServer), longestStop)
			l.stopped, l.why = now.Add(l.stop), why
		}
		l.stopped = latest(l.stopped, earliest(again, now.Add(longestStopTold)))
	case p.Type == acme.ProblemTypeRateLimited:
		pause = window
	default:
		pause, l.stop = failedName, 0
	}
	f.until = now.Add(min(pause<<min(f.failures, 12), longestName))
	if !again.IsZero() {
		f.until = earliest(latest(again, now.Add(failedServer)), now.Add(longestNameTold))
	}
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

// isAbout reports whether a limit is one of the name, of its domain or of the set
// of names that was ordered, as against one of the account or of our address.
// Only the text says it: Let's Encrypt quotes what it is about.
func isAbout(p *acme.Problem, name string) bool {
	detail := strings.ToLower(p.Detail)
	return strings.Contains(detail, groupOf(name)) || strings.Contains(detail, "exact set of")
}

var retryAfter = regexp.MustCompile(`(?i)retry after (\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d) ?(?:Z|UTC)`)

// told is when a rate limit ends, zero if the server did not say. Let's Encrypt
// says it in its text as in the header Retry-After, which acmez does not pass on.
func told(p *acme.Problem) time.Time {
	if p == nil || p.Type != acme.ProblemTypeRateLimited {
		return time.Time{}
	}
	found := retryAfter.FindStringSubmatch(p.Detail)
	if found == nil {
		return time.Time{}
	}
	t, _ := time.Parse(time.DateTime, found[1]+" "+found[2])
	return t
}

func groupOf(name string) string {
	group, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		return name
	}
	return group
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05 MST") }
