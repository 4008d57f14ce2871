package server_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"signpost/account"
	"signpost/internal/conn"
	"signpost/internal/fair"
	"signpost/internal/server"
)

// TestFlood floods from one address while another sends a few requests.
func TestFlood(t *testing.T) {
	log := new(lockedBuffer)
	o := newOptions(t, log)
	const perSecond, burst = 10, 40
	o.Rate = server.RateOf(perSecond, burst)
	address := start(t, &server.Service{Handler: server.Handler(o)})
	client := func(from string) *http.Client {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		transport := &http.Transport{DialContext: dialer.DialContext}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport}
	}
	ask := func(c *http.Client, method string) *http.Response {
		target, host := "/mail/config-v1.1.xml", "autoconfig.example.se"
		if method == "POST" {
			target, host = "/autodiscover/autodiscover.xml", "autodiscover.domain.se"
		}
		request, err := http.NewRequest(method, "http://"+address+target, strings.NewReader(outlookBody))
		if err != nil {
			t.Error(err)
			return nil
		}
		request.Host = host
		response, err := c.Do(request)
		if err != nil {
			t.Error(err)
			return nil
		}
		response.Body.Close()
		return response
	}
	var served, limited atomic.Int64
	var group sync.WaitGroup
	begun := time.Now()
	for worker := range 8 {
		group.Go(func() {
			c := client("127.0.0.1")
			for range 100 {
				response := ask(c, []string{"GET", "POST"}[worker%2])
				if response == nil {
					return
				}
				switch response.StatusCode {
				case http.StatusOK:
					served.Add(1)
				case http.StatusTooManyRequests:
					limited.Add(1)
					if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err != nil ||
						seconds < 1 || seconds > 5 {
						t.Errorf("Retry-After = %q, want 1 to 5 seconds", response.Header.Get("Retry-After"))
					}
				default:
					t.Errorf("the flood got status %s, want 200 or 429", response.Status)
				}
			}
		})
	}
	group.Go(func() {
		c := client("127.0.0.2")
		for range burst / 2 {
			if response := ask(c, "GET"); response != nil && response.StatusCode != http.StatusOK {
				t.Errorf("the other address got status %s, want 200", response.Status)
			}
		}
	})
	group.Wait()
	most := int64(burst + 1 + perSecond*time.Since(begun).Seconds())
	if served.Load() < burst || served.Load() > most || served.Load()+limited.Load() != 800 {
		t.Errorf("of 800 requests %d were served and %d limited, want %d to %d served",
			served.Load(), limited.Load(), burst, most)
	}
	lines := strings.Count(log.String(), `msg="too many requests"`)
	if seconds := int(time.Since(begun).Seconds()) + 2; lines < 1 || lines > seconds ||
		!strings.Contains(log.String(), "block=127.0.0.1/32") {
		t.Errorf("the log has %d lines about too many requests, want one a second, with the address:\n%s", lines, log)
	}
	if strings.Contains(log.String(), "status=429") {
		t.Errorf("the log has a line for each refused request:\n%s", log)
	}
}

