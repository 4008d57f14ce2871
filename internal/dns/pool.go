package dns

import (
	"cmp"
	"context"
	"time"

	"signpost/internal/fair"
)

// limits are those of the look-ups of one kind of caller.
type limits struct {
	places, queue int // look-ups under way, and waiting
	client, wait  int // of them for one client block; a /48 has twice as many
	domain        int // under way for names of one registrable domain
	callers       int // who wait for an answer; one client block may have a quarter of them
	slow          int // look-ups that go on without their place
}

// poolLimits says what each kind of caller may use. Most names have two look-ups under
// way, for A and AAAA. A silent name server takes a place for eight seconds. The share of
// a domain is larger than those of an address and a /48 together: otherwise one stranger
// with both could keep a customer's domain busy with made-up names below it. What is
// beyond a share waits, and the limits of that leave room in the queue beside such a
// stranger, too. A proxy names no client, so each domain counts as one; as strangers can
// have it ask for any number of domains, silent servers lose their places early. Zero is
// no limit, and no such places.
var poolLimits = [fair.Kinds]limits{
	fair.Operator:  {places: MaxConcurrent, queue: 1024},
	fair.Request:   {places: 256, queue: 1024, client: 32, wait: 256, domain: 128, callers: 8192},
	fair.Handshake: {places: 128, queue: 512, client: 16, wait: 128, domain: 64, callers: 2048},
	fair.Ask:       {places: 64, queue: 1024, domain: 32, callers: 2048, slow: 1024},
	fair.Listed:    {places: 128, queue: 1024, client: 16, wait: 256, domain: 64, callers: 2048},
}

// slowAfter is when a look-up gives up its place, where that is possible. Most names that
// no cache has are answered sooner.
const slowAfter = 300 * time.Millisecond

// question is a look-up on behalf of a caller.
type question struct {
	key    string // of the cache
	name   string
	qtype  uint16
	caller fair.Caller
}

// ownerOf returns whom the cache counts an answer for. All that proxies ask about names
// that are not listed counts as one.
func ownerOf(c fair.Caller) uint64 {
	if c.Kind == fair.Ask {
		return 1
	}
	return cmp.Or(c.Wide, c.Block)
}

// pool limits the look-ups of one kind of caller.
type pool struct {
	limits
	group   fair.Group[Answer]
	waiting *fair.Limiter // of callers
}

func (p *pool) open(l limits, patience time.Duration) {
	p.limits = l
	p.group.Places = fair.New(l.places, l.queue, patience)
	p.group.Places.GiveUp(slowAfter, l.slow)
	p.waiting = nil
	if l.callers > 0 {
		p.waiting = fair.New(l.callers, 0, 0)
	}
}

// ask returns the answer of lookup, which one caller calls for all with the same
// question.
func (p *pool) ask(ctx context.Context, q question, lookup func(question) (Answer, error)) (Answer, error) {
	if p.waiting != nil {
		leave, err := p.waiting.Acquire(ctx, q.caller.Shares(p.callers/4, 0)...)
		if err != nil {
			return Answer{}, err
		}
		defer leave()
	}
	if !q.caller.Pays() {
		return Answer{}, fair.ErrClient
	}
	return p.group.Do(ctx, q.key, p.shares(q), func() (Answer, error) { return lookup(q) })
}

func (p *pool) shares(q question) []fair.Share {
	if p.domain == 0 {
		return nil
	}
	var shares []fair.Share
	if p.client > 0 {
		shares = q.caller.Shares(p.client, p.wait)
	}
	return append(shares, fair.Share{Key: Registrable(q.name), Most: p.domain, Wait: p.queue})
}
