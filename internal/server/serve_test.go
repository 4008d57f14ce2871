package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"signpost/internal/conn"
	"signpost/internal/server"
)

// serveUntilDone runs s until the test ends or stop is called.
func serveUntilDone(t testing.TB, s *server.Service, listener net.Listener) (stop func()) {
	t.Helper()
	return serveAllUntilDone(t, s, &conn.Listeners{HTTP: []net.Listener{listener}})
}

func serveAllUntilDone(t testing.TB, s *server.Service, l *conn.Listeners) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// keptAlive sends requests over connections that it keeps, until it cannot connect any
// more.
type keptAlive struct {
	address, request string
	scheme           string // of HTTP/2
	tls              bool
	answers          *atomic.Int64
	stopping         *atomic.Bool // set before the service is told to stop
}

// run returns an error for the first response that is not complete.
func (k keptAlive) run(check func(status, body string) error) error {
	for {
		conn, err := net.Dial("tcp", k.address)
		if err != nil {
			return k.unlessOver(err)
		}
		if err := k.ask(conn, check); err != nil {
			return err
		}
	}
}

func (k keptAlive) ask(conn net.Conn, check func(status, body string) error) error {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	if k.tls {
		secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
		if err := secure.Handshake(); err != nil {
			return k.unlessOver(err)
		}
		conn = secure
	}
	in := bufio.NewReader(conn)
	for first := true; ; first = false {
		_, err := io.WriteString(conn, k.request)
		var response *http.Response
		if err == nil {
			response, err = http.ReadResponse(in, nil)
		}
		if err != nil && first {
			return k.unlessOver(err)
		} else if err != nil {
			return fmt.Errorf("a request got no response: %w", err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return fmt.Errorf("a response broke off: %w", err)
		}
		k.answers.Add(1)
		if err := check(response.Status, string(body)); err != nil {
			return err
		}
		if response.Close {
			return nil
		}
	}
}

// unlessOver returns nil if the service is stopping and err says that nothing listens
// any more, or that a connection was reset which the service had not accepted when it
// closed its listener.
func (k keptAlive) unlessOver(err error) error {
	over := errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	if k.stopping.Load() && over {
		return nil
	}
	return fmt.Errorf("a connection failed: %w", err)
}

// byHTTP2 sends requests by HTTP/2, many at a time on a connection, until it cannot
// connect any more. Go's client repeats a request that the service has not begun with
// (GOAWAY).
func (k keptAlive) byHTTP2(client *http.Client, check func(status, body string) error) error {
	for {
		request, err := http.NewRequest("GET", k.scheme+"://"+k.address+"/mail/config-v1.1.xml", nil)
		if err != nil {
			return err
		}
		request.Host = "autoconfig.example.se"
		response, err := client.Do(request)
		if err != nil {
			return k.unlessOver(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return fmt.Errorf("a response broke off: %w", err)
		}
		k.answers.Add(1)
		if response.ProtoMajor != 2 {
			return fmt.Errorf("got protocol %s, want HTTP/2", response.Proto)
		}
		if err := check(response.Status, string(body)); err != nil {
			return err
		}
	}
}

// TestStopUnderLoad stops the service while 64 clients send requests all the time. Each
// request that has arrived gets a complete response.
func TestStopUnderLoad(t *testing.T) {
	handler := newHandler(t, io.Discard)
	var begun atomic.Int64
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun.Add(1)
		handler.ServeHTTP(w, r)
	})
	for round, kind := range []string{"HTTP", "HTTP", "TLS", "TLS", "HTTP/2", "HTTP/2", "h2c"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := &server.Service{Handler: counted, Timeouts: conn.DefaultTimeouts, Log: discardLog}
		l := &conn.Listeners{HTTP: []net.Listener{listener}}
		switch kind {
		case "h2c":
			s.Trusts = netip.MustParsePrefix("127.0.0.0/8").Contains
		case "TLS", "HTTP/2":
			s.TLS, l = selfSigned(t), &conn.Listeners{HTTPS: []net.Listener{listener}}
		}
		stop := serveAllUntilDone(t, s, l)
		begun.Store(0)
		var answers atomic.Int64
		var stopping atomic.Bool
		var group sync.WaitGroup
		load := keptAlive{listener.Addr().String(),
			strings.Replace(get("/mail/config-v1.1.xml", "autoconfig.example.se"), "Connection: close\r\n", "", 1),
			map[bool]string{true: "http", false: "https"}[kind == "h2c"], kind == "TLS", &answers, &stopping}
		enough := make(chan struct{})
		tell := sync.OnceFunc(func() { close(enough) })
		check := func(status, body string) error {
			if answers.Load() > 2000 {
				tell()
			}
			if !strings.HasPrefix(status, "200") ||
				!strings.HasSuffix(body, "</clientConfig>\n") && !strings.HasSuffix(body, "</clientConfig>") {
				return fmt.Errorf("got status %s, want 200 and a whole document\n%s", status, body)
			}
			return nil
		}
		transports := make([]*http.Transport, 4)
		for i := range transports {
			transports[i] = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
				ForceAttemptHTTP2: true}
			if kind == "h2c" {
				transports[i].Protocols = onlyUnencryptedHTTP2()
			}
		}
		for i := range 64 {
			group.Go(func() {
				run := load.run
				if kind == "HTTP/2" || kind == "h2c" {
					client := &http.Client{Transport: transports[i%len(transports)], Timeout: 30 * time.Second}
					run = func(check func(status, body string) error) error { return load.byHTTP2(client, check) }
				}
				if err := run(check); err != nil {
					t.Errorf("round %d, %s: %v", round, kind, err)
					tell()
				}
			})
		}
		<-enough
		stopping.Store(true)
		stop()
		group.Wait()
		for _, transport := range transports {
			transport.CloseIdleConnections()
		}
		if begun.Load() != answers.Load() {
			t.Errorf("round %d, %s: %d requests got %d responses", round, kind, begun.Load(), answers.Load())
		}
	}
}

