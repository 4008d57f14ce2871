package sources

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"signpost/internal/fair"
)

// How long an answer is good, and how many are kept. A new mailbox is set up minutes
// after its creation, so a "no" is short. It has room of its own: strangers who make up
// addresses push no known one out.
const (
	foundLife   = time.Minute
	missingLife = 10 * time.Second
	maxFound    = 10_000
	maxMissing  = 2_500
)

// asker asks a store about keys and remembers its answers.
type asker[T any] struct {
	core    *core
	found   *cache[T]
	missing *cache[struct{}]
	calls   fair.Group[result[T]]
}

// result is an answer of the store.
type result[T any] struct {
	value  T
	listed bool
}

func newAsker[T any](c *core) *asker[T] {
	return &asker[T]{
		core: c, found: newCache[T](maxFound), missing: newCache[struct{}](maxMissing),
		calls: fair.Group[result[T]]{Places: c.places},
	}
}

// known returns the answer about a key that is remembered and still good, and whether
// there is one.
func (a *asker[T]) known(key string) (r result[T], known bool) {
	now := time.Now()
	if i := a.found.get(key); i != nil && now.Before(i.expires) {
		return result[T]{i.value, true}, true
	}
	if i := a.missing.get(key); i != nil && now.Before(i.expires) {
		return r, true
	}
	return r, false
}

// ask returns what is remembered about the key, or asks the store with the function. The
// question goes on if ctx ends, and its answer is remembered, for a time called life if
// there is such a key. While the store fails, what it said before counts.
func (a *asker[T]) ask(
	ctx context.Context, key string, life time.Duration, question func(context.Context) (T, bool, error),
) (result[T], error) {
	if r, known := a.known(key); known {
		a.core.hits.Add(1)
		return r, nil
	}
	err := errDead
	var r result[T]
	if a.core.breaker.ready() {
		shares := fair.CallerOf(ctx).Shares(sharesPerPlace * a.core.options.Connections)
		r, err = a.calls.Do(ctx, key, shares, func() (result[T], error) { return a.put(key, life, question) })
	}
	if err == nil {
		return r, nil
	}
	if r, ok := a.stale(key); ok {
		a.core.stale.Add(1)
		return r, nil
	}
	return r, err
}

// sharesPerPlace is how many questions of one client block may wait for each of those
// that are asked at once.
const sharesPerPlace = 8

// errDead is the answer while a dead store is not asked.
var errDead = errors.New("the store has failed and is asked again within a second")

// put asks the store and remembers its answer.
func (a *asker[T]) put(
	key string, life time.Duration, question func(context.Context) (T, bool, error),
) (r result[T], err error) {
	err = a.core.question(func(ctx context.Context) error {
		r.value, r.listed, err = question(ctx)
		return err
	})
	if err != nil {
		return result[T]{}, err
	}
	if !r.listed {
		life = missingLife
	}
	a.remember(key, r, life)
	return r, nil
}

// remember keeps an answer about a key, which is good for about a time.
func (a *asker[T]) remember(key string, r result[T], life time.Duration) {
	now := time.Now()
	if !r.listed {
		a.found.drop(key)
		a.missing.put(&item[struct{}]{key: key, asked: now, expires: now.Add(jitter(life))})
		return
	}
	a.missing.drop(key)
	a.found.put(&item[T]{key: key, value: r.value, asked: now, expires: now.Add(jitter(life))})
}

// stale returns what the store said about a key before it failed. A "no" counts only if
// it was good when that began: nobody could add the key since.
func (a *asker[T]) stale(key string) (r result[T], ok bool) {
	since, _ := a.core.breaker.state()
	oldest := time.Now().Add(-a.core.options.Keep)
	if i := a.found.get(key); i != nil && i.asked.After(oldest) {
		return result[T]{i.value, true}, true
	}
	i := a.missing.get(key)
	return r, i != nil && i.asked.After(oldest) && !since.IsZero() && i.expires.After(since)
}

// jitter returns about the time, up to a tenth shorter or longer, so that what was asked
// at once is not asked at once again.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}
