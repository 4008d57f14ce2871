package conn

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
)

// pipeListener accepts the ends of pipes.
type pipeListener chan net.Conn

func (l pipeListener) Accept() (net.Conn, error) {
	if c, ok := <-l; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l pipeListener) Close() error   { close(l); return nil }
func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// TestLongestIdle closes the connections that are idle, in the order in which they
// became so, and no other.
func TestLongestIdle(t *testing.T) {
	evictions := 0
	limiter := &Limiter{Connections: 4, Evicted: func() { evictions++ }}
	inner := make(pipeListener, 10)
	l := limiter.Listener(inner)
	accept := func() (c, peer net.Conn) {
		t.Helper()
		one, other := net.Pipe()
		inner <- one
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return c, other
	}
	var conns, peers []net.Conn
	for range 4 {
		c, peer := accept()
		conns, peers = append(conns, c), append(peers, peer)
	}
	for _, i := range []int{2, 3, 1, 0} { // not the order in which they came
		SetIdle(conns[i], true)
	}
	SetIdle(conns[1], false) // begins a request
	for n, i := range []int{2, 3, 0} {
		accept()
		if _, err := peers[i].Read(make([]byte, 1)); err == nil {
			t.Errorf("connection %d is still open, want it closed for newcomer %d", i, n)
		}
		if evictions != n+1 {
			t.Errorf("%d connections were evicted, want %d", evictions, n+1)
		}
	}
	one, _ := net.Pipe()
	inner <- one
	accepted := make(chan error)
	go func() {
		_, err := l.Accept()
		accepted <- err
	}()
	select {
	case err := <-accepted:
		t.Fatalf("Accept with no idle connection returned (%v), want it to wait", err)
	default:
	}
	conns[1].Close()
	if err := <-accepted; err != nil {
		t.Errorf("Accept after a connection was closed: %v", err)
	}
	if evictions != 3 {
		t.Errorf("%d connections were evicted, want none after the third", evictions)
	}
}

// TestBlocksAreForgotten checks that the limiter keeps nothing of connections that
// are closed.
func TestBlocksAreForgotten(t *testing.T) {
	limiter := &Limiter{PerAddress: 1, Refused: func(netip.Addr) {}}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limiter.Listener(inner)
	defer l.Close()
	for i := range 3 {
		client, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got := limiter.blocks[BlockOf(netip.MustParseAddr("127.0.0.1"))]; got != 1 {
			t.Errorf("round %d: %d connections are counted, want 1", i, got)
		}
		c.Close()
		c.Close() // net/http may close twice
		client.Close()
		if len(limiter.blocks) != 0 {
			t.Errorf("round %d: %v is counted after the end, want nothing", i, limiter.blocks)
		}
	}
}

// TestLimitOfABlock checks that one closed connection makes room for one, and that the
// limiter holds no lock while it reports the others: the report may take its time.
func TestLimitOfABlock(t *testing.T) {
	limiter := &Limiter{PerAddress: 2}
	refused := 0
	limiter.Refused = func(netip.Addr) {
		refused++
		if !limiter.mu.TryLock() {
			t.Error("Refused is called under the lock that every Accept needs")
			return
		}
		limiter.mu.Unlock()
	}
	addr := netip.MustParseAddr("192.0.2.1")
	l := limiter.Listener(make(pipeListener)).(*limitListener)
	connect := func() (*limitConn, bool) {
		one, _ := net.Pipe()
		c := &limitConn{Conn: addressed{one, addr}, listener: l}
		return c, c.admit()
	}
	first, _ := connect()
	if _, ok := connect(); !ok {
		t.Fatal("the second connection is refused, want two allowed")
	}
	if c, ok := connect(); ok {
		t.Error("a third connection is allowed, want two")
	} else {
		c.Close()
	}
	first.Close()
	if _, ok := connect(); !ok {
		t.Error("after one was closed, the next is refused")
	}
	if _, ok := connect(); ok {
		t.Error("after one was closed, two more are allowed, want one")
	}
	if refused != 2 {
		t.Errorf("%d connections were reported, want 2", refused)
	}
}

