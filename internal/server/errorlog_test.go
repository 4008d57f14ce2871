package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"signpost/internal/conn"
	"signpost/internal/server"
)

// exhaustedListener fails three times, as on a system that has no more files.
type exhaustedListener struct {
	net.Listener
	accepts atomic.Int64
}

func (l *exhaustedListener) Accept() (net.Conn, error) {
	if l.accepts.Add(1) < 4 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

// TestNoMoreFiles checks that failures to accept are logged with a hint, once a second.
func TestNoMoreFiles(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := new(lockedBuffer)
	s := &server.Service{Handler: echoing, Timeouts: conn.DefaultTimeouts, Log: textLog(log)}
	serveUntilDone(t, s, &exhaustedListener{Listener: inner})
	if got := send(t, inner.Addr().String(), hostile{request: get("/", "domain.se")}); got.status != 200 {
		t.Errorf("after the failures, a request got status %d, want 200", got.status)
	}
	log.waitFor(t, `level=WARN msg="accept failed" error="accept tcp: too many open files" hint=`)
}

// TestPanicOutsideADialect checks that a panic in a handler around the dialects is
// logged without the client's address, and without a local part in any of its lines.
func TestPanicOutsideADialect(t *testing.T) {
	log := new(lockedBuffer)
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(errors.New("a fault: of ours\nfor anna@domain.se"))
	})
	address := start(t, &server.Service{Handler: handler, Log: textLog(log)})
	send(t, address, hostile{request: get("/", "domain.se")})
	log.waitFor(t, `msg="request panicked" fault="a fault: of ours\nfor …@domain.se" stack="goroutine`)
	if text := log.String(); strings.Contains(text, "127.0.0.1") {
		t.Errorf("the log has the client's address:\n%s", text)
	}
}

// blockedLog is a log whose lines are never written while hold is locked.
type blockedLog struct {
	slog.Handler
	begun chan struct{}
	hold  sync.Mutex
}

func (b *blockedLog) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "too many connections" || r.Message == "accept failed" {
		b.begun <- struct{}{}
		b.hold.Lock()
		defer b.hold.Unlock()
	}
	return nil
}

func (b *blockedLog) Enabled(context.Context, slog.Level) bool { return true }

// TestBlockedLog checks that a log that blocks stops neither accepting nor closing
// connections.
func TestBlockedLog(t *testing.T) {
	log := &blockedLog{Handler: slog.DiscardHandler, begun: make(chan struct{}, 100)}
	log.hold.Lock()
	s := &server.Service{Handler: echoing, PerAddress: 1, Timeouts: patient, Log: slog.New(log)}
	address := start(t, s)
	t.Cleanup(log.hold.Unlock) // before the service is stopped
	first := from(t, "127.0.0.1", address)
	if got := first.ask(t); got != 200 {
		t.Fatalf("the first connection of its address got status %d, want 200", got)
	}
	from(t, "127.0.0.1", address).closed(t)
	<-log.begun
	for i := range 3 {
		from(t, "127.0.0.1", address).closed(t)
		if got := from(t, fmt.Sprintf("127.0.0.%d", i+2), address).ask(t); got != 200 {
			t.Errorf("while the log blocks, address %d got status %d, want 200", i, got)
		}
	}
	first.Close()
	askUntilServed(t, func() kept { return from(t, "127.0.0.1", address) })
}

// TestAdminHost checks that a page in a browser cannot reach the admin listener
// under a name of its own (DNS rebinding).
func TestAdminHost(t *testing.T) {
	admin := server.Admin{Metrics: server.NewMetrics("", ""), Ready: func() error { return nil }}
	for _, row := range []struct {
		listen, host string
		status       int
	}{
		{"127.0.0.1", "127.0.0.1:9480", 200},
		{"127.0.0.1", "localhost:9480", 200},
		{"127.0.0.1", "LOCALHOST", 200},
		{"127.0.0.1", "signpost.localhost:9480", 200},
		{"127.0.0.1", "[::1]:9480", 200},
		{"127.0.0.1", "admin", 200},
		{"127.0.0.1", "rebound.evil.example:9480", 403},
		{"127.0.0.1", "127.0.0.1.evil.example", 403},
		{"127.0.0.1", "localhost.", 403},
		{"10.0.0.1", "signpost.internal.example:9480", 200},
	} {
		r := request("GET", row.host, "/healthz", "")
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey,
			&net.TCPAddr{IP: net.ParseIP(row.listen), Port: 9480}))
		w := httptest.NewRecorder()
		if admin.Handler().ServeHTTP(w, r); w.Code != row.status {
			t.Errorf("Host %s at %s: got status %d, want %d", row.host, row.listen, w.Code, row.status)
		}
	}
	w := httptest.NewRecorder()
	if admin.Handler().ServeHTTP(w, request("GET", "signpost.example", "/healthz", "")); w.Code != 200 {
		t.Errorf("over a Unix socket: got status %d, want 200", w.Code)
	}
}
