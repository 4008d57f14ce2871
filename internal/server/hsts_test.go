package server_test

import (
	"crypto/tls"
	"io"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"signpost/internal/server"
)

// TestHSTS checks that only the service's own name gets Strict-Transport-Security, only by
// https, and only if the operator wants it.
func TestHSTS(t *testing.T) {
	const header = "Strict-Transport-Security"
	year, nothing := 365*24*time.Hour, time.Duration(0)
	for _, row := range []struct {
		name         string
		hsts         *time.Duration
		host, path   string
		tls          bool
		peer, scheme string
		want         string
	}{
		{"not configured", nil, "setup.mamutmail.com", "/", true, "192.0.2.1:1", "", ""},
		{"the page", &year, "setup.mamutmail.com", "/", true, "192.0.2.1:1", "", "max-age=31536000"},
		{"another path", &year, "SETUP.mamutmail.com.:443", "/nothing", true, "192.0.2.1:1", "", "max-age=31536000"},
		{"withdrawn", &nothing, "setup.mamutmail.com", "/", true, "192.0.2.1:1", "", "max-age=0"},
		{"behind a proxy", &year, "setup.mamutmail.com", "/", false, "127.0.0.1:1", "https", "max-age=31536000"},
		{"behind a proxy by http", &year, "setup.mamutmail.com", "/", false, "127.0.0.1:1", "http", ""},
		{"by http", &year, "setup.mamutmail.com", "/", false, "192.0.2.1:1", "", ""},
		{"a stranger's X-Forwarded-Proto", &year, "setup.mamutmail.com", "/", false, "192.0.2.1:1", "https", ""},
		{"a customer's name", &year, "autoconfig.domain.se", "/mail/config-v1.1.xml", true, "192.0.2.1:1", "", ""},
		{"a customer's domain", &year, "domain.se", "/", true, "192.0.2.1:1", "", ""},
		{"an address", &year, "192.0.2.9", "/", true, "192.0.2.1:1", "", ""},
		{"a name below", &year, "www.setup.mamutmail.com", "/", true, "192.0.2.1:1", "", ""},
	} {
		o := newOptions(t, io.Discard)
		o.HSTS = row.hsts
		o.Proxies.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		r := request("GET", row.host, row.path, "")
		r.RemoteAddr, r.TLS = row.peer, nil
		if row.tls {
			r.TLS = new(tls.ConnectionState)
		}
		if row.scheme != "" {
			r.Header.Set("X-Forwarded-Proto", row.scheme)
		}
		w := httptest.NewRecorder()
		server.Handler(o).ServeHTTP(w, r)
		if got := w.Header().Get(header); got != row.want {
			t.Errorf("%s: %s = %q, want %q", row.name, header, got, row.want)
		}
	}
}

// TestResourcePolicy checks that no other site can load the page, its files or a profile
// into a page of its own, whatever the answer is.
func TestResourcePolicy(t *testing.T) {
	handler := newHandler(t, io.Discard)
	for _, path := range []string{"/", "/?emailaddress=info%40domain.se", "/?emailaddress=%3Cb%3E",
		"/?emailaddress=a%40unknown.example", "/setup/style.css", "/setup/copy.js", "/setup/nothing",
		"/profile.mobileconfig?emailaddress=info%40domain.se", "/profile.mobileconfig?emailaddress=a%40unknown.example",
		"/profile.mobileconfig"} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, request(method, "setup.mamutmail.com", path, ""))
			if got := w.Header().Get("Cross-Origin-Resource-Policy"); got != "same-origin" {
				t.Errorf("%s %s (status %d): Cross-Origin-Resource-Policy = %q, want same-origin",
					method, path, w.Code, got)
			}
		}
	}
}
