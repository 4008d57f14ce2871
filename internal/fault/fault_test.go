package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestList(t *testing.T) {
	l := List{{File: "a.yaml", Line: 31, Text: "first"}, {File: "b.txt", Text: "second"}}
	if got, want := l.Error(), "a.yaml:31: first\nb.txt: second"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

func TestHint(t *testing.T) {
	plain := errors.New("the zone is not served here")
	err := fmt.Errorf("publishing: %w", WithHint(plain, "name its primary"))
	if got, want := err.Error(), "publishing: the zone is not served here"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if got, want := Hint(err), "name its primary"; got != want {
		t.Errorf("Hint = %q, want %q", got, want)
	}
	if !errors.Is(err, plain) {
		t.Error("the error cannot be unwrapped any more")
	}
	if got := Hint(plain); got != "" {
		t.Errorf("Hint of an error without one = %q, want nothing", got)
	}
}

func TestWithoutPath(t *testing.T) {
	_, err := os.Open(filepath.Join(t.TempDir(), "missing"))
	if got := WithoutPath(fmt.Errorf("reading: %w", err)); !errors.Is(got, fs.ErrNotExist) ||
		got.Error() != "no such file or directory" {
		t.Errorf("WithoutPath = %q, want the reason alone", got)
	}
	plain := errors.New("no file operation")
	if got := WithoutPath(plain); got != plain {
		t.Errorf("WithoutPath = %v, want %v unchanged", got, plain)
	}
}
