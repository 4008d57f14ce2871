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
)

// FuzzName: whatever a stranger calls us, the decision sees only host names in
// the form in which they are configured, and no is no certificate.
func FuzzName(f *testing.F) {
	for _, name := range []string{customer, "AUTOCONFIG.Customer.Example.", "127.0.0.1", "", "a..b", "räksmörgås.example", "*.example", "../../etc", "xn--a.example", "a.\x00b"} {
		f.Add(name)
	}
	var wrong sync.Map // names as no configuration has them; the decision can be asked in the background
	decide := func(_ context.Context, name string) error {
		if parsed, err := account.ParseDomain(name); err != nil || parsed != name {
			wrong.Store(name, true)
		}
		return account.ErrUnknownDomain
	}
	policy := Policy{Allowed: decide}
	m, err := New(Options{ACME: benchACME(f.TempDir()), Policy: policy})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(m.Close)
	ask := AskHandler(policy, 0, slog.New(slog.DiscardHandler))
	challenge := m.HTTPChallenge(http.NotFoundHandler())
	f.Fuzz(func(t *testing.T, name string) {
		for _, protocols := range [][]string{nil, {challengeProtocol}} {
			if c, _ := m.certificate(&tls.ClientHelloInfo{ServerName: name, SupportedProtos: protocols}); c != nil {
				t.Errorf("%q has a certificate", name)
			}
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/ask?domain="+url.QueryEscape(name), http.NoBody)
		if ask.ServeHTTP(w, r); w.Code != http.StatusForbidden {
			t.Errorf("%q: %d", name, w.Code)
		}
		w = httptest.NewRecorder()
		r = httptest.NewRequest("GET", challengePath+url.PathEscape(name), http.NoBody)
		r.Host = name
		if challenge.ServeHTTP(w, r); w.Code != http.StatusNotFound {
			t.Errorf("a challenge for %q: %d", name, w.Code)
		}
		wrong.Range(func(asked, _ any) bool {
			t.Errorf("%q: the decision is asked about %q", name, asked)
			wrong.Delete(asked)
			return true
		})
	})
}
