package network

import (
	"fmt"
	"net/netip"
	"sync"

	"signpost/internal/doctor/probe"
)

// memory holds what a diagnosis has seen of ports that do not answer. They are not asked
// again: what refused a moment ago may be counting the attempts, and a port that stays silent costs ten
// seconds each time.
type memory struct {
	mu     sync.Mutex
	failed map[netip.AddrPort]*connection // accepted no connection
	silent map[netip.AddrPort]int         // requests without an answer
	spoken map[netip.AddrPort]bool        // answered at least once
}

// maxSilent is how many requests may stay without an answer at a port that has never
// answered one, before the rest is taken to stay so, too.
const maxSilent = 3

// remember keeps the failure of an address and port that accepted no connection.
func (n *Network) remember(a netip.AddrPort, c *connection) {
	n.memory.mu.Lock()
	defer n.memory.mu.Unlock()
	if n.memory.failed == nil {
		n.memory.failed = map[netip.AddrPort]*connection{}
	}
	n.memory.failed[a] = &connection{address: c.address, failure: c.failure, noRoute: c.noRoute, took: c.took}
}

// heard remembers whether a request got an answer, or the beginning of one.
func (n *Network) heard(c *connection, begun bool, failure *probe.Failure) {
	target := netip.AddrPortFrom(c.address, c.port)
	n.memory.mu.Lock()
	defer n.memory.mu.Unlock()
	if n.memory.silent == nil {
		n.memory.silent, n.memory.spoken = map[netip.AddrPort]int{}, map[netip.AddrPort]bool{}
	}
	switch {
	case !failure.Known():
	case !begun && failure != nil && failure.Kind == probe.TimedOut:
		n.memory.silent[target]++
	default:
		n.memory.spoken[target] = true
	}
}

// known returns the failure that is to be expected of an address and port, nil if there is none.
func (n *Network) known(a netip.AddrPort) *connection {
	n.memory.mu.Lock()
	defer n.memory.mu.Unlock()
	if c := n.memory.failed[a]; c != nil {
		again := *c
		return &again
	}
	if n.memory.silent[a] < maxSilent || n.memory.spoken[a] {
		return nil
	}
	return &connection{address: a.Addr(), took: probe.ByteLimit, failure: &probe.Failure{Kind: probe.TimedOut,
		Text: fmt.Sprintf("%s does not answer (%d other requests waited %v)", a, maxSilent, probe.ByteLimit)}}
}
