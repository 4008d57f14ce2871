package conn

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"

	"github.com/pires/go-proxyproto"
)

// Limiter bounds the number of open connections, of each listener and of each
// address block over all listeners. It needs no memory beyond that of the
// connections.
//
// A connection of a block that has reached its limit is closed at once. When a
// listener is full, the connection that has been idle longest is closed for a new
// one; without an idle one the new one waits for the time limits to end another.
// [golang.org/x/net/netutil.LimitListener] closes nothing, so a few addresses could
// keep everybody out by holding idle connections, and it hides CloseWrite, without
// which an answer to a request that was not read to its end gets lost.
type Limiter struct {
	Connections int                   // per listener; 0: no limit
	PerAddress  int                   // per address block, Wider times as many per wide block; 0: no limit
	Exempt      func(netip.Addr) bool // reports whether an address is not counted
	Allow       func(netip.Addr) bool // reports whether an address may open another one now; nil: it may
	Refused     func(netip.Addr)      // is called when an address has, or opens, too many connections
	Evicted     func()                // is called when an idle connection was closed
	Flooded     func(netip.Addr)      // is called when a client sent more than its allowance; see LimitFrames

	mu     sync.Mutex
	blocks map[Block]int // number of open connections, also of wide blocks
}

// Listener returns a listener that accepts from l within the limits. The HTTP server
// must call [SetIdle].
func (lim *Limiter) Listener(l net.Listener) net.Listener {
	limited := &limitListener{Listener: l, limiter: lim}
	limited.changed.L = &lim.mu
	return limited
}

// limitListener is a listener of a Limiter, whose mutex guards it.
type limitListener struct {
	net.Listener
	limiter *Limiter

	changed sync.Cond // a slot is free, a connection is idle, or the listener is closed
	open    int
	idle    list.List // of *limitConn, that which has been idle longest first
	closed  bool
}

// Accept implements net.Listener.
func (l *limitListener) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &limitConn{Conn: inner, listener: l}
		// With PROXY protocol, the client is known only when the header has been
		// read. Accept must not wait for that; see Read.
		if _, later := inner.(*proxyproto.Conn); !later && !c.admit() {
			c.Close()
			continue
		}
		if !l.acquire(c) {
			c.Close()
			return nil, net.ErrClosed
		}
		return c, nil
	}
}

// Close implements net.Listener.
func (l *limitListener) Close() error {
	l.limiter.mu.Lock()
	l.closed = true
	l.limiter.mu.Unlock()
	l.changed.Broadcast()
	return l.Listener.Close()
}

// acquire waits for a slot for c. If all slots are taken, it closes the connection that
// has been idle longest. It returns false if the listener is closed while c waits: a
// connection that was accepted before that and has a slot is served to its end.
func (l *limitListener) acquire(c *limitConn) bool {
	lim := l.limiter
	lim.mu.Lock()
	defer lim.mu.Unlock()
	for lim.Connections > 0 && l.open >= lim.Connections {
		if l.closed {
			return false
		}
		longest := l.idle.Front()
		if longest == nil {
			l.changed.Wait()
			continue
		}
		lim.mu.Unlock()
		longest.Value.(*limitConn).Close()
		lim.Evicted()
		lim.mu.Lock()
	}
	l.open++
	c.open = true
	return true
}

// limitConn is a connection of a limitListener.
type limitConn struct {
	net.Conn
	listener *limitListener

	admission sync.Once
	admitted  bool

	looked    bool       // LimitFrames has been called
	allowance *allowance // of HTTP/2; nil for no limit

	// The mutex of the limiter guards the rest.
	closed  bool
	open    bool          // has a slot
	idle    *list.Element // nil while a request is in flight
	counted []Block       // that the connection counts for
}

// SetIdle records whether a connection of a limited listener is idle and may be
// closed for a new one. It is meant for [net/http.Server.ConnState].
func SetIdle(c net.Conn, idle bool) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if limited, ok := c.(*limitConn); ok {
		limited.listener.limiter.mu.Lock()
		defer limited.listener.limiter.mu.Unlock()
		limited.setIdle(idle)
	}
}

// setIdle requires the mutex of the limiter.
func (c *limitConn) setIdle(idle bool) {
	switch l := c.listener; {
	case idle && c.idle == nil && c.open:
		c.idle = l.idle.PushBack(c)
		l.changed.Signal()
	case !idle && c.idle != nil:
		l.idle.Remove(c.idle)
		c.idle = nil
	}
}

// admit counts the connection for its address, once, and reports whether the address
// may have it.
func (c *limitConn) admit() bool {
	c.admission.Do(func() {
		addr := PeerAddr(c.RemoteAddr().String())
		if c.admitted = c.listener.limiter.count(c, addr); !c.admitted {
			c.listener.limiter.Refused(addr)
		}
	})
	return c.admitted
}

// count counts c for the block of addr and reports whether the block may have it. A
// connection over a Unix socket has no address, and one of a trusted proxy stands for
// many clients: neither is counted.
func (lim *Limiter) count(c *limitConn, addr netip.Addr) bool {
	if !addr.IsValid() || lim.Exempt != nil && lim.Exempt(addr) {
		return true
	}
	if lim.Allow != nil && !lim.Allow(addr) {
		return false
	}
	if lim.PerAddress <= 0 {
		return true
	}
	lim.mu.Lock()
	defer lim.mu.Unlock()
	block, around := BlockOf(addr), WideBlockOf(addr)
	switch {
	case c.closed:
		return true
	case lim.blocks[block] >= lim.PerAddress, lim.blocks[around] >= Wider*lim.PerAddress:
		return false
	case lim.blocks == nil:
		lim.blocks = map[Block]int{}
	}
	c.counted = []Block{block}
	if around != 0 {
		c.counted = append(c.counted, around)
	}
	for _, counted := range c.counted {
		lim.blocks[counted]++
	}
	return true
}

// Read implements net.Conn.
func (c *limitConn) Read(b []byte) (int, error) {
	if !c.admit() {
		c.Close()
		return 0, net.ErrClosed
	}
	if c.allowance == nil {
		return c.Conn.Read(b)
	}
	if !c.allowance.wait() {
		c.listener.limiter.Flooded(PeerAddr(c.RemoteAddr().String()))
		c.Close()
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Read(b)
	c.allowance.spend(n)
	return n, err
}

// Close implements net.Conn.
func (c *limitConn) Close() error {
	err := c.Conn.Close()
	l, lim := c.listener, c.listener.limiter
	lim.mu.Lock()
	defer lim.mu.Unlock()
	if c.closed {
		return err
	}
	c.closed = true
	for _, counted := range c.counted {
		if lim.blocks[counted]--; lim.blocks[counted] == 0 {
			delete(lim.blocks, counted)
		}
	}
	if c.open {
		c.setIdle(false)
		c.open = false
		l.open--
		l.changed.Signal()
	}
	return err
}

// CloseWrite lets net/http end its answer before it closes the connection.
func (c *limitConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
