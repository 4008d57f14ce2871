package signer

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smallstep/pkcs7"

	"signpost/internal/certfile"
)

const profile = "the profile"

// files are the files and the log of a Signer.
type files struct {
	t testing.TB
	certfile.Pair
	log bytes.Buffer
}

func newFiles(t testing.TB, certificate, key []byte) *files {
	dir := t.TempDir()
	f := &files{t: t, Pair: certfile.Pair{Certificate: filepath.Join(dir, "cert.pem"),
		Key: filepath.Join(dir, "key.pem")}}
	f.write(f.Certificate, certificate)
	f.write(f.Key, key)
	return f
}

// write replaces a file; nil removes it.
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

func (f *files) signer() *Signer { return New(f.Pair, slog.New(slog.NewTextHandler(&f.log, nil))) }

// logged returns the lines that were logged since the last call.
func (f *files) logged() []string {
	text := strings.TrimSpace(f.log.String())
	f.log.Reset()
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// openssl runs openssl, and skips the test if it is not installed. CI sets
// SIGNPOST_REQUIRE_TOOLS, so that the test cannot be skipped there.
func openssl(t testing.TB, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil && os.Getenv("SIGNPOST_REQUIRE_TOOLS") == "" {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(path, args...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("openssl %q: %v: %s", args, err, stderr.Bytes())
	}
	return out
}

// TestOpenSSL verifies signatures by every kind of key.
func TestOpenSSL(t *testing.T) {
	rsaKey, ecKey := rsaKey(t), ecKey(t)
	sec1, err := x509.MarshalECPrivateKey(ecKey)
	if err != nil {
		t.Fatal(err)
	}
	parameters := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS",
		Bytes: []byte{6, 8, 42, 0x86, 72, 0xce, 61, 3, 1, 7}})
	for _, test := range []struct {
		name string
		key  crypto.Signer
		file []byte
	}{
		{"RSA PKCS 8", rsaKey, pkcs8(t, rsaKey)},
		{"RSA PKCS 1", rsaKey, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY",
			Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)})},
		{"ECDSA PKCS 8", ecKey, pkcs8(t, ecKey)},
		{"ECDSA SEC 1", ecKey, append(parameters, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})...)},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAuthority(t, test.key, -day, day)
			f := newFiles(t, certificates(a.leaf, a.middle, a.root), test.file)
			s := f.signer()
			if err := s.Check(); err != nil || !s.CanSign() {
				t.Fatalf("Check() = %v, CanSign() = %v, want no problem", err, s.CanSign())
			}
			signed := s.Sign([]byte(profile))
			if signed[0] != 0x30 || !bytes.Contains(signed, []byte(profile)) {
				t.Fatalf("Sign() = % x, want DER that contains the profile", signed)
			}
			dir := t.TempDir()
			file, root := filepath.Join(dir, "p.mobileconfig"), filepath.Join(dir, "root.pem")
			f.write(file, signed)
			f.write(root, certificates(a.root))
			content := openssl(t, "cms", "-verify", "-inform", "DER", "-in", file, "-CAfile", root, "-purpose", "any")
			if string(content) != profile {
				t.Errorf("openssl cms -verify printed %q, want %q", content, profile)
			}
			text := string(openssl(t, "cms", "-cmsout", "-print", "-inform", "DER", "-in", file))
			if !strings.Contains(text, "algorithm: sha256 (2.16.840.1.101.3.4.2.1)") || strings.Contains(text, "sha1") {
				t.Errorf("the digest is not SHA-256:\n%s", text)
			}
			for name, want := range map[string]int{"subject: CN=" + leafName: 1, "subject: CN=Test Intermediate": 1,
				"subject: CN=Test Root": 0} {
				if got := strings.Count(text, name); got != want {
					t.Errorf("the signature contains %q %d times, want %d:\n%s", name, got, want, text)
				}
			}
		})
	}
}

