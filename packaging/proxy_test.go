package packaging

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The proxies are asked from several addresses of loopback: one is theirs, which
// is trusted, and the others are strangers'.
const (
	proxyHost = "127.0.0.1"
	client    = "127.0.0.2"
	victim    = "127.0.0.3"
	forger    = "127.0.0.4"
)

// burst is how many requests a client may make at once.
const burst = 20

// proxied is Signpost behind a proxy.
type proxied struct {
	http, https string // of the proxy
	behind      string // it, Signpost itself
	admin       string
	log         *output
	signpost    *os.Process
	ca          *x509.CertPool // nil: no certificate is checked
}

// TestNginx runs Debian's nginx with the published configuration.
func TestNginx(t *testing.T) {
	nginx := tool(t, "nginx", "/usr/sbin/nginx")
	folder := short(t)
	p := behindProxy(t, folder)
	certificate, key, pool := testCertificate(t, folder, "*.domain.se")
	p.ca = pool
	text := published(t, "nginx.conf",
		"listen [::]:80 default_server;", "", // loopback need not have IPv6
		"listen [::]:443 ssl default_server;", "",
		"listen 80 default_server;", "listen "+p.http+" default_server;",
		"listen 443 ssl default_server;", "listen "+p.https+" ssl default_server;",
		"server 127.0.0.1:8080;", "server "+p.behind+";",
		"/etc/ssl/signpost/fullchain.pem", certificate,
		"/etc/ssl/signpost/privkey.pem", key,
		"/var/log/nginx/error.log", folder+"/error.log",
	)
	put(t, folder, "site.conf", text)
	user := ""
	if os.Getuid() == 0 {
		user = "user root;"
	}
	temporary := ""
	for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += fmt.Sprintf("%s_temp_path %s/%s;\n", name, folder, name)
	}
	put(t, folder, "nginx.conf", fmt.Sprintf("daemon off;\n%s\npid %s/pid;\nerror_log %[2]s/error.log;\nevents {}\nhttp {\naccess_log %[2]s/access.log;\n%[3]sinclude %[2]s/site.conf;\n}\n", user, folder, temporary))
	said := new(output)
	cmd := exec.Command(nginx, "-e", "stderr", "-p", folder, "-c", folder+"/nginx.conf")
	cmd.Stderr = said
	startProgram(t, cmd)
	await(t, p.http, p.https)
	p.asked(t)
	p.private(t, func() string {
		logs := said.String()
		for _, name := range []string{"access.log", "error.log"} {
			text, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			logs += string(text)
		}
		return logs
	})
}

