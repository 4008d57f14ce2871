package mailrig

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certificate writes a certificate for Host and its key, and makes its authority the root.
func (s *Servers) certificate(t testing.TB, dir string) (certificate, key string) {
	t.Helper()
	issuer, issuerKey := issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Mail Test CA"}, IsCA: true,
		KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	leaf, leafKey := issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: Host}, DNSNames: []string{Host},
		IPAddresses: []net.IP{net.ParseIP(Address)}}, issuer, issuerKey)
	s.Roots = x509.NewCertPool()
	s.Roots.AddCert(issuer)
	der, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	return file(t, dir, "cert.pem", "CERTIFICATE", leaf.Raw), file(t, dir, "key.pem", "PRIVATE KEY", der)
}

func issue(t testing.TB, template, parent *x509.Certificate,
	by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	template.BasicConstraintsValid = true
	if parent == nil {
		parent, by = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

func file(t testing.TB, dir, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
