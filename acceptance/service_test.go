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

// service is the real program, `signpost serve`.
type service struct {
	t       *testing.T
	address string // where it serves plain HTTP
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

// reload gives the program another configuration.
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
		s.t.Fatalf("signpost does not say %s, but\n%s", pattern, s.log)
	}
	return match
}

// answered is how the program logs a request, without what differs each time.
var answered = regexp.MustCompile(`msg=request dialect=(\S+) outcome=(\S+) .*method=(\S+) status=(\S+) .*domain=(\S+)`)

// requests lists what the program says of the requests that reached it.
func (s *service) requests() []string {
	var all []string
	for _, match := range answered.FindAllStringSubmatch(s.log.String(), -1) {
		all = append(all, fmt.Sprintf("%s %s of %s → %s %s", match[3], match[1], match[5], match[4], match[2]))
	}
	return all
}

// published is the zone text that the program prints for a domain.
func published(t *testing.T, configuration, domain string) string {
	t.Helper()
	cmd := exec.Command(os.Getenv(insideVariable), "records", "-config", writeFile(t, "records.yaml", configuration), domain)
	var problem lines
	cmd.Stderr = &problem
	zone, err := cmd.Output()
	if err != nil {
		t.Fatalf("signpost records: %v\n%s", err, &problem)
	}
	return string(zone)
}
