package server

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"signpost/internal/freeport"
)

func TestListen(t *testing.T) {
	folder := t.TempDir()
	l, err := Listen(Addresses{HTTP: "127.0.0.1:0", HTTPS: "[::1]:0", Admin: "unix:" + filepath.Join(folder, "admin.sock")})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if len(l.HTTP) != 1 || len(l.HTTPS) != 1 || len(l.Admin) != 1 {
		t.Fatalf("got %+v", l)
	}
	info, err := os.Stat(filepath.Join(folder, "admin.sock"))
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket is %v, %v", info, err)
	}
	taken := l.HTTP[0].Addr().String()
	for _, row := range []struct {
		a    Addresses
		want error
		text string
	}{
		{Addresses{HTTP: taken}, syscall.EADDRINUSE, "cannot listen on " + taken + ": address already in use"},
		{Addresses{HTTP: "unix:" + filepath.Join(folder, "admin.sock")}, syscall.EADDRINUSE, "address already in use"},
		{Addresses{HTTPS: "192.0.2.1:0"}, syscall.EADDRNOTAVAIL, "cannot listen on 192.0.2.1:0: cannot assign requested address"},
		{Addresses{Admin: "unix:" + filepath.Join(folder, "none", "admin.sock")}, syscall.ENOENT, "no such file or directory"},
		{Addresses{HTTP: "no-such-host.invalid:80"}, nil, "cannot listen on no-such-host.invalid:80: "},
	} {
		_, err := Listen(row.a)
		var where *ListenError
		if !errors.As(err, &where) || row.want != nil && !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.text) {
			t.Errorf("%+v: got %v", row.a, err)
			continue
		}
		if strings.Contains(err.Error(), "\n") || where.Hint() == "" {
			t.Errorf("%+v: said as %q, hint %q", row.a, err, where.Hint())
		}
	}
}

// TestListenGivesBack: what was opened before something failed is closed.
func TestListenGivesBack(t *testing.T) {
	address := "127.0.0.1:" + freeport.Choose(t)
	if _, err := Listen(Addresses{HTTP: address, Admin: "192.0.2.1:0"}); err == nil {
		t.Fatal("192.0.2.1 is an address of this machine?")
	}
	l, err := Listen(Addresses{HTTP: address, Admin: "192.0.2.1:0", AdminOptional: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if !errors.Is(l.AdminMissing, syscall.EADDRNOTAVAIL) || len(l.Admin) != 0 {
		t.Errorf("got %+v", l)
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

	// What is no socket is not removed.
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(Addresses{HTTP: "unix:" + path}); err == nil {
		t.Error("a socket in place of a file")
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "precious" {
		t.Errorf("the file holds %q, %v", text, err)
	}
}

// TestActivated sorts sockets as systemd passes them on.
func TestActivated(t *testing.T) {
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
	l, err := activated([]*os.File{passed("admin"), passed("http"), passed("https"), passed("signpost.socket")})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if len(l.HTTP) != 2 || len(l.HTTPS) != 1 || len(l.Admin) != 1 {
		t.Errorf("got %+v", l)
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
	if _, err := activated([]*os.File{passed("http"), null}); err == nil || !strings.Contains(err.Error(), "/dev/null") {
		t.Errorf("got %v for what is no socket", err)
	}
}