// TestUnsigned checks that a certificate or key that cannot be used leaves the
// profile unsigned, with one line in the log for any number of profiles.
func TestUnsigned(t *testing.T) {
	a := newTestAuthority(t)
	old, young := newAuthority(t, ecKey(t), -90*day, -day), newAuthority(t, ecKey(t), day, 90*day)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	rootKey := ecKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "snakeoil"},
		NotBefore: time.Now().Add(-day), NotAfter: time.Now().Add(day),
	}
	snakeoil := create(t, template, template, rootKey.Public(), rootKey)
	good, key := certificates(a.leaf, a.middle), pkcs8(t, a.key)
	t.Setenv("GODEBUG", "rsa1024min=0")
	weakKey, err := rsa.GenerateKey(rand.Reader, 512)
	if err != nil {
		t.Fatal(err)
	}
	weak := newAuthority(t, weakKey, -day, day)
	t.Setenv("GODEBUG", "")
	ed := newAuthority(t, edKey, -day, day)
	for _, test := range []struct {
		name             string
		certificate, key []byte
		reason           string
	}{
		{"no certificate", nil, key, "cert.pem: no such file"},
		{"no key", good, nil, "key.pem: no such file"},
		{"expired", certificates(old.leaf, old.middle), pkcs8(t, old.key),
			"the certificate expired on " + old.leaf.NotAfter.Format(time.RFC3339)},
		{"not yet valid", certificates(young.leaf, young.middle), pkcs8(t, young.key),
			"the certificate is not valid before " + young.leaf.NotBefore.Format(time.RFC3339)},
		{"self-signed", certificates(snakeoil), pkcs8(t, rootKey), "cert.pem: devices show a self-signed certificate"},
		{"another key", good, pkcs8(t, ecKey(t)), "key.pem: certificate and key do not match"},
		{"Ed25519", certificates(ed.leaf, ed.middle), pkcs8(t, edKey), "key.pem: the key is neither RSA nor ECDSA"},
		{"weak key", certificates(weak.leaf, weak.middle), pkcs8(t, weakKey), "key.pem: the key cannot sign"},
		{"damaged key", good, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")}),
			"key.pem: the key cannot be parsed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFiles(t, test.certificate, test.key)
			s := f.signer()
			for range 3 {
				if got := s.Sign([]byte(profile)); string(got) != profile {
					t.Fatalf("Sign() = %q, want the profile unsigned", got)
				}
				s.retry()
			}
			lines := f.logged()
			const warning = `level=WARN msg="profiles are not signed" reason=`
			if len(lines) != 1 || !strings.Contains(lines[0], warning) || !strings.Contains(lines[0], test.reason) {
				t.Errorf("the log has %q, want one line with %q and %q", lines, warning, test.reason)
			}
			if strings.Contains(strings.Join(lines, ""), "secret") {
				t.Error("the log contains a part of the key")
			}
			if err := s.Check(); err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("Check() = %v, want %q", err, test.reason)
			}
			if s.CanSign() {
				t.Error("CanSign() = true, want false")
			}
		})
	}
}

// TestChain checks that a chain that is incomplete or out of order is signed
// with as well as possible, and that Check and the log say so.
func TestChain(t *testing.T) {
	a, other := newTestAuthority(t), newTestAuthority(t)
	for _, test := range []struct {
		name    string
		file    []byte
		count   int // certificates in the signature
		warning string
	}{
		{"in order", certificates(a.leaf, a.middle), 2, ""},
		{"with root", certificates(a.leaf, a.middle, a.root), 2, ""},
		{"no intermediate", certificates(a.leaf), 1, "the issuer's certificate is missing"},
		{"root only", certificates(a.leaf, a.root), 1, "the issuer's certificate is missing"},
		{"intermediate of another authority", certificates(a.leaf, other.middle), 1, "the issuer's certificate is missing"},
		{"leaf last", certificates(a.middle, a.leaf), 2, "not in order"},
		{"others first", certificates(other.leaf, a.leaf, a.middle), 2, "not the first"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFiles(t, test.file, pkcs8(t, a.key))
			s := f.signer()
			signed, err := pkcs7.Parse(s.Sign([]byte(profile)))
			if err != nil {
				t.Fatal(err)
			}
			if got := len(signed.Certificates); got != test.count || !signed.Certificates[0].Equal(a.leaf) {
				t.Errorf("the signature has %d certificates, want %d with the leaf first", got, test.count)
			}
			const good = `level=INFO msg="profiles are signed" certificate=`
			const bad = `level=WARN msg="profiles are signed, but devices may not trust the signature" reason=`
			lines, err := f.logged(), s.Check()
			switch {
			case len(lines) != 1:
				t.Errorf("the log has %q, want one line", lines)
			case test.warning == "" &&
				(err != nil || !strings.Contains(lines[0], good) || !strings.Contains(lines[0], " until=")):
				t.Errorf("Check() = %v, log %q, want no problem", err, lines)
			case test.warning != "" && (err == nil || !strings.HasPrefix(err.Error(), f.Certificate+": ") ||
				!strings.Contains(err.Error(), test.warning) || !strings.Contains(lines[0], bad)):
				t.Errorf("Check() = %v, log %q, want a warning with %q", err, lines, test.warning)
			}
		})
	}
}

