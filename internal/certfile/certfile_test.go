package certfile

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue returns a certificate for a host, or for an authority if host is empty.
func issue(t *testing.T, subject, issuer, host string, public crypto.PublicKey, by crypto.Signer) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: subject},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	if host != "" {
		template.DNSNames = []string{host}
	} else {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	}
	der, err := x509.CreateCertificate(rand.Reader, template,
		&x509.Certificate{Subject: pkix.Name{CommonName: issuer}}, public, by)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func pemOf(kind string, der ...[]byte) []byte {
	var text []byte
	for _, bytes := range der {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})...)
	}
	return text
}

func pkcs8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("PRIVATE KEY", der)
}

// writePair writes both files; nil leaves one out.
func writePair(t *testing.T, certificate, key []byte) Pair {
	t.Helper()
	dir := t.TempDir()
	p := Pair{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	for name, text := range map[string][]byte{p.Certificate: certificate, p.Key: key} {
		if text == nil {
			continue
		}
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func TestProblems(t *testing.T) {
	authority, key, otherKey := newKey(t), newKey(t), newKey(t)
	leaf := issue(t, "leaf", "issuer", "host.example", key.Public(), authority)
	other := issue(t, "other", "issuer", "other.example", otherKey.Public(), authority)
	nameless := issue(t, "nameless", "issuer", "", key.Public(), authority)
	shortKey, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	short := issue(t, "short", "issuer", "host.example", shortKey.Public(), authority)
	certificate := pemOf("CERTIFICATE", leaf.Raw)
	oldEncrypted := pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Bytes: []byte("secret"),
		Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"},
	})
	for _, test := range []struct {
		name             string
		certificate, key []byte
		want             string // of LoadTLS; empty for none
		forSigning       bool   // Load has no problem
	}{
		{"good", certificate, pkcs8(t, key), "", true},
		{"with others", append(certificate, pemOf("CERTIFICATE", other.Raw)...), pkcs8(t, key), "", true},
		{"no certificate file", nil, pkcs8(t, key), "cert.pem: no such file or directory", false},
		{"no key file", certificate, nil, "key.pem: no such file or directory", false},
		{"another certificate", pemOf("CERTIFICATE", other.Raw), pkcs8(t, key),
			"key.pem: certificate and key do not match", false},
		{"another kind of key", certificate, pkcs8(t, shortKey), "key.pem: certificate and key do not match", false},
		{"not the first", pemOf("CERTIFICATE", other.Raw, leaf.Raw), pkcs8(t, key),
			"key.pem: certificate and key do not match", true},
		{"empty certificate", []byte{}, pkcs8(t, key), "cert.pem: no certificate in PEM form", false},
		{"DER", leaf.Raw, pkcs8(t, key), "cert.pem: no certificate in PEM form", false},
		{"damaged certificate", pemOf("CERTIFICATE", leaf.Raw[:99]), pkcs8(t, key),
			"cert.pem: a certificate cannot be parsed", false},
		{"large file", bytes.Repeat([]byte("\n"), maxFile+1), pkcs8(t, key), "cert.pem: it is larger than 1 MiB", false},
		{"empty key", certificate, []byte{}, "key.pem: no key in PEM form", false},
		{"certificate for a key", certificate, certificate, "key.pem: no key in PEM form", false},
		{"damaged key", certificate, pemOf("PRIVATE KEY", []byte("secret")), "key.pem: the key cannot be parsed", false},
		{"encrypted key", certificate, pemOf("ENCRYPTED PRIVATE KEY", []byte("secret")),
			"key.pem: encrypted keys are not supported", false},
		{"encrypted key, old form", certificate, oldEncrypted, "key.pem: encrypted keys are not supported", false},
		{"short RSA key", pemOf("CERTIFICATE", short.Raw), pkcs8(t, shortKey),
			"cert.pem: clients refuse an RSA key of 1024 bits", true},
		{"no host name", pemOf("CERTIFICATE", nameless.Raw), pkcs8(t, key),
			"cert.pem: clients refuse a certificate without a subject alternative name", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := writePair(t, test.certificate, test.key)
			_, err := p.LoadTLS()
			if test.want == "" {
				if err != nil {
					t.Errorf("LoadTLS() error = %v, want none", err)
				}
			} else if err == nil || !strings.Contains(err.Error(), test.want) ||
				strings.Contains(err.Error(), "secret") {
				t.Errorf("LoadTLS() error = %v, want %q", err, test.want)
			}
			pair, forSigning := p.Load()
			if (forSigning == nil) != test.forSigning {
				t.Errorf("Load() error = %v, want an error: %v", forSigning, !test.forSigning)
			}
			if forSigning == nil &&
				pair.Key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(pair.Leaf.PublicKey) == false {
				t.Errorf("Load() returned the certificate of %v, which is not the key's", pair.Leaf.Subject)
			}
		})
	}
}

