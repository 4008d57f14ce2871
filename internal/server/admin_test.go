package server_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"signpost/internal/server"
)

// TestAdminRefusesPages checks that a page of another site cannot use the admin listener
// through the browser of somebody who reaches it, with headers as browsers send them.
func TestAdminRefusesPages(t *testing.T) {
	asked := 0
	count := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ })
	admin := server.Admin{Metrics: server.NewMetrics("", ""), Ready: func() error { return nil }, Pprof: true,
		Ask: count, Doctor: count}.Handler()
	const loopback, network = "127.0.0.1", "192.0.2.10"
	browser := func(site string) http.Header {
		h := http.Header{"Accept-Language": {"sv"}}
		if site != "" {
			h.Set("Sec-Fetch-Site", site)
		}
		return h
	}
	for _, row := range []struct {
		name, local, host string
		header            http.Header
		want              int
	}{
		{"Prometheus", loopback, "127.0.0.1:9480", nil, 200},
		{"Caddy", loopback, "localhost:9480", nil, 200},
		{"a person who types the URL", loopback, "localhost:9480", browser("none"), 200},
		{"a link in the list of profiles", loopback, "localhost:9480", browser("same-origin"), 200},
		{"a page of another site", loopback, "127.0.0.1:9480", browser("cross-site"), 403},
		{"a page of another port of localhost", loopback, "localhost:9480", browser("same-site"), 403},
		{"an unknown word", loopback, "localhost:9480", browser("x"), 403},
		{"an empty word", loopback, "localhost:9480", http.Header{"Sec-Fetch-Site": {""}}, 403},
		{"a second line", loopback, "localhost:9480", http.Header{"Sec-Fetch-Site": {"none", "cross-site"}}, 403},
		{"DNS rebinding", loopback, "evil.example:9480", browser(""), 403},
		{"Prometheus, over the network", network, "192.0.2.10:9480", nil, 200},
		{"Prometheus, by name", network, "signpost.internal.example:9480", nil, 200},
		{"a person, over the network", network, "192.0.2.10:9480", browser(""), 200},
		{"DNS rebinding, over the network", network, "evil.example:9480", browser(""), 403},
	} {
		for _, path := range []string{"/metrics", "/ask?domain=a.example", "/doctor", "/debug/pprof/"} {
			before := asked
			r := httptest.NewRequest("GET", path, nil)
			r.Host = row.host
			for key, values := range row.header {
				r.Header[key] = values
			}
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey,
				net.Addr(&net.TCPAddr{IP: net.ParseIP(row.local), Port: 9480})))
			w := httptest.NewRecorder()
			admin.ServeHTTP(w, r)
			if w.Code != row.want {
				t.Errorf("%s: GET %s = %d, want %d", row.name, path, w.Code, row.want)
			}
			if row.want != 200 && asked != before {
				t.Errorf("%s: GET %s was asked although it was refused", row.name, path)
			}
		}
	}
}
