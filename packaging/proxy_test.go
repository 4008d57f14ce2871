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

// These are the loopback addresses in these tests. That of the proxy is trusted, the
// others are clients.
const (
	proxyHost = "127.0.0.1"
	client    = "127.0.0.2"
	victim    = "127.0.0.3"
	forger    = "127.0.0.4"
)

// burst is how many requests a client may make at once.
const burst = 20

// proxied is a running Signpost behind a proxy.
type proxied struct {
	http, https string // addresses of the proxy
	behind      string // address of Signpost
	admin       string
	log         *output
	signpost    *os.Process
	ca          *x509.CertPool // nil: certificates are not verified
}

// TestNginx runs Debian's nginx with nginx.conf.
func TestNginx(t *testing.T) {
	directory := shortDir(t)
	p := behindProxy(t, directory)
	logs := p.startNginx(t, directory, p.behind)
	p.checkIPv6(t)
	p.checkAnswers(t)
	p.checkPrivacy(t, logs)
}

// startNginx starts nginx in front of machines, and returns what it has logged.
func (p *proxied) startNginx(t *testing.T, directory string, machines ...string) (logs func() string) {
	t.Helper()
	nginx := tool(t, "nginx", "/usr/sbin/nginx")
	certificate, key, pool := testCertificate(t, directory, "*.domain.se")
	p.ca = pool
	text := published(t, "nginx.conf",
		"listen [::]:80 default_server;", onIPv6("listen %s default_server;", p.http),
		"listen [::]:443 ssl default_server;", onIPv6("listen %s ssl default_server;", p.https),
		"listen 80 default_server;", "listen "+p.http+" default_server;",
		"listen 443 ssl default_server;", "listen "+p.https+" ssl default_server;",
		"server 127.0.0.1:8080;", "server "+strings.Join(machines, " fail_timeout=1s;\nserver ")+" fail_timeout=1s;",
		"/etc/ssl/signpost/fullchain.pem", certificate,
		"/etc/ssl/signpost/privkey.pem", key,
		"/var/log/nginx/error.log", directory+"/error.log",
	)
	writeFile(t, directory, "site.conf", text)
	user := ""
	if os.Getuid() == 0 {
		user = "user root;"
	}
	temporary := ""
	for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += fmt.Sprintf("%s_temp_path %s/%s;\n", name, directory, name)
	}
	writeFile(t, directory, "nginx.conf", fmt.Sprintf(`daemon off;
%s
pid %s/pid;
error_log %[2]s/error.log;
events {}
http {
access_log %[2]s/access.log;
%[3]sinclude %[2]s/site.conf;
}
`, user, directory, temporary))
	printed := new(output)
	cmd := exec.Command(nginx, "-e", "stderr", "-p", directory, "-c", directory+"/nginx.conf")
	cmd.Stderr = printed
	startProgram(t, cmd)
	await(t, p.http, p.https)
	return func() string {
		logs := printed.String()
		for _, name := range []string{"access.log", "error.log"} {
			text, err := os.ReadFile(filepath.Join(directory, name))
			if err != nil {
				t.Fatal(err)
			}
			logs += string(text)
		}
		return logs
	}
}

// TestCaddy runs Debian's Caddy with the Caddyfile, and with Caddy's internal
// certificate authority in place of a public one.
func TestCaddy(t *testing.T) {
	directory := shortDir(t)
	p := behindProxy(t, directory)
	logs := p.startCaddy(t, directory, p.behind)
	p.checkIPv6(t)
	p.checkAnswers(t)

	// The first handshake gets a certificate for a hosted name. Other names get none,
	// and none was made for them.
	for name, want := range map[string]bool{
		"autoconfig.domain.se": true, "autodiscover.other.se": true, "ua-auto-config.domain.se": true,
		"autoconfig.stranger.example": false, "stranger.example": false, "autoconfig.domain.se.stranger.example": false,
	} {
		conn, err := tls.Dial("tcp", p.https, &tls.Config{ServerName: name, InsecureSkipVerify: true})
		if got := err == nil; got != want {
			t.Errorf("handshake for %s: error %v, want a certificate: %v", name, err, want)
		}
		if err == nil {
			if err := conn.ConnectionState().PeerCertificates[0].VerifyHostname(name); err != nil {
				t.Error(err)
			}
			conn.Close()
		}
	}
	made, err := filepath.Glob(directory + "/storage/certificates/*/*")
	if err != nil || len(made) == 0 || strings.Contains(fmt.Sprint(made), "stranger") {
		t.Errorf("Caddy stored the certificates %q (%v), want some, and none for strangers", made, err)
	}
	p.checkPrivacy(t, logs)
}

