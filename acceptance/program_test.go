package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// run starts a program and kills it at the end of the test. The channel is closed when
// the program has ended.
func run(t *testing.T, cmd *exec.Cmd) <-chan struct{} {
	t.Helper()
	// Its children may keep its output open after its end.
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	return ended
}

// writeFile writes a file below work and returns its path.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(work, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// lines collects what a program writes while it runs.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await waits until the output matches and returns the match. It returns nil if the
// program has ended or the time is up.
func (l *lines) await(want *regexp.Regexp, timeout time.Duration, ended <-chan struct{}) []string {
	for deadline := time.Now().Add(timeout); ; {
		if match := want.FindStringSubmatch(l.String()); match != nil {
			return match
		}
		if time.Now().After(deadline) {
			return nil
		}
		select {
		case <-ended:
			return nil
		case <-time.After(5 * time.Millisecond):
		}
	}
}
