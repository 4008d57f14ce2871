package dns

import (
	"container/list"
	"sync"
	"time"
)

// cache keeps answers and failures until they expire, and answers a while longer for
// the time when no new ones can be had. The number of entries and their size are
// limited; the least recently used entry goes first. Strangers choose most names, so
// an owner, the client who asked first, has only a share: its further entries are the
// first to go. An entry that others use, too, counts for the one who has the least.
type cache struct {
	mu         sync.Mutex
	entries    map[string]*list.Element
	recent     *list.List // of *entry, the most recently used first
	owners     map[uint64]usage
	used       usage
	maxEntries int
	maxBytes   int

	counts Stats
}

// usage is how many entries there are and how many bytes they take, roughly.
type usage struct{ entries, bytes int }

// ownerShare is the part of the cache that the entries of one owner may take, and
// maxOwned the size of the largest: 16 KiB hold some hundred records, and what is larger
// is asked again each time.
const (
	ownerShare = 8
	maxOwned   = 16 << 10
)

type entry struct {
	key     string
	answer  Answer
	expires time.Time // of the answer; zero if there is none
	err     error     // of the last attempt
	retry   time.Time // until then the error stands
	owner   uint64    // 0 if it is nobody in particular
	size    int
}

// known is what the cache knows of a question.
type known struct {
	answer Answer
	fresh  bool  // the answer has not expired
	stale  bool  // the answer has expired, but may be used while there is no other
	err    error // the last attempt failed so recently that another would be too early
}

func newCache(maxEntries, maxBytes int) *cache {
	return &cache{
		entries: map[string]*list.Element{}, recent: list.New(), owners: map[uint64]usage{},
		maxEntries: maxEntries, maxBytes: maxBytes,
	}
}

// get returns what is known of the question. It is asked by owner.
func (c *cache) get(key string, owner uint64) known {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[key]
	if !ok {
		c.counts.Misses++
		return known{}
	}
	e := element.Value.(*entry)
	k := e.known(time.Now())
	switch {
	case k.fresh || k.err != nil:
		c.counts.Hits++
	default:
		c.counts.Misses++
		if !k.stale {
			c.remove(element)
			return k
		}
	}
	if owner != 0 && c.owners[owner].bytes < c.owners[e.owner].bytes && e.owner != 0 {
		c.setOwner(e, owner)
	}
	if !c.hasTooMuch(e.owner) {
		c.recent.MoveToFront(element)
	}
	return k
}

func (e *entry) known(now time.Time) known {
	if now.Before(e.expires) {
		return known{answer: e.answer, fresh: true}
	}
	var k known
	if e.answer.Status == Found && now.Before(e.expires.Add(maxStale)) {
		k.answer, k.stale = e.answer, true
	}
	if now.Before(e.retry) {
		k.err = e.err
	}
	return k
}

// put keeps an answer.
func (c *cache) put(key string, owner uint64, answer Answer, ttl time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(&entry{key: key, owner: owner, answer: answer, expires: time.Now().Add(ttl)})
}

// fail keeps a failure, beside an answer that may still be used.
func (c *cache) fail(key string, owner uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	e := &entry{key: key, owner: owner, err: err, retry: now.Add(failureTTL)}
	if element, ok := c.entries[key]; ok {
		old := element.Value.(*entry)
		if k := old.known(now); k.fresh || k.stale {
			e.answer, e.expires, e.owner = old.answer, old.expires, old.owner
		}
	}
	c.add(e)
}

// add adds an entry in the place of one with the same key, and makes room for it.
func (c *cache) add(e *entry) {
	if old, ok := c.entries[e.key]; ok {
		c.remove(old)
	}
	e.size = 200 + 2*len(e.key)
	for _, record := range e.answer.Records {
		e.size += 100 + len(record.Name) + len(record.Data)
	}
	if e.size > c.maxBytes/16 || e.owner != 0 && e.size > maxOwned {
		return // one entry must not push out all others
	}
	c.count(e, 1)
	if c.hasTooMuch(e.owner) {
		c.entries[e.key] = c.recent.PushBack(e)
	} else {
		c.entries[e.key] = c.recent.PushFront(e)
	}
	for c.used.bytes > c.maxBytes || c.used.entries > c.maxEntries {
		c.remove(c.recent.Back())
	}
}

func (c *cache) remove(element *list.Element) {
	e := c.recent.Remove(element).(*entry)
	delete(c.entries, e.key)
	c.count(e, -1)
}

// hasTooMuch reports whether an owner has more than its share.
func (c *cache) hasTooMuch(owner uint64) bool {
	u := c.owners[owner]
	return owner != 0 && (u.entries > c.maxEntries/ownerShare || u.bytes > c.maxBytes/ownerShare)
}

func (c *cache) setOwner(e *entry, owner uint64) {
	c.count(e, -1)
	e.owner = owner
	c.count(e, 1)
}

// count adds the entry to what is used, n times.
func (c *cache) count(e *entry, n int) {
	c.used = c.used.plus(e, n)
	if u := c.owners[e.owner].plus(e, n); u.entries > 0 {
		c.owners[e.owner] = u
	} else {
		delete(c.owners, e.owner)
	}
}

func (u usage) plus(e *entry, n int) usage { return usage{u.entries + n, u.bytes + n*e.size} }

// Stats counts the look-ups of a resolver since it was made.
type Stats struct {
	Hits, Misses uint64
	Stale        uint64 // misses that were answered with an expired answer
	Refused      uint64 // misses that were not asked, because too much was waiting
	Entries      int    // in the cache now, expired ones included
}

func (c *cache) stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.counts
	s.Entries = c.used.entries
	return s
}

// refused counts a question that was not asked.
func (c *cache) refused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Refused++
}

// servedStale counts an answer that had expired.
func (c *cache) servedStale() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Stale++
}
