package packaging

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestSystemd installs the package in a Debian tree that a real systemd has booted. The tree is
// made once, which takes a minute, and kept below .artefacts.
func TestSystemd(t *testing.T) {
	for _, name := range []string{"debootstrap", "unshare", "nsenter", "ip", "apt-get"} {
		tool(t, name)
	}
	if os.Getuid() != 0 {
		skip(t, "only root can boot a system")
	}
	if known, err := os.ReadFile("/proc/filesystems"); err != nil || !strings.Contains(string(known), "cgroup2") {
		skip(t, "the kernel has no control groups, version 2")
	}
	dist := filepath.Join(released(t), "clone", "dist")
	file := func(version string) string {
		return filepath.Join(dist, "signpost_"+version+"-1_"+runtime.GOARCH+".deb")
	}
	cache, err := filepath.Abs("../.artefacts/debian")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	out, err := run("", "bash", "testdata/systemd", file("1.0.0"), file("1.0.1"), shortDir(t), cache)
	t.Logf("%s", out)
	if err != nil || !strings.HasSuffix(strings.TrimSpace(out), "done") {
		t.Fatalf("after %v: %v", time.Since(began).Round(time.Second), err)
	}
	t.Logf("it took %v", time.Since(began).Round(time.Second))
}
