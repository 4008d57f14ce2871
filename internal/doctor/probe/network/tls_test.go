package network

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"signpost/internal/doctor/probe"
)

// issued is a certificate with its key.
type issued struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

// issue makes a certificate. by is nil for one that signs itself.
func issue(template x509.Certificate, by *issued) *issued {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if template.NotBefore.IsZero() {
		template.NotBefore = testNow.Add(-time.Hour)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = testNow.AddDate(0, 3, 0)
	}
	template.BasicConstraintsValid = true
	parent, signer := &template, key
	if by != nil {
		parent, signer = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, key.Public(), signer)
	if err != nil {
		panic(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return &issued{certificate, key}
}

// testNow is the start of a bubble of synctest, so that the certificates are valid there.
var testNow = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func authority(name string) x509.Certificate {
	return x509.Certificate{Subject: pkix.Name{CommonName: name, Organization: []string{"Test"}}, IsCA: true,
		NotBefore: testNow.AddDate(-5, 0, 0), NotAfter: testNow.AddDate(5, 0, 0), KeyUsage: x509.KeyUsageCertSign}
}

func server(names ...string) x509.Certificate {
	return x509.Certificate{Subject: pkix.Name{CommonName: names[0]}, DNSNames: names}
}

var (
	testRoot   = issue(authority("Test Root"), nil)
	testIssuer = issue(authority("Test R11"), testRoot)
	testLeaf   = issue(server("mail.hoster.example"), testIssuer)
	testRoots  = pool(testRoot)
)

func pool(certificates ...*issued) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certificates {
		p.AddCert(c.Certificate)
	}
	return p
}

// testServer is TLS for mail.hoster.example.
func testServer(conn net.Conn) *tls.Conn {
	return tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{{
		Certificate: [][]byte{testLeaf.Raw, testIssuer.Raw}, PrivateKey: testLeaf.key,
	}}})
}

func TestInspect(t *testing.T) {
	const host = "mail.hoster.example"
	public := server(host)
	public.PolicyIdentifiers = []asn1.ObjectIdentifier{{2, 23, 140, 1, 2, 1}}
	public.Policies = []x509.OID{oid(2, 23, 140, 1, 2, 1)}
	logged := server(host)
	logged.ExtraExtensions = []pkix.Extension{{Id: transparency, Value: []byte{4, 0}}}
	ended := server(host)
	ended.NotBefore, ended.NotAfter = testNow.AddDate(-1, 0, 0), testNow.AddDate(0, 0, -3)
	early := server(host)
	early.NotBefore = testNow.Add(time.Hour)
	all := server("other.example")
	all.NotBefore, all.NotAfter = ended.NotBefore, ended.NotAfter
	oldAuthority := authority("Test Old")
	oldAuthority.NotAfter = testNow.Add(-time.Hour)
	oldIssuer := issue(oldAuthority, testRoot)
	foreignRoot := issue(authority("Firma Root"), nil)
	foreignIssuer := issue(authority("Firma Issuer"), foreignRoot)
	itself := issue(server(host), nil)
	literal := server("x")
	literal.DNSNames, literal.IPAddresses = nil, []net.IP{net.IPv4(192, 0, 2, 7)}
	commonName := server(host)
	commonName.DNSNames = nil

	for _, test := range []struct {
		name  string
		chain []*issued
		host  string
		roots *x509.CertPool
		want  []probe.Problem
	}{
		{"good", []*issued{testLeaf, testIssuer}, host, testRoots, nil},
		{"good, with the root", []*issued{testLeaf, testIssuer, testRoot}, host, testRoots, nil},
		{"good, out of order, with one that does not belong", []*issued{testLeaf, foreignRoot, testRoot, testIssuer},
			host, testRoots, nil},
		{"wildcard", []*issued{issue(server("*.hoster.example"), testIssuer), testIssuer}, host, testRoots, nil},
		{"address", []*issued{issue(literal, testIssuer), testIssuer}, "192.0.2.7", testRoots, nil},
		{"trusted although it signs itself", []*issued{itself}, host, pool(itself), nil},
		{"wrong name", []*issued{testLeaf, testIssuer}, "mail.nordlys.example", testRoots, []probe.Problem{probe.WrongName}},
		{"common name only", []*issued{issue(commonName, testIssuer), testIssuer}, host, testRoots,
			[]probe.Problem{probe.WrongName}},
		{"ended", []*issued{issue(ended, testIssuer), testIssuer}, host, testRoots, []probe.Problem{probe.Expired}},
		{"not begun", []*issued{issue(early, testIssuer), testIssuer}, host, testRoots, []probe.Problem{probe.NotYetValid}},
		{"issuer ended", []*issued{issue(server(host), oldIssuer), oldIssuer}, host, testRoots,
			[]probe.Problem{probe.Expired}},
		{"signs itself", []*issued{itself}, host, testRoots, []probe.Problem{probe.SelfSigned}},
		{"unknown issuer", []*issued{issue(server(host), foreignIssuer), foreignIssuer}, host, testRoots,
			[]probe.Problem{probe.UnknownIssuer}},
		{"unknown root that was sent", []*issued{issue(server(host), foreignRoot), foreignRoot}, host, testRoots,
			[]probe.Problem{probe.UnknownIssuer}},
		{"unknown issuer that was not sent", []*issued{testLeaf}, host, testRoots, []probe.Problem{probe.UnknownIssuer}},
		{"public issuer that was not sent", []*issued{issue(public, testIssuer)}, host, testRoots,
			[]probe.Problem{probe.IncompleteChain}},
		{"public by its log, another issuer sent", []*issued{issue(logged, testIssuer), foreignIssuer}, host, testRoots,
			[]probe.Problem{probe.IncompleteChain}},
		{"public issuer with an unknown root", []*issued{issue(public, foreignIssuer), foreignIssuer}, host, testRoots,
			[]probe.Problem{probe.UnknownIssuer}},
		{"everything", []*issued{issue(all, nil)}, host, testRoots,
			[]probe.Problem{probe.WrongName, probe.Expired, probe.SelfSigned}},
	} {
		var chain []*x509.Certificate
		for _, c := range test.chain {
			chain = append(chain, c.Certificate)
		}
		facts := inspect(chain, tls.VersionTLS13, test.host, test.roots, testNow)
		if !reflect.DeepEqual(facts.Problems, test.want) {
			t.Errorf("%s: problems are %q, want %q", test.name, facts.Problems, test.want)
		}
	}
	stale := inspect([]*x509.Certificate{issue(server(host), oldIssuer).Certificate, oldIssuer.Certificate},
		tls.VersionTLS13, host, testRoots, testNow)
	if !stale.End.Equal(oldIssuer.NotAfter) {
		t.Errorf("a chain whose issuer ended at %v ends at %v", oldIssuer.NotAfter, stale.End)
	}
	old := inspect([]*x509.Certificate{testLeaf.Certificate, testIssuer.Certificate}, tls.VersionTLS11, host,
		testRoots, testNow)
	want := &probe.TLS{Version: "TLS 1.1", Names: []string{host}, Issuer: "Test R11", Start: testLeaf.NotBefore,
		End: testLeaf.NotAfter, Chain: 2, Problems: []probe.Problem{probe.OldVersion}}
	if !reflect.DeepEqual(old, want) {
		t.Errorf("TLS 1.1: inspect = %+v, want %+v", old, want)
	}
}

