package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// running is a "signpost serve" that a test has started as a process of its own.
type running struct {
	folder  string
	stderr  *output
	cmd     *exec.Cmd
	ended   chan error // holds the result of the process when it has ended
	address string     // of plain HTTP
}

// configText returns a configuration for a process of a test, with more keys at its
// top level. The admin listener is a socket in the test's directory.
func configText(folder, host, more string) string {
	return fmt.Sprintf(`listen: 127.0.0.1:0
admin: {listen: "unix:%s/admin.sock"}
%s
providers:
  - id: example
    displayName: Mail of %[3]s
    domains: [{file: domains.txt}]
    servers:
      - {type: imap, hostname: imap.%[3]s, port: 993}
      - {type: smtp, hostname: smtp.%[3]s, port: 465}
`, folder, more, host)
}

// prepare writes a configuration into a new directory whose path is short enough for
// a socket.
func prepare(t testing.TB, more string) (folder string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "signpost")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	put(t, folder, "signpost.yaml", configText(folder, "one.example", more))
	put(t, folder, "domains.txt", "domain.se\n")
	return folder
}

// put replaces a file atomically, as editors and package managers do.
func put(t testing.TB, folder, name, text string) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// program returns a command that runs this test binary as signpost.
func program(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), asSignpost+"=1")
	return cmd
}

// startServe starts the service with the configuration in a directory and waits
// until it listens. If change is not nil, it may change the command first.
func startServe(t testing.TB, folder string, change func(*exec.Cmd)) *running {
	t.Helper()
	r := &running{folder: folder, stderr: new(output), ended: make(chan error, 1)}
	r.cmd = program(os.Args[0], "serve", "-config", filepath.Join(folder, "signpost.yaml"))
	if change != nil {
		change(r.cmd)
	}
	r.cmd.Stderr = r.stderr
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.ended <- r.cmd.Wait() }()
	t.Cleanup(func() {
		r.cmd.Process.Kill()
		<-r.ended
	})
	r.address = r.says(t, listening)[1]
	return r
}

// says waits until standard error matches the pattern and returns the match.
func (r *running) says(t testing.TB, pattern *regexp.Regexp) []string {
	t.Helper()
	patience := time.NewTimer(30 * time.Second)
	defer patience.Stop()
	for {
		if match := pattern.FindStringSubmatch(r.stderr.String()); match != nil {
			return match
		}
		select {
		case err := <-r.ended:
			r.ended <- err
			t.Fatalf("serve ended with %v before it wrote %s:\n%s", err, pattern, r.stderr)
		case <-patience.C:
			t.Fatalf("serve did not write %s within 30 s:\n%s", pattern, r.stderr)
		case <-time.After(time.Millisecond):
		}
	}
}

func (r *running) signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := r.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// stop stops the service as systemd does and waits for its end.
func (r *running) stop(t testing.TB) {
	t.Helper()
	r.signal(t, syscall.SIGTERM)
	err := <-r.ended
	r.ended <- err
	if err != nil {
		t.Errorf("serve ended with %v:\n%s", err, r.stderr)
	}
}

// admin sends a GET request to the admin listener.
func (r *running) admin(t testing.TB, path string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(r.folder, "admin.sock"))
		},
	}}
	response, err := client.Get("http://admin" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// metric returns the value of one series.
func (r *running) metric(t testing.TB, series string) (value float64) {
	t.Helper()
	_, text := r.admin(t, "/metrics")
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			if _, err := fmt.Sscan(rest, &value); err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	t.Fatalf("/metrics has no %s:\n%s", series, text)
	return 0
}

// thunderbird returns Thunderbird's request for the settings of a domain.
func thunderbird(domain string) string {
	return "GET /mail/config-v1.1.xml HTTP/1.1\r\nHost: autoconfig." + domain + "\r\n\r\n"
}

// askOnce sends a request on a new connection and returns the response.
func askOnce(t testing.TB, address, request string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return askOn(t, conn, request)
}

// askOn sends a request on an open connection and returns the response.
func askOn(t testing.TB, conn net.Conn, request string) (status int, body string) {
	t.Helper()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(conn, request)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// resolves checks that the service answers for a domain with the servers of a host.
func (r *running) resolves(t testing.TB, domain, host string) {
	t.Helper()
	status, body := askOnce(t, r.address, thunderbird(domain))
	if status != http.StatusOK || !strings.Contains(body, "imap."+host) {
		t.Errorf("autoconfig for %s = %d, want 200 with imap.%s:\n%s", domain, status, host, body)
	}
}

// wrote checks that standard error contains the text.
func (r *running) wrote(t testing.TB, text string) {
	t.Helper()
	if !strings.Contains(r.stderr.String(), text) {
		t.Errorf("serve did not write %q:\n%s", text, r.stderr)
	}
}
