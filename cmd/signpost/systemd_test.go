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

// TestNotify receives the notifications that systemd gets from a service of
// Type=notify.
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
	// next waits for a message with the prefix. It also returns those before it.
	next := func(prefix string) (message string, before []string) {
		t.Helper()
		patience := time.After(30 * time.Second)
		for {
			select {
			case message := <-messages:
				if strings.HasPrefix(message, prefix) {
					return message, before
				}
				before = append(before, message)
			case <-patience:
				t.Fatalf("systemd received %q within 30 s, want a message that begins with %s", before, prefix)
			}
		}
	}
	r := startServe(t, folder, func(cmd *exec.Cmd) {
		cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=100000")
	})
	if message, before := next("READY=1"); !strings.Contains(message, "STATUS=1 providers, 1 domains, 0 accounts") ||
		len(before) > 0 {
		t.Errorf("after %q systemd received %q, want READY=1 with the counts first", before, message)
	}
	next("WATCHDOG=1")
	next("WATCHDOG=1")
	put(t, folder, "domains.txt", "domain.se\nother.se\n")
	r.signal(t, syscall.SIGHUP)
	if message, _ := next("RELOADING=1"); !strings.Contains(message, "MONOTONIC_USEC=") {
		t.Errorf("systemd received %q, want it to contain MONOTONIC_USEC=", message)
	}
	if message, _ := next("READY=1"); !strings.Contains(message, "2 domains") {
		t.Errorf("systemd received %q after the reload, want 2 domains", message)
	}
	r.stop(t)
	// The sum of limits.stop and closeTime.
	if message, _ := next("STOPPING=1"); !strings.Contains(message, "EXTEND_TIMEOUT_USEC=20000000") {
		t.Errorf("systemd received %q, want a timeout of 20 s", message)
	}
}

// TestSocketActivation passes open sockets to the service as systemd does.
func TestSocketActivation(t *testing.T) {
	folder := prepare(t, "")
	var files []*os.File
	var addresses []string
	for range 2 {
		file, address := socket(t)
		files, addresses = append(files, file), append(addresses, address)
	}
	put(t, folder, "signpost.yaml",
		strings.Replace(configText(folder, "one.example", ""), "127.0.0.1:0", "192.0.2.1:1", 1))
	r := startServe(t, folder, func(cmd *exec.Cmd) { activate(cmd, files, "http:admin") })
	r.wrote(t, `msg="systemd socket replaces a configured address" address=192.0.2.1:1`)
	if r.address != addresses[0] {
		t.Errorf("serve listens on %s, want the passed socket %s", r.address, addresses[0])
	}
	r.resolves(t, "domain.se", "one.example")
	if status, body := askOnce(t, addresses[1], "GET /readyz HTTP/1.1\r\nHost: admin\r\n\r\n"); status != 200 ||
		body != "ready\n" {
		t.Errorf("GET /readyz on the socket for admin = %d %q, want 200 ready", status, body)
	}
	r.stop(t)
}

// socket opens a listening socket and returns its file and address.
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

