package server

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pires/go-proxyproto"
)

// seated is a listener whose connections take one of a number of seats. When all
// are taken, a new connection gets that of the one that has been idle longest,
// or waits until there is one, which the time limits see to. One address block
// cannot take all of them: what it opens beyond its share is closed at once.
type seated struct {
	net.Listener
	most   int // 0: any number
	crowd  *crowd
	freed  chan struct{} // receives when a seat may have become free
	closed chan struct{}
	close  sync.Once

	waiting atomic.Bool  // somebody wants a seat, and all are taken
	rested  atomic.Int64 // how often a connection has become idle

	mu    sync.Mutex
	seats []*seat
}

func newSeated(l net.Listener, most int, c *crowd) *seated {
	return &seated{Listener: l, most: most, crowd: c, freed: make(chan struct{}, 1), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (l *seated) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		s := &seat{Conn: conn, listener: l}
		if !s.identify() {
			conn.Close()
			continue
		}
		if !l.seat(s) {
			conn.Close()
			l.crowd.leave(s)
			return nil, net.ErrClosed
		}
		return s, nil
	}
}

// Close implements net.Listener.
func (l *seated) Close() error {
	l.close.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// seat finds a seat, unless the listener is closed meanwhile.
func (l *seated) seat(s *seat) bool {
	defer l.waiting.Store(false)
	for {
		idlest, ok := l.take(s)
		switch {
		case ok:
			return true
		case idlest != nil:
			idlest.Close()
			l.crowd.metrics.closedForRoom.Inc()
			continue
		}
		select {
		case <-l.freed:
		case <-l.closed:
			return false
		}
	}
}

// take takes a free seat, or says who has been idle longest, if anybody is.
func (l *seated) take(s *seat) (idlest *seat, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.most <= 0 || len(l.seats) < l.most {
		s.at = len(l.seats)
		l.seats = append(l.seats, s)
		return nil, true
	}
	l.waiting.Store(true) // before looking: who becomes idle from now on says so
	var longest int64
	for _, other := range l.seats {
		since := other.idle.Load()
		if since != 0 && (idlest == nil || since < longest) {
			idlest, longest = other, since
		}
	}
	return idlest, false
}

// leave frees a seat.
func (l *seated) leave(s *seat) {
	l.mu.Lock()
	last := len(l.seats) - 1
	l.seats[s.at] = l.seats[last]
	l.seats[s.at].at = s.at
	l.seats[last] = nil
	l.seats = l.seats[:last]
	l.mu.Unlock()
	tell(l.freed)
}

// seat is a connection that has one.
type seat struct {
	net.Conn
	listener *seated
	at       int          // in the listener's seats
	idle     atomic.Int64 // the listener's rested when it became so: the lower, the longer; 0: it is not
	once     sync.Once

	// Of the crowd, under its lock.
	block   uint64
	counted bool
	left    bool
}

// identify counts the connection as its client's, if it may have one more. Behind
// a proxy that tells the client by PROXY protocol that is known only when the
// header has been read, for which nobody waits here.
func (s *seat) identify() bool {
	proxied, ok := s.Conn.(*proxyproto.Conn)
	if !ok {
		return s.listener.crowd.enter(s, s.Conn.RemoteAddr())
	}
	valid := proxied.Validate
	proxied.Validate = func(h *proxyproto.Header) error {
		if err := valid(h); err != nil {
			return err
		}
		if !h.Command.IsLocal() && !s.listener.crowd.enter(s, h.SourceAddr) {
			return errCrowded
		}
		return nil
	}
	return true
}

var errCrowded = errors.New("too many connections from this address")

// Close implements net.Conn.
func (s *seat) Close() error {
	err := s.Conn.Close()
	s.once.Do(func() {
		s.listener.crowd.leave(s)
		s.listener.leave(s)
	})
	return err
}

// CloseWrite lets net/http end an answer before it closes.
func (s *seat) CloseWrite() error {
	if half, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// rests notes that the connection is idle from now on.
func (s *seat) rests() {
	s.idle.Store(s.listener.rested.Add(1))
	if s.listener.waiting.Load() {
		tell(s.listener.freed)
	}
}

// seatOf finds the seat of a connection as net/http has it.
func seatOf(conn net.Conn) *seat {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	s, _ := conn.(*seat)
	return s
}

// crowd counts the connections of each address block, over all listeners. Its
// memory is bounded by the number of connections.
type crowd struct {
	most    int                   // of one block; 0: any number
	trusts  func(netip.Addr) bool // whose connections are not counted; nil: nobody's
	log     *slog.Logger
	metrics *Metrics

	mu     sync.Mutex
	blocks map[uint64]int
	turned int       // away since the last line about it
	told   time.Time // when that was
}

// enter counts a connection, or says that its block has too many. That of a Unix
// socket has no address, and that of a trusted proxy is many clients'.
func (c *crowd) enter(s *seat, from net.Addr) bool {
	addr := peerAddr(from.String())
	if c.most <= 0 || !addr.IsValid() || c.trusts != nil && c.trusts(addr) {
		return true
	}
	block := blockOf(addr)
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.left {
		return true // closed already
	}
	if c.blocks[block] >= c.most {
		c.turnAway(addr)
		return false
	}
	c.blocks[block]++
	s.block, s.counted = block, true
	return true
}

// turnAway counts who is turned away, and says so once a second: an operator wants
// to know whom to keep out, or that a limit is too narrow.
func (c *crowd) turnAway(addr netip.Addr) {
	c.metrics.closedForAddress.Inc()
	c.turned++
	if now := time.Now(); now.Sub(c.told) >= time.Second {
		c.log.Warn("too many connections", "connections", c.turned, "block", blockName(addr))
		c.turned, c.told = 0, now
	}
}

func (c *crowd) leave(s *seat) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.left = true
	if !s.counted {
		return
	}
	if c.blocks[s.block]--; c.blocks[s.block] == 0 {
		delete(c.blocks, s.block)
	}
}
