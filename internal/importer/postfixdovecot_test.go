package importer

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signpost/internal/config"
	"signpost/internal/importer/draft"
	"signpost/internal/importer/format"
)

// TestPostfixDovecot writes a configuration from each example of package machine, twice,
// and checks that nothing but files of another machine is said against it.
func TestPostfixDovecot(t *testing.T) {
	folders, err := filepath.Glob("machine/testdata/*/draft.golden")
	if err != nil || len(folders) < 10 {
		t.Fatalf("%d examples, %v", len(folders), err)
	}
	for _, folder := range folders {
		folder = filepath.Dir(folder)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			files := savedFiles(t, folder)
			var written [][]byte
			for range 2 {
				var d draft.Draft
				for _, f := range format.All {
					if f.Name != "postfix-dovecot" {
						continue
					}
					for _, file := range files {
						if !f.Is(file) {
							t.Errorf("%s is not recognised", file.Path)
						}
					}
					if err := f.Read(files, &d); err != nil {
						t.Fatal(err)
					}
				}
				path := filepath.Join(t.TempDir(), "signpost.yaml")
				proof, err := Save(t.Context(), path, false, &d)
				if err != nil {
					t.Fatal(err)
				}
				for _, warning := range proof.Warnings {
					if !strings.Contains(warning.Text, "cannot read") {
						t.Errorf("the configuration has the warning %s", warning)
					}
				}
				domains := 0
				for _, p := range d.Products {
					domains += len(p.Domains)
				}
				if proof.Domains != domains {
					t.Errorf("proved %d domains of %d", proof.Domains, domains)
				}
				c, err := config.Load(path)
				if err != nil {
					t.Fatal(err)
				}
				closeStores(c)
				if len(c.Accounts) != len(d.Accounts) {
					t.Errorf("%d sources of accounts, want %d", len(c.Accounts), len(d.Accounts))
				}
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				written = append(written, text)
			}
			if filepath.Base(folder) == "document" {
				checkDocument(t, written[0])
			}
			if !bytes.Equal(written[0], written[1]) {
				t.Errorf("twice the same files give\n%s\nand\n%s", written[0], written[1])
			}
			for _, secret := range []string{"hemligt", "tO0Sec", "x893dNj4", "secret"} {
				if bytes.Contains(written[0], []byte(secret)) {
					t.Errorf("the configuration holds the password %s", secret)
				}
			}
		})
	}
}

// checkDocument checks that the document about moving in shows the configuration.
func checkDocument(t *testing.T, written []byte) {
	t.Helper()
	document, err := os.ReadFile("../../docs/coming-from/postfix-dovecot.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := bytes.Cut(written, []byte("\nproviders:"))
	part, _, _ = bytes.Cut(part, []byte("\n\n# Not carried over"))
	if !bytes.Contains(document, part) {
		t.Errorf("the document does not show what is written:\nproviders:%s", part)
	}
}

// savedFiles returns the files of a folder but the golden one.
func savedFiles(t *testing.T, folder string) (files []format.File) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if filepath.Ext(path) == ".golden" {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, format.File{Path: path, Data: data})
	}
	return files
}
