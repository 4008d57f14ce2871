package certs

import (
	"context"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mholt/acmez/v3/acme"

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
				t.Errorf("identities of a directory with %q = %v, %v, want %v (server %s)",
					test.meta, got, err, test.want, state)
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
	if got, err := missing.Authority(nil).Identities(t.Context()); err != nil ||
		!slices.Equal(got, []string{letsEncrypt}) {
		t.Errorf("identities of Let's Encrypt without an answer = %v, %v, want %s", got, err, letsEncrypt)
	}
}

// silentServer returns the URL of a server that accepts connections and never answers.
func silentServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return "http://" + l.Addr().String() + "/directory"
}

// TestIdentitiesOfASilentServer checks that each caller waits only as long as its context
// allows, whoever else waits for the same server, and that an order that waits for another
// silent server holds nobody up.
func TestIdentitiesOfASilentServer(t *testing.T) {
	silent := newIdentities(silentServer(t), "")
	patient, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		defer close(left)
		silent.get(patient)
	}()
	for range 2 {
		time.Sleep(50 * time.Millisecond) // so that the other one asks first
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		start := time.Now()
		names, err := silent.get(ctx)
		cancel()
		if wait := time.Since(start); err == nil || wait > identitiesTimeout/2 {
			t.Errorf("a caller with 50 ms got %v, %v after %v, want an error when its time is over", names, err, wait)
		}
	}
	leave()
	<-left

	ordering, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	other := silentServer(t)
	go func() {
		defer close(stopped)
		(&acme.Client{Directory: other, HTTPClient: http.DefaultClient}).GetDirectory(ordering)
	}()
	time.Sleep(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), identitiesTimeout/2)
	defer cancel()
	o, _ := directoryServer(t, `, "meta": {"caaIdentities": ["ca.example"]}`)
	answer := make(chan error, 1)
	go func() {
		_, err := newIdentities(o.Directory, o.CARoot).get(ctx)
		answer <- err
	}()
	select {
	case err := <-answer:
		if err != nil {
			t.Errorf("identities while an order waits for another server: %v", err)
		}
	case <-ctx.Done():
		t.Error("identities are not had while an order waits for another server")
	}
	stop()
	<-stopped
}

// TestIdentitiesKept checks that a server that is down keeps the names that it said, and
// that it is asked again after a minute.
func TestIdentitiesKept(t *testing.T) {
	o, s := directoryServer(t, `, "meta": {"caaIdentities": ["ca.example"]}`)
	i := newIdentities(o.Directory, o.CARoot)
	if _, err := i.get(t.Context()); err != nil {
		t.Fatal(err)
	}
	if wait := time.Until(i.until); wait < identitiesFor-time.Minute {
		t.Errorf("an answer counts for %v, want %v", wait, identitiesFor)
	}
	s.Close()
	i.until = time.Time{}
	for _, state := range []string{"while it is asked", "after it gave no answer"} {
		if got, err := i.get(t.Context()); err != nil || !slices.Equal(got, []string{"ca.example"}) {
			t.Errorf("identities %s = %v, %v, want ca.example", state, got, err)
		}
		i.mu.Lock()
		asking := i.asking
		i.mu.Unlock()
		if asking != nil {
			<-asking
		}
	}
	if wait := time.Until(i.until); wait > identitiesAgain || wait < identitiesAgain/2 {
		t.Errorf("a server without an answer is asked again in %v, want %v", wait, identitiesAgain)
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
