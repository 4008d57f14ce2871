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
	maxFlights   = 512              // names looked for at once
	maxWaiting   = 1024             // clients that wait for them
	maxOrders    = 16               // of them with an order under way
	orderTimeout = 3 * time.Minute  // for an order
	longestWait  = 20 * time.Second // of a client for one; mostly it takes five
)

var (
	errBusy    = errors.New("too many certificates are being looked for")
	errWaiting = errors.New("the order takes long, it goes on without the client")
)

// flight is the search for the certificate of one name, however many clients
// wait for it. It goes on when they have left.
type flight struct {
	ordering chan struct{} // closed when an order begins
	done     chan struct{} // closed when the following are set
	cert     *tls.Certificate
	err      error
}

// get is the certificate for a name: out of memory, out of storage, or ordered.
// It is nil, without an error, for a name that is not ours.
func (o *orderer) get(hello *tls.ClientHelloInfo, name string) (*tls.Certificate, error) {
	if c := o.cached(name); c != nil {
		return c, nil
	}
	name, err := account.ParseDomain(name)
	if err != nil {
		return nil, nil
	}
	defer o.waiting.Add(-1)
	if o.waiting.Add(1) > maxWaiting {
		return nil, errBusy
	}
	f := o.join(name)
	if f == nil {
		return nil, errBusy
	}
	return f.wait(hello)
}

// wait waits as long as a client does. The time that the server grants for a
// handshake begins anew with an order, for net/http gives a handshake no more
// than a request's header; after the handshake it sets times of its own again.
func (f *flight) wait(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	select {
	case <-f.done:
		return f.cert, f.err
	default:
	}
	timer := time.NewTimer(longestWait)
	defer timer.Stop()
	ordering := f.ordering
	var left <-chan struct{}
	if ctx := hello.Context(); ctx != nil { // as it is unless a test made it
		left = ctx.Done()
	}
	for {
		select {
		case <-f.done:
			return f.cert, f.err
		case <-ordering:
			ordering = nil
			if hello.Conn != nil {
				hello.Conn.SetDeadline(time.Now().Add(longestWait + 5*time.Second))
			}
		case <-timer.C:
			return nil, errWaiting
		case <-left:
			return nil, hello.Context().Err()
		}
	}
}

// join is the flight for a name, a new one if there is none, nil if there are
// too many.
func (o *orderer) join(name string) *flight {
	o.mu.Lock()
	defer o.mu.Unlock()
	if f := o.flights[name]; f != nil {
		return f
	}
	if len(o.flights) >= maxFlights || o.ctx.Err() != nil {
		return nil
	}
	f := &flight{ordering: make(chan struct{}), done: make(chan struct{})}
	o.flights[name] = f
	o.flying.Go(func() {
		f.cert, f.err = o.find(name, f)
		o.mu.Lock()
		delete(o.flights, name)
		o.mu.Unlock()
		close(f.done)
	})
	return f
}

// find decides, then looks into storage, then orders.
func (o *orderer) find(name string, f *flight) (*tls.Certificate, error) {
	ctx, cancel := context.WithTimeout(o.ctx, orderTimeout)
	defer cancel()
	unknown := o.allowed(ctx, name)
	if isNo(unknown) {
		return nil, nil
	}
	c, state := o.load(ctx, name)
	if c != nil {
		// Even where nobody knows at the moment: it was ours when it was ordered.
		return c, nil
	}
	err := o.mayOrder(ctx, name, unknown)
	if err == nil {
		select {
		case o.slots <- struct{}{}:
			close(f.ordering)
			c, err = o.order(ctx, name, state)
			<-o.slots
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil && o.ctx.Err() == nil {
		var told *toldError
		if !errors.As(err, &told) {
			o.sampler.warn(o.log, "no certificate", "name", name, "reason", o.scrub.Replace(err.Error()))
		}
	}
	return c, err
}

// mayOrder is asked before anything of an order costs.
func (o *orderer) mayOrder(ctx context.Context, name string, unknown error) error {
	if unknown != nil {
		return fmt.Errorf("whether the name is hosted here is not known: %w", unknown)
	}
	if err := o.limits.ready(name); err != nil {
		return err
	}
	return o.pointed(ctx, name)
}

func (o *orderer) pointed(ctx context.Context, name string) error {
	if o.leadsHere == nil {
		return nil
	}
	if err := o.leadsHere(ctx, name); err != nil {
		return &refusal{fmt.Sprintf("no order, since DNS does not lead the name here: %v", err)}
	}
	return nil
}

// order places an order and waits for the certificate. state is what load said.
func (o *orderer) order(ctx context.Context, name string, state error) (*tls.Certificate, error) {
	a := &attempt{}
	ctx = context.WithValue(ctx, attemptKey{}, a)
	var err error
	if state == errNone {
		err = o.config.ObtainCertSync(ctx, name)
	} else {
		// A certificate that is damaged is taken for stored all the same.
		err = o.config.RenewCertSync(ctx, name, state != errStale)
	}
	if err == nil {
		// certmagic keeps what has the same name.
		o.drop(name)
		var c *tls.Certificate
		if c, err = o.load(ctx, name); err == nil {
			return c, nil
		}
	}
	var refused *refusal
	switch {
	case a.settled:
		return nil, &toldError{err}
	case errors.As(err, &refused):
		return nil, refused // without what certmagic says around it
	case o.ctx.Err() != nil:
		return nil, err
	}
	// Not the ACME server, but a full disk or the like; or what was ordered is
	// no good.
	return nil, &toldError{o.failed(name, false, err)}
}
