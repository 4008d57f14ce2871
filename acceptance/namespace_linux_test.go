package acceptance

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// closed runs the body of a test in a new closed network.
func closed(t *testing.T, body func(t *testing.T)) {
	t.Helper()
	closedFor(t, caseTimeout, body)
}

// closedFor is closed with another limit on the time.
func closedFor(t *testing.T, limit time.Duration, body func(t *testing.T)) {
	t.Helper()
	if os.Getenv(insideVariable) != "" {
		body(t)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The process inside reads the other end of the pipe, and so notices the end of
	// this one, whatever the cause.
	alive, ours, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	var out bytes.Buffer
	cmd := exec.Command(self, "-test.run="+pattern(t.Name()), "-test.v", "-test.timeout="+limit.String())
	cmd.Env = append(os.Environ(), insideVariable+"="+signpost(t))
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.ExtraFiles = []*os.File{alive}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID |
			syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
	}
	// The programs inside keep the output open until the kernel has ended them.
	cmd.WaitDelay = 10 * time.Second
	watchdog := time.AfterFunc(limit+10*time.Second, func() { cmd.Process.Kill() })
	defer watchdog.Stop()
	err = cmd.Start()
	alive.Close()
	if errors.Is(err, syscall.EPERM) {
		skipOrFail(t, "cannot create the closed network: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	text := withoutTestLines(out.String())
	switch {
	case err != nil:
		t.Errorf("the test inside ended with %v:\n%s", err, text)
	case !strings.Contains(out.String(), "--- PASS: "+t.Name()):
		t.Errorf("the test did not run inside:\n%s", text)
	default:
		t.Log(text)
	}
}

// pattern returns the argument of -test.run that selects one test by its full name.
func pattern(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

// withoutTestLines returns the output of the test inside without the lines of go test.
func withoutTestLines(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "===" || word == "---" || word == "PASS" || word == "FAIL" {
			continue
		}
		b.WriteString(line)
	}
	return strings.TrimRight(b.String(), "\n")
}

// enter prepares mounts, files and network inside the namespaces.
func enter() error {
	alive := os.NewFile(3, "alive")
	go func() {
		alive.Read(make([]byte, 1))
		os.Exit(3) // the process outside has ended
	}()
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("/proc: %w", err)
	}
	if err := syscall.Mount("tmpfs", work, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("%s: %w", work, err)
	}
	for name, text := range map[string]string{
		"hosts":       "127.0.0.1 localhost\n",
		"resolv.conf": "nameserver " + dnsIP + "\n",
		"nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\n" +
			"hosts: files dns\nservices: files\nprotocols: files\n",
	} {
		file := filepath.Join(work, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
		if err := syscall.Mount(file, "/etc/"+name, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("/etc/%s: %w", name, err)
		}
	}
	if err := syscall.Sethostname([]byte("client")); err != nil {
		return err
	}
	os.Setenv("TMPDIR", work)
	os.Setenv("HOME", work)
	os.Setenv("LANG", "C.UTF-8")
	os.Unsetenv("DISPLAY")
	os.Unsetenv("WAYLAND_DISPLAY")
	// GLib resolves no names if loopback is the only interface, hence veth.
	ip := exec.Command("ip", "-batch", "-")
	ip.Stdin = strings.NewReader(strings.Join([]string{
		"link set lo up",
		"link add net0 type veth peer name net1",
		"address add " + serviceIP + "/32 dev net0",
		"address add " + mailIP + "/32 dev net0",
		"address add " + ewsIP + "/32 dev net0",
		"address add " + webIP + "/32 dev net0",
		"link set net0 up",
		"link set net1 up",
		"route add prohibit default metric 1",
	}, "\n"))
	if out, err := ip.CombinedOutput(); err != nil {
		return fmt.Errorf("ip: %w: %s", err, out)
	}
	return nil
}

// alone waits until no other run of these tests holds the lock, and holds it until the
// end of the process.
var alone = sync.OnceValue(func() error {
	name := filepath.Join(os.TempDir(), "signpost-acceptance.lock")
	lock, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(6 * time.Minute); ; time.Sleep(time.Second) {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			heldLock = lock
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("another run of these tests holds the lock %s", name)
		}
	}
})

// heldLock keeps the file from being collected, which would close it.
var heldLock *os.File
