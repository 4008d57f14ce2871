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
	PerAddress  int                   // per address block; 0: no limit
	Exempt      func(netip.Addr) bool // reports whether an address is not counted
	Refused     func(netip.Addr)      // is called when an address has too many connections
	Evicted     func()                // is called when an idle connection was closed

	mu     sync.Mutex
	blocks map[Block]int
}

// Listener returns a listener that accepts from l within the limits. The HTTP server
// must call [SetIdle].
func (lim *Limiter) Listener(l net.Listener) net.Listener {
	limited := &limitListener{Listener: l, limiter: lim}
	limited.changed.L = &limited.mu
	return limited
}

type limitListener struct {
	net.Listener
	limiter *Limiter

	mu      sync.Mutex
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
		// The client behind PROXY protocol is known when its header has been read,
		// for which Accept must not wait: see Read.
		if _, later := inner.(*proxyproto.Conn); !later && !c.admit() {
			inner.Close()
			continue
		}
		if !l.acquire() {
			l.limiter.remove(c)
			inner.Close()
			return nil, net.ErrClosed
		}
		c.open = true
		return c, nil
	}
}

// Close implements net.Listener.
func (l *limitListener) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.changed.Broadcast()
	return l.Listener.Close()
}

// acquire takes a slot, if need be that of the connection which has been idle
// longest. It returns false if the listener is closed meanwhile.
func (l *limitListener) acquire() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for limit := l.limiter.Connections; limit > 0 && l.open >= limit && !l.closed; {
		longest := l.idle.Front()
		if longest == nil {
			l.changed.Wait()
			continue
		}
		evicted := longest.Value.(*limitConn)
		l.setIdle(evicted, false)
		l.mu.Unlock()
		evicted.Close()
		l.limiter.Evicted()
		l.mu.Lock()
	}
	if l.closed {
		return false
	}
	l.open++
	return true
}

// release gives back the slot of c.
func (l *limitListener) release(c *limitConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !c.open {
		return
	}
	l.setIdle(c, false)
	c.open = false
	l.open--
	l.changed.Signal()
}

// setIdle requires l.mu.
func (l *limitListener) setIdle(c *limitConn, idle bool) {
	switch {
	case idle && c.idle == nil && c.open:
		c.idle = l.idle.PushBack(c)
		l.changed.Signal()
	case !idle && c.idle != nil:
		l.idle.Remove(c.idle)
		c.idle = nil
	}
}

// SetIdle records whether a connection of a limited listener is idle and may be
// closed for a new one. It is meant for [net/http.Server.ConnState].
func SetIdle(c net.Conn, idle bool) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if limited, ok := c.(*limitConn); ok {
		limited.listener.mu.Lock()
		defer limited.listener.mu.Unlock()
		limited.listener.setIdle(limited, idle)
	}
}

// limitConn is a connection of a limitListener.
type limitConn struct {
	net.Conn
	listener *limitListener

	// Guarded by listener.mu.
	open bool
	idle *list.Element // nil while a request is in flight

	admission sync.Once
	admitted  bool

	// Guarded by listener.limiter.mu.
	block           Block
	counted, closed bool
}

// admit counts the connection for its address, once, and reports whether the address
// may have it.
func (c *limitConn) admit() bool {
	c.admission.Do(func() {
		c.admitted = c.listener.limiter.add(c, PeerAddr(c.RemoteAddr().String()))
	})
	return c.admitted
}

// Read implements net.Conn.
func (c *limitConn) Read(b []byte) (int, error) {
	if !c.admit() {
		c.Close()
		return 0, net.ErrClosed
	}
	return c.Conn.Read(b)
}

// Close implements net.Conn.
func (c *limitConn) Close() error {
	err := c.Conn.Close()
	c.listener.limiter.remove(c)
	c.listener.release(c)
	return err
}

// CloseWrite lets net/http end its answer before it closes the connection.
func (c *limitConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// add counts c for the block of addr and reports whether the block may have it. A
// connection over a Unix socket has no address, and one of a trusted proxy stands
// for many clients: both are always admitted.
func (lim *Limiter) add(c *limitConn, addr netip.Addr) bool {
	if lim.PerAddress <= 0 || !addr.IsValid() || lim.Exempt != nil && lim.Exempt(addr) {
		return true
	}
	if !lim.count(c, BlockOf(addr)) {
		lim.Refused(addr)
		return false
	}
	return true
}

func (lim *Limiter) count(c *limitConn, block Block) bool {
	lim.mu.Lock()
	defer lim.mu.Unlock()
	switch {
	case c.closed:
		return true
	case lim.blocks[block] >= lim.PerAddress:
		return false
	case lim.blocks == nil:
		lim.blocks = map[Block]int{}
	}
	lim.blocks[block]++
	c.block, c.counted = block, true
	return true
}

func (lim *Limiter) remove(c *limitConn) {
	lim.mu.Lock()
	defer lim.mu.Unlock()
	c.closed = true
	if !c.counted {
		return
	}
	c.counted = false
	if lim.blocks[c.block]--; lim.blocks[c.block] == 0 {
		delete(lim.blocks, c.block)
	}
}
