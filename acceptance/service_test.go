package acceptance

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/config"
	"signpost/directory"
	"signpost/records"
)

// service is the real program, `signpost serve`.
type service struct {
	address string
	log     *lines
	cmd     *exec.Cmd
}

// startService runs the program with the configuration until the test ends.
func startService(t *testing.T, name, configuration string) *service {
	t.Helper()
	file := writeFile(t, name+".yaml", configuration)
	s := &service{log: &lines{}}
	s.cmd = exec.Command(os.Getenv(insideVariable), "serve", "-config", file, "-listen", "127.0.0.1:0")
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		s.cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		<-ended
	})
	match := s.log.await(regexp.MustCompile(`msg=listening address=(\S+)`), 10*time.Second, ended)
	if match == nil {
		t.Fatalf("signpost serve does not listen:\n%s", s.log)
	}
	s.address = match[1]
	return s
}

// published is the zone text that the command prints for a domain of the
// configuration.
func published(t *testing.T, configuration, domain string) string {
	t.Helper()
	c, err := config.Load(writeFile(t, "records.yaml", configuration))
	if err != nil {
		t.Fatal(err)
	}
	guide := records.New(records.Options{Name: c.Name, Digest: func(s account.Settings) (string, error) {
		document, err := autoconfig.PACC(s)
		if err != nil {
			return "", err
		}
		return autoconfig.Digest(document), nil
	}})
	settings, err := directory.New(c.Providers, c.Accounts, nil).Resolve(context.Background(), account.Query{Address: account.AnyAt(domain)})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	writer, err := records.NewWriter(&text, "zone")
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Write(guide.For(settings)); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

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

// lines is what a program writes while it runs.
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

// await waits until the program has written something, or has ended.
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
