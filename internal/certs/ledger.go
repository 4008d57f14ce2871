package certs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
)

const (
	// ledgerKey is the name of the ledger in the storage, and of its lock.
	ledgerKey = "signpost/orders.json"
	// ledgerTimeout is how long an instance waits for the others to count.
	ledgerTimeout = 10 * time.Second
)

// ledger is a value in a shared storage in which all instances count their orders, so that
// together they order no more than one may.
type ledger struct {
	storage certmagic.Storage
	mu      sync.Mutex // so that the calls of this instance need not contend for the lock
}

// update changes what is counted and returns it.
func (l *ledger) update(ctx context.Context, change func(*counts)) (counts, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, ledgerTimeout)
	defer cancel()
	if err := l.storage.Lock(ctx, ledgerKey); err != nil {
		return counts{}, err
	}
	defer l.storage.Unlock(context.WithoutCancel(ctx), ledgerKey)
	c, err := l.read(ctx)
	if err != nil {
		return counts{}, err
	}
	change(&c)
	data, err := json.Marshal(toEntries(c))
	if err != nil {
		return counts{}, err
	}
	return c, l.storage.Store(ctx, ledgerKey, data)
}

func (l *ledger) read(ctx context.Context) (counts, error) {
	data, err := l.storage.Load(ctx, ledgerKey)
	if errors.Is(err, fs.ErrNotExist) {
		return counts{failures: map[string]*failure{}}, nil
	} else if err != nil {
		return counts{}, err
	}
	var e entries
	if err := json.Unmarshal(data, &e); err != nil {
		return counts{}, fmt.Errorf("%s is damaged: %w", ledgerKey, err)
	}
	return e.counts(), nil
}

// entries are counts as they stand in the storage.
type entries struct {
	Orders   []orderEntry            `json:"orders"`
	Failures map[string]failureEntry `json:"failures"`
	Stopped  struct {
		Until  time.Time     `json:"until"`
		Delay  time.Duration `json:"delay"` // in nanoseconds
		Reason string        `json:"reason"`
	} `json:"stopped"`
}

type orderEntry struct {
	At    time.Time `json:"at"`
	Name  string    `json:"name"`
	Count int       `json:"count"`
}

type failureEntry struct {
	Count  int       `json:"count"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
}

func toEntries(c counts) entries {
	e := entries{Orders: []orderEntry{}, Failures: map[string]failureEntry{}}
	for _, o := range c.orders {
		e.Orders = append(e.Orders, orderEntry{o.at.UTC(), o.name, o.count})
	}
	for name, f := range c.failures {
		e.Failures[name] = failureEntry{f.count, f.until.UTC(), f.reason}
	}
	e.Stopped.Until, e.Stopped.Delay, e.Stopped.Reason = c.stoppedUntil.UTC(), c.stopDelay, c.stopReason
	return e
}

func (e entries) counts() counts {
	c := counts{failures: map[string]*failure{}, stopDelay: e.Stopped.Delay, stopReason: e.Stopped.Reason}
	for _, o := range e.Orders {
		event := newEvent(o.Name, o.Count)
		event.at = o.At
		c.orders = append(c.orders, event)
	}
	for name, f := range e.Failures {
		c.failures[name] = &failure{f.Count, f.Until, f.Reason}
	}
	if !e.Stopped.Until.IsZero() {
		c.stoppedUntil = e.Stopped.Until
	}
	return c
}
