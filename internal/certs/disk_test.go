//go:build unix

package certs

import (
	"os"
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
