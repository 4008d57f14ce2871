package certs

import (
	"crypto/tls"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"signpost/internal/certfile"
)

// TestProtocols checks that clients can use TLS 1.2 with forward secrecy and
// authenticated encryption, TLS 1.3, and nothing else.
func TestProtocols(t *testing.T) {
	ca := newTestCA(t)
	names := []string{"first.example"}
	s := startFiles(t, ca, "", ca.pair(t, request{names: names}), ca.pair(t, request{names: names, rsa: 2048}))
	for version, want := range map[uint16]bool{
		tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true,
	} {
		_, err := s.serve("first.example", func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version })
		if (err == nil) != want {
			t.Errorf("%s: %v, want success: %v", tls.VersionName(version), err, want)
		}
	}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if !slices.Contains(suite.SupportedVersions, tls.VersionTLS12) {
			continue
		}
		want := strings.HasPrefix(suite.Name, "TLS_ECDHE_") &&
			(strings.Contains(suite.Name, "_GCM_") || strings.Contains(suite.Name, "_POLY1305"))
		_, err := s.serve("first.example", func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{suite.ID}
		})
		if (err == nil) != want {
			t.Errorf("%s: %v, want success: %v", suite.Name, err, want)
		}
	}
}

// TestNegotiated checks HTTP/2, session tickets and the key exchange that Go
// prefers.
func TestNegotiated(t *testing.T) {
	ca := newTestCA(t)
	s := startFiles(t, ca, "", ca.pair(t, request{names: []string{"first.example"}}))
	if got := s.TLSConfig().NextProtos; !slices.Equal(got, []string{"h2", "http/1.1"}) {
		t.Errorf("without ACME NextProtos = %q, want h2 and http/1.1", got)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = s.TLSConfig()
	server.StartTLS()
	defer server.Close()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := &tls.Config{
			ServerName: "first.example", RootCAs: s.roots, MaxVersion: version,
			NextProtos: []string{"h2", "http/1.1"}, ClientSessionCache: tls.NewLRUClientSessionCache(1),
		}
		for i := range 2 {
			c, err := tls.Dial("tcp", server.Listener.Addr().String(), config)
			if err != nil {
				t.Fatal(err)
			}
			// In TLS 1.3 tickets come with the first bytes of the server.
			c.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
			c.Read(make([]byte, 100))
			state := c.ConnectionState()
			c.Close()
			if state.NegotiatedProtocol != "h2" || state.DidResume != (i == 1) {
				t.Errorf("%s, connection %d: protocol %q, resumed %v; want h2, %v",
					tls.VersionName(version), i+1, state.NegotiatedProtocol, state.DidResume, i == 1)
			}
			if version == tls.VersionTLS13 && state.CurveID != tls.X25519MLKEM768 {
				t.Errorf("%s: the key exchange is %v, want %v",
					tls.VersionName(version), state.CurveID, tls.X25519MLKEM768)
			}
		}
	}
}

// TestChallengesOfStrangers checks that a client that offers acme-tls/1 or requests
// the path of a challenge gets nothing unless a challenge is under way.
func TestChallengesOfStrangers(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	s := n.start(t.TempDir(), nil, nil)
	s.mustDial(customer)
	for _, name := range []string{customer, "autoconfig.stranger.test"} {
		_, err := tls.Dial("tcp", s.address, &tls.Config{ServerName: name, InsecureSkipVerify: true,
			NextProtos: []string{challengeProtocol}})
		if err == nil {
			t.Errorf("%s: a challenge was answered although none is under way", name)
		}
	}
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for _, request := range []struct{ method, host, path string }{
		{"GET", customer, challengePath + "token"},
		{"GET", customer + ":80", challengePath},
		{"POST", customer, challengePath + "token"},
		{"GET", "[::1]:80", challengePath + "token"},
		{"GET", "", challengePath + "../../etc/passwd"},
		{"GET", customer, "/mail/config-v1.1.xml"},
	} {
		r := httptest.NewRequest(request.method, request.path, http.NoBody)
		r.Host = request.host
		answer := httptest.NewRecorder()
		s.HTTPChallenge(next).ServeHTTP(answer, r)
		if answer.Code != http.StatusTeapot || answer.Body.Len() > 0 {
			t.Errorf("%+v: status %d, body %q; want the answer of the next handler", request, answer.Code, answer.Body)
		}
	}
}

