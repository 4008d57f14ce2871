package mobileconfig

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

	"github.com/smallstep/pkcs7"
)

// newCertificate returns a certificate for the key, signed by the key itself.
func newCertificate(t testing.TB, key crypto.Signer) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: testService},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ecKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signWith returns a function that signs documents with the key.
func signWith(t testing.TB, key crypto.Signer) func([]byte) []byte {
	t.Helper()
	certificate := newCertificate(t, key)
	return func(document []byte) []byte {
		data, err := pkcs7.NewSignedData(document)
		if err == nil {
			data.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
			err = data.AddSigner(certificate, key, pkcs7.SignerInfoConfig{})
		}
		if err != nil {
			t.Fatal(err)
		}
		signed, err := data.Finish()
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
}

// TestReadSigned reads what openssl signed, and what pkcs7 did.
func TestReadSigned(t *testing.T) {
	unsigned := document(t, settings(t, small, "anna@example.se"), Options{})
	check := func(t *testing.T, signed []byte) {
		t.Helper()
		s, err := Read(signed)
		if err != nil || s.Address.String() != "anna@example.se" {
			t.Errorf("Read of the signed profile = %v, %v; want anna@example.se", s.Address, err)
		}
	}
	t.Run("pkcs7", func(t *testing.T) {
		check(t, signWith(t, rsaKey(t))(unsigned))
		check(t, signWith(t, ecKey(t))(unsigned))
	})
	t.Run("openssl", func(t *testing.T) {
		key := rsaKey(t)
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		write := func(name, kind string, der ...[]byte) string {
			var text []byte
			for _, bytes := range der {
				text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})...)
			}
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		other := newCertificate(t, ecKey(t))
		check(t, tool(t, unsigned, "openssl", "cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-md", "sha256",
			"-signer", write("cert.pem", "CERTIFICATE", newCertificate(t, key).Raw), "-inkey", write("key.pem", "PRIVATE KEY", der),
			"-certfile", write("chain.pem", "CERTIFICATE", other.Raw)))
	})
}
