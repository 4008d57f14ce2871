//go:build unix

package sqldb

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"signpost/internal/sources/rig"
)

// TestSQLiteBecomesPipe puts a named pipe, to which nobody writes, in the place of an open
// database. To open it must not wait: nothing could end that.
func TestSQLiteBecomesPipe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.db")
	rig.Run(t, "", "CREATE TABLE users (email TEXT); INSERT INTO users VALUES ('anna@example.com');",
		rig.Tool(t, "sqlite3"), file)
	s := openStore(t, Options{Database: "sqlite:" + file,
		Account: "SELECT email AS address FROM users WHERE email = '%s'"})
	anna := address(t, "anna@example.com")
	if rows, err := s.Account(t.Context(), anna); err != nil || len(rows) != 1 {
		t.Fatalf("Account = %d rows, %v, want one", len(rows), err)
	}
	os.Remove(file)
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if rows, err := s.Account(t.Context(), anna); err == nil {
		t.Errorf("Account of a named pipe = %d rows, want an error", len(rows))
	}
}
