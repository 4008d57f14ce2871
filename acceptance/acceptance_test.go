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
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getenv(insideVariable) != "" {
		if err := enter(); err != nil {
			fmt.Fprintln(os.Stderr, "acceptance:", err)
			os.Exit(2)
		}
	}
	status := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(status)
}

// need skips the test, or fails it where programs are required, unless all of
// them are installed and namespaces can be made. It also lets no second run of
// these tests begin beside this one: two cores are few for what they start.
func need(t *testing.T, programs ...string) {
	t.Helper()
	if os.Getenv(insideVariable) != "" {
		return
	}
	refuse := t.Skipf
	if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
		refuse = t.Fatalf
	}
	var missing []string
	for _, program := range append([]string{"ip"}, programs...) {
		if !installed(program) {
			missing = append(missing, program)
		}
	}
	if len(missing) > 0 {
		refuse("not installed: %s", strings.Join(missing, ", "))
	}
	if os.Geteuid() != 0 {
		refuse("only root can make the closed network")
	}
	if err := alone(); err != nil {
		t.Fatal(err)
	}
}

func installed(program string) bool {
	for _, name := range []string{program, "/usr/sbin/" + program} {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}

// alone waits until no other run of these tests is left. The lock is held to
// the end of the process.
var alone = sync.OnceValue(func() error {
	name := filepath.Join(os.TempDir(), "signpost-acceptance.lock")
	lock, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(6 * time.Minute); ; time.Sleep(time.Second) {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			heldLock = lock
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: another run of these tests holds it", name)
		}
	}
})

// heldLock keeps the file from being collected and thereby closed.
var heldLock *os.File

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
		if out, err := exec.Command("go", "build", "-o", filepath.Join(built.dir, "signpost"), "signpost/cmd/signpost").CombinedOutput(); err != nil {
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
