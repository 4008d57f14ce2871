//go:build unix

package filewatch

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestPipe watches a named pipe, to which nobody writes, and a directory with one.
// Neither makes the watcher wait, and the file that takes its place is noticed.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	pipe, inside := filepath.Join(dir, "pipe"), filepath.Join(dir, "texts")
	must(t, os.Mkdir(inside, 0o700))
	must(t, syscall.Mkfifo(pipe, 0o600))
	must(t, syscall.Mkfifo(filepath.Join(inside, "en.json"), 0o600))
	w := watchEvents(t, testRest, never)
	must(t, w.Watch([]string{pipe, inside}))
	mustRefresh(t, w, "no change")
	writeFile(t, pipe+".new", "1")
	must(t, os.Rename(pipe+".new", pipe))
	mustReport(t, w, "a file in place of the pipe")
	mustRefresh(t, w, "a file in place of the pipe", pipe)
}
