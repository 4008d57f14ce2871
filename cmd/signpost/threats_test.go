package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// testFunction matches the head of a test.
var testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

// namedTest matches a test as docs/threat-model.md names it.
var namedTest = regexp.MustCompile("`(\\w+)\\.(Test\\w+)`")

// testsByPackage returns the tests of the module as package.Test.
func testsByPackage(t *testing.T) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".artefacts") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, rest, _ := strings.Cut("\n"+string(text), "\npackage ")
		name, _, _ := strings.Cut(rest, "\n")
		name = strings.TrimSuffix(name, "_test")
		for _, m := range testFunction.FindAllStringSubmatch(string(text), -1) {
			tests[name+"."+m[1]] = true
		}
		return nil
	})
	if err != nil || len(tests) < 100 {
		t.Fatalf("found %d tests: %v", len(tests), err)
	}
	return tests
}

// TestThreatModel holds docs/threat-model.md to the tests: each limit and each promise
// names tests that show it, and all of these exist.
func TestThreatModel(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/threat-model.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := testsByPackage(t)
	rows, shown := 0, false // whether the table's last column says what shows a row
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "|") {
			shown = false
			continue
		}
		if strings.HasSuffix(line, "| shown by |\n") {
			shown = true
			continue
		}
		if !shown || strings.HasPrefix(line, "|---") {
			continue
		}
		rows++
		named := namedTest.FindAllStringSubmatch(line, -1)
		if len(named) == 0 {
			t.Errorf("no test shows this line:\n%s", line)
		}
		for _, m := range named {
			if name := m[1] + "." + m[2]; !tests[name] {
				t.Errorf("there is no test %s, which shows this line:\n%s", name, line)
			}
		}
	}
	if rows < 20 {
		t.Errorf("the tables that name tests have %d lines, want at least 20", rows)
	}
}
