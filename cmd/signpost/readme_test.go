package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const readme = "../../README.md"

// block is a fenced block of the README: what runs before it names a file of
// testdata/config, or its first line is a command.
var block = regexp.MustCompile("(?s)(\\(testdata/config/([a-z0-9-]+\\.yaml)\\)[^`]{0,200})?```(yaml|console)\n(.*?)```\n")

// TestReadme holds what the README shows against what is: configurations are
// the example systems, and sessions print what they say. UPDATE_GOLDEN=1
// rewrites it.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	mamut, err := os.ReadFile("../../testdata/config/mamut.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "signpost.yaml"), mamut, 0o666); err != nil {
		t.Fatal(err)
	}
	sessions, files := 0, 0
	got := block.ReplaceAllFunc(text, func(found []byte) []byte {
		m := block.FindSubmatch(found)
		var want string
		switch {
		case string(m[3]) == "console":
			sessions++
			want = session(t, folder, string(m[4]))
		case len(m[2]) > 0:
			files++
			example, err := os.ReadFile(filepath.Join("../../testdata/config", string(m[2])))
			if err != nil {
				t.Error(err)
				return found
			}
			want = string(example)
		default:
			return found
		}
		const end = "```\n"
		head := found[:len(found)-len(m[4])-len(end)]
		return append(append(bytes.Clone(head), want...), end...)
	})
	if sessions < 2 || files < 2 {
		t.Errorf("found %d sessions and %d configurations", sessions, files)
	}
	if bytes.Equal(got, text) {
		return
	}
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(readme, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("the README shows what is not so; UPDATE_GOLDEN=1 rewrites it:\n%s", got)
}

// session runs the commands of a session and returns it with their output.
func session(t *testing.T, folder, text string) string {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(text) {
		command, ok := strings.CutPrefix(line, "$ signpost ")
		if !ok {
			continue
		}
		fmt.Fprint(&out, line)
		cmd := exec.Command(os.Args[0], strings.Fields(command)...)
		cmd.Env = append(os.Environ(), asSignpost+"=1")
		cmd.Dir = folder
		printed, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", line, err, printed)
		}
		out.Write(printed)
	}
	return out.String()
}
