package certs

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"signpost/internal/certfile"
)

// started is a manager with certificate files and a listener for TLS.
type started struct {
	*Manager
	log     *logged
	address string
	roots   *x509.CertPool
}

func startFiles(t testing.TB, m *maker, name string, pairs ...certfile.Pair) *started {
	t.Helper()
	s := &started{log: &logged{}, roots: m.pool()}
	var err error
	if s.Manager, err = New(Options{Name: name, Files: pairs, Log: slog.New(slog.NewTextHandler(s.log, nil))}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	l := tls.NewListener(listen(t), s.TLSConfig())
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.(*tls.Conn).Handshake()
			}()
		}
	}()
	s.address = l.Addr().String()
	return s
}

// shown is the certificate that a client is shown; change may be nil.
func (s *started) shown(name string, change func(*tls.Config)) (*x509.Certificate, error) {
	c := &tls.Config{ServerName: name, RootCAs: s.roots}
	if _, err := netip.ParseAddr(name); err == nil || name == "" {
		c.InsecureSkipVerify = true
	}
	if change != nil {
		change(c)
	}
	conn, err := tls.Dial("tcp", s.address, c)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

func TestFilesByName(t *testing.T) {
	m := newMaker(t)
	first := m.pair(t, wanted{names: []string{"first.example", "Also.Example"}})
	wild := m.pair(t, wanted{names: []string{"*.wild.example"}})
	own := m.pair(t, wanted{names: []string{"setup.hoster.example"}})
	exact := m.pair(t, wanted{names: []string{"exact.wild.example"}})
	for _, test := range []struct {
		own, asked, want string // want is the certificate's first name, empty: refused
	}{
		{"", "first.example", "first.example"},
		{"", "FIRST.example", "first.example"},
		{"", "also.example", "first.example"},
		{"", "setup.hoster.example", "setup.hoster.example"},
		{"", "a.wild.example", "*.wild.example"},
		{"", "exact.wild.example", "exact.wild.example"},
		{"", "a.b.wild.example", ""},
		{"", "wild.example", ""},
		{"", "stranger.example", ""},
		{"", "", "first.example"},
		{"setup.hoster.example", "", "setup.hoster.example"},
		{"name.without.certificate", "", "first.example"},
		{"", "127.0.0.1", "first.example"}, // as sslscan and some health checks name us
		{"setup.hoster.example", "::1", "setup.hoster.example"},
	} {
		s := startFiles(t, m, test.own, first, wild, own, exact)
		c, err := s.shown(test.asked, nil)
		switch {
		case test.want == "" && isAlert(err, unrecognizedName):
		case err != nil:
			t.Errorf("%q: %v", test.asked, err)
		case c.DNSNames[0] != test.want:
			t.Errorf("%q got the certificate of %s", test.asked, c.DNSNames[0])
		}
	}
}

// TestNothing: without any certificate all are refused.
func TestNothing(t *testing.T) {
	s := startFiles(t, newMaker(t), "")
	for _, name := range []string{"", "first.example"} {
		if _, err := s.shown(name, nil); !isAlert(err, unrecognizedName) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestFilesByKind: of several certificates for a name, the one that the client
// can use, ECDSA before RSA and none that has expired.
func TestFilesByKind(t *testing.T) {
	m := newMaker(t)
	names := []string{"first.example"}
	rsa := m.pair(t, wanted{names: names, rsa: 2048})
	ecdsa := m.pair(t, wanted{names: names})
	longer := m.pair(t, wanted{names: names, until: 91 * 24 * time.Hour})
	expired := m.pair(t, wanted{names: names, from: -48 * time.Hour, until: -24 * time.Hour})
	onlyRSA := func(c *tls.Config) {
		c.MaxVersion = tls.VersionTLS12
		c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	}
	trusting := func(c *tls.Config) { c.InsecureSkipVerify = true }
	for _, test := range []struct {
		name   string
		pairs  []certfile.Pair
		client func(*tls.Config)
		want   certfile.Pair
	}{
		{"ECDSA first", []certfile.Pair{rsa, ecdsa}, nil, ecdsa},
		{"RSA for who needs it", []certfile.Pair{rsa, ecdsa}, onlyRSA, rsa},
		{"the longer one", []certfile.Pair{ecdsa, longer}, nil, longer},
		{"not the expired one", []certfile.Pair{expired, rsa}, nil, rsa},
		{"the expired one if there is no other", []certfile.Pair{expired}, trusting, expired},
		{"ECDSA without a name, too", []certfile.Pair{rsa, ecdsa}, func(c *tls.Config) { c.ServerName, c.InsecureSkipVerify = "", true }, ecdsa},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := startFiles(t, m, "", test.pairs...).shown("first.example", test.client)
			if err != nil {
				t.Fatal(err)
			}
			want, err := test.want.LoadTLS()
			if err != nil {
				t.Fatal(err)
			}
			if c.SerialNumber.Cmp(want.Leaf.SerialNumber) != 0 {
				t.Errorf("got number %v, want %v", c.SerialNumber, want.Leaf.SerialNumber)
			}
		})
	}
	if s := startFiles(t, m, "", expired); s.log.count("level=WARN", "has expired") != 1 || s.Status().Count(Expired) != 1 {
		t.Errorf("nobody is told of an expired certificate:\n%s", s.log)
	}
}

// TestFilesReloaded: a changed pair is served from the next look on; one that
// cannot be used leaves the old one serving, with one line in the log.
func TestFilesReloaded(t *testing.T) {
	m := newMaker(t)
	names := []string{"first.example"}
	p := m.pair(t, wanted{names: names})
	s := startFiles(t, m, "", p)
	serial := func() int64 {
		t.Helper()
		c, err := s.shown("first.example", nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.SerialNumber.Int64()
	}
	first := serial()
	s.files.look()
	if got := serial(); got != first {
		t.Fatal("changed by itself")
	}

	m.renew(t, p, wanted{names: names})
	if got := serial(); got != first {
		t.Error("read without a look")
	}
	s.files.look()
	second := serial()
	if second != m.last {
		t.Errorf("number %d is served, want %d", second, m.last)
	}

	for what, breakIt := range map[string]func(){
		"half a change":  func() { chain, _ := m.make(t, wanted{names: names}); write(t, p.Certificate, chain) },
		"no certificate": func() { write(t, p.Certificate, []byte("hello\n")) },
		"no key":         func() { write(t, p.Key, nil) },
		"no file":        func() { os.Remove(p.Key) },
		"an old RSA key": func() { m.renew(t, p, wanted{names: names, rsa: 1024}) },
		"nobody's name":  func() { m.renew(t, p, wanted{}) },
		"a large file":   func() { write(t, p.Certificate, make([]byte, 2<<20)) },
		"an encoded key": func() {
			write(t, p.Key, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"))
		},
		"a broken key": func() { write(t, p.Key, []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")) },
		"a broken chain": func() {
			write(t, p.Certificate, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
		},
		"another's chain": func() {
			m.renew(t, p, wanted{names: names})
			chain, _ := m.make(t, wanted{names: names, rsa: 2048})
			write(t, p.Certificate, chain)
		},
	} {
		before := s.log.count("level=WARN")
		breakIt()
		s.files.look()
		if got := s.log.count("level=WARN") - before; got != 0 {
			t.Errorf("%s: complained of although it may be half a change only", what)
		}
		s.files.look()
		s.files.look()
		s.files.look()
		if got := s.log.count("level=WARN", "the old one stays", "names=[first.example]") - before; got != 1 {
			t.Errorf("%s: %d lines in the log", what, got)
		}
		if got := serial(); got != second {
			t.Errorf("%s: number %d is served", what, got)
		}
		m.renew(t, p, wanted{names: names})
		s.files.look()
		if second = serial(); second != m.last {
			t.Errorf("%s: mended, but number %d is served", what, second)
		}
	}
	if log := s.log.String(); strings.Contains(log, "tls:") || strings.Contains(log, "x509:") {
		t.Errorf("the log speaks Go:\n%s", log)
	}
	if len(s.Status().Certificates) != 1 {
		t.Errorf("status %+v", s.Status())
	}
}

// TestFilesWatched: Start makes the looks come by themselves.
func TestFilesWatched(t *testing.T) {
	m := newMaker(t)
	p := m.pair(t, wanted{names: []string{"first.example"}})
	s := startFiles(t, m, "", p)
	s.Start(t.Context())
	m.renew(t, p, wanted{names: []string{"second.example"}})
	within(t, 10*time.Second, "the new name", func() bool {
		_, err := s.shown("second.example", nil)
		return err == nil
	})
	if _, err := s.shown("first.example", nil); !isAlert(err, unrecognizedName) {
		t.Errorf("the old name: %v", err)
	}
}

// TestSetFiles: another list is taken over as a whole or not at all.
func TestSetFiles(t *testing.T) {
	m := newMaker(t)
	a, b := m.pair(t, wanted{names: []string{"a.example"}}), m.pair(t, wanted{names: []string{"b.example"}})
	s := startFiles(t, m, "", a)
	served := func() (names []string) {
		for _, name := range []string{"a.example", "b.example"} {
			if _, err := s.shown(name, nil); err == nil {
				names = append(names, name)
			}
		}
		return names
	}
	if err := s.SetFiles([]certfile.Pair{b, {Certificate: a.Certificate, Key: b.Key}}); err == nil || !strings.Contains(err.Error(), "certificate and key do not match") {
		t.Errorf("got %v", err)
	}
	if got := served(); !slices.Equal(got, []string{"a.example"}) {
		t.Errorf("after a refused list %v are served", got)
	}
	if err := s.SetFiles([]certfile.Pair{b}); err != nil {
		t.Fatal(err)
	}
	if got := served(); !slices.Equal(got, []string{"b.example"}) {
		t.Errorf("after another list %v are served", got)
	}
	// A pair that is broken now but in use stays so.
	os.Remove(b.Key)
	if err := s.SetFiles([]certfile.Pair{b, a}); err != nil {
		t.Fatal(err)
	}
	if got := served(); len(got) != 2 {
		t.Errorf("after a broken file %v are served", got)
	}
}

// TestFilesRefused: at the start, what cannot be used is an error that names the
// file and the cure.
func TestFilesRefused(t *testing.T) {
	m := newMaker(t)
	p := m.pair(t, wanted{names: []string{"a.example"}})
	if _, err := New(Options{Files: []certfile.Pair{{Certificate: p.Certificate, Key: p.Certificate}}}); err == nil || !strings.Contains(err.Error(), "no key in PEM form") {
		t.Errorf("got %v", err)
	}
	if _, err := New(Options{Files: []certfile.Pair{p, {Certificate: p.Certificate + "s", Key: p.Key}}}); err == nil || !strings.Contains(err.Error(), "cert.pems: no such file") {
		t.Errorf("got %v", err)
	}
}