func oid(numbers ...uint64) x509.OID {
	id, err := x509.OIDFromInts(numbers)
	if err != nil {
		panic(err)
	}
	return id
}

// TestVersions checks what is said of servers with a floor or a ceiling of versions.
func TestVersions(t *testing.T) {
	for _, test := range []struct {
		min, max, asked uint16
		want            string
	}{
		{0, 0, 0, "TLS 1.3"},
		{0, 0, tls.VersionTLS12, "TLS 1.2"},
		{0, tls.VersionTLS12, 0, "TLS 1.2"},
		{tls.VersionTLS10, tls.VersionTLS11, 0, "TLS 1.1"},
		{tls.VersionTLS10, tls.VersionTLS10, 0, "TLS 1.0"},
		{tls.VersionTLS13, 0, tls.VersionTLS12,
			"tls: no TLS handshake is possible: remote error: tls: protocol version not supported"},
		{tls.VersionTLS12, 0, tls.VersionTLS11,
			"tls: no TLS handshake is possible: remote error: tls: protocol version not supported"},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, conn := net.Pipe()
			secured := testServer(conn)
			config := &tls.Config{Certificates: []tls.Certificate{{
				Certificate: [][]byte{testLeaf.Raw, testIssuer.Raw}, PrivateKey: testLeaf.key,
			}}, MinVersion: test.min, MaxVersion: test.max}
			secured = tls.Server(conn, config)
			go func() { secured.Handshake(); conn.Close() }()
			h := handshake{host: "mail.hoster.example", highest: test.asked, roots: testRoots}
			_, facts, failure := h.do(t.Context(), client)
			client.Close()
			got := describe(failure)
			if facts != nil {
				got = facts.Version
			}
			if got != test.want {
				t.Errorf("server with TLS %#x to %#x, asked up to %#x: %q, want %q",
					test.min, test.max, test.asked, got, test.want)
			}
		})
	}
}
