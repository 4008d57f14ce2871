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

// Share is how many places all callers with the same key may have, those who wait for
// one included.
type Share struct {
	Key  any // comparable
	Most int

	own bool // the key is the client
}

// Limiter gives out places. A caller who finds all of them taken waits in a queue; the
// next place goes to the one whose client has the fewest, and among these to the one
// who has waited longest.
type Limiter struct {
	places, queue int
	patience      time.Duration

	mu      sync.Mutex
	taken   int
	held    map[any]int // places and waiting callers, by the key of a share
	running map[any]int // places, by the owner of the ticket
	waiting list.List   // of *ticket
}

// New returns a limiter with a number of places, for which at most queue callers wait
// at once, each at most for the time of patience.
func New(places, queue int, patience time.Duration) *Limiter {
	return &Limiter{
		places: places, queue: queue, patience: patience,
		held: map[any]int{}, running: map[any]int{},
	}
}

// Acquire waits for a place. The error is ErrBusy, or ErrClient, at once if a share is
// used up or the queue is full, or later if no place became free in time; or that of
// ctx. The caller must call release once.
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

// ticket is a place, or a position in the queue for one.
type ticket struct {
	limiter *Limiter
	shares  []Share
	owner   any           // the key of the client
	ready   chan struct{} // closed when the ticket has a place
	queued  *list.Element // nil if it has one
}

// enter returns a ticket, or an error if there is room neither among the places nor in
// the queue.
func (l *Limiter) enter(shares []Share) (*ticket, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range shares {
		if l.held[s.Key] < s.Most {
			continue
		}
		if s.own {
			return nil, ErrClient
		}
		return nil, ErrBusy
	}
	if l.taken >= l.places && l.waiting.Len() >= l.queue {
		return nil, ErrBusy
	}
	for _, s := range shares {
		l.held[s.Key]++
	}
	t := &ticket{limiter: l, shares: shares, owner: ownerOf(shares), ready: make(chan struct{})}
	if l.taken < l.places {
		l.start(t)
	} else {
		t.queued = l.waiting.PushBack(t)
	}
	return t, nil
}

// ownerOf returns the key of the client, nil if it is not known.
func ownerOf(shares []Share) any {
	if len(shares) > 0 && shares[0].own {
		return shares[0].Key
	}
	return nil
}

// start gives the ticket a place. It requires the mutex.
func (l *Limiter) start(t *ticket) {
	l.taken++
	l.running[t.owner]++
	close(t.ready)
}

// wait waits until the ticket has a place. After an error, the ticket is void.
func (t *ticket) wait(ctx context.Context) error {
	select {
	case <-t.ready:
		return nil
	default:
	}
	patience := time.NewTimer(t.limiter.patience)
	defer patience.Stop()
	var err error
	select {
	case <-t.ready:
		return nil
	case <-patience.C:
		err = ErrBusy
	case <-ctx.Done():
		err = ctx.Err()
	}
	if !t.leave() {
		t.release()
	}
	return err
}

// leave leaves the queue. It reports false if the ticket has got a place meanwhile.
func (t *ticket) leave() bool {
	l := t.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.queued == nil {
		return false
	}
	l.waiting.Remove(t.queued)
	t.queued = nil
	l.giveBack(t)
	return true
}

// release gives the place to the next in the queue.
func (t *ticket) release() {
	l := t.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken--
	decrement(l.running, t.owner)
	l.giveBack(t)
	if next := l.next(); next != nil {
		l.waiting.Remove(next.queued)
		next.queued = nil
		l.start(next)
	}
}

func (l *Limiter) giveBack(t *ticket) {
	for _, s := range t.shares {
		decrement(l.held, s.Key)
	}
}

// next returns the ticket in the queue whose owner has the fewest places.
func (l *Limiter) next() *ticket {
	var best *ticket
	for e := l.waiting.Front(); e != nil; e = e.Next() {
		if t := e.Value.(*ticket); best == nil || l.running[t.owner] < l.running[best.owner] {
			best = t
		}
	}
	return best
}

// sharedWith records that another client waits for the same. A ticket in the queue
// counts for the one who has the fewest places.
func (t *ticket) sharedWith(shares []Share) {
	l := t.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if owner := ownerOf(shares); t.queued != nil && l.running[owner] < l.running[t.owner] {
		t.owner = owner
	}
}

func decrement(counts map[any]int, key any) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}
