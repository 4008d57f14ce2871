package packaging

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"signpost/internal/conn"
)

// maxExposure limits the exposure level that systemd computes for the sandbox. What
// remains is access to the network, which the service needs.
const maxExposure = 1.5

// TestSandbox has systemd rate the unit. The unit's comment must state the same level.
func TestSandbox(t *testing.T) {
	tool(t, "systemd-analyze")
	out, err := run("", "systemd-analyze", "security", "--offline=true", "--no-pager", "./signpost.service")
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`Overall exposure level for signpost\.service: ([0-9.]+)`).FindStringSubmatch(out)
	if match == nil {
		t.Fatalf("systemd-analyze security printed no exposure level:\n%s", out)
	}
	var exposure float64
	if _, err := fmt.Sscan(match[1], &exposure); err != nil || exposure > maxExposure {
		t.Errorf("exposure level %s, want at most %v\n%s", match[1], maxExposure, out)
	}
	unit, err := os.ReadFile("signpost.service")
	if err != nil {
		t.Fatal(err)
	}
	version, _ := run("", "systemd-analyze", "--version")
	if strings.HasPrefix(version, "systemd 252 ") && !strings.Contains(string(unit), match[0]+"\n") {
		t.Errorf("the unit's comment does not say %q", match[0])
	}
}

// TestUnitFiles has systemd verify the units. The path of the built program replaces
// that of the installed one.
func TestUnitFiles(t *testing.T) {
	tool(t, "systemd-analyze")
	directory := shortDir(t)
	for _, name := range []string{"signpost.service", "signpost.socket"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(content), "/usr/bin/signpost", signpost(t))
		writeFile(t, directory, name, regexp.MustCompile(`(?m)^Documentation=.*\n`).ReplaceAllString(text, ""))
	}
	verify := func() (complaints []string) {
		// The status is 1 for faults of other units on the machine, too.
		out, _ := run(directory, "systemd-analyze", "verify", "--man=no", "./signpost.service", "./signpost.socket")
		for line := range strings.Lines(out) {
			if strings.Contains(line, "signpost") {
				complaints = append(complaints, line)
			}
		}
		return complaints
	}
	if complaints := verify(); len(complaints) > 0 {
		t.Errorf("systemd-analyze verify complains: %q", complaints)
	}
	writeFile(t, directory, "signpost.socket", "[Socket]\nListenStream=80\nListensStream=80\n")
	if complaints := verify(); len(complaints) == 0 {
		t.Error("systemd-analyze verify accepts a socket unit with an unknown key")
	}
}

// TestNginxClosesFirst checks that nginx closes idle connections before Signpost
// does. A POST on a connection that Signpost is closing would be answered with 502.
func TestNginxClosesFirst(t *testing.T) {
	text, err := os.ReadFile("nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`(?m)^ +keepalive_timeout (\w+);`).FindSubmatch(text)
	if match == nil {
		t.Fatal("nginx.conf has no keepalive_timeout")
	}
	if keeps, err := time.ParseDuration(string(match[1])); err != nil || keeps > conn.DefaultTimeouts.Idle/2 {
		t.Errorf("nginx keeps connections for %s, Signpost for %v", match[1], conn.DefaultTimeouts.Idle)
	}
}
