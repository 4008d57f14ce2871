package records

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"signpost/account"
	"signpost/autoconfig"
)

// TestCompareAsks checks what the comparison says of the answers under the names that
// lead to the service, and that it asks once under each.
func TestCompareAsks(t *testing.T) {
	settings := settingsFor(customer, everyServer[0], everyServer[3])
	g := New(Options{Name: "setup.example.net"})
	domain := g.For(settings)
	config, err := autoconfig.Document(settings)
	if err != nil {
		t.Fatal(err)
	}
	pacc, err := g.documents.Document(settings)
	if err != nil {
		t.Fatal(err)
	}
	page := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			w.Write([]byte(body))
		}
	}
	good := func() map[string]http.HandlerFunc {
		return map[string]http.HandlerFunc{
			"autoconfig":     page(200, "text/xml", string(config)),
			"autodiscover":   page(302, "text/plain", ""),
			"ua-auto-config": page(200, "application/json", string(pacc)),
		}
	}
	html := page(200, "text/html", "<p>Welcome</p>")
	for _, test := range []struct {
		name   string
		secure bool // asked by HTTPS, of a server whose certificate has other names
		label  string
		answer http.HandlerFunc
		want   string // how the only finding begins; none if empty
	}{
		{name: "as it should be"},
		{name: "refusals", label: "autoconfig", answer: page(404, "text/plain; charset=utf-8", "not found")},
		{name: "too many requests", label: "autodiscover", answer: page(429, "text/plain", "")},
		{name: "a web site at autoconfig", label: "autoconfig", answer: html,
			want: "autoconfig.kund.example leads to a service that answers /mail/config-v1.1.xml with status 200 and " +
				`"text/html", not as this one does`},
		{name: "a web site at autodiscover", label: "autodiscover", answer: html,
			want: "autodiscover.kund.example leads to a service that answers /autodiscover/autodiscover.xml with status 200"},
		{name: "another document", label: "ua-auto-config", answer: page(200, "application/json", "{}"),
			want: "ua-auto-config.kund.example leads to a service that answers /.well-known/user-agent-configuration.json"},
		{name: "another certificate", secure: true,
			want: "autoconfig.kund.example leads to the service, which does not answer there: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			answers, asked := good(), map[string]int{}
			if test.answer != nil {
				answers[test.label] = test.answer
			}
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				label, _, _ := strings.Cut(r.Host, ".")
				asked[label]++
				answers[label](w, r)
			})
			start := httptest.NewServer
			if test.secure {
				start = httptest.NewTLSServer
			}
			server := start(handler)
			defer server.Close()
			c := comparerFor(t, zoneOf(t, domain), true, nil)
			c.AskServices(func(string) bool { return test.secure })
			var dialer net.Dialer
			c.web.Transport = &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, server.Listener.Addr().String())
			}}
			got := c.Compare(t.Context(), domain)
			findings := len(got.Findings)
			switch {
			case test.want == "" && (findings > 0 || got.Error != ""):
				t.Errorf("Compare = %v, want no findings", got)
			case test.want != "" && !test.secure && findings != 1, test.secure && findings != 3:
				t.Fatalf("Compare = %v, want one finding, or one for each name without a certificate", got)
			case test.want != "" && (!strings.HasPrefix(got.Findings[0].Problem, test.want) || !got.Wrong()):
				t.Errorf("Compare found %q, want %q…", got.Findings[0].Problem, test.want)
			}
			for label, n := range asked {
				if n != 1 {
					t.Errorf("%d requests under %s, want one", n, label)
				}
			}
			if !test.secure && len(asked) != 3 {
				t.Errorf("requests under %v, want one under each of the three names", asked)
			}
		})
	}
}

// TestCompareAsksOnlyHere checks that another service is not asked: it need not answer
// as this one does.
func TestCompareAsksOnlyHere(t *testing.T) {
	s := settingsFor(customer, everyServer[0], everyServer[3])
	s.Provider.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: "autodiscover-s.outlook.com"}
	domain := New(Options{Name: "setup.example.net"}).For(s)
	c := comparerFor(t, zoneOf(t, domain), true, nil)
	c.AskServices(nil)
	c.web.Timeout = 50 * time.Millisecond
	c.web.Transport = &http.Transport{DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
		if strings.HasPrefix(address, "autodiscover.") {
			t.Errorf("connection to %s, want none, as it leads to another service", address)
		}
		return nil, context.DeadlineExceeded
	}}
	if got := c.Compare(t.Context(), domain); len(got.Findings) != 2 {
		t.Errorf("Compare = %v, want findings at autoconfig and ua-auto-config, which nobody answers", got)
	}
}

// TestCompareDials checks that the service is asked at the addresses that the resolver
// knows, and at the next one if the first does not answer.
func TestCompareDials(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	c := comparerFor(t, "two 300 IN A 127.0.0.2\ntwo 300 IN A 127.0.0.1\n", false, nil)
	conn, err := c.dial(t.Context(), "tcp", "two.kund.example:"+port)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if _, err := c.dial(t.Context(), "tcp", "none.kund.example:"+port); err == nil ||
		err.Error() != "it has no address" {
		t.Errorf("dial(none.kund.example): error %v, want that it has no address", err)
	}
}
