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

// run runs a program and gives what it said.
func run(folder, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s %q: %w\n%s", name, args, err, out)
	}
	return string(out), nil
}

// releases are the artefacts of version 1.0.0, made twice at different places,
// and of 1.0.1, which has another configuration file. They are made from the work
// tree as it is, committed to a clone.
var releases = sync.OnceValues(func() (folder string, err error) {
	root, err := filepath.Abs("..")
	if err != nil {
		return "", err
	}
	clone, other := filepath.Join(shared, "clone"), filepath.Join(shared, "other", "place")
	git := []string{"--git-dir", clone + "/.git", "-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false", "-c", "user.name=test", "-c", "user.email=test@mail.example"}
	all := "amd64 arm64"
	steps := []struct {
		folder string
		args   []string
	}{
		{root, []string{"git", "clone", "--quiet", "--shared", "--no-checkout", root, clone}},
		{root, append(append([]string{"git"}, git...), "--work-tree", root, "add", "--all")},
		{root, append(append([]string{"git"}, git...), "commit", "--quiet", "--allow-empty", "--message", "the work tree")},
		{clone, []string{"git", "reset", "--quiet", "--hard"}},
		{root, []string{"git", "clone", "--quiet", clone, other}},
		{clone, []string{"env", "ARCHITECTURES=" + all, "bash", "packaging/release", "1.0.0"}},
		{other, []string{"env", "ARCHITECTURES=" + all, "TZ=Asia/Tokyo", "GOFLAGS=-tags=none", "bash", "packaging/release", "1.0.0"}},
		{clone, []string{"sh", "-c", "echo '# as of 1.0.1' >> packaging/signpost.yaml"}},
		{clone, append(append([]string{"git"}, git...), "commit", "--quiet", "--all", "--message", "another configuration")},
		{clone, []string{"env", "ARCHITECTURES=" + runtime.GOARCH, "bash", "packaging/release", "1.0.1"}},
	}
	for _, step := range steps {
		if _, err := run(step.folder, step.args[0], step.args[1:]...); err != nil {
			return "", err
		}
	}
	return shared, nil
})

// released makes the artefacts once for all tests. That takes minutes, and
// modules that nothing else needs, so that it is done only where it is asked for.
func released(t *testing.T) (folder string) {
	t.Helper()
	if os.Getenv("SIGNPOST_REQUIRE_TOOLS") == "" {
		t.Skip("takes minutes; SIGNPOST_REQUIRE_TOOLS=1 asks for it")
	}
	folder, err := releases()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestReleaseIsReproducible compares what was made at two places.
func TestReleaseIsReproducible(t *testing.T) {
	folder := released(t)
	one, other := filepath.Join(folder, "clone", "dist"), filepath.Join(folder, "other", "place", "dist")
	files, err := os.ReadDir(other)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 7 {
		t.Errorf("there are %d artefacts: %v", len(files), files)
	}
	for _, file := range files {
		a, err := os.ReadFile(filepath.Join(other, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if file.Name() == "SHA256SUMS" {
			continue // of 1.0.1 there, by now
		}
		if b, err := os.ReadFile(filepath.Join(one, file.Name())); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s has other bytes the second time: %v", file.Name(), err)
		}
	}
	if _, err := run(other, "sha256sum", "--check", "--strict", "SHA256SUMS"); err != nil {
		t.Error(err)
	}
}

// TestBinaries: static, and no path of the machine in them.
func TestBinaries(t *testing.T) {
	folder := released(t)
	dist := filepath.Join(folder, "other", "place", "dist")
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		path := filepath.Join(dist, "signpost-1.0.0-linux-"+arch)
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Machine != machine {
			t.Errorf("%s is for %v", path, f.Machine)
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
		for _, place := range []string{folder, os.Getenv("HOME") + "/go"} {
			if bytes.Contains(content, []byte(place)) {
				t.Errorf("%s holds the path %s", path, place)
			}
		}
		info, err := run("", "go", "version", "-m", path)
		if err != nil || !strings.Contains(info, "mod\tsignpost\tv1.0.0") {
			t.Errorf("its version is not v1.0.0: %v\n%s", err, info)
		}
	}
}

// TestImage reads the Dockerfile as far as that goes without an engine: what it
// copies is there, and it does not run as root.
func TestImage(t *testing.T) {
	content, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	stages := map[string]bool{}
	base, user, copies := "", "", 0
	for line := range strings.Lines(string(content)) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "FROM":
			base, user = words[1], ""
			if len(words) == 4 && words[2] == "AS" {
				stages[words[3]] = true
			}
		case "USER":
			user = words[1]
		case "COPY":
			copies++
			from := ""
			for len(words) > 3 && strings.HasPrefix(words[1], "--") {
				if stage, ok := strings.CutPrefix(words[1], "--from="); ok {
					from = stage
				}
				words = append(words[:1], words[2:]...)
			}
			switch source, made := strings.CutPrefix(words[1], "dist/"); {
			case from != "":
				if !stages[from] {
					t.Errorf("there is no stage %s: %s", from, line)
				}
			case made:
				if os.Getenv("SIGNPOST_REQUIRE_TOOLS") == "" {
					continue
				}
				source = strings.NewReplacer("${VERSION}", "1.0.0", "${TARGETARCH}", "arm64").Replace(source)
				if _, err := os.Stat(filepath.Join(released(t), "other", "place", "dist", source)); err != nil {
					t.Error(err)
				}
			default:
				if _, err := os.Stat(filepath.Join("..", words[1])); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if base != "scratch" || copies < 4 {
		t.Errorf("the last base is %s, and %d things are copied", base, copies)
	}
	if uid, _, _ := strings.Cut(user, ":"); uid == "" || uid == "0" || uid == "root" {
		t.Errorf("it runs as %q", user)
	}
}

// TestInstalledConfigurations: what is installed is good, without a warning.
func TestInstalledConfigurations(t *testing.T) {
	for _, file := range []string{"signpost.yaml", "docker.yaml"} {
		out, err := exec.Command(signpost(t), "check", "-config", file).CombinedOutput()
		if err != nil || strings.Contains(string(out), "warning") {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
}

// TestInstall takes the packages through a life on a view of this machine that
// is thrown away.
func TestInstall(t *testing.T) {
	for _, name := range []string{"dpkg", "rpm", "unshare", "setpriv", "bwrap", "ip", "curl", "systemd-analyze", "man"} {
		tool(t, name)
	}
	if os.Getuid() != 0 {
		skip(t, "only root can install packages")
	}
	dist := filepath.Join(released(t), "clone", "dist")
	rpmArch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	for format, name := range map[string]string{"deb": "signpost_%s-1_" + runtime.GOARCH + ".deb", "rpm": "signpost-%s-1." + rpmArch + ".rpm"} {
		t.Run(format, func(t *testing.T) {
			out, err := run("", "bash", "testdata/install", format, filepath.Join(dist, fmt.Sprintf(name, "1.0.0")), filepath.Join(dist, fmt.Sprintf(name, "1.0.1")), short(t))
			t.Logf("%s", out)
			if err != nil {
				t.Fatal(err)
			}
			_, left, ok := strings.Cut(out, "what is left:\n")
			if left = strings.TrimSpace(left); !ok || left != "" {
				t.Errorf("removal leaves\n%s", left)
			}
		})
	}
}