func TestErrorKinds(t *testing.T) {
	key := newKey(t)
	certificate := pemOf("CERTIFICATE", issue(t, "leaf", "issuer", "host.example", newKey(t).Public(), key).Raw)
	if _, err := writePair(t, nil, nil).LoadTLS(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("LoadTLS() of a missing file = %v, want fs.ErrNotExist", err)
	}
	if _, err := writePair(t, certificate, pkcs8(t, key)).LoadTLS(); !errors.Is(err, ErrMismatch) {
		t.Errorf("LoadTLS() of another key = %v, want ErrMismatch", err)
	}
	if _, err := (Pair{Key: "key.pem"}).Load(); err == nil || err.Error() != "no certificate file is configured" {
		t.Errorf("Load() without a certificate file = %v", err)
	}
	noKey := writePair(t, certificate, nil)
	noKey.Key = ""
	if _, err := noKey.Load(); err == nil || err.Error() != "no key file is configured" {
		t.Errorf("Load() without a key file = %v", err)
	}
	dir := t.TempDir()
	if _, err := (Pair{Certificate: dir, Key: dir}).LoadTLS(); err == nil || err.Error() != dir+": it is a directory" {
		t.Errorf("LoadTLS() of a directory = %v, want that it is one", err)
	}
}

// TestOneFile loads certificate and key from the same file, in both orders.
func TestOneFile(t *testing.T) {
	authority, key := newKey(t), newKey(t)
	certificate := pemOf("CERTIFICATE", issue(t, "leaf", "issuer", "host.example", key.Public(), authority).Raw)
	for name, text := range map[string][]byte{
		"certificate first": append(certificate, pkcs8(t, key)...),
		"key first":         append(pkcs8(t, key), certificate...),
	} {
		p := writePair(t, text, nil)
		p.Key = p.Certificate
		c, err := p.LoadTLS()
		if err != nil || c.Leaf.DNSNames[0] != "host.example" || len(c.Certificate) != 1 {
			t.Errorf("%s: LoadTLS() = %+v, %v", name, c, err)
		}
	}
}

// TestCircle checks that intermediates that certify each other do not make an
// endless chain.
func TestCircle(t *testing.T) {
	one, two, key := newKey(t), newKey(t), newKey(t)
	leaf := issue(t, "leaf", "one", "", key.Public(), one)
	first, second := issue(t, "one", "two", "", one.Public(), two), issue(t, "two", "one", "", two.Public(), one)
	pair, err := writePair(t, pemOf("CERTIFICATE", leaf.Raw, first.Raw, second.Raw), pkcs8(t, key)).Load()
	if err != nil {
		t.Fatal(err)
	}
	if chain, problem := pair.Chain(); len(chain) != 2 || problem != "" {
		t.Errorf("Chain() = %d certificates, %q; want both intermediates and no problem", len(chain), problem)
	}
}

