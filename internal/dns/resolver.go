package dns

import (
	"context"
	"errors"
	"fmt"
	"time"

	"signpost/internal/fair"
)

// MaxConcurrent is how many questions of the operator a Resolver has under way at once.
// More wait for their turn, and fail if it does not come in time.
const MaxConcurrent = 64

// defaultTimeout limits one try unless the caller says otherwise.
const defaultTimeout = 2 * time.Second

// Limits of a Resolver. Strangers choose the names that it is asked for, so
// everything that they could make grow has a limit.
const (
	maxEntries  = 20_000
	maxBytes    = 16 << 20
	minPositive = 30 * time.Second
	maxPositive = time.Hour
	minNegative = 5 * time.Second
	maxNegative = 5 * time.Minute
	failureTTL  = 5 * time.Second
	// maxStale is how long after its end an answer is used while a new one cannot be
	// had, and staleWait how long a caller waits for the new one then (RFC 8767 §5
	// names one to three days, and 1.8 seconds).
	maxStale     = 24 * time.Hour
	staleWait    = 1800 * time.Millisecond
	maxAliases   = 8 // CNAMEs followed; BIND and Unbound limit them similarly
	maxQuestions = 4 // for one look-up: servers that follow no CNAMEs have one or two of their own
)

// Resolver asks recursive name servers. It caches their answers for as long as
// they allow, within bounds, and asks only once for concurrent callers with the
// same question. The context of a look-up says on whose behalf it is (package fair):
// each kind of caller has places of its own, and each client a share of them.
type Resolver struct {
	client *Client
	cache  *cache
	pools  [fair.Kinds]pool
}

// NewResolver returns a resolver that asks the servers (addresses, with or
// without a port) in their order. If there are none, it asks those of
// /etc/resolv.conf. timeout limits one try; zero means two seconds. A look-up
// ends after four times the timeout, however many servers there are. The time begins
// when it gets its place.
func NewResolver(servers []string, timeout time.Duration) (*Resolver, error) {
	addresses, err := serverAddresses(servers)
	if err != nil {
		return nil, err
	}
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	r := &Resolver{
		client: &Client{servers: addresses, timeout: timeout, recursion: true},
		cache:  newCache(maxEntries, maxBytes),
	}
	for kind := range r.pools {
		r.pools[kind].open(poolLimits[kind], 2*timeout)
	}
	return r, nil
}

// Stats returns the counts of the cache.
func (r *Resolver) Stats() Stats { return r.cache.stats() }

// Lookup asks for the records of a name, of a type such as "SRV". A name without
// such records is an Answer; an error means that DNS gave no answer, or fair.ErrBusy
// that it was not asked. Cancelling the context ends the wait, not a look-up under way.
func (r *Resolver) Lookup(ctx context.Context, name, recordType string) (Answer, error) {
	return r.lookup(ctx, name, recordType, false)
}

// lookup is Lookup; if staleToo is set, an answer that has expired is returned while a
// new one cannot be had.
func (r *Resolver) lookup(ctx context.Context, name, recordType string, staleToo bool) (Answer, error) {
	qname, qtype, err := Question(name, recordType)
	if err != nil {
		return Answer{}, err
	}
	key, caller := recordType+" "+qname, fair.CallerOf(ctx)
	known := r.cache.get(key, ownerOf(caller))
	staleToo = staleToo && known.stale
	switch {
	case known.fresh:
		return known.answer, nil
	case known.err == nil:
		var answer Answer
		if answer, err = r.askWithin(ctx, question{key, qname, qtype, caller}, staleToo); err == nil {
			return answer, nil
		}
	default:
		err = known.err
	}
	if staleToo && ctx.Err() == nil {
		r.cache.servedStale()
		return known.answer, nil
	}
	return Answer{}, err
}

// askWithin asks, and waits only a short time if the caller has an older answer.
func (r *Resolver) askWithin(ctx context.Context, q question, hasOlder bool) (Answer, error) {
	if hasOlder {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, staleWait)
		defer cancel()
	}
	answer, err := r.pools[q.caller.Kind].ask(ctx, q, r.answer)
	if errors.Is(err, fair.ErrBusy) {
		r.cache.refused()
		err = fmt.Errorf("%s: %w", describe(q.name, q.qtype), err)
	}
	return answer, err
}

// answer asks the servers and caches the answer, with a context that belongs to no
// single caller.
func (r *Resolver) answer(q question) (Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*r.client.timeout)
	defer cancel()
	reply, ttl, err := r.client.resolve(ctx, q.name, q.qtype)
	if err != nil {
		err = fmt.Errorf("%s: %w", describe(q.name, q.qtype), err)
		r.cache.fail(q.key, ownerOf(q.caller), err)
		return Answer{}, err
	}
	r.cache.put(q.key, ownerOf(q.caller), reply.Answer, ttl)
	return reply.Answer, nil
}
