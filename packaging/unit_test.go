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

// mostExposed is how open the sandbox may be by systemd's reckoning. What is left
// of it is the network, which the service is for.
const mostExposed = 1.5

// TestSandbox has systemd rate the unit, which says the same in its comment.
func TestSandbox(t *testing.T) {
	tool(t, "systemd-analyze")
	out, err := run("", "systemd-analyze", "security", "--offline=true", "--no-pager", "./signpost.service")
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`Overall exposure level for signpost\.service: ([0-9.]+)`).FindStringSubmatch(out)
	if match == nil {
		t.Fatalf("systemd-analyze said\n%s", out)
	}
	var exposure float64
	if _, err := fmt.Sscan(match[1], &exposure); err != nil || exposure > mostExposed {
		t.Errorf("exposure %s, want at most %v\n%s", match[1], mostExposed, out)
	}
	unit, err := os.ReadFile("signpost.service")
	if err != nil {
		t.Fatal(err)
	}
	if version, _ := run("", "systemd-analyze", "--version"); strings.HasPrefix(version, "systemd 252 ") && !strings.Contains(string(unit), match[0]+"\n") {
		t.Errorf("the unit's comment does not say %q", match[0])
	}
}

// TestUnitFiles has systemd read the units, with a program that exists in place
// of one that is not installed here.
func TestUnitFiles(t *testing.T) {
	tool(t, "systemd-analyze")
	folder := short(t)
	for _, name := range []string{"signpost.service", "signpost.socket"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(content), "/usr/bin/signpost", signpost(t))
		put(t, folder, name, regexp.MustCompile(`(?m)^Documentation=.*\n`).ReplaceAllString(text, ""))
	}
	verify := func() (said []string) {
		// It ends with 1 for what other units of the machine have, too.
		out, _ := run(folder, "systemd-analyze", "verify", "--man=no", "./signpost.service", "./signpost.socket")
		for line := range strings.Lines(out) {
			if strings.Contains(line, "signpost") {
				said = append(said, line)
			}
		}
		return said
	}
	if said := verify(); len(said) > 0 {
		t.Errorf("systemd says %q", said)
	}
	put(t, folder, "signpost.socket", "[Socket]\nListenStream=80\nListensStream=80\n")
	if said := verify(); len(said) == 0 {
		t.Error("systemd does not see a fault")
	}
}

// TestNginxClosesFirst: a request must not come on a connection that Signpost is
// closing, which nginx would answer with 502 if it is a POST.
func TestNginxClosesFirst(t *testing.T) {
	text, err := os.ReadFile("nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`(?m)^ +keepalive_timeout (\w+);`).FindSubmatch(text)
	if match == nil {
		t.Fatal("nginx.conf does not say how long it keeps connections")
	}
	if keeps, err := time.ParseDuration(string(match[1])); err != nil || keeps > conn.DefaultTimeouts.Idle/2 {
		t.Errorf("nginx keeps connections for %s, Signpost for %v", match[1], conn.DefaultTimeouts.Idle)
	}
}