// TestCaddy runs Debian's Caddy with the published configuration, and with a
// certification authority of its own in place of a public one.
func TestCaddy(t *testing.T) {
	caddy := tool(t, "caddy")
	folder := short(t)
	p := behindProxy(t, folder)
	_, httpPort, _ := net.SplitHostPort(p.http)
	_, httpsPort, _ := net.SplitHostPort(p.https)
	text := published(t, "Caddyfile",
		"{\n\ton_demand_tls {", fmt.Sprintf("{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\thttp_port %s\n\thttps_port %s\n\tdefault_bind %s\n\tstorage file_system %s/storage\n\ton_demand_tls {", httpPort, httpsPort, proxyHost, folder),
		"http://127.0.0.1:9480/ask", "http://"+p.admin+"/ask",
		"reverse_proxy 127.0.0.1:8080 {", "reverse_proxy "+p.behind+" {",
	)
	put(t, folder, "Caddyfile", text)
	cmd := exec.Command(caddy, "run", "--config", folder+"/Caddyfile", "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+folder, "XDG_DATA_HOME="+folder, "XDG_CONFIG_HOME="+folder)
	said := new(output)
	cmd.Stderr = said
	startProgram(t, cmd)
	await(t, p.http, p.https)
	p.asked(t)

	// A certificate for a hosted name came with the first handshake; for any
	// other there is none, and none was made.
	for name, want := range map[string]bool{
		"autoconfig.domain.se": true, "autodiscover.other.se": true, "ua-auto-config.domain.se": true,
		"autoconfig.stranger.example": false, "stranger.example": false, "autoconfig.domain.se.stranger.example": false,
	} {
		conn, err := tls.Dial("tcp", p.https, &tls.Config{ServerName: name, InsecureSkipVerify: true})
		if got := err == nil; got != want {
			t.Errorf("%s: handshake %v, want a certificate: %v", name, err, want)
		}
		if err == nil {
			if err := conn.ConnectionState().PeerCertificates[0].VerifyHostname(name); err != nil {
				t.Error(err)
			}
			conn.Close()
		}
	}
	made, err := filepath.Glob(folder + "/storage/certificates/*/*")
	if err != nil || len(made) == 0 || strings.Contains(fmt.Sprint(made), "stranger") {
		t.Errorf("certificates in storage: %q %v", made, err)
	}
	p.private(t, said.String)
}

// behindProxy starts Signpost and chooses addresses for the proxy.
func behindProxy(t *testing.T, folder string) *proxied {
	t.Helper()
	p := &proxied{http: freeAddress(t), https: freeAddress(t), behind: freeAddress(t), admin: freeAddress(t), log: new(output)}
	// As by default, but that of loopback only the proxy's own address is trusted.
	put(t, folder, "signpost.yaml", fmt.Sprintf(`listen: %s
admin: {listen: "%s"}
trustedProxies: [%s]
limits: {requests: 1, burst: %d}
providers:
  - id: example
    displayName: Mail
    domains: [domain.se, other.se]
    servers:
      - {type: imap, hostname: "imap.%%EMAILDOMAIN%%", port: 993}
      - {type: smtp, hostname: "smtp.%%EMAILDOMAIN%%", port: 465}
`, p.behind, p.admin, proxyHost, burst))
	cmd := exec.Command(signpost(t), "serve", "-config", folder+"/signpost.yaml")
	cmd.Stderr = p.log
	startProgram(t, cmd)
	p.signpost = cmd.Process
	await(t, p.behind, p.admin)
	return p
}

// request is one of a client of the proxy.
type request struct {
	method, url, host string
	body              string
	header            map[string]string
}

// from sends a request from an address of loopback.
func (p *proxied) from(t *testing.T, address string, r request) (status int, header http.Header, body string) {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 10 * time.Second}
	httpClient := &http.Client{
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:       dialer.DialContext,
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{RootCAs: p.ca, InsecureSkipVerify: p.ca == nil, ServerName: r.host},
		},
	}
	req, err := http.NewRequest(r.method, r.url, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = r.host
	if r.body != "" {
		req.Header.Set("Content-Type", "text/xml")
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	response, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(text)
}

const outlook = `<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
<Request><EMailAddress>info@domain.se</EMailAddress>
<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request>
</Autodiscover>`

// asked asks Signpost through the proxy, honestly and not.
func (p *proxied) asked(t *testing.T) {
	const xml, pox = "/mail/config-v1.1.xml", "/autodiscover/autodiscover.xml"
	plain, secure := "http://"+p.http, "https://"+p.https
	forge := func(headers ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(headers); i += 2 {
			m[headers[i]] = headers[i+1]
		}
		return m
	}
	for _, row := range []struct {
		name string
		request
		status int
		holds  string // in the answer, or as its Location
	}{
		{"host over http", request{"GET", plain + xml, "autoconfig.domain.se", "", nil}, 200, "imap.domain.se"},
		{"host over https", request{"GET", secure + xml, "autoconfig.domain.se", "", nil}, 200, "imap.domain.se"},
		{"a raw address in the query", request{"GET", secure + xml + "?emailaddress=a+b@domain.se", "autoconfig.domain.se", "", nil}, 200, "imap.domain.se"},
		{"an unknown host", request{"GET", plain + xml, "autoconfig.stranger.example", "", nil}, 404, ""},
		{"Outlook over https", request{"POST", secure + pox, "autodiscover.domain.se", outlook, nil}, 200, "imap.domain.se"},
		{"Outlook over http", request{"POST", plain + pox, "autodiscover.domain.se", outlook, nil}, 403, ""},
		{"Outlook's redirect step", request{"GET", plain + pox, "autodiscover.domain.se", "", nil}, 302, "https://autodiscover.domain.se" + pox},

		{"a forged scheme over http", request{"POST", plain + pox, "autodiscover.domain.se", outlook, forge("X-Forwarded-Proto", "https", "Forwarded", "for=127.0.0.9;proto=https")}, 403, ""},
		{"a forged scheme over https", request{"POST", secure + pox, "autodiscover.domain.se", outlook, forge("X-Forwarded-Proto", "http", "Forwarded", "proto=http")}, 200, "imap.domain.se"},
		{"a list of forged schemes", request{"POST", plain + pox, "autodiscover.domain.se", outlook, forge("X-Forwarded-Proto", "https, https", "X-Forwarded-For", "127.0.0.1, 127.0.0.1")}, 403, ""},
		{"a forged host", request{"GET", secure + xml, "autoconfig.domain.se", "", forge("X-Forwarded-Host", "autoconfig.other.se", "Forwarded", "host=autoconfig.other.se")}, 200, "imap.domain.se"},
		{"a forged host in a redirect", request{"GET", plain + pox, "autodiscover.domain.se", "", forge("X-Forwarded-Host", "autodiscover.other.se")}, 302, "https://autodiscover.domain.se" + pox},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, header, body := p.from(t, client, row.request)
			if status != row.status || !strings.Contains(body+" "+header.Get("Location"), row.holds) {
				t.Errorf("got %d %s\n%s\nwant %d with %s", status, header.Get("Location"), body, row.status, row.holds)
			}
		})
	}

	// The address: a client that asks too much is refused, whatever it says of
	// itself, and he whose address it borrows is not.
	ask := func(from string, header map[string]string) int {
		status, _, _ := p.from(t, from, request{"GET", plain + xml, "autoconfig.domain.se", "", header})
		return status
	}
	limited := 0
	for i := range 2 * burst {
		borrowed := victim
		if i%2 == 1 {
			borrowed = fmt.Sprintf("192.0.2.%d", i)
		}
		status := ask(forger, forge("X-Forwarded-For", borrowed, "X-Real-IP", borrowed, "Forwarded", "for="+borrowed, "X-Request-Id", "feedfacefeedface"))
		if status == 429 {
			limited++
		} else if status != 200 {
			t.Fatalf("got %d", status)
		}
	}
	if limited < burst/2 {
		t.Errorf("%d of %d requests of a client that lies about its address were refused", limited, 2*burst)
	}
	if status := ask(victim, nil); status != 200 {
		t.Errorf("the client whose address was borrowed: got %d", status)
	}
	log := p.log.String()
	if !strings.Contains(log, "block="+forger) || strings.Contains(log, "block="+victim) || strings.Contains(log, "block="+proxyHost) {
		t.Errorf("the log does not blame %s alone:\n%s", forger, log)
	}
	if strings.Contains(log, "id=feedface") {
		t.Error("a stranger chose the identity of a log line")
	}
	if !strings.Contains(log, "outcome=answered") {
		t.Errorf("the log has no answered request:\n%s", log)
	}
}

