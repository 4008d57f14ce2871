package mobileconfig

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"
)

// A certificate authority of the test's own: root, intermediate, leaf.
type authority struct {
	root, middle, leaf *x509.Certificate
	key                crypto.Signer // of the leaf
}

// today is the real day: the library signs and verifies by its own clock.
var today = time.Now().UTC().Truncate(time.Second)

var serial = big.NewInt(1)

// newAuthority makes one whose leaf is what a web server has: for serverAuth.
func newAuthority(t testing.TB, key crypto.Signer, from, to time.Time) *authority {
	t.Helper()
	issue := func(name string, ca bool, public crypto.PublicKey, parent *x509.Certificate, by crypto.Signer) *x509.Certificate {
		serial = new(big.Int).Add(serial, big.NewInt(1))
		template := &x509.Certificate{
			SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to,
			IsCA: ca, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		}
		if !ca {
			template.KeyUsage = x509.KeyUsageDigitalSignature
			template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
			template.DNSNames = []string{name}
		}
		if parent == nil {
			parent = template
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	rootKey, middleKey := ecKey(t), ecKey(t)
	a := &authority{key: key}
	a.root = issue("Test Root", true, rootKey.Public(), nil, rootKey)
	a.middle = issue("Test Intermediate", true, middleKey.Public(), a.root, rootKey)
	a.leaf = issue(testService, false, key.Public(), a.middle, middleKey)
	return a
}

func newTestAuthority(t testing.TB) *authority {
	return newAuthority(t, ecKey(t), today.AddDate(0, -1, 0), today.AddDate(0, 2, 0))
}

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func certificates(cs ...*x509.Certificate) []byte {
	var text []byte
	for _, c := range cs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return text
}

func pkcs8(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// files are a signer's, with a clock that only the test moves and the log.
type files struct {
	t                testing.TB
	certificate, key string
	mu               sync.Mutex
	time             time.Time
	log              bytes.Buffer
}

func newFiles(t testing.TB, certificate, key []byte) *files {
	dir := t.TempDir()
	f := &files{t: t, certificate: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), time: today}
	f.write(f.certificate, certificate)
	f.write(f.key, key)
	return f
}

// write replaces a file, nil removes it.
func (f *files) write(name string, text []byte) {
	f.t.Helper()
	os.Remove(name)
	if text == nil {
		return
	}
	if err := os.WriteFile(name, text, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *files) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.time
}

func (f *files) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.time = f.time.Add(d)
}

func (f *files) signer() *Signer {
	return newSigner(f.certificate, f.key, slog.New(slog.NewTextHandler(&f.log, nil)), f.now)
}

// logged is what the log has got since the last time.
func (f *files) logged() []string {
	text := strings.TrimSpace(f.log.String())
	f.log.Reset()
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// TestSignedForOpenSSL is scenario 5, with every kind of key.
func TestSignedForOpenSSL(t *testing.T) {
	rsaKey, ecKey := rsaKey(t), ecKey(t)
	sec1, err := x509.MarshalECPrivateKey(ecKey)
	if err != nil {
		t.Fatal(err)
	}
	parameters := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8, 42, 0x86, 72, 0xce, 61, 3, 1, 7}})
	tests := []struct {
		name string
		key  crypto.Signer
		file []byte
	}{
		{"RSA PKCS 8", rsaKey, pkcs8(t, rsaKey)},
		{"RSA PKCS 1", rsaKey, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)})},
		{"ECDSA PKCS 8", ecKey, pkcs8(t, ecKey)},
		{"ECDSA SEC 1", ecKey, append(parameters, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})...)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := newAuthority(t, test.key, today.AddDate(0, 0, -1), today.AddDate(0, 0, 1))
			f := newFiles(t, certificates(a.leaf, a.middle, a.root), test.file)
			signer := f.signer()
			if err := signer.Check(); err != nil || !signer.Signs() {
				t.Fatal(err)
			}
			unsigned := document(t, settings(t, small, "anna@example.se"), Options{})
			signed := signer.Sign(unsigned)
			if signed[0] != 0x30 || !bytes.Contains(signed, unsigned) {
				t.Fatalf("not DER around the profile: % x", signed[:40])
			}

			dir := t.TempDir()
			file, root := filepath.Join(dir, "p.mobileconfig"), filepath.Join(dir, "root.pem")
			f.write(file, signed)
			f.write(root, certificates(a.root))
			verify := []string{"cms", "-verify", "-inform", "DER", "-in", file, "-CAfile", root, "-purpose", "any"}
			if got := tool(t, nil, "openssl", verify...); !bytes.Equal(got, unsigned) {
				t.Errorf("openssl takes out %q", got)
			}
			print := string(tool(t, nil, "openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", file))
			if !strings.Contains(print, "algorithm: sha256 (2.16.840.1.101.3.4.2.1)") || strings.Contains(print, "sha1") {
				t.Errorf("the digest is not SHA-256:\n%s", print)
			}
			for name, times := range map[string]int{"subject: CN=" + testService: 1, "subject: CN=Test Intermediate": 1, "subject: CN=Test Root": 0} {
				if got := strings.Count(print, name); got != times {
					t.Errorf("%q is there %d times, want %d:\n%s", name, got, times, print)
				}
			}

			s, err := Read(signed)
			if err != nil || s.Address.String() != "anna@example.se" {
				t.Errorf("Read: %v %v", s.Address, err)
			}
		})
	}
}

