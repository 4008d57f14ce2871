package conn

import "net/netip"

// Proxies describes the reverse proxies in front of the service. The zero value
// trusts nobody.
type Proxies struct {
	// Trusted lists the networks of the proxies. A peer on a Unix socket has no
	// address and is always trusted: the permissions of the file decide who that
	// can be.
	Trusted []netip.Prefix
	// Forwarded is set if the proxies send Forwarded (RFC 7239) instead of
	// X-Forwarded-For, -Proto and -Host. Only one family is read, because a proxy
	// passes on headers that it does not know: behind nginx, which sets
	// X-Forwarded-For, a Forwarded header comes from the client.
	Forwarded bool
	// Protocol is set if the proxies begin each connection with PROXY protocol
	// version 2.
	Protocol bool
}

// Trusts reports whether addr belongs to a trusted proxy.
func (p *Proxies) Trusts(addr netip.Addr) bool {
	for i := range p.Trusted {
		if p.Trusted[i].Contains(addr) {
			return true
		}
	}
	return false
}

// PeerAddr parses the address of a connection's other end, as
// [net/http.Request.RemoteAddr] has it. It returns the zero Addr for a Unix socket.
func PeerAddr(text string) netip.Addr {
	peer, _ := netip.ParseAddrPort(text)
	return peer.Addr().Unmap().WithZone("")
}
