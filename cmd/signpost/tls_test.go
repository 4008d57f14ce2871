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
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// putCertificate writes a certificate for the test's host names, the certificate of
// the authority that issued it, and its key into cert.pem.
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
		SerialNumber: big.NewInt(1000), Subject: pkix.Name{CommonName: "Test Authority"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"},
		DNSNames: []string{"*.domain.se", "setup.example.com"},
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

// withTLS makes the service listen for TLS with the certificate of putCertificate.
const withTLS = `name: setup.example.com
tls: {listen: "127.0.0.1:0", certificates: [{certificate: cert.pem, key: cert.pem}]}`

var listeningTLS = regexp.MustCompile(`msg="listening for TLS" address=(\S+)`)

// TestServeTLS checks what is answered over TLS and over plain HTTP, that an unusable
// certificate fails a reload, and that a replaced certificate file is used without a
// restart.
func TestServeTLS(t *testing.T) {
	folder := prepare(t, withTLS)
	putCertificate(t, folder, 1)
	r := startServe(t, folder, nil)
	address := r.says(t, listeningTLS)[1]
	dial := func() *tls.Conn {
		t.Helper()
		conn, err := tls.Dial("tcp", address, &tls.Config{
			ServerName: "autoconfig.domain.se", InsecureSkipVerify: true, NextProtos: []string{"http/1.1"},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	conn := dial()
	if status, body := askOn(t, conn, thunderbird("domain.se")); status != 200 ||
		!strings.Contains(body, "imap.one.example") {
		t.Errorf("autoconfig over TLS = %d, want 200 with imap.one.example:\n%s", status, body)
	}
	if serial := conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(); serial != 1 {
		t.Errorf("the served certificate has the serial number %d, want 1", serial)
	}

	post := "POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: autodiscover.domain.se\r\nContent-Length: 0\r\n\r\n"
	if status, _ := askOnce(t, r.address, post); status != http.StatusForbidden {
		t.Errorf("Autodiscover over plain HTTP got %d, want 403", status)
	}
	if status, _ := askOnce(t, r.address, thunderbird("domain.se")); status != http.StatusOK {
		t.Errorf("autoconfig over plain HTTP got %d, want 200", status)
	}
	if got := r.metric(t, `signpost_certificates{state="valid"}`); got != 1 {
		t.Errorf("the metric counts %v valid certificates, want 1", got)
	}
	if got := r.metric(t, `signpost_connections_accepted_total{listener="https"}`); got != 1 {
		t.Errorf("the metric counts %v TLS connections, want 1", got)
	}

	// A pair that cannot be used refuses the whole configuration.
	more := strings.Replace(withTLS, "[{", "[{certificate: none.pem, key: none.pem}, {", 1)
	put(t, folder, "signpost.yaml", configText(folder, "two.example", more))
	r.signal(t, syscall.SIGHUP)
	got := r.says(t, notReloaded)
	if !strings.Contains(got[1], "signpost.yaml:4: tls.certificates[0]: ") || !strings.Contains(got[1], "none.pem") {
		t.Errorf("the log has %q, want the fault in line 4 about none.pem", got[0])
	}
	r.resolves(t, "domain.se", "one.example")

	// A new certificate in the old file is used without a signal.
	putCertificate(t, folder, 2)
	serial := func() int64 { return dial().ConnectionState().PeerCertificates[0].SerialNumber.Int64() }
	for end := time.Now().Add(30 * time.Second); serial() != 2; {
		if time.Now().After(end) {
			t.Fatalf("the new certificate is not served within 30 s:\n%s", r.stderr)
		}
		time.Sleep(20 * time.Millisecond)
	}
	r.stop(t)
}

// startDNS starts a name server with the records of a zone file. It answers SERVFAIL
// if it has the name but not the type, except for CAA, about which an authority needs an
// answer.
func startDNS(t testing.TB, zone string) (address string) {
	t.Helper()
	zoned := map[string][]dns.RR{}
	for line := range strings.Lines(zone) {
		record, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		if record != nil {
			zoned[record.Header().Name] = append(zoned[record.Header().Name], record)
		}
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		answer := new(dns.Msg).SetReply(query)
		all, exists := zoned[strings.ToLower(query.Question[0].Name)]
		for _, record := range all {
			if record.Header().Rrtype == query.Question[0].Qtype {
				answer.Answer = append(answer.Answer, record)
			}
		}
		switch {
		case !exists:
			answer.Rcode = dns.RcodeNameError
		case len(answer.Answer) == 0 && query.Question[0].Qtype != dns.TypeCAA:
			answer.Rcode = dns.RcodeServerFailure
		}
		w.WriteMsg(answer)
	})
	ready := make(chan struct{})
	server := &dns.Server{PacketConn: conn, Handler: handler, NotifyStartedFunc: func() { close(ready) }}
	go server.ActivateAndServe()
	<-ready
	t.Cleanup(func() { server.Shutdown() })
	return conn.LocalAddr().String()
}

// zone has customers of all kinds. For most names the server gives an address of one
// family and fails at the query for the other.
const zone = `
setup.example.com. 60 A 192.0.2.1
autoconfig.domain.se. 60 A 192.0.2.1
autodiscover.domain.se. 60 AAAA 2001:db8::9
ua-auto-config.domain.se. 60 TXT neither
domain.se. 60 A 192.0.2.1
bymx.se. 60 MX 10 mx.hoster.net.
autoconfig.bymx.se. 60 A 192.0.2.1
autodiscover.bymx.se. 60 A 192.0.2.9
hoster.net. 60 MX 10 elsewhere.example.
autoconfig.hoster.net. 60 A 192.0.2.9
n1.evil.se. 60 MX 10 mx.hoster.net.
n2.evil.se. 60 MX 10 mx.hoster.net.
n3.evil.se. 60 MX 10 mx.hoster.net.
n4.evil.se. 60 MX 10 mx.hoster.net.
autoconfig.n1.evil.se. 60 A 192.0.2.1
autoconfig.n2.evil.se. 60 A 192.0.2.1
autoconfig.n3.evil.se. 60 A 192.0.2.1
autoconfig.n4.evil.se. 60 A 192.0.2.1
`

// TestAsk checks the answers to a proxy that orders certificates itself.
func TestAsk(t *testing.T) {
	const named = "name: setup.example.com\n"
	server := startDNS(t, zone)
	for _, row := range []struct {
		more    string
		answers map[string]int
	}{
		{named, map[string]int{
			"setup.example.com": 200, "autoconfig.domain.se": 200, "AUTOCONFIG.Domain.SE": 200,
			// Nobody knows whether the service's own name has this IPv6 address.
			"autodiscover.domain.se": 503, "ua-auto-config.domain.se": 503,
			"autoconfig.bymx.se": 200, "autodiscover.bymx.se": 403,
			"domain.se": 403, "www.domain.se": 403, "autoconfig.other.se": 403, "autoconfig.a.domain.se": 403,
			"": 403, "192.0.2.1": 403,
			// Clients derive this name from the MX host, but DNS leads elsewhere.
			"autoconfig.hoster.net": 403,
		}},
		{named + "apexCertificates: true\n", map[string]int{
			"domain.se": 200, "bymx.se": 503, "hoster.net": 503, "other.se": 403,
		}},
		// Without a name and addresses nobody knows where DNS should lead.
		{"", map[string]int{
			"autoconfig.domain.se": 200, "autodiscover.domain.se": 200, "autodiscover.bymx.se": 200,
			"autoconfig.hoster.net": 403,
		}},
	} {
		folder := prepare(t, "")
		more := fmt.Sprintf("%sdns: {servers: [%q]}\n", row.more, server)
		text := configText(folder, "one.example", more)
		text = strings.Replace(text, "    domains:", "    mx: [mx.hoster.net]\n    domains:", 1)
		text = strings.Replace(text, "admin.sock\"", "admin.sock\", askPerHour: 30", 1)
		put(t, folder, "signpost.yaml", text)
		r := startServe(t, folder, nil)
		for domain, want := range row.answers {
			if status, body := r.admin(t, "/ask?domain="+domain); status != want {
				t.Errorf("with %q: /ask for %q = %d %q, want %d", row.more, domain, status, body, want)
			}
		}
		// The number of names in one domain that is hosted by its MX only is limited.
		for i, want := range []int{200, 200, 200, 503} {
			name := fmt.Sprintf("autoconfig.n%d.evil.se", i+1)
			if status, body := r.admin(t, "/ask?domain="+name); status != want {
				t.Errorf("with %q: /ask for %q = %d %q, want %d", row.more, name, status, body, want)
			}
		}
		r.stop(t)
	}
}

// TestAdmin checks the other paths of the admin listener.
func TestAdmin(t *testing.T) {
	r := startServe(t, prepare(t, ""), nil)
	for path, want := range map[string]string{"/healthz": "alive", "/readyz": "ready"} {
		if status, body := r.admin(t, path); status != 200 || strings.TrimSpace(body) != want {
			t.Errorf("GET %s = %d %q, want 200 %s", path, status, body, want)
		}
	}
	if status, body := r.admin(t, "/doctor"); status != 200 || !strings.Contains(body, "Diagnose an address") {
		t.Errorf("GET /doctor = %d %q, want 200 and the form", status, body)
	}
	if response, err := http.Get("http://" + r.address + "/doctor"); err != nil || response.StatusCode != 404 {
		t.Errorf("GET /doctor of the public listener = %v (%v), want 404", response, err)
	}
	if status, _ := r.admin(t, "/debug/pprof/"); status != 404 {
		t.Errorf("GET /debug/pprof/ = %d, want 404 without admin.pprof", status)
	}
}