// needTool returns the path of a program. Without the program the test is skipped,
// or fails if SIGNPOST_REQUIRE_TOOLS is set.
func needTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
			t.Fatal(err)
		}
		t.Skip(name, "is not installed")
	}
	return path
}

// TestSSLScan lets sslscan look for weaknesses.
func TestSSLScan(t *testing.T) {
	sslscan := needTool(t, "sslscan")
	ca := newTestCA(t)
	names := []string{"first.example"}
	ecdsa, rsa := ca.pair(t, request{names: names}), ca.pair(t, request{names: names, rsa: 2048})
	for kind, pairs := range map[string][]certfile.Pair{"ecdsa": {ecdsa}, "rsa": {rsa}, "both": {rsa, ecdsa},
		"without a name": {ecdsa}} {
		t.Run(kind, func(t *testing.T) {
			s := startFiles(t, ca, "", pairs...)
			args := []string{"--no-colour", "--xml=-", "--sni-name=first.example", s.address}
			if kind == "without a name" {
				args = slices.Delete(args, 2, 3) // then it sends the address
			}
			out, err := exec.Command(sslscan, args...).Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var report struct {
				Test struct {
					Protocols []struct {
						Type    string `xml:"type,attr"`
						Version string `xml:"version,attr"`
						Enabled int    `xml:"enabled,attr"`
					} `xml:"protocol"`
					Renegotiation struct {
						Supported int `xml:"supported,attr"`
						Secure    int `xml:"secure,attr"`
					} `xml:"renegotiation"`
					Compression struct {
						Supported int `xml:"supported,attr"`
					} `xml:"compression"`
					Heartbleed []struct {
						Vulnerable int `xml:"vulnerable,attr"`
					} `xml:"heartbleed"`
					Ciphers []struct {
						Version  string `xml:"sslversion,attr"`
						Bits     int    `xml:"bits,attr"`
						Name     string `xml:"cipher,attr"`
						Strength string `xml:"strength,attr"`
					} `xml:"cipher"`
					Groups []struct {
						Name string `xml:"name,attr"`
						Bits int    `xml:"bits,attr"`
					} `xml:"group"`
					Certificates []struct {
						Signature string `xml:"signature-algorithm"`
						Key       struct {
							Error string `xml:"error,attr"`
							Type  string `xml:"type,attr"`
							Bits  int    `xml:"bits,attr"`
						} `xml:"pk"`
					} `xml:"certificates>certificate"`
				} `xml:"ssltest"`
			}
			if err := xml.Unmarshal(out, &report); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if len(report.Test.Protocols) == 0 || len(report.Test.Ciphers) < 6 || len(report.Test.Certificates) == 0 ||
				len(report.Test.Groups) == 0 {
				t.Fatalf("the report of sslscan is incomplete:\n%s", out)
			}
			for _, p := range report.Test.Protocols {
				if want := p.Type == "tls" && (p.Version == "1.2" || p.Version == "1.3"); (p.Enabled == 1) != want {
					t.Errorf("%s %s: enabled is %d, want it only for TLS 1.2 and 1.3", p.Type, p.Version, p.Enabled)
				}
			}
			for _, c := range report.Test.Ciphers {
				if c.Bits < 128 || c.Strength != "strong" && c.Strength != "acceptable" || strings.Contains(c.Name, "CBC") ||
					strings.HasSuffix(c.Name, "SHA") {
					t.Errorf("%s %s of %d bits is %s", c.Version, c.Name, c.Bits, c.Strength)
				}
			}
			for _, g := range report.Test.Groups {
				if g.Bits < 112 {
					t.Errorf("key exchange group %s has %d bits, want at least 112", g.Name, g.Bits)
				}
			}
			for _, c := range report.Test.Certificates {
				if strings.Contains(c.Signature, "sha1") || strings.Contains(c.Signature, "md5") || c.Key.Type == "RSA" &&
					c.Key.Bits < 2048 {
					t.Errorf("certificate with signature %s and %s key of %d bits is weak",
						c.Signature, c.Key.Type, c.Key.Bits)
				}
			}
			if report.Test.Compression.Supported != 0 || report.Test.Renegotiation.Supported != 0 &&
				report.Test.Renegotiation.Secure == 0 {
				t.Errorf("compression or insecure renegotiation is supported:\n%s", out)
			}
			for _, h := range report.Test.Heartbleed {
				if h.Vulnerable != 0 {
					t.Error("vulnerable to Heartbleed")
				}
			}
		})
	}
}
