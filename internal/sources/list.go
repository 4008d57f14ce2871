package sources

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"signpost/internal/sources/row"
)

const (
	// minRetry and maxRetry bound the time after which a list is read again that could
	// not be read.
	minRetry = time.Second
	maxRetry = 30 * time.Second
	// collectEvery is after how many rows of a list their garbage is collected.
	collectEvery = 100_000
	// listPause is how long the store may pause before and between the rows of a list.
	listPause = 15 * time.Second
	// smallTime is how long a list that lost more than half of its domains must stay
	// so, without a failure between, before it is believed: an emptied table looks
	// like that.
	smallTime = time.Hour
	// askedTime is for how long the list is waited for that an operator asked for.
	askedTime = time.Minute
	// goneLists is how many good lists in a row must lack a domain that is gone.
	goneLists = 3
	// maxGone is how many domains are remembered that lists lack. Further ones are
	// never gone.
	maxGone = 100_000
)

// list is the store's list of domains.
type list struct {
	table   atomic.Pointer[table] // nil before the first list
	nudged  chan struct{}
	hurried chan struct{}

	mu    sync.Mutex
	read  time.Time      // when a good list was read last
	good  int            // lists that were good
	gone  map[string]int // domains that were in a list before, by the number of lists that lack them
	small time.Time      // since when the lists are not good because of err, if they could be read
	err   error          // why the last list is not good, or nil
	asked time.Time      // when an operator asked for a list, which may have lost more than half; or zero
}

// These are reasons for which a list is not good.
var (
	errNotRead = errors.New("the list of domains was not read as yet")
	errEmpty   = errors.New("the list of domains is empty")
	errSmall   = errors.New("the list of domains has lost more than half")
)

// nudge has the list read soon.
func (l *list) nudge() { signal(l.nudged) }

// hurry has the list read sooner if it could not be, because somebody waits for it. One
// that was read and is not believed is not read more often for that: strangers can ask.
func (l *list) hurry(failure error) {
	if failure != nil && !isDoubt(failure) {
		signal(l.hurried)
	}
}

// isDoubt reports whether the list could be read and is not believed.
func isDoubt(err error) bool { return errors.Is(err, errEmpty) || errors.Is(err, errSmall) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// ask has the next list believed even if it lost more than half of its domains, but not
// if it is empty.
func (l *list) ask() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = time.Now()
}

// failure returns why the last list is not good, nil if it is.
func (l *list) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil && l.good == 0 {
		return errNotRead
	}
	return l.err
}

// keepList reads the list now and then, until ctx is done.
func (c *core) keepList(ctx context.Context) {
	retry := minRetry
	for {
		wait, began := jitter(c.options.Refresh), time.Now()
		if err := c.readList(ctx); err == nil || isDoubt(err) {
			retry = minRetry
		} else {
			wait = jitter(min(retry, c.options.Refresh))
			retry = min(2*retry, maxRetry)
		}
		c.pause(ctx, wait, time.Since(began))
		if ctx.Err() != nil {
			return
		}
	}
}

