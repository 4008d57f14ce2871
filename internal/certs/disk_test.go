//go:build unix

package certs

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
)

// TestPipeInStorage puts a named pipe, to which nobody writes, in the place of a stored
// certificate: whoever needs it learns at once that it cannot be read.
func TestPipeInStorage(t *testing.T) {
	dir := t.TempDir()
	stored := disk{&certmagic.FileStorage{Path: dir}}
	if err := syscall.Mkfifo(stored.Filename("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stored.Filename("file"), []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := stored.Load(t.Context(), "file"); err != nil || string(data) != "1" {
		t.Errorf("Load of a file = %q, %v, want its content", data, err)
	}
	failed := make(chan error, 1)
	go func() {
		_, err := stored.Load(t.Context(), "pipe")
		failed <- err
	}()
	select {
	case err := <-failed:
		if err == nil {
			t.Error("Load of a pipe succeeded")
		}
	case <-time.After(10 * time.Second):
		t.Error("Load of a pipe waits for 10 s")
	}
}

// countVariable makes TestLedgerOfProcesses count in the directory that it names, as another
// process.
const countVariable = "SIGNPOST_TEST_COUNT"

// TestLedgerOfProcesses has several processes count orders in one directory. No order is lost,
// also if a process is killed while it has the lock.
func TestLedgerOfProcesses(t *testing.T) {
	const processes, each = 3, 20
	count := func(dir, who string, n int) {
		l := newLimits(1000)
		l.ledger = newLedger[entries](disk{&certmagic.FileStorage{Path: dir}}, ordersKey, slog.New(slog.DiscardHandler))
		for i := range n {
			if err := l.allow(t.Context(), fmt.Sprintf("%s-%d.example", who, i), high); err != nil {
				t.Fatal(err)
			}
		}
	}
	if dir := os.Getenv(countVariable); dir != "" {
		count(dir, fmt.Sprint(os.Getpid()), each)
		// Ends with the lock, and while the others count.
		if _, err := (disk{}).lockFile(t.Context(), filepath.Join(dir, ordersKey+".lock")); err != nil {
			t.Fatal(err)
		}
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	dir := t.TempDir()
	var all []*exec.Cmd
	for range processes {
		cmd := exec.Command(os.Args[0], "-test.run=^TestLedgerOfProcesses$")
		cmd.Env = append(os.Environ(), countVariable+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
	}
	count(dir, "here", each)
	for _, cmd := range all {
		if err := cmd.Wait(); err == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Errorf("a process ended with %v, want to be killed when it has counted", err)
		}
	}
	count(dir, "last", 1)
	l := newLimits(1000)
	l.ledger = newLedger[entries](disk{&certmagic.FileStorage{Path: dir}}, ordersKey, slog.New(slog.DiscardHandler))
	if err := l.update(t.Context(), func(*counts) bool { return false }); err != nil {
		t.Fatal(err)
	}
	if got, want := len(l.orders), (processes+1)*each+1; got != want {
		t.Errorf("%d orders are counted, want %d", got, want)
	}
}

// TestRestartForgetsFailures starts a service with a directory again. It tries names again that
// have failed, and still counts what was ordered.
func TestRestartForgetsFailures(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	dir := t.TempDir()
	first := n.start(dir, nil, nil)
	first.mustDial(customer)
	if _, err := first.dial(missing); err == nil || first.acme.limits.ready(missing) == nil {
		t.Fatalf("a handshake with %s: %v, want an order that fails", missing, err)
	}
	orders, _ := first.acme.limits.state()
	first.stop()
	second := n.start(dir, nil, nil)
	if err := second.acme.limits.ready(missing); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if got, _ := second.acme.limits.state(); got != orders {
		t.Errorf("after a restart %d orders are counted, want %d as before", got, orders)
	}
}
