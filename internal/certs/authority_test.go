package certs

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"signpost/internal/caa"
	"signpost/internal/dns"
)

// directoryServer starts a server with the directory of an ACME server, and returns how
// to order there. meta is its metadata.
func directoryServer(t *testing.T, meta string) (*ACME, *httptest.Server) {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.UserAgent() == "" || !strings.HasPrefix(r.UserAgent(), "Signpost") {
			t.Errorf("the directory is asked for by %q, want Signpost", r.UserAgent())
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"newNonce": "https://ca.example/n", "newOrder": "https://ca.example/o"%s}`, meta)
	}))
	t.Cleanup(s.Close)
	root := filepath.Join(t.TempDir(), "root.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(root, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return &ACME{Directory: s.URL + "/directory", CARoot: root, Storage: t.TempDir()}, s
}

// TestIdentities asks ACME servers by which names CAA records know them (RFC 8555
// section 9.7.6).
func TestIdentities(t *testing.T) {
	for _, test := range []struct {
		meta       string
		configured []string
		want       []string
	}{
		{`, "meta": {"caaIdentities": ["CA.example", "ca.example.net"]}`, nil, []string{"ca.example", "ca.example.net"}},
		{`, "meta": {"website": "https://ca.example"}`, nil, nil},
		{"", nil, nil},
		{`, "meta": {"caaIdentities": ["ca.example"]}`, []string{"other.example"}, []string{"other.example"}},
	} {
		o, s := directoryServer(t, test.meta)
		a := o.Authority(func() []string { return test.configured })
		for _, state := range []string{"running", "closed"} {
			if got, err := a.Identities(t.Context()); err != nil || !slices.Equal(got, test.want) {
				t.Errorf("identities of a directory with %q = %v, %v, want %v (server %s)", test.meta, got, err, test.want, state)
			}
			s.Close() // the second answer is remembered
		}
	}
}

// TestIdentitiesUnknown checks that a server that does not answer is not asked again at
// once, and that Let's Encrypt is known without an answer.
func TestIdentitiesUnknown(t *testing.T) {
	o, s := directoryServer(t, "")
	s.Close()
	a := o.Authority(nil)
	if got, err := a.Identities(t.Context()); err == nil {
		t.Errorf("identities of a server that does not answer = %v, want an error", got)
	}
	start := time.Now()
	if _, err := a.Identities(t.Context()); err == nil || time.Since(start) > time.Second {
		t.Errorf("the second question = %v after %v, want the first error at once", err, time.Since(start))
	}
	missing := &ACME{CARoot: filepath.Join(t.TempDir(), "missing")} // so that nothing is asked
	if got, err := missing.Authority(nil).Identities(t.Context()); err != nil || !slices.Equal(got, []string{letsEncrypt}) {
		t.Errorf("identities of Let's Encrypt without an answer = %v, %v, want %s", got, err, letsEncrypt)
	}
}

// TestCAAForbidsOrder checks that nothing is ordered for a name whose CAA records forbid
// it, and that the log has the reason.
func TestCAAForbidsOrder(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	var s *acmeServer
	for _, step := range []struct {
		value, reason string
	}{
		{"other.example", "the CAA records of customer.example allow only other.example to issue certificates"},
		{";", "the CAA records of customer.example allow nobody to issue certificates"},
	} {
		s = n.start(t.TempDir(), nil, func(o *Options, p *testPolicy) {
			o.CAAIdentities = func() []string { return []string{"ca.example"} }
			p.caa = func(context.Context, string) (caa.Set, error) {
				r := dns.Record{Name: "customer.example", Type: "CAA", Data: "0 issue " + dns.Quote(step.value)}
				return caa.Set{Name: r.Name, Records: []dns.Record{r}}, nil
			}
		})
		if _, err := s.dial(customer); err == nil {
			t.Errorf("issue %q: the handshake succeeded", step.value)
		}
		if s.log.count("no certificate", "name="+customer, step.reason) != 1 {
			t.Errorf("issue %q: no line says %q:\n%s", step.value, step.reason, s.log)
		}
		s.stop()
	}
	if got := n.orders.Load(); got != 0 {
		t.Errorf("%d orders, want none", got)
	}
}

// TestAccounts reads the URI of the account that an order has created.
func TestAccounts(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	dir := t.TempDir()
	o := &ACME{Storage: dir}
	if got := o.accounts(); got != nil {
		t.Errorf("accounts of an empty storage = %q, want none", got)
	}
	n.start(dir, nil, nil).mustDial(customer)
	if got := o.accounts(); len(got) != 1 || !strings.HasPrefix(got[0], n.server.URL) {
		t.Errorf("accounts = %q, want one at %s", got, n.server.URL)
	}
}