// startCaddy starts Caddy in front of machines, and returns what it has logged.
func (p *proxied) startCaddy(t *testing.T, directory string, machines ...string) (logs func() string) {
	t.Helper()
	caddy := tool(t, "caddy")
	_, httpPort, _ := net.SplitHostPort(p.http)
	_, httpsPort, _ := net.SplitHostPort(p.https)
	several := []string{}
	_, adminPort, _ := net.SplitHostPort(p.admin)
	host, _, _ := net.SplitHostPort(machines[0])
	if len(machines) > 1 {
		several = []string{"#health_uri", "health_uri", "#health_port 9480", "health_port " + adminPort,
			"#health_interval", "health_interval", "#health_timeout", "health_timeout", "#lb_try_duration", "lb_try_duration"}
	}
	text := published(t, "Caddyfile", append(several,
		"{\n\ton_demand_tls {", fmt.Sprintf(`{
	admin off
	local_certs
	skip_install_trust
	http_port %s
	https_port %s
	default_bind %s %s
	storage file_system %s/storage
	on_demand_tls {`, httpPort, httpsPort, proxyHost, onIPv6("::1", p.http), directory),
		"http://127.0.0.1:9480/ask", "http://"+net.JoinHostPort(host, adminPort)+"/ask",
		"reverse_proxy 127.0.0.1:8080 {", "reverse_proxy "+strings.Join(machines, " ")+" {",
	)...)
	writeFile(t, directory, "Caddyfile", text)
	cmd := exec.Command(caddy, "run", "--config", directory+"/Caddyfile", "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+directory, "XDG_DATA_HOME="+directory, "XDG_CONFIG_HOME="+directory)
	printed := new(output)
	cmd.Stderr = printed
	startProgram(t, cmd)
	await(t, p.http, p.https)
	return printed.String
}

// behindProxy starts Signpost and chooses addresses for the proxy.
func behindProxy(t *testing.T, directory string) *proxied {
	t.Helper()
	p := &proxied{
		http: freeAddress(t), https: freeAddress(t),
		behind: freeAddress(t), admin: freeAddress(t),
		log: new(output),
	}
	// These are the defaults, except that only one address of loopback is
	// trusted.
	writeFile(t, directory, "signpost.yaml", fmt.Sprintf(`listen: %s
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
	cmd := exec.Command(signpost(t), "serve", "-config", directory+"/signpost.yaml")
	cmd.Stderr = p.log
	startProgram(t, cmd)
	p.signpost = cmd.Process
	await(t, p.behind, p.admin)
	return p
}

// request is a client's request to the proxy.
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
<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>
</Request>
</Autodiscover>`

// checkAnswers sends honest and forged requests through the proxy.
func (p *proxied) checkAnswers(t *testing.T) {
	const xml, pox = "/mail/config-v1.1.xml", "/autodiscover/autodiscover.xml"
	plain, secure := "http://"+p.http, "https://"+p.https
	forge := func(headers ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(headers); i += 2 {
			m[headers[i]] = headers[i+1]
		}
		return m
	}
	get := func(url, host string, headers ...string) request {
		return request{"GET", url, host, "", forge(headers...)}
	}
	post := func(url string, headers ...string) request {
		return request{"POST", url, "autodiscover.domain.se", outlook, forge(headers...)}
	}
	const autoconfig, autodiscover, imap = "autoconfig.domain.se", "autodiscover.domain.se", "imap.domain.se"
	const redirect = "https://" + autodiscover + pox
	for _, row := range []struct {
		name string
		request
		status int
		holds  string // in the answer, or as its Location
	}{
		{"host over http", get(plain+xml, autoconfig), 200, imap},
		{"host over https", get(secure+xml, autoconfig), 200, imap},
		{"a raw address in the query", get(secure+xml+"?emailaddress=a+b@domain.se", autoconfig), 200, imap},
		{"an unknown host", get(plain+xml, "autoconfig.stranger.example"), 404, ""},
		{"Outlook over https", post(secure + pox), 200, imap},
		{"Outlook over http", post(plain + pox), 403, ""},
		{"Outlook's redirect step", get(plain+pox, autodiscover), 302, redirect},

		{
			"a forged scheme over http",
			post(plain+pox, "X-Forwarded-Proto", "https", "Forwarded", "for=127.0.0.9;proto=https"), 403, "",
		},
		{
			"a forged scheme over https",
			post(secure+pox, "X-Forwarded-Proto", "http", "Forwarded", "proto=http"), 200, imap,
		},
		{
			"a list of forged schemes",
			post(plain+pox, "X-Forwarded-Proto", "https, https", "X-Forwarded-For", "127.0.0.1, 127.0.0.1"), 403, "",
		},
		{
			"a forged host",
			get(secure+xml, autoconfig, "X-Forwarded-Host", "autoconfig.other.se", "Forwarded", "host=autoconfig.other.se"),
			200, imap,
		},
		{
			"a forged host in a redirect",
			get(plain+pox, autodiscover, "X-Forwarded-Host", "autodiscover.other.se"), 302, redirect,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, header, body := p.from(t, client, row.request)
			if status != row.status || !strings.Contains(body+" "+header.Get("Location"), row.holds) {
				t.Errorf("got %d %s\n%s\nwant %d with %s", status, header.Get("Location"), body, row.status, row.holds)
			}
		})
	}

	// A client that sends too many requests is refused, whatever address it claims to
	// have. The client with that address is not.
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
		status := ask(forger, forge("X-Forwarded-For", borrowed, "X-Real-IP", borrowed,
			"Forwarded", "for="+borrowed, "X-Request-Id", "feedfacefeedface"))
		if status == 429 {
			limited++
		} else if status != 200 {
			t.Fatalf("request %d with a forged address got status %d, want 200 or 429", i, status)
		}
	}
	if limited < burst/2 {
		t.Errorf("%d of %d requests with forged addresses were refused, want at least %d", limited, 2*burst, burst/2)
	}
	if status := ask(victim, nil); status != 200 {
		t.Errorf("the client whose address was forged got status %d, want 200", status)
	}
	log := p.log.String()
	blames := func(address string) bool { return strings.Contains(log, "block="+address) }
	if !blames(forger) || blames(victim) || blames(proxyHost) {
		t.Errorf("the log does not name %s alone as the block of the flood:\n%s", forger, log)
	}
	if strings.Contains(log, "id=feedface") {
		t.Error("a client chose the id of a log line")
	}
	if !strings.Contains(log, "outcome=answered") {
		t.Errorf("the log has no answered request:\n%s", log)
	}
}

// checkPrivacy sends requests with a mailbox in every place where its address can
// stand, while Signpost runs and after it was killed, and looks for it in the logs.
func (p *proxied) checkPrivacy(t *testing.T, logs func() string) {
	t.Helper()
	const local = "astrid.lindqvist"
	ask := func(status int) {
		t.Helper()
		for _, url := range []string{
			"https://" + p.https + "/mail/config-v1.1.xml?emailaddress=" + local + "@domain.se",
			"http://" + p.http + "/mail/config-v1.1.xml?emailaddress=" + local + "%40domain.se",
			"https://" + p.https + "/autodiscover/autodiscover.json/v1.0/" + local + "@domain.se?Protocol=AutodiscoverV1",
		} {
			referer := map[string]string{"Referer": "https://domain.se/?emailaddress=" + local + "@domain.se"}
			got, _, body := p.from(t, client, request{"GET", url, "autodiscover.domain.se", "", referer})
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
			t.Fatal("Signpost still accepts connections 10 seconds after it was killed")
		}
	}
	ask(502)
	time.Sleep(100 * time.Millisecond) // the proxy may log after it has answered
	for line := range strings.Lines(logs() + p.log.String()) {
		if strings.Contains(line, local) {
			t.Errorf("a log line holds the mailbox: %s", line)
		}
	}
}

// published reads a configuration that operators copy and replaces addresses and
// files by those of the test. In pairs, each old text must stand in it exactly once.
func published(t *testing.T, file string, pairs ...string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for i := 0; i < len(pairs); i += 2 {
		if strings.Count(text, pairs[i]) != 1 {
			t.Fatalf("%s does not hold %q exactly once", file, pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// testCertificate makes a certificate and a pool that trusts it.
func testCertificate(t *testing.T, directory, name string) (certificate, key string, pool *x509.CertPool) {
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
	writeFile(t, directory, "certificate.pem", c.String())
	writeFile(t, directory, "key.pem", k.String())
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(c.Bytes())
	return directory + "/certificate.pem", directory + "/key.pem", pool
}