func TestRoots(t *testing.T) {
	key := newKey(t)
	good := pemOf("CERTIFICATE", issue(t, "root", "root", "", key.Public(), key).Raw)
	for _, test := range []struct {
		name string
		text []byte
		want string
	}{
		{"good", good, ""},
		{"one of two damaged", append(pemOf("CERTIFICATE", []byte("damaged")), good...), ""},
		{"none", []byte("hello\n"), "cert.pem: no certificate in PEM form"},
		{"no file", nil, "cert.pem: no such file or directory"},
	} {
		pool, err := Roots(writePair(t, test.text, nil).Certificate)
		if test.want == "" && (err != nil || pool == nil) || test.want != "" &&
			(err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: Roots() error = %v, want %q", test.name, err, test.want)
		}
	}
}

func TestChain(t *testing.T) {
	rootKey, middleKey, key := newKey(t), newKey(t), newKey(t)
	root := issue(t, "root", "root", "", rootKey.Public(), rootKey)
	middle := issue(t, "middle", "root", "", middleKey.Public(), rootKey)
	leaf := issue(t, "leaf", "middle", "host.example", key.Public(), middleKey)
	direct := issue(t, "direct", "root", "host.example", key.Public(), rootKey)
	const missing, disorder, notFirst = "issuer's certificate is missing", "not in order", "not the first"
	for _, test := range []struct {
		name    string
		file    []*x509.Certificate
		want    int // intermediates
		problem string
	}{
		{"in order", []*x509.Certificate{leaf, middle}, 1, ""},
		{"with root", []*x509.Certificate{leaf, middle, root}, 1, ""},
		{"issued by the root", []*x509.Certificate{direct, root}, 0, ""},
		{"issued by a root that is not in the file", []*x509.Certificate{direct}, 0, missing},
		{"no intermediate", []*x509.Certificate{leaf, root}, 0, missing},
		{"leaf last", []*x509.Certificate{middle, leaf}, 1, disorder},
		{"another certificate first", []*x509.Certificate{root, leaf, middle}, 1, notFirst},
		{"the root, which issued it, first", []*x509.Certificate{root, direct}, 0, notFirst},
		{"an intermediate whose issuer is not in the file", []*x509.Certificate{leaf, middle, direct}, 1, ""},
	} {
		chain, problem := (&KeyPair{Leaf: leafOf(test.file, key), All: test.file}).Chain()
		if len(chain) != test.want || (problem == "") != (test.problem == "") ||
			!strings.Contains(problem, test.problem) {
			t.Errorf("%s: Chain() = %d certificates, %q; want %d, %q",
				test.name, len(chain), problem, test.want, test.problem)
		}
	}
}

// leafOf returns the certificate of the key.
func leafOf(file []*x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	for _, c := range file {
		if key.PublicKey.Equal(c.PublicKey) {
			return c
		}
	}
	return nil
}

// TestUnparsableChain checks that TLS uses a pair whose chain holds a certificate that
// crypto/x509 cannot parse, such as a root with a negative serial number. A signature
// needs the whole chain.
func TestUnparsableChain(t *testing.T) {
	key := newKey(t)
	leaf := issue(t, "autoconfig.example.com", "autoconfig.example.com", "autoconfig.example.com", key.Public(), key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	for _, block := range []*pem.Block{
		{Type: "CERTIFICATE", Bytes: leaf.Raw},
		{Type: "CERTIFICATE", Bytes: []byte("a root")},
		{Type: "PRIVATE KEY", Bytes: der},
	} {
		text = append(text, pem.EncodeToMemory(block)...)
	}
	file := filepath.Join(t.TempDir(), "pair.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	pair := Pair{Certificate: file, Key: file}
	c, err := pair.LoadTLS()
	if err != nil {
		t.Fatalf("LoadTLS: %v", err)
	}
	if len(c.Certificate) != 2 || !bytes.Equal(c.Certificate[0], leaf.Raw) || string(c.Certificate[1]) != "a root" {
		t.Errorf("LoadTLS returned %d certificates, want the two of the file as they are", len(c.Certificate))
	}
	if _, err := pair.Load(); err == nil {
		t.Error("Load accepts a chain with a certificate that cannot be parsed")
	}
}
