package dns

import (
	"cmp"
	"context"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"signpost/internal/fair"
)

// limits are those of the look-ups of one kind of caller.
type limits struct {
	places, queue int // look-ups under way, and waiting
	client        int // of them for one client block; a /48 has twice as many
	domain        int // of them for names of one registrable domain
	callers       int // who wait for an answer; one client block may have an eighth of them
}

// poolLimits says what each kind of caller may use. A silent name server takes a place
// for eight seconds. The share of a domain is larger than that of a /48: otherwise one
// stranger could keep a customer's domain busy with made-up names below it. A proxy
// names no client, and a domain gets less of what it asks. Zero is no limit.
var poolLimits = [fair.Kinds]limits{
	fair.Operator:  {places: MaxConcurrent, queue: 1024},
	fair.Request:   {places: 256, queue: 1024, client: 32, domain: 96, callers: 4096},
	fair.Handshake: {places: 64, queue: 256, client: 16, domain: 48, callers: 1024},
	fair.Ask:       {places: 64, queue: 256, client: 8, domain: 8, callers: 1024},
	fair.Listed:    {places: 64, queue: 1024, client: 16, domain: 48, callers: 2048},
}

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
	p.waiting = nil
	if l.callers > 0 {
		p.waiting = fair.New(l.callers, 0, 0)
	}
}

// ask returns the answer of lookup, which one caller calls for all with the same
// question.
func (p *pool) ask(ctx context.Context, q question, lookup func(question) (Answer, error)) (Answer, error) {
	if p.waiting != nil {
		leave, err := p.waiting.Acquire(ctx, q.caller.Shares(p.callers/8)...)
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
	shares := q.caller.Shares(p.client)
	return append(shares, fair.Share{Key: registrable(q.name), Most: p.domain})
}

// registrable returns the registrable domain of a name, or the name if it is itself a
// suffix below which anybody can register.
func registrable(name string) string {
	name = strings.TrimSuffix(name, ".")
	if domain, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
		return domain
	}
	return name
}
