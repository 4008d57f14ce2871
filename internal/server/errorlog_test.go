package server_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"signpost/internal/server"
)

// exhausted has no connection to give, as a system that has no more files.
type exhausted struct {
	net.Listener
	asked atomic.Int64
}

func (l *exhausted) Accept() (net.Conn, error) {
	if l.asked.Add(1) < 4 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

// TestNoMoreFiles: the log says it, and once for all of the second.
func TestNoMoreFiles(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := new(lockedBuffer)
	serveUntilDone(t, &server.Service{Handler: echoing, Timeouts: server.DefaultTimeouts, Log: textLog(log)}, &exhausted{Listener: inner})
	if got := send(t, inner.Addr().String(), hostile{request: get("/", "domain.se")}); got.status != 200 {
		t.Errorf("got %d", got.status)
	}
	if text := log.String(); !strings.Contains(text, `level=WARN msg="connections cannot be taken" error="accept tcp: too many open files" hint=`) {
		t.Errorf("the log says\n%s", text)
	}
}

// TestPanicOutsideADialect: what panics before a request has come to its dialect
// is told, without the client's address.
func TestPanicOutsideADialect(t *testing.T) {
	log := new(lockedBuffer)
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(errors.New("a fault: of ours")) })
	address := start(t, &server.Service{Handler: handler, Log: textLog(log)})
	send(t, address, hostile{request: get("/", "domain.se")})
	for end := time.Now().Add(30 * time.Second); !strings.Contains(log.String(), "panicked"); {
		if time.Now().After(end) {
			t.Fatalf("the log says\n%s", log)
		}
		time.Sleep(time.Millisecond)
	}
	if text := log.String(); !strings.Contains(text, `msg="a request panicked" fault="a fault: of ours" stack="goroutine`) || strings.Contains(text, "127.0.0.1") {
		t.Errorf("the log says\n%s", text)
	}
}

// TestAdminHost: a page in a browser cannot reach the operator's listener under a
// name of its own.
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
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.ParseIP(row.listen), Port: 9480}))
		w := httptest.NewRecorder()
		if admin.Handler().ServeHTTP(w, r); w.Code != row.status {
			t.Errorf("%s at %s: got %d, want %d", row.host, row.listen, w.Code, row.status)
		}
	}
	w := httptest.NewRecorder()
	if admin.Handler().ServeHTTP(w, request("GET", "signpost.example", "/healthz", "")); w.Code != 200 {
		t.Errorf("on a Unix socket: got %d", w.Code)
	}
}
