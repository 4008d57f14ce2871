package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"signpost/internal/freeport"
	"signpost/internal/sources/rig"
)

// built holds the program, which is built once.
var built struct {
	once sync.Once
	path string
	err  error
}

// build builds the program statically, as it is released, and returns its path.
func build(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		built.path = filepath.Join(rig.Folder(t, "program", ""), "signpost")
		command := exec.Command("go", "build", "-trimpath", "-o", built.path, "signpost/cmd/signpost")
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := command.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

// program is the service as a process of its own.
type program struct {
	running
	process *rig.Process
}

// start starts the program with the rest of a configuration, until the test ends.
func startProgram(t testing.TB, rest string) *program {
	t.Helper()
	p := &program{running: running{
		address: "127.0.0.1:" + freeport.Choose(t), admin: "127.0.0.1:" + freeport.Choose(t), log: new(logBuffer),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200}},
	}}
	folder := t.TempDir()
	file := rig.Write(t, folder, "signpost.yaml", p.settings()+rest)
	p.process = rig.Start(t, "", "msg=listening", exec.Command(build(t), "serve", "-config", file))
	if p.process == nil {
		t.Fatal("the program does not start")
	}
	t.Cleanup(func() { p.process.Stop(syscall.SIGTERM) })
	return p
}

// megabytes returns a size from the process's status: VmRSS is its resident memory, VmHWM
// the most that it ever was.
func (p *program) megabytes(t testing.TB, name string) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.process.ID()))
	if err != nil {
		t.Fatal(err)
	}
	var kilobytes float64
	if _, rest, ok := strings.Cut(string(text), name+":"); ok {
		fmt.Sscan(rest, &kilobytes)
	}
	return kilobytes * 1024 / 1e6
}
