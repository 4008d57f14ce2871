package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// service is a running "signpost serve".
type service struct {
	t       *testing.T
	address string // of plain HTTP
	file    string // its configuration
	log     *lines
	process *os.Process
	ended   <-chan struct{}
}

// startService runs the program until the test ends.
func startService(t *testing.T, configuration string) *service {
	t.Helper()
	s := &service{t: t, file: writeFile(t, "signpost.yaml", configuration), log: &lines{}}
	cmd := exec.Command(os.Getenv(insideVariable), "serve", "-config", s.file)
	cmd.Stderr = s.log
	s.ended = run(t, cmd)
	s.process = cmd.Process
	wait := `msg=listening address=(\S+)`
	if strings.Contains(configuration, "\ntls:") {
		wait += `(?s:.*)msg="listening for TLS"`
	}
	s.address = s.await(wait)[1]
	return s
}

// reload replaces the configuration and waits until it is in use.
func (s *service) reload(configuration string) {
	s.t.Helper()
	reloaded := strings.Count(s.log.String(), "msg=reloaded")
	writeFile(s.t, filepath.Base(s.file), configuration)
	if err := s.process.Signal(syscall.SIGHUP); err != nil {
		s.t.Fatal(err)
	}
	s.await(fmt.Sprintf(`(?s:(msg=reloaded.*){%d})`, reloaded+1))
}

func (s *service) await(pattern string) []string {
	s.t.Helper()
	match := s.log.await(regexp.MustCompile(pattern), 10*time.Second, s.ended)
	if match == nil {
		s.t.Fatalf("the log of signpost does not match %s:\n%s", pattern, s.log)
	}
	return match
}

// requestLine matches the log line of a request.
var requestLine = regexp.MustCompile(`msg=request dialect=(\S+) outcome=(\S+) .*method=(\S+) status=(\S+) .*domain=(\S+)`)

// requests lists the requests in the log, without what differs each time.
func (s *service) requests() []string {
	var all []string
	for _, match := range requestLine.FindAllStringSubmatch(s.log.String(), -1) {
		all = append(all, fmt.Sprintf("%s %s of %s → %s %s", match[3], match[1], match[5], match[4], match[2]))
	}
	return all
}

// published returns the zone text that the program prints for a domain.
func published(t *testing.T, configuration, domain string) string {
	t.Helper()
	file := writeFile(t, "records.yaml", configuration)
	cmd := exec.Command(os.Getenv(insideVariable), "records", "-config", file, domain)
	var stderr lines
	cmd.Stderr = &stderr
	zone, err := cmd.Output()
	if err != nil {
		t.Fatalf("signpost records: %v\n%s", err, &stderr)
	}
	return string(zone)
}
