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

// running is a `signpost serve` of a test in a process of its own.
type running struct {
	folder  string
	stderr  *output
	cmd     *exec.Cmd
	ended   chan error
	address string // of plain HTTP
}

// running configurations share these lines; the admin listener is a socket in
// the folder of the test.
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

// prepare writes a configuration into a folder whose path is short enough for
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

// put replaces a file at one stroke, as editors and package managers do.
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

// program is the program of this test as the command that it tests.
func program(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), asSignpost+"=1")
	return cmd
}

// startServe starts the service in a folder and waits until it listens.
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

// says waits until standard error matches.
func (r *running) says(t testing.TB, pattern *regexp.Regexp) []string {
	t.Helper()
	give := time.NewTimer(30 * time.Second)
	defer give.Stop()
	for {
		if match := pattern.FindStringSubmatch(r.stderr.String()); match != nil {
			return match
		}
		select {
		case err := <-r.ended:
			r.ended <- err
			t.Fatalf("serve ended: %v\n%s", err, r.stderr)
		case <-give.C:
			t.Fatalf("serve did not say %s:\n%s", pattern, r.stderr)
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

// stop ends the service as systemd does.
func (r *running) stop(t testing.TB) {
	t.Helper()
	r.signal(t, syscall.SIGTERM)
	err := <-r.ended
	r.ended <- err
	if err != nil {
		t.Errorf("serve ended with %v:\n%s", err, r.stderr)
	}
}

// admin asks the operator's listener.
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

// metric is the value of one series.
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
	t.Fatalf("there is no %s in\n%s", series, text)
	return 0
}

// thunderbird asks for the settings of a domain on a connection that it keeps.
func thunderbird(domain string) string {
	return "GET /mail/config-v1.1.xml HTTP/1.1\r\nHost: autoconfig." + domain + "\r\n\r\n"
}

// askOnce is one answer on a connection of its own.
func askOnce(t testing.TB, address, request string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return askOn(t, conn, request)
}

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
