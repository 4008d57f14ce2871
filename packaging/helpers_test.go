// Package packaging tests what operators install: packages, the unit, manual
// pages, the image, and configurations of proxies in front.
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

// folders of the whole run are removed at its end.
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

// skip leaves a test out, except where all that it needs is promised.
func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// tool is the path of an installed program, which may be where only root looks.
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

// signpost is the program itself.
func signpost(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// short is a folder with a short path.
func short(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "signpost")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

func put(t *testing.T, folder, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// freeAddress is one at which nobody listens now.
func freeAddress(t *testing.T) string {
	t.Helper()
	return "127.0.0.1:" + freeport.Choose(t)
}

// await waits until somebody listens at each of the addresses.
func await(t *testing.T, addresses ...string) {
	t.Helper()
	give := time.Now().Add(30 * time.Second)
	for _, address := range addresses {
		for {
			conn, err := net.Dial("tcp", address)
			if err == nil {
				conn.Close()
				break
			}
			if time.Now().After(give) {
				t.Fatalf("nobody listens on %s: %v", address, err)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// startProgram runs a program until the test ends, and shows what it said if
// the test fails.
func startProgram(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	said, ok := cmd.Stderr.(*output)
	if !ok {
		said = new(output)
		cmd.Stdout, cmd.Stderr = said, said
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
			t.Logf("%s said:\n%s", cmd.Path, said)
		}
	})
}

// output is what a program writes while a test reads it.
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
