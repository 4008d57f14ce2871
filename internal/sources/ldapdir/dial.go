package ldapdir

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"signpost/internal/certfile"
	"signpost/internal/sources/secret"
)

// dialer connects to the first server that can be reached.
type dialer struct {
	servers      []server
	bindDN       string
	passwordFile string
	caRoot       string
	timeout      time.Duration // of one search; a connection has twice as long
	rest         time.Duration // a server that failed is asked last for as long

	mu     sync.Mutex
	failed []time.Time // when each server failed last
}

// defaultRest is long enough for a server that is down to cost few requests their time.
const defaultRest = 10 * time.Second

func newDialer(o Options, servers []server, timeout time.Duration) *dialer {
	return &dialer{
		servers: servers, bindDN: o.BindDN, passwordFile: o.PasswordFile, caRoot: o.CARoot,
		timeout: timeout, rest: defaultRest, failed: make([]time.Time, len(servers)),
	}
}

// connection is a connection to a server, bound and ready for searches.
type connection struct {
	*ldap.Conn
	server  server
	index   int // of server
	started time.Time
	busy    int // searches on it; the pool's
}

// dial connects to a server: in order, but to those that failed a moment ago last. The
// error is that of the first one.
func (d *dialer) dial(ctx context.Context) (*connection, error) {
	var first error
	for _, i := range d.order() {
		c, err := d.dialServer(ctx, d.servers[i])
		if err == nil {
			c.index = i
			return c, nil
		}
		d.blame(i)
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// order returns the indexes of the servers in the order in which they are tried.
func (d *dialer) order() []int {
	d.mu.Lock()
	defer d.mu.Unlock()
	var good, bad []int
	for i, at := range d.failed {
		if at.IsZero() || time.Since(at) > d.rest {
			good = append(good, i)
		} else {
			bad = append(bad, i)
		}
	}
	return append(good, bad...)
}

// blame remembers that a server failed.
func (d *dialer) blame(i int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed[i] = time.Now()
}

// dialServer connects to one server, in twice the time of a search.
func (d *dialer) dialServer(ctx context.Context, at server) (*connection, error) {
	deadline := time.Now().Add(2 * d.timeout)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, at.network, at.address)
	if err != nil {
		return nil, newError("connect", at, err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	c, op, err := d.start(ctx, timedConn{conn, d.timeout}, at)
	if !stop() {
		err = context.DeadlineExceeded // the connection is closed, whatever came of it
	}
	if err != nil {
		conn.Close()
		return nil, newError(op, at, err)
	}
	return &connection{Conn: c, server: at, started: time.Now()}, nil
}

// start brings up TLS and binds. An error comes with the step that failed.
func (d *dialer) start(ctx context.Context, conn net.Conn, at server) (c *ldap.Conn, op string, err error) {
	if at.secure != plain {
		if conn, err = d.secure(ctx, conn, at); err != nil {
			return nil, "connect", err
		}
	}
	password := ""
	if d.bindDN != "" {
		// It is read each time, so that a new one needs no reload.
		if password, err = secret.Read(d.passwordFile); err != nil {
			return nil, "connect", fileError{err}
		}
	}
	c = ldap.NewConn(conn, at.secure != plain)
	// Package ldap waits forever without a timeout. This one ends what search has given up.
	c.SetTimeout(d.timeout + d.timeout/4)
	c.Start()
	if d.bindDN != "" {
		if err := c.Bind(d.bindDN, password); err != nil {
			c.Close()
			return nil, "bind", err
		}
	}
	return c, "", nil
}

// fileError says why a file of ours cannot be read.
type fileError struct{ error }

// A message holds one entry. Package ber would take one of two gigabytes.
func init() { ber.MaxPacketLengthBytes = 16 << 20 }

// startTLSRequest is the extended request for TLS (RFC 4511 §4.14.1): message 1,
// ExtendedRequest, OID 1.3.6.1.4.1.1466.20037.
const startTLSRequest = "\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"

// secure begins TLS on the connection, after StartTLS if need be.
func (d *dialer) secure(ctx context.Context, conn net.Conn, at server) (net.Conn, error) {
	config := &tls.Config{ServerName: at.host, MinVersion: tls.VersionTLS12}
	if d.caRoot != "" {
		var err error
		if config.RootCAs, err = certfile.Roots(d.caRoot); err != nil {
			return nil, fileError{err}
		}
	}
	if at.secure == startTLS {
		if _, err := conn.Write([]byte(startTLSRequest)); err != nil {
			return nil, err
		}
		answer, err := ber.ReadPacket(conn)
		if err != nil {
			return nil, err
		}
		if err := ldap.GetLDAPError(answer); err != nil {
			return nil, err
		}
	}
	secured := tls.Client(conn, config)
	return secured, secured.HandshakeContext(ctx)
}

// timedConn is a connection on which no write takes longer than timeout. Package ldap
// writes for all searches in one goroutine, which must not hang.
type timedConn struct {
	net.Conn
	timeout time.Duration
}

func (c timedConn) Write(data []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(data)
	if err != nil {
		c.Close()
	}
	return n, err
}
