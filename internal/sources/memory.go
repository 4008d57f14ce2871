package sources

import (
	"sync"
	"sync/atomic"
	"time"
)

// memory keeps what was said about keys, for a bounded number of them. One that was not
// asked for lately makes room for a new one.
type memory[T any] struct {
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

func newMemory[T any](most int) *memory[T] {
	return &memory[T]{most: most, place: map[string]int{}}
}

// get returns what is kept about a key, expired or not, or nil.
func (m *memory[T]) get(key string) (kept *item[T]) {
	m.mu.RLock()
	if at, ok := m.place[key]; ok {
		kept = m.items[at]
	}
	m.mu.RUnlock()
	if kept != nil && !kept.used.Load() {
		kept.used.Store(true)
	}
	return kept
}

// put keeps an item in place of any about the same key.
func (m *memory[T]) put(i *item[T]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.place[i.key]
	switch {
	case ok:
	case len(m.items) < m.most:
		at = len(m.items)
		m.items = append(m.items, nil)
	default:
		at = m.oldest()
		delete(m.place, m.items[at].key)
	}
	m.items[at], m.place[i.key] = i, at
}

// oldest returns the place of an item that was not used since the hand passed it last.
func (m *memory[T]) oldest() int {
	for {
		m.hand = (m.hand + 1) % len(m.items)
		if !m.items[m.hand].used.Swap(false) {
			return m.hand
		}
	}
}

// drop forgets a key.
func (m *memory[T]) drop(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.place[key]
	if !ok {
		return
	}
	last := len(m.items) - 1
	m.items[at] = m.items[last]
	m.place[m.items[at].key] = at
	m.items[last] = nil
	m.items = m.items[:last]
	delete(m.place, key)
}

// len returns how many keys are kept.
func (m *memory[T]) len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.items)
}
