package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"signpost/internal/conn"
	"signpost/internal/server"
)

// kept is a connection that a client keeps open.
type kept struct {
	net.Conn
	in *bufio.Reader
}

// from connects from source, an address of this machine.
func from(t testing.TB, source, address string) kept {
	t.Helper()
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}).Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	return kept{conn, bufio.NewReader(conn)}
}

// ask sends a request and keeps the connection. It returns the status, or 0 if the
// connection was closed instead.
func (k kept) ask(t testing.TB) int {
	t.Helper()
	if _, err := io.WriteString(k, "GET / HTTP/1.1\r\nHost: domain.se\r\n\r\n"); err != nil {
		return 0
	}
	response, err := http.ReadResponse(k.in, nil)
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
			return 0
		}
		t.Fatal(err)
	}
	io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// closed waits until the service closes the connection.
func (k kept) closed(t testing.TB) {
	t.Helper()
	if _, err := k.in.ReadByte(); err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reading from the connection: %v, want that the service closes it", err)
	}
}

// askUntilServed connects until a connection is served: the service notices with some
// delay that another one was closed.
func askUntilServed(t testing.TB, connect func() kept) {
	t.Helper()
	for range 300 {
		if connect().ask(t) == 200 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("no new connection is served after another was closed")
}

// counted returns the value of a metric.
func counted(t testing.TB, m *server.Metrics, series string) (value int) {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			fmt.Sscan(rest, &value)
			return value
		}
	}
	t.Fatalf("the metrics lack %s", series)
	return 0
}

const (
	closedForAddress = `signpost_connections_closed_total{reason="address"}`
	closedForRoom    = `signpost_connections_closed_total{reason="room"}`
)

// patient keeps connections open for longer than any test runs.
var patient = conn.Timeouts{Header: time.Minute, Read: time.Minute, Write: time.Minute, Idle: time.Minute,
	Stop: 30 * time.Second}

// TestOneAddressCannotTakeAll opens as many connections from one address as it gets,
// sends nothing, and asks from another address.
func TestOneAddressCannotTakeAll(t *testing.T) {
	log := new(lockedBuffer)
	s := &server.Service{Handler: echoing, Connections: 10, PerAddress: 4, Timeouts: patient,
		Metrics: server.NewMetrics("", ""), Log: textLog(log)}
	address := start(t, s)
	var silent []kept
	for range 10 {
		silent = append(silent, from(t, "127.0.0.1", address))
	}
	if got := from(t, "127.0.0.2", address).ask(t); got != 200 {
		t.Errorf("the other address got status %d, want 200", got)
	}
	for _, conn := range silent[4:] {
		conn.closed(t)
	}
	for i, conn := range silent[:4] {
		if got := conn.ask(t); got != 200 {
			t.Errorf("connection %d, which is within the limit, got status %d, want 200", i, got)
		}
	}
	if got := counted(t, s.Metrics, closedForAddress); got != 6 {
		t.Errorf("%s = %d, want 6", closedForAddress, got)
	}
	log.waitFor(t, `level=WARN msg="too many connections" connections=`)
	log.waitFor(t, "block=127.0.0.1/32")
	// A connection that is closed makes room for another.
	silent[0].Close()
	askUntilServed(t, func() kept { return from(t, "127.0.0.1", address) })
}

// TestIdleMakesRoom checks that when the limit is reached, idle connections are
// closed for new ones. Otherwise a few addresses could keep everybody out: each asks
// once on each of its connections, and again shortly before Timeouts.Idle.
func TestIdleMakesRoom(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			s := &server.Service{Handler: echoing, Connections: 5, Timeouts: patient,
				Metrics: server.NewMetrics("", "")}
			var address string
			if secure {
				address = startTLS(t, s)
			} else {
				address = start(t, s)
			}
			connect := func() kept {
				conn := from(t, "127.0.0.1", address)
				if secure {
					return overTLS(t, conn)
				}
				return conn
			}
			for i := range 5 {
				if got := connect().ask(t); got != 200 {
					t.Fatalf("connection %d got status %d, want 200", i, got)
				}
			}
			for i := range 3 {
				if got := connect().ask(t); got != 200 {
					t.Errorf("new connection %d got status %d, want 200", i, got)
				}
			}
			if got := counted(t, s.Metrics, closedForRoom); got != 3 {
				t.Errorf("%s = %d, want 3", closedForRoom, got)
			}
		})
	}
}

// TestIdleConnectionsOfAFewAddresses fills a listener with 2,000 idle connections from
// four addresses, and asks from others.
func TestIdleConnectionsOfAFewAddresses(t *testing.T) {
	const limit, sources = 2000, 4
	s := &server.Service{Handler: echoing, Connections: limit, PerAddress: limit / sources, Timeouts: patient}
	address := start(t, s)
	var group sync.WaitGroup
	for source := range sources {
		group.Go(func() {
			for range limit / sources {
				if got := from(t, fmt.Sprintf("127.0.0.%d", source+1), address).ask(t); got != 200 {
					t.Errorf("a connection within the limits got status %d, want 200", got)
				}
			}
		})
	}
	group.Wait()
	for i := range 20 {
		if got := from(t, fmt.Sprintf("127.0.1.%d", i+1), address).ask(t); got != 200 {
			t.Errorf("address %d got status %d beside the idle connections, want 200", i, got)
		}
	}
}