// TestStopWaits checks that stopping waits for a slow request, and cuts off one
// that exceeds Timeouts.Stop.
func TestStopWaits(t *testing.T) {
	for _, row := range []struct {
		name string
		late bool
	}{{"in time", false}, {"too late", true}} {
		t.Run(row.name, func(t *testing.T) {
			begun, finish := make(chan struct{}), make(chan struct{})
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(begun)
				select {
				case <-finish:
				case <-r.Context().Done():
				}
				io.WriteString(w, "finished")
			})
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			limits := conn.DefaultTimeouts
			if row.late {
				limits.Stop = time.Millisecond
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			s := &server.Service{Handler: handler, Timeouts: limits, Log: discardLog}
			go func() { done <- s.Serve(ctx, &conn.Listeners{HTTP: []net.Listener{listener}}) }()
			answer := make(chan sent, 1)
			go func() { answer <- send(t, listener.Addr().String(), hostile{request: get("/", "domain.se")}) }()
			<-begun
			cancel()
			if row.late {
				if err := <-done; err == nil || !strings.Contains(err.Error(), "took too long") {
					t.Errorf("Serve = %v, want that requests were cut off", err)
				}
				if got := <-answer; got.status != 0 {
					t.Errorf("the request that was cut off got %+v, want no response", got)
				}
				return
			}
			close(finish)
			if got := <-answer; got.status != 200 || got.body != "finished" {
				t.Errorf("got %+v", got)
			}
			if err := <-done; err != nil {
				t.Errorf("Serve: %v", err)
			}
		})
	}
}

// TestDrain checks that for some time after the stop, connections are accepted as before.
func TestDrain(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limits := conn.DefaultTimeouts
	limits.Drain = 500 * time.Millisecond
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	s := &server.Service{Handler: handler, Timeouts: limits, Log: discardLog}
	go func() { done <- s.Serve(ctx, &conn.Listeners{HTTP: []net.Listener{listener}}) }()
	address := listener.Addr().String()
	cancel()
	answered := 0
	for {
		probe, err := net.Dial("tcp", address)
		if err != nil {
			break // it accepts no more
		}
		probe.Close()
		if resp, err := http.Get("http://" + address); err == nil {
			resp.Body.Close()
			answered++
		}
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if answered == 0 {
		t.Error("no request was answered while the service drained")
	}
}

// TestStopLeavesTimeForRequests checks that clients that close idle connections one
// after the other do not use up the time that a request in flight needs.
func TestStopLeavesTimeForRequests(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(begun)
			<-finish
		}
		io.WriteString(w, "finished")
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	limits := conn.DefaultTimeouts
	limits.Idle, limits.Stop = time.Minute, 20*time.Second
	stop := serveUntilDone(t, &server.Service{Handler: handler, Timeouts: limits, Log: discardLog}, listener)
	var idle []kept
	for range 150 {
		conn := from(t, "127.0.0.1", address)
		if got := conn.ask(t); got != 200 {
			t.Fatalf("a request before the stop got status %d, want 200", got)
		}
		idle = append(idle, conn)
	}
	answer := make(chan sent, 1)
	go func() { answer <- send(t, address, hostile{request: get("/slow", "domain.se")}) }()
	<-begun
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	over := make(chan struct{})
	go func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for _, conn := range idle[1:] {
			conn.Close()
			select {
			case <-tick.C:
			case <-over:
				return
			}
		}
	}()
	// Then only the request in flight is left, and the service closes idle connections.
	idle[0].closed(t)
	close(over)
	close(finish)
	if got := <-answer; got.status != 200 || got.body != "finished" {
		t.Errorf("the request in flight got %+v, want its whole response", got)
	}
	<-stopped
}

// held holds connections that send a beginning and then nothing.
type held struct{ conns []net.Conn }