// TestReadOpenSSL reads what OpenSSL signed.
func TestReadOpenSSL(t *testing.T) {
	a := newAuthority(t, rsaKey(t), today.AddDate(0, 0, -1), today.AddDate(0, 0, 1))
	f := newFiles(t, certificates(a.leaf), pkcs8(t, a.key))
	chain := filepath.Join(t.TempDir(), "chain.pem")
	f.write(chain, certificates(a.middle))
	signed := tool(t, document(t, settings(t, small, "anna@example.se"), Options{}), "openssl", "cms", "-sign", "-binary", "-nodetach",
		"-outform", "DER", "-md", "sha256", "-signer", f.certificate, "-inkey", f.key, "-certfile", chain)
	s, err := Read(signed)
	if err != nil || s.Address.String() != "anna@example.se" {
		t.Errorf("got %v %v", s.Address, err)
	}
}

// TestUnsigned: whatever is wrong gives the profile unsigned and one line in the
// log, however often it is asked for.
func TestUnsigned(t *testing.T) {
	a := newTestAuthority(t)
	old := newAuthority(t, ecKey(t), today.AddDate(0, -3, 0), today.AddDate(0, 0, -1))
	young := newAuthority(t, ecKey(t), today.AddDate(0, 0, 1), today.AddDate(0, 3, 0))
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	rootKey := ecKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "snakeoil"}, NotBefore: today.AddDate(0, -1, 0), NotAfter: today.AddDate(0, 1, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, rootKey.Public(), rootKey)
	if err != nil {
		t.Fatal(err)
	}
	snakeoil, _ := x509.ParseCertificate(der)
	good, key := certificates(a.leaf, a.middle), pkcs8(t, a.key)
	t.Setenv("GODEBUG", "rsa1024min=0")
	weakKey, err := rsa.GenerateKey(rand.Reader, 512)
	if err != nil {
		t.Fatal(err)
	}
	weak := newAuthority(t, weakKey, today.AddDate(0, -1, 0), today.AddDate(0, 1, 0))
	t.Setenv("GODEBUG", "")
	ed := newAuthority(t, edKey, today.AddDate(0, -1, 0), today.AddDate(0, 1, 0))
	tests := []struct {
		name             string
		certificate, key []byte
		reason           string
	}{
		{"no certificate", nil, key, "cert.pem: no such file"},
		{"no key", good, nil, "key.pem: no such file"},
		{"expired", certificates(old.leaf, old.middle), pkcs8(t, old.key), "the certificate expired on " + today.AddDate(0, 0, -1).Format(time.RFC3339)},
		{"not yet valid", certificates(young.leaf, young.middle), pkcs8(t, young.key), "the certificate is not valid before " + today.AddDate(0, 0, 1).Format(time.RFC3339)},
		{"self-signed", certificates(snakeoil), pkcs8(t, rootKey), "is self-signed"},
		{"another key", good, pkcs8(t, ecKey(t)), "is not the key of the certificate"},
		{"Ed25519", certificates(ed.leaf, ed.middle), pkcs8(t, edKey), "is neither RSA nor ECDSA"},
		{"weak key", certificates(weak.leaf, weak.middle), pkcs8(t, weakKey), "cannot sign"},
		{"empty", []byte{}, key, "holds no certificate in PEM form"},
		{"DER", a.leaf.Raw, key, "holds no certificate in PEM form"},
		{"damaged certificate", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.leaf.Raw[:99]}), key, "a certificate that cannot be read"},
		{"damaged key", good, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")}), "a key that cannot be read"},
		{"encrypted key", good, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("secret")}), "is encrypted"},
		{"encrypted key, old form", good, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}, Bytes: []byte("secret")}), "is encrypted"},
		{"certificate for a key", good, good, "holds no key in PEM form"},
		{"too large", bytes.Repeat([]byte("\n"), maxFile+1), key, "is too large"},
	}
	unsigned := document(t, settings(t, small, "anna@example.se"), Options{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFiles(t, test.certificate, test.key)
			signer := f.signer()
			for range 3 {
				if got := signer.Sign(unsigned); !bytes.Equal(got, unsigned) {
					t.Fatal("it is signed")
				}
				f.pass(time.Minute)
			}
			lines := f.logged()
			if len(lines) != 1 || !strings.Contains(lines[0], "level=WARN") || !strings.Contains(lines[0], test.reason) {
				t.Errorf("the log says %q, want %q once", lines, test.reason)
			}
			if strings.Contains(strings.Join(lines, ""), "secret") {
				t.Error("the log holds something of the key")
			}
			if err := signer.Check(); err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("Check says %v", err)
			}
			if signer.Signs() {
				t.Error("Signs is true")
			}
		})
	}
}

