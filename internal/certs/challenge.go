package certs

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"go.uber.org/zap"
)

// challengeProtocol is the protocol that an ACME server offers when it validates a
// name by TLS-ALPN-01 (RFC 8737 §3).
const challengeProtocol = acmez.ACMETLS1Protocol

var errNoChallenge = errors.New("no ACME challenge is under way for the name")

// isChallenge reports whether the client is an ACME server: it offers no other
// protocol.
func isChallenge(hello *tls.ClientHelloInfo) bool {
	return len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == challengeProtocol
}

// challengeCertificate answers a TLS-ALPN-01 challenge of an order of ours.
// certmagic would also look for orders of other processes in storage, and so read
// the disk for every unknown client.
func (a *acmeIssuer) challengeCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if _, ok := certmagic.GetACMEChallenge(strings.ToLower(hello.ServerName)); !ok {
		return nil, errNoChallenge
	}
	return a.config.GetCertificateWithContext(hello.Context(), hello)
}

// challengePath is the path that an ACME server requests when it validates a name
// by HTTP-01 (RFC 8555 §8.3). It begins on port 80 and follows the redirect of a
// proxy to https.
const challengePath = "/.well-known/acme-challenge/"

// HTTPChallenge returns a handler that answers the HTTP-01 challenges of orders of
// ours and passes all other requests to next.
func (m *Manager) HTTPChallenge(next http.Handler) http.Handler {
	if m.acme == nil {
		return next
	}
	quiet := zap.NewNop()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, challengePath) {
			host := r.Host
			if colon := strings.LastIndexByte(host, ':'); colon >= 0 {
				host = host[:colon]
			}
			c, ok := certmagic.GetACMEChallenge(strings.ToLower(host))
			if ok && certmagic.SolveHTTPChallenge(quiet, w, r, c.Challenge) {
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// listenDummy listens on a loopback port that is given to certmagic as the port
// of the challenges. Before each challenge, certmagic tries to listen there, and
// if the port is in use, it relies on the listener to answer. It cannot be given
// our real listeners, which may be inherited from systemd or behind a redirected
// port, and it fails an order if it is not permitted to listen.
func listenDummy() (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		if l, err = net.Listen("tcp", "[::1]:0"); err != nil {
			return nil, fmt.Errorf("no port on the loopback interface: %w", err)
		}
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	return l, nil
}