func hold(t testing.TB, address string, n int, beginning string) *held {
	t.Helper()
	h := &held{conns: make([]net.Conn, n)}
	var group sync.WaitGroup
	for worker := range 16 {
		group.Go(func() {
			for i := worker; i < n; i += 16 {
				conn, err := net.Dial("tcp", address)
				if err != nil {
					t.Error(err)
					return
				}
				h.conns[i] = conn
				io.WriteString(conn, beginning)
			}
		})
	}
	group.Wait()
	t.Cleanup(h.close)
	if t.Failed() {
		t.FailNow()
	}
	return h
}

func (h *held) close() {
	for _, conn := range h.conns {
		if conn != nil {
			conn.Close()
		}
	}
}

// TestSlowConnections holds 2,000 slow connections while others send ordinary requests.
// TestSlowClients tests how long a connection can be held.
func TestSlowConnections(t *testing.T) {
	handler := newHandler(t, io.Discard)
	limits := conn.Timeouts{Header: 5 * time.Minute, Read: 5 * time.Minute, Write: 5 * time.Minute,
		Idle: 5 * time.Minute, Stop: 30 * time.Second}
	s := &server.Service{Handler: handler, Timeouts: limits, Connections: 10_000, Metrics: server.NewMetrics("", "")}
	address := start(t, s)
	const count = 2000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	header := hold(t, address, count/2, "GET /mail/config-v1.1.xml HTTP/1.1\r\nHost: autoconf")
	body := hold(t, address, count/2, "POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: autodiscover.domain.se\r\nContent-Length: 400\r\n\r\n<?xml")
	for range 200 {
		got := send(t, address, hostile{request: get("/mail/config-v1.1.xml", "autoconfig.example.se")})
		if got.status != 200 {
			t.Fatalf("an ordinary request got status %d, want 200", got.status)
		}
	}
	if got := counted(t, s.Metrics, `signpost_connections{listener="http"}`); got < count {
		t.Errorf("%d connections were open meanwhile, want at least %d", got, count)
	}
	runtime.ReadMemStats(&after)
	// The client's ends of the connections are in this process too.
	each := (int64(after.HeapInuse+after.StackInuse) - int64(before.HeapInuse+before.StackInuse)) / count
	if each > 48<<10 {
		t.Errorf("a slow connection takes %d bytes, want at most 48 KiB", each)
	}
	header.close()
	body.close()
}

// TestConnectionLimit checks that connections beyond the limit wait, and are served
// when others have ended.
func TestConnectionLimit(t *testing.T) {
	const limit = 10
	var now, most atomic.Int64
	begun, finish := make(chan struct{}, 3*limit), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
		}
		begun <- struct{}{}
		<-finish
	})
	address := start(t, &server.Service{Handler: handler, Connections: limit})
	var group sync.WaitGroup
	for range 3 * limit {
		group.Go(func() {
			if got := send(t, address, hostile{request: get("/", "domain.se")}); got.status != 200 {
				t.Errorf("got %+v", got)
			}
		})
	}
	for range limit {
		<-begun
	}
	close(finish)
	group.Wait()
	if most.Load() != limit {
		t.Errorf("%d requests were served at a time, want %d", most.Load(), limit)
	}
}

// BenchmarkSlowConnections compares the time of ordinary requests with and without 2,000
// slow connections.
func BenchmarkSlowConnections(b *testing.B) {
	handler := newHandler(b, io.Discard)
	limits := conn.DefaultTimeouts
	limits.Header = time.Minute
	address := start(b, &server.Service{Handler: handler, Timeouts: limits})
	measure := func() time.Duration {
		const each, workers = 1000, 8
		took := make([][]time.Duration, workers)
		var group sync.WaitGroup
		for w := range workers {
			group.Go(func() {
				conn, err := net.Dial("tcp", address)
				if err != nil {
					b.Error(err)
					return
				}
				defer conn.Close()
				in := bufio.NewReader(conn)
				request := []byte(strings.Replace(get("/mail/config-v1.1.xml", "autoconfig.example.se"),
					"Connection: close\r\n", "", 1))
				for range each {
					begun := time.Now()
					conn.Write(request)
					response, err := http.ReadResponse(in, nil)
					if err != nil {
						b.Error(err)
						return
					}
					io.Copy(io.Discard, response.Body)
					took[w] = append(took[w], time.Since(begun))
				}
			})
		}
		group.Wait()
		all := slices.Concat(took...)
		slices.Sort(all)
		return all[len(all)*99/100]
	}
	measure() // warm up
	var with, without []time.Duration
	for b.Loop() {
		without = append(without, measure())
		slow := hold(b, address, 2000, "GET / HTTP/1.1\r\nHo")
		with = append(with, measure())
		slow.close()
	}
	slices.Sort(with)
	slices.Sort(without)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(with[len(with)/2].Microseconds()), "p99-µs")
	b.ReportMetric(float64(with[len(with)/2])/float64(without[len(without)/2]), "p99-ratio")
}

// discardLog is a log that no test reads.
var discardLog = slog.New(slog.DiscardHandler)

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
