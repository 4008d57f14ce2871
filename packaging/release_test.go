package packaging

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// run runs a program in a directory and returns its output.
func run(directory, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = directory
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s %q: %w\n%s", name, args, err, out)
	}
	return string(out), nil
}

// releases makes the artefacts of version 1.0.0 twice, in different directories, and
// those of 1.0.1, which has another configuration file and another unit. They are made
// from the work tree, committed to a clone.
var releases = sync.OnceValues(func() (directory string, err error) {
	root, err := filepath.Abs("..")
	if err != nil {
		return "", err
	}
	clone, other := filepath.Join(shared, "clone"), filepath.Join(shared, "other", "place")
	git := []string{"--git-dir", clone + "/.git", "-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false",
		"-c", "user.name=test", "-c", "user.email=test@mail.example"}
	all := "amd64 arm64"
	steps := []struct {
		directory string
		args      []string
	}{
		{root, []string{"git", "clone", "--quiet", "--shared", "--no-checkout", root, clone}},
		{root, append(append([]string{"git"}, git...), "--work-tree", root, "add", "--all")},
		{root, append(append([]string{"git"}, git...), "commit", "--quiet", "--allow-empty", "--message", "the work tree")},
		{clone, []string{"git", "reset", "--quiet", "--hard"}},
		{root, []string{"git", "clone", "--quiet", clone, other}},
		{clone, []string{"env", "ARCHITECTURES=" + all, "bash", "packaging/release", "1.0.0"}},
		{other, []string{"env", "ARCHITECTURES=" + all, "TZ=Asia/Tokyo", "GOFLAGS=-tags=none",
			"bash", "packaging/release", "1.0.0"}},
		{clone, []string{"sh", "-c", "echo '# as of 1.0.1' >> packaging/signpost.yaml"}},
		{clone, []string{"sed", "-i", `s/^\[Service\]$/&\nEnvironment=UNIT=1.0.1/`, "packaging/signpost.service"}},
		{clone, append(append([]string{"git"}, git...), "commit", "--quiet", "--all", "--message", "another configuration and unit")},
		{clone, []string{"env", "ARCHITECTURES=" + runtime.GOARCH, "bash", "packaging/release", "1.0.1"}},
	}
	for _, step := range steps {
		if _, err := run(step.directory, step.args[0], step.args[1:]...); err != nil {
			return "", err
		}
	}
	return shared, nil
})

// released makes the artefacts once for all tests. That takes minutes and needs
// modules that nothing else needs, so it is done only if SIGNPOST_REQUIRE_TOOLS is set.
func released(t *testing.T) (directory string) {
	t.Helper()
	if os.Getenv("SIGNPOST_REQUIRE_TOOLS") == "" {
		t.Skip("takes minutes; set SIGNPOST_REQUIRE_TOOLS=1 to run it")
	}
	directory, err := releases()
	if err != nil {
		t.Fatal(err)
	}
	return directory
}

// TestReleaseIsReproducible compares the artefacts that were made in two directories.
func TestReleaseIsReproducible(t *testing.T) {
	directory := released(t)
	one, other := filepath.Join(directory, "clone", "dist"), filepath.Join(directory, "other", "place", "dist")
	files, err := os.ReadDir(other)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 9 {
		t.Errorf("the release has %d artefacts, want 9: %v", len(files), files)
	}
	for _, file := range files {
		a, err := os.ReadFile(filepath.Join(other, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if file.Name() == "SHA256SUMS" {
			continue // replaced by that of 1.0.1
		}
		if b, err := os.ReadFile(filepath.Join(one, file.Name())); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs between the two builds: %v", file.Name(), err)
		}
	}
	if _, err := run(other, "sha256sum", "--check", "--strict", "SHA256SUMS"); err != nil {
		t.Error(err)
	}
}

// TestBinaries checks that the binaries are static, hold no path of the machine, and
// know their version.
func TestBinaries(t *testing.T) {
	directory := released(t)
	dist := filepath.Join(directory, "other", "place", "dist")
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		path := filepath.Join(dist, "signpost-1.0.0-linux-"+arch)
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Machine != machine {
			t.Errorf("%s is built for %v, want %v", path, f.Machine, machine)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP {
				t.Errorf("%s needs a dynamic linker", path)
			}
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, place := range []string{directory, os.Getenv("HOME") + "/go"} {
			if bytes.Contains(content, []byte(place)) {
				t.Errorf("%s holds the path %s", path, place)
			}
		}
		info, err := run("", "go", "version", "-m", path)
		if err != nil || !strings.Contains(info, "mod\tsignpost\tv1.0.0") {
			t.Errorf("%s has no version v1.0.0: %v\n%s", path, err, info)
		}
	}
}

// TestInstalledConfigurations checks that the installed configurations pass "signpost
// check" without a warning.
func TestInstalledConfigurations(t *testing.T) {
	for _, file := range []string{"signpost.yaml", "docker.yaml"} {
		out, err := exec.Command(signpost(t), "check", "-config", file).CombinedOutput()
		if err != nil || strings.Contains(string(out), "warning") {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
}

// packageFile returns the path of a package for this machine.
func packageFile(t *testing.T, format, version string) string {
	t.Helper()
	name := "signpost_" + version + "-1_" + runtime.GOARCH + ".deb"
	if format == "rpm" {
		arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
		name = "signpost-" + version + "-1." + arch + ".rpm"
	}
	return filepath.Join(released(t), "clone", "dist", name)
}

// emptyRPM makes an RPM that has a name and nothing else. It tells RPM that what Debian
// has is there.
func emptyRPM(t *testing.T, name string) (path string) {
	t.Helper()
	directory := shortDir(t)
	writeFile(t, directory, "nfpm.yaml", "name: "+name+"\narch: all\nversion: 1.0.0\n"+
		"maintainer: test <test@mail.example>\ndescription: stands for what Debian has\nlicense: none\n")
	path = filepath.Join(directory, name+".rpm")
	if _, err := run("..", "go", "tool", "-modfile=packaging/tools/go.mod", "nfpm", "package",
		"--config", filepath.Join(directory, "nfpm.yaml"), "--packager", "rpm", "--target", path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestInstall installs, upgrades and removes the packages on a copy of this machine
// that is thrown away.
func TestInstall(t *testing.T) {
	for _, name := range []string{"dpkg", "rpm", "unshare", "setpriv", "bwrap", "ip", "curl", "systemd-analyze", "man"} {
		tool(t, name)
	}
	if os.Getuid() != 0 {
		skip(t, "only root can install packages")
	}
	for _, format := range []string{"deb", "rpm"} {
		t.Run(format, func(t *testing.T) {
			args := []string{"testdata/install", format,
				packageFile(t, format, "1.0.0"), packageFile(t, format, "1.0.1"), shortDir(t)}
			if format == "rpm" {
				args = append(args, emptyRPM(t, "shadow")) // as openSUSE calls it
			}
			out, err := run("", "bash", args...)
			t.Logf("%s", out)
			if err != nil {
				t.Fatal(err)
			}
			_, left, ok := strings.Cut(out, "what is left:\n")
			if left = strings.TrimSpace(left); !ok || left != "" {
				t.Errorf("removing the package leaves\n%s", left)
			}
		})
	}
}
