package sources

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"signpost/internal/directory"
)

// newDomains is how many domains a second that the list lacks are asked for one by one.
// A new customer is known at once, and a flood of names of others costs nothing.
const newDomains = 20

// errManyDomains is the answer for a domain beyond newDomains while the list is not good.
var errManyDomains = errors.New("too many domains are asked for that the list lacks")

// domain returns what the store says of a domain. The error wraps directory.ErrNotListed
// if there is a list, which lacks it.
func (c *core) domain(ctx context.Context, name string) (r result[directory.Domain], err error) {
	t := c.list.table.Load()
	if d, ok := t.find(name); ok {
		return result[directory.Domain]{value: d, listed: true}, nil
	}
	if !isAskable(name) {
		return r, nil
	}
	failure := c.list.failure()
	if c.options.Backend.Columns().OneDomain {
		r, err = c.oneDomain(ctx, name, t, failure)
	} else {
		err = failure
	}
	if err == nil {
		return r, nil
	}
	c.list.hurry(failure)
	if t != nil {
		err = fmt.Errorf("%w: %w", directory.ErrNotListed, err)
	}
	return r, err
}

// oneDomain asks the store for a domain that the list t lacks, which may be nil. failure
// says why the list is not good.
func (c *core) oneDomain(
	ctx context.Context, name string, t *table, failure error,
) (r result[directory.Domain], err error) {
	if r, known := c.domains.known(name); known {
		c.hits.Add(1)
		return r, nil
	}
	if t != nil && !c.newDomains.take() {
		if failure != nil {
			failure = errManyDomains
		}
		return r, failure
	}
	r, err = c.domains.ask(ctx, name, func() (directory.Domain, bool, error) {
		rows, err := inTime(c, c.options.Backend.Domain, name)
		if err != nil {
			return directory.Domain{}, false, err
		}
		b := newBuilder(nil)
		for _, r := range rows {
			b.add(r)
		}
		d, listed := b.find(name)
		return d, listed, nil
	})
	if err == nil && !r.listed && t == nil && errors.Is(failure, errEmpty) {
		err = failure // the table may have been emptied
	}
	return r, err
}

// bucket gives out a number of pieces a second, and as many at once.
type bucket struct {
	mu     sync.Mutex
	perSec float64
	left   float64
	at     time.Time
}

// take takes a piece, and reports whether there was one.
func (b *bucket) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.left = min(b.perSec, b.left+now.Sub(b.at).Seconds()*b.perSec)
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
