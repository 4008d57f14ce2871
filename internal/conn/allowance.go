package conn

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"
)

// What a client may send over HTTP/2. net/http answers or skips any number of frames
// that ask nothing: SETTINGS, PING, PRIORITY, WINDOW_UPDATE, RST_STREAM, DATA and
// CONTINUATION without content, frames of unknown types, and headers that it refuses
// before a handler sees them. Of these it limits only answers that the client does not
// read (10,000 control frames) and requests that are reset early. A stream of such
// frames takes half a processor on one connection.
//
// So a connection has an allowance of bytes. Each request adds to it, and each byte of a
// body that was read. Bytes are counted below TLS, since nothing above lets a program
// see the frames.
const (
	// firstAllowance is what a connection begins with after its handshake: enough for the
	// largest header of a request. Clients begin with 100 to 300 bytes, and about 500 for
	// their first request. This many bytes of empty frames take the processor time of one
	// to four handshakes, so that a new connection for each of them gains little.
	firstAllowance = 12 << 10
	// perRequest covers the header of a request, cookies included, and the frames that go
	// with it: WINDOW_UPDATE for the answer, PING, RST_STREAM.
	perRequest = 4 << 10
	// mostAllowance is what a connection can have.
	mostAllowance = 32 << 10
	// When the allowance is used up, the connection waits for requests that have arrived
	// to begin, and is given another grace if none has after a while, a few times. Then it
	// is closed. It gets no GOAWAY, which net/http sends only for frames that are not
	// valid.
	grace      = 4 << 10
	graces     = 2
	graceAfter = time.Second
)

// allowance is what a connection may still read.
type allowance struct {
	left   atomic.Int64
	earned chan struct{} // receives when an allowance that was used up has grown
	graces int
}

func newAllowance() *allowance {
	a := &allowance{earned: make(chan struct{}, 1), graces: graces}
	a.left.Store(firstAllowance)
	return a
}

// spend takes n bytes that were read.
func (a *allowance) spend(n int) { a.left.Add(-int64(n)) }

// earn adds n bytes.
func (a *allowance) earn(n int) {
	left := a.left.Load()
	for !a.left.CompareAndSwap(left, min(left+int64(n), mostAllowance)) {
		left = a.left.Load()
	}
	if left < 0 {
		select {
		case a.earned <- struct{}{}:
		default:
		}
	}
}

// wait waits until something is left, and reports whether that is so. One goroutine
// reads a connection and calls it.
func (a *allowance) wait() bool {
	for a.left.Load() < 0 {
		select {
		case <-a.earned:
		case <-time.After(graceAfter):
			if a.graces == 0 {
				return false
			}
			a.graces--
			a.left.Add(grace)
		}
	}
	return true
}

// LimitFrames gives a connection its allowance if the client has chosen HTTP/2 in the
// TLS handshake and is no trusted proxy: one connection of a proxy carries the requests
// of many clients, who have no influence on its other frames. LimitFrames is meant for
// [net/http.Server.ConnState], and must be called before the first frame is read.
func LimitFrames(c net.Conn) {
	secure, ok := c.(*tls.Conn)
	if !ok {
		return
	}
	limited, ok := secure.NetConn().(*limitConn)
	if !ok || limited.looked {
		return
	}
	limited.looked = true
	if secure.ConnectionState().NegotiatedProtocol != "h2" {
		return
	}
	if lim := limited.listener.limiter; lim.Exempt == nil || !lim.Exempt(PeerAddr(c.RemoteAddr().String())) {
		limited.allowance = newAllowance()
	}
}

type connKey struct{}

// WithConn returns a context that holds the connection of its requests. It is meant for
// [net/http.Server.ConnContext].
func WithConn(ctx context.Context, c net.Conn) context.Context {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if limited, ok := c.(*limitConn); ok {
		return context.WithValue(ctx, connKey{}, limited)
	}
	return ctx
}

// Earner returns what adds to the allowance of the connection of a request: the number of
// bytes of its body that have been read. It returns nil for a connection without one. The
// request itself is added by Earner.
func Earner(ctx context.Context) func(bytes int) {
	limited, ok := ctx.Value(connKey{}).(*limitConn)
	if !ok || limited.allowance == nil {
		return nil
	}
	limited.allowance.earn(perRequest)
	return limited.allowance.earn
}
