// Package packaging tests what operators install: packages, documents, systemd
// units, manual pages, the container image, and configurations for proxies in front.
package packaging

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"signpost/internal/freeport"
)

// shared is a directory for all tests, removed after the last one.
var shared string

func TestMain(m *testing.M) {
	status := func() int {
		var err error
		if shared, err = os.MkdirTemp("", "packaging"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(shared)
		return m.Run()
	}()
	os.Exit(status)
}

// skip skips the test, or fails it where SIGNPOST_REQUIRE_TOOLS promises every tool.
func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// tool returns the path of an installed program. elsewhere lists places that are not
// in everybody's PATH.
func tool(t *testing.T, name string, elsewhere ...string) string {
	t.Helper()
	for _, name := range append([]string{name}, elsewhere...) {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	skip(t, name+" is not installed")
	return ""
}

var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(shared, "signpost")
	out, err := exec.Command("go", "build", "-o", path, "signpost/cmd/signpost").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// signpost returns the path of the program, built from the source.
func signpost(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// shortDir makes a directory with a path short enough for Unix sockets.
func shortDir(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("", "signpost")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	return directory
}

func writeFile(t *testing.T, directory, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// freeAddress returns an address of loopback with a port that is free.
func freeAddress(t *testing.T) string {
	t.Helper()
	return "127.0.0.1:" + freeport.Choose(t)
}

// await waits until each of the addresses accepts connections.
func await(t *testing.T, addresses ...string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for _, address := range addresses {
		for {
			conn, err := net.Dial("tcp", address)
			if err == nil {
				conn.Close()
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s accepts no connection after 30 seconds: %v", address, err)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// startProgram runs a program until the test ends, and logs its output if the test
// fails.
func startProgram(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	printed, ok := cmd.Stderr.(*output)
	if !ok {
		printed = new(output)
		cmd.Stdout, cmd.Stderr = printed, printed
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(15*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		kill.Stop()
		if t.Failed() {
			t.Logf("output of %s:\n%s", cmd.Path, printed)
		}
	})
}

// output collects what a program writes. A test may read it meanwhile.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
