package server_test

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"signpost/internal/conn"
	"signpost/internal/server"
)

// echoing responds with the peer's address.
var echoing = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RemoteAddr) })

// start runs s on loopback until the test ends.
func start(t testing.TB, s *server.Service) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Timeouts == (conn.Timeouts{}) {
		s.Timeouts = conn.DefaultTimeouts
	}
	serveUntilDone(t, s, listener)
	return listener.Addr().String()
}

func proxyHeader(t *testing.T, version byte, client string) string {
	t.Helper()
	h := proxyproto.HeaderProxyFromAddrs(version, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(client)),
		net.TCPAddrFromAddrPort(netip.MustParseAddrPort("203.0.113.1:443")))
	var b bytes.Buffer
	if _, err := h.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestProxyProtocol(t *testing.T) {
	const request = "GET / HTTP/1.1\r\nHost: domain.se\r\nConnection: close\r\n\r\n"
	loopback := netip.MustParsePrefix("127.0.0.0/8")
	trusts := start(t, &server.Service{Handler: echoing, ProxyProtocol: true, Trusts: loopback.Contains})
	trustsNobody := start(t, &server.Service{Handler: echoing, ProxyProtocol: true,
		Trusts: func(netip.Addr) bool { return false }})
	plain := start(t, &server.Service{Handler: echoing})
	for _, row := range []struct {
		name, address, header string
		status                int // 0: closed
		peer                  string
	}{
		{"a proxy", trusts, proxyHeader(t, 2, "192.0.2.1:4711"), 200, "192.0.2.1:4711"},
		{"a proxy by IPv6", trusts, proxyHeader6(t), 200, "[2001:db8::1]:4711"},
		{"a health check of the proxy", trusts, localHeader(t), 200, "127.0.0.1:"},
		{"a proxy that sends no header", trusts, "", 0, ""},
		{"a proxy that does not know its client", trusts, otherHeader(t, proxyproto.UNSPEC, nil), 0, ""},
		{"a proxy's client on a Unix socket", trusts,
			otherHeader(t, proxyproto.UnixStream, &net.UnixAddr{Name: "/run/a", Net: "unix"}), 0, ""},
		{"datagrams", trusts, otherHeader(t, proxyproto.UDPv4, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}), 0, ""},
		{"version 1", trusts, proxyHeader(t, 1, "192.0.2.1:4711"), 0, ""},
		{"a client", trustsNobody, "", 200, "127.0.0.1:"},
		{"a client that sends the header", trustsNobody, proxyHeader(t, 2, "192.0.2.1:4711"), 400, ""},
		{"a client that sends version 1", trustsNobody, proxyHeader(t, 1, "192.0.2.1:4711"), 400, ""},
		{"PROXY protocol is not enabled", plain, proxyHeader(t, 2, "192.0.2.1:4711"), 400, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := send(t, row.address, hostile{request: row.header + request})
			if got.status != row.status || row.peer != "" && !strings.HasPrefix(got.body, row.peer) {
				t.Errorf("got status %d and peer %q, want %d and %q", got.status, got.body, row.status, row.peer)
			}
		})
	}
}

func proxyHeader6(t *testing.T) string {
	t.Helper()
	h := proxyproto.HeaderProxyFromAddrs(2, net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[2001:db8::1]:4711")),
		net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[2001:db8::2]:443")))
	b, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// otherHeader returns the header of a connection that is not TCP.
func otherHeader(t *testing.T, kind proxyproto.AddressFamilyAndProtocol, addr net.Addr) string {
	t.Helper()
	h := &proxyproto.Header{Version: 2, Command: proxyproto.PROXY, TransportProtocol: kind, SourceAddr: addr,
		DestinationAddr: addr}
	b, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// localHeader returns the header of a proxy's health check.
func localHeader(t *testing.T) string {
	t.Helper()
	h := &proxyproto.Header{Version: 2, Command: proxyproto.LOCAL, TransportProtocol: proxyproto.UNSPEC}
	b, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestProxyProtocolTimeout checks that the time limit for the header of a request
// applies to the header of PROXY protocol too.
func TestProxyProtocolTimeout(t *testing.T) {
	address := start(t, &server.Service{Handler: echoing, ProxyProtocol: true,
		Trusts: func(netip.Addr) bool { return true },
		Timeouts: conn.Timeouts{Header: time.Second, Read: time.Second, Write: time.Second, Idle: time.Second,
			Stop: time.Second}})
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "\r\n\r\n\x00")
	if _, err := bufio.NewReader(conn).ReadByte(); err != io.EOF {
		t.Errorf("reading from the connection: %v, want EOF", err)
	}
}
