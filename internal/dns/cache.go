package dns

import (
	"container/list"
	"sync"
	"time"
)

// cache keeps answers and failures until they expire. The number of entries and
// their size are limited; the least recently used entry goes first.
type cache struct {
	mu         sync.Mutex
	entries    map[string]*list.Element
	recent     *list.List // of *entry, the most recently used first
	size       int        // in bytes, roughly
	maxEntries int
	maxBytes   int

	hits, misses uint64
}

type entry struct {
	key     string
	answer  Answer
	err     error
	expires time.Time
	size    int
}

func newCache(maxEntries, maxBytes int) *cache {
	return &cache{entries: map[string]*list.Element{}, recent: list.New(), maxEntries: maxEntries, maxBytes: maxBytes}
}

func (c *cache) get(key string) (Answer, error, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[key]
	if !ok {
		c.misses++
		return Answer{}, nil, false
	}
	e := element.Value.(*entry)
	if !time.Now().Before(e.expires) {
		c.misses++
		c.remove(element)
		return Answer{}, nil, false
	}
	c.hits++
	c.recent.MoveToFront(element)
	return e.answer, e.err, true
}

func (c *cache) put(key string, answer Answer, err error, ttl time.Duration) {
	e := &entry{key: key, answer: answer, err: err, expires: time.Now().Add(ttl), size: 200 + 2*len(key)}
	for _, record := range answer.Records {
		e.size += 100 + len(record.Name) + len(record.Data)
	}
	if e.size > c.maxBytes/16 {
		return // one entry must not push out all others
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.entries[key]; ok {
		c.remove(old)
	}
	c.entries[key] = c.recent.PushFront(e)
	c.size += e.size
	for c.size > c.maxBytes || len(c.entries) > c.maxEntries {
		c.remove(c.recent.Back())
	}
}

func (c *cache) remove(element *list.Element) {
	e := c.recent.Remove(element).(*entry)
	delete(c.entries, e.key)
	c.size -= e.size
}

// Stats counts the look-ups of a resolver since it was made.
type Stats struct {
	Hits, Misses uint64
	Entries      int // in the cache now, expired ones included
}

func (c *cache) stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{c.hits, c.misses, len(c.entries)}
}
