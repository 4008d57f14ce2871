// Package rig starts other people's servers for tests: PostgreSQL, MariaDB, PgBouncer, slapd,
// a Samba domain controller, and fills them with the example data of the mail systems that
// have a preset. The servers are those of Debian's packages. A test skips if a program is
// missing, or fails if SIGNPOST_REQUIRE_TOOLS is set.
//
// A server is started once for a test binary, on a free port of 127.0.0.1, with its
// files in a temporary folder. Main stops the servers and removes the folder:
//
//	func TestMain(m *testing.M) { rig.Main(m) }
//
// Should the test binary be killed, the kernel kills the servers.
package rig

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// rig has what the servers of this test binary share.
var rig struct {
	sync.Mutex
	running bool
	folder  string // of all servers' files
	stops   []func()
}

// Main runs the tests, stops the servers that they started, and exits.
func Main(m *testing.M) { os.Exit(Tests{m}.Run()) }

// Tests are tests that start servers.
type Tests struct{ *testing.M }

// Run runs the tests, stops the servers that they started, and returns the exit status.
func (t Tests) Run() int {
	rig.running = true
	status := t.M.Run()
	// The last one first: PgBouncer before PostgreSQL.
	for i := len(rig.stops) - 1; i >= 0; i-- {
		rig.stops[i]()
	}
	if rig.folder != "" {
		os.RemoveAll(rig.folder)
	}
	return status
}

// atEnd has Main call f after the tests.
func atEnd(f func()) {
	rig.Lock()
	defer rig.Unlock()
	rig.stops = append(rig.stops, f)
}

// Folder creates a folder that Main removes. It belongs to the user as whom a server
// runs, "" for the present one. Its path is short, because that of a socket must be.
func Folder(t testing.TB, name, owner string) string {
	t.Helper()
	rig.Lock()
	defer rig.Unlock()
	if !rig.running {
		t.Fatal("package rig needs: func TestMain(m *testing.M) { rig.Main(m) }")
	}
	if rig.folder == "" {
		folder, err := os.MkdirTemp("", "rig")
		if err != nil {
			t.Fatal(err)
		}
		rig.folder = folder
		if err := os.Chmod(folder, 0o755); err != nil { // servers run as other users
			t.Fatal(err)
		}
	}
	folder, err := os.MkdirTemp(rig.folder, name)
	if err != nil {
		t.Fatal(err)
	}
	give(t, folder, owner)
	return folder
}

// give makes a file or folder belong to the user of a server.
func give(t testing.TB, path, owner string) {
	t.Helper()
	if credential := as(t, owner); credential != nil {
		if err := os.Chown(path, int(credential.Uid), int(credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

// as returns the user as whom root starts a server: PostgreSQL and PgBouncer refuse to run
// as root. Anybody else starts it as themselves, and as returns nil.
func as(t testing.TB, name string) *syscall.Credential {
	t.Helper()
	if name == "" || os.Geteuid() != 0 {
		return nil
	}
	account, err := user.Lookup(name)
	if err != nil {
		t.Fatalf("the package that creates the user is not installed: %v", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// Tool returns the path of a program, which may lie outside an ordinary user's PATH. If it
// is not installed, the test is skipped, or fails if SIGNPOST_REQUIRE_TOOLS is set.
func Tool(t testing.TB, name string) string {
	t.Helper()
	for _, folder := range []string{"", "/usr/sbin", "/usr/lib/postgresql/15/bin"} {
		if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			return path
		}
	}
	if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// Write writes a file that only the present user can read, and returns its path.
func Write(t testing.TB, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
