package packaging

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSystemd installs the packages in Debian trees that a real systemd has booted, the RPM
// with dnf. The tree is made once, which takes a minute, and kept below .artefacts.
func TestSystemd(t *testing.T) {
	for _, name := range []string{"mmdebstrap", "unshare", "nsenter", "ip", "apt-get"} {
		tool(t, name)
	}
	if os.Getuid() != 0 {
		skip(t, "only root can boot a system")
	}
	if known, err := os.ReadFile("/proc/filesystems"); err != nil || !strings.Contains(string(known), "cgroup2") {
		skip(t, "the kernel has no control groups, version 2")
	}
	released(t)
	cache, err := filepath.Abs("../.artefacts/debian")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"deb", "rpm"} {
		// One after the other: both have the same control groups.
		t.Run(format, func(t *testing.T) {
			folder := shortDir(t)
			packages := filepath.Join(folder, "packages")
			files := map[string]string{
				"old." + format: packageFile(t, format, "1.0.0"),
				"new." + format: packageFile(t, format, "1.0.1"),
			}
			if format == "rpm" {
				files["shadow-utils.rpm"] = emptyRPM(t, "shadow-utils")
			}
			if err := os.Mkdir(packages, 0o755); err != nil {
				t.Fatal(err)
			}
			for name, from := range files {
				if out, err := run("", "cp", from, filepath.Join(packages, name)); err != nil {
					t.Fatal(err, out)
				}
			}
			began := time.Now()
			out, err := run("", "bash", "testdata/systemd/run", format, folder, cache)
			t.Logf("%s", out)
			if err != nil || !strings.HasSuffix(strings.TrimSpace(out), "done") {
				t.Fatalf("after %v: %v", time.Since(began).Round(time.Second), err)
			}
			t.Logf("it took %v", time.Since(began).Round(time.Second))
		})
	}
}
