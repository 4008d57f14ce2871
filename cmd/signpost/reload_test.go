package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

var (
	reloaded    = regexp.MustCompile(`msg=reloaded providers=(\d+) domains=(\d+) accounts=(\d+) took=\d`)
	notReloaded = regexp.MustCompile(`msg="reload failed, keeping the previous configuration" fault="(.*)"`)
)

// TestReloadOfHalfAFile checks that a list that is still being written is refused like a
// broken file, and taken over when it is complete.
func TestReloadOfHalfAFile(t *testing.T) {
	folder := prepare(t, "")
	r := startServe(t, folder, nil)
	var list strings.Builder
	for i := range 60 {
		fmt.Fprintf(&list, "customer-%d.se\n", i)
	}
	put(t, folder, "domains.txt", "domain.se\n"+list.String())
	r.says(t, reloaded)
	half, _, _ := strings.Cut(list.String(), "customer-30.se")
	put(t, folder, "domains.txt", "domain.se\n"+half)
	if got := r.says(t, notReloaded); !strings.Contains(got[1], "domains.txt: lost 30 of 61 domains") {
		t.Errorf("the log has %q, want the number of lost domains", got[0])
	}
	if got := r.metric(t, `signpost_reloads_total{result="refused"}`); got != 1 {
		t.Errorf("the metric counts %v refused reloads, want 1", got)
	}
	r.resolves(t, "customer-59.se", "one.example")
	r.stderr.reset()
	put(t, folder, "domains.txt", "domain.se\nnew.se\n"+list.String())
	r.says(t, reloaded)
	r.resolves(t, "new.se", "one.example")
}

