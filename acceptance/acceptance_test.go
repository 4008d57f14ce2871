// Package acceptance tests the service with mail clients as people use them. In a
// closed network they ask the real service, set up an account and sign in to real
// mail servers.
//
// The tests need root, for namespaces, and the programs of the Debian packages in
// .ci/packages. If something is missing they are skipped, or fail if
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

	"signpost/internal/sources/rig"
)

// insideVariable is set in the process inside the namespaces, to the path of the
// service. A test runs twice: outside, where it finds the programs and starts itself
// again in new namespaces, and inside, where it has ports 53, 80, 443, 465 and 993
// and a network that leads nowhere. The process inside is the first one of its process
// namespace, so every program that it started ends with it.
const insideVariable = "SIGNPOST_ACCEPTANCE_INSIDE"

// caseTimeout is how long one test may take inside.
const caseTimeout = 150 * time.Second

// work is the directory for all files inside. It is in memory and disappears with the
// namespace. Its path is short, because paths of sockets must be.
const work = "/mnt"

// The machines of the closed network.
const (
	serviceIP = "192.0.2.1"  // the service, or the proxy in front of it
	mailIP    = "192.0.2.2"  // IMAP, POP3, submission
	ewsIP     = "192.0.2.3"  // Exchange Web Services
	webIP     = "192.0.2.80" // the web server of all other web sites
	dnsIP     = "127.0.0.1"
)

func TestMain(m *testing.M) {
	if os.Getenv(insideVariable) != "" {
		if err := enter(); err != nil {
			fmt.Fprintln(os.Stderr, "acceptance:", err)
			os.Exit(2)
		}
		rig.Main(m)
	} else {
		// Servers are installed in directories that an ordinary user's PATH lacks.
		// Delta Chat is not in Debian; .ci/run installs it with npm.
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

// need skips the test, or fails it if programs are required, unless all of them are
// installed. It also waits for another run of these tests to end, because two runs at
// a time are too much for two cores.
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
		skipOrFail(t, "not installed: %s", strings.Join(missing, ", "))
	}
	if os.Geteuid() != 0 {
		skipOrFail(t, "only root can create the closed network")
	}
	if err := alone(); err != nil {
		t.Fatal(err)
	}
}

// skipOrFail skips the test, or fails it if everything that it needs is required.
func skipOrFail(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// built holds the service, which is built once.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// signpost builds the service and returns its path.
func signpost(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "signpost-acceptance-"); built.err != nil {
			return
		}
		file := filepath.Join(built.dir, "signpost")
		build := exec.Command("go", "build", "-buildvcs=false", "-o", file, "signpost/cmd/signpost")
		if out, err := build.CombinedOutput(); err != nil {
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

// readSources stats every source file of the module, so that go test does not use a
// cached result after one of them changed. It knows the files that a test opens, but
// not those that go build reads.
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
