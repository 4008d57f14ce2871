package service

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
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
