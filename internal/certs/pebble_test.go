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

// world is a small internet on the loopback interface: Let's Encrypt's Pebble as
// the ACME server, a name server that leads every name to us, and our listeners.
type world struct {
	t        testing.TB
	server   *httptest.Server // Pebble
	rootFile string

	orders   atomic.Int64 // that Pebble has taken
	requests atomic.Int64 // of any kind
	delay    atomic.Int64 // of each answer to a new order, in nanoseconds
	issued   *x509.CertPool

	plain, secure net.Listener
	taken         bool // the listeners are, or have been, a service's
}

type worldOptions struct {
	withoutHTTP, withoutTLS bool   // what the ACME server cannot reach
	validity                uint64 // of certificates, in seconds
}

// handshakeTimeout is what net/http grants for a handshake, if nobody extends it.
const handshakeTimeout = 2 * time.Second

// missing is a name that the name server does not have.
const missing = "autoconfig.missing.example"

func newWorld(t testing.TB, o worldOptions) *world {
	t.Helper()
	w := &world{t: t, plain: listen(t), secure: listen(t), issued: x509.NewCertPool()}
	httpPort, tlsPort := port(w.plain), port(w.secure)
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
	w.server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		if r.URL.Path == "/order-plz" {
			w.orders.Add(1)
			time.Sleep(time.Duration(w.delay.Load()))
		}
		handler.ServeHTTP(rw, r)
	}))
	w.server.Config.ErrorLog = quiet
	w.server.StartTLS()
	t.Cleanup(w.server.Close)
	w.rootFile = filepath.Join(t.TempDir(), "root.pem")
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.server.Certificate().Raw})
	if err := os.WriteFile(w.rootFile, root, 0o600); err != nil {
		t.Fatal(err)
	}
	if !w.issued.AppendCertsFromPEM(authority.GetRootCert(0).PEM()) {
		t.Fatal("Pebble has no root")
	}
	return w
}

// listen takes a port that can be taken again when the listener is closed.
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

// startDNS answers that every name is at 127.0.0.1, but for the missing one.
func startDNS(t testing.TB) string {
	t.Helper()
	l := listen(t) // Pebble asks by TCP
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

// logged collects log lines.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// count is how many lines hold the words.
func (l *logged) count(words ...string) int {
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

// service is Signpost as far as this package goes.
type service struct {
	*Manager
	log      *logged
	world    *world
	address  string
	answered atomic.Int64 // HTTP-01 challenges
	stop     func()
}

// hosted are the domains of the tests.
func hosted(_ context.Context, domain string) error {
	if strings.HasSuffix(domain, ".example") && !strings.HasPrefix(domain, "not.") {
		return nil
	}
	return account.ErrUnknownDomain
}

// start runs the service in the world with the storage folder. tune and options
// may be nil.
func (w *world) start(storage string, tune func(*tuning), change func(*Options)) *service {
	w.t.Helper()
	s := &service{log: &logged{}, world: w}
	o := Options{
		Policy: Policy{Allowed: Allow("setup.hoster.example", false, hosted)},
		ACME: &ACME{
			Email:     "anna.operator@hoster.example",
			Directory: w.server.URL + "/dir",
			Storage:   storage,
			CARoot:    w.rootFile,
		},
		Log: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	if change != nil {
		change(&o)
	}
	knobs := tuning{}
	if tune != nil {
		tune(&knobs)
	}
	m, err := newManager(o, knobs)
	if err != nil {
		w.t.Fatal(err)
	}
	s.Manager = m
	plain := &http.Server{Handler: m.HTTPChallenge(http.NotFoundHandler())}
	counted := plain.Handler
	plain.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, challengePath) {
			s.answered.Add(1)
		}
		counted.ServeHTTP(rw, r)
	})
	secure := &http.Server{
		Handler:           http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "hello\n") }),
		TLSConfig:         m.TLSConfig(),
		ReadHeaderTimeout: handshakeTimeout,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	if w.taken {
		w.plain, w.secure = listenAt(w.t, w.plain.Addr().String()), listenAt(w.t, w.secure.Addr().String())
	}
	w.taken = true
	go plain.Serve(w.plain)
	go secure.ServeTLS(w.secure, "", "")
	s.address = w.secure.Addr().String()
	m.Start(w.t.Context())
	s.stop = sync.OnceFunc(func() {
		m.Close()
		plain.Close()
		secure.Close()
	})
	w.t.Cleanup(s.stop)
	return s
}

// dial shakes hands as a client that trusts Pebble.
func (s *service) dial(name string) (tls.ConnectionState, error) {
	d := tls.Dialer{
		NetDialer: &net.Dialer{Timeout: 30 * time.Second},
		Config:    &tls.Config{ServerName: name, RootCAs: s.world.issued},
	}
	c, err := d.DialContext(s.world.t.Context(), "tcp", s.address)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer c.Close()
	return c.(*tls.Conn).ConnectionState(), nil
}

func (s *service) mustDial(name string) tls.ConnectionState {
	s.world.t.Helper()
	state, err := s.dial(name)
	if err != nil {
		s.world.t.Fatalf("%s: %v\n%s", name, err, s.log)
	}
	return state
}

// within waits until a condition holds.
func within(t testing.TB, d time.Duration, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", d, what)
		}
	}
}
