package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signpost/internal/golden"

	"signpost/internal/fault"
)

// TestBroken loads each broken configuration of testdata/broken and compares
// all that is said of it with the .want file beside it. An operator reads these
// messages: read a change of them in git as one.
func TestBroken(t *testing.T) {
	folder, err := filepath.Abs("../../testdata/broken")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d broken files, want 40 or more (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			c, err := Load(file)
			var faults fault.List
			if !errors.As(err, &faults) || c != nil {
				t.Fatalf("got %v, %v, want faults", c, err)
			}
			said := faults.Error() + "\n"
			for _, leak := range []string{"config.", "yaml.", "account.", "%!", "<nil>", "unmarshal"} {
				if strings.Contains(strings.ReplaceAll(said, ".yaml", ""), leak) {
					t.Errorf("the message holds %q:\n%s", leak, said)
				}
			}
			golden.Check(t, filepath.Join(folder, strings.TrimSuffix(file, ".yaml")+".want"), []byte(said))
		})
	}
	wants, err := filepath.Glob("*.want")
	if err != nil || len(wants) != len(files) {
		t.Errorf("%d .want files for %d configurations (%v)", len(wants), len(files), err)
	}
}

// TestNotThere keeps apart a file that cannot be read from one with faults,
// because the command looks in a second place then.
func TestNotThere(t *testing.T) {
	_, err := Load("not-there.yaml")
	if !errors.Is(err, os.ErrNotExist) || err.Error() != "not-there.yaml: no such file or directory" {
		t.Errorf("got %v", err)
	}
}
