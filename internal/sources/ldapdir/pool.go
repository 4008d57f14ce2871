package ldapdir

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// pool keeps connections. One connection carries several searches at once; another one is
// opened when all have many.
type pool struct {
	dialer  *dialer
	timeout time.Duration
	places  chan struct{}   // taken by each search until it has ended
	ctx     context.Context // ends with the pool
	cancel  context.CancelFunc

	mu    sync.Mutex
	slots []slot
}

// slot is the place of a connection. One may be dialled while there is one already, which
// it replaces.
type slot struct {
	conn    *connection
	dialing *dialing
}

// dialing is a connection that several wait for.
type dialing struct {
	done chan struct{}
	conn *connection
	err  error
}

const (
	perConnection = 16 // searches on a connection at most, on average
	fewSearches   = 4  // on each connection before another one is opened
	// lifetime is the time after which a connection is replaced: by one to the first server
	// again, with the password that holds now.
	lifetime = 10 * time.Minute
	attempts = 3
)

func newPool(connections int, timeout time.Duration, d *dialer) *pool {
	p := &pool{
		dialer: d, timeout: timeout,
		places: make(chan struct{}, connections*perConnection),
		slots:  make([]slot, connections),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// search runs the request. If its connection is lost, it goes to another one; if nothing
// comes in time, to another server. The result may be part of what there is, with the
// server's error.
func (p *pool) search(ctx context.Context, request *ldap.SearchRequest) (result *ldap.SearchResult, err error) {
	for range attempts {
		var c *connection
		c, result, err = p.searchOnce(ctx, request)
		if err == nil || c == nil {
			return result, err
		}
		_, answered := resultOf(err)
		slow := errors.Is(err, errTimeout) && len(p.dialer.servers) == 1
		if answered || slow || ctx.Err() != nil {
			return result, newError("search", c.server, err)
		}
		err = newError("search", c.server, err)
	}
	return nil, err
}

// searchOnce runs the request on one connection. It returns none if it could not get one.
func (p *pool) searchOnce(ctx context.Context, r *ldap.SearchRequest) (*connection, *ldap.SearchResult, error) {
	select {
	case p.places <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, &Error{Op: "search", Class: "all connections are busy"}
	}
	c, err := p.get(ctx)
	if err != nil {
		<-p.places
		return nil, nil, err
	}
	type answer struct {
		result *ldap.SearchResult
		err    error
	}
	// Whoever waits may leave. What a search tells of its connection counts all the same.
	answers := make(chan answer, 1)
	go func() {
		started := time.Now()
		result, err := c.Search(r)
		if errors.Is(err, ldap.ErrSizeLimitExceeded) {
			err = ldap.NewError(ldap.LDAPResultSizeLimitExceeded, errors.New("more than asked for"))
		}
		if _, answered := resultOf(err); err != nil && !answered {
			err = errLost
			if time.Since(started) >= p.timeout {
				err = errTimeout
				p.dialer.blame(c.index)
			}
			p.drop(c)
		}
		p.leave(c)
		answers <- answer{result, err}
	}()
	select {
	case a := <-answers:
		return c, a.result, a.err
	case <-ctx.Done():
		return c, nil, context.Cause(ctx)
	}
}

// get returns a connection, on which one more search is counted.
func (p *pool) get(ctx context.Context) (*connection, error) {
	p.mu.Lock()
	c, d := p.choose()
	if c != nil {
		c.busy++
	}
	p.mu.Unlock()
	if c != nil {
		return c, nil
	}
	select {
	case <-d.done:
	case <-ctx.Done():
		return nil, &Error{Op: "connect", Class: errTimeout.Error()}
	}
	if d.err != nil {
		return nil, d.err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	d.conn.busy++
	return d.conn, nil
}

// choose returns the connection with the fewest searches or, if there is none, one that is
// being dialled. It begins to dial where that helps.
func (p *pool) choose() (*connection, *dialing) {
	var best *connection
	var waiting *dialing
	var empty *slot
	for i := range p.slots {
		s := &p.slots[i]
		if s.conn != nil && s.conn.IsClosing() {
			s.conn = nil
		}
		if s.conn != nil && s.dialing == nil && time.Since(s.conn.started) > lifetime {
			p.dial(s)
		}
		switch {
		case s.conn != nil && (best == nil || s.conn.busy < best.busy):
			best = s.conn
		case s.conn == nil && s.dialing != nil:
			waiting = s.dialing
		case s.conn == nil && empty == nil:
			empty = s
		}
	}
	if waiting == nil && empty != nil && (best == nil || best.busy >= fewSearches) {
		p.dial(empty)
		waiting = empty.dialing
	}
	return best, waiting
}

// dial begins to dial the connection of a slot.
func (p *pool) dial(s *slot) {
	d := &dialing{done: make(chan struct{})}
	s.dialing = d
	go func() {
		d.conn, d.err = p.dialer.dial(p.ctx)
		p.mu.Lock()
		defer p.mu.Unlock()
		defer close(d.done)
		s.dialing = nil
		switch {
		case d.err == nil && p.ctx.Err() != nil:
			go d.conn.Close()
			d.conn, d.err = nil, &Error{Op: "connect", Class: errClosed.Error()}
		case d.err == nil:
			p.retire(s.conn)
			s.conn = d.conn
		case s.conn != nil:
			s.conn.started = time.Now().Add(time.Minute - lifetime) // it is replaced later
		}
	}()
}

// leave counts one search less on the connection.
func (p *pool) leave(c *connection) {
	p.mu.Lock()
	c.busy--
	p.mu.Unlock()
	<-p.places
}

// drop takes a connection out of use.
func (p *pool) drop(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.slots {
		if p.slots[i].conn == c {
			p.slots[i].conn = nil
			p.retire(c)
		}
	}
}

// retire closes a connection when the searches on it have had their time.
func (p *pool) retire(c *connection) {
	if c != nil {
		time.AfterFunc(2*p.timeout, func() { c.Close() })
	}
}

// close closes all connections.
func (p *pool) close() {
	p.cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.slots {
		if c := p.slots[i].conn; c != nil {
			p.slots[i].conn = nil
			go c.Close() // it may wait for the network
		}
	}
}
