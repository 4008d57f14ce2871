package fair

import (
	"container/list"
	"context"
	"time"
)

// ticket is a place, or a position in the queue for one. The mutex of the limiter guards
// what changes.
type ticket struct {
	limiter *Limiter
	shares  []Share
	counts  []*count // of the shares
	owner   *count
	until   time.Time     // the end of patience
	ready   chan struct{} // closed when the ticket has a place, or err
	err     error
	queued  *list.Element // nil if it is not in the queue
	isSlow  bool          // its work goes on without the place
}

// mayStart reports whether the shares allow one more place.
func (t *ticket) mayStart() bool {
	for i, c := range t.counts {
		if c.running >= t.shares[i].Most {
			return false
		}
	}
	return true
}

// run counts the ticket as one more or one less that has a place.
func (t *ticket) run(n int) {
	for _, c := range t.counts {
		c.running += n
	}
}

// isReady reports whether there is nothing to wait for.
func (t *ticket) isReady() bool {
	select {
	case <-t.ready:
		return true
	default:
		return false
	}
}

// wait waits until the ticket has a place. After an error, the ticket is void.
func (t *ticket) wait(ctx context.Context) error {
	if t.isReady() {
		return t.err
	}
	patience := time.NewTimer(t.limiter.patience)
	defer patience.Stop()
	for {
		select {
		case <-t.ready:
			return t.err
		case <-ctx.Done():
			return t.end(ctx.Err())
		case <-patience.C:
			more := t.more()
			if more <= 0 {
				return t.end(ErrBusy)
			}
			patience.Reset(more)
		}
	}
}

// more returns for how long the ticket still waits, as the last caller has joined later
// than the first.
func (t *ticket) more() time.Duration {
	l := t.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Until(t.until)
}

// end ends the wait with an error.
func (t *ticket) end(err error) error {
	l := t.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case t.queued != nil:
		l.dequeue(t)
		l.giveBack(t)
	case t.err == nil: // it has got a place meanwhile
		l.release(t)
	}
	return err
}

// release gives the place to the next in the queue.
func (t *ticket) release() {
	l := t.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	l.release(t)
}

func (l *Limiter) release(t *ticket) {
	if t.isSlow {
		l.slow--
	} else {
		l.taken--
		t.run(-1)
	}
	l.giveBack(t)
	l.startNext()
}

// giveUp gives the place to the next in the queue, if there is room among those who have
// done so. The ticket still counts as held.
func (t *ticket) giveUp() {
	l := t.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.slow >= l.slowPlaces {
		return
	}
	l.slow++
	l.taken--
	t.run(-1)
	t.isSlow = true
	l.startNext()
}

// sharedWith records that another client waits for the same. A ticket in the queue
// counts for the one who has the fewest places, and waits as long as the last one does.
func (t *ticket) sharedWith(shares []Share) {
	l := t.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.queued == nil {
		return
	}
	t.until = time.Now().Add(l.patience)
	if l.runningOf(shares) < t.owner.running && l.refuses(shares) == nil {
		l.giveBack(t)
		l.hold(t, shares)
		l.startNext()
	}
}

// runningOf returns how many places the owner of the shares has.
func (l *Limiter) runningOf(shares []Share) (running int) {
	for i, s := range shares {
		if c := l.counts[s.Key]; i == 0 || s.own {
			running = 0
			if c != nil {
				running = c.running
			}
		}
	}
	return running
}
