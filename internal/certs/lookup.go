package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"

	"signpost/account"
	"signpost/internal/fair"
)

var errBusy = errors.New("too many certificates are being looked up")

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
	client := a.clientOf(hello)
	c := a.lookup(name, client)
	if c == nil {
		return nil, errBusy
	}
	defer a.leave(c)
	return c.wait(hello, client)
}

// clientOf returns the client of a handshake.
func (a *acmeIssuer) clientOf(hello *tls.ClientHelloInfo) fair.Caller {
	if a.caller == nil || hello.Conn == nil {
		return fair.Caller{}
	}
	return a.caller(hello.Conn.RemoteAddr())
}

// clientAt returns the client of a request, by its address and port.
func (a *acmeIssuer) clientAt(remote string) fair.Caller {
	address, err := netip.ParseAddrPort(remote)
	if a.caller == nil || err != nil {
		return fair.Caller{}
	}
	return a.caller(net.TCPAddrFromAddrPort(address))
}

// lookup returns the call in flight for the name, or begins one. It returns nil if
// there are too many. The client waits for the call until leave is called.
func (a *acmeIssuer) lookup(name string, client fair.Caller) *call {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.calls[name]; c != nil {
		c.waiting++
		return c
	}
	if len(a.calls) >= maxLookups || a.ctx.Err() != nil {
		return nil
	}
	c := newCall(name, a.unlisted)
	if a.isListed(name) {
		c.quota = a.listed
	}
	ctx, cancel := context.WithTimeout(a.ctx, orderTimeout)
	var questions context.Context
	questions, c.drop = context.WithCancel(ctx)
	a.calls[name] = c
	a.lookups.Go(func() {
		defer cancel()
		c.cert, c.err = a.find(ctx, questions, c, client)
		a.mu.Lock()
		a.forget(c)
		a.mu.Unlock()
		close(c.done)
	})
	return c
}

// begin begins a call of the service itself, which waits for it to the end.
func (a *acmeIssuer) begin(name string) {
	c := a.lookup(name, fair.Caller{})
	if c == nil {
		return
	}
	if c.pay(&fair.Caller{}) != nil {
		a.leave(c)
		return
	}
	a.mu.Lock()
	c.isOwn = true
	a.mu.Unlock()
}

// leave ends the wait of one client. A call that nobody waits for asks nothing more,
// unless it has begun to order.
func (a *acmeIssuer) leave(c *call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.waiting--; c.waiting == 0 && !c.goesOn {
		c.drop()
		a.forget(c) // nobody may join it any more
	}
}

// goOn lets the call continue without clients, and reports whether one waits now.
func (a *acmeIssuer) goOn(c *call) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	c.goesOn = c.waiting > 0
	return c.goesOn
}

// isOrdering reports whether a client waits for an order. The service itself is none.
func (a *acmeIssuer) isOrdering() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.calls {
		if c.goesOn && (c.waiting > 1 || c.waiting == 1 && !c.isOwn) {
			return true
		}
	}
	return false
}

// forget requires the mutex.
func (a *acmeIssuer) forget(c *call) {
	if a.calls[c.name] == c {
		delete(a.calls, c.name)
	}
}

func (a *acmeIssuer) isListed(name string) bool { return name == a.name || a.policy.Listed(name) }

// find reads the certificate from storage or, if there is none, orders one if the
// name may have it. A certificate in storage was allowed when it was ordered,
// which is good enough until its renewal: neither silent name servers nor
// strangers keep a customer from a certificate that exists, least of all after a
// restart. A name without one costs an attempt to open a file, or a query of the
// database, for which the first client has a share of the places.
//
// DNS is asked in the context of questions, which ends when nobody waits, on behalf of
// the clients that pay for it.
func (a *acmeIssuer) find(ctx, questions context.Context, c *call, first fair.Caller) (*tls.Certificate, error) {
	leave, err := a.mayRead(questions, c.quota, first)
	if err != nil {
		return nil, err
	}
	cert, state := a.load(ctx, c.name)
	leave()
	if cert != nil {
		return cert, nil
	}
	close(c.absent)
	defer c.giveBack()
	select {
	case <-c.paid:
	case <-questions.Done():
		return nil, questions.Err()
	}
	if a.storage.Away() {
		return nil, errAway
	}
	if a.isDatabase && state != errNotStored && state != errExpired {
		if _, err := a.stored(ctx, c.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.quota.sampler.warn(a.log, "no certificate", "name", c.name, "reason", err.Error())
			return nil, errUnreadable
		}
	}
	err = a.mayOrder(fair.WithCaller(questions, c.quota.callerOf(c.payer)), c.name, c.quota)
	if account.IsUnknown(err) {
		return nil, nil
	}
	if err == nil && !a.goOn(c) {
		err = context.Canceled
	}
	var release func()
	if err == nil {
		release, err = c.quota.orders.Acquire(ctx, c.payer.Shares(c.quota.client.orders, 0)...)
	}
	o := &clientOrder{}
	if err == nil {
		close(c.ordering)
		cert, err = a.order(context.WithValue(ctx, clientOrderKey{}, o), c.name, state)
		release()
	}
	isNews := !o.failureLogged && questions.Err() == nil && !errors.Is(err, fair.ErrBusy)
	if err != nil && isNews {
		c.quota.sampler.warn(a.log, "no certificate", "name", c.name, "reason", a.scrub.Replace(err.Error()))
	}
	return cert, err
}

// mayRead waits for a place among the readers of a database. A directory needs none.
func (a *acmeIssuer) mayRead(ctx context.Context, q *quota, client fair.Caller) (leave func(), err error) {
	if !a.isDatabase {
		return func() {}, nil
	}
	return q.reads.Acquire(ctx, client.Shares(q.client.reads, q.client.readers)...)
}

// mayOrder decides about an order before it costs anything. The error satisfies
// account.IsUnknown if the name may not have a certificate.
func (a *acmeIssuer) mayOrder(ctx context.Context, name string, q *quota) error {
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
	if err := mayIssue(ctx, a.policy, a.authority, name); err != nil {
		return &refusal{fmt.Sprintf("no order, because %v", err)}
	}
	return nil
}
