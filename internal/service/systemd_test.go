package service

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// listenAsSystemd makes this process notify the test. The function that it returns
// waits for the next message.
func listenAsSystemd(t *testing.T) (next func() string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify.sock")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return func() string {
		t.Helper()
		b := make([]byte, 4096)
		conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

// TestNothingAfterStopping checks that a reload under way does not report that the
// service is ready when it stops.
func TestNothingAfterStopping(t *testing.T) {
	next := listenAsSystemd(t)
	var n notifier
	n.send("READY=1")
	n.stopping(time.Second)
	n.send("READY=1\nSTATUS=late")
	new(notifier).send("EXTRA=the last")
	for _, want := range []string{"READY=1", "STOPPING=1\nEXTEND_TIMEOUT_USEC=1000000", "EXTRA=the last"} {
		if got := next(); got != want {
			t.Errorf("systemd received %q, want %q", got, want)
		}
	}
}

// TestWatchdogProbes checks that nothing is sent while the probe hangs.
func TestWatchdogProbes(t *testing.T) {
	next := listenAsSystemd(t)
	t.Setenv("WATCHDOG_USEC", "4000")
	t.Setenv("WATCHDOG_PID", fmt.Sprint(os.Getpid()))
	var n notifier
	ctx, cancel := context.WithCancel(t.Context())
	probes, ended := make(chan struct{}), make(chan struct{})
	go func() {
		n.watchdog(ctx, func() { probes <- struct{}{} })
		close(ended)
	}()
	// A watchdog that does not wait for the probe would send many messages meanwhile.
	time.Sleep(50 * time.Millisecond)
	n.send("READY=1")
	<-probes
	for _, want := range []string{"READY=1", "WATCHDOG=1"} {
		if got := next(); got != want {
			t.Errorf("systemd received %q, want %q", got, want)
		}
	}
	cancel()
	for {
		select {
		case <-probes:
		case <-ended:
			return
		}
	}
}

// TestReloading checks that systemd gets one assignment on each line.
func TestReloading(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("systemd runs on Linux alone")
	}
	want := regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=\d+\n$`)
	if got := reloading(); !want.MatchString(got) {
		t.Errorf("reloading() = %q, want it to match %s", got, want)
	}
}

// TestStopIsAnnounced checks that Run does not return, and the program not end, before
// systemd has been told of the stop.
func TestStopIsAnnounced(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere a full queue refuses messages")
	}
	next := listenAsSystemd(t)
	file := filepath.Join(t.TempDir(), "signpost.yaml")
	text := "listen: 127.0.0.1:0\nadmin: {listen: none}\n" + strings.TrimLeft(twoProviders, "\n")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, Options{File: file, Log: io.Discard}) }()
	if got := next(); !strings.HasPrefix(got, "READY=1") {
		t.Fatalf("systemd received %q, want READY=1", got)
	}
	// A full queue delays the next message until the test reads.
	other, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	raw, err := other.(*net.UnixConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	waiting := 0
	for full := error(nil); full == nil; waiting++ {
		if err := raw.Write(func(fd uintptr) bool {
			_, full = syscall.Write(int(fd), []byte("FILL=1"))
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if full != nil && full != syscall.EAGAIN {
			t.Fatal(full)
		}
	}
	stop()
	select {
	case err := <-ended:
		t.Fatalf("Run returned %v before systemd was told", err)
	case <-time.After(200 * time.Millisecond):
	}
	for range waiting - 1 { // the last one was not sent
		next()
	}
	if got := next(); !strings.HasPrefix(got, "STOPPING=1\n") {
		t.Errorf("systemd received %q, want STOPPING=1", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run returned %v, want no error", err)
	}
}
