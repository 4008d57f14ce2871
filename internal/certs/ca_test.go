package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"signpost/internal/certfile"
)

// testCA issues certificates with ascending serial numbers.
type testCA struct {
	root *x509.Certificate
	key  crypto.Signer
	last int64
}

func newTestCA(t testing.TB) *testCA {
	t.Helper()
	ca := &testCA{last: 1}
	var err error
	if ca.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Root"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * 365 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, ca.key.Public(), ca.key)
	if err != nil {
		t.Fatal(err)
	}
	if ca.root, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return ca
}

func (ca *testCA) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(ca.root)
	return p
}

// request describes a certificate.
type request struct {
	names []string
	rsa   int           // bits; ECDSA when zero
	from  time.Duration // from now
	until time.Duration // from now; ninety days when zero
}

// issue returns a certificate and its key in PEM form.
func (ca *testCA) issue(t testing.TB, r request) (chain, key []byte) {
	t.Helper()
	var signer crypto.Signer
	var err error
	if r.rsa > 0 {
		signer, err = rsa.GenerateKey(rand.Reader, r.rsa)
	} else {
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	if r.until == 0 {
		r.until = 90 * 24 * time.Hour
	}
	ca.last++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(ca.last), DNSNames: r.names,
		NotBefore: time.Now().Add(r.from - time.Minute), NotAfter: time.Now().Add(r.until),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.root, signer.Public(), ca.key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// pair writes a new certificate and its key into a directory.
func (ca *testCA) pair(t testing.TB, r request) certfile.Pair {
	t.Helper()
	dir := t.TempDir()
	p := certfile.Pair{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	ca.renew(t, p, r)
	return p
}

// renew writes a new certificate and key into the files.
func (ca *testCA) renew(t testing.TB, p certfile.Pair, r request) {
	t.Helper()
	chain, key := ca.issue(t, r)
	write(t, p.Certificate, chain)
	write(t, p.Key, key)
}

// write replaces a file by renaming, as careful programs do, so that two versions
// never have the same time, size and inode.
func write(t testing.TB, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}
