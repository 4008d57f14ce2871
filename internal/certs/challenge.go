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

// challengeProtocol is what an ACME server asks for when it validates a name by
// TLS-ALPN-01 (RFC 8737 §3).
const challengeProtocol = acmez.ACMETLS1Protocol

var errNoChallenge = errors.New("no ACME challenge is under way for the name")

// isChallenge recognises an ACME server: it offers nothing else.
func isChallenge(hello *tls.ClientHelloInfo) bool {
	return len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == challengeProtocol
}

// challengeCertificate answers a TLS-ALPN-01 challenge of ours. certmagic would
// look for another's in storage too, and so read the disk for every stranger.
func (o *orderer) challengeCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if _, ok := certmagic.GetACMEChallenge(strings.ToLower(hello.ServerName)); !ok {
		return nil, errNoChallenge
	}
	return o.config.GetCertificateWithContext(hello.Context(), hello)
}

// challengePath is where an ACME server asks when it validates a name by HTTP-01
// (RFC 8555 §8.3). It begins on port 80, and follows the redirect of a proxy in
// front to https.
const challengePath = "/.well-known/acme-challenge/"

// HTTPChallenge answers ACME's HTTP-01 challenges of ours and leaves all other
// requests to next.
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

// occupied is a port of the loopback interface that certmagic finds occupied.
// Before each challenge it tries to listen where the challenge will arrive, and
// trusts whoever listens there already to answer. It cannot know our listeners,
// which may be behind a redirected port or inherited from systemd, and where it
// may not listen it gives the order up; so it is told this one.
type occupied struct{ net.Listener }

func occupy() (occupied, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		if l, err = net.Listen("tcp", "[::1]:0"); err != nil {
			return occupied{}, fmt.Errorf("no port on the loopback interface: %w", err)
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
	return occupied{l}, nil
}

// at splits the address as certmagic wants it.
func (o occupied) at() (host string, port int) {
	a := o.Addr().(*net.TCPAddr)
	return a.IP.String(), a.Port
}
