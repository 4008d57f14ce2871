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
	"syscall"
	"testing"
	"time"

	"signpost/internal/server"
)

// kept is a connection that a client keeps.
type kept struct {
	net.Conn
	in *bufio.Reader
}

// from connects from an address of this machine.
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

// ask sends a request that does not end the connection. It returns the status, 0
// where the connection was closed instead.
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

// closed waits until the service has closed the connection.
func (k kept) closed(t testing.TB) {
	t.Helper()
	if _, err := k.in.ReadByte(); err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection is not closed: %v", err)
	}
}

// placeAgain connects until a connection is answered: the service learns a moment
// later that another has ended.
func placeAgain(t testing.TB, connect func() kept) {
	t.Helper()
	for range 300 {
		if connect().ask(t) == 200 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("the place of a connection that has ended is not given again")
}

// counted is the value of a series.
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
	t.Fatalf("there is no %s", series)
	return 0
}

const (
	closedForAddress = `signpost_connections_closed_total{reason="address"}`
	closedForRoom    = `signpost_connections_closed_total{reason="room"}`
)

// patient keeps connections for as long as a test can take.
var patient = server.Timeouts{Header: time.Minute, Read: time.Minute, Write: time.Minute, Idle: time.Minute, Stop: 30 * time.Second}

// TestOneAddressCannotTakeAll holds as many connections from one address as it
// gets, without a word, and asks from another.
func TestOneAddressCannotTakeAll(t *testing.T) {
	log := new(lockedBuffer)
	s := &server.Service{Handler: echoing, Connections: 10, PerAddress: 4, Timeouts: patient, Metrics: server.NewMetrics("", ""), Log: textLog(log)}
	address := start(t, s)
	var silent []kept
	for range 10 {
		silent = append(silent, from(t, "127.0.0.1", address))
	}
	if got := from(t, "127.0.0.2", address).ask(t); got != 200 {
		t.Errorf("the other address is answered %d", got)
	}
	for _, conn := range silent[4:] {
		conn.closed(t)
	}
	for i, conn := range silent[:4] {
		if got := conn.ask(t); got != 200 {
			t.Errorf("connection %d is answered %d", i, got)
		}
	}
	if got := counted(t, s.Metrics, closedForAddress); got != 6 {
		t.Errorf("%d closed connections are counted", got)
	}
	if !strings.Contains(log.String(), `msg="too many connections"`) || !strings.Contains(log.String(), "block=127.0.0.1/32") {
		t.Errorf("the log says\n%s", log)
	}
	// A place that was given back can be had again.
	silent[0].Close()
	placeAgain(t, func() kept { return from(t, "127.0.0.1", address) })
}

// TestIdleMakesRoom: when all places are taken, who is idle goes.
func TestIdleMakesRoom(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			s := &server.Service{Handler: echoing, Connections: 5, Timeouts: patient, Metrics: server.NewMetrics("", "")}
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
					t.Fatalf("connection %d is answered %d", i, got)
				}
			}
			for i := range 3 {
				if got := connect().ask(t); got != 200 {
					t.Errorf("newcomer %d is answered %d", i, got)
				}
			}
			if got := counted(t, s.Metrics, closedForRoom); got != 3 {
				t.Errorf("%d closed connections are counted", got)
			}
		})
	}
}

// TestWhoWaitsGetsTheFirstIdle: nobody is idle when somebody comes, and one is
// later.
func TestWhoWaitsGetsTheFirstIdle(t *testing.T) {
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
		t.Errorf("the first is answered %d", got)
	}
	<-begun
	finish <- struct{}{}
	if got := <-answered; got != 200 {
		t.Errorf("the second is answered %d", got)
	}
	first.closed(t)
}

// TestWhoseConnectionsAreNotCounted: trusted proxies and Unix sockets have many
// clients.
func TestWhoseConnectionsAreNotCounted(t *testing.T) {
	s := &server.Service{Handler: echoing, PerAddress: 1, Timeouts: patient, Trusts: netip.MustParsePrefix("127.0.0.3/32").Contains}
	address := start(t, s)
	for i := range 5 {
		if got := from(t, "127.0.0.3", address).ask(t); got != 200 {
			t.Errorf("connection %d of the proxy is answered %d", i, got)
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
			t.Errorf("connection %d of the socket is answered %d", i, got)
		}
	}
}

// TestClientsBehindPROXY: who is counted is the client that the proxy names.
func TestClientsBehindPROXY(t *testing.T) {
	all := netip.MustParsePrefix("127.0.0.0/8").Contains
	s := &server.Service{Handler: echoing, PerAddress: 2, Timeouts: patient, ProxyProtocol: all, Trusts: all, Metrics: server.NewMetrics("", "")}
	address := start(t, s)
	behind := func(header string) kept {
		conn := from(t, "127.0.0.1", address)
		io.WriteString(conn, header)
		return conn
	}
	one, other, local := proxyHeader(t, 2, "192.0.2.1:1"), proxyHeader(t, 2, "192.0.2.2:1"), localHeader(t)
	// A connection counts from the moment its header has been read, and only who
	// is answered knows that it has: the next one comes after that.
	var first kept
	for i, row := range []struct {
		header string
		want   int
	}{{one, 200}, {one, 200}, {one, 0}, {other, 200}, {local, 200}, {local, 200}, {local, 200}} {
		conn := behind(row.header)
		if got := conn.ask(t); got != row.want {
			t.Errorf("connection %d is answered %d, want %d", i, got, row.want)
		}
		if i == 0 {
			first = conn
		}
	}
	if got := counted(t, s.Metrics, closedForAddress); got != 1 {
		t.Errorf("%d closed connections are counted", got)
	}
	first.Close()
	placeAgain(t, func() kept { return behind(one) })
}

// TestTooManyCloses: who asks too often does not keep the connection either, as
// a proxy does for its other clients.
func TestTooManyCloses(t *testing.T) {
	o, err := newOptions(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.Rate = server.RateOf(1, 1)
	o.Proxies.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	handler := server.Handler(o)
	for _, row := range []struct{ peer, client, want string }{{"192.0.2.1:1", "", "close"}, {"127.0.0.1:1", "192.0.2.2", ""}} {
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
				t.Errorf("%s: got %d, Connection %q, want %d %q", row.peer, w.Code, got, status, want)
			}
		}
	}
}

// TestStopWhileSomebodyWaits: who has come and has no place yet does not keep the
// service from ending.
func TestStopWhileSomebodyWaits(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	begun, finish := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(begun); <-finish })
	stop := serveUntilDone(t, &server.Service{Handler: handler, Connections: 1, Timeouts: patient, Log: discardLog}, listener)
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
		t.Errorf("the request in flight is answered %d", got)
	}
	<-stopped
}
