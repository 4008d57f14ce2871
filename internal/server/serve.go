package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"signpost/internal/conn"
)

const (
	maxHeader = 16 << 10
	// linger is how long idle connections stay open at the end, for requests that are
	// on their way. It begins again with each such request, but ends after maxLinger or
	// half of Timeouts.Stop: the rest belongs to the requests in flight.
	linger    = time.Second
	maxLinger = 3 * time.Second
)

// Service is an HTTP server with its limits.
type Service struct {
	Handler  http.Handler
	Admin    http.Handler // of the admin listener
	TLS      *tls.Config  // of the HTTPS listeners
	Timeouts conn.Timeouts
	// Connections limits the open connections of each listener, and PerAddress those
	// of an address block that Trusts does not accept, over all listeners; 0 is no
	// limit.
	Connections, PerAddress int
	// Rate returns the rate of requests of an address. It may open twice as many
	// connections; nil is no limit. Counts counts them.
	Rate   func() Rate
	Counts *Limiter
	// Trusts reports whether an address is a trusted proxy's; nil trusts nobody.
	Trusts func(netip.Addr) bool
	// Ordering reports whether handshakes wait for certificates that are being ordered; nil if
	// there are never any.
	Ordering func() bool
	// ProxyProtocol is set if trusted proxies begin with PROXY protocol.
	ProxyProtocol bool
	Log           *slog.Logger
	Metrics       *Metrics // nil discards them

	refused, flooded throttle // connections
}

// Serve serves the listeners until ctx is done, and for Timeouts.Drain after that. Then it
// accepts no new connections, lets the requests in flight finish, and returns nil.
func (s *Service) Serve(ctx context.Context, l *conn.Listeners) error {
	if s.Metrics == nil {
		s.Metrics = NewMetrics("", "")
	}
	conns := newConnections(s.Metrics)
	var stopping atomic.Bool
	handler := closeAfterHidden(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stopping.Load() {
			// The connection is closed with this answer, so that the client sends
			// no later request on it that would be lost.
			w.Header().Set("Connection", "close")
			notify(conns.requested)
		}
		if r.ProtoMajor == 2 {
			s.countRequest(w, r)
		}
		s.Handler.ServeHTTP(w, r)
	}))
	public, proxied := s.httpServer(handler), s.httpServer(handler)
	for _, server := range []*http.Server{public, proxied} {
		server.ConnState, server.ConnContext = conns.track, conn.WithConn
	}
	public.TLSConfig = s.TLS
	proxied.Protocols = unencryptedHTTP2()
	admin := s.httpServer(closeAfterHidden(s.Admin))
	admin.WriteTimeout = 5 * time.Minute // a CPU profile takes long

	failed := make(chan error, len(l.HTTP)+len(l.HTTPS)+len(l.Admin)+1)
	serving := 0
	serve := func(listeners []net.Listener, serve func(net.Listener) error) {
		for _, listener := range listeners {
			serving++
			go func() { failed <- serve(listener) }()
		}
	}
	limiter := s.limiter()
	plain, secure := s.wrap(l.HTTP, limiter), s.wrap(l.HTTPS, limiter)
	if !s.ProxyProtocol { // which says later who the client is
		ofProxies := newHandover()
		for i := range plain {
			plain[i] = separate{plain[i], s.Trusts, ofProxies}
		}
		serve([]net.Listener{ofProxies}, proxied.Serve)
		defer ofProxies.Close()
	}
	serve(plain, public.Serve)
	serve(secure, func(l net.Listener) error { return public.ServeTLS(l, "", "") })
	serve(l.Admin, admin.Serve)
	var err error
	select {
	case err = <-failed:
		serving--
	case <-ctx.Done():
		if err = s.drain(failed); err != nil {
			serving--
		}
	}
	stopping.Store(true)
	for _, listener := range slices.Concat(plain, secure) {
		listener.Close()
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Timeouts.Stop)
	defer cancel()
	awaitRequests := func() {
		ctx, cancel := context.WithTimeout(end, min(maxLinger, s.Timeouts.Stop/2))
		defer cancel()
		conns.wait(ctx, linger)
	}
	awaitRequests()
	if s.awaitOrders(end) {
		awaitRequests() // of the clients that have their certificate now
	}
	var group sync.WaitGroup
	var late atomic.Bool
	for _, server := range []*http.Server{public, proxied} {
		group.Go(func() {
			// Shutdown may also return that the listeners are closed already, which is no error.
			if errors.Is(server.Shutdown(end), context.DeadlineExceeded) {
				late.Store(true)
				server.Close()
			}
		})
	}
	group.Wait()
	if late.Load() {
		err = errors.Join(err, errors.New("requests in flight took too long and were cut off"))
	}
	admin.Close()
	for range serving {
		<-failed
	}
	return err
}

