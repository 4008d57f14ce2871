package secret

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signpost/internal/fault"
)

func write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	return path
}

func TestRead(t *testing.T) {
	tests := []struct{ name, text, want, problem string }{
		{"a line", "hunter2\n", "hunter2", ""},
		{"without the end of the line", "hunter2", "hunter2", ""},
		{"written on Windows", "hunter2\r\n", "hunter2", ""},
		{"blanks belong to it", "  hunter 2 \n", "  hunter 2 ", ""},
		{"any bytes", "h\xffü'\"\n", "h\xffü'\"", ""},
		{"nothing", "", "", "is empty"},
		{"an empty line", "\n", "", "is empty"},
		{"two lines", "hunter2\nhunter3\n", "", "more than one line"},
		{"an empty line after it", "hunter2\n\n", "", "more than one line"},
		{"a zero byte", "hunter2\x00\n", "", "zero byte"},
		{"16 kB", strings.Repeat("h", maxSize), strings.Repeat("h", maxSize), ""},
		{"more than 16 kB", strings.Repeat("h", maxSize+1), "", "larger than 16 kB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, "password", test.text, 0o600)
			got, err := Read(path)
			if test.problem == "" {
				if got != test.want || err != nil {
					t.Errorf("Read = %q, %v, want %q", got, err, test.want)
				}
				return
			}
			if err == nil || got != "" || !strings.Contains(err.Error(), test.problem) ||
				!strings.Contains(err.Error(), path) {
				t.Fatalf("Read = %q, %v, want an error with the path and %q", got, err, test.problem)
			}
			if strings.Contains(err.Error(), "hunter") {
				t.Errorf("Read: the error quotes the file: %v", err)
			}
		})
	}
}

func TestReadMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	want := "reading the password file " + path + ": no such file or directory"
	if _, err := Read(path); err == nil || err.Error() != want {
		t.Errorf("Read = %v, want %s", err, want)
	}
}

// TestReadAgain changes the password between two reads.
func TestReadAgain(t *testing.T) {
	path := write(t, "password", "old\n", 0o600)
	for _, want := range []string{"old", "new"} {
		if err := os.WriteFile(path, []byte(want+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(path); got != want || err != nil {
			t.Errorf("Read = %q, %v, want %q", got, err, want)
		}
	}
}

func TestReadCredential(t *testing.T) {
	path := write(t, "mail-database", "hunter2\n", 0o400)
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Dir(path))
	if got, err := Read("credential:mail-database"); got != "hunter2" || err != nil {
		t.Errorf("Read = %q, %v, want the credential", got, err)
	}
	if _, err := Read("credential:../mail-database"); err == nil {
		t.Error("Read follows a credential out of its directory")
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	_, err := Read("credential:mail-database")
	if err == nil || !strings.Contains(fault.Hint(err), "LoadCredential=mail-database:") {
		t.Errorf("Read without credentials = %v, hint %q, want the line of the unit", err, fault.Hint(err))
	}
}

func TestCheck(t *testing.T) {
	for _, path := range []string{"/etc/signpost/database.password", "credential:mail-database"} {
		if err := Check(path); err != nil {
			t.Errorf("Check(%q) = %v, want none", path, err)
		}
	}
	for _, path := range []string{"", "database.password", "credential:", "credential:..", "credential:a/b",
		"credential:a:b"} {
		if err := Check(path); err == nil {
			t.Errorf("Check(%q) = nil, want an error", path)
		}
	}
}

func TestExposed(t *testing.T) {
	for mode, want := range map[os.FileMode]string{
		0o600: "", 0o400: "", 0o640: "",
		0o644: "can read", 0o604: "can read", 0o666: "can read", 0o660: "can change", 0o602: "can change",
	} {
		path := write(t, "password", "hunter2\n", mode)
		got := Exposed(path)
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("Exposed(file of mode %o) = %q, want %q", mode, got, want)
		}
	}
	if got := Exposed("/nowhere/password"); got != "" {
		t.Errorf("Exposed(no file) = %q, want nothing", got)
	}
}
