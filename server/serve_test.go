package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"signpost/server"
)

// serveUntilDone serves until the test ends or stop is called.
func serveUntilDone(t testing.TB, s *server.Service, listener net.Listener) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, &server.Listeners{HTTP: []net.Listener{listener}}) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// keptAlive asks again and again on connections that are kept, until there is
// nobody to connect to.
type keptAlive struct {
	address, request string
	answers          *atomic.Int64
}

// run returns the first answer that is not whole.
func (k keptAlive) run(check func(status, body string) error) error {
	for {
		conn, err := net.Dial("tcp", k.address)
		if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) {
			return nil
		} else if err != nil {
			return err
		}
		if err := k.ask(conn, check); err != nil {
			return err
		}
	}
}

func (k keptAlive) ask(conn net.Conn, check func(status, body string) error) error {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	in := bufio.NewReader(conn)
	for first := true; ; first = false {
		if _, err := io.WriteString(conn, k.request); err != nil {
			return unlessNew(first, err)
		}
		response, err := http.ReadResponse(in, nil)
		if err != nil {
			return unlessNew(first, err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return fmt.Errorf("an answer broke off: %w", err)
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

// unlessNew takes it for no failure that a connection is reset which the service
// had not yet taken from the system when it closed its listener.
func unlessNew(first bool, err error) error {
	if first && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)) {
		return nil
	}
	return fmt.Errorf("a request got no answer: %w", err)
}

// TestStopUnderLoad stops the service while 64 connections ask all the time.
// Each request that was sent on an open connection is answered, in whole.
func TestStopUnderLoad(t *testing.T) {
	handler, err := newHandler(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var begun atomic.Int64
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun.Add(1)
		handler.ServeHTTP(w, r)
	})
	for round := range 5 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		stop := serveUntilDone(t, &server.Service{Handler: counted, Timeouts: server.DefaultTimeouts, Log: discardLog}, listener)
		begun.Store(0)
		var answers atomic.Int64
		var group sync.WaitGroup
		load := keptAlive{listener.Addr().String(), strings.Replace(get("/mail/config-v1.1.xml", "autoconfig.domain.se"), "Connection: close\r\n", "", 1), &answers}
		enough := make(chan struct{})
		tell := sync.OnceFunc(func() { close(enough) })
		for range 64 {
			group.Go(func() {
				err := load.run(func(status, body string) error {
					if answers.Load() > 2000 {
						tell()
					}
					if status != "200 OK" || !strings.HasSuffix(body, "</clientConfig>\n") && !strings.HasSuffix(body, "</clientConfig>") {
						return fmt.Errorf("got %s\n%s", status, body)
					}
					return nil
				})
				if err != nil {
					t.Errorf("round %d: %v", round, err)
					tell()
				}
			})
		}
		<-enough
		stop()
		group.Wait()
		if begun.Load() != answers.Load() {
			t.Errorf("round %d: %d requests, %d answers", round, begun.Load(), answers.Load())
		}
	}
}

// TestStopWaits for a request that takes long, and cuts off one that takes too
// long.
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
			limits := server.DefaultTimeouts
			if row.late {
				limits.Stop = time.Millisecond
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			s := &server.Service{Handler: handler, Timeouts: limits, Log: discardLog}
			go func() { done <- s.Serve(ctx, &server.Listeners{HTTP: []net.Listener{listener}}) }()
			answer := make(chan sent, 1)
			go func() { answer <- send(t, listener.Addr().String(), hostile{request: get("/", "domain.se")}) }()
			<-begun
			cancel()
			if row.late {
				if err := <-done; err == nil || !strings.Contains(err.Error(), "took too long") {
					t.Errorf("Serve: %v", err)
				}
				if got := <-answer; got.status != 0 {
					t.Errorf("got %+v", got)
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

// TestStopLeavesTimeForRequests: idle connections that end one after the other use
// up no time that a request in flight needs.
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
	limits := server.DefaultTimeouts
	limits.Idle, limits.Stop = time.Minute, 20*time.Second
	stop := serveUntilDone(t, &server.Service{Handler: handler, Timeouts: limits, Log: discardLog}, listener)
	var idle []kept
	for range 150 {
		conn := from(t, "127.0.0.1", address)
		if got := conn.ask(t); got != 200 {
			t.Fatalf("got %d", got)
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
	// The service itself closes what is idle when it waits for the rest only.
	idle[0].closed(t)
	close(over)
	close(finish)
	if got := <-answer; got.status != 200 || got.body != "finished" {
		t.Errorf("the request in flight got %+v", got)
	}
	<-stopped
}

// held are connections that send a beginning and then nothing.
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

// ends waits until the service has closed all of them.
func (h *held) ends(t testing.TB, most time.Duration) {
	t.Helper()
	end := time.Now().Add(most)
	for i, conn := range h.conns {
		conn.SetReadDeadline(end)
		if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("connection %d is still open: %v", i, err)
		}
	}
}

// TestSlowConnections holds 2,000 of them while others ask as ever.
func TestSlowConnections(t *testing.T) {
	handler, err := newHandler(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	limits := server.Timeouts{Header: 2 * time.Second, Read: 2 * time.Second, Write: 5 * time.Second, Idle: 5 * time.Second, Stop: 5 * time.Second}
	address := start(t, &server.Service{Handler: handler, Timeouts: limits, Connections: 10_000})
	const count = 2000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begun := time.Now()
	header := hold(t, address, count/2, "GET /mail/config-v1.1.xml HTTP/1.1\r\nHost: autoconf")
	body := hold(t, address, count/2, "POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: autodiscover.domain.se\r\nContent-Length: 400\r\n\r\n<?xml")
	for range 200 {
		if got := send(t, address, hostile{request: get("/mail/config-v1.1.xml", "autoconfig.domain.se")}); got.status != 200 {
			t.Fatalf("an ordinary request is answered %d", got.status)
		}
	}
	if time.Since(begun) > limits.Header {
		t.Log("this machine is too slow to tell: the slow connections may have ended before the ordinary requests")
	}
	runtime.ReadMemStats(&after)
	// The client's ends are in this process, too.
	each := (int64(after.HeapInuse+after.StackInuse) - int64(before.HeapInuse+before.StackInuse)) / count
	if t.Logf("a slow connection takes %d octets", each); each > 48<<10 {
		t.Error("which is too much")
	}
	header.ends(t, limits.Header+8*time.Second)
	body.ends(t, limits.Read+8*time.Second)
}

// TestConnectionLimit: beyond the limit connections wait for their turn, and get
// it when one has ended.
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
		t.Errorf("%d connections at a time, want %d", most.Load(), limit)
	}
}

// BenchmarkSlowConnections compares how long ordinary requests take with and
// without 2,000 slow connections.
func BenchmarkSlowConnections(b *testing.B) {
	handler, err := newHandler(io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	limits := server.DefaultTimeouts
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
				request := []byte(strings.Replace(get("/mail/config-v1.1.xml", "autoconfig.domain.se"), "Connection: close\r\n", "", 1))
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

// discardLog is for what is not looked at.
var discardLog = slog.New(slog.DiscardHandler)

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
