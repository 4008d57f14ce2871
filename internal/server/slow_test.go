package server_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"signpost/internal/conn"
	"signpost/internal/server"
)

// startBoth runs s on loopback, with HTTP and HTTPS, until the test ends.
func startBoth(t testing.TB, s *server.Service) (plain, secure string) {
	t.Helper()
	var l conn.Listeners
	for _, of := range []*[]net.Listener{&l.HTTP, &l.HTTPS} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		*of = []net.Listener{listener}
	}
	s.TLS, s.Log = selfSigned(t), discardLog
	serveAllUntilDone(t, s, &l)
	return l.HTTP[0].Addr().String(), l.HTTPS[0].Addr().String()
}

// framed is an HTTP/2 connection on which single frames are sent.
type framed struct {
	net.Conn
	*http2.Framer
}

func overHTTP2(t testing.TB, address string) framed {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	f := framed{conn, http2.NewFramer(conn, conn)}
	io.WriteString(conn, http2.ClientPreface)
	if err := f.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return f
}

// begin sends the header of a request, or only its beginning.
func (f framed) begin(t testing.TB, path string, whole bool) {
	t.Helper()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "domain.se"},
		{":path", path}} {
		encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	err := f.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: whole})
	if err != nil {
		t.Fatal(err)
	}
}

// ended waits until the service closes the connection.
func ended(t testing.TB, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(40 * time.Second))
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is still open after 40 seconds, want it closed by a time limit")
	}
}

// TestSlowClients checks that a client that takes too long is disconnected, whatever
// it is doing. Timeouts.Idle is too long to be the reason.
func TestSlowClients(t *testing.T) {
	written := make(chan error, 2)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/large" {
			io.Copy(io.Discard, r.Body)
			return
		}
		var err error
		for chunk := make([]byte, 1<<20); err == nil; {
			_, err = w.Write(chunk)
		}
		written <- err
	})
	plain, secure := startBoth(t, &server.Service{Handler: handler,
		Timeouts: conn.Timeouts{Header: 3 * time.Second, Read: 4 * time.Second, Write: 4 * time.Second,
			Idle: 5 * time.Minute, Stop: 30 * time.Second}})
	const (
		header = "GET / HTTP/1.1\r\nHost: autoconf"
		body   = "POST / HTTP/1.1\r\nHost: domain.se\r\nContent-Length: 400\r\n\r\n<?xml"
		large  = "GET /large HTTP/1.1\r\nHost: domain.se\r\n\r\n"
	)
	dial := func(t testing.TB, address, beginning string) net.Conn {
		t.Helper()
		conn := from(t, "127.0.0.1", address)
		conn.SetDeadline(time.Time{})
		if _, err := io.WriteString(conn, beginning); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	dialTLS := func(t testing.TB, beginning string) net.Conn {
		t.Helper()
		conn := overTLS(t, from(t, "127.0.0.1", secure))
		conn.SetDeadline(time.Time{})
		if _, err := io.WriteString(conn, beginning); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	held := map[string]net.Conn{}
	for _, row := range []struct {
		name string
		hold func(t testing.TB) net.Conn
	}{
		{"nothing", func(t testing.TB) net.Conn { return dial(t, plain, "") }},
		{"a header", func(t testing.TB) net.Conn { return dial(t, plain, header) }},
		{"a body", func(t testing.TB) net.Conn { return dial(t, plain, body) }},
		{"no handshake", func(t testing.TB) net.Conn { return dial(t, secure, "") }},
		{"half of a handshake", func(t testing.TB) net.Conn {
			return dial(t, secure, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
		}},
		{"a handshake and nothing", func(t testing.TB) net.Conn { return dialTLS(t, "") }},
		{"a header over TLS", func(t testing.TB) net.Conn { return dialTLS(t, header) }},
		{"a body over TLS", func(t testing.TB) net.Conn { return dialTLS(t, body) }},
		{"a header by HTTP/2", func(t testing.TB) net.Conn {
			f := overHTTP2(t, secure)
			f.begin(t, "/", false)
			return f.Conn
		}},
		{"a header by HTTP/2 that never ends", func(t testing.TB) net.Conn {
			f := overHTTP2(t, secure)
			f.begin(t, "/", false)
			var block bytes.Buffer
			hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: "x", Value: strings.Repeat("a", 8000)})
			go func() {
				for fragment := range block.Bytes() {
					if f.WriteContinuation(1, false, block.Bytes()[fragment:fragment+1]) != nil {
						return
					}
					time.Sleep(50 * time.Millisecond)
				}
			}()
			return f.Conn
		}},
	} {
		held[row.name] = row.hold(t)
	}
	dial(t, plain, large)
	overHTTP2(t, secure).begin(t, "/large", true)
	for name, conn := range held {
		t.Run(name, func(t *testing.T) { ended(t, conn) })
	}
	for range 2 {
		select {
		case <-written:
		case <-time.After(40 * time.Second):
			t.Error("after 40 seconds a response is still being written to a client that does not read it")
		}
	}
}

// TestHTTP2Keeps checks that a client that answers pings keeps its connection.
// Timeouts.Read limits the handshake too, and is long enough for that on a busy machine.
func TestHTTP2Keeps(t *testing.T) {
	_, secure := startBoth(t, &server.Service{Handler: echoing,
		Timeouts: conn.Timeouts{Header: 10 * time.Second, Read: 2 * time.Second, Write: 10 * time.Second, Idle: time.Minute,
			Stop: 30 * time.Second}})
	f := overHTTP2(t, secure)
	f.SetDeadline(time.Now().Add(30 * time.Second))
	for pings := 0; pings < 2; {
		frame, err := f.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if streams, ok := frame.Value(http2.SettingMaxConcurrentStreams); ok && streams != 50 {
				t.Errorf("the service allows %d streams, want 50", streams)
			}
			if !frame.IsAck() {
				f.WriteSettingsAck()
			}
		case *http2.PingFrame:
			pings++
			f.WritePing(true, frame.Data)
		case *http2.GoAwayFrame:
			t.Fatal("a client that answers pings got GOAWAY")
		}
	}
	f.begin(t, "/", true)
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if frame, ok := frame.(*http2.DataFrame); ok && frame.StreamEnded() {
			return
		}
		if frame, ok := frame.(*http2.HeadersFrame); ok && frame.StreamEnded() {
			return
		}
	}
}
