package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"signpost/internal/certfile"
)

// fileServer is a Manager with certificate files, and a listener for TLS.
type fileServer struct {
	*Manager
	log     *testLog
	address string
	roots   *x509.CertPool
}

func startFiles(t testing.TB, ca *testCA, name string, pairs ...certfile.Pair) *fileServer {
	t.Helper()
	s := &fileServer{log: &testLog{}, roots: ca.pool()}
	var err error
	if s.Manager, err = New(Options{Name: name, Files: pairs, Log: s.log.logger()}); err != nil {
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

// serve returns the certificate that a client receives. change may be nil.
func (s *fileServer) serve(name string, change func(*tls.Config)) (*x509.Certificate, error) {
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

// serial returns the serial number of the certificate of a name.
func (s *fileServer) serial(t *testing.T, name string) int64 {
	t.Helper()
	c, err := s.serve(name, nil)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return c.SerialNumber.Int64()
}

func TestFilesByName(t *testing.T) {
	ca := newTestCA(t)
	pairs := []certfile.Pair{
		ca.pair(t, request{names: []string{"first.example", "Also.Example"}}),
		ca.pair(t, request{names: []string{"*.wild.example"}}),
		ca.pair(t, request{names: []string{"setup.hoster.example"}}),
		ca.pair(t, request{names: []string{"exact.wild.example"}}),
	}
	for _, test := range []struct {
		own, name, want string // want is the first name of the certificate; empty: refused
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
		{"", "127.0.0.1", "first.example"}, // sslscan and some health checks send an address
		{"setup.hoster.example", "::1", "setup.hoster.example"},
	} {
		c, err := startFiles(t, ca, test.own, pairs...).serve(test.name, nil)
		switch {
		case test.want == "" && isAlert(err, unrecognizedName):
		case err != nil:
			t.Errorf("client that asks for %q of %q: %v, want the certificate of %q",
				test.name, test.own, err, test.want)
		case c.DNSNames[0] != test.want:
			t.Errorf("client that asks for %q of %q received the certificate of %s, want %q", test.name, test.own,
				c.DNSNames[0], test.want)
		}
	}
}

// TestNoCertificates checks that without any certificate all clients are
// refused.
func TestNoCertificates(t *testing.T) {
	s := startFiles(t, newTestCA(t), "")
	for _, name := range []string{"", "first.example"} {
		if _, err := s.serve(name, nil); !isAlert(err, unrecognizedName) {
			t.Errorf("client that asks for %q: %v, want the alert unrecognized_name", name, err)
		}
	}
}

// TestFilesByKey checks that a client receives, of several certificates for a
// name, one that it supports, ECDSA before RSA, and not an expired one.
func TestFilesByKey(t *testing.T) {
	ca := newTestCA(t)
	names := []string{"first.example"}
	rsa := ca.pair(t, request{names: names, rsa: 2048})
	ecdsa := ca.pair(t, request{names: names})
	longer := ca.pair(t, request{names: names, until: 91 * 24 * time.Hour})
	expired := ca.pair(t, request{names: names, from: -48 * time.Hour, until: -24 * time.Hour})
	onlyRSA := func(c *tls.Config) {
		c.MaxVersion = tls.VersionTLS12
		c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	}
	for _, test := range []struct {
		name   string
		pairs  []certfile.Pair
		client func(*tls.Config)
		want   certfile.Pair
	}{
		{"ECDSA first", []certfile.Pair{rsa, ecdsa}, nil, ecdsa},
		{"RSA for a client that supports nothing else", []certfile.Pair{rsa, ecdsa}, onlyRSA, rsa},
		{"the one that is valid longer", []certfile.Pair{ecdsa, longer}, nil, longer},
		{"not the expired one", []certfile.Pair{expired, rsa}, nil, rsa},
		{"the expired one if there is no other", []certfile.Pair{expired},
			func(c *tls.Config) { c.InsecureSkipVerify = true }, expired},
		{"ECDSA first for a client that names no host", []certfile.Pair{rsa, ecdsa},
			func(c *tls.Config) { c.ServerName, c.InsecureSkipVerify = "", true }, ecdsa},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := startFiles(t, ca, "", test.pairs...).serve("first.example", test.client)
			if err != nil {
				t.Fatal(err)
			}
			want, err := test.want.LoadTLS()
			if err != nil {
				t.Fatal(err)
			}
			if got.SerialNumber.Cmp(want.Leaf.SerialNumber) != 0 {
				t.Errorf("received certificate number %v, want %v", got.SerialNumber, want.Leaf.SerialNumber)
			}
		})
	}
}

// TestFilesLogged checks that a certificate that is not valid is logged as such,
// with the first five of its names.
func TestFilesLogged(t *testing.T) {
	ca := newTestCA(t)
	many := []string{"n1.example", "n2.example", "n3.example", "n4.example", "n5.example", "n6.example"}
	for _, test := range []struct {
		request request
		want    []string // in one line
		state   State
	}{
		{request{names: many[:1]}, []string{"level=INFO", `"certificate loaded"`, "names=[n1.example]"}, Valid},
		{request{names: many[:5]}, []string{"level=INFO",
			`names="[n1.example n2.example n3.example n4.example n5.example]"`}, Valid},
		{request{names: many}, []string{"level=INFO",
			`names="[n1.example n2.example n3.example n4.example n5.example …]"`}, Valid},
		{request{names: many[:1], from: -48 * time.Hour, until: -24 * time.Hour},
			[]string{"level=WARN", `"certificate has expired"`}, Expired},
		{request{names: many[:1], from: 24 * time.Hour},
			[]string{"level=WARN", `"certificate is not valid yet"`, "from="}, Valid},
		{request{names: many[:1], from: -80 * 24 * time.Hour, until: 20 * 24 * time.Hour}, []string{"level=INFO"}, Due},
	} {
		s := startFiles(t, ca, "", ca.pair(t, test.request))
		if s.log.count("level=") != 1 || s.log.count(test.want...) != 1 {
			t.Errorf("%+v: the log is\n%s, want one line with %q", test.request, s.log, test.want)
		}
		if got := s.Status(); got.Count(test.state) != 1 {
			t.Errorf("%+v: Status() = %+v, want state %q", test.request, got, test.state)
		}
	}
}

// TestFilesReloaded checks that a changed pair is served after a reload. One
// that cannot be used leaves the previous one in use, with one line in the log.
func TestFilesReloaded(t *testing.T) {
	ca := newTestCA(t)
	const name = "first.example"
	names := []string{name}
	p := ca.pair(t, request{names: names})
	s := startFiles(t, ca, "", p)
	first := s.serial(t, name)
	s.files.reload()
	if got := s.serial(t, name); got != first {
		t.Fatal("another certificate is served without any change")
	}
	ca.renew(t, p, request{names: names})
	if got := s.serial(t, name); got != first {
		t.Error("the changed certificate is served before a reload")
	}
	s.files.reload()
	current := s.serial(t, name)
	if current != ca.last {
		t.Errorf("certificate %d is served, want %d", current, ca.last)
	}

	for _, test := range []struct {
		name  string
		spoil func()
	}{
		{"half a change", func() { chain, _ := ca.issue(t, request{names: names}); write(t, p.Certificate, chain) }},
		{"no certificate", func() { write(t, p.Certificate, []byte("hello\n")) }},
		{"no key", func() { write(t, p.Key, nil) }},
		{"no file", func() { os.Remove(p.Key) }},
		{"short RSA key", func() { ca.renew(t, p, request{names: names, rsa: 1024}) }},
		{"no host name", func() { ca.renew(t, p, request{}) }},
		{"chain of another certificate", func() {
			ca.renew(t, p, request{names: names})
			chain, _ := ca.issue(t, request{names: names, rsa: 2048})
			write(t, p.Certificate, chain)
		}},
	} {
		before := s.log.count("level=WARN")
		test.spoil()
		s.files.reload()
		if got := s.log.count("level=WARN") - before; got != 0 {
			t.Errorf("%s: logged at the first reload, although it could be half a change", test.name)
		}
		for range 3 {
			s.files.reload()
		}
		if got := s.log.count("level=WARN", "keeping the previous one", "names=[first.example]") - before; got != 1 {
			t.Errorf("%s: %d log lines, want 1", test.name, got)
		}
		if got := s.serial(t, name); got != current {
			t.Errorf("%s: certificate %d is served, want the previous one, %d", test.name, got, current)
		}
		ca.renew(t, p, request{names: names})
		s.files.reload()
		if current = s.serial(t, name); current != ca.last {
			t.Errorf("%s: after the repair certificate %d is served, want %d", test.name, current, ca.last)
		}
	}
	if got := len(s.Status().Certificates); got != 1 {
		t.Errorf("Status lists %d certificates, want 1", got)
	}
}

// TestFilesRetried checks that files that could not be read are read again
// although they look the same as before.
func TestFilesRetried(t *testing.T) {
	ca := newTestCA(t)
	names := []string{"first.example"}
	p := ca.pair(t, request{names: names})
	s := startFiles(t, ca, "", p)
	ca.renew(t, p, request{names: names})
	s.files.watcher.Refresh()
	s.files.loaded[0].failures = 2
	s.files.reload()
	if got := s.serial(t, names[0]); got != ca.last {
		t.Errorf("certificate %d is served, want %d", got, ca.last)
	}
}

// TestFilesWatched checks that after Start, changes are noticed without a call.
func TestFilesWatched(t *testing.T) {
	ca := newTestCA(t)
	p := ca.pair(t, request{names: []string{"first.example"}})
	s := startFiles(t, ca, "", p)
	s.Start(t.Context())
	ca.renew(t, p, request{names: []string{"second.example"}})
	within(t, 20*time.Second, "the new name is served", func() bool {
		_, err := s.serve("second.example", nil)
		return err == nil
	})
	if _, err := s.serve("first.example", nil); !isAlert(err, unrecognizedName) {
		t.Errorf("the previous name: %v, want the alert unrecognized_name", err)
	}
	// A pair that cannot be used is tried again and again, and its change noticed.
	os.Remove(p.Key)
	within(t, 20*time.Second, "a warning",
		func() bool { return s.log.count("level=WARN", "key.pem: no such file") == 1 })
	ca.renew(t, p, request{names: []string{"third.example"}})
	within(t, 20*time.Second, "the third name is served", func() bool {
		_, err := s.serve("third.example", nil)
		return err == nil
	})
}

// TestSetFiles checks that a new list is used as a whole or not at all.
func TestSetFiles(t *testing.T) {
	ca := newTestCA(t)
	a, b := ca.pair(t, request{names: []string{"a.example"}}), ca.pair(t, request{names: []string{"b.example"}})
	s := startFiles(t, ca, "", a)
	checkServed := func(step string, want ...string) {
		t.Helper()
		var got []string
		for _, name := range []string{"a.example", "b.example"} {
			if _, err := s.serve(name, nil); err == nil {
				got = append(got, name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("after %s %q are served, want %q", step, got, want)
		}
	}
	err := s.SetFiles([]certfile.Pair{b, {Certificate: a.Certificate, Key: b.Key}})
	if bad, ok := errors.AsType[*PairError](err); !ok || bad.Index != 1 || !errors.Is(err, certfile.ErrMismatch) {
		t.Errorf("SetFiles with the key of another certificate in its second pair = %v", err)
	}
	checkServed("a refused list", "a.example")
	// A change to a file while the list was refused is still noticed.
	ca.renew(t, a, request{names: []string{"a.example"}})
	if err := s.SetFiles([]certfile.Pair{{Certificate: b.Certificate, Key: b.Certificate}}); err == nil {
		t.Fatal("a list without a key was taken")
	}
	s.files.reload()
	if got := s.serial(t, "a.example"); got != ca.last {
		t.Errorf("after a refused list certificate %d is served, want %d, which replaced it before", got, ca.last)
	}
	if err := s.SetFiles([]certfile.Pair{b}); err != nil {
		t.Fatal(err)
	}
	checkServed("another list", "b.example")
	// A pair in use stays in use although it is broken now.
	os.Remove(b.Key)
	if err := s.SetFiles([]certfile.Pair{b, a}); err != nil {
		t.Fatal(err)
	}
	checkServed("a list with a broken pair that was in use", "a.example", "b.example")
}

// TestFilesRefused checks that at the start, a pair that cannot be used is an
// error.
func TestFilesRefused(t *testing.T) {
	p := newTestCA(t).pair(t, request{names: []string{"a.example"}})
	_, err := New(Options{Files: []certfile.Pair{{Certificate: p.Certificate, Key: p.Certificate}}})
	if err == nil || !strings.Contains(err.Error(), "cert.pem: no key in PEM form") {
		t.Errorf("New with a certificate for a key = %v, want no key in PEM form", err)
	}
	_, err = New(Options{Files: []certfile.Pair{p, {Certificate: p.Certificate + "s", Key: p.Key}}})
	bad, ok := errors.AsType[*PairError](err)
	if !ok || bad.Index != 1 || !errors.Is(err, fs.ErrNotExist) ||
		!strings.Contains(err.Error(), "cert.pems: no such file") {
		t.Errorf("New without the certificate of the second pair = %#v, want an error of pair 1 about cert.pems", err)
	}
}
