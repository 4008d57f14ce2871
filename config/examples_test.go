package config

import (
	"path/filepath"
	"testing"
)

func TestExamplesLoad(t *testing.T) {
	files, err := filepath.Glob("../testdata/config/*.yaml")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d example files, want 6 or more (%v)", len(files), err)
	}
	for _, file := range files {
		c, err := Load(file)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, warning := range c.Warnings {
			t.Error("warning: ", warning)
		}
	}
}