// TestTrusted checks that a signature is said to be trusted only if its certificates lead
// to an authority that this machine trusts, and that Check and the log say so.
func TestTrusted(t *testing.T) {
	a, other := newTestAuthority(t), newTestAuthority(t)
	t.Cleanup(func() { trust(knownRoots) })
	for _, test := range []struct {
		name  string
		file  []byte
		roots []*x509.Certificate
		want  bool
		says  string
	}{
		{"known", certificates(a.leaf, a.middle), []*x509.Certificate{other.root, a.root}, true, ""},
		{"private", certificates(a.leaf, a.middle), []*x509.Certificate{other.root}, false, "Not Verified"},
		{"private with its root", certificates(a.leaf, a.middle, a.root), []*x509.Certificate{other.root}, false,
			"Not Verified"},
		{"without intermediate", certificates(a.leaf), []*x509.Certificate{a.root}, false, "the issuer's certificate is missing"},
		{"nothing is known here", certificates(a.leaf, a.middle), nil, true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			roots := x509.NewCertPool()
			for _, root := range test.roots {
				roots.AddCert(root)
			}
			trust(roots)
			f := newFiles(t, test.file, pkcs8(t, a.key))
			s := f.signer()
			if s.Trusted() != test.want || !s.CanSign() {
				t.Errorf("Trusted() = %v, CanSign() = %v, want %v, true", s.Trusted(), s.CanSign(), test.want)
			}
			err := s.Check()
			if test.says == "" && err != nil || test.says != "" &&
				(err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("Check() = %v, want %q", err, test.says)
			}
			if lines := f.logged(); len(lines) != 1 || !strings.Contains(lines[0], test.says) {
				t.Errorf("the log has %q, want one line with %q", lines, test.says)
			}
		})
	}
}

// TestRetry checks that files that could not be read are read again although
// they look the same as before.
func TestRetry(t *testing.T) {
	a := newTestAuthority(t)
	f := newFiles(t, certificates(a.leaf, a.middle), pkcs8(t, a.key))
	s := f.signer()
	s.key, s.problem = nil, os.ErrPermission
	if s.CanSign() {
		t.Error("CanSign() = true without a key")
	}
	s.retry()
	if !s.CanSign() {
		t.Errorf("after another attempt Check() = %v, want no problem", s.Check())
	}
}

// TestReload follows the files through the life of a certificate.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := newTestAuthority(t), newAuthority(t, ecKey(t), day, 60*day)
		f := newFiles(t, nil, nil)
		s := f.signer()
		for _, step := range []struct {
			what   string
			do     func()
			signer *x509.Certificate // nil: unsigned
			log    string            // in the only new line; empty: no new line
		}{
			{"no files yet", func() {}, nil, "level=WARN"},
			{"still no files", func() {}, nil, ""},
			{"both files appear", func() {
				f.write(f.Certificate, certificates(first.leaf, first.middle))
				f.write(f.Key, pkcs8(t, first.key))
			}, first.leaf, "level=INFO"},
			{"no change", func() { time.Sleep(time.Hour) }, first.leaf, ""},
			{"a renewed certificate without its key", func() {
				f.write(f.Certificate, certificates(second.leaf, second.middle))
			}, nil, "do not match"},
			{"and its key, but it is not valid yet", func() { f.write(f.Key, pkcs8(t, second.key)) }, nil, "not valid before"},
			{"a day later", func() { time.Sleep(day) }, second.leaf, "level=INFO"},
			{"a certificate without its chain", func() { f.write(f.Certificate, certificates(second.leaf)) }, second.leaf,
				"issuer's certificate is missing"},
			{"the chain again", func() { f.write(f.Certificate, certificates(second.leaf, second.middle)) }, second.leaf,
				"level=INFO"},
			{"expired", func() { time.Sleep(60 * day) }, nil, "expired"},
			{"the key is gone", func() { f.write(f.Key, nil) }, nil, "no such file"},
		} {
			step.do()
			s.reload()
			var lines []string
			for range 2 {
				signed := s.Sign([]byte(profile))
				lines = append(lines, f.logged()...)
				if step.signer == nil {
					if string(signed) != profile {
						t.Errorf("%s: the profile is signed", step.what)
					}
				} else if p7, err := pkcs7.Parse(signed); err != nil || !p7.GetOnlySigner().Equal(step.signer) {
					t.Errorf("%s: not signed by the right certificate: %v", step.what, err)
				}
			}
			if all := strings.Join(lines, "\n"); (step.log == "") != (len(lines) == 0) || len(lines) > 1 ||
				!strings.Contains(all, step.log) {
				t.Errorf("%s: the log has %q, want %q once", step.what, all, step.log)
			}
		}
	})
}

