// Package acceptance proves the service with programs that nobody here wrote:
// mail clients as people use them ask the real service in a closed network, set
// up the account and sign in to real mail servers.
//
// The tests need root, for namespaces, and the programs of Debian's packages
// named in .ci/packages. Where these are missing they are skipped, or fail if
// SIGNPOST_REQUIRE_TOOLS is set.
package acceptance

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A test runs twice: outside, where it finds the programs and starts itself
// again in namespaces of its own, and inside, where it has ports 53, 80, 443,
// 465, 993 and a network that leads nowhere. The process inside is the first of
// its process namespace: with it, every program that it started ends.
const insideVariable = "SIGNPOST_ACCEPTANCE_INSIDE"

// caseTimeout is how long one test may take inside.
const caseTimeout = 150 * time.Second

// work is where everything inside is written. It is in memory and goes with
// the namespace. Its path is short, because those of sockets must be.
const work = "/mnt"

// The machines of the closed network.
const (
	serviceIP = "192.0.2.1"  // our service, or the proxy in front of it
	mailIP    = "192.0.2.2"  // IMAP, POP3, submission
	webIP     = "192.0.2.80" // the web server of everybody's web site
	dnsIP     = "127.0.0.1"
)

func TestMain(m *testing.M) {
	if os.Getenv(insideVariable) != "" {
		if err := enter(); err != nil {
			fmt.Fprintln(os.Stderr, "acceptance:", err)
			os.Exit(2)
		}
	} else {
		// Servers live where an ordinary user's PATH does not lead, and what
		// Debian does not have where .ci/run has npm put it.
		npm, err := filepath.Abs("../.artefacts/npm/node_modules/@deltachat/stdio-rpc-server-linux-x64")
		if err != nil {
			fmt.Fprintln(os.Stderr, "acceptance:", err)
			os.Exit(2)
		}
		os.Setenv("PATH", strings.Join([]string{os.Getenv("PATH"), "/usr/sbin", "/sbin", npm}, ":"))
	}
	status := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(status)
}

// need skips the test, or fails it where programs are required, unless all of
// them are installed. It also lets no second run of these tests begin beside
// this one: two cores are few for what they start.
func need(t *testing.T, programs ...string) {
	t.Helper()
	if os.Getenv(insideVariable) != "" {
		return
	}
	if raceDetector {
		t.Skip("the programs are the same without the race detector")
	}
	var missing []string
	for _, program := range append(programs, "go", "ip") {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, program)
		}
	}
	if len(missing) > 0 {
		refuse(t, "not installed: %s", strings.Join(missing, ", "))
	}
	if os.Geteuid() != 0 {
		refuse(t, "only root can make the closed network")
	}
	if err := alone(); err != nil {
		t.Fatal(err)
	}
}

// refuse skips the test, or fails it where all that it needs is required.
func refuse(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// built is the service, built once.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// signpost builds the service and returns where it is.
func signpost(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "signpost-acceptance-"); built.err != nil {
			return
		}
		if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(built.dir, "signpost"), "signpost/cmd/signpost").CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, out)
			return
		}
		built.err = readSources()
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "signpost")
}

// readSources looks at every source of the module, so that go test does not
// take its result from the cache when one of them changed: it knows of files
// that a test opens, but not of those that go build read.
func readSources() error {
	return filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !d.IsDir() {
			_, err = os.Stat(path)
		}
		return err
	})
}