// activate changes a command so that it gets sockets as from systemd.
func activate(cmd *exec.Cmd, files []*os.File, names string) {
	// LISTEN_PID must be the process itself, which only a shell knows beforehand.
	cmd.Path = "/bin/sh"
	cmd.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`}, cmd.Args...)
	cmd.Env = append(cmd.Env, fmt.Sprintf("LISTEN_FDS=%d", len(files)), "LISTEN_FDNAMES="+names)
	cmd.ExtraFiles = files
}

// TestSocketWithoutTLS checks that a socket for https is refused without
// certificates.
func TestSocketWithoutTLS(t *testing.T) {
	folder := prepare(t, "")
	file, _ := socket(t)
	cmd := program(os.Args[0], "serve", "-config", filepath.Join(folder, "signpost.yaml"))
	activate(cmd, []*os.File{file}, "https")
	out, _ := cmd.CombinedOutput()
	const want = "signpost: systemd passed a socket for https, but the configuration has no tls\nhint: "
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.HasPrefix(string(out), want) {
		t.Errorf("serve ended with status %d, want 1 and %q:\n%s", code, want, out)
	}
}

// TestOpenFileLimit checks that the service warns at its start if it may open fewer
// files than connections.
func TestOpenFileLimit(t *testing.T) {
	r := startServe(t, prepare(t, "limits: {connections: 500}"), func(cmd *exec.Cmd) {
		cmd.Path = "/bin/sh"
		cmd.Args = append([]string{"sh", "-c", `ulimit -n 512 && exec "$0" "$@"`}, cmd.Args...)
	})
	r.wrote(t, `msg="connection limit exceeds the open file limit" connections=500 files=512 hint=`)
}

// TestFailedStart checks that a failed start prints one line with the reason and one
// with a hint.
func TestFailedStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, row := range []struct{ name, from, to, want, hint string }{
		{"address in use", "127.0.0.1:0", taken.Addr().String(),
			"cannot listen on " + taken.Addr().String() + ": address already in use", "another program uses it"},
		{"address of another machine", "127.0.0.1:0", "192.0.2.1:80",
			"cannot listen on 192.0.2.1:80: cannot assign requested address", "ip address lists"},
		{"no directory for the socket", "127.0.0.1:0", "unix:/nonexistent/http.sock",
			"cannot listen on unix:/nonexistent/http.sock: no such file", "RuntimeDirectory=signpost"},
		{"no directory for the admin socket", "/admin.sock", "/nowhere/admin.sock",
			"nowhere/admin.sock: no such file", "RuntimeDirectory=signpost"},
		{"no certificate", "providers:",
			"tls: {listen: \"127.0.0.1:0\", certificates: [{certificate: none.pem, key: none.key}]}\nproviders:",
			"none.pem", "tls.certificates"},
		{"no pair of certificate and key", "providers:",
			"tls: {listen: \"127.0.0.1:0\",\n  certificates: [{certificate: domains.txt, key: domains.txt}]}\nproviders:",
			"signpost.yaml:5: tls.certificates[0]: ", "tls.certificates"},
		{"broken template", "providers:", "branding: {templates: texts}\nproviders:", "html/start.html",
			"branding.templates"},
		{"misspelt key", "hostname: imap", "hots: imap", `unknown key "hots", did you mean "hostname"?`, ""},
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
				t.Errorf("serve ended with status %d, want 1", code)
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
					t.Errorf("the line is neither an error nor a hint: %s", line)
				}
			}
			if len(errors) != 1 || !strings.Contains(errors[0], row.want) {
				t.Errorf("serve printed the errors %q, want one that contains %q", errors, row.want)
			}
			if hint := fmt.Sprint(hints); row.hint != "" && (len(hints) != 1 || !strings.Contains(hint, row.hint)) {
				t.Errorf("serve printed the hints %q, want one that contains %q", hints, row.hint)
			}
		})
	}
}

// TestCheckAgreesWithServe checks that, as far as certificates go, serve starts with
// what check calls good and with nothing else.
func TestCheckAgreesWithServe(t *testing.T) {
	for _, row := range []struct{ name, tls, want string }{
		{"good", "certificates: [{certificate: cert.pem, key: cert.pem}], " +
			"acme: {storage: made/later, caRoot: cert.pem}", ""},
		{"another certificate's key", "\n  certificates:\n  - {certificate: cert.pem, key: cert.pem}\n" +
			"  - {certificate: cert.pem, key: other.pem}\n  ", "signpost.yaml:6: tls.certificates[1]: "},
		{"no files", "certificates: [{certificate: none.pem, key: none.key}]", "signpost.yaml:3: tls.certificates[0]: "},
		{"a short RSA key", "certificates: [{certificate: rsa.pem, key: rsa.pem}]",
			"rsa.pem: clients refuse an RSA key of 1024 bits"},
		{"a root without a certificate", "acme: {storage: s, caRoot: domains.txt}", "domains.txt: no certificate"},
		{"a root that does not exist", "acme: {storage: s, caRoot: none.pem}", "none.pem"},
		{"a file as storage", "acme: {storage: domains.txt}", "domains.txt"},
		{"a storage below a file", "acme: {storage: domains.txt/certificates}", "domains.txt"},
	} {
		t.Run(row.name, func(t *testing.T) {
			const listen = `listen: "127.0.0.1:0"`
			more := "tls: {" + strings.Replace(row.tls, "acme:", listen+", acme:", 1) + "}"
			if strings.HasPrefix(row.tls, "\n") { // in block style
				more = "tls: " + row.tls + listen
			}
			folder := prepare(t, more)
			putCertificate(t, folder, 2)
			if err := os.Rename(filepath.Join(folder, "cert.pem"), filepath.Join(folder, "other.pem")); err != nil {
				t.Fatal(err)
			}
			putCertificate(t, folder, 1)
			putShortRSA(t, folder)
			out, err := program(os.Args[0], "check", "-config", filepath.Join(folder, "signpost.yaml")).CombinedOutput()
			if row.want == "" {
				if err != nil || !strings.Contains(string(out), "is good") {
					t.Errorf("check failed with %v, want success:\n%s", err, out)
				}
				if _, err := os.Stat(filepath.Join(folder, "made")); err == nil {
					t.Error("check created the storage directory")
				}
				startServe(t, folder, nil).stop(t)
				return
			}
			if err == nil || !strings.Contains(string(out), row.want) || strings.Contains(string(out), "is good") {
				t.Errorf("check returned %v, want a failure that contains %q:\n%s", err, row.want, out)
			}
			cmd := program(os.Args[0], "serve", "-config", filepath.Join(folder, "signpost.yaml"))
			if out, err := cmd.CombinedOutput(); err == nil || cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("serve returned %v, want exit status 1:\n%s", err, out)
			}
		})
	}
}

// putShortRSA writes a certificate with an RSA key that is too short for TLS.
func putShortRSA(t *testing.T, folder string) {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"domain.se"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	pem.Encode(&text, &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	put(t, folder, "rsa.pem", text.String())
}

// TestAdminIsOptional checks that a second service on the machine starts without the
// default admin listener.
func TestAdminIsOptional(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:9480")
	if err == nil {
		defer taken.Close()
	}
	folder := prepare(t, "")
	text := configText(folder, "one.example", "")
	put(t, folder, "signpost.yaml", text[:strings.Index(text, "admin:")]+text[strings.Index(text, "providers:"):])
	r := startServe(t, folder, nil)
	r.wrote(t, `msg="admin listener not opened, no metrics"`)
	r.wrote(t, `hint="set admin.listen to another address or to none"`)
	r.resolves(t, "domain.se", "one.example")
}