// TestLimitOfAWideBlock opens one connection from each /64 of a /48.
func TestLimitOfAWideBlock(t *testing.T) {
	limiter := &Limiter{PerAddress: 2, Refused: func(netip.Addr) {}}
	l := limiter.Listener(make(pipeListener)).(*limitListener)
	connect := func(network, subnet byte) (*limitConn, bool) {
		one, _ := net.Pipe()
		addr := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, network, 0, subnet, 15: 1})
		c := &limitConn{Conn: addressed{one, addr}, listener: l}
		return c, c.admit()
	}
	var open []*limitConn
	for subnet := range byte(100) {
		if c, ok := connect(1, subnet); ok {
			open = append(open, c)
		}
	}
	if len(open) != 2*Wider {
		t.Errorf("a /48 has %d connections, want %d", len(open), 2*Wider)
	}
	if other, ok := connect(2, 1); !ok {
		t.Error("another /48 gets no connection")
	} else {
		open = append(open, other)
	}
	for _, c := range open {
		c.Close()
	}
	if len(limiter.blocks) != 0 {
		t.Errorf("%v is counted after the end, want nothing", limiter.blocks)
	}
}

// addressed is a connection from an address.
type addressed struct {
	net.Conn
	from netip.Addr
}

func (a addressed) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.from, 1))
}

// TestCloseWrite checks that the half of a connection is closed, where it has halves.
func TestCloseWrite(t *testing.T) {
	fails := errors.New("not connected")
	half := &halfConn{err: fails}
	if err := (&limitConn{Conn: half}).CloseWrite(); err != fails || half.closed != 1 {
		t.Errorf("CloseWrite = %v, called %d times, want %v and once", err, half.closed, fails)
	}
	pipe, _ := net.Pipe()
	if err := (&limitConn{Conn: pipe}).CloseWrite(); err != nil {
		t.Errorf("CloseWrite of a connection without halves = %v, want nil", err)
	}
}

// halfConn is a connection with halves.
type halfConn struct {
	net.Conn
	closed int
	err    error
}

func (h *halfConn) CloseWrite() error { h.closed++; return h.err }

// TestCloseWhileFull checks that a connection that waits for a slot is closed with the
// listener.
func TestCloseWhileFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := &Limiter{Connections: 1}
		inner := make(pipeListener, 2)
		l := limiter.Listener(inner)
		for range 2 {
			one, _ := net.Pipe()
			inner <- one
		}
		if _, err := l.Accept(); err != nil {
			t.Fatal(err)
		}
		accepted := make(chan error)
		go func() {
			_, err := l.Accept()
			accepted <- err
		}()
		synctest.Wait()
		l.Close()
		if err := <-accepted; err != net.ErrClosed {
			t.Errorf("Accept while the listener was closed = %v, want %v", err, net.ErrClosed)
		}
	})
}

// closingListener closes another listener after it has accepted a connection.
type closingListener struct {
	pipeListener
	closes net.Listener
}

func (l *closingListener) Accept() (net.Conn, error) {
	c, err := l.pipeListener.Accept()
	if err == nil {
		l.closes.Close()
	}
	return c, err
}

// TestAcceptedBeforeClose checks that a connection which was accepted just before the
// listener was closed is served: its client has perhaps sent a request already.
func TestAcceptedBeforeClose(t *testing.T) {
	limiter := &Limiter{Connections: 1}
	inner := &closingListener{pipeListener: make(pipeListener, 1)}
	l := limiter.Listener(inner)
	inner.closes = l
	server, _ := net.Pipe()
	inner.pipeListener <- server
	c, err := l.Accept()
	if err != nil {
		t.Fatalf("Accept = %v, want the connection", err)
	}
	c.Close()
	if _, err := l.Accept(); err == nil {
		t.Error("Accept after Close returned a connection")
	}
}
