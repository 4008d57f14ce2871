package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNotify listens as systemd does for a service of Type=notify.
func TestNotify(t *testing.T) {
	folder := prepare(t, "")
	path := filepath.Join(folder, "notify.sock")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	messages := make(chan string, 1000)
	go func() {
		defer close(messages)
		for b := make([]byte, 4096); ; {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			messages <- string(b[:n])
		}
	}()
	// hears waits for a message, and says which ones came before it.
	hears := func(beginning string) (message string, before []string) {
		t.Helper()
		give := time.After(30 * time.Second)
		for {
			select {
			case message := <-messages:
				if strings.HasPrefix(message, beginning) {
					return message, before
				}
				before = append(before, message)
			case <-give:
				t.Fatalf("systemd did not hear %s but %q", beginning, before)
			}
		}
	}
	r := startServe(t, folder, func(cmd *exec.Cmd) {
		cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=100000")
	})
	if message, before := hears("READY=1"); !strings.Contains(message, "STATUS=1 providers, 1 domains, 0 accounts") || len(before) > 0 {
		t.Errorf("after %q: %q", before, message)
	}
	hears("WATCHDOG=1")
	hears("WATCHDOG=1")
	put(t, folder, "domains.txt", "domain.se\nother.se\n")
	r.signal(t, syscall.SIGHUP)
	if message, _ := hears("RELOADING=1"); !strings.Contains(message, "MONOTONIC_USEC=") {
		t.Errorf("got %q", message)
	}
	if message, _ := hears("READY=1"); !strings.Contains(message, "2 domains") {
		t.Errorf("got %q", message)
	}
	r.stop(t)
	// limits.stop and what comes after it.
	if message, _ := hears("STOPPING=1"); !strings.Contains(message, "EXTEND_TIMEOUT_USEC=20000000") {
		t.Errorf("got %q", message)
	}
}

// TestSocketActivation passes sockets on as systemd does.
func TestSocketActivation(t *testing.T) {
	folder := prepare(t, "")
	var files []*os.File
	var addresses []string
	for range 2 {
		file, address := socket(t)
		files, addresses = append(files, file), append(addresses, address)
	}
	put(t, folder, "signpost.yaml", strings.Replace(configText(folder, "one.example", ""), "127.0.0.1:0", "192.0.2.1:1", 1))
	r := startServe(t, folder, func(cmd *exec.Cmd) { activate(cmd, files, "http:admin") })
	if !strings.Contains(r.stderr.String(), `msg="systemd socket replaces a configured address" address=192.0.2.1:1`) {
		t.Errorf("it said\n%s", r.stderr)
	}
	if r.address != addresses[0] {
		t.Errorf("serve listens on %s, want %s", r.address, addresses[0])
	}
	if status, _ := askOnce(t, addresses[0], thunderbird("domain.se")); status != 200 {
		t.Errorf("http: got %d", status)
	}
	if status, body := askOnce(t, addresses[1], "GET /readyz HTTP/1.1\r\nHost: admin\r\n\r\n"); status != 200 || body != "ready\n" {
		t.Errorf("admin: got %d %s", status, body)
	}
	r.stop(t)
}

