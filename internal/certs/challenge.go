package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path"
	"strings"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"go.uber.org/zap"

	"signpost/internal/fair"
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

// challengeCertificate answers a TLS-ALPN-01 challenge of an order of ours, or of another
// machine that shares the storage. certmagic would look there, and log, for every unknown
// client.
func (a *acmeIssuer) challengeCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(hello.ServerName)
	if _, ok := certmagic.GetACMEChallenge(name); !ok &&
		!a.isChallengedElsewhere(hello.Context(), name, a.clientOf(hello)) {
		return nil, errNoChallenge
	}
	return a.config.GetCertificateWithContext(hello.Context(), hello)
}

// isChallengedElsewhere reports whether another machine has placed an order for the name, which
// the ACME server validates now. certmagic keeps what is needed to answer under this key. Anybody
// can claim to be an ACME server, so one such question is asked at a time about listed names, and
// one about others, and the clients take turns. A no is not remembered: by name, it would make the
// validation fail that begins a moment later; by token, which HTTP-01 alone sends (RFC 8555 §8.3),
// it would spare nothing, as a stranger makes up another for each question. A storage that was away
// a moment ago is asked, too: the machine that placed the order may have reached it again before
// this one.
func (a *acmeIssuer) isChallengedElsewhere(ctx context.Context, name string, client fair.Caller) bool {
	if name == "" {
		return false
	}
	q := a.unlisted
	if a.isListed(name) {
		q = a.listed
	}
	leave, err := q.claims.Acquire(ctx, client.Shares(1, claimsOfClient)...)
	if err != nil {
		return false
	}
	defer leave()
	keys := certmagic.StorageKeys
	issuer := keys.Safe(a.config.Issuers[0].IssuerKey())
	return a.storage.Exists(ctx, path.Join("acme", issuer, "challenge_tokens", keys.Safe(name)+".json"))
}

// claimsOfClient is how many claims of one client wait. An ACME server validates all orders that
// may be under way from a few addresses.
const claimsOfClient = 32

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
			if !ok && m.acme.isChallengedElsewhere(r.Context(), strings.ToLower(host), m.acme.clientAt(r.RemoteAddr)) &&
				m.acme.config.Issuers[0].(*certmagic.ACMEIssuer).HandleHTTPChallenge(w, r) {
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
