package fair

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// These are the errors of a place that is not to be had now.
var (
	ErrBusy = errors.New("too many questions are waiting")
	// ErrClient is an ErrBusy that concerns only the client.
	ErrClient = fmt.Errorf("%w for this client", ErrBusy)
)

// Share is how many places all callers with the same key may have at once, and how many
// more of them may wait. Those who wait for a place of their share keep none from others.
type Share struct {
	Key  any // comparable
	Most int
	Wait int

	own bool // the key is the client
}

// Limiter gives out places. A caller who finds all of them taken, or those of its share,
// waits in a queue. The next place goes to the one whose owner has the fewest, and among
// these to the one who has waited longest. The owner is the client, a whole /48 of IPv6,
// or what else the first share is of.
type Limiter struct {
	places, queue int
	patience      time.Duration
	slowAfter     time.Duration
	slowPlaces    int

	mu      sync.Mutex
	taken   int
	slow    int
	counts  map[any]*count // by the key of a share
	waiting list.List      // of *ticket
}

// count is how many tickets a key has.
type count struct {
	key           any
	held, running int // tickets, and those of them that have a place
}

// New returns a limiter with a number of places, for which at most queue callers wait
// at once, each at most for the time of patience.
func New(places, queue int, patience time.Duration) *Limiter {
	return &Limiter{places: places, queue: queue, patience: patience, counts: map[any]*count{}}
}

// GiveUp lets work of a Group that takes longer than the time go on without its place,
// as long as no more than a number does so.
func (l *Limiter) GiveUp(after time.Duration, most int) { l.slowAfter, l.slowPlaces = after, most }

// Acquire waits for a place. The error is ErrBusy, or ErrClient, at once if a share is
// used up or the queue is full, or later if no place became free in time or if callers
// with fewer places need the queue; or that of ctx. The caller must call release once.
func (l *Limiter) Acquire(ctx context.Context, shares ...Share) (release func(), err error) {
	t, err := l.enter(shares)
	if err != nil {
		return nil, err
	}
	if err := t.wait(ctx); err != nil {
		return nil, err
	}
	return t.release, nil
}

// Taken returns how many places are taken now, and how many callers wait for one.
func (l *Limiter) Taken() (taken, waiting int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken, l.waiting.Len()
}

// enter returns a ticket, or an error if there is room neither among the places nor in
// the queue.
func (l *Limiter) enter(shares []Share) (*ticket, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refuses(shares); err != nil {
		return nil, err
	}
	t := &ticket{limiter: l, ready: make(chan struct{}), until: time.Now().Add(l.patience)}
	l.hold(t, shares)
	if l.taken < l.places && t.mayStart() {
		l.start(t)
		return t, nil
	}
	if l.waiting.Len() >= l.queue && !l.makeRoom(t.owner) {
		l.giveBack(t)
		return nil, ErrBusy
	}
	t.queued = l.waiting.PushBack(t)
	return t, nil
}

// refuses returns an error if a share is used up.
func (l *Limiter) refuses(shares []Share) error {
	for _, s := range shares {
		c := l.counts[s.Key]
		switch {
		case c == nil || c.held < s.Most+s.Wait:
		case s.own:
			return ErrClient
		default:
			return ErrBusy
		}
	}
	return nil
}

// makeRoom removes the ticket from the queue that came last of the owner who holds most,
// and reports whether that owner holds more than the other one even then. Otherwise a
// few could keep everybody else out of the queue.
func (l *Limiter) makeRoom(owner *count) bool {
	var last *ticket
	for e := l.waiting.Back(); e != nil; e = e.Prev() {
		if t := e.Value.(*ticket); last == nil || t.owner.held > last.owner.held {
			last = t
		}
	}
	if last == nil || last.owner.held <= owner.held {
		return false
	}
	last.err = ErrBusy
	if last.shares[0].own {
		last.err = ErrClient
	}
	l.dequeue(last)
	l.giveBack(last)
	close(last.ready)
	return true
}

// hold counts the ticket for its shares.
func (l *Limiter) hold(t *ticket, shares []Share) {
	if len(shares) == 0 {
		shares = []Share{{Most: l.places, Wait: l.queue}}
	}
	t.shares = shares
	t.counts = t.counts[:0]
	for i, s := range shares {
		c := l.counts[s.Key]
		if c == nil {
			c = &count{key: s.Key}
			l.counts[s.Key] = c
		}
		c.held++
		t.counts = append(t.counts, c)
		if i == 0 || s.own {
			t.owner = c
		}
	}
}

func (l *Limiter) giveBack(t *ticket) {
	for _, c := range t.counts {
		if c.held--; c.held == 0 {
			delete(l.counts, c.key)
		}
	}
}

// start gives the ticket a place.
func (l *Limiter) start(t *ticket) {
	l.taken++
	t.run(1)
	close(t.ready)
}

// startNext gives the places that are free to those in the queue who may have them.
func (l *Limiter) startNext() {
	for l.taken < l.places {
		next := l.next()
		if next == nil {
			return
		}
		l.dequeue(next)
		l.start(next)
	}
}

// next returns the ticket in the queue that gets the next place, nil if none may.
func (l *Limiter) next() *ticket {
	var best *ticket
	for e := l.waiting.Front(); e != nil; e = e.Next() {
		t := e.Value.(*ticket)
		if (best == nil || t.owner.running < best.owner.running) && t.mayStart() {
			best = t
		}
	}
	return best
}

func (l *Limiter) dequeue(t *ticket) {
	l.waiting.Remove(t.queued)
	t.queued = nil
}
