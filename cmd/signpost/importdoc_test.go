package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportDocument checks that docs/importing.md shows what import prints and writes.
func TestImportDocument(t *testing.T) {
	internet := startDomains(t)
	t.Setenv("SSL_CERT_FILE", internet.CAFile)
	folder := t.TempDir()
	printed, err := signpost(folder, "import", "-resolver", internet.Resolver, "-private", "tvist.example")
	if err == nil {
		t.Errorf("import of a domain with contradictions succeeded, want exit status 1")
	}
	written, err := os.ReadFile(filepath.Join(folder, "signpost.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile(filepath.Join(root, "docs/importing.md"))
	if err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]string{
		"session": "```text\n$ signpost import tvist.example\n" + string(printed) + "```\n",
		"file":    "```yaml\n" + string(written) + "```\n",
	} {
		if !strings.Contains(string(document), want) {
			t.Errorf("docs/importing.md has not the %s of import:\n%s", what, want)
		}
	}
}
