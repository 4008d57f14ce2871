package certs

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"signpost/account"
	"signpost/internal/caa"
)

// FuzzName checks that the policy is only asked about host names in the form in
// which they are configured, whatever name a client sends, and that a refused
// name has no certificate.
func FuzzName(f *testing.F) {
	for _, name := range []string{customer, "AUTOCONFIG.Customer.Example.", "127.0.0.1", "", "a..b",
		"räksmörgås.example", "*.example", "../../etc", "xn--a.example", "a.\x00b"} {
		f.Add(name)
	}
	var wrong sync.Map // names in another form; the policy may be asked in the background
	policy := &testPolicy{allowed: func(_ context.Context, name string) error {
		if parsed, err := account.ParseDomain(name); err != nil || parsed != name {
			wrong.Store(name, true)
		}
		return account.ErrUnknownDomain
	}}
	m, err := New(Options{ACME: benchACME(f.TempDir()), Policy: policy})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(m.Close)
	ask := AskHandler(policy, caa.Named("ca.example"), 0, nil, slog.New(slog.DiscardHandler))
	challenge := m.HTTPChallenge(http.NotFoundHandler())
	f.Fuzz(func(t *testing.T, name string) {
		for _, protocols := range [][]string{nil, {challengeProtocol}} {
			if c, _ := m.certificate(&tls.ClientHelloInfo{ServerName: name, SupportedProtos: protocols}); c != nil {
				t.Errorf("%q has a certificate, although the policy allows none", name)
			}
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/ask?domain="+url.QueryEscape(name), http.NoBody)
		if ask.ServeHTTP(w, r); w.Code != http.StatusForbidden {
			t.Errorf("a proxy that asks about %q received status %d, want 403", name, w.Code)
		}
		w = httptest.NewRecorder()
		r = httptest.NewRequest("GET", challengePath+url.PathEscape(name), http.NoBody)
		r.Host = name
		if challenge.ServeHTTP(w, r); w.Code != http.StatusNotFound {
			t.Errorf("a request for a challenge of %q: status %d, want 404 by the next handler", name, w.Code)
		}
		wrong.Range(func(asked, _ any) bool {
			t.Errorf("client that asks for %q: the policy was asked about %q", name, asked)
			wrong.Delete(asked)
			return true
		})
	})
}
