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
	asking   chan struct{} // closed when it is not in storage, and share is set
	ordering chan struct{} // closed when an order begins
	done     chan struct{} // closed when the following are set
	cert     *tls.Certificate
	err      error
	share    *share
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
	f := o.join(name)
	if f == nil {
		return nil, errBusy
	}
	return f.wait(hello)
}

// wait waits as long as a client does. The time that the server grants for a
// handshake begins anew with an order, for net/http gives a handshake no more
// than a request's header; after the handshake it sets times of its own again.
// For what lies in storage any number may wait; it takes no time.
func (f *flight) wait(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	timer := time.NewTimer(longestWait)
	defer timer.Stop()
	asking, ordering := f.asking, (<-chan struct{})(nil)
	var left <-chan struct{}
	if ctx := hello.Context(); ctx != nil { // as it is unless a test made it
		left = ctx.Done()
	}
	for {
		select {
		case <-f.done:
			return f.cert, f.err
		case <-asking:
			asking, ordering = nil, f.ordering
			if !f.share.clients.take() {
				return nil, errBusy
			}
			defer f.share.clients.leave()
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
	f := &flight{asking: make(chan struct{}), ordering: make(chan struct{}), done: make(chan struct{})}
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

// isListed reports whether a name is ours whatever DNS says.
func (o *orderer) isListed(name string) bool {
	return name == o.name && name != "" || o.listed != nil && o.listed(name)
}

// find looks into storage, then decides, then orders. What is in storage was ours
// when it was ordered, which is good enough until it must be renewed: so that
// neither silent name servers nor strangers keep customers from certificates
// that are there, after a restart least of all. A name that is not there costs a
// file that cannot be opened.
func (o *orderer) find(name string, f *flight) (*tls.Certificate, error) {
	ctx, cancel := context.WithTimeout(o.ctx, orderTimeout)
	defer cancel()
	c, state := o.load(ctx, name)
	if c != nil {
		return c, nil
	}
	f.share = o.found
	if o.isListed(name) {
		f.share = o.configured
	}
	if !f.share.names.take() {
		return nil, errBusy
	}
	defer f.share.names.leave()
	close(f.asking)
	err := o.mayOrder(ctx, name, f.share)
	if isNo(err) {
		return nil, nil
	}
	if err == nil {
		if err = await(ctx, f.share.orders); err == nil {
			close(f.ordering)
			c, err = o.order(ctx, name, state)
			<-f.share.orders
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

// mayOrder is asked before anything of an order costs. It is a no as isNo means
// it for a name that is not ours.
func (o *orderer) mayOrder(ctx context.Context, name string, s *share) error {
	if err := await(ctx, s.asking); err != nil {
		return err
	}
	defer func() { <-s.asking }()
	if s.found {
		switch err := o.allowed(ctx, name); {
		case isNo(err):
			return err
		case err != nil:
			return unknown(err)
		}
	}
	if err := o.limits.ready(name); err != nil {
		return err
	}
	return o.pointed(ctx, name)
}

func unknown(err error) error {
	return fmt.Errorf("whether the name is hosted here is not known: %w", err)
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
