package network

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"time"

	"signpost/internal/doctor/probe"
)

// TLS implements probe.Asker.
func (n *Network) TLS(ctx context.Context, q probe.TLSQuestion) probe.TLSAnswer {
	failure := mayAsk(q.Port)
	if q.Port == 443 {
		failure = nil
	}
	if failure == nil {
		failure = n.counts.take(handshakes, MaxTLS)
	}
	if failure != nil {
		return probe.TLSAnswer{Failure: failure}
	}
	conn := n.dial(ctx, q.Host, q.Port, q.Address)
	defer conn.Close()
	answer := probe.TLSAnswer{Address: conn.address, Failure: conn.failure}
	if conn.failure == nil {
		h := handshake{host: q.Host, noName: q.NoName, highest: q.Max, roots: n.options.Roots}
		var secured *tls.Conn
		secured, answer.TLS, answer.Failure = h.do(ctx, conn)
		if secured != nil {
			secured.CloseWrite()
		}
	}
	answer.Took = conn.elapsed()
	return answer
}

// handshake is how TLS begins on a connection.
type handshake struct {
	host    string
	noName  bool          // leave the server name out
	highest uint16        // version; 0 for any
	alpn    []string      // protocols
	limit   time.Duration // 0 for the usual one
	roots   *x509.CertPool
	// clear is what the server sent instead of a handshake, if it did.
	clear []byte
}

// do returns the secured connection and what the handshake showed. A certificate that
// is not valid is no failure. Versions and cipher suites that only old servers still need are
// offered, too, or the diagnosis could not say that a server is old.
func (h *handshake) do(ctx context.Context, conn net.Conn) (*tls.Conn, *probe.TLS, *probe.Failure) {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS10,
		MaxVersion:         h.highest,
		CipherSuites:       everySuite,
		NextProtos:         h.alpn,
		InsecureSkipVerify: true, // inspect says what is wrong with the certificate
	}
	if !h.noName {
		config.ServerName = h.host
	}
	first := &firstBytes{Conn: conn}
	secured := tls.Client(first, config)
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(h.limit, probe.ByteLimit))
	defer cancel()
	err := secured.HandshakeContext(ctx)
	first.done = true
	if err != nil {
		h.clear = clearText(err, first.kept)
		return nil, nil, h.failure(err)
	}
	state := secured.ConnectionState()
	return secured, inspect(state.PeerCertificates, state.Version, h.host, h.roots, time.Now()), nil
}

func (h *handshake) failure(err error) *probe.Failure {
	if h.clear != nil {
		return &probe.Failure{Kind: probe.BadTLS, Text: "speaks clear text where TLS is expected: " +
			firstLine(h.clear)}
	}
	failure := failed(err)
	switch failure.Kind {
	case probe.Closed, probe.Refused:
		failure = &probe.Failure{Kind: probe.Closed, Text: "the server ended the connection during the TLS handshake"}
	case probe.TimedOut:
		failure = &probe.Failure{Kind: probe.TimedOut, Text: "no answer to the TLS handshake"}
	case probe.BadProtocol, probe.BadTLS:
		failure = &probe.Failure{Kind: probe.BadTLS, Text: clean("no TLS handshake is possible: " + err.Error())}
	}
	return failure
}

var everySuite = suites()

func suites() (ids []uint16) {
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		ids = append(ids, suite.ID)
	}
	return ids
}

// firstBytes keeps the first bytes that it reads, until the handshake is done.
type firstBytes struct {
	net.Conn
	kept []byte
	done bool
}

func (c *firstBytes) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.done && len(c.kept) < maxLine {
		c.kept = append(c.kept, p[:min(n, maxLine-len(c.kept))]...)
	}
	return n, err
}

// clearText returns what a server said that does not speak TLS, or nil if it does.
func clearText(err error, kept []byte) []byte {
	var record tls.RecordHeaderError
	if !errors.As(err, &record) {
		return nil
	}
	// A mail server's or web server's line begins with a printable character. The first byte
	// of a TLS record is 20 to 24 (RFC 8446 §5.1).
	if kept = bytes.TrimSpace(kept); len(kept) == 0 || kept[0] < ' ' || kept[0] > '~' {
		return nil
	}
	return kept
}

func firstLine(text []byte) string {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return clean(string(line))
}

// versionName returns the name of a TLS version, such as "TLS 1.2".
func versionName(version uint16) string { return cmp.Or(tls.VersionName(version), "TLS ?") }
