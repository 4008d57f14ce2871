//go:build unix

package regular

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRead reads what an operator may put in the place of a file. None of it may make
// the reader wait, which the time limit of the test shows.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(in("file"), []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(in("directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(in("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"link": "file", "linked pipe": "pipe", "zero": "/dev/zero",
		"tty": "/dev/tty"} {
		if err := os.Symlink(target, in(name)); err != nil {
			t.Fatal(err)
		}
	}
	socket, err := net.Listen("unix", in("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	sparse, err := os.Create(in("sparse"))
	if err != nil {
		t.Fatal(err)
	}
	sparse.Truncate(1 << 40)
	sparse.Close()
	for name, want := range map[string]string{
		"file": "", "link": "", "missing": "no such file or directory",
		"directory": "it is a directory", "pipe": "it is not a regular file", "linked pipe": "it is not a regular file",
		"zero": "it is not a regular file", "tty": "it is not a regular file", "socket": "it is not a regular file",
		"sparse": "it is larger than 4 KiB",
	} {
		start := time.Now()
		data, err := Read(in(name), 4<<10)
		got := ""
		if failed, ok := errors.AsType[*fs.PathError](err); ok {
			got = failed.Err.Error()
		}
		if got != want || (err == nil) != (string(data) == "12345") {
			t.Errorf("Read(%s) = %q, %v, want the error %q", name, data, err, want)
		}
		if took := time.Since(start); took > patience {
			t.Errorf("Read(%s) took %v", name, took)
		}

		f, err := DirFS(dir).Open(name)
		switch failed, _ := errors.AsType[*fs.PathError](err); {
		case err == nil:
			f.Close()
			if want != "" && name != "directory" && name != "sparse" {
				t.Errorf("Open(%s) in the file system succeeded, want the error %q", name, want)
			}
		case failed.Err.Error() != want:
			t.Errorf("Open(%s) in the file system = %v, want the error %q", name, err, want)
		}
	}
	if _, err := Read(in("file"), 5); err != nil {
		t.Errorf("Read of a file that is as large as allowed: %v", err)
	}
	if _, err := Read(in("file"), 4); err == nil || !strings.Contains(err.Error(), "it is larger than") {
		t.Errorf("Read of a file that is larger than allowed: %v", err)
	}
}

// TestSlow reads a file that has no content when its time is over, in both ways in which
// callers read one.
func TestSlow(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	r.SetReadDeadline(time.Now().Add(-time.Second))
	f := &File{r}
	_, readErr := io.ReadAll(f)
	_, copyErr := io.Copy(io.Discard, f)
	for name, err := range map[string]error{"ReadAll": readErr, "Copy": copyErr} {
		if failed, ok := errors.AsType[*fs.PathError](err); !ok || failed.Err.Error() != "it gives nothing to read" {
			t.Errorf("%s of a file without content: %v, want that it gives nothing to read", name, err)
		}
	}
}

// TestReadProc reads files that say nothing of their size, one of which never ends.
func TestReadProc(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip(err)
	}
	if data, err := Read("/proc/self/status", 64<<10); err != nil || len(data) == 0 {
		t.Errorf("Read(/proc/self/status) = %d bytes, %v, want its content", len(data), err)
	}
	if _, err := Read("/proc/self/status", 10); err == nil {
		t.Error("Read(/proc/self/status) of at most 10 bytes succeeded")
	}
}
