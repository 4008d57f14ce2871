package server_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"signpost/internal/conn"
	"signpost/internal/server"
)

func onlyUnencryptedHTTP2() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

// TestUnencryptedHTTP2 checks that a trusted proxy may speak HTTP/2 without TLS, beside
// HTTP/1.1, over TCP and over a Unix socket, and names its client as ever.
func TestUnencryptedHTTP2(t *testing.T) {
	o := newOptions(t, io.Discard)
	o.HTTPS = true
	o.Proxies.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	s := &server.Service{Handler: server.Handler(o), Trusts: o.Proxies.Trusts, Timeouts: conn.DefaultTimeouts,
		Log: discardLog}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	unix, err := net.Listen("unix", filepath.Join(t.TempDir(), "http.sock"))
	if err != nil {
		t.Fatal(err)
	}
	serveAllUntilDone(t, s, &conn.Listeners{HTTP: []net.Listener{tcp, unix}})
	for _, listener := range []net.Listener{tcp, unix} {
		for _, protocols := range []*http.Protocols{nil, onlyUnencryptedHTTP2()} {
			transport := &http.Transport{Protocols: protocols,
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, listener.Addr().Network(), listener.Addr().String())
				}}
			defer transport.CloseIdleConnections()
			for _, scheme := range []string{"http", "https"} {
				r, err := http.NewRequest("POST", "http://"+tcp.Addr().String()+"/autodiscover/autodiscover.xml",
					strings.NewReader(outlookBody))
				if err != nil {
					t.Fatal(err)
				}
				r.Host = "autodiscover.domain.se"
				r.Header.Set("X-Forwarded-For", "192.0.2.1")
				r.Header.Set("X-Forwarded-Proto", scheme)
				response, err := transport.RoundTrip(r)
				if err != nil {
					t.Fatalf("over %s: %v", listener.Addr().Network(), err)
				}
				body, _ := io.ReadAll(response.Body)
				response.Body.Close()
				version, status := 1, 200
				if protocols != nil {
					version = 2
				}
				if scheme == "http" {
					status = http.StatusForbidden // a POST of Autodiscover needs TLS
				}
				if response.ProtoMajor != version || response.StatusCode != status {
					t.Errorf("over %s, client by %s: got %s %s, want HTTP/%d and %d\n%s",
						listener.Addr().Network(), scheme, response.Proto, response.Status, version, status, body)
				}
			}
		}
	}
}

// TestUnencryptedHTTP2IsForProxies checks that others are refused in words, which
// somebody who watches the line can read, and that the operator is told.
func TestUnencryptedHTTP2IsForProxies(t *testing.T) {
	const beginning = http2.ClientPreface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	for _, row := range []struct {
		name   string
		change func(*server.Service)
		before string
	}{
		{"nobody is trusted", func(*server.Service) {}, ""},
		{"another address is trusted", func(s *server.Service) {
			s.Trusts = netip.MustParsePrefix("192.0.2.0/24").Contains
		}, ""},
		{"with PROXY protocol", func(s *server.Service) {
			s.Trusts, s.ProxyProtocol = netip.MustParsePrefix("127.0.0.0/8").Contains, true
		}, proxyHeader(t, 2, "192.0.2.1:1")},
	} {
		log := new(lockedBuffer)
		s := &server.Service{Handler: newHandler(t, log)}
		row.change(s)
		got := send(t, start(t, s), hostile{request: row.before + beginning})
		if got.status != 400 || !strings.Contains(got.body, "HTTP/2 without TLS is answered to trusted proxies only") {
			t.Errorf("%s: got status %d, want 400 with the reason\n%s", row.name, got.status, got.body)
		}
		log.waitFor(t, "HTTP/2 without TLS refused")
	}
}

// TestTrustEnds checks that HTTP/2 of a proxy that is no longer trusted is closed after
// its next request: it has no limits of frames.
func TestTrustEnds(t *testing.T) {
	for _, row := range []struct {
		name      string
		start     func(testing.TB, *server.Service) string
		scheme    string
		protocols *http.Protocols
	}{
		{"without TLS", start, "http", onlyUnencryptedHTTP2()},
		{"over TLS", startTLS, "https", nil},
	} {
		var trusted atomic.Bool
		trusted.Store(true)
		address := row.start(t,
			&server.Service{Handler: echoing, Trusts: func(netip.Addr) bool { return trusted.Load() }})
		connections := 0
		client := overOneConnection(t, &connections)
		if row.protocols != nil {
			client.Transport.(*http.Transport).Protocols = row.protocols
		}
		ask := func() {
			response, err := client.Get(row.scheme + "://" + address)
			if err == nil {
				response.Body.Close()
			}
			if connections == 1 && (err != nil || response.ProtoMajor != 2) {
				t.Fatalf("%s: a request over the first connection: %v %v, want an answer over HTTP/2",
					row.name, response, err)
			}
		}
		for range 20 {
			ask()
		}
		if connections != 1 {
			t.Errorf("%s: a trusted proxy needed %d connections, want 1", row.name, connections)
		}
		trusted.Store(false)
		for range 100 {
			if ask(); connections > 1 {
				break
			}
			time.Sleep(50 * time.Millisecond) // the end of the connection is on its way
		}
		if connections == 1 {
			t.Errorf("%s: the connection stays after the end of trust", row.name)
		}
	}
}

// TestUnencryptedHTTP2HasLimits checks that the limits of HTTP/2 hold without TLS: the
// number of streams, and the time for a header that does not end.
func TestUnencryptedHTTP2HasLimits(t *testing.T) {
	s := &server.Service{Handler: echoing, Trusts: netip.MustParsePrefix("127.0.0.0/8").Contains,
		Timeouts: conn.Timeouts{Header: 2 * time.Second, Read: 2 * time.Second, Write: 4 * time.Second,
			Idle: 5 * time.Minute, Stop: 30 * time.Second}}
	c, err := net.Dial("tcp", start(t, s))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f := framed{c, http2.NewFramer(c, c)}
	io.WriteString(c, http2.ClientPreface)
	f.WriteSettings()
	frame, err := f.ReadFrame()
	if err != nil {
		t.Fatal(err)
	}
	settings, ok := frame.(*http2.SettingsFrame)
	if !ok {
		t.Fatalf("the first frame is %v, want SETTINGS", frame)
	}
	for setting, want := range map[http2.SettingID]uint32{http2.SettingMaxConcurrentStreams: 50,
		http2.SettingInitialWindowSize: 64 << 10, http2.SettingMaxFrameSize: 16 << 10} {
		if got, ok := settings.Value(setting); ok && got != want ||
			!ok && setting == http2.SettingMaxConcurrentStreams {
			t.Errorf("%v = %d, want %d", setting, got, want)
		}
	}
	f.begin(t, "/", false)
	ended(t, c)
}
