package certs

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"

	"signpost/internal/certfile"
	"signpost/internal/fair"
)

// Options configures a Manager.
type Options struct {
	// Name is the service's own host name, or empty. A client that names no host
	// gets its certificate.
	Name string
	// Files are the operator's own certificates. They take precedence over ACME.
	Files []certfile.Pair
	// ACME orders certificates for names without one. Nil orders none.
	ACME *ACME
	// Shared is the database of the certificates that ACME orders. If it is nil, they are in
	// the directory ACME.Storage.
	Shared Shared
	// CAAIdentities returns the domains by which CAA records know the authority of
	// ACME. If it is nil or returns none, the directory of the server names them.
	CAAIdentities func() []string
	// Policy decides for which names certificates may be ordered. If it is nil,
	// only Name may have one.
	Policy Policy
	// Caller returns on whose behalf a handshake with a client at the address asks
	// DNS. Nil makes no difference between clients.
	Caller func(net.Addr) fair.Caller
	// Log is for the operator; nil discards everything.
	Log *slog.Logger
}

// Shared is a storage that several machines may share. They order together what one may
// order, and answer each other's challenges.
type Shared interface {
	certmagic.Storage
	// Away reports whether nothing can be ordered now: the storage cannot be read, or not be
	// written.
	Away() bool
	// Swap replaces the value of a key and reports whether it did: not if the value is not old
	// any more. Without old, there must be none. No two machines may write the same value.
	Swap(ctx context.Context, key string, old, value []byte) (bool, error)
	// DeleteOlder deletes the values below a prefix that were stored an age ago or earlier.
	DeleteOlder(ctx context.Context, prefix string, age time.Duration) error
	// OnLoss returns a context. If a lock that is taken with it becomes another machine's,
	// lost is called.
	OnLoss(ctx context.Context, lost func()) context.Context
}

// Manager provides the certificates of the service. It is safe for concurrent use.
type Manager struct {
	name  string
	files *files
	acme  *acmeIssuer // nil without ACME

	stop    context.CancelFunc
	running sync.WaitGroup
	closing sync.Once
}

// New returns a Manager. The error names the file or directory that cannot be
// used, and is a *PairError if it concerns one of Options.Files. The caller must
// call Close.
func New(o Options) (*Manager, error) { return newManager(o, tuning{}) }

func newManager(o Options, t tuning) (*Manager, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Policy == nil {
		o.Policy = &Names{Own: o.Name}
	}
	m := &Manager{name: o.Name, stop: func() {}}
	var err error
	if m.files, err = newFiles(o.Files, o.Log); err != nil {
		return nil, err
	}
	if o.ACME != nil {
		if m.acme, err = newACMEIssuer(o, t); err != nil {
			m.files.close()
			return nil, err
		}
	}
	return m, nil
}

// Start begins the work in the background, until ctx is done or Close is called:
// it reloads changed files, removes certificates that expired long ago, and orders
// the certificate of the service's own name. Call it when the listeners for TLS
// and for HTTP on port 80 are open, because the ACME server connects to them.
func (m *Manager) Start(ctx context.Context) {
	ctx, m.stop = context.WithCancel(ctx)
	m.running.Go(func() { m.files.watch(ctx) })
	if m.acme == nil {
		return
	}
	m.running.Go(func() { m.acme.tidy(ctx) })
	if m.acme.tickets != nil {
		m.running.Go(func() { m.acme.tickets.keep(ctx) })
	}
	if m.name != "" && m.files.table.Load().find(&tls.ClientHelloInfo{ServerName: m.name}, m.name) == nil {
		m.acme.begin(m.name)
	}
}

// Close ends all work and waits for it. Orders under way are cancelled.
func (m *Manager) Close() {
	m.stop()
	m.closing.Do(func() {
		m.files.close()
		if m.acme != nil {
			m.acme.close()
		}
	})
	m.running.Wait()
}

// Ordering reports whether a handshake waits for a certificate that is being ordered.
func (m *Manager) Ordering() bool { return m.acme != nil && m.acme.isOrdering() }

// SetFiles replaces the certificate files. If one of them cannot be used,
// everything stays as it was and the error is a *PairError.
func (m *Manager) SetFiles(pairs []certfile.Pair) error { return m.files.set(pairs) }

// suites are the cipher suites of TLS 1.2 with forward secrecy and authenticated
// encryption. Every client with a TLS 1.2 that is still acceptable supports one of
// them. Go prefers those that both machines compute fast; the suites of TLS 1.3
// are fixed.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// TLSConfig returns the configuration of a listener: TLS 1.2 and 1.3, HTTP/2 and
// HTTP/1.1, session tickets whose keys change daily and are those of all machines that
// share a storage, and Go's key exchanges, of which the post-quantum one comes first.
func (m *Manager) TLSConfig() *tls.Config {
	c := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		CipherSuites:   suites,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: m.certificate,
	}
	if m.acme != nil {
		c.NextProtos = append(c.NextProtos, challengeProtocol)
		m.acme.tickets.apply(c)
	}
	return c
}

// certificate returns the certificate for a handshake. If it returns neither a
// certificate nor an error, the client receives the alert unrecognized_name (RFC
// 6066 §3) and tries the next host of its list, whereas the certificate of another
// name would alarm the person.
func (m *Manager) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if m.acme != nil && isChallenge(hello) {
		return m.acme.challengeCertificate(hello)
	}
	name := strings.ToLower(hello.ServerName)
	if _, err := netip.ParseAddr(name); name == "" || err == nil {
		return m.unnamed(hello)
	}
	return m.named(hello, name)
}

func (m *Manager) named(hello *tls.ClientHelloInfo, name string) (*tls.Certificate, error) {
	if c := m.files.table.Load().find(hello, name); c != nil {
		return c, nil
	}
	if m.acme == nil {
		return nil, nil
	}
	return m.acme.certificate(hello, name)
}

// unnamed returns the certificate for a client that names no host, such as a
// health check or a very old client, or an address, which is not a host name (RFC
// 6066 §3). It is the one of the service's own name, or else the first in the
// configuration.
func (m *Manager) unnamed(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	var err error
	if m.name != "" {
		var c *tls.Certificate
		if c, err = m.named(hello, m.name); c != nil {
			return c, nil
		}
	}
	if first := m.files.table.Load().first(hello); first != nil {
		return first, nil
	}
	return nil, err
}
