package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var (
	reloaded    = regexp.MustCompile(`msg=reloaded providers=(\d+) domains=(\d+) accounts=(\d+)`)
	notReloaded = regexp.MustCompile(`msg="reload failed, keeping the previous configuration" fault="(.*)"`)
)

// TestReloadUnderLoad reloads every 100 ms, alternating changed, broken and good
// files, while 64 connections ask all the time, by HTTP, TLS and HTTP/2, and then
// stops the service.
func TestReloadUnderLoad(t *testing.T) {
	folder := prepare(t, withTLS)
	putCertificate(t, folder, 1)
	r := startServe(t, folder, nil)
	secure := r.says(t, listeningTLS)[1]
	_, first := askOnce(t, r.address, thunderbird("domain.se"))
	second := strings.ReplaceAll(first, "one.example", "two.example")
	if !strings.Contains(first, "imap.one.example") {
		t.Fatal(first)
	}
	var answers [2]atomic.Int64
	check := func(status, body string) error {
		switch {
		case strings.HasPrefix(status, "200") && body == first:
			answers[0].Add(1)
		case strings.HasPrefix(status, "200") && body == second:
			answers[1].Add(1)
		default:
			return fmt.Errorf("got %s\n%s", status, body)
		}
		return nil
	}
	var stopping atomic.Bool
	clients := []func() error{
		func() error { return keepAsking(r.address, false, &stopping, check) },
		func() error { return keepAsking(secure, true, &stopping, check) },
		func() error { return keepAskingByHTTP2(secure, &stopping, check) },
		func() error { return keepAsking(r.address, false, &stopping, check) },
	}
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			if err := clients[i%len(clients)](); err != nil {
				t.Error(err)
			}
		})
	}
	texts := []string{
		configText(folder, "two.example", withTLS),
		strings.Replace(configText(folder, "two.example", withTLS), "hostname: imap", "hots: imap", 1),
		configText(folder, "one.example", withTLS),
		configText(folder, "three.example", withTLS)[:150],
	}
	const reloads = 32
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for i := range reloads {
		// Every other text is good. A line about the text before, which the watching
		// may cause a second time, is of the other kind.
		line := []*regexp.Regexp{reloaded, notReloaded}[i%2]
		lines := func() int { return len(line.FindAllString(r.stderr.String(), -1)) }
		before := lines()
		put(t, folder, "signpost.yaml", texts[i%len(texts)])
		r.signal(t, syscall.SIGHUP)
		<-tick.C
		for lines() == before {
			<-tick.C // it takes longer on a busy machine
		}
	}
	applied, refused := r.metric(t, `signpost_reloads_total{result="applied"}`), r.metric(t, `signpost_reloads_total{result="refused"}`)
	if applied < reloads/2 || refused < reloads/2 {
		t.Errorf("%v reloads applied and %v refused, of %d", applied, refused, reloads)
	}
	stopping.Store(true)
	r.stop(t)
	group.Wait()
	for i := range answers {
		if n := answers[i].Load(); n < 1000 {
			t.Errorf("configuration %d gave %d answers", i+1, n)
		}
	}
	t.Logf("%d and %d answers, %v reloads applied, %v refused", answers[0].Load(), answers[1].Load(), applied, refused)
}

// keepAsking asks on connections that it keeps until nobody takes them.
func keepAsking(address string, secure bool, stopping *atomic.Bool, check func(status, body string) error) error {
	for {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return unlessOver(stopping, err)
		}
		if err := keepAskingOn(conn, secure, stopping, check); err != nil {
			return err
		}
	}
}

