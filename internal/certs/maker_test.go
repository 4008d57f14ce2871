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

// maker is a certificate authority of the tests' own.
type maker struct {
	root *x509.Certificate
	key  crypto.Signer
	last int64
}

func newMaker(t testing.TB) *maker {
	t.Helper()
	m := &maker{last: 1}
	var err error
	if m.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Root"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * 365 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, m.key.Public(), m.key)
	if err != nil {
		t.Fatal(err)
	}
	if m.root, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *maker) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(m.root)
	return p
}

// wanted is the certificate to make.
type wanted struct {
	names []string
	rsa   int           // bits; ECDSA when zero
	from  time.Duration // from now
	until time.Duration // from now; ninety days when zero
}

// make returns certificate and key in PEM form.
func (m *maker) make(t testing.TB, w wanted) (chain, key []byte) {
	t.Helper()
	var signer crypto.Signer
	var err error
	if w.rsa > 0 {
		signer, err = rsa.GenerateKey(rand.Reader, w.rsa)
	} else {
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	if w.until == 0 {
		w.until = 90 * 24 * time.Hour
	}
	m.last++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(m.last), DNSNames: w.names,
		NotBefore: time.Now().Add(w.from - time.Minute), NotAfter: time.Now().Add(w.until),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, m.root, signer.Public(), m.key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// pair writes a new pair into files of a folder.
func (m *maker) pair(t testing.TB, w wanted) certfile.Pair {
	t.Helper()
	folder := t.TempDir()
	p := certfile.Pair{Certificate: filepath.Join(folder, "cert.pem"), Key: filepath.Join(folder, "key.pem")}
	m.renew(t, p, w)
	return p
}

// renew writes a new certificate and key into the files.
func (m *maker) renew(t testing.TB, p certfile.Pair, w wanted) {
	t.Helper()
	chain, key := m.make(t, w)
	write(t, p.Certificate, chain)
	write(t, p.Key, key)
}

// write replaces a file as careful programs do, so that no two have the same
// time, size and number.
func write(t testing.TB, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}