// TestExpiry checks that the validity is judged at the time of each signature,
// without a reload.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(t, ecKey(t), day, 2*day)
		s := newFiles(t, certificates(a.leaf, a.middle), pkcs8(t, a.key)).signer()
		for _, step := range []struct {
			pass time.Duration
			want bool
		}{{0, false}, {day - 1, false}, {1, true}, {day, true}, {1, false}} {
			time.Sleep(step.pass)
			if got := s.CanSign(); got != step.want {
				t.Errorf("CanSign() = %v at %v, want %v for a certificate from %v to %v", got, time.Now(), step.want,
					a.leaf.NotBefore, a.leaf.NotAfter)
			}
		}
	})
}

// TestStart checks that new files are noticed through a link: ACME clients point
// a link at the new files, which may be older than the link.
func TestStart(t *testing.T) {
	f := newFiles(t, nil, nil)
	live := filepath.Join(t.TempDir(), "live")
	f.Pair = certfile.Pair{Certificate: filepath.Join(live, "cert.pem"), Key: filepath.Join(live, "key.pem")}
	old := time.Now().Add(-time.Hour)
	point := func(a *authority) {
		dir := t.TempDir()
		for name, text := range map[string][]byte{"cert.pem": certificates(a.leaf, a.middle),
			"key.pem": pkcs8(t, a.key)} {
			f.write(filepath.Join(dir, name), text)
			os.Chtimes(filepath.Join(dir, name), old, old)
		}
		os.Remove(live)
		if err := os.Symlink(dir, live); err != nil {
			t.Fatal(err)
		}
	}
	first, second := newTestAuthority(t), newTestAuthority(t)
	s := New(f.Pair, slog.New(slog.DiscardHandler))
	s.Start(t.Context())
	defer s.Close()
	waitFor := func(a *authority, change string) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if key, _ := s.current(); key != nil && key.leaf.Equal(a.leaf) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: not noticed within 30 s; Check() = %v", change, s.Check())
			}
		}
	}
	for i, a := range []*authority{first, second, first} {
		point(a)
		waitFor(a, fmt.Sprintf("change %d of the link", i+1))
	}
	s.mu.Lock()
	s.key, s.problem = nil, os.ErrPermission
	s.mu.Unlock()
	waitFor(first, "a permission that was given later")
}

// TestStartAndClose checks that Start reads what was written after New without a warning, and
// that nothing runs after Close.
func TestStartAndClose(t *testing.T) {
	first, second := newTestAuthority(t), newTestAuthority(t)
	f := newFiles(t, certificates(first.leaf, first.middle), pkcs8(t, first.key))
	s := f.signer()
	f.write(f.Certificate, certificates(second.leaf, second.middle))
	f.write(f.Key, pkcs8(t, second.key))
	s.Start(t.Context())
	if key, err := s.current(); key == nil || !key.leaf.Equal(second.leaf) {
		t.Errorf("after Start, the certificate is not the one of the file (%v)", err)
	}
	s.Close()
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("something still runs 10 s after Close")
	}
	if lines := f.logged(); strings.Contains(strings.Join(lines, "\n"), "level=WARN") {
		t.Errorf("the log has %q, want no warning", lines)
	}
}

func TestNoFiles(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	s := New(certfile.Pair{}, log)
	s.Start(t.Context())
	if got := s.Sign([]byte(profile)); string(got) != profile || s.Check() != nil || s.CanSign() || s.Trusted() {
		t.Errorf("without files Sign() = %q, Check() = %v, CanSign() = %v; want no signature and no problem", got,
			s.Check(), s.CanSign())
	}
	s.Close()
	for pair, want := range map[certfile.Pair]string{
		{Certificate: "cert.pem"}: "cert.pem: no such file",
		{Key: "key.pem"}:          "no certificate file is configured",
	} {
		s := New(pair, log)
		if err := s.Check(); s.CanSign() || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("with %+v only: Check() = %v, CanSign() = %v; want %q", pair, err, s.CanSign(), want)
		}
	}
}

// TestConcurrent is for the race detector.
func TestConcurrent(t *testing.T) {
	a := newTestAuthority(t)
	s := newFiles(t, certificates(a.leaf, a.middle), pkcs8(t, a.key)).signer()
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for range 10 {
				s.Sign([]byte(profile))
				s.reload()
			}
		})
	}
	running.Wait()
}
