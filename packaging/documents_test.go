package packaging

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// installedDocuments runs packaging/documents and returns the directory that it fills.
func installedDocuments(t *testing.T) (stage string) {
	t.Helper()
	tool(t, "bash")
	stage = t.TempDir()
	if _, err := run("", "bash", "documents", stage); err != nil {
		t.Fatal(err)
	}
	return stage
}

// TestInstalledDocuments looks for every document of docs, for the originals of the
// page, and for each path below /usr/share that a document names.
func TestInstalledDocuments(t *testing.T) {
	stage := installedDocuments(t)
	same := func(pattern, directory string) {
		t.Helper()
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("nothing matches %s: %v", pattern, err)
		}
		for _, file := range files {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			installed := filepath.Join(stage, directory, filepath.Base(file))
			got, err := os.ReadFile(installed)
			if err != nil {
				t.Error(err)
			} else if filepath.Ext(file) != ".md" && !bytes.Equal(got, want) {
				t.Errorf("%s is not installed as it is", file)
			}
		}
	}
	same("../docs/*.md", "doc/docs")
	same("../docs/accounts/*.md", "doc/docs/accounts")
	same("../docs/doctor/*.md", "doc/docs/doctor")
	same("../docs/coming-from/*.md", "doc/docs/coming-from")
	same("accounts.yaml", "doc/examples")
	same("../testdata/config/*.yaml", "doc/examples/config")
	for _, kind := range []string{"text", "html", "static"} {
		same("../templates/"+kind+"/*", "templates/"+kind)
	}
	places := strings.NewReplacer("/usr/share/doc/signpost", stage+"/doc", "/usr/share/signpost", stage)
	named := 0
	err := filepath.WalkDir(stage, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range regexp.MustCompile(`/usr/share/[A-Za-z0-9/._-]*[A-Za-z0-9]`).FindAll(text, -1) {
			named++
			if _, err := os.Stat(places.Replace(string(match))); err != nil {
				t.Errorf("%s names %s, which is not installed", filepath.Base(path), match)
			}
		}
		return err
	})
	if err != nil || named < 4 {
		t.Errorf("%d paths below /usr/share are named in the documents, want at least 4: %v", named, err)
	}
}

// TestInstalledExamples has the program check the example configurations where they
// are installed.
func TestInstalledExamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(installedDocuments(t), "doc/examples/config/*.yaml"))
	if err != nil || len(files) < 6 {
		t.Fatalf("%d example configurations are installed, want at least 6: %v", len(files), err)
	}
	for _, file := range files {
		if out, err := exec.Command(signpost(t), "check", "-config", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", filepath.Base(file), err, out)
		}
	}
}

// TestDocumentsRefuseDeadLinks runs packaging/documents on a copy of the source with
// a document that links to what is not installed.
func TestDocumentsRefuseDeadLinks(t *testing.T) {
	tool(t, "bash")
	source := t.TempDir()
	for part := range strings.FieldsSeq("README.md CHANGELOG.md SECURITY.md docs packaging templates testdata/config") {
		if _, err := run("..", "cp", "-r", "--parents", part, source); err != nil {
			t.Fatal(err)
		}
	}
	script := filepath.Join(source, "packaging", "documents")
	if _, err := run("", "bash", script, t.TempDir()); err != nil {
		t.Fatalf("the copy itself is refused: %v", err)
	}
	for _, link := range []string{"../internal/config/doc.go", "nosuch.md#top", "../packaging/nfpm.yaml"} {
		writeFile(t, filepath.Join(source, "docs"), "new.md", "See [this]("+link+").\n")
		if out, err := run("", "bash", script, t.TempDir()); err == nil || !strings.Contains(out, "docs/new.md") {
			t.Errorf("a link to %s: error %v, want one that names docs/new.md", link, err)
		}
	}
}
