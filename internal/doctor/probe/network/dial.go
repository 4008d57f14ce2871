package network

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"signpost/internal/doctor/probe"
	"signpost/internal/fair"
)

// connection is a connection to a host, or says why there is none. It has one of the places
// of the process, which Close gives back.
type connection struct {
	net.Conn // nil if it failed
	failure  *probe.Failure
	address  netip.Addr // the address that is connected, or that failed
	port     uint16
	resolved time.Duration // what the look-up of the host took
	started  time.Time     // when it got its place
	took     time.Duration // from then until it was connected or failed
	// noRoute is set if this machine has no way to addresses of the family, which says nothing about the host.
	noRoute bool
	leave   func()
}

// Close ends the connection and then gives its place back. It may be called again, also at the same time.
func (c *connection) Close() error {
	var err error
	if c.Conn != nil {
		err = c.Conn.Close()
	}
	if c.leave != nil {
		c.leave()
	}
	return err
}

// elapsed returns how long a client would have waited until now: for the look-up and since
// the connection began, but not for a place.
func (c *connection) elapsed() time.Duration {
	if c.failure != nil {
		return c.resolved + c.took
	}
	return c.resolved + time.Since(c.started)
}

// nextAfter is when the next address of a host is tried while the one before has not
// answered (RFC 8305 §5 names 250 ms).
const nextAfter = 250 * time.Millisecond

// maxAddresses is how many addresses of a host are tried.
const maxAddresses = 6

// dial connects to a port of a host: at one address, or if at is the zero value, at the first
// of the host's addresses that accepts, IPv6 and IPv4 in turn, the next one begun a moment
// after the one before, as clients do. The caller must close what it returns.
func (n *Network) dial(ctx context.Context, host string, port int, at netip.Addr) *connection {
	addresses, resolved := []netip.Addr{at}, time.Duration(0)
	if !at.IsValid() {
		var failure *probe.Failure
		addresses, resolved, failure = n.resolve(ctx, host)
		if failure != nil {
			return &connection{failure: failure, resolved: resolved}
		}
	} else if failure := n.familyOf(at); failure != nil {
		return &connection{failure: failure, address: at}
	}
	c := n.race(ctx, addresses, port)
	c.resolved = resolved
	if c.noRoute && !at.IsValid() {
		// Others may well reach the host. With an address, the question is whether it is reached from here.
		c.failure = &probe.Failure{Kind: probe.NotAsked, Text: c.failure.Text}
	}
	return c
}

// race connects to the first address that accepts.
func (n *Network) race(ctx context.Context, addresses []netip.Addr, port int) *connection {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan *connection, len(addresses))
	next := time.NewTimer(0)
	defer next.Stop()
	var failed []*connection
	begun := 0
	for len(failed) < len(addresses) {
		select {
		case <-next.C:
			if begun == len(addresses) {
				continue
			}
			go func(a netip.Addr) { results <- n.connect(ctx, netip.AddrPortFrom(a, uint16(port))) }(addresses[begun])
			begun++
			next.Reset(nextAfter)
		case c := <-results:
			if c.failure == nil {
				go drop(results, begun-len(failed)-1)
				return c
			}
			failed = append(failed, c)
			next.Reset(0)
		}
	}
	return worst(failed)
}

// drop closes the connections that came too late.
func drop(results <-chan *connection, number int) {
	for range number {
		(<-results).Close()
	}
}

// worst returns the failure of a host of which no address accepted a connection: one after which
// nothing is known, otherwise the one that took longest, and last one for want of a route.
func worst(failed []*connection) *connection {
	rank := func(c *connection) int {
		switch {
		case c.noRoute:
			return 0
		case c.failure.Known():
			return 1
		}
		return 2
	}
	return slices.MaxFunc(failed, func(a, b *connection) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.took, b.took))
	})
}

// connect connects to an address when it gets a place.
func (n *Network) connect(ctx context.Context, a netip.AddrPort) *connection {
	if failure := n.forbids(a); failure != nil {
		return &connection{failure: failure, address: a.Addr()}
	}
	leave, err := connections.Acquire(ctx, fair.Share{Key: n, Most: MaxConnections, Wait: 1 << 20},
		fair.Share{Key: a.Addr(), Most: MaxPerAddress, Wait: 1 << 20})
	if err != nil {
		return &connection{failure: ended(), address: a.Addr()}
	}
	if known := n.known(a); known != nil {
		leave()
		return known
	}
	c := &connection{address: a.Addr(), port: a.Port(), started: time.Now(), leave: sync.OnceFunc(leave)}
	dialer := net.Dialer{Timeout: probe.ConnectLimit, Control: n.control, KeepAlive: -1}
	c.Conn, err = dialer.DialContext(ctx, "tcp", a.String())
	c.took = time.Since(c.started)
	if err == nil {
		return c
	}
	c.Conn = nil
	c.noRoute = errors.Is(err, syscall.ENETUNREACH) && !hasRoute(a)
	c.failure = n.whyNot(ctx, a, err)
	if !isOver(ctx) {
		n.remember(a, c)
	}
	c.Close()
	return c
}

// control refuses to dial a forbidden address whatever led to it.
func (n *Network) control(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if failure := n.forbids(a); failure != nil {
		return errors.New(failure.Text)
	}
	return nil
}

// whyNot says why a connection did not come about.
func (n *Network) whyNot(ctx context.Context, a netip.AddrPort, err error) *probe.Failure {
	why := func(kind probe.FailureKind, text string) *probe.Failure {
		return &probe.Failure{Kind: kind, Text: fmt.Sprintf("%s: %s", a, text)}
	}
	timeout, isTimeout := errors.AsType[net.Error](err)
	switch {
	case isOver(ctx):
		return ended()
	case errors.Is(err, syscall.ENETUNREACH):
		return why(probe.Unreachable, "there is no route to it from here")
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		return why(probe.Refused, "refuses the connection")
	case isTimeout && timeout.Timeout():
		return why(probe.TimedOut, fmt.Sprintf("does not answer within %v", probe.ConnectLimit))
	}
	return why(probe.Unreachable, "cannot be reached")
}

// hasRoute reports whether this machine would know where to send a packet to an address.
// Nothing is sent.
func hasRoute(a netip.AddrPort) bool {
	c, err := net.Dial("udp", a.String())
	if err != nil {
		return !errors.Is(err, syscall.ENETUNREACH)
	}
	c.Close()
	return true
}
