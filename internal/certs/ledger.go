package certs

import (
	"context"
	crand "crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"time"

	"signpost/internal/dns"
)

const (
	// ordersKey is the name of the ledger of orders in the storage.
	ordersKey = "signpost/orders.json"
	// ledgerTimeout is how long a machine tries to count.
	ledgerTimeout = 10 * time.Second
)

// ledger is a value in a shared storage in which all machines count, so that together they do
// no more than one may. T is the value, as package json reads and writes it.
type ledger[T any] struct {
	storage Shared
	key     string
	log     *slog.Logger
	turn    chan struct{} // so that the calls of this machine need not contend
}

func newLedger[T any](storage Shared, key string, log *slog.Logger) *ledger[T] {
	return &ledger[T]{storage, key, log, make(chan struct{}, 1)}
}

// update changes the value. change reports whether it did, and is called again if another
// machine was faster. A lock would stay for a while if its owner died.
func (l *ledger[T]) update(ctx context.Context, change func(*T) bool) error {
	ctx, cancel := context.WithTimeout(ctx, ledgerTimeout)
	defer cancel()
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		done, err := l.try(ctx, change)
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(20 * time.Millisecond)):
		}
	}
}

// try changes the value unless it changes meanwhile. A value that is damaged is replaced: otherwise
// nothing would be ordered any more.
func (l *ledger[T]) try(ctx context.Context, change func(*T) bool) (done bool, err error) {
	var value T
	old, err := l.storage.Load(ctx, l.key)
	if err == nil && len(old) > 0 {
		if err := json.Unmarshal(old, &value); err != nil {
			l.log.Warn("what was counted is damaged, counting begins anew", "key", l.key, "reason", err)
			value = *new(T)
		}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if !change(&value) {
		return true, nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		return false, err
	}
	return l.storage.Swap(ctx, l.key, old, data)
}

// entries are counts as they stand in the storage.
type entries struct {
	Orders   []orderEntry            `json:"orders"`
	Failures map[string]failureEntry `json:"failures"`
	Stopped  struct {
		Until  time.Time     `json:"until"`
		Since  time.Time     `json:"since"`
		Delay  time.Duration `json:"delay"` // in nanoseconds
		Reason string        `json:"reason"`
	} `json:"stopped"`
	// Writer is different each time, so that a machine can tell its own value.
	Writer string `json:"writer"`
}

type orderEntry struct {
	At    time.Time `json:"at"`
	Name  string    `json:"name"`
	Count int       `json:"count"`
}

func (o orderEntry) event() event { return event{o.At, o.Name, dns.Registrable(o.Name), o.Count} }

type failureEntry struct {
	Count  int       `json:"count"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
}

func toEntries(c counts) entries {
	e := entries{Orders: []orderEntry{}, Failures: map[string]failureEntry{}, Writer: crand.Text()}
	for _, o := range c.orders {
		e.Orders = append(e.Orders, orderEntry{o.at.UTC(), o.name, o.count})
	}
	for name, f := range c.failures {
		e.Failures[name] = failureEntry{f.count, f.until.UTC(), f.reason}
	}
	e.Stopped.Until, e.Stopped.Since = c.stoppedUntil.UTC(), c.stoppedSince.UTC()
	e.Stopped.Delay, e.Stopped.Reason = c.stopDelay, c.stopReason
	return e
}

// counts returns what the entries count. A time that is further ahead than any delay can be was
// written by a machine whose clock is wrong, and stops nobody.
func (e entries) counts() counts {
	now := time.Now()
	c := counts{failures: map[string]*failure{}, stopDelay: e.Stopped.Delay, stopReason: e.Stopped.Reason}
	for _, o := range e.Orders {
		c.orders = append(c.orders, o.event())
	}
	for name, f := range e.Failures {
		if f.Until.Sub(now) < maxNameRetryAfter+window {
			c.failures[name] = &failure{f.Count, f.Until, f.Reason}
		}
	}
	if !e.Stopped.Until.IsZero() && e.Stopped.Until.Sub(now) < maxServerRetryAfter+window {
		c.stoppedUntil, c.stoppedSince = e.Stopped.Until, e.Stopped.Since
	}
	return c
}
