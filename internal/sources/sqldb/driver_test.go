package sqldb

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOneFileAway builds the package without the file of each driver, as somebody does who
// does not want it: nothing else needs the file, and the driver's modules are gone.
func TestOneFileAway(t *testing.T) {
	for file, module := range map[string]string{
		"postgres.go": "github.com/jackc/",
		"mysql.go":    "github.com/go-sql-driver/",
		"sqlite.go":   "modernc.org/",
	} {
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(map[string]map[string]string{"Replace": {path: ""}})
		if err != nil {
			t.Fatal(err)
		}
		overlay := filepath.Join(t.TempDir(), "overlay.json")
		if err := os.WriteFile(overlay, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("go", "build", "-overlay", overlay, ".").CombinedOutput(); err != nil {
			t.Errorf("without %s: %v\n%s", file, err, out)
		}
		for _, with := range []bool{true, false} {
			arguments := []string{"list", "-deps", "."}
			if !with {
				arguments = []string{"list", "-deps", "-overlay", overlay, "."}
			}
			out, err := exec.Command("go", arguments...).Output()
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(string(out), module); got != with {
				t.Errorf("with %s: %t; the package depends on %s: %t", file, with, module, got)
			}
		}
	}
}