// private asks for a mailbox in all the places where its address can stand, while
// Signpost runs and when it is gone, and looks for it in the logs.
func (p *proxied) private(t *testing.T, logs func() string) {
	t.Helper()
	const local = "astrid.lindqvist"
	ask := func(status int) {
		t.Helper()
		for _, url := range []string{
			"https://" + p.https + "/mail/config-v1.1.xml?emailaddress=" + local + "@domain.se",
			"http://" + p.http + "/mail/config-v1.1.xml?emailaddress=" + local + "%40domain.se",
			"https://" + p.https + "/autodiscover/autodiscover.json/v1.0/" + local + "@domain.se?Protocol=AutodiscoverV1",
		} {
			got, _, body := p.from(t, client, request{"GET", url, "autodiscover.domain.se", "", map[string]string{"Referer": "https://domain.se/?emailaddress=" + local + "@domain.se"}})
			if got != status {
				t.Errorf("%s: got %d %s, want %d", url, got, body, status)
			}
		}
	}
	ask(200)
	p.signpost.Kill()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", p.behind)
		if err != nil {
			break
		}
		conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("Signpost does not end")
		}
	}
	ask(502)
	time.Sleep(100 * time.Millisecond) // for what is logged after the answer
	for line := range strings.Lines(logs() + p.log.String()) {
		if strings.Contains(line, local) {
			t.Errorf("logged: %s", line)
		}
	}
}

// published is a configuration that operators copy, with addresses and files of
// the test: pairs of what must be there and what takes its place.
func published(t *testing.T, file string, pairs ...string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for i := 0; i < len(pairs); i += 2 {
		if strings.Count(text, pairs[i]) != 1 {
			t.Fatalf("%s does not have %q once", file, pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// testCertificate makes a certificate, and the pool that trusts it.
func testCertificate(t *testing.T, folder, name string) (certificate, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	var c, k bytes.Buffer
	pem.Encode(&c, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	pem.Encode(&k, &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	put(t, folder, "certificate.pem", c.String())
	put(t, folder, "key.pem", k.String())
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(c.Bytes())
	return folder + "/certificate.pem", folder + "/key.pem", pool
}
