package dns

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// MaxConcurrent is how many questions a Resolver has under way at once. More
// wait for their turn, and fail if it does not come in time.
const MaxConcurrent = 64

// Limits of a Resolver. Strangers choose the names that it is asked for, so
// everything that they could make grow has a limit.
const (
	maxWaiting  = 1024 // callers that wait for their turn
	maxEntries  = 20_000
	maxBytes    = 16 << 20
	minPositive = 30 * time.Second
	maxPositive = time.Hour
	minNegative = 5 * time.Second
	maxNegative = 5 * time.Minute
	failureTTL  = 5 * time.Second
	maxAliases  = 8 // CNAMEs followed; BIND and Unbound limit them similarly
)

// Resolver asks recursive name servers. It caches their answers for as long as
// they allow, within bounds, and asks only once for concurrent callers with the
// same question.
type Resolver struct {
	client  *Client
	cache   *cache
	calls   singleflight.Group
	slots   chan struct{}
	waiting atomic.Int32
}

// NewResolver returns a resolver that asks the servers (addresses, with or
// without a port) in their order. If there are none, it asks those of
// /etc/resolv.conf. timeout limits one try; zero means two seconds. A look-up
// ends after four times the timeout, however many servers there are.
func NewResolver(servers []string, timeout time.Duration) (*Resolver, error) {
	addresses, err := serverAddresses(servers)
	if err != nil {
		return nil, err
	}
	if timeout <= 0 {
		timeout = 2 * time.Second
	}
	return &Resolver{
		client: &Client{servers: addresses, timeout: timeout, recursion: true},
		cache:  newCache(maxEntries, maxBytes),
		slots:  make(chan struct{}, MaxConcurrent),
	}, nil
}

// Stats returns the counts of the cache.
func (r *Resolver) Stats() Stats { return r.cache.stats() }

// errBusy reports that too many look-ups are waiting. It is not cached, because
// the next caller may find a free slot.
var errBusy = errors.New("too many DNS look-ups under way")

// Lookup asks for the records of a name, of a type such as "SRV". A name without
// such records is an Answer; an error means that DNS gave no answer. Cancelling
// the context ends the wait, not the look-up, which others may wait for as well.
func (r *Resolver) Lookup(ctx context.Context, name, recordType string) (Answer, error) {
	qname, qtype, err := Question(name, recordType)
	if err != nil {
		return Answer{}, err
	}
	key := recordType + " " + qname
	if answer, err, ok := r.cache.get(key); ok {
		return answer, err
	}
	if r.waiting.Add(1) > MaxConcurrent+maxWaiting {
		r.waiting.Add(-1)
		return Answer{}, fmt.Errorf("%s %s: %w", name, recordType, errBusy)
	}
	call := r.calls.DoChan(key, func() (any, error) {
		return r.lookup(key, qname, qtype)
	})
	select {
	case <-ctx.Done():
		// The call goes on for those who still wait for it, and counts as
		// waiting until it has ended.
		go func() { <-call; r.waiting.Add(-1) }()
		return Answer{}, ctx.Err()
	case result := <-call:
		r.waiting.Add(-1)
		if result.Err != nil {
			return Answer{}, result.Err
		}
		return result.Val.(Answer), nil
	}
}

// lookup asks the servers and caches the answer. It runs once per name and type
// at a time, with a context that belongs to no single caller.
func (r *Resolver) lookup(key, qname string, qtype uint16) (Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*r.client.timeout)
	defer cancel()
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("%s: %w", describe(qname, qtype), errBusy)
	}
	answer, ttl, err := r.client.resolve(ctx, qname, qtype)
	if err != nil {
		err = fmt.Errorf("%s: %w", describe(qname, qtype), err)
		ttl = failureTTL
	}
	r.cache.put(key, answer, err, ttl)
	return answer, err
}
