package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"signpost/account"
)

const (
	orderTimeout = 3 * time.Minute
	// maxWait is how long a client waits for an order. Most orders take five
	// seconds.
	maxWait = 20 * time.Second
)

var (
	errBusy = errors.New("too many certificates are being looked up")
	errSlow = errors.New("the order takes too long for the client, and continues without it")
)

// call is the lookup of the certificate of one name, shared by all clients that
// ask for it (golang.org/x/sync/singleflight uses the same word). It continues
// when they have left.
type call struct {
	quota    *quota
	absent   chan struct{} // closed if the certificate is not in storage
	ordering chan struct{} // closed when an order begins
	done     chan struct{} // closed when cert and err are set
	cert     *tls.Certificate
	err      error
}

// certificate returns the certificate for a name from memory, from storage, or by
// an order. It returns neither a certificate nor an error if the name may not have
// one.
func (a *acmeIssuer) certificate(hello *tls.ClientHelloInfo, name string) (*tls.Certificate, error) {
	if c := a.cached(name); c != nil {
		return c, nil
	}
	name, err := account.ParseDomain(name)
	if err != nil {
		return nil, nil
	}
	c := a.lookup(name)
	if c == nil {
		return nil, errBusy
	}
	return c.wait(hello)
}

// wait waits for the end of the call, but not longer than a client does. Any
// number of clients may wait while storage is read, because that is quick. When an
// order begins, wait extends the deadline of the handshake: net/http grants a
// handshake only the time for a request's header, and sets new deadlines after it.
func (c *call) wait(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	timeout := time.NewTimer(maxWait)
	defer timeout.Stop()
	var left <-chan struct{}
	if ctx := hello.Context(); ctx != nil { // nil in tests only
		left = ctx.Done()
	}
	absent, ordering := c.absent, c.ordering
	for {
		select {
		case <-c.done:
			return c.cert, c.err
		case <-absent:
			absent = nil
			if !c.quota.clients.tryAcquire() {
				return nil, errBusy
			}
			defer c.quota.clients.release()
		case <-ordering:
			ordering = nil
			if hello.Conn != nil {
				hello.Conn.SetDeadline(time.Now().Add(maxWait + 5*time.Second))
			}
		case <-timeout.C:
			return nil, errSlow
		case <-left:
			return nil, hello.Context().Err()
		}
	}
}

// lookup returns the call in flight for the name, or begins one. It returns nil if
// there are too many.
func (a *acmeIssuer) lookup(name string) *call {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.calls[name]; c != nil {
		return c
	}
	if len(a.calls) >= maxLookups || a.ctx.Err() != nil {
		return nil
	}
	c := &call{quota: a.unlisted, absent: make(chan struct{}), ordering: make(chan struct{}), done: make(chan struct{})}
	if a.isListed(name) {
		c.quota = a.listed
	}
	a.calls[name] = c
	a.lookups.Go(func() {
		c.cert, c.err = a.find(name, c)
		a.mu.Lock()
		delete(a.calls, name)
		a.mu.Unlock()
		close(c.done)
	})
	return c
}

func (a *acmeIssuer) isListed(name string) bool { return name == a.name || a.policy.Listed(name) }

// find reads the certificate from storage or, if there is none, orders one if the
// name may have it. A certificate in storage was allowed when it was ordered,
// which is good enough until its renewal: neither silent name servers nor
// strangers keep a customer from a certificate that exists, least of all after a
// restart. A name without one costs an attempt to open a file.
func (a *acmeIssuer) find(name string, c *call) (*tls.Certificate, error) {
	ctx, cancel := context.WithTimeout(a.ctx, orderTimeout)
	defer cancel()
	cert, state := a.load(ctx, name)
	if cert != nil {
		return cert, nil
	}
	if !c.quota.names.tryAcquire() {
		return nil, errBusy
	}
	defer c.quota.names.release()
	close(c.absent)
	err := a.mayOrder(ctx, name, c.quota)
	if account.IsUnknown(err) {
		return nil, nil
	}
	if err == nil {
		err = c.quota.orders.acquire(ctx)
	}
	o := &clientOrder{}
	if err == nil {
		close(c.ordering)
		cert, err = a.order(context.WithValue(ctx, clientOrderKey{}, o), name, state)
		c.quota.orders.release()
	}
	if err != nil && !o.failureLogged && a.ctx.Err() == nil {
		a.sampler.warn(a.log, "no certificate", "name", name, "reason", a.scrub.Replace(err.Error()))
	}
	return cert, err
}

// mayOrder decides about an order before it costs anything. The error satisfies
// account.IsUnknown if the name may not have a certificate.
func (a *acmeIssuer) mayOrder(ctx context.Context, name string, q *quota) error {
	if err := q.checks.acquire(ctx); err != nil {
		return err
	}
	defer q.checks.release()
	if q == a.unlisted {
		if err := a.policy.Allowed(ctx, name); account.IsUnknown(err) {
			return err
		} else if err != nil {
			return undecided(err)
		}
	}
	if err := a.limits.ready(name); err != nil {
		return err
	}
	return a.leadsHere(ctx, name)
}

func undecided(err error) error {
	return fmt.Errorf("cannot tell whether the name is hosted here: %w", err)
}

func (a *acmeIssuer) leadsHere(ctx context.Context, name string) error {
	if err := a.policy.LeadsHere(ctx, name); err != nil {
		return &refusal{fmt.Sprintf("no order, because DNS does not lead the name here: %v", err)}
	}
	return nil
}
