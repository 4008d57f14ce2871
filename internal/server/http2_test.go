package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"signpost/internal/server"
)

// overOneConnection returns a client that speaks HTTP/2 and counts its connections.
func overOneConnection(t testing.TB, connections *int) *http.Client {
	t.Helper()
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			*connections++
			return new(net.Dialer).DialContext(ctx, network, address)
		}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// TestHTTP2KeepsHonestClients checks that no honest client reaches the limit of frames:
// many requests at a time with cookies that do not compress, large bodies, a header of
// the largest size.
func TestHTTP2KeepsHonestClients(t *testing.T) {
	reading := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	s := &server.Service{Handler: reading, Metrics: server.NewMetrics("", "")}
	address := startTLS(t, s)
	random := func(n int) string {
		b := make([]byte, n/2)
		rand.Read(b)
		return hex.EncodeToString(b)
	}
	for _, row := range []struct {
		name                           string
		requests, atOnce, cookie, body int
	}{
		{"small requests", 3000, 40, 0, 0},
		{"cookies", 400, 4, 4000, 0},
		{"bodies", 400, 20, 100, 8 << 10},
		{"a header of 11 KiB", 2, 1, 11 << 10, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			connections := 0
			client := overOneConnection(t, &connections)
			ask := func() error {
				r, err := http.NewRequest("POST", "https://"+address+"/", strings.NewReader(random(row.body)))
				if err != nil {
					return err
				}
				r.Header.Set("Cookie", random(row.cookie))
				response, err := client.Do(r)
				if err != nil {
					return err
				}
				defer response.Body.Close()
				if _, err := io.Copy(io.Discard, response.Body); err != nil {
					return err
				}
				if response.ProtoMajor != 2 || response.StatusCode != 200 {
					return fmt.Errorf("got %s %s, want HTTP/2 and 200", response.Proto, response.Status)
				}
				return nil
			}
			if err := ask(); err != nil {
				t.Fatal(err)
			}
			var group sync.WaitGroup
			for range row.atOnce {
				group.Go(func() {
					for range row.requests / row.atOnce {
						if err := ask(); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
			if connections != 1 {
				t.Errorf("the client needed %d connections, want 1", connections)
			}
		})
	}
	if got := counted(t, s.Metrics, closedForFlood); got != 0 {
		t.Errorf("%d connections were closed for a flood, want none", got)
	}
}

const closedForFlood = `signpost_connections_closed_total{reason="flood"}`

// TestHTTP2FloodIsClosed checks that a connection with nothing but frames that ask
// nothing is closed, counted and logged, and that a trusted proxy's is not.
func TestHTTP2FloodIsClosed(t *testing.T) {
	for _, trusted := range []bool{false, true} {
		log := new(lockedBuffer)
		s := &server.Service{Handler: echoing, Metrics: server.NewMetrics("", ""), Log: textLog(log)}
		if trusted {
			s.Trusts = netip.MustParsePrefix("127.0.0.0/8").Contains
		}
		address := startTLS(t, s)
		f := overHTTP2(t, address)
		go io.Copy(io.Discard, f.Conn)
		var frames bytes.Buffer
		framer := http2.NewFramer(&frames, nil)
		for range 1000 {
			framer.WriteWindowUpdate(0, 1)
		}
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			f.SetDeadline(time.Now().Add(30 * time.Second))
			for range 10_000 {
				if _, err := f.Write(frames.Bytes()); err != nil {
					if os.IsTimeout(err) {
						t.Error("a flood lasted 30 seconds, want that its connection is closed")
					}
					return
				}
				if trusted {
					time.Sleep(time.Millisecond)
				}
			}
		}()
		if trusted {
			select {
			case <-closed:
				t.Error("the connection of a trusted proxy was closed")
			case <-time.After(time.Second):
			}
			continue
		}
		<-closed
		if got := counted(t, s.Metrics, closedForFlood); got != 1 {
			t.Errorf("%s = %d, want 1", closedForFlood, got)
		}
		log.waitFor(t, `level=WARN msg="flood of HTTP/2 frames" connections=1 block=127.0.0.1/32`)
	}
}