// TestWaitingForAnIdleConnection checks that a new connection that finds none idle is
// served when one becomes so.
func TestWaitingForAnIdleConnection(t *testing.T) {
	begun, finish := make(chan struct{}, 10), make(chan struct{})
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		begun <- struct{}{}
		<-finish
	})
	address := start(t, &server.Service{Handler: handler, Connections: 1, Timeouts: patient})
	first, second := from(t, "127.0.0.1", address), from(t, "127.0.0.2", address)
	answered := make(chan int, 2)
	go func() { answered <- first.ask(t) }()
	<-begun
	go func() { answered <- second.ask(t) }()
	finish <- struct{}{}
	if got := <-answered; got != 200 {
		t.Errorf("the first connection got status %d, want 200", got)
	}
	<-begun
	finish <- struct{}{}
	if got := <-answered; got != 200 {
		t.Errorf("the second connection got status %d, want 200", got)
	}
	first.closed(t)
}

// TestSharedPeersAreNotLimited checks that trusted proxies and Unix sockets,
// which stand for many clients, are not limited.
func TestSharedPeersAreNotLimited(t *testing.T) {
	s := &server.Service{Handler: echoing, PerAddress: 1, Timeouts: patient,
		Trusts: netip.MustParsePrefix("127.0.0.3/32").Contains}
	address := start(t, s)
	for i := range 5 {
		if got := from(t, "127.0.0.3", address).ask(t); got != 200 {
			t.Errorf("connection %d of the proxy got status %d, want 200", i, got)
		}
	}
	from(t, "127.0.0.1", address).ask(t)
	from(t, "127.0.0.1", address).closed(t)

	path := filepath.Join(t.TempDir(), "http.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	serveUntilDone(t, &server.Service{Handler: echoing, PerAddress: 1, Timeouts: patient, Log: discardLog}, listener)
	for i := range 5 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if got := (kept{conn, bufio.NewReader(conn)}).ask(t); got != 200 {
			t.Errorf("connection %d over the socket got status %d, want 200", i, got)
		}
	}
}

// TestClientsBehindPROXY checks that the limit applies to the client that the
// proxy names.
func TestClientsBehindPROXY(t *testing.T) {
	all := netip.MustParsePrefix("127.0.0.0/8").Contains
	s := &server.Service{Handler: echoing, PerAddress: 2, Timeouts: patient, ProxyProtocol: true, Trusts: all,
		Metrics: server.NewMetrics("", "")}
	address := start(t, s)
	behind := func(header string) kept {
		conn := from(t, "127.0.0.1", address)
		io.WriteString(conn, header)
		return conn
	}
	one, other, local := proxyHeader(t, 2, "192.0.2.1:1"), proxyHeader(t, 2, "192.0.2.2:1"), localHeader(t)
	// A connection counts once its header has been read, which its answer shows. So
	// each row waits for that before the next.
	var first kept
	for i, row := range []struct {
		header string
		want   int
	}{{one, 200}, {one, 200}, {one, 0}, {other, 200}, {local, 200}, {local, 200}, {local, 200}} {
		conn := behind(row.header)
		if got := conn.ask(t); got != row.want {
			t.Errorf("connection %d got status %d, want %d", i, got, row.want)
		}
		if i == 0 {
			first = conn
		}
	}
	if got := counted(t, s.Metrics, closedForAddress); got != 1 {
		t.Errorf("%s = %d, want 1", closedForAddress, got)
	}
	first.Close()
	askUntilServed(t, func() kept { return behind(one) })
}

// TestTooManyCloses checks that a client that sends too many requests loses its
// connection, and that a proxy keeps it for its other clients.
func TestTooManyCloses(t *testing.T) {
	o := newOptions(t, io.Discard)
	o.Rate = server.RateOf(1, 1)
	o.Proxies.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	handler := server.Handler(o)
	for _, row := range []struct{ peer, client, want string }{{"192.0.2.1:1", "", "close"},
		{"127.0.0.1:1", "192.0.2.2", ""}} {
		for _, status := range []int{404, 429} {
			r := request("GET", "nowhere.example", "/", "")
			r.RemoteAddr = row.peer
			if row.client != "" {
				r.Header.Set("X-Forwarded-For", row.client)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			want := ""
			if status == 429 {
				want = row.want
			}
			if got := w.Header().Get("Connection"); w.Code != status || got != want {
				t.Errorf("%s: got status %d with Connection %q, want %d with %q", row.peer, w.Code, got, status, want)
			}
		}
	}
}

// TestStopWhileConnectionsWait checks that a connection that waits for the limit does
// not keep the service from stopping.
func TestStopWhileConnectionsWait(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	begun, finish := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(begun); <-finish })
	stop := serveUntilDone(t, &server.Service{Handler: handler, Connections: 1, Timeouts: patient,
		Log: discardLog}, listener)
	first := from(t, "127.0.0.1", listener.Addr().String())
	answered := make(chan int, 1)
	go func() { answered <- first.ask(t) }()
	<-begun
	second := from(t, "127.0.0.1", listener.Addr().String())
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	second.closed(t)
	close(finish)
	if got := <-answered; got != 200 {
		t.Errorf("the request in flight got status %d, want 200", got)
	}
	<-stopped
}