// TestChain: an incomplete or disordered chain is signed with as well as can be,
// and complained of.
func TestChain(t *testing.T) {
	a, other := newTestAuthority(t), newTestAuthority(t)
	tests := []struct {
		name    string
		file    []byte
		signers int // certificates in the signature
		warning string
	}{
		{"in order", certificates(a.leaf, a.middle), 2, ""},
		{"with root", certificates(a.leaf, a.middle, a.root), 2, ""},
		{"no intermediate", certificates(a.leaf), 1, "no certificate of the issuer"},
		{"root only", certificates(a.leaf, a.root), 1, "no certificate of the issuer"},
		{"another's intermediate", certificates(a.leaf, other.middle), 1, "no certificate of the issuer"},
		{"leaf last", certificates(a.middle, a.leaf), 2, "not in order"},
		{"others first", certificates(other.leaf, a.leaf, a.middle), 2, "not the first"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFiles(t, test.file, pkcs8(t, a.key))
			signer := f.signer()
			signed, err := pkcs7.Parse(signer.Sign([]byte("profile")))
			if err != nil {
				t.Fatal(err)
			}
			if got := len(signed.Certificates); got != test.signers || !signed.Certificates[0].Equal(a.leaf) {
				t.Errorf("%d certificates, want %d", got, test.signers)
			}
			lines, err := f.logged(), signer.Check()
			switch {
			case len(lines) != 1:
				t.Errorf("the log says %q", lines)
			case test.warning == "" && (err != nil || !strings.Contains(lines[0], "level=INFO")):
				t.Errorf("Check says %v, the log %q", err, lines)
			case test.warning != "" && (err == nil || !strings.Contains(err.Error(), test.warning) || !strings.Contains(lines[0], "level=WARN")):
				t.Errorf("Check says %v, the log %q", err, lines)
			}
		})
	}
}

