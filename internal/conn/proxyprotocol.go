package conn

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/pires/go-proxyproto"
)

// ProxyProtocol returns a listener that reads the header of PROXY protocol version 2
// from trusted peers. They must send it: a receiver that guesses would let a client
// of the proxy write one. A header from any other peer is read as HTTP and fails.
func ProxyProtocol(l net.Listener, trusts func(netip.Addr) bool, timeout time.Duration) net.Listener {
	return &proxyproto.Listener{
		Listener:          l,
		ReadHeaderTimeout: timeout,
		ConnPolicy: func(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
			if o.Upstream.Network() == "unix" || trusts(PeerAddr(o.Upstream.String())) {
				return proxyproto.REQUIRE, nil
			}
			return proxyproto.SKIP, nil
		},
		ValidateHeader: validateHeader,
	}
}

// validateHeader rejects a header that names no client: the client would pass for
// the proxy, which is trusted. A proxy that connects on its own behalf, such as for
// a health check, sends LOCAL and needs no address.
func validateHeader(h *proxyproto.Header) error {
	tcp := h.TransportProtocol == proxyproto.TCPv4 || h.TransportProtocol == proxyproto.TCPv6
	switch {
	case h.Version != 2:
		return errors.New("PROXY protocol version 1 is not supported")
	case !h.Command.IsLocal() && !tcp:
		return errors.New("PROXY protocol header names no client")
	}
	return nil
}
