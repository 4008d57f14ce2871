package acceptance

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// publicRoot is an authority that every client knows. The laboratory's own takes its name
// and has a key of the same kind, so that it can take its place inside Delta Chat, which has
// its list of authorities built in.
const publicRoot = "/usr/share/ca-certificates/mozilla/ISRG_Root_X2.crt"

// newLabAuthority returns an authority with the name of the public root.
func newLabAuthority(t *testing.T) *authority {
	t.Helper()
	root := readPublicRoot(t)
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), RawSubject: root.RawSubject,
		NotBefore: time.Now().Add(-90 * 24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	ca := &authority{t: t, file: filepath.Join(work, "ca.pem"), cert: cert, key: key}
	ca.write(ca.file, "CERTIFICATE", der, 0o644)
	return ca
}

func readPublicRoot(t *testing.T) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(publicRoot)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("%s is not in PEM form", publicRoot)
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// trusting writes a copy of Delta Chat in which the key of the public root is that of the
// laboratory's authority, and returns its path.
func (ca *authority) trusting(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	public := readPublicRoot(t).PublicKey.(*ecdsa.PublicKey)
	before, err := public.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	after, err := ca.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(text, before) != 1 {
		t.Fatalf("%s has the key of %s %d times, want once", path, publicRoot, bytes.Count(text, before))
	}
	file := filepath.Join(work, filepath.Base(path))
	if _, err := os.Stat(file); err == nil {
		return file // it is running, too
	}
	if err := os.WriteFile(file, bytes.Replace(text, before, after, 1), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// domainValidated is the policy of public certificates for servers (CA/Browser Forum, Baseline
// Requirements §7.1.6.1), by which an issuer that was not sent is told from one that nobody knows.
var domainValidated = func() x509.OID {
	id, err := x509.OIDFromInts([]uint64{2, 23, 140, 1, 2, 1})
	if err != nil {
		panic(err)
	}
	return id
}()

// labCertificates issues certificates when a handshake wants one. All have the same key.
type labCertificates struct {
	ca           *authority
	key          *ecdsa.PrivateKey
	intermediate *x509.Certificate
	signer       *ecdsa.PrivateKey // of the intermediate

	mu  sync.Mutex
	all map[string]*tls.Certificate
}

func newLabCertificates(t *testing.T, ca *authority) *labCertificates {
	t.Helper()
	c := &labCertificates{ca: ca, all: map[string]*tls.Certificate{}}
	var err error
	if c.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	if c.signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Acceptance Test Intermediate"},
		NotBefore: ca.cert.NotBefore, NotAfter: ca.cert.NotAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, c.signer.Public(), ca.key)
	if err == nil {
		c.intermediate, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// get returns the certificate of a kind for a name.
func (c *labCertificates) get(name string, kind certificateKind) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := name + " " + string(kind)
	if have := c.all[id]; have != nil {
		return have, nil
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		return nil, err
	}
	if kind == foreignName || kind == wildcardSite {
		name = "www.webhost.example"
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-30 * 24 * time.Hour), NotAfter: time.Now().Add(20 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		Policies: []x509.OID{domainValidated},
	}
	if kind == expired {
		template.NotAfter = time.Now().Add(-10 * 24 * time.Hour)
	}
	parent, signer := c.ca.cert, c.ca.key
	switch kind {
	case selfSigned:
		parent, signer = template, c.key
	case leafOnly:
		parent, signer = c.intermediate, c.signer
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, c.key.Public(), signer)
	if err != nil {
		return nil, err
	}
	c.all[id] = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: c.key}
	return c.all[id], nil
}

// marshalKey returns the key of all certificates.
func marshalKey(t *testing.T, c *labCertificates) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
