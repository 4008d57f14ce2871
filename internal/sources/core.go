package sources

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"signpost/internal/directory"
	"signpost/internal/fair"
)

// maxWaiting is how many questions wait for their turn.
const maxWaiting = 256

// core is what sources share that ask the same store in the same way, one after the other
// configuration: what it said, and whether it answers.
type core struct {
	options Options // those of the first source
	log     *slog.Logger
	name    atomic.Pointer[string]
	places  *fair.Limiter
	breaker breaker

	accounts *asker[directory.Stored]
	domains  *asker[directory.Domain]
	list     list

	newDomains bucket

	hits, misses, failures, stale atomic.Uint64

	mu      sync.Mutex
	users   int // sources
	closed  bool
	running sync.WaitGroup // questions
	stop    context.CancelFunc
	stopped chan struct{} // closed when the list is read no more
	warned  map[string]bool
}

func newCore(o Options, log *slog.Logger) *core {
	c := &core{options: o, log: log, users: 1, warned: map[string]bool{}}
	c.places = fair.New(o.Connections, maxWaiting, 2*o.Timeout)
	c.accounts = newAsker(c, accountLife, true)
	c.domains = newAsker(c, domainLife, false)
	c.newDomains = bucket{perSec: newDomains}
	c.list.nudged, c.list.hurried = make(chan struct{}, 1), make(chan struct{}, 1)
	c.name.Store(&o.Name)
	return c
}

// errClosed is the answer of a source that is closed.
var errClosed = errors.New("the source is closed")

// question asks the store something. It counts how that ends.
func (c *core) question(ask func() error) error {
	if err := c.begin(); err != nil {
		return err
	}
	defer c.running.Done()
	if err := c.breaker.try(); err != nil {
		return err
	}
	c.misses.Add(1)
	err := ask()
	if err != nil {
		c.failures.Add(1)
	}
	c.note(c.breaker.done(err))
	return err
}

// inTime returns the rows that a question of the backend gives within its time.
func inTime[T, R any](
	c *core, ask func(context.Context, T) ([]R, error), key T,
) ([]R, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.options.Timeout)
	defer cancel()
	rows, err := ask(ctx, key)
	if err != nil && ctx.Err() != nil {
		return nil, errSlow
	}
	return rows, err
}

// errSlow is the failure of a store that does not answer in time.
var errSlow = errors.New("no answer in time")

// begin counts a question that is under way, until running.Done.
func (c *core) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	c.running.Add(1)
	return nil
}

// note logs that the store is found dead, or alive again.
func (c *core) note(dead, alive bool, down time.Duration) {
	switch {
	case dead:
		_, err := c.breaker.state()
		c.log.Warn("account source fails, answering from what is known", "source", *c.name.Load(), "error", err)
	case alive:
		c.log.Info("account source answers again", "source", *c.name.Load(), "took", down.Round(time.Millisecond))
		c.list.nudge()
	}
}

// warn logs a warning about the rows of the store, once.
func (c *core) warn(message string) {
	c.mu.Lock()
	warned := c.warned[message]
	c.warned[message] = true
	c.mu.Unlock()
	if !warned {
		c.log.Warn(message, []any{"source", *c.name.Load(), "hint",
			"signpost check names such rows of domains, and signpost show ADDRESS says what an account has"}...)
	}
}

// start begins to read the list of domains, or has it read now.
func (c *core) start(asked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if asked {
		c.list.ask()
	}
	switch {
	case c.closed || c.options.NoDomains || !c.options.Backend.Columns().Domains:
	case c.stop != nil:
		c.list.nudge()
	default:
		ctx, stop := context.WithCancel(context.Background())
		c.stop, c.stopped = stop, make(chan struct{})
		go func() {
			defer close(c.stopped)
			c.keepList(ctx)
		}()
	}
}

// share counts one more source that uses the core. It reports false if that is closed.
func (c *core) share() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.users++
	}
	return !c.closed
}

// closeTime is how long questions under way may take to end.
const closeTime = 2 * time.Second

// release ends the use by one source, and everything with the last one.
func (c *core) release() error {
	c.mu.Lock()
	c.users--
	last := c.users == 0
	c.closed = c.closed || last
	c.mu.Unlock()
	if !last {
		return nil
	}
	ended := make(chan struct{})
	go func() {
		if c.stop != nil {
			c.stop()
			<-c.stopped
		}
		c.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(closeTime):
	}
	return c.options.Backend.Close()
}
