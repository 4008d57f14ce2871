package rig

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a running program.
type Process struct {
	command *exec.Cmd
	ended   chan struct{} // closed when it has ended

	mu    sync.Mutex
	lines []string // what it logged
}

// Start starts a program as a user, "" for the present one, and waits until it logs a line
// that contains ready. It returns nil if the program ends before, for instance because
// somebody took its port. The kernel kills the program when the test binary dies.
func Start(t testing.TB, owner, ready string, command *exec.Cmd) *Process {
	t.Helper()
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: as(t, owner)}
	command.Dir = "/" // the present one may be closed to the user
	pipe, writer := io.Pipe()
	command.Stdout, command.Stderr = writer, writer
	command.WaitDelay = time.Second // a stopped child would hold the pipe open
	p := &Process{command: command, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel kills the program when the thread that started it ends.
		runtime.LockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			command.Wait()
			writer.Close()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	isReady := make(chan struct{})
	go p.read(pipe, ready, isReady)
	select {
	case <-isReady:
		return p
	case <-p.ended:
	case <-time.After(time.Minute):
		p.Signal(syscall.SIGKILL)
	}
	t.Logf("%s did not start:\n%s", filepath.Base(command.Path), p.Log())
	return nil
}

// read collects what the program logs.
func (p *Process) read(from io.Reader, ready string, isReady chan struct{}) {
	seen := false
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		p.mu.Lock()
		p.lines = append(p.lines, lines.Text())
		p.mu.Unlock()
		if !seen && strings.Contains(lines.Text(), ready) {
			seen = true
			close(isReady)
		}
	}
	io.Copy(io.Discard, from) // after a line that is too long
}

// Log returns what the program logged.
func (p *Process) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

// ID returns the number of the process.
func (p *Process) ID() int { return p.command.Process.Pid }

// Signal sends a signal to the program, not to its children.
func (p *Process) Signal(signal syscall.Signal) { p.command.Process.Signal(signal) }

// Stop ends the program with a signal and waits for its end, or kills it after ten seconds.
func (p *Process) Stop(signal syscall.Signal) {
	p.Signal(signal)
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		p.Signal(syscall.SIGKILL)
		<-p.ended
	}
}

// Pause stops the program and its children with SIGSTOP: connections stay open, and new
// ones are taken by the kernel, but nobody answers. The function that it returns lets them
// go on. Should the test binary die before, a shell does that.
func (p *Process) Pause(t testing.TB) (resume func()) {
	t.Helper()
	processes := tree(p.command.Process.Pid)
	var ids []string
	for _, id := range processes {
		ids = append(ids, fmt.Sprint(id))
	}
	guard := exec.Command("/bin/sh", "-c", "read word; kill -CONT "+strings.Join(ids, " "))
	input, err := guard.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := guard.Start(); err != nil {
		t.Fatal(err)
	}
	for _, id := range processes {
		syscall.Kill(id, syscall.SIGSTOP)
	}
	return sync.OnceFunc(func() {
		input.Close()
		guard.Wait()
	})
}

// tree returns a process and all that it started, parents first.
func tree(root int) []int {
	parents := map[int]int{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// The name in brackets may hold anything: proc(5).
		var id, parent int
		var state string
		_, rest, _ := strings.Cut(string(text[slices.Index(text, '('):]), ") ")
		fmt.Sscan(string(text), &id)
		fmt.Sscan(rest, &state, &parent)
		parents[id] = parent
	}
	found := []int{root}
	for i := 0; i < len(found); i++ {
		for id, parent := range parents {
			if parent == found[i] {
				found = append(found, id)
			}
		}
	}
	return found
}

// Run runs a program as a user, "" for the present one, with a text as its input, and
// returns its output. The test fails if the program does.
func Run(t testing.TB, owner, input, program string, arguments ...string) string {
	t.Helper()
	command := exec.Command(program, arguments...)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: as(t, owner)}
	command.Dir = "/"
	command.Stdin = strings.NewReader(input)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", filepath.Base(program), arguments, err, out)
	}
	return string(out)
}