// TestCircle: intermediates that certify each other make no endless chain.
func TestCircle(t *testing.T) {
	one, two, key := ecKey(t), ecKey(t), ecKey(t)
	issue := func(name, issuer string, public crypto.PublicKey, by crypto.Signer) *x509.Certificate {
		template := &x509.Certificate{SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: name}, NotBefore: today.AddDate(0, 0, -1),
			NotAfter: today.AddDate(0, 0, 1), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
		der, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{Subject: pkix.Name{CommonName: issuer}}, public, by)
		if err != nil {
			t.Fatal(err)
		}
		c, _ := x509.ParseCertificate(der)
		return c
	}
	leaf := issue("leaf", "one", key.Public(), one)
	f := newFiles(t, certificates(leaf, issue("one", "two", one.Public(), two), issue("two", "one", two.Public(), one)), pkcs8(t, key))
	if pair, err := f.signer().current(); err != nil || len(pair.chain) != 2 {
		t.Errorf("got %+v, %v", pair, err)
	}
}

// TestPermission: what could not be read is read again although nothing that
// shows in the file has changed.
func TestPermission(t *testing.T) {
	a := newTestAuthority(t)
	f := newFiles(t, certificates(a.leaf, a.middle), pkcs8(t, a.key))
	signer := f.signer()
	signer.pair, signer.problem = nil, os.ErrPermission
	if signer.Signs() {
		t.Error("it did not wait")
	}
	f.pass(checkInterval)
	if !signer.Signs() {
		t.Error(signer.Check())
	}
}

// TestReload follows the files through the life of a certificate.
func TestReload(t *testing.T) {
	first, second := newTestAuthority(t), newTestAuthority(t)
	f := newFiles(t, nil, nil)
	signer := f.signer()
	steps := []struct {
		what   string
		do     func()
		signer *x509.Certificate // nil: unsigned
		logs   string
	}{
		{"nothing there yet", func() {}, nil, "level=WARN"},
		{"still nothing", func() { f.pass(time.Hour) }, nil, ""},
		{"both appear, seen within the second", func() {
			f.write(f.certificate, certificates(first.leaf, first.middle))
			f.write(f.key, pkcs8(t, first.key))
			f.pass(checkInterval / 2)
		}, nil, ""},
		{"and then", func() { f.pass(checkInterval) }, first.leaf, "level=INFO"},
		{"no change", func() { f.pass(time.Hour) }, first.leaf, ""},
		{"a renewed certificate without its key", func() {
			f.write(f.certificate, certificates(second.leaf, second.middle))
			f.pass(checkInterval)
		}, nil, "is not the key"},
		{"and its key", func() {
			f.write(f.key, pkcs8(t, second.key))
			f.pass(checkInterval)
		}, second.leaf, "level=INFO"},
		{"a certificate without its chain", func() {
			f.write(f.certificate, certificates(second.leaf))
			f.pass(checkInterval)
		}, second.leaf, "no certificate of the issuer"},
		{"the chain again", func() {
			f.write(f.certificate, certificates(second.leaf, second.middle))
			f.pass(checkInterval)
		}, second.leaf, "level=INFO"},
		{"forgotten until it expires, which is seen at once", func() {
			f.pass(second.leaf.NotAfter.Sub(f.time) + time.Millisecond)
		}, nil, "expired"},
		{"the clock goes back", func() { f.pass(-time.Hour) }, second.leaf, "level=INFO"},
		{"the key is gone", func() {
			f.write(f.key, nil)
			f.pass(checkInterval)
		}, nil, "no such file"},
	}
	for _, step := range steps {
		step.do()
		var lines []string
		for range 2 {
			out := signer.Sign([]byte("profile"))
			lines = append(lines, f.logged()...)
			if step.signer == nil {
				if string(out) != "profile" {
					t.Errorf("%s: it is signed", step.what)
				}
			} else if p7, err := pkcs7.Parse(out); err != nil || !p7.GetOnlySigner().Equal(step.signer) {
				t.Errorf("%s: not signed by the right certificate: %v", step.what, err)
			}
		}
		if all := strings.Join(lines, "\n"); (step.logs == "") != (len(lines) == 0) || len(lines) > 1 || !strings.Contains(all, step.logs) {
			t.Errorf("%s: the log says %q, want %q once", step.what, all, step.logs)
		}
	}
}

