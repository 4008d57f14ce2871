package fair

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Group asks questions, each only once for all who want its answer at the same time.
// A question takes a place of Places.
type Group[V any] struct {
	Places *Limiter
	// Quick says that work is short enough to be waited for: a caller who finds a place for
	// it does it itself, and the end of its context does not end it. To hand it to another
	// goroutine takes as long as a quarter of a question to a database.
	Quick bool

	mu    sync.Mutex
	calls map[string]*call[V]
}

// call is a question that is waiting for its place or under way.
type call[V any] struct {
	ticket  *ticket
	wanted  context.Context // ends with the wait for a place
	drop    context.CancelFunc
	callers int
	begun   bool
	done    chan struct{} // closed when value and err are set
	value   V
	err     error
}

// Do returns what work returns. If work with the same key is under way or waits for its
// place, Do waits for that. The shares are those of the caller; they count while its
// work waits or is under way, and not if another caller began it, unless that one's
// shares hold it back. An error of Places is
// returned as it is; ErrBusy says that work was not called.
//
// The end of ctx ends the wait of this caller. Work that has begun goes on, so that its
// answer can be kept, and must have a time limit of its own; work that still waits for
// its place is dropped with the last caller. Who does Quick work stays.
func (g *Group[V]) Do(ctx context.Context, key string, shares []Share, work func() (V, error)) (V, error) {
	c, isFirst, err := g.join(key, shares)
	switch {
	case err != nil:
		var none V
		return none, err
	case isFirst && g.Quick && c.ticket.isReady():
		g.run(key, c, work)
		return c.value, c.err
	case isFirst:
		go g.run(key, c, work)
	}
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		g.leave(key, c)
		var none V
		return none, ctx.Err()
	}
}

// join returns the call with the key. If there is none, it returns a new one, which the
// caller must run.
func (g *Group[V]) join(key string, shares []Share) (c *call[V], isFirst bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.calls[key]; c != nil {
		c.callers++
		c.ticket.sharedWith(shares)
		return c, false, nil
	}
	ticket, err := g.Places.enter(shares)
	if err != nil {
		return nil, false, err
	}
	c = &call[V]{ticket: ticket, callers: 1, done: make(chan struct{}), err: errUnanswered}
	c.wanted, c.drop = context.WithCancel(context.Background())
	if g.calls == nil {
		g.calls = map[string]*call[V]{}
	}
	g.calls[key] = c
	return c, true, nil
}

// errUnanswered is what those who wait get if work panics.
var errUnanswered = errors.New("the question ended without an answer")

func (g *Group[V]) run(key string, c *call[V], work func() (V, error)) {
	defer close(c.done)
	defer g.forget(key, c)
	defer c.drop()
	if err := c.ticket.wait(c.wanted); err != nil {
		c.err = err
		return
	}
	defer c.ticket.release()
	if g.begin(c) {
		c.value, c.err = c.work(work)
	}
}

// work calls work, which gives its place up if it takes long.
func (c *call[V]) work(work func() (V, error)) (V, error) {
	if l := c.ticket.limiter; l.slowPlaces > 0 {
		slow := time.NewTimer(l.slowAfter)
		ended := make(chan struct{})
		var both sync.WaitGroup
		both.Go(func() {
			select {
			case <-slow.C:
				c.ticket.giveUp()
			case <-ended:
			}
		})
		defer both.Wait()
		defer close(ended)
		defer slow.Stop()
	}
	return work()
}

// begin reports whether anybody waits for the call, which then goes on to its end.
func (g *Group[V]) begin(c *call[V]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.begun = c.callers > 0
	return c.begun
}

// leave ends the wait of one caller.
func (g *Group[V]) leave(key string, c *call[V]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.callers--; c.callers == 0 && !c.begun {
		c.drop()
		g.remove(key, c) // nobody may join it any more
	}
}

func (g *Group[V]) forget(key string, c *call[V]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.remove(key, c)
}

func (g *Group[V]) remove(key string, c *call[V]) {
	if g.calls[key] == c {
		delete(g.calls, key)
	}
}
