package importer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMayWrite checks that nothing but a regular file is ever replaced: root would lose
// /dev/stdout, and a link what it leads to.
func TestMayWrite(t *testing.T) {
	folder := t.TempDir()
	file, link := filepath.Join(folder, "signpost.yaml"), filepath.Join(folder, "link.yaml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		file  string
		force bool
		want  string
	}{
		{filepath.Join(folder, "new.yaml"), false, ""},
		{file, false, "exists already"},
		{file, true, ""},
		{link, true, "is not a regular file"},
		{folder, true, "is not a regular file"},
		{"/dev/stdout", true, "is not a regular file"},
	}
	for _, tt := range tests {
		err := MayWrite(tt.file, tt.force)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("MayWrite(%q, %v) = %v, want %q", tt.file, tt.force, err, tt.want)
		}
	}
}
