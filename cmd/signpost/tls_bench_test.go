package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
)

// hostedNames returns the number of names with a certificate in the TLS benchmark.
func hostedNames() int { return unlessShort(10_000, 100) }

// The environment of the process that runs the bare TLS server: the file with its
// answer, and the file with its certificate and key.
const (
	bareTLSAnswer = "SIGNPOST_BENCH_BARE_TLS_ANSWER"
	bareTLSPair   = "SIGNPOST_BENCH_BARE_TLS_PAIR"
)

// acmeNobody is the URL of an ACME server that does not exist.
const acmeNobody = "https://acme.invalid/directory"

// serveBareTLS does over TLS, with one certificate, what serveBare does.
func serveBareTLS(file string) {
	listener, handler := listenBare(file, `"listening for TLS"`)
	pair := os.Getenv(bareTLSPair)
	panic(http.ServeTLS(listener, handler, pair, pair))
}

// byTLS is the prefix of an address to connect to with TLS.
const byTLS = "tls:"

func dial(address string) (net.Conn, error) {
	if secure, ok := strings.CutPrefix(address, byTLS); ok {
		return dialTLS(secure, hostedName(0))
	}
	return net.Dial("tcp", address)
}

// dialTLS connects without the work that only the client has, such as verification.
func dialTLS(address, name string) (*tls.Conn, error) {
	return tls.Dial("tcp", address,
		&tls.Config{ServerName: name, InsecureSkipVerify: true, SessionTicketsDisabled: true})
}

func hostedName(i int) string { return fmt.Sprintf("autoconfig.customer%d.example", i) }

// BenchmarkGETTLS compares the service over TLS, with the certificates of ten
// thousand names in memory, with a bare TLS server that has one of them and sends the
// same bytes. The connections are kept alive.
func BenchmarkGETTLS(b *testing.B) {
	folder := b.TempDir()
	domains := make([]string, hostedNames())
	for i := range domains {
		domains[i] = strings.TrimPrefix(hostedName(i), "autoconfig.") + "\n"
	}
	put(b, folder, "domains.txt", strings.Join(domains, ""))
	put(b, folder, "signpost.yaml", configText(folder, "hoster.example", fmt.Sprintf(
		"tls: {listen: \"127.0.0.1:0\", acme: {directory: %q, storage: storage}}", acmeNobody)))
	pair := storeCertificates(b, filepath.Join(folder, "storage"))

	signpost := startMatching(b, serveCommand(build(b), filepath.Join(folder, "signpost.yaml")), listeningTLS)
	if err := shakeAll(signpost.address); err != nil {
		b.Fatal(err)
	}
	if got := (&running{folder: folder}).metric(b, `signpost_certificates{state="valid"}`); int(got) != hostedNames() {
		b.Fatalf("%v certificates are in memory, want %d", got, hostedNames())
	}
	signpost.address = byTLS + signpost.address
	request := strings.ReplaceAll(thunderbirdGET, "domain.se", "customer0.example")

	put(b, folder, "answer", string(answerOf(b, signpost.address, request)))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), bareTLSAnswer+"="+filepath.Join(folder, "answer"), bareTLSPair+"="+pair)
	bare := startMatching(b, cmd, listeningTLS)
	bare.address = byTLS + bare.address
	mustAgree(b, signpost, bare, request)
	loaded := signpost.resident(b)
	theirs, ours, ratio := alternate(b, []*process{bare}, []*process{signpost}, request)

	b.ReportMetric(0, "ns/op") // meaningless: a run is one comparison
	b.ReportMetric(ratio, "ratio")
	b.ReportMetric(ours.cpuEach()/theirs.cpuEach(), "cpu-ratio")
	b.ReportMetric(ours.cpuEach(), "cpu-µs/req")
	b.ReportMetric(theirs.cpuEach(), "bare-cpu-µs/req")
	b.ReportMetric(ours.perSecond(), "req/s")
	b.ReportMetric(loaded, "certificates-MB")
	b.ReportMetric(signpost.resident(b), "loaded-MB")
}

// shakeAll makes one TLS handshake for each name.
func shakeAll(address string) error {
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make(chan error, connections)
	for range connections {
		group.Go(func() {
			for i := next.Add(1) - 1; int(i) < hostedNames(); i = next.Add(1) - 1 {
				conn, err := dialTLS(address, hostedName(int(i)))
				if err != nil {
					errs <- fmt.Errorf("%s: %w", hostedName(int(i)), err)
					return
				}
				conn.Close()
			}
		})
	}
	group.Wait()
	close(errs)
	return <-errs
}

// storeCertificates writes certificates as certmagic stores them, and returns a file
// with the first one and its key.
func storeCertificates(b *testing.B, folder string) (pair string) {
	b.Helper()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	write := func(file string, text []byte) {
		must(os.MkdirAll(filepath.Dir(file), 0o700))
		must(os.WriteFile(file, text, 0o600))
	}
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	authority := &x509.Certificate{Subject: pkix.Name{CommonName: "Test Authority"}}
	issuer := (&certmagic.ACMEIssuer{CA: acmeNobody}).IssuerKey()
	for i := range hostedNames() {
		name := hostedName(i)
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: big.NewInt(int64(i) + 1), DNSNames: []string{name},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}, authority, key.Public(), authorityKey)
		must(err)
		secret, err := x509.MarshalPKCS8PrivateKey(key)
		must(err)
		chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		keyText := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
		write(filepath.Join(folder, certmagic.StorageKeys.SiteCert(issuer, name)), chain)
		write(filepath.Join(folder, certmagic.StorageKeys.SitePrivateKey(issuer, name)), keyText)
		write(filepath.Join(folder, certmagic.StorageKeys.SiteMeta(issuer, name)), []byte("{}"))
		if i == 0 {
			pair = folder + ".pem"
			write(pair, append(chain, keyText...))
		}
	}
	return pair
}
