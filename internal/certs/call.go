package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"sync"
	"time"

	"signpost/internal/fair"
)

const (
	orderTimeout = 3 * time.Minute
	// maxWait is how long a client waits for an order. Most orders take five
	// seconds.
	maxWait = 20 * time.Second
)

var errSlow = errors.New("the order takes too long for the client, and continues without it")

// call is the lookup of the certificate of one name, shared by all clients that
// ask for it (golang.org/x/sync/singleflight uses the same word). It continues
// when they have left, if the order has begun.
type call struct {
	name     string
	quota    *quota
	absent   chan struct{} // closed if the certificate is not in storage
	paid     chan struct{} // closed when a client has paid for the questions
	ordering chan struct{} // closed when an order begins
	done     chan struct{} // closed when cert and err are set
	cert     *tls.Certificate
	err      error

	// The mutex of the acmeIssuer guards these.
	drop    context.CancelFunc // ends the questions
	waiting int                // clients, and the service itself
	isOwn   bool               // the service itself is among them
	goesOn  bool               // also without clients

	mu      sync.Mutex
	payer   fair.Caller    // whose place among the names it is
	payers  []*fair.Caller // clients that wait, and pay for the questions
	release func()         // gives the place among the names back; nil if there is none
}

// newCall returns a call for which one client waits.
func newCall(name string, q *quota) *call {
	return &call{
		name: name, quota: q, waiting: 1, drop: func() {},
		absent: make(chan struct{}), paid: make(chan struct{}),
		ordering: make(chan struct{}), done: make(chan struct{}),
	}
}

// wait waits for the end of the call, but not longer than a client does. Any
// number of clients may wait while storage is read, because that is quick. When an
// order begins, wait extends the deadline of the handshake: net/http grants a
// handshake only the time for a request's header, and sets new deadlines after it.
func (c *call) wait(hello *tls.ClientHelloInfo, client fair.Caller) (*tls.Certificate, error) {
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
			leave, err := c.admit(client)
			if err != nil {
				return nil, err
			}
			defer leave()
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

// admit lets a client wait for a certificate that is not in storage. Each client pays
// for itself, and each question of the call is paid by the first who can: otherwise one
// that has used up its share or budget could make the handshakes of others fail.
func (c *call) admit(client fair.Caller) (leave func(), err error) {
	release, err := c.quota.clients.Acquire(context.Background(), client.Shares(c.quota.client.clients, 0)...)
	if err != nil {
		return nil, err
	}
	if !client.Pays() {
		err = fair.ErrClient
	} else {
		err = c.pay(&client)
	}
	if err != nil {
		release()
		return nil, err
	}
	return func() {
		c.paysNoMore(&client)
		release()
	}, nil
}

// pay has the client pay for questions of the call, and takes a place among the names
// for the call, unless it has one.
func (c *call) pay(client *fair.Caller) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.release != nil {
		c.payers = append(c.payers, client)
		return nil
	}
	shares := append(client.Shares(c.quota.client.names, 0), c.quota.ofDomain(c.name))
	release, err := c.quota.names.Acquire(context.Background(), shares...)
	if err != nil {
		return err
	}
	c.payers = append(c.payers, client)
	c.payer, c.release = *client, release
	c.payer.Pay = c.pays
	close(c.paid)
	return nil
}

// pays takes the price of one question from the first client that can pay.
func (c *call) pays() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.payers, func(p *fair.Caller) bool { return p.Pays() })
}

func (c *call) paysNoMore(client *fair.Caller) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.payers = slices.DeleteFunc(c.payers, func(p *fair.Caller) bool { return p == client })
}

// giveBack gives the place among the names back.
func (c *call) giveBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.release != nil {
		c.release()
	}
}
