package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signpost/internal/fault"
	"signpost/internal/golden"
)

// TestBroken loads each configuration of testdata/broken and compares all its faults
// with the .want file. When messages change, read them in git as an operator would.
func TestBroken(t *testing.T) {
	dir, err := filepath.Abs("../../testdata/broken")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("testdata/broken has %d configurations, want at least 40 (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			c, err := Load(file)
			faults, ok := errors.AsType[fault.List](err)
			if !ok || c != nil {
				t.Fatalf("Load() = %v, %v, want a list of faults", c, err)
			}
			text := faults.Error() + "\n"
			for _, leak := range []string{"config.", "yaml.", "account.", "%!", "<nil>", "unmarshal"} {
				if strings.Contains(strings.ReplaceAll(text, ".yaml", ""), leak) {
					t.Errorf("a message contains %q:\n%s", leak, text)
				}
			}
			golden.Check(t, filepath.Join(dir, strings.TrimSuffix(file, ".yaml")+".want"), []byte(text))
		})
	}
	wants, err := filepath.Glob("*.want")
	if err != nil || len(wants) != len(files) {
		t.Errorf("testdata/broken has %d .want files for %d configurations (%v)", len(wants), len(files), err)
	}
}

// TestMissingFile checks that a file that cannot be read is no list of faults, because
// the command then looks in a second place.
func TestMissingFile(t *testing.T) {
	_, err := Load("not-there.yaml")
	if !errors.Is(err, os.ErrNotExist) || err.Error() != "not-there.yaml: no such file or directory" {
		t.Errorf("Load() error = %v, want os.ErrNotExist with the path once", err)
	}
}