// awaitOrders waits until no handshake waits for a certificate that is being ordered, or ctx is
// done, and reports whether one did. Shutdown would close a connection that has sent no request
// for five seconds, and the order would have to be placed again by whoever is asked next.
func (s *Service) awaitOrders(ctx context.Context) (waited bool) {
	for s.Ordering != nil && s.Ordering() {
		waited = true
		select {
		case <-ctx.Done():
			return waited
		case <-time.After(20 * time.Millisecond):
		}
	}
	return waited
}

// drain goes on serving until load balancers have noticed that the service is not ready.
func (s *Service) drain(failed <-chan error) error {
	if s.Timeouts.Drain > 0 {
		s.Log.Info("stopping, not ready any more", "for", s.Timeouts.Drain)
		select {
		case err := <-failed:
			return err
		case <-time.After(s.Timeouts.Drain):
		}
	}
	s.Log.Info("stopping, finishing requests in flight")
	return nil
}

// wrap puts PROXY protocol and the limits before listeners.
func (s *Service) wrap(listeners []net.Listener, limiter *conn.Limiter) []net.Listener {
	wrapped := make([]net.Listener, len(listeners))
	for i, l := range listeners {
		if s.ProxyProtocol && s.Trusts != nil {
			l = conn.ProxyProtocol(l, s.Trusts, s.Timeouts.Header)
		}
		wrapped[i] = limiter.Listener(l)
	}
	return wrapped
}

func (s *Service) limiter() *conn.Limiter {
	return &conn.Limiter{
		Connections: s.Connections,
		PerAddress:  s.PerAddress,
		Exempt:      s.Trusts,
		Allow:       s.mayConnect,
		Refused:     s.connectionRefused,
		Evicted:     s.Metrics.closedForRoom.Inc,
		Flooded:     s.connectionFlooded,
	}
}

// mayConnect counts a new connection of an address, and reports whether it may have it. A
// TLS handshake takes half a millisecond of processor time, and a client that hangs up
// then sends no request that would be counted. Twice the rate of requests is enough for
// one on each connection, so that a client with too many of both is told 429.
func (s *Service) mayConnect(addr netip.Addr) bool {
	if s.Rate == nil {
		return true
	}
	rate := s.Rate()
	return s.Counts.Allow(addr, Rate{rate.interval / 2, rate.burst})
}

// connectionRefused counts and logs a connection that was closed because its address
// has, or opens, too many. Operators want to know whom to block, or that a limit is too low.
func (s *Service) connectionRefused(addr netip.Addr) {
	s.Metrics.closedForAddress.Inc()
	s.refused.inBackground(func(connections int64) {
		s.Log.Warn("too many connections", "connections", connections, "block", conn.BlockName(addr))
	})
}

// connectionFlooded counts and logs a connection that was closed because its client sent
// far more than its requests need.
func (s *Service) connectionFlooded(addr netip.Addr) {
	s.Metrics.closedForFlood.Inc()
	s.flooded.inBackground(func(connections int64) {
		s.Log.Warn("flood of HTTP/2 frames", "connections", connections, "block", conn.BlockName(addr))
	})
}

func (s *Service) httpServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: s.Timeouts.Header,
		ReadTimeout:       s.Timeouts.Read,
		WriteTimeout:      s.Timeouts.Write,
		IdleTimeout:       s.Timeouts.Idle,
		// net/http adds 4 KiB to this.
		MaxHeaderBytes: maxHeader - 4<<10,
		HTTP2:          s.http2(),
		ErrorLog:       log.New(&errorLog{log: s.Log}, "", 0),
	}
}
