package server

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies says whose word is taken on who is asking. The zero value believes
// nobody.
type Proxies struct {
	// Trusted are the networks of the proxies. A peer on a Unix socket, which
	// has no address, is trusted too: the permissions of the file say who it can
	// be.
	Trusted []netip.Prefix
	// Forwarded: they set Forwarded (RFC 7239). Otherwise they set
	// X-Forwarded-For, -Proto and -Host. Only the one family is read, because a
	// proxy passes on unread what it does not know: behind nginx, which sets
	// X-Forwarded-For, a Forwarded header is a stranger's.
	Forwarded bool
}

// client is who asks, as far as that can be believed.
type client struct {
	// addr is the client's address. It is invalid where a proxy did not say.
	addr netip.Addr
	// proxied: a trusted peer passes the request on, or asks for itself.
	proxied bool
	// unlimited: a trusted peer asks for itself, or does not name its client. All
	// its clients must not be taken for one.
	unlimited bool
	// scheme and host are what the client asked for, empty where nobody that is
	// believed said so.
	scheme, host string
}

// of is who sent the request that came from the peer.
func (p *Proxies) of(peer netip.Addr, r *http.Request) client {
	if !p.trusts(peer) && (peer.IsValid() || !onUnixSocket(r)) {
		return client{addr: peer}
	}
	var c client
	if p.Forwarded {
		c = p.forwarded(r.Header["Forwarded"])
	} else {
		c = p.xForwarded(r.Header)
	}
	c.proxied = true
	if !c.addr.IsValid() && !c.unlimited {
		c.addr = peer
	}
	return c
}

// peer is the other end of a connection, whose address is read once.
type peer struct {
	text string
	addr netip.Addr
}

func (p *peer) addrOf(r *http.Request) netip.Addr {
	if p.text != r.RemoteAddr {
		*p = peer{r.RemoteAddr, peerAddr(r.RemoteAddr)}
	}
	return p.addr
}

// peerAddr is the address of the other end of the connection, invalid for a Unix
// socket.
func peerAddr(text string) netip.Addr {
	peer, err := netip.ParseAddrPort(text)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap().WithZone("")
}

func onUnixSocket(r *http.Request) bool {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return local != nil && local.Network() == "unix"
}

// trusts reports whether the address is a proxy's.
func (p *Proxies) trusts(addr netip.Addr) bool {
	for i := range p.Trusted {
		if p.Trusted[i].Contains(addr) {
			return true
		}
	}
	return false
}

// xForwarded reads X-Forwarded-For, -Proto and -Host. Each proxy appends the
// address of its own peer, so the list is read from its end, and the first
// address that is not a proxy's is the client's; what stands before it is what
// the client says of itself.
func (p *Proxies) xForwarded(h http.Header) client {
	lines := h["X-Forwarded-For"]
	c := client{unlimited: true}
	hops := 0
walk:
	for i := len(lines) - 1; i >= 0; i-- {
		for rest := lines[i]; ; {
			comma := strings.LastIndexByte(rest, ',')
			hops++
			addr, ok := forwardedAddr(strings.Trim(rest[comma+1:], " \t"))
			c.addr = addr
			if !ok {
				break walk // a trusted proxy does not say, as "unknown" or "unix:"
			}
			if !p.trusts(addr) {
				c.unlimited = false
				break walk
			}
			if comma < 0 {
				break
			}
			rest = rest[:comma]
		}
	}
	if scheme := nth(h["X-Forwarded-Proto"], hops); scheme != "" {
		c.scheme = schemeOf(scheme)
	}
	if host := nth(h["X-Forwarded-Host"], hops); isHost(host) {
		c.host = host
	}
	return c
}

// nth is the item that the outermost trusted proxy wrote: as many from the end
// as there were addresses, or the first where proxies keep one item instead of
// appending theirs.
func nth(lines []string, hops int) string {
	item := ""
	for i := len(lines) - 1; i >= 0; i-- {
		for rest := lines[i]; ; {
			comma := strings.LastIndexByte(rest, ',')
			item = strings.Trim(rest[comma+1:], " \t")
			if hops--; hops <= 0 {
				return item
			}
			if comma < 0 {
				break
			}
			rest = rest[:comma]
		}
	}
	return item
}

// forwardedAddr reads an address with or without a port, as proxies write it:
// 192.0.2.1, 192.0.2.1:4711, 2001:db8::1, [2001:db8::1]:4711, [2001:db8::1].
func forwardedAddr(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		if len(text) > 2 && text[0] == '[' && text[len(text)-1] == ']' {
			addr, err = netip.ParseAddr(text[1 : len(text)-1])
		} else {
			var with netip.AddrPort
			with, err = netip.ParseAddrPort(text)
			addr = with.Addr()
		}
	}
	if err != nil {
		return netip.Addr{}, false
	}
	return addr.Unmap().WithZone(""), true
}

func schemeOf(text string) string {
	switch {
	case strings.EqualFold(text, "https"):
		return "https"
	case strings.EqualFold(text, "http"):
		return "http"
	}
	return ""
}

// isHost reports whether a text can be what a Host header says.
func isHost(text string) bool {
	if text == "" || len(text) > 300 {
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._:[]", c) >= 0:
		default:
			return false
		}
	}
	return true
}
