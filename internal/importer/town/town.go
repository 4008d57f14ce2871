// Package town is a small internet on loopback for tests of imports: a name server, web servers
// on ports 80 and 443, and mail servers on their own ports. Only root may use these.
package town

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"signpost/internal/dns/dnstest"
	"signpost/internal/doctor/probe/network"
)

// Page is what a web server answers.
type Page struct {
	Status   int // 200 if zero
	Type     string
	Body     string
	Location string
}

// Town is a running internet.
type Town struct {
	Resolver string         // the address of its name server
	Address  string         // of its web servers; $ADDRESS in lines of zones
	Roots    *x509.CertPool // of its certificates
	CAFile   string         // the same as PEM

	zone      []string
	pages     map[string]Page
	key       *ecdsa.PrivateKey
	authority *x509.Certificate
	mu        sync.Mutex
	asked     []string
}

// Start starts a town with lines of zone files and with pages by method and URL, such as "GET
// https://autoconfig.udde.example/mail/config-v1.1.xml", with or without a query. A POST by a phone for
// Autodiscover is "PHONE https://…". $ADDRESS in a line is the address of all web and mail servers. All
// names have a certificate but those that begin with "bad.". The test is skipped without
// the right to listen at these ports, and fails then if SIGNPOST_REQUIRE_TOOLS is set.
func Start(t testing.TB, pages map[string]Page, zone ...string) *Town {
	t.Helper()
	town := &Town{pages: pages, Address: fmt.Sprintf("127.%d.%d.7", 128+os.Getpid()>>8&63, os.Getpid()&255)}
	town.makeAuthority(t)
	for _, line := range zone {
		town.zone = append(town.zone, strings.ReplaceAll(line, "$ADDRESS", town.Address))
	}
	town.Resolver = dnstest.StartServer(t, dnstest.NewZone(t, "example", town.zone...).ServeDNS)
	server := &http.Server{Handler: town, ErrorLog: log.New(io.Discard, "", 0)}
	t.Cleanup(func() { server.Close() })
	go server.Serve(town.listen(t, 80))
	go server.Serve(tls.NewListener(town.listen(t, 443), town.tlsConfig()))
	return town
}

// Network returns what asks this town.
func (town *Town) Network(t testing.TB) *network.Network {
	t.Helper()
	n, err := network.New(network.Options{Servers: []string{town.Resolver}, Private: true, Roots: town.Roots})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Asked returns the web requests so far, each as "METHOD URL" with its query and body.
func (town *Town) Asked() []string {
	town.mu.Lock()
	defer town.mu.Unlock()
	return append([]string(nil), town.asked...)
}

func (town *Town) listen(t testing.TB, port int) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", town.Address, port))
	if err != nil {
		if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
			t.Fatal(err)
		}
		t.Skipf("the ports of web and mail need root: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func (town *Town) makeAuthority(t testing.TB) {
	t.Helper()
	var err error
	if town.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	town.authority = &x509.Certificate{SerialNumber: big.NewInt(1),
		Subject: pkix.Name{CommonName: "Town CA"}, IsCA: true,
		BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, town.authority, town.authority, &town.key.PublicKey, town.key)
	if err != nil {
		t.Fatal(err)
	}
	if town.authority, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	town.Roots = x509.NewCertPool()
	town.Roots.AddCert(town.authority)
	town.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(town.CAFile, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func (town *Town) tlsConfig() *tls.Config {
	return &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		name := hello.ServerName
		if strings.HasPrefix(name, "bad.") {
			name = "www." + name
		}
		leaf := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{name},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, leaf, town.authority, &town.key.PublicKey, town.key)
		return &tls.Certificate{Certificate: [][]byte{der, town.authority.Raw}, PrivateKey: town.key}, err
	}}
}

// ServeHTTP implements http.Handler.
func (town *Town) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 8<<10))
	method, scheme := r.Method, "http"
	if strings.Contains(string(body), "mobilesync/responseschema") {
		method = "PHONE"
	}
	if r.TLS != nil {
		scheme = "https"
	}
	key := method + " " + scheme + "://" + r.Host + r.URL.Path
	town.mu.Lock()
	town.asked = append(town.asked, strings.TrimSpace(key+"?"+r.URL.RawQuery+" "+string(body)))
	town.mu.Unlock()
	page, ok := town.pages[key+"?"+r.URL.RawQuery]
	if !ok {
		page, ok = town.pages[key]
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	if page.Location != "" {
		w.Header().Set("Location", page.Location)
	}
	if page.Type == "" {
		page.Type = "text/xml"
	}
	w.Header().Set("Content-Type", page.Type)
	if page.Status == 0 {
		page.Status = 200
	}
	w.WriteHeader(page.Status)
	io.WriteString(w, page.Body)
}
