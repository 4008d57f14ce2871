package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"signpost/account"
	"signpost/internal/freeport"
)

// network is a small internet on the loopback interface: Let's Encrypt's Pebble as
// the ACME server, a name server by which every name leads here, and our listeners.
type network struct {
	t        testing.TB
	server   *httptest.Server // Pebble
	rootFile string

	orders   atomic.Int64 // that Pebble received
	requests atomic.Int64 // of any kind that Pebble received
	accounts atomic.Int64 // that Pebble was asked to register
	delay    atomic.Int64 // of each answer to a new order, in nanoseconds
	roots    *x509.CertPool

	plain, secure net.Listener
	used          bool // a server has used the listeners, and closed them perhaps
}

type networkOptions struct {
	withoutHTTP, withoutTLS bool   // the ACME server cannot connect
	validity                uint64 // of certificates, in seconds
}

// handshakeTimeout is the time that net/http grants for a handshake unless it is
// extended.
const handshakeTimeout = 2 * time.Second

// missing is a name that does not exist in DNS.
const missing = "autoconfig.missing.example"

func newNetwork(t testing.TB, o networkOptions) *network {
	t.Helper()
	n := &network{t: t, plain: listen(t), secure: listen(t), roots: x509.NewCertPool()}
	httpPort, tlsPort := port(n.plain), port(n.secure)
	if o.withoutHTTP {
		httpPort = closedPort(t)
	}
	if o.withoutTLS {
		tlsPort = closedPort(t)
	}
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	authority := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: o.validity}})
	validation := va.New(quiet, httpPort, tlsPort, false, startDNS(t), store)
	front := wfe.New(quiet, store, validation, authority, []string{"pebble.letsencrypt.org"}, false, false, 0, 0)
	handler := front.Handler()
	n.server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n.requests.Add(1)
		switch r.URL.Path {
		case "/order-plz":
			n.orders.Add(1)
			time.Sleep(time.Duration(n.delay.Load()))
		case "/sign-me-up":
			n.accounts.Add(1)
		}
		handler.ServeHTTP(rw, r)
	}))
	n.server.Config.ErrorLog = quiet
	n.server.StartTLS()
	t.Cleanup(n.server.Close)
	n.rootFile = filepath.Join(t.TempDir(), "root.pem")
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: n.server.Certificate().Raw})
	if err := os.WriteFile(n.rootFile, root, 0o600); err != nil {
		t.Fatal(err)
	}
	if !n.roots.AppendCertsFromPEM(authority.GetRootCert(0).PEM()) {
		t.Fatal("Pebble has no root")
	}
	return n
}

// listen listens on a port that can be used again after the listener is closed.
func listen(t testing.TB) net.Listener { return listenAt(t, "127.0.0.1:"+freeport.Choose(t)) }

func listenAt(t testing.TB, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func closedPort(t testing.TB) int {
	l := listen(t)
	l.Close()
	return port(l)
}

// startDNS starts a name server that has the address 127.0.0.1 for every name but
// the missing one.
func startDNS(t testing.TB) string {
	t.Helper()
	l := listen(t) // Pebble uses TCP
	s := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		switch asked := q.Question[0]; {
		case strings.EqualFold(asked.Name, missing+"."):
			answer.Rcode = dns.RcodeNameError
		case asked.Qtype == dns.TypeA:
			rr, _ := dns.NewRR(asked.Name + " 60 IN A 127.0.0.1")
			answer.Answer = append(answer.Answer, rr)
		}
		w.WriteMsg(answer)
	})}
	ready := make(chan struct{})
	s.NotifyStartedFunc = func() { close(ready) }
	go s.ActivateAndServe()
	<-ready
	t.Cleanup(func() { s.Shutdown() })
	return l.Addr().String()
}

// testLog collects log lines.
type testLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *testLog) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *testLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// count returns how many lines contain all the words.
func (l *testLog) count(words ...string) int {
	n := 0
	for line := range strings.Lines(l.String()) {
		all := true
		for _, word := range words {
			all = all && strings.Contains(line, word)
		}
		if all {
			n++
		}
	}
	return n
}

