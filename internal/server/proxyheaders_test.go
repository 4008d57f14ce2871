package server

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"signpost/internal/conn"
)

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

var behind = conn.Proxies{Trusted: prefixes("127.0.0.0/8", "10.0.0.0/8", "2001:db8:f::/48")}

// from is a request as a peer sends it; header lines are "Name: value".
func from(peer string, lines ...string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = peer
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func TestClientOf(t *testing.T) {
	const proxy = "127.0.0.1:4711"
	for _, row := range []struct {
		name, peer string
		lines      []string
		want       client // addr apart
		addr       string
	}{
		{name: "a client", peer: "192.0.2.1:1", addr: "192.0.2.1"},
		{name: "a client over IPv6", peer: "[2001:db8::1]:1", addr: "2001:db8::1"},
		{name: "a client on a dual-stack socket", peer: "[::ffff:192.0.2.1]:1", addr: "192.0.2.1"},
		{name: "a client with a zone", peer: "[fe80::1%eth0]:1", addr: "fe80::1"},
		{name: "a client that sends the headers itself", peer: "192.0.2.1:1", addr: "192.0.2.1",
			lines: []string{"X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: domain.se"}},
		{name: "a peer without an address", peer: "@"},
		{name: "the proxy itself", peer: proxy, want: client{proxied: true, unlimited: true}},
		{name: "through the proxy", peer: proxy,
			lines: []string{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: domain.se"},
			want:  client{proxied: true, scheme: "https", host: "domain.se"}, addr: "192.0.2.1"},
		{name: "with a port", peer: proxy, lines: []string{"X-Forwarded-For: 192.0.2.1:55"}, want: client{proxied: true},
			addr: "192.0.2.1"},
		{name: "by IPv6", peer: proxy, lines: []string{"X-Forwarded-For: 2001:db8::1"}, want: client{proxied: true},
			addr: "2001:db8::1"},
		{name: "by IPv6 in brackets", peer: proxy, lines: []string{"X-Forwarded-For: [2001:db8::1]"},
			want: client{proxied: true}, addr: "2001:db8::1"},
		{name: "by IPv6 with a port", peer: proxy, lines: []string{"X-Forwarded-For: [2001:db8::1]:55"},
			want: client{proxied: true}, addr: "2001:db8::1"},
		{name: "by mapped IPv4", peer: proxy, lines: []string{"X-Forwarded-For: ::ffff:192.0.2.1"},
			want: client{proxied: true}, addr: "192.0.2.1"},
		{name: "what the client sent comes first and is not trusted", peer: proxy,
			lines: []string{"X-Forwarded-For: 10.1.1.1, 198.51.100.7,192.0.2.1"},
			want:  client{proxied: true}, addr: "192.0.2.1"},
		{name: "in a line of its own", peer: proxy,
			lines: []string{"X-Forwarded-For: 127.0.0.1", "X-Forwarded-For: 192.0.2.1"},
			want:  client{proxied: true}, addr: "192.0.2.1"},
		{name: "through two proxies", peer: proxy,
			lines: []string{"X-Forwarded-For: 192.0.2.1, 10.2.2.2", "X-Forwarded-Proto: https, http",
				"X-Forwarded-Host: a.se, b.se"},
			want: client{proxied: true, scheme: "https", host: "a.se"}, addr: "192.0.2.1"},
		{name: "through two proxies, the inner of which keeps the scheme", peer: proxy,
			lines: []string{"X-Forwarded-For: 192.0.2.1, 10.2.2.2", "X-Forwarded-Proto: https"},
			want:  client{proxied: true, scheme: "https"}, addr: "192.0.2.1"},
		{name: "a client's scheme before the proxy's", peer: proxy,
			lines: []string{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https, http"},
			want:  client{proxied: true, scheme: "http"}, addr: "192.0.2.1"},
		{name: "the proxy's health check", peer: proxy, lines: []string{"X-Forwarded-For: 127.0.0.1"},
			want: client{proxied: true, unlimited: true}, addr: "127.0.0.1"},
		{name: "a proxy that does not name its client", peer: proxy,
			lines: []string{"X-Forwarded-For: unknown", "X-Forwarded-Proto: https"},
			want:  client{proxied: true, unlimited: true, scheme: "https"}},
		{name: "rubbish behind such a proxy", peer: proxy, lines: []string{"X-Forwarded-For: 192.0.2.1, unix:"},
			want: client{proxied: true, unlimited: true}},
		{name: "an unknown scheme", peer: proxy, lines: []string{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: gopher"},
			want: client{proxied: true}, addr: "192.0.2.1"},
		{name: "an impossible host", peer: proxy,
			lines: []string{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: <script>"}, want: client{proxied: true},
			addr: "192.0.2.1"},
		{name: "the other family is not read", peer: proxy,
			lines: []string{"X-Forwarded-For: 192.0.2.1", `Forwarded: for=198.51.100.7;proto=https;host=domain.se`},
			want:  client{proxied: true}, addr: "192.0.2.1"},
		{name: "an empty header", peer: proxy, lines: []string{"X-Forwarded-For: "},
			want: client{proxied: true, unlimited: true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.addr != "" {
				row.want.addr = netip.MustParseAddr(row.addr)
			}
			r := from(row.peer, row.lines...)
			if got := clientOf(&behind, r); got != row.want {
				t.Errorf("clientOf(%v) =\n%+v, want\n%+v", r.Header, got, row.want)
			}
		})
	}
}

func TestClientOfForwarded(t *testing.T) {
	proxies := conn.Proxies{Trusted: behind.Trusted, Forwarded: true}
	const proxy = "127.0.0.1:4711"
	for _, row := range []struct {
		name  string
		lines []string
		want  client
		addr  string
	}{
		{name: "none", want: client{unlimited: true}},
		{name: "an address", lines: []string{"for=192.0.2.1"}, addr: "192.0.2.1"},
		{name: "everything", lines: []string{`by=10.1.1.1;For="192.0.2.1:55"; PROTO=HTTPS ;host=domain.se`},
			want: client{scheme: "https", host: "domain.se"}, addr: "192.0.2.1"},
		{name: "IPv6", lines: []string{`for="[2001:db8::1]:55"`}, addr: "2001:db8::1"},
		{name: "IPv6 without the quotes that it needs", lines: []string{`for=[2001:db8::1]`}, addr: "2001:db8::1"},
		{name: "the client's own before", lines: []string{`for=10.1.1.1;proto=https, for=192.0.2.1;proto=http`},
			want: client{scheme: "http"}, addr: "192.0.2.1"},
		{name: "the client's own line before", lines: []string{`for=127.0.0.1`, `for=192.0.2.1`}, addr: "192.0.2.1"},
		{name: "two proxies", lines: []string{`for=192.0.2.1;proto=https;host=a.se, for=10.1.1.1;proto=http;host=b.se`},
			want: client{scheme: "https", host: "a.se"}, addr: "192.0.2.1"},
		{name: "a comma in quotation marks", lines: []string{`for="198.51.100.7, for=10.1.1.1", for=192.0.2.1`},
			addr: "192.0.2.1"},
		{name: "unknown", lines: []string{`for=unknown;proto=https`}, want: client{unlimited: true, scheme: "https"}},
		{name: "hidden", lines: []string{`for=_hidden`}, want: client{unlimited: true}},
		{name: "health check", lines: []string{`for=127.0.0.1`}, want: client{unlimited: true}, addr: "127.0.0.1"},
		{name: "an open quotation mark", lines: []string{`for="198.51.100.7, for=192.0.2.1`}, addr: "127.0.0.1"},
		{name: "an open quotation mark in a line of its own", lines: []string{`for="198.51.100.7`, `for=192.0.2.1`},
			addr: "127.0.0.1"},
		{name: "an escape", lines: []string{`for="1\92.0.2.1"`}, addr: "127.0.0.1"},
		{name: "no value", lines: []string{`for=`}, addr: "127.0.0.1"},
		{name: "no name", lines: []string{`=192.0.2.1`}, addr: "127.0.0.1"},
		{name: "words", lines: []string{`for 192.0.2.1`}, addr: "127.0.0.1"},
		{name: "two values", lines: []string{`for=192.0.2.1 x`}, addr: "127.0.0.1"},
		{name: "a host with a script", lines: []string{`for=192.0.2.1;host="<script>"`}, addr: "192.0.2.1"},
		{name: "more than are followed", lines: []string{"for=192.0.2.1" + strings.Repeat(", for=10.1.1.1", maxElements)},
			want: client{unlimited: true}, addr: "10.1.1.1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.addr != "" {
				row.want.addr = netip.MustParseAddr(row.addr)
			}
			row.want.proxied = true
			r := from(proxy, "X-Forwarded-For: 198.51.100.99", "X-Forwarded-Proto: https")
			r.Header["Forwarded"] = row.lines
			if got := clientOf(&proxies, r); got != row.want {
				t.Errorf("clientOf(%v) =\n%+v, want\n%+v", r.Header, got, row.want)
			}
		})
	}
}

func TestUnixSocketIsTrusted(t *testing.T) {
	r := from("@", "X-Forwarded-For: 192.0.2.1")
	local := &net.UnixAddr{Name: "/run/signpost/http.sock", Net: "unix"}
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local))
	want := client{addr: netip.MustParseAddr("192.0.2.1"), proxied: true}
	if got := clientOf(new(conn.Proxies), r); got != want {
		t.Errorf("clientOf(%v) over a Unix socket = %+v, want %+v", r.Header, got, want)
	}
}

// inventions are parts of forged headers.
var inventions = []string{"", "127.0.0.1", "10.1.1.1", "198.51.100.7", "unknown", ",", ",,", " ", `"`, `\`, "for=",
	";", "for=10.1.1.1", `for="`, "proto=https", "https", "domain.se", "[::1]", "::1", "unix:", "\t", "=",
	"for=_x", "é", "<b>", "1.2.3.4.5", "999.1.1.1", strings.Repeat("1,", 50)}

func invent(random *rand.Rand) string {
	var b strings.Builder
	for range random.IntN(6) {
		b.WriteString(inventions[random.IntN(len(inventions))])
	}
	return b.String()
}

// TestForgery sends random headers from a client, directly and through a proxy.
func TestForgery(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	families := []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Real-Ip"}
	real := netip.MustParseAddr("192.0.2.1")
	direct, proxied := client{addr: real}, 0
	for i := range 20_000 {
		h := http.Header{}
		for range random.IntN(4) {
			h.Add(families[random.IntN(len(families))], invent(random))
		}
		for _, proxies := range []conn.Proxies{behind, {Trusted: behind.Trusted, Forwarded: true}, {}} {
			// The client sends the headers directly to the service.
			r := from("192.0.2.1:1")
			r.Header = h
			if got := clientOf(&proxies, r); got != direct {
				t.Fatalf("round %d: clientOf(%v) = %+v, want the peer", i, h, got)
			}
			if len(proxies.Trusted) == 0 {
				continue
			}
			// The client sends them to a proxy, which appends what it knows, in
			// the last line or in one of its own.
			name, knows := "X-Forwarded-For", "192.0.2.1"
			if proxies.Forwarded {
				name, knows = "Forwarded", "for=192.0.2.1"
			}
			r = from("10.1.1.1:1")
			r.Header = h.Clone()
			if lines := r.Header[name]; len(lines) > 0 && random.IntN(2) == 0 {
				lines[len(lines)-1] += ", " + knows
			} else {
				r.Header.Add(name, knows)
			}
			got := clientOf(&proxies, r)
			if malformed := proxies.Forwarded && got.addr == netip.MustParseAddr("10.1.1.1"); malformed {
				if got.unlimited || got.scheme != "" || got.host != "" {
					t.Fatalf("round %d: clientOf(%v) = %+v, want the client that the proxy names", i, r.Header, got)
				}
				continue
			}
			proxied++
			if got.addr != real || got.unlimited || !got.proxied {
				t.Fatalf("round %d: clientOf(%v) = %+v, want the client that the proxy names", i, r.Header, got)
			}
		}
	}
	if proxied < 20_000 {
		t.Errorf("only %d headers were well-formed, want at least 20,000", proxied)
	}
}

func FuzzForwarded(f *testing.F) {
	for _, text := range append(inventions, `for="[2001:db8::1]:55";proto=https;host=domain.se, for=10.1.1.1`) {
		f.Add(text)
	}
	proxies := conn.Proxies{Trusted: behind.Trusted, Forwarded: true}
	f.Fuzz(func(t *testing.T, text string) {
		for _, p := range []conn.Proxies{behind, proxies} {
			r := from("127.0.0.1:1")
			r.Header = http.Header{"Forwarded": {text}, "X-Forwarded-For": {text}, "X-Forwarded-Host": {text},
				"X-Forwarded-Proto": {text}}
			c := clientOf(&p, r)
			if c.scheme != "" && c.scheme != "http" && c.scheme != "https" || c.host != "" && !isHost(c.host) {
				t.Errorf("%q: %+v", text, c)
			}
			if !c.unlimited && !c.addr.IsValid() {
				t.Errorf("%q: there is no address for the rate limit: %+v", text, c)
			}
		}
	})
}

func TestClientAllocatesNothing(t *testing.T) {
	for _, row := range []struct {
		proxies conn.Proxies
		r       *http.Request
	}{
		{behind, from("192.0.2.1:1")},
		{behind, from("127.0.0.1:1", "X-Forwarded-For: 192.0.2.1, 10.1.1.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: domain.se")},
		{conn.Proxies{Trusted: behind.Trusted, Forwarded: true},
			from("127.0.0.1:1", "Forwarded: for=192.0.2.1;proto=https;host=domain.se")},
	} {
		if n := testing.AllocsPerRun(100, func() { clientOf(&row.proxies, row.r) }); n > 0 {
			t.Errorf("clientOf(%v) makes %v allocations, want none", row.r.Header, n)
		}
	}
}