// TestReloadOfFiles changes each kind of file and waits until the service notices
// without a signal.
func TestReloadOfFiles(t *testing.T) {
	folder := prepare(t, "")
	r := startServe(t, folder, nil)
	// next waits for a line and discards the log up to it.
	next := func(pattern *regexp.Regexp) []string {
		t.Helper()
		match := r.says(t, pattern)
		r.stderr.reset()
		return match
	}
	r.stderr.reset()
	put(t, folder, "domains.txt", "domain.se\nother.se\n")
	if got := next(reloaded); got[2] != "2" {
		t.Errorf("the log has %q, want 2 domains", got[0])
	}
	r.resolves(t, "other.se", "one.example")
	if got := r.metric(t, `signpost_configured{what="domains"}`); got != 2 {
		t.Errorf("the metric counts %v domains, want 2", got)
	}

	// Some editors write in place and in several steps.
	file, err := os.OpenFile(filepath.Join(folder, "domains.txt"), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(file, "domain.se\n")
	io.WriteString(file, "third.se\nfourth.se\n")
	file.Close()
	if got := next(reloaded); got[2] != "3" {
		t.Errorf("the log has %q, want 3 domains", got[0])
	}

	put(t, folder, "domains.txt", "domain.se\nnot a domain\n")
	if got := next(notReloaded); !strings.Contains(got[1], `domains.txt:2: `) {
		t.Errorf("the log has %q, want the fault in line 2 of domains.txt", got[0])
	}
	r.resolves(t, "third.se", "one.example")

	if err := os.Remove(filepath.Join(folder, "domains.txt")); err != nil {
		t.Fatal(err)
	}
	next(notReloaded)
	put(t, folder, "domains.txt", "domain.se\n")
	next(reloaded)

	// The files of the set-up page.
	put(t, folder, "logo.svg", "<svg>one</svg>")
	if err := os.MkdirAll(filepath.Join(folder, "page", "text"), 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, folder, "page/text/en.json", `{"form.title": "Our mail"}`)
	put(t, folder, "signpost.yaml", configText(folder, "one.example",
		"name: setup.example\nbranding: {logo: logo.svg, templates: page}"))
	next(reloaded)
	shows := func(path, want string) {
		t.Helper()
		status, body := askOnce(t, r.address, "GET "+path+" HTTP/1.1\r\nHost: setup.example\r\n\r\n")
		if status != 200 || !strings.Contains(body, want) {
			t.Errorf("GET %s = %d, want 200 with %q:\n%s", path, status, want, body)
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
		t.Errorf("the log has %q, want the unknown text form.titel", got[0])
	}
	shows("/", "<h1>Our new mail</h1>")
	if err := os.Remove(filepath.Join(folder, "page", "text", "en.json")); err != nil {
		t.Fatal(err)
	}
	next(reloaded)
	shows("/", "<h1>Set up your email</h1>")

	// Another file in the directory does not matter. The only reload after it is that
	// of the configuration.
	put(t, folder, "notes.txt", "remember the milk")
	put(t, folder, "signpost.yaml", configText(folder, "two.example", "log: {format: json}"))
	r.says(t, regexp.MustCompile(`"msg":"reloaded","providers":1,"domains":1`))
	if strings.Contains(r.stderr.String(), "msg=reloaded") {
		t.Errorf("the service reloaded for a file that does not concern it:\n%s", r.stderr)
	}
	r.resolves(t, "domain.se", "two.example")
}

// TestReloadWhenFileAppears checks that a configuration is refused while a file that
// it names is missing, and used as soon as the file is there.
func TestReloadWhenFileAppears(t *testing.T) {
	folder := prepare(t, "")
	r := startServe(t, folder, nil)
	put(t, folder, "signpost.yaml",
		strings.Replace(configText(folder, "two.example", ""), "domains.txt", "more/domains.txt", 1))
	if got := r.says(t, notReloaded); !strings.Contains(got[1], "more/domains.txt") {
		t.Errorf("the log has %q, want the missing file", got[0])
	}
	if err := os.Mkdir(filepath.Join(folder, "more"), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, folder, "more/domains.txt", "domain.se\nother.se\n")
	r.says(t, reloaded)
	r.resolves(t, "other.se", "two.example")
}

// TestReloadOfLog checks that a reload changes the format of all lines, also of those
// from parts that outlive the reload.
func TestReloadOfLog(t *testing.T) {
	folder := prepare(t, "")
	r := startServe(t, folder, nil)
	put(t, folder, "signpost.yaml", configText(folder, "two.example", "log: {format: json}"))
	r.signal(t, syscall.SIGHUP)
	r.says(t, regexp.MustCompile(`"msg":"reloaded"`))
	r.stop(t)
	r.wrote(t, `"level":"INFO","msg":"stopping, finishing requests in flight"}`)
}

// TestRestartRequired checks that a reload names the changed keys that need a restart
// and applies everything else.
func TestRestartRequired(t *testing.T) {
	folder := prepare(t, "")
	r := startServe(t, folder, nil)
	text := configText(folder, "two.example",
		"limits: {connections: 20, connectionsPerAddress: 20, idle: 9s}\nproxyProtocol: true")
	text = strings.Replace(text, "admin.sock", "other.sock", 1)
	put(t, folder, "signpost.yaml", strings.Replace(text, "127.0.0.1:0", "127.0.0.1:9", 1))
	r.signal(t, syscall.SIGHUP)
	got := r.says(t, regexp.MustCompile(`restart required for changed keys" keys="(.*)"`))
	if want := "admin, limits (times), limits.connections, listen, proxyProtocol"; got[1] != want {
		t.Errorf("keys that need a restart = %s, want %s", got[1], want)
	}
	r.says(t, reloaded)
	r.resolves(t, "domain.se", "two.example")
}

// TestRestartRequiredForOneKey checks that a single changed key is named, too.
func TestRestartRequiredForOneKey(t *testing.T) {
	folder := prepare(t, "")
	r := startServe(t, folder, nil)
	put(t, folder, "signpost.yaml", configText(folder, "one.example", "limits: {connections: 20}"))
	r.signal(t, syscall.SIGHUP)
	r.says(t, reloaded)
	r.says(t, regexp.MustCompile(`restart required for changed keys" keys=limits.connections\n`))
}

// TestReloadOfLimitsAndProxies checks that request limits and trusted proxies change
// without a restart.
func TestReloadOfLimitsAndProxies(t *testing.T) {
	folder := prepare(t, "")
	r := startServe(t, folder, nil)
	put(t, folder, "signpost.yaml", configText(folder, "one.example",
		"trustedProxies: none\nlimits: {requests: 1, burst: 1}"))
	r.signal(t, syscall.SIGHUP)
	r.says(t, reloaded)
	request := strings.Replace(thunderbird("domain.se"), "\r\n\r\n", "\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n", 1)
	askOnce(t, r.address, request)
	if status, _ := askOnce(t, r.address, request); status != http.StatusTooManyRequests {
		t.Errorf("the second request within a second got %d, want 429", status)
	}
	if got := r.metric(t, `signpost_requests_total{dialect="other",outcome="limited"}`); got < 1 {
		t.Errorf("the metric counts %v limited requests, want at least 1", got)
	}
}

// TestReloadKeepsSignature checks that a reload is refused if profiles could not be
// signed any more.
func TestReloadKeepsSignature(t *testing.T) {
	const signed = "profiles: {certificate: cert.pem, key: cert.pem}"
	folder := prepare(t, signed)
	putCertificate(t, folder, 1)
	r := startServe(t, folder, nil)
	profile := func() string {
		_, body := askOnce(t, r.address,
			"GET /profile.mobileconfig?emailaddress=anna%40domain.se HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
		return body
	}
	if !strings.HasPrefix(profile(), "\x30") {
		t.Fatalf("the profile is not signed:\n%s", r.stderr)
	}
	put(t, folder, "broken.pem", "no certificate")
	broken := strings.ReplaceAll(signed, "cert.pem", "broken.pem")
	put(t, folder, "signpost.yaml", configText(folder, "two.example", broken))
	r.signal(t, syscall.SIGHUP)
	if got := r.says(t, notReloaded); !strings.Contains(got[1], "profiles.certificate: ") {
		t.Errorf("the log has %q, want a fault of profiles.certificate", got[0])
	}
	if !strings.HasPrefix(profile(), "\x30") || !strings.Contains(profile(), "imap.one.example") {
		t.Errorf("the refused configuration changed the profile:\n%s", r.stderr)
	}
}