// acmeServer is a Manager with ACME behind real listeners.
type acmeServer struct {
	*Manager
	log        *testLog
	network    *network
	address    string
	challenges atomic.Int64 // by HTTP-01
	stop       func()
}

// exampleDomains hosts all domains below example, except for those that begin with
// "not".
type exampleDomains struct{}

func (exampleDomains) Lists(string) bool { return false }

func (exampleDomains) Gone(string) bool { return true }

func (exampleDomains) ListsMX(string) bool { return false }

func (exampleDomains) Serves(_ context.Context, domain string) error {
	if strings.HasSuffix(domain, ".example") && !strings.HasPrefix(domain, "not.") {
		return nil
	}
	return account.ErrUnknownDomain
}

// start starts a server with a storage directory. tune and change may be nil.
func (n *network) start(storage string, tune func(*tuning), change func(*Options, *testPolicy)) *acmeServer {
	n.t.Helper()
	s := &acmeServer{log: &testLog{}, network: n}
	policy := &testPolicy{allowed: (&Names{Own: "setup.hoster.example", Domains: exampleDomains{}}).Allowed}
	o := Options{
		Policy: policy,
		ACME: &ACME{
			Email:     "anna.operator@hoster.example",
			Directory: n.server.URL + "/dir",
			Storage:   storage,
			CARoot:    n.rootFile,
		},
		Log: s.log.logger(),
	}
	if change != nil {
		change(&o, policy)
	}
	tuned := tuning{}
	if tune != nil {
		tune(&tuned)
	}
	m, err := newManager(o, tuned)
	if err != nil {
		n.t.Fatal(err)
	}
	s.Manager = m
	plain := &http.Server{Handler: m.HTTPChallenge(http.NotFoundHandler())}
	handler := plain.Handler
	plain.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, challengePath) {
			s.challenges.Add(1)
			// Somebody else asks at the same time, with a token of their own.
			other := httptest.NewRequest(http.MethodGet, challengePath+"unknown", http.NoBody)
			other.Host = r.Host
			answer := httptest.NewRecorder()
			if handler.ServeHTTP(answer, other); answer.Code != http.StatusNotFound {
				n.t.Errorf("an unknown token during a challenge: status %d, want 404 by the next handler", answer.Code)
			}
		}
		handler.ServeHTTP(rw, r)
	})
	secure := &http.Server{
		Handler:           http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "hello\n") }),
		TLSConfig:         m.TLSConfig(),
		ReadHeaderTimeout: handshakeTimeout,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	if n.used {
		n.plain, n.secure = listenAt(n.t, n.plain.Addr().String()), listenAt(n.t, n.secure.Addr().String())
	}
	n.used = true
	go plain.Serve(n.plain)
	go secure.ServeTLS(n.secure, "", "")
	s.address = n.secure.Addr().String()
	m.Start(n.t.Context())
	s.stop = sync.OnceFunc(func() {
		m.Close()
		plain.Close()
		secure.Close()
	})
	n.t.Cleanup(s.stop)
	return s
}

// dial performs a handshake as a client that trusts Pebble.
func (s *acmeServer) dial(name string) (tls.ConnectionState, error) {
	d := tls.Dialer{
		NetDialer: &net.Dialer{Timeout: 30 * time.Second},
		Config:    &tls.Config{ServerName: name, RootCAs: s.network.roots},
	}
	c, err := d.DialContext(s.network.t.Context(), "tcp", s.address)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer c.Close()
	return c.(*tls.Conn).ConnectionState(), nil
}

func (s *acmeServer) mustDial(name string) tls.ConnectionState {
	s.network.t.Helper()
	state, err := s.dial(name)
	if err != nil {
		s.network.t.Fatalf("%s: %v\n%s", name, err, s.log)
	}
	return state
}

// within waits until a condition holds, and fails the test if it takes too long.
func within(t testing.TB, d time.Duration, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not happen within %v: %s", d, what)
		}
	}
}
