package server

import (
	"io"
	"net/http"

	"signpost/internal/conn"
)

// http2 returns the limits of HTTP/2 that net/http does not derive from the others.
func (s *Service) http2() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams: 50,
		// A body is read up to autodiscover.MaxBody. These are the smallest values allowed.
		MaxReceiveBufferPerConnection: 64 << 10,
		MaxReceiveBufferPerStream:     64 << 10,
		MaxReadFrameSize:              16 << 10,
		WriteByteTimeout:              s.Timeouts.Write,
		// HTTP/2 ignores ReadHeaderTimeout. Instead, a connection that sends no
		// complete frame for Timeouts.Read is pinged. A client stuck inside a header
		// cannot reply and is closed.
		SendPingTimeout: s.Timeouts.Read,
		PingTimeout:     s.Timeouts.Header,
	}
}

// countRequest adds a request over HTTP/2 and its body to what its connection may send
// ([conn.LimitFrames]). A connection without a limit came from a trusted proxy. If a
// reload has ended that trust, it is closed after the answer.
func (s *Service) countRequest(w http.ResponseWriter, r *http.Request) {
	earn := conn.Earner(r.Context())
	switch {
	case earn == nil:
		if addr := conn.PeerAddr(r.RemoteAddr); addr.IsValid() && (s.Trusts == nil || !s.Trusts(addr)) {
			w.Header().Set("Connection", "close")
		}
	case r.Body != http.NoBody:
		r.Body = countedBody{r.Body, earn}
	}
}

// countedBody is a body whose bytes are counted as they are read.
type countedBody struct {
	io.ReadCloser
	earn func(bytes int)
}

// Read implements io.Reader.
func (b countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.earn(n)
	return n, err
}
