package sources

import (
	"sync"
	"time"
)

const (
	// maxFailures is after how many failures in a row a store is asked only once in
	// tryEvery: what waits for a dead store keeps others waiting.
	maxFailures = 5
	tryEvery    = time.Second
)

// breaker notices that a store is dead, so that not every request has to.
type breaker struct {
	mu       sync.Mutex
	failures int
	since    time.Time // of the first of the failures
	next     time.Time // no question before
	err      error     // the last failure
}

// ready reports whether a question would be let through now.
func (b *breaker) ready() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures < maxFailures || !time.Now().Before(b.next)
}

// try lets a question through, which must end with done, or returns why the store is not
// asked now.
func (b *breaker) try() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < maxFailures {
		return nil
	}
	now := time.Now()
	if now.Before(b.next) {
		return b.err
	}
	b.next = now.Add(tryEvery)
	return nil
}

// done counts the end of a question. It reports whether the store is found dead with it,
// or alive again after the time down.
func (b *breaker) done(err error) (dead, alive bool, down time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if err == nil {
		alive = b.failures >= maxFailures
		if alive {
			down = now.Sub(b.since)
		}
		b.failures, b.err = 0, nil
		return false, alive, down
	}
	if b.failures == 0 {
		b.since = now
	}
	b.failures++
	b.err = err
	if b.failures >= maxFailures {
		b.next = now.Add(tryEvery)
	}
	return b.failures == maxFailures, false, 0
}

// state returns since when all questions fail, and why; the time is zero if they do not.
func (b *breaker) state() (since time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures == 0 {
		return time.Time{}, nil
	}
	return b.since, b.err
}
