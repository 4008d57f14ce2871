package signer

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
	"testing"
	"time"
)

const (
	day      = 24 * time.Hour
	leafName = "setup.hoster.example"
)

// authority is a certificate authority with a root, an intermediate, and one
// certificate such as a web server has, for serverAuth.
type authority struct {
	root, middle, leaf *x509.Certificate
	key                crypto.Signer // of the leaf
}

var serial int64

// knownRoots holds the authorities of the tests, which this machine is to trust.
var knownRoots = x509.NewCertPool()

func init() { trust(knownRoots) }

// trust makes the authorities those that this machine trusts.
func trust(roots *x509.CertPool) {
	systemRoots = func() (*x509.CertPool, error) { return roots, nil }
}

// newAuthority returns an authority whose certificates are valid between two
// times from now.
func newAuthority(t testing.TB, key crypto.Signer, from, to time.Duration) *authority {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	issue := func(name string, ca bool, public crypto.PublicKey, parent *x509.Certificate, by crypto.Signer) *x509.Certificate {
		serial++
		template := &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
			NotBefore: now.Add(from), NotAfter: now.Add(to),
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
		return create(t, template, parent, public, by)
	}
	rootKey, middleKey := ecKey(t), ecKey(t)
	a := &authority{key: key}
	a.root = issue("Test Root", true, rootKey.Public(), nil, rootKey)
	a.middle = issue("Test Intermediate", true, middleKey.Public(), a.root, rootKey)
	a.leaf = issue(leafName, false, key.Public(), a.middle, middleKey)
	knownRoots.AddCert(a.root)
	return a
}

// newTestAuthority returns an authority whose certificates are valid.
func newTestAuthority(t testing.TB) *authority {
	t.Helper()
	return newAuthority(t, ecKey(t), -30*day, 60*day)
}

func create(t testing.TB, template, parent *x509.Certificate, public crypto.PublicKey, by crypto.Signer) *x509.Certificate {
	t.Helper()
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

// certificates returns the certificates in PEM form.
func certificates(list ...*x509.Certificate) []byte {
	var text []byte
	for _, c := range list {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return text
}

// pkcs8 returns the key in PEM form.
func pkcs8(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