// pause waits until the list is to be read again: for a time, or less if somebody nudges
// or hurries. took is how long the last reading took.
func (c *core) pause(ctx context.Context, wait, took time.Duration) {
	began := time.Now()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	hurried := c.list.hurried
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-c.list.nudged:
			// Not more often than a dead store is tried.
			sleep(ctx, tryEvery-time.Since(began))
			return
		case <-hurried:
			// Strangers have a list read again no more than a fifth of the time.
			hurried = nil
			timer.Reset(min(wait, max(tryEvery, 4*took)) - time.Since(began))
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// readList reads the list once. The error says why it was not taken.
func (c *core) readList(ctx context.Context) error {
	if err := c.begin(); err != nil {
		return err
	}
	defer c.running.Done()
	began := time.Now()
	b := newBuilder(c.list.table.Load())
	err := c.eachDomain(ctx, b.add)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil && b.bad > 0 {
		c.warn("a row names a domain or host that is none")
	}
	t := c.list.take(b.table, err, began)
	c.noteList(t)
	return t.err
}

// eachDomain calls add for all domains of the store, until it pauses for too long.
func (c *core) eachDomain(ctx context.Context, add func(row.Domain)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	slow := errors.New("the list of domains takes too long")
	var paused atomic.Bool
	pause := time.AfterFunc(listPause, func() { paused.Store(true); cancel() })
	defer pause.Stop()
	count := 0
	each := func(r row.Domain) {
		if count++; count%1000 == 0 {
			pause.Reset(listPause)
		}
		if count%collectEvery == 0 {
			// The heap may double otherwise, and does at every refresh. A table has no
			// pointers, so this costs little.
			runtime.GC()
		}
		add(r)
	}
	var err error
	if lister, ok := c.options.Backend.(Lister); ok {
		err = lister.EachDomain(ctx, each)
	} else {
		var rows []row.Domain
		rows, err = c.options.Backend.Domains(ctx)
		for _, r := range rows {
			each(r)
		}
	}
	if paused.Load() {
		return slow
	}
	return err
}

// taken is what became of a list that was read.
type taken struct {
	err  error // why it was not taken, or nil
	news bool  // it is the first good one, the first after another state, or the first of a row of failures
	lost int   // how many domains the list before it had, if it has less than half of them
}

// take takes a list that was read since a time, unless err says that it could not be.
func (l *list) take(t *table, err error, began time.Time) (r taken) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.table.Load()
	r.err = err
	if err == nil {
		r.lost, r.err = l.doubt(t, last, began)
	}
	r.news = l.good == 0 && (r.err == nil || l.err == nil) || (r.err == nil) != (l.err == nil)
	l.err = r.err
	if r.err != nil {
		return r
	}
	l.read, l.good = time.Now(), l.good+1
	l.count(t, last)
	if last == nil || t.sum != last.sum || t.len() != last.len() {
		l.table.Store(t)
	}
	return r
}

// doubt returns why a list is not believed as yet, or how many domains the last one had
// if the list is believed although it has less than half of them. It requires the mutex.
func (l *list) doubt(t, last *table, began time.Time) (lost int, err error) {
	// A list that was being read when the operator asked is not the one asked for.
	asked := !began.Before(l.asked)
	wanted := asked && began.Sub(l.asked) <= askedTime
	if asked {
		l.asked = time.Time{}
	}
	switch {
	case t.len() == 0 && (last == nil || last.len() > 0):
		err, wanted = errEmpty, false
	case last != nil && 2*t.len() < last.len():
		err = errSmall
	default:
		return 0, nil
	}
	if l.err != err {
		l.small = time.Now()
	}
	if !wanted && time.Since(l.small) < smallTime {
		return 0, err
	}
	return last.len(), nil
}

// count counts the lists that lack the domains of earlier ones. It requires the mutex.
func (l *list) count(t, last *table) {
	for name, lacking := range l.gone {
		if _, ok := t.find(name); ok {
			delete(l.gone, name)
		} else if lacking < goneLists {
			l.gone[name]++
		}
	}
	if last == nil || t.sum == last.sum && t.len() == last.len() {
		return
	}
	for name := range last.all() {
		if _, ok := t.find(name); !ok && len(l.gone) < maxGone {
			if l.gone == nil {
				l.gone = map[string]int{}
			}
			l.gone[name] = 1
		}
	}
}

// isGone reports whether the last good lists all lacked the domain, and whether an
// earlier one had it.
func (l *list) isGone(name string) (gone, had bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lacking, had := l.gone[name]
	_, listed := l.table.Load().find(name)
	return l.good >= goneLists && !listed && (!had || lacking >= goneLists), had
}

// noteList logs what is new about the list.
func (c *core) noteList(t taken) {
	name, had := *c.name.Load(), c.list.table.Load()
	if t.lost > 0 {
		c.log.Warn("domains of the account source are less than half of those before", "source", name,
			"domains", had.len(), "before", t.lost)
	}
	switch {
	case !t.news:
	case t.err == nil:
		c.log.Info("domains of the account source read", "source", name, "domains", had.len())
	case had != nil:
		c.log.Warn("domains of the account source not read, keeping the last list", "source", name,
			"domains", had.len(), "error", t.err)
	default:
		c.log.Warn("domains of the account source not read as yet", "source", name, "error", t.err)
	}
}