// socket is one that systemd has opened.
func socket(t *testing.T) (file *os.File, address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if file, err = l.(*net.TCPListener).File(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file, l.Addr().String()
}

// activate starts a command as systemd does, with sockets.
func activate(cmd *exec.Cmd, files []*os.File, names string) {
	// LISTEN_PID is the process itself, which only a shell can know before.
	cmd.Path = "/bin/sh"
	cmd.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`}, cmd.Args...)
	cmd.Env = append(cmd.Env, fmt.Sprintf("LISTEN_FDS=%d", len(files)), "LISTEN_FDNAMES="+names)
	cmd.ExtraFiles = files
}

// TestSocketWithoutTLS: a socket for https is of no use without certificates.
func TestSocketWithoutTLS(t *testing.T) {
	folder := prepare(t, "")
	file, _ := socket(t)
	cmd := program(os.Args[0], "serve", "-config", filepath.Join(folder, "signpost.yaml"))
	activate(cmd, []*os.File{file}, "https")
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.HasPrefix(string(out), "signpost: systemd passes a socket for https, and the configuration has no tls\nhint: ") {
		t.Errorf("it ended with %d:\n%s", code, out)
	}
}

// TestFewFiles: more connections than the system lets be open are told at once.
func TestFewFiles(t *testing.T) {
	r := startServe(t, prepare(t, "limits: {connections: 500}"), func(cmd *exec.Cmd) {
		cmd.Path = "/bin/sh"
		cmd.Args = append([]string{"sh", "-c", `ulimit -n 512 && exec "$0" "$@"`}, cmd.Args...)
	})
	if !strings.Contains(r.stderr.String(), `msg="connection limit exceeds the open file limit" connections=500 files=512 hint=`) {
		t.Errorf("it said\n%s", r.stderr)
	}
}

// TestFailedStart: a start that cannot be says why in one line, and what to do.
func TestFailedStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, row := range []struct{ name, from, to, say, hint string }{
		{"taken", "127.0.0.1:0", taken.Addr().String(), "cannot listen on " + taken.Addr().String() + ": address already in use", "another program uses it"},
		{"not ours", "127.0.0.1:0", "192.0.2.1:80", "cannot listen on 192.0.2.1:80: cannot assign requested address", "ip address shows"},
		{"no folder for the socket", "127.0.0.1:0", "unix:/nonexistent/http.sock", "cannot listen on unix:/nonexistent/http.sock: no such file", "RuntimeDirectory=signpost"},
		{"admin", "/admin.sock", "/nowhere/admin.sock", "nowhere/admin.sock: no such file", "RuntimeDirectory=signpost"},
		{"no certificate", "providers:", "tls: {listen: \"127.0.0.1:0\", certificates: [{certificate: none.pem, key: none.key}]}\nproviders:", "none.pem", "tls.certificates"},
		{"no pair", "providers:", "tls: {listen: \"127.0.0.1:0\",\n  certificates: [{certificate: domains.txt, key: domains.txt}]}\nproviders:", "signpost.yaml:5: tls.certificates[0]: ", "tls.certificates"},
		{"broken template", "providers:", "branding: {templates: texts}\nproviders:", "html/start.html", "branding.templates"},
		{"broken", "hostname: imap", "hots: imap", `unknown key "hots", did you mean "hostname"?`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			folder := prepare(t, "")
			if err := os.MkdirAll(filepath.Join(folder, "texts/html"), 0o700); err != nil {
				t.Fatal(err)
			}
			put(t, folder, "texts/html/start.html", "{{.Nothing")
			put(t, folder, "signpost.yaml", strings.Replace(configText(folder, "one.example", ""), row.from, row.to, 1))
			cmd := program(os.Args[0], "serve", "-config", filepath.Join(folder, "signpost.yaml"))
			out, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); err == nil || code != 1 {
				t.Errorf("it ended with %d", code)
			}
			var errors, hints []string
			for line := range strings.Lines(string(out)) {
				switch {
				case strings.HasPrefix(line, "time="): // the log
				case strings.HasPrefix(line, "signpost: "):
					errors = append(errors, line)
				case strings.HasPrefix(line, "hint: "):
					hints = append(hints, line)
				default:
					t.Errorf("a line that is neither: %s", line)
				}
			}
			if len(errors) != 1 || !strings.Contains(errors[0], row.say) {
				t.Errorf("it said %q, want %q", errors, row.say)
			}
			if hint := fmt.Sprint(hints); row.hint != "" && (len(hints) != 1 || !strings.Contains(hint, row.hint)) {
				t.Errorf("its hint is %q, want %q", hints, row.hint)
			}
		})
	}
}

// TestCheckFindsWhatKeepsFromStarting: what check calls good starts, as far as
// certificates go, and what does not start is named in both.
func TestCheckFindsWhatKeepsFromStarting(t *testing.T) {
	for _, row := range []struct{ name, tls, say string }{
		{"good", "certificates: [{certificate: cert.pem, key: cert.pem}], acme: {storage: made/later, caRoot: cert.pem}", ""},
		{"another's key", "\n  certificates:\n  - {certificate: cert.pem, key: cert.pem}\n  - {certificate: cert.pem, key: other.pem}\n  ", "signpost.yaml:6: tls.certificates[1]: "},
		{"no files", "certificates: [{certificate: none.pem, key: none.key}]", "signpost.yaml:3: tls.certificates[0]: "},
		{"a short RSA key", "certificates: [{certificate: rsa.pem, key: rsa.pem}]", "rsa.pem: clients refuse an RSA key of 1024 bits"},
		{"no root", "acme: {storage: s, caRoot: domains.txt}", "domains.txt: no certificate"},
		{"no file of a root", "acme: {storage: s, caRoot: none.pem}", "none.pem"},
		{"a file in place of the folder", "acme: {storage: domains.txt}", "domains.txt"},
		{"a file above the folder", "acme: {storage: domains.txt/certificates}", "domains.txt"},
	} {
		t.Run(row.name, func(t *testing.T) {
			open, close := "{", "}"
			if strings.HasPrefix(row.tls, "\n") {
				open, close = "", "listen: \"127.0.0.1:0\""
			}
			folder := prepare(t, "tls: "+open+strings.Replace(row.tls, "acme:", "listen: \"127.0.0.1:0\", acme:", 1)+close)
			putCertificate(t, folder, 2)
			if err := os.Rename(filepath.Join(folder, "cert.pem"), filepath.Join(folder, "other.pem")); err != nil {
				t.Fatal(err)
			}
			putCertificate(t, folder, 1)
			putShortRSA(t, folder)
			out, err := program(os.Args[0], "check", "-config", filepath.Join(folder, "signpost.yaml")).CombinedOutput()
			if row.say == "" {
				if err != nil || !strings.Contains(string(out), "is good") {
					t.Errorf("check: %v\n%s", err, out)
				}
				if _, err := os.Stat(filepath.Join(folder, "made")); err == nil {
					t.Error("check has made a folder")
				}
				startServe(t, folder, nil).stop(t)
				return
			}
			if err == nil || !strings.Contains(string(out), row.say) || strings.Contains(string(out), "is good") {
				t.Errorf("check: %v\n%s", err, out)
			}
			cmd := program(os.Args[0], "serve", "-config", filepath.Join(folder, "signpost.yaml"))
			if out, err := cmd.CombinedOutput(); err == nil || cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("serve: %v\n%s", err, out)
			}
		})
	}
}

// putShortRSA writes a certificate with a key that nobody takes.
func putShortRSA(t *testing.T, folder string) {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"domain.se"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	pem.Encode(&text, &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	put(t, folder, "rsa.pem", text.String())
}

// TestAdminIsOptional: a second service of the machine, whose operator did not
// ask for an admin listener, goes on without.
func TestAdminIsOptional(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:9480")
	if err == nil {
		defer taken.Close()
	}
	folder := prepare(t, "")
	text := configText(folder, "one.example", "")
	put(t, folder, "signpost.yaml", text[:strings.Index(text, "admin:")]+text[strings.Index(text, "providers:"):])
	r := startServe(t, folder, nil)
	if !strings.Contains(r.stderr.String(), `msg="admin listener not opened, no metrics"`) {
		t.Errorf("it said\n%s", r.stderr)
	}
	if status, _ := askOnce(t, r.address, thunderbird("domain.se")); status != 200 {
		t.Errorf("got %d", status)
	}
}
