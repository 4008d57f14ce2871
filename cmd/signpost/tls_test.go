package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// putCertificate writes a certificate for the test's names, that of the authority
// which issued it, and its key, in one file.
func putCertificate(t *testing.T, folder string, serial int64) {
	t.Helper()
	var blocks strings.Builder
	write := func(kind string, der []byte, err error) {
		if err == nil {
			err = pem.Encode(&blocks, &pem.Block{Type: kind, Bytes: der})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1000), Subject: pkix.Name{CommonName: "Test Authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, DNSNames: []string{"*.domain.se", "setup.example.com"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
	}
	authorityKey, key := newKey(), newKey()
	der, err := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), authorityKey)
	write("CERTIFICATE", der, err)
	der, err = x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	write("CERTIFICATE", der, err)
	der, err = x509.MarshalECPrivateKey(key)
	write("EC PRIVATE KEY", der, err)
	put(t, folder, "cert.pem", blocks.String())
}

const withTLS = "name: setup.example.com\ntls: {listen: \"127.0.0.1:0\", certificates: [{certificate: cert.pem, key: cert.pem}]}"

var listeningTLS = regexp.MustCompile(`msg="listening for TLS" address=(\S+)`)

// TestServeTLS serves both, and takes a new certificate without a restart.
func TestServeTLS(t *testing.T) {
	folder := prepare(t, withTLS)
	putCertificate(t, folder, 1)
	r := startServe(t, folder, nil)
	address := r.says(t, listeningTLS)[1]
	dial := func() *tls.Conn {
		t.Helper()
		conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: "autoconfig.domain.se", InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	conn := dial()
	if status, body := askOn(t, conn, thunderbird("domain.se")); status != 200 || !strings.Contains(body, "imap.one.example") {
		t.Errorf("got %d %s", status, body)
	}
	if serial := conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(); serial != 1 {
		t.Errorf("the certificate has number %d", serial)
	}

	post := "POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: autodiscover.domain.se\r\nContent-Length: 0\r\n\r\n"
	if status, _ := askOnce(t, r.address, post); status != http.StatusForbidden {
		t.Errorf("Autodiscover over http is answered %d", status)
	}
	if status, _ := askOnce(t, r.address, thunderbird("domain.se")); status != http.StatusOK {
		t.Errorf("autoconfig over http is answered %d", status)
	}
	if got := r.metric(t, `signpost_certificates{state="valid"}`); got != 1 {
		t.Errorf("%v valid certificates are counted", got)
	}
	if got := r.metric(t, `signpost_connections_accepted_total{listener="https"}`); got != 1 {
		t.Errorf("%v TLS connections are counted", got)
	}

	// A pair that cannot be used keeps all from being reloaded.
	more := strings.Replace(withTLS, "[{", "[{certificate: none.pem, key: none.pem}, {", 1)
	put(t, folder, "signpost.yaml", configText(folder, "two.example", more))
	r.signal(t, syscall.SIGHUP)
	if got := r.says(t, notReloaded); !strings.Contains(got[1], "none.pem") {
		t.Errorf("got %s", got[0])
	}
	if _, body := askOnce(t, r.address, thunderbird("domain.se")); !strings.Contains(body, "imap.one.example") {
		t.Errorf("half of the configuration was taken over:\n%s", body)
	}

	// A new certificate in the files of the old is taken without being told.
	putCertificate(t, folder, 2)
	for end := time.Now().Add(30 * time.Second); dial().ConnectionState().PeerCertificates[0].SerialNumber.Int64() != 2; {
		if time.Now().After(end) {
			t.Fatalf("the new certificate is not served:\n%s", r.stderr)
		}
		<-time.After(20 * time.Millisecond)
	}
	r.stop(t)
}

// TestAsk is the question of a proxy that orders certificates itself.
func TestAsk(t *testing.T) {
	r := startServe(t, prepare(t, "name: setup.example.com"), nil)
	for domain, want := range map[string]int{
		"setup.example.com": 200, "autoconfig.domain.se": 200, "autodiscover.domain.se": 200, "AUTOCONFIG.Domain.SE": 200,
		"domain.se": 403, "www.domain.se": 403, "autoconfig.other.se": 403, "": 403, "192.0.2.1": 403, "autoconfig.a.domain.se": 403,
	} {
		if status, body := r.admin(t, "/ask?domain="+domain); status != want {
			t.Errorf("%q: got %d %s, want %d", domain, status, body, want)
		}
	}
	for path, want := range map[string]string{"/healthz": "alive", "/readyz": "ready"} {
		if status, body := r.admin(t, path); status != 200 || strings.TrimSpace(body) != want {
			t.Errorf("%s: got %d %s", path, status, body)
		}
	}
	if status, _ := r.admin(t, "/debug/pprof/"); status != 404 {
		t.Errorf("pprof is answered %d unasked", status)
	}
}
