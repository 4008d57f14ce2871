package town

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"signpost/internal/dns/dnstest"
	"signpost/internal/freeport"
)

// UseBIND has BIND answer for the zones in place of the server in Go: it follows CNAMEs, and knows
// what a name with nothing but names below it is.
func (town *Town) UseBIND(t testing.TB) {
	t.Helper()
	program := dnstest.Tool(t, "named")
	folder, port := t.TempDir(), freeport.Choose(t)
	lines := []string{". 300 IN SOA ns.example. host.example. 1 3600 600 86400 120", ". 300 IN NS ns.example.",
		"ns.example. 300 IN A 127.0.0.1"}
	dnstest.Write(t, filepath.Join(folder, "root"), strings.Join(append(lines, town.zone...), "\n")+"\n")
	conf := dnstest.Write(t, filepath.Join(folder, "named.conf"), fmt.Sprintf(`options { directory %q;
  listen-on port %s { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none; recursion yes; dnssec-validation no; };
controls { };
zone "." { type primary; file "root"; };
`, folder, port))
	log := &printed{}
	command := exec.Command(program, "-g", "-c", conf, "-n", "1")
	command.Stderr = log
	if err := dnstest.StartChild(command); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	deadline := time.Now().Add(20 * time.Second)
	for ; !strings.Contains(log.String(), " running\n"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("named does not start:\n%s", log.String())
		}
	}
	town.Resolver = "127.0.0.1:" + port
}

// printed collects what a program writes.
type printed struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *printed) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *printed) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
