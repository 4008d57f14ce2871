package server

import (
	"net/http"
	"net/netip"
	"sync/atomic"
)

// Live is a handler whose configuration can be changed while it answers. A
// request is answered by the one configuration that was in use when it came.
type Live struct{ current atomic.Pointer[handler] }

// NewLive answers from a first configuration.
func NewLive(o Options) *Live {
	l := new(Live)
	l.Use(o)
	return l
}

// Use answers all requests that come from now on from another configuration.
// What shall go on counting, Metrics and Limiter, must be the same.
func (l *Live) Use(o Options) { l.current.Store(newHandler(o)) }

// ServeHTTP implements http.Handler.
func (l *Live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.current.Load().ServeHTTP(w, r)
}

// Trusts reports whether the address is a proxy's in the configuration in use.
func (l *Live) Trusts(addr netip.Addr) bool {
	return l.current.Load().Proxies.trusts(addr)
}
