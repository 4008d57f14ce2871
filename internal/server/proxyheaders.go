package server

import (
	"iter"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"signpost/internal/conn"
	"signpost/internal/fair"
)

// client describes who sent a request, as far as that can be trusted.
type client struct {
	// addr is invalid if a proxy did not send it.
	addr netip.Addr
	// proxied is set if the request came from a trusted proxy.
	proxied bool
	// unlimited is set if a trusted proxy asks for itself or does not name its
	// client: one rate limit for all of its clients would be wrong.
	unlimited bool
	// scheme and host are those of the client's request, empty if no trusted proxy
	// sent them.
	scheme, host string
}

// caller returns on whose behalf DNS and stores are asked.
func (c *client) caller() fair.Caller {
	caller := fair.Caller{Kind: fair.Request}
	if !c.unlimited {
		caller.Block, caller.Wide = uint64(conn.BlockOf(c.addr)), uint64(conn.WideBlockOf(c.addr))
	}
	return caller
}

// clientOf returns the client behind r, following the forwarding headers of trusted
// proxies.
func clientOf(p *conn.Proxies, r *http.Request) client {
	peer := conn.PeerAddr(r.RemoteAddr)
	if !p.Trusts(peer) && (peer.IsValid() || !overUnixSocket(r)) {
		return client{addr: peer}
	}
	var c client
	if p.Forwarded {
		c = parseForwarded(p, r.Header["Forwarded"])
	} else {
		c = parseXForwarded(p, r.Header)
	}
	c.proxied = true
	if !c.addr.IsValid() && !c.unlimited {
		c.addr = peer
	}
	return c
}

func overUnixSocket(r *http.Request) bool {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return local != nil && local.Network() == "unix"
}

// parseXForwarded reads X-Forwarded-For, -Proto and -Host. Each proxy appends the
// address of its own peer, so the list is read from its end. The first address that is
// not a proxy's is the client's. Anything before it was sent by the client.
func parseXForwarded(p *conn.Proxies, h http.Header) client {
	c := client{unlimited: true}
	hops := 0
	for item := range itemsFromEnd(h["X-Forwarded-For"]) {
		hops++
		var ok bool
		if c.addr, ok = parseAddr(item); !ok {
			break // the proxy does not name its client, but says "unknown" or "unix:"
		}
		if !p.Trusts(c.addr) {
			c.unlimited = false
			break
		}
	}
	if scheme := nth(h["X-Forwarded-Proto"], hops); scheme != "" {
		c.scheme = parseScheme(scheme)
	}
	if host := nth(h["X-Forwarded-Host"], hops); isHost(host) {
		c.host = host
	}
	return c
}

// nth returns the item that the outermost trusted proxy wrote: counted from the end, as
// many as there were addresses, or the first if proxies keep one item instead of
// appending their own.
func nth(lines []string, hops int) (item string) {
	for item = range itemsFromEnd(lines) {
		if hops--; hops <= 0 {
			break
		}
	}
	return item
}

// itemsFromEnd yields the items of lists that are separated by commas, the last first.
func itemsFromEnd(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range slices.Backward(lines) {
			for comma := len(line); comma >= 0; {
				line = line[:comma]
				comma = strings.LastIndexByte(line, ',')
				if !yield(strings.Trim(line[comma+1:], " \t")) {
					return
				}
			}
		}
	}
}

// parseAddr parses an address with or without a port, as proxies write it:
// 192.0.2.1, 192.0.2.1:4711, 2001:db8::1, [2001:db8::1]:4711, [2001:db8::1].
func parseAddr(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		if len(text) > 2 && text[0] == '[' && text[len(text)-1] == ']' {
			addr, err = netip.ParseAddr(text[1 : len(text)-1])
		} else {
			var addrPort netip.AddrPort
			addrPort, err = netip.ParseAddrPort(text)
			addr = addrPort.Addr()
		}
	}
	if err != nil {
		return netip.Addr{}, false
	}
	return addr.Unmap().WithZone(""), true
}

// parseScheme returns http or https, or nothing for a scheme that tells neither. Traefik writes
// ws and wss for a request that asks for a WebSocket (pkg/middlewares/forwardedheaders), so
// that a client chooses between them and http and https.
func parseScheme(text string) string {
	switch {
	case strings.EqualFold(text, "https"), strings.EqualFold(text, "wss"):
		return "https"
	case strings.EqualFold(text, "http"), strings.EqualFold(text, "ws"):
		return "http"
	}
	return ""
}

// isHost reports whether text can be the value of a Host header.
func isHost(text string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]"
	return text != "" && len(text) <= 300 && strings.Trim(text, letters) == ""
}