func keepAskingOn(conn net.Conn, secure bool, stopping *atomic.Bool, check func(status, body string) error) error {
	defer conn.Close()
	patience := func() { conn.SetDeadline(time.Now().Add(time.Minute)) }
	patience()
	if secure {
		client := tls.Client(conn, &tls.Config{ServerName: "autoconfig.domain.se", InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
		if err := client.Handshake(); err != nil {
			return unlessOver(stopping, err)
		}
		conn = client
	}
	in := bufio.NewReader(conn)
	for asked := 0; ; asked++ {
		patience()
		_, err := io.WriteString(conn, thunderbird("domain.se"))
		if err == nil {
			var response *http.Response
			if response, err = http.ReadResponse(in, nil); err == nil {
				body, err := io.ReadAll(response.Body)
				if err != nil {
					return fmt.Errorf("an answer broke off: %w", err)
				}
				if err := check(response.Status, string(body)); err != nil || response.Close {
					return err
				}
				continue
			}
		}
		if asked == 0 {
			return unlessOver(stopping, err)
		}
		return fmt.Errorf("a request got no answer: %w", err)
	}
}

// keepAskingByHTTP2 asks until nobody takes a connection.
func keepAskingByHTTP2(address string, stopping *atomic.Bool, check func(status, body string) error) error {
	transport := &http.Transport{TLSClientConfig: &tls.Config{ServerName: "autoconfig.domain.se", InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	for {
		request, err := http.NewRequest("GET", "https://"+address+"/mail/config-v1.1.xml", nil)
		if err != nil {
			return err
		}
		request.Host = "autoconfig.domain.se"
		response, err := client.Do(request)
		if err != nil {
			return unlessOver(stopping, err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return fmt.Errorf("an answer broke off: %w", err)
		}
		if response.ProtoMajor != 2 {
			return fmt.Errorf("got %s", response.Proto)
		}
		if err := check(response.Status, string(body)); err != nil {
			return err
		}
	}
}

// unlessOver takes it for no failure that nobody listens once the service stops,
// and that a connection is reset which it had not yet taken from the system.
func unlessOver(stopping *atomic.Bool, err error) error {
	over := errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	if stopping.Load() && over {
		return nil
	}
	return fmt.Errorf("a connection failed: %w", err)
}

// TestReloadOfFiles changes each kind of file and waits for the service to
// notice by itself.
func TestReloadOfFiles(t *testing.T) {
	folder := prepare(t, "")
	r := startServe(t, folder, nil)
	next := func(pattern *regexp.Regexp) []string {
		t.Helper()
		match := r.says(t, pattern)
		r.stderr.clear()
		return match
	}
	r.stderr.clear()
	put(t, folder, "domains.txt", "domain.se\nother.se\n")
	if got := next(reloaded); got[2] != "2" {
		t.Errorf("got %s", got[0])
	}
	if status, _ := askOnce(t, r.address, thunderbird("other.se")); status != 200 {
		t.Errorf("the new domain is answered %d", status)
	}
	if got := r.metric(t, `signpost_configured{what="domains"}`); got != 2 {
		t.Errorf("%v domains are counted", got)
	}

	// In place, as some editors write, and in two steps.
	file, err := os.OpenFile(filepath.Join(folder, "domains.txt"), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(file, "domain.se\n")
	io.WriteString(file, "third.se\nfourth.se\n")
	file.Close()
	if got := next(reloaded); got[2] != "3" {
		t.Errorf("got %s", got[0])
	}

	put(t, folder, "domains.txt", "domain.se\nnot a domain\n")
	if got := next(notReloaded); !strings.Contains(got[1], `domains.txt:2: `) {
		t.Errorf("got %s", got[0])
	}
	if status, _ := askOnce(t, r.address, thunderbird("third.se")); status != 200 {
		t.Errorf("a domain from before is answered %d", status)
	}

	if err := os.Remove(filepath.Join(folder, "domains.txt")); err != nil {
		t.Fatal(err)
	}
	next(notReloaded)
	put(t, folder, "domains.txt", "domain.se\n")
	next(reloaded)

	// What the page is made of.
	put(t, folder, "logo.svg", "<svg>one</svg>")
	if err := os.MkdirAll(filepath.Join(folder, "page", "text"), 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, folder, "page/text/en.json", `{"form.title": "Our mail"}`)
	put(t, folder, "signpost.yaml", configText(folder, "one.example", "name: setup.example\nbranding: {logo: logo.svg, templates: page}"))
	next(reloaded)
	shows := func(path, want string) {
		t.Helper()
		if status, body := askOnce(t, r.address, "GET "+path+" HTTP/1.1\r\nHost: setup.example\r\n\r\n"); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: got %d, want %q in\n%s", path, status, want, body)
		}
	}
	shows("/", "<h1>Our mail</h1>")
	shows("/setup/logo", "one")
	put(t, folder, "logo.svg", "<svg>two</svg>")
	next(reloaded)
	shows("/setup/logo", "two")
	put(t, folder, "page/text/en.json", `{"form.title": "Our new mail"}`)
	next(reloaded)
	shows("/", "<h1>Our new mail</h1>")
	put(t, folder, "page/text/en.json", `{"form.titel": "Our newest mail"}`)
	if got := next(notReloaded); !strings.Contains(got[1], `page/text/en.json:1: has \"form.titel\"`) {
		t.Errorf("got %s", got[0])
	}
	shows("/", "<h1>Our new mail</h1>")
	if err := os.Remove(filepath.Join(folder, "page", "text", "en.json")); err != nil {
		t.Fatal(err)
	}
	next(reloaded)
	shows("/", "<h1>Set up your email</h1>")

	// Another file of the folder is none of ours; the next line is of the last.
	put(t, folder, "notes.txt", "remember the milk")
	put(t, folder, "signpost.yaml", configText(folder, "two.example", "log: {format: json}"))
	r.says(t, regexp.MustCompile(`"msg":"reloaded","providers":1,"domains":1`))
	if strings.Contains(r.stderr.String(), "msg=reloaded") {
		t.Errorf("reloaded for a file that is not ours:\n%s", r.stderr)
	}
	if _, body := askOnce(t, r.address, thunderbird("domain.se")); !strings.Contains(body, "imap.two.example") {
		t.Errorf("got\n%s", body)
	}
}

// TestReloadWhenAFileComes: a configuration is refused because a file that it
// names is not there yet, and taken when it is.
func TestReloadWhenAFileComes(t *testing.T) {
	folder := prepare(t, "")
	r := startServe(t, folder, nil)
	put(t, folder, "signpost.yaml", strings.Replace(configText(folder, "two.example", ""), "domains.txt", "more/domains.txt", 1))
	if got := r.says(t, notReloaded); !strings.Contains(got[1], "more/domains.txt") {
		t.Errorf("got %s", got[0])
	}
	if err := os.Mkdir(filepath.Join(folder, "more"), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, folder, "more/domains.txt", "domain.se\nother.se\n")
	r.says(t, reloaded)
	if _, body := askOnce(t, r.address, thunderbird("other.se")); !strings.Contains(body, "imap.two.example") {
		t.Errorf("got\n%s", body)
	}
}

// TestReloadTakesTheLog: all lines are written as the new configuration wants
// them, also those of what outlives the old one.
func TestReloadTakesTheLog(t *testing.T) {
	folder := prepare(t, "")
	r := startServe(t, folder, nil)
	put(t, folder, "signpost.yaml", configText(folder, "two.example", "log: {format: json}"))
	r.signal(t, syscall.SIGHUP)
	r.says(t, regexp.MustCompile(`"msg":"reloaded"`))
	r.stop(t)
	if !strings.Contains(r.stderr.String(), `"level":"INFO","msg":"stopping, finishing requests in flight"}`) {
		t.Errorf("it said\n%s", r.stderr)
	}
}

func (o *output) clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Reset()
}

// TestWhatNeedsARestart changes what a reload cannot.
func TestWhatNeedsARestart(t *testing.T) {
	folder := prepare(t, "")
	r := startServe(t, folder, nil)
	text := strings.Replace(configText(folder, "two.example", "limits: {connections: 20, connectionsPerAddress: 20, idle: 9s}\nproxyProtocol: true"), "admin.sock", "other.sock", 1)
	put(t, folder, "signpost.yaml", strings.Replace(text, "127.0.0.1:0", "127.0.0.1:9", 1))
	r.signal(t, syscall.SIGHUP)
	got := r.says(t, regexp.MustCompile(`restart required for changed keys" keys="(.*)"`))
	if want := "admin, limits (times), limits.connections, listen, proxyProtocol"; got[1] != want {
		t.Errorf("got %s, want %s", got[1], want)
	}
	// The rest is in use.
	r.says(t, reloaded)
	if _, body := askOnce(t, r.address, thunderbird("domain.se")); !strings.Contains(body, "imap.two.example") {
		t.Errorf("got\n%s", body)
	}
}

// TestReloadTakesLimitsAndProxies: they are in use without a restart.
func TestReloadTakesLimitsAndProxies(t *testing.T) {
	folder := prepare(t, "")
	r := startServe(t, folder, nil)
	put(t, folder, "signpost.yaml", configText(folder, "one.example", "trustedProxies: none\nlimits: {requests: 1, burst: 1}"))
	r.signal(t, syscall.SIGHUP)
	r.says(t, reloaded)
	request := strings.Replace(thunderbird("domain.se"), "\r\n\r\n", "\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n", 1)
	askOnce(t, r.address, request)
	if status, _ := askOnce(t, r.address, request); status != http.StatusTooManyRequests {
		t.Errorf("the second request is answered %d", status)
	}
	if got := r.metric(t, `signpost_requests_total{dialect="other",outcome="limited"}`); got < 1 {
		t.Errorf("%v limited requests are counted", got)
	}
}

// TestReloadKeepsTheSignature: a certificate that cannot sign takes no
// signature away.
func TestReloadKeepsTheSignature(t *testing.T) {
	const signed = "profiles: {certificate: cert.pem, key: cert.pem}"
	folder := prepare(t, signed)
	putCertificate(t, folder, 1)
	r := startServe(t, folder, nil)
	profile := func() string {
		_, body := askOnce(t, r.address, "GET /profile.mobileconfig?emailaddress=anna%40domain.se HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
		return body
	}
	if !strings.HasPrefix(profile(), "\x30") {
		t.Fatalf("the profile is not signed:\n%s", r.stderr)
	}
	put(t, folder, "broken.pem", "no certificate")
	put(t, folder, "signpost.yaml", configText(folder, "two.example", strings.ReplaceAll(signed, "cert.pem", "broken.pem")))
	r.signal(t, syscall.SIGHUP)
	if got := r.says(t, notReloaded); !strings.Contains(got[1], "profiles.certificate: ") {
		t.Errorf("got %s", got[0])
	}
	if !strings.HasPrefix(profile(), "\x30") || !strings.Contains(profile(), "imap.one.example") {
		t.Errorf("half of the configuration was taken over:\n%s", r.stderr)
	}
}
