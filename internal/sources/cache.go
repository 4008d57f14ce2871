package sources

import (
	"sync"
	"sync/atomic"
	"time"
)

// cache keeps what was said about keys, for a bounded number of them. One that was not
// asked for lately makes room for a new one.
type cache[T any] struct {
	most int

	mu    sync.RWMutex
	place map[string]int // in items, by key
	items []*item[T]
	hand  int // where the next one to go is looked for
}

// item is what was said about a key. Only used changes.
type item[T any] struct {
	key     string
	value   T
	asked   time.Time
	expires time.Time
	used    atomic.Bool
}

func newCache[T any](most int) *cache[T] {
	return &cache[T]{most: most, place: map[string]int{}}
}

// get returns what is kept about a key, expired or not, or nil.
func (c *cache[T]) get(key string) (kept *item[T]) {
	c.mu.RLock()
	if at, ok := c.place[key]; ok {
		kept = c.items[at]
	}
	c.mu.RUnlock()
	if kept != nil && !kept.used.Load() {
		kept.used.Store(true)
	}
	return kept
}

// put keeps an item in place of any about the same key.
func (c *cache[T]) put(i *item[T]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.place[i.key]
	switch {
	case ok:
	case len(c.items) < c.most:
		at = len(c.items)
		c.items = append(c.items, nil)
	default:
		at = c.oldest()
		delete(c.place, c.items[at].key)
	}
	c.items[at], c.place[i.key] = i, at
}

// oldest returns the place of an item that was not used since the hand passed it last.
func (c *cache[T]) oldest() int {
	for {
		c.hand = (c.hand + 1) % len(c.items)
		if !c.items[c.hand].used.Swap(false) {
			return c.hand
		}
	}
}

// drop forgets a key.
func (c *cache[T]) drop(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.place[key]
	if !ok {
		return
	}
	last := len(c.items) - 1
	c.items[at] = c.items[last]
	c.place[c.items[at].key] = at
	c.items[last] = nil
	c.items = c.items[:last]
	delete(c.place, key)
}

// len returns how many keys are kept.
func (c *cache[T]) len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.items)
}
