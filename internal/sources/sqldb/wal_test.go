package sqldb

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"signpost/internal/sources/rig"
)

const walQuery = "SELECT email AS address FROM users WHERE email = '%s'"

// walDatabase returns a SQLite database in WAL mode that no program has open.
func walDatabase(t *testing.T) string {
	file := filepath.Join(rig.Folder(t, "wal", ""), "users.db")
	rig.Run(t, "",
		"PRAGMA journal_mode = WAL; CREATE TABLE users (email TEXT); INSERT INTO users VALUES ('anna@example.com');",
		rig.Tool(t, "sqlite3"), file)
	return file
}

// mailSystem opens the database in another program, which has run the statements when
// mailSystem returns, and goes on until stop is called.
func mailSystem(t *testing.T, file, statements string) (stop func()) {
	t.Helper()
	sqlite := exec.Command(rig.Tool(t, "sqlite3"), file)
	in, err := sqlite.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := sqlite.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, statements+" SELECT count(*) FROM users;\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("sqlite3 does not answer: %v", err)
	}
	return func() {
		in.Close()
		if err := sqlite.Wait(); err != nil {
			t.Errorf("sqlite3: %v", err)
		}
	}
}

// beside returns the names of the files in the folder of the database.
func beside(t *testing.T, file string) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// TestWALCreatesNothing asks a database in WAL mode, in a folder that may be written, while
// the mail system has it open and while nobody has. A -wal or -shm of ours would keep the
// mail system from writing.
func TestWALCreatesNothing(t *testing.T) {
	file := walDatabase(t)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, link} {
		s := openStore(t, Options{Database: "sqlite:" + path, Account: walQuery})
		if got := rowsOf(t, s, "anna@example.com"); !strings.Contains(got, "the database is in WAL mode") {
			t.Errorf("Account with nobody having %s open = %q, want a failure for its WAL mode", path, got)
		}
		if got := lines(s.Check(t.Context(), "example.com")); !strings.Contains(got, "VACUUM INTO") {
			t.Errorf("Check =\n%swant the copy as its cure", got)
		}
		if got := beside(t, file); got != "users.db" {
			t.Errorf("after a question the folder has %s, want users.db alone", got)
		}
	}

	stop := mailSystem(t, file, "INSERT INTO users VALUES ('bo@example.com');")
	s := openStore(t, Options{Database: "sqlite:" + file, Account: walQuery})
	if got := rowsOf(t, s, "bo@example.com"); got != "bo@example.com" {
		t.Errorf("Account(bo@example.com) from the log of the mail system = %q, want the mailbox", got)
	}
	stop()
	// The connection still reads, and no longer once it is closed.
	stop = mailSystem(t, file, "INSERT INTO users VALUES ('cy@example.com');")
	if got := rowsOf(t, s, "cy@example.com"); got != "cy@example.com" {
		t.Errorf("Account(cy@example.com), written since = %q, want the mailbox", got)
	}
	s.Close()
	stop()
	if got := beside(t, file); got != "users.db" {
		t.Errorf("after the mail system's end the folder has %s, want users.db alone", got)
	}

	// A copy as docs/accounts.md makes it.
	copied := filepath.Join(filepath.Dir(file), "copy.db")
	rig.Run(t, "", "VACUUM INTO '"+copied+"';", rig.Tool(t, "sqlite3"), file)
	s = openStore(t, Options{Database: "sqlite:" + copied, Account: walQuery})
	if got := rowsOf(t, s, "cy@example.com"); got != "cy@example.com" {
		t.Errorf("Account(cy@example.com) in the copy = %q, want the mailbox", got)
	}
}

// TestWALBegins has the mail system change to WAL mode while Signpost has the file open.
func TestWALBegins(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.db")
	sqlite := rig.Tool(t, "sqlite3")
	rig.Run(t, "", "CREATE TABLE users (email TEXT); INSERT INTO users VALUES ('anna@example.com');", sqlite, file)
	s := openStore(t, Options{Database: "sqlite:" + file, Account: walQuery})
	if got := rowsOf(t, s, "anna@example.com"); got != "anna@example.com" {
		t.Fatalf("Account(anna@example.com) = %q, want the mailbox", got)
	}
	rig.Run(t, "", "PRAGMA journal_mode = WAL;", sqlite, file)
	if got := rowsOf(t, s, "anna@example.com"); !strings.Contains(got, "the database is in WAL mode") {
		t.Errorf("Account(anna@example.com) in WAL mode = %q, want a failure", got)
	}
	if got := beside(t, file); got != "users.db" {
		t.Errorf("the folder has %s, want users.db alone", got)
	}
}

// TestWALReadOnly has nobody read the database, who may not write it, its log or its folder,
// while the mail system has it open. It needs root, to become nobody.
func TestWALReadOnly(t *testing.T) {
	const variable = "SIGNPOST_TEST_WAL"
	file := os.Getenv(variable)
	if os.Geteuid() != 0 {
		if file == "" {
			t.Skip("only root can run a program as somebody else")
		}
		s := openStore(t, Options{Database: "sqlite:" + file, Account: walQuery})
		if got := rowsOf(t, s, "bo@example.com"); got != "bo@example.com" {
			t.Errorf("Account(bo@example.com) = %q, want the mailbox", got)
		}
		return
	}
	file = walDatabase(t)
	folder := filepath.Dir(file)
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	test := filepath.Join(folder, "test")
	if err := os.WriteFile(test, program, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{folder: 0o755, file: 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	defer mailSystem(t, file, "INSERT INTO users VALUES ('bo@example.com');")()
	t.Setenv(variable, file)
	out := rig.Run(t, "nobody", "", test, "-test.run=^TestWALReadOnly$", "-test.v")
	if !strings.Contains(out, "--- PASS: TestWALReadOnly") {
		t.Error(out)
	}
}
