package certs

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/netip"
	"strings"
	"sync"

	"signpost/internal/certfile"
)

// Options is what a Manager is made of.
type Options struct {
	// Name is the service's own host name, or empty. Who does not say which
	// name is meant gets its certificate.
	Name string
	// Files are certificates of the operator's own; they come before ACME.
	Files []certfile.Pair
	// ACME orders certificates for names that have none; nil never does.
	ACME *ACME
	// Policy decides which names may be ordered for. Without Allowed only Name
	// may.
	Policy
	// Log gets what an operator should know; nil drops it.
	Log *slog.Logger
}

// Manager has the certificates of the service. It is safe for concurrent use.
type Manager struct {
	name  string
	files *files
	acme  *orderer // nil without ACME

	stop    context.CancelFunc
	running sync.WaitGroup
	closing sync.Once
}

// New makes a manager. The error names the file or folder that cannot be used.
// Close ends what it begins.
func New(o Options) (*Manager, error) { return newManager(o, tuning{}) }

func newManager(o Options, t tuning) (*Manager, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Allowed == nil {
		o.Allowed = Allow(o.Name, false, nil)
	}
	m := &Manager{name: o.Name, stop: func() {}}
	var err error
	if m.files, err = newFiles(o.Files, o.Log); err != nil {
		return nil, err
	}
	if o.ACME != nil {
		if m.acme, err = newOrderer(o, t); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Start begins what goes on by itself until ctx is done or Close is called:
// looking whether files have changed, clearing away what expired long ago, and
// ordering the certificate of the service's own name. Call it when the
// listeners for TLS and for HTTP on port 80 are open, for the ACME server comes
// back on them.
func (m *Manager) Start(ctx context.Context) {
	ctx, m.stop = context.WithCancel(ctx)
	m.running.Go(func() { m.files.watch(ctx) })
	if m.acme == nil {
		return
	}
	m.running.Go(func() { m.acme.tidy(ctx) })
	if m.name != "" && m.files.find(&tls.ClientHelloInfo{ServerName: m.name}, m.name) == nil {
		m.acme.join(m.name)
	}
}

// Close stops what is going on and waits for it to end. An order that is under
// way is given up.
func (m *Manager) Close() {
	m.stop()
	if m.acme != nil {
		m.closing.Do(m.acme.close)
	}
	m.running.Wait()
}

// SetFiles replaces the certificate files. When one of them cannot be used, all
// stays as it was.
func (m *Manager) SetFiles(pairs []certfile.Pair) error { return m.files.set(pairs) }

// suites are those of TLS 1.2 with forward secrecy and authenticated encryption,
// which every client that knows TLS 1.2 well enough to be let in has. Go chooses
// among them by what the two machines are quick at; those of TLS 1.3 are fixed.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// TLSConfig is for a listener: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1, sessions
// resumed by tickets whose keys change daily, Go's key exchanges with the
// post-quantum one first.
func (m *Manager) TLSConfig() *tls.Config {
	c := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		CipherSuites:   suites,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: m.certificate,
	}
	if m.acme != nil {
		c.NextProtos = append(c.NextProtos, challengeProtocol)
	}
	return c
}

// certificate finds the certificate for a handshake. No certificate and no error
// becomes the alert unrecognized_name (RFC 6066 §3): a client that is refused
// goes on to the next place of its list, where one that is shown another's
// certificate frightens the person.
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
	if c := m.files.find(hello, name); c != nil {
		return c, nil
	}
	if m.acme == nil {
		return nil, nil
	}
	return m.acme.get(hello, name)
}

// unnamed is for a health check or a very old client that names no host, or an
// address instead, which is no name (RFC 6066 §3): the service's own
// certificate, or else the first of the configuration.
func (m *Manager) unnamed(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if m.name == "" {
		return m.files.any(hello), nil
	}
	c, err := m.named(hello, m.name)
	if c == nil {
		if first := m.files.any(hello); first != nil {
			return first, nil
		}
	}
	return c, err
}
