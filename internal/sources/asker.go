package sources

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"signpost/internal/directory"
	"signpost/internal/fair"
)

// How long an answer is good, and how many are kept. A new mailbox is set up minutes
// after its creation, so a "no" is short, and so is all that gives the same answer: when a
// question is slow again must not tell who exists. A "no" has room of its own: strangers
// who make up addresses push no known one out.
const (
	foundLife   = time.Minute
	missingLife = 10 * time.Second
	maxFound    = 10_000
	maxMissing  = 2_500
)

// quickTime is for how long a caller waits for its own question, even if nobody wants the
// answer any more.
const quickTime = DefaultTimeout

// asker asks a store about keys and remembers its answers.
type asker[T any] struct {
	core    *core
	found   *cache[T]
	missing *cache[struct{}]
	calls   fair.Group[result[T]]
	life    func(T) time.Duration // how long a row is good
	keepsNo bool                  // while the store fails, "no" counts as long as a row
}

// result is an answer of the store.
type result[T any] struct {
	value  T
	listed bool
}

func newAsker[T any](c *core, life func(T) time.Duration, keepsNo bool) *asker[T] {
	return &asker[T]{
		core: c, found: newCache[T](maxFound), missing: newCache[struct{}](maxMissing),
		calls: fair.Group[result[T]]{Places: c.places, Quick: c.options.Timeout <= quickTime},
		life:  life, keepsNo: keepsNo,
	}
}

// accountLife returns how long the row of an account is good. Most mailboxes get the same
// answer as an address that nobody has.
func accountLife(s directory.Stored) time.Duration {
	if s.Provider == "" && s.Username == "" && s.MailHost == "" {
		return missingLife
	}
	return foundLife
}

func domainLife(directory.Domain) time.Duration { return foundLife }

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
// question goes on if ctx ends, and its answer is remembered. While the store fails, what
// it said before counts.
func (a *asker[T]) ask(
	ctx context.Context, key string, question func() (T, bool, error),
) (result[T], error) {
	if r, known := a.known(key); known {
		a.core.hits.Add(1)
		return r, nil
	}
	err := errDead
	var r result[T]
	if a.core.breaker.ready() {
		shares := fair.CallerOf(ctx).Shares(maxShare, 0)
		r, err = a.calls.Do(ctx, key, shares, func() (result[T], error) { return a.put(key, question) })
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

// maxShare is how many questions of one client block may be under way or wait. All
// clients are one block behind a proxy that does not say who asks.
const maxShare = maxWaiting / 2

// errDead is the answer while a dead store is not asked.
var errDead = errors.New("the store has failed and is asked again within a second")

// put asks the store and remembers its answer.
func (a *asker[T]) put(key string, question func() (T, bool, error)) (r result[T], err error) {
	err = a.core.question(func() error {
		r.value, r.listed, err = question()
		return err
	})
	if err != nil {
		return result[T]{}, err
	}
	life := missingLife
	if r.listed {
		life = a.life(r.value)
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

// stale returns what the store said about a key before it failed. Of addresses, "no"
// counts as long as a row: otherwise an outage would show which mailboxes exist. Of
// domains, it does not count.
func (a *asker[T]) stale(key string) (r result[T], ok bool) {
	oldest := time.Now().Add(-a.core.options.Keep)
	if i := a.found.get(key); i != nil && i.asked.After(oldest) {
		return result[T]{i.value, true}, true
	}
	i := a.missing.get(key)
	return r, a.keepsNo && i != nil && i.asked.After(oldest)
}

// jitter returns about the time, up to a tenth shorter or longer, so that what was asked
// at once is not asked at once again.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}