// TestLimitedByClient checks that behind a proxy, each client has a rate limit of its
// own and the proxy has none.
func TestLimitedByClient(t *testing.T) {
	o := newOptions(t, new(bytes.Buffer))
	o.Proxies.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	o.Rate = server.RateOf(1, 1)
	handler := server.Handler(o)
	ask := func(peer, forwarded string) int {
		r := request("GET", "autoconfig.example.se", "/mail/config-v1.1.xml", "")
		r.RemoteAddr = peer
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	for i, row := range []struct {
		peer, forwarded string
		want            int
	}{
		{"127.0.0.1:1", "192.0.2.1", 200},
		{"127.0.0.1:1", "192.0.2.1", 429},
		{"127.0.0.1:1", "192.0.2.2", 200},
		{"127.0.0.1:1", "198.51.100.1, 192.0.2.2", 429}, // what the client sent comes first
		{"192.0.2.1:5", "", 429},                        // the same client without the proxy
		{"127.0.0.1:1", "", 200},
		{"127.0.0.1:1", "", 200},
		{"127.0.0.2:1", "192.0.2.9", 200}, // no proxy
		{"127.0.0.2:1", "192.0.2.8", 429},
		{"127.0.0.1:1", "2001:db8::1", 200},
		{"127.0.0.1:1", "2001:db8::2", 429},
	} {
		if got := ask(row.peer, row.forwarded); got != row.want {
			t.Errorf("request %d, peer %s for client %q: got status %d, want %d",
				i, row.peer, row.forwarded, got, row.want)
		}
	}
}

// TestHostileRequestsThroughAProxy sends the hostile requests through a trusted proxy,
// with hostile texts in its forwarding headers.
func TestHostileRequestsThroughAProxy(t *testing.T) {
	words := []string{"", "unknown", "192.0.2.1", "<script>", `"`, `for="`, "a\xff", strings.Repeat("1,", 2000),
		strings.Repeat("[", 300), "%s%d", "for=;;,", "-1.1.1.1:99999", "::::", "1.2.3.4, \t,"}
	hosts := []string{"", "<script>", `"`, "a b", "a/b", "a@b", "é", strings.Repeat("a", 301), "%s", "\xff"}
	for _, forwarded := range []bool{false, true} {
		o := newOptions(t, new(bytes.Buffer))
		o.Proxies = conn.Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Forwarded: forwarded}
		address := start(t, &server.Service{Handler: server.Handler(o)})
		for i, h := range hostileRequests() {
			line, rest, ok := strings.Cut(h.request, "\r\n")
			if !ok || h.body != nil || strings.Contains(h.name, "unknown Host") ||
				strings.Contains(h.name, "not trusted") {
				continue
			}
			word := words[i%len(words)]
			head := fmt.Sprintf("%s\r\nX-Forwarded-For: %s\r\nX-Forwarded-Host: %s\r\nX-Forwarded-Proto: %s\r\nForwarded: %s\r\nX-Request-Id: %s\r\n", line, word, hosts[i%len(hosts)], word, word, word)
			got := send(t, address, hostile{request: head + rest})
			found := got.status == http.StatusRequestHeaderFieldsTooLarge && len(head) > 4000 ||
				got.status == 400 && strings.Contains(word, "\xff")
			for _, status := range h.want {
				found = found || got.status == status
			}
			if !found || got.status >= 500 {
				t.Errorf("%s with %.20q: got status %d, want one of %v\n%s", h.name, word, got.status, h.want, got.body)
			}
			if strings.Contains(got.body, "<script") || leaks.MatchString(got.body) {
				t.Errorf("%s with %.20q: the response echoes or leaks:\n%s", h.name, word, got.body)
			}
		}
	}
}

// TestBeyondItsShare has the questions of one client refused, because it has too many
// under way. That is not a failure of the service: it must neither alert the operator
// nor fill the log.
func TestBeyondItsShare(t *testing.T) {
	log := new(bytes.Buffer)
	o := newOptions(t, log)
	var callers []fair.Caller
	o.Resolve = func(ctx context.Context, _ account.Query) (account.Settings, error) {
		callers = append(callers, fair.CallerOf(ctx))
		return account.Settings{}, fmt.Errorf("MX of domain.se: %w", fair.ErrClient)
	}
	handler := server.Handler(o)
	for range 50 {
		r := request("GET", "autoconfig.domain.se", "/mail/config-v1.1.xml?emailaddress=anna@domain.se", "")
		r.RemoteAddr = "[2001:db8:1:2::3]:4711"
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Fatalf("got status %d with Retry-After %q, want 503 with one", w.Code, w.Header().Get("Retry-After"))
		}
	}
	addr := netip.MustParseAddr("2001:db8:1:2::3")
	want := fair.Caller{
		Kind: fair.Request, Block: uint64(conn.BlockOf(addr)), Wide: uint64(conn.WideBlockOf(addr)),
	}
	for _, c := range callers {
		if c.Kind != want.Kind || c.Block != want.Block || c.Wide != want.Wide {
			t.Fatalf("the question is asked on behalf of %+v, want %+v", c, want)
		}
	}
	lines := strings.Count(log.String(), "\n")
	if lines < 1 || lines > 3 || lines != strings.Count(log.String(), `msg="too many requests"`) ||
		!strings.Contains(log.String(), "block=2001:db8:1:2::/64") {
		t.Errorf("50 refused questions left %d lines in the log, want one a second that names the block:\n%s",
			lines, log)
	}
}
