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
	"sync/atomic"
	"time"
)

// Timeouts are how long a client may take. A mail client sends its request in
// one packet; who needs longer is on a very bad line, or is holding the
// connection on purpose.
type Timeouts struct {
	Header time.Duration // of a request
	Read   time.Duration // header and body
	Write  time.Duration // the answer
	Idle   time.Duration // between two requests
	Stop   time.Duration // requests in flight are waited for at the end
}

// DefaultTimeouts are for whoever has no configuration.
var DefaultTimeouts = Timeouts{5 * time.Second, 10 * time.Second, 30 * time.Second, 60 * time.Second, 10 * time.Second}

const (
	maxHeader = 16 << 10
	// linger is how long idle connections are kept at the end, for the requests
	// that are under way on them; longer while such requests come, but no longer
	// than maxLinger or half of the time there is: the rest belongs to the requests
	// in flight.
	linger    = time.Second
	maxLinger = 3 * time.Second
)

// Service is what is served, and how.
type Service struct {
	Handler  http.Handler
	Admin    http.Handler
	TLS      *tls.Config // of the HTTPS listeners
	Timeouts Timeouts
	// Connections may be open at a time at each listener, and at all of them
	// together PerAddress from one address block that Trusts does not know; 0 is
	// no limit.
	Connections, PerAddress int
	Trusts                  func(netip.Addr) bool
	// ProxyProtocol reports whether a peer must begin with PROXY protocol; nil:
	// nobody may.
	ProxyProtocol func(netip.Addr) bool
	Log           *slog.Logger
	Metrics       *Metrics
}

// Serve answers connections to the listeners until ctx is done; then it takes
// no new ones, lets the requests in flight finish and returns nil.
func (s *Service) Serve(ctx context.Context, l *Listeners) error {
	if s.Metrics == nil {
		s.Metrics = NewMetrics("", "")
	}
	conns := newConnections(s.Metrics)
	var stopping atomic.Bool
	public := s.server(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stopping.Load() {
			// The client shall not ask again here, and a connection that is
			// closed after its answer loses no request.
			w.Header()["Connection"] = closing
			tell(conns.asked)
		}
		s.Handler.ServeHTTP(w, r)
	}))
	public.TLSConfig = s.TLS
	public.ConnState = conns.note
	public.ConnContext = withExchange
	admin := s.server(s.Admin)
	admin.WriteTimeout = 5 * time.Minute // a profile takes its time

	failed := make(chan error, len(l.HTTP)+len(l.HTTPS)+len(l.Admin))
	serving := 0
	serve := func(serve func() error) {
		serving++
		go func() { failed <- serve() }()
	}
	places := &crowd{most: s.PerAddress, trusts: s.Trusts, log: s.Log, metrics: s.Metrics, blocks: map[uint64]int{}}
	var open []net.Listener
	for _, listener := range l.HTTP {
		listener := s.prepared(listener, places)
		open = append(open, listener)
		serve(func() error { return public.Serve(listener) })
	}
	for _, listener := range l.HTTPS {
		listener := s.prepared(listener, places)
		open = append(open, listener)
		serve(func() error { return public.ServeTLS(listener, "", "") })
	}
	for _, listener := range l.Admin {
		serve(func() error { return admin.Serve(listener) })
	}
	var err error
	select {
	case err = <-failed:
		serving--
	case <-ctx.Done():
	}
	if err == nil {
		s.Log.Info("stopping, requests in flight are finished first")
	}
	stopping.Store(true)
	for _, listener := range open {
		listener.Close()
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Timeouts.Stop)
	defer cancel()
	lingered, enough := context.WithTimeout(end, min(maxLinger, s.Timeouts.Stop/2))
	conns.wait(lingered, linger)
	enough()
	// It may also complain that the listeners are closed already.
	if late := public.Shutdown(end); errors.Is(late, context.DeadlineExceeded) {
		err = errors.Join(err, errors.New("requests in flight took too long and were cut off"), public.Close())
	}
	admin.Close()
	for range serving {
		<-failed
	}
	return err
}

var closing = []string{"close"}

// prepared adds to a listener what a connection passes through first.
func (s *Service) prepared(l net.Listener, places *crowd) net.Listener {
	l = lazyListener{l}
	if s.ProxyProtocol != nil {
		l = proxied(l, s.ProxyProtocol, s.Timeouts.Header)
	}
	return newSeated(l, s.Connections, places)
}

func (s *Service) server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: s.Timeouts.Header,
		ReadTimeout:       s.Timeouts.Read,
		WriteTimeout:      s.Timeouts.Write,
		IdleTimeout:       s.Timeouts.Idle,
		// net/http adds 4 KiB of its own to the limit.
		MaxHeaderBytes: maxHeader - 4<<10,
		HTTP2:          s.http2(),
		ErrorLog:       log.New(&errorLog{log: s.Log}, "", 0),
	}
}

// http2 are the limits of HTTP/2 that net/http does not take from those above.
func (s *Service) http2() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams: 50,
		// Of a body, autodiscover.MaxBody is read. These are the least that there can be.
		MaxReceiveBufferPerConnection: 64 << 10,
		MaxReceiveBufferPerStream:     64 << 10,
		MaxReadFrameSize:              16 << 10,
		WriteByteTimeout:              s.Timeouts.Write,
		// ReadHeaderTimeout does not reach the header of a request here. Who is in
		// the middle of one has sent no whole frame for Read when this asks him
		// whether he lives, to which he cannot answer in the middle of a header,
		// and is closed.
		SendPingTimeout: s.Timeouts.Read,
		PingTimeout:     s.Timeouts.Header,
	}
}
