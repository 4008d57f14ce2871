package dnstest

import (
	"os"
	"os/exec"
	"testing"
)

// Tool returns the path of a program. If it is not installed, the test is skipped, or
// fails if SIGNPOST_REQUIRE_TOOLS is set.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		// Servers are installed in a directory outside an ordinary user's PATH.
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err == nil {
		return path
	}
	if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}
