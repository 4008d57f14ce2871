package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"

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
	c := a.lookup(name)
	if c == nil {
		return nil, errBusy
	}
	defer a.leave(c)
	return c.wait(hello, a.clientOf(hello))
}

// clientOf returns the client of a handshake.
func (a *acmeIssuer) clientOf(hello *tls.ClientHelloInfo) fair.Caller {
	if a.caller == nil || hello.Conn == nil {
		return fair.Caller{}
	}
	return a.caller(hello.Conn.RemoteAddr())
}

// lookup returns the call in flight for the name, or begins one. It returns nil if
// there are too many. The caller waits for the call until it calls leave.
func (a *acmeIssuer) lookup(name string) *call {
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
		c.cert, c.err = a.find(ctx, questions, c)
		a.mu.Lock()
		a.forget(c)
		a.mu.Unlock()
		close(c.done)
	})
	return c
}

// begin begins a call of the service itself, which waits for it to the end.
func (a *acmeIssuer) begin(name string) {
	if c := a.lookup(name); c != nil && c.pay(&fair.Caller{}) != nil {
		a.leave(c)
	}
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
// restart. A name without one costs an attempt to open a file.
//
// DNS is asked in the context of questions, which ends when nobody waits, on behalf of
// the clients that pay for it.
func (a *acmeIssuer) find(ctx, questions context.Context, c *call) (*tls.Certificate, error) {
	cert, state := a.load(ctx, c.name)
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
	if state != errNotStored && a.isAway() {
		return nil, errAway
	}
	err := a.mayOrder(fair.WithCaller(questions, c.quota.callerOf(c.payer)), c.name, c.quota)
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