// TestLink: ACME clients turn a link to the new files, which may be older than
// the link.
func TestLink(t *testing.T) {
	f := newFiles(t, nil, nil)
	live := filepath.Join(t.TempDir(), "live")
	f.certificate, f.key = filepath.Join(live, "cert.pem"), filepath.Join(live, "key.pem")
	old := time.Now().Add(-time.Hour)
	turn := func(a *authority) {
		dir := t.TempDir()
		for name, text := range map[string][]byte{"cert.pem": certificates(a.leaf, a.middle), "key.pem": pkcs8(t, a.key)} {
			f.write(filepath.Join(dir, name), text)
			os.Chtimes(filepath.Join(dir, name), old, old)
		}
		os.Remove(live)
		if err := os.Symlink(dir, live); err != nil {
			t.Fatal(err)
		}
	}
	first, second := newTestAuthority(t), newTestAuthority(t)
	turn(first)
	signer := f.signer()
	for _, a := range []*authority{first, second, first} {
		turn(a)
		f.pass(checkInterval)
		if pair, err := signer.current(); err != nil || !pair.leaf.Equal(a.leaf) {
			t.Errorf("the files behind the link were not read: %v", err)
		}
	}
}

// TestWrittenOver: the same file with another content of the same length.
func TestWrittenOver(t *testing.T) {
	f := newFiles(t, []byte("a"), nil)
	before, err := os.Stat(f.certificate)
	if err != nil || !same(before, before) {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.certificate, []byte("b"), 0); err != nil {
		t.Fatal(err)
	}
	os.Chtimes(f.certificate, time.Time{}, before.ModTime().Add(time.Nanosecond)) // a coarse clock may not have moved
	if after, err := os.Stat(f.certificate); err != nil || same(before, after) || same(nil, after) || same(nil, nil) {
		t.Error("the change is not seen", err)
	}
}

// TestOneFile: certificate and key may stand in one file.
func TestOneFile(t *testing.T) {
	a := newTestAuthority(t)
	f := newFiles(t, append(certificates(a.leaf, a.middle), pkcs8(t, a.key)...), nil)
	f.key = f.certificate
	if signer := f.signer(); signer.Check() != nil || !signer.Signs() {
		t.Error(signer.Check())
	}
}

func TestNoSigner(t *testing.T) {
	signer := NewSigner("", "", slog.New(slog.DiscardHandler))
	if got := signer.Sign([]byte("profile")); string(got) != "profile" || signer.Check() != nil || signer.Signs() {
		t.Errorf("got %q %v", got, signer.Check())
	}
	half := NewSigner("cert.pem", "", slog.New(slog.DiscardHandler))
	if half.Check() == nil || half.Signs() {
		t.Error("a certificate without a key is fine")
	}
	half = NewSigner("", "key.pem", slog.New(slog.DiscardHandler))
	if err := half.Check(); err == nil || !strings.Contains(err.Error(), "no certificate file in the configuration") {
		t.Errorf("got %v", err)
	}
}

// TestConcurrent is for the race detector.
func TestConcurrent(t *testing.T) {
	a := newTestAuthority(t)
	f := newFiles(t, certificates(a.leaf, a.middle), pkcs8(t, a.key))
	signer := f.signer()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				signer.Sign([]byte("profile"))
				f.pass(checkInterval)
			}
		})
	}
	all.Wait()
}
