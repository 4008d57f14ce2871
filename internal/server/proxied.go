package server

import (
	"net"
	"net/http"
	"net/netip"
	"sync"

	"signpost/internal/conn"
)

// Proxies may speak HTTP/2 without TLS to what is behind them: HAProxy (proto h2), Envoy,
// Caddy (h2c://), Traefik (h2c://). Trusted ones are answered. A client that is not a
// proxy has no reason for it, since browsers and mail programs know HTTP/2 over TLS
// only, and would save the handshake that makes a flood of connections expensive; it is
// refused in words (handler.go). net/http has one switch for a whole server, so the
// connections of trusted proxies have a server of their own.

// unencryptedHTTP2 returns the protocols of the server for trusted proxies.
func unencryptedHTTP2() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

// isUnencryptedHTTP2 reports whether r is the beginning of HTTP/2 (RFC 9113 §3.4) as
// net/http presents it on a connection that does not speak it.
func isUnencryptedHTTP2(r *http.Request) bool { return r.Method == "PRI" && r.ProtoMajor == 2 }

// handover is a listener of the connections that separate listeners hand over.
type handover struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newHandover() *handover {
	h := &handover{conns: make(chan net.Conn), closed: make(chan struct{})}
	h.close = sync.OnceFunc(func() { close(h.closed) })
	return h
}

// Accept implements net.Listener.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handover) Close() error { h.close(); return nil }

// Addr implements net.Listener.
func (h *handover) Addr() net.Addr { return &net.UnixAddr{} }

// separate is a listener that hands over the connections of trusted proxies.
type separate struct {
	net.Listener
	trusts func(netip.Addr) bool
	to     *handover
}

// Accept implements net.Listener.
func (s separate) Accept() (net.Conn, error) {
	for {
		c, err := s.Listener.Accept()
		if err != nil || !s.isProxy(c) {
			return c, err
		}
		select {
		case s.to.conns <- c:
		case <-s.to.closed:
			c.Close()
		}
	}
}

// isProxy reports whether a connection comes over a Unix socket, which the permissions of
// its file protect, or from a trusted address.
func (s separate) isProxy(c net.Conn) bool {
	peer := c.RemoteAddr()
	return peer.Network() == "unix" || s.trusts != nil && s.trusts(conn.PeerAddr(peer.String()))
}
