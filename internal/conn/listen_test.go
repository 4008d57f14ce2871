package conn

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"signpost/internal/fault"
	"signpost/internal/freeport"
)

func TestListen(t *testing.T) {
	dir := t.TempDir()
	l, err := Listen(Addresses{HTTP: "127.0.0.1:0", HTTPS: "[::1]:0",
		Admin: "unix:" + filepath.Join(dir, "admin.sock")})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if len(l.HTTP) != 1 || len(l.HTTPS) != 1 || len(l.Admin) != 1 {
		t.Fatalf("Listen opened %+v, want one listener of each kind", l)
	}
	info, err := os.Stat(filepath.Join(dir, "admin.sock"))
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket has mode %v (%v), want 0660", info, err)
	}
	taken := l.HTTP[0].Addr().String()
	for _, row := range []struct {
		a    Addresses
		want error
		text string
	}{
		{Addresses{HTTP: taken}, syscall.EADDRINUSE, "cannot listen on " + taken + ": address already in use"},
		{Addresses{HTTP: "unix:" + filepath.Join(dir, "admin.sock")}, syscall.EADDRINUSE, "address already in use"},
		{Addresses{HTTPS: "192.0.2.1:0"}, syscall.EADDRNOTAVAIL,
			"cannot listen on 192.0.2.1:0: cannot assign requested address"},
		{Addresses{Admin: "unix:" + filepath.Join(dir, "none", "admin.sock")}, syscall.ENOENT, "no such file or directory"},
		{Addresses{HTTP: "no-such-host.invalid:80"}, nil, "cannot listen on no-such-host.invalid:80: "},
	} {
		_, err := Listen(row.a)
		if err == nil || row.want != nil && !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.text) {
			t.Errorf("Listen(%+v) = %v, want an error with %q", row.a, err, row.text)
			continue
		}
		if hint := fault.Hint(err); strings.Contains(err.Error(), "\n") || hint == "" {
			t.Errorf("Listen(%+v): error %q with hint %q, want one line and a hint", row.a, err, hint)
		}
	}
}

// TestHints checks that each reason has a hint of its own. No test can cause all of them:
// the superuser may listen everywhere.
func TestHints(t *testing.T) {
	for _, row := range []struct {
		address string
		reason  error
		want    string
	}{
		{":8080", syscall.EADDRINUSE, "another program"},
		{"unix:/run/x.sock", syscall.EADDRINUSE, "another program"},
		{"unix:/run/x.sock", syscall.EACCES, "directory of the socket"},
		{":443", syscall.EACCES, "CAP_NET_BIND_SERVICE in the unit, or a socket passed by systemd"},
		{"192.0.2.1:80", syscall.EADDRNOTAVAIL, "the machine does not have this address"},
		{"unix:/run/signpost/x.sock", syscall.ENOENT, "RuntimeDirectory=signpost"},
		{":80", errors.New("something else"), "another address"},
	} {
		err := explain(row.address, os.NewSyscallError("bind", row.reason))
		if hint := fault.Hint(err); !strings.Contains(hint, row.want) || !errors.Is(err, row.reason) {
			t.Errorf("explain(%s, %v) = %v, hint %q, want the reason and a hint with %q",
				row.address, row.reason, err, hint, row.want)
		}
	}
}

// TestListenFails checks that if one address fails, the sockets opened before it
// are closed.
func TestListenFails(t *testing.T) {
	address := "127.0.0.1:" + freeport.Choose(t)
	if _, err := Listen(Addresses{HTTP: address, Admin: "192.0.2.1:0"}); err == nil {
		t.Fatal("Listen succeeded at 192.0.2.1, which is reserved for documentation")
	}
	l, err := Listen(Addresses{HTTP: address, Admin: "192.0.2.1:0", AdminOptional: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if !errors.Is(l.AdminError, syscall.EADDRNOTAVAIL) || len(l.Admin) != 0 {
		t.Errorf("Listen opened %+v, want an AdminError and no admin listener", l)
	}
}

func TestStaleSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "http.sock")
	killed, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	killed.(*net.UnixListener).SetUnlinkOnClose(false)
	killed.Close()
	l, err := Listen(Addresses{HTTP: "unix:" + path})
	if err != nil {
		t.Fatal(err)
	}
	l.Close()

	// A regular file is not removed.
	if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(Addresses{HTTP: "unix:" + path}); err == nil {
		t.Error("Listen replaced a regular file by its socket")
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "content" {
		t.Errorf("the file holds %q (%v), want its content unchanged", text, err)
	}
}

// TestInherit sorts sockets as systemd passes them.
func TestInherit(t *testing.T) {
	passed := func(name string) *os.File {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		file, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		fd, err := syscall.Dup(int(file.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		return os.NewFile(uintptr(fd), name)
	}
	l, err := inherit([]*os.File{passed("admin"), passed("http"), passed("https"), passed("signpost.socket")})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if len(l.HTTP) != 2 || len(l.HTTPS) != 1 || len(l.Admin) != 1 {
		t.Errorf("inherit sorted the sockets into %+v, want 2 http, 1 https, 1 admin", l)
	}
	if conn, err := net.Dial("tcp", l.Admin[0].Addr().String()); err != nil {
		t.Error(err)
	} else {
		conn.Close()
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	first := passed("http")
	before, err := net.FileListener(first)
	if err != nil {
		t.Fatal(err)
	}
	address := before.Addr().String()
	before.Close()
	if _, err := inherit([]*os.File{first, null}); err == nil || !strings.Contains(err.Error(), "/dev/null") {
		t.Errorf("inherit(/dev/null) = %v, want an error that names the file", err)
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Error("the socket before the one that is none is still open")
	}
}
