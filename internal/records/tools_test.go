package records

import (
	"os"
	"os/exec"
	"testing"
)

// tool finds a program that checks our work. Where it is not installed the test
// is skipped, or fails if SIGNPOST_REQUIRE_TOOLS is set.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		// Servers live where an ordinary user's PATH does not lead.
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
