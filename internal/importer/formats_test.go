package importer

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"signpost/internal/golden"
	"signpost/internal/importer/draft"
	"signpost/internal/importer/format"
)

// formatOf returns the format in which files are, by their content.
func formatOf(t *testing.T, files []format.File) format.Format {
	t.Helper()
	var found format.Format
	for _, file := range files {
		for _, f := range format.All {
			if f.Is(file) {
				if found.Name != "" && found.Name != f.Name {
					t.Fatalf("%s is taken for %s, and another for %s", file.Path, f.Name, found.Name)
				}
				found = f
				break
			}
		}
	}
	if found.Name == "" {
		t.Fatalf("no format takes %s", files[0].Path)
	}
	return found
}

// TestFormats imports the files of each folder of testdata/formats as the command does. The
// golden configuration holds what they say, field by field, and what cannot be carried over.
func TestFormats(t *testing.T) {
	folders, err := filepath.Glob("testdata/formats/*")
	if err != nil || len(folders) < 20 {
		t.Fatalf("%d folders, %v", len(folders), err)
	}
	seen := map[string]bool{"postfix-dovecot": true} // which has examples of its own
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			entries, err := os.ReadDir(folder)
			if err != nil {
				t.Fatal(err)
			}
			var files []format.File
			for _, entry := range entries {
				if entry.Name() == "signpost.yaml" || strings.HasSuffix(entry.Name(), "-domains.golden") {
					continue
				}
				data, err := os.ReadFile(filepath.Join(folder, entry.Name()))
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, format.File{Path: entry.Name(), Data: data})
			}
			f := formatOf(t, files)
			seen[f.Name] = true
			d := draft.Draft{Title: f.Title}
			if err := f.Read(files, &d); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			path := filepath.Join(dir, "signpost.yaml")
			proof, err := Save(t.Context(), path, false, &d)
			if err != nil {
				t.Fatal(err)
			}
			for _, warning := range proof.Warnings {
				if !strings.Contains(warning.Text, "cannot read") && !strings.Contains(warning.Text, "a second ") &&
					!strings.Contains(warning.Text, "imap comes after") &&
					!strings.Contains(warning.Text, "no smtp server") { // as the source has it
					t.Errorf("the configuration has the warning %s", warning)
				}
			}
			var all bytes.Buffer
			written, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, entry := range slices.Backward(written) {
				data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
				if err != nil {
					t.Fatal(err)
				}
				if entry.Name() != "signpost.yaml" {
					all.WriteString("=== " + entry.Name() + "\n")
				}
				all.Write(data)
			}
			if strings.Contains(all.String(), "not-to-be-imported") {
				t.Error("a secret was copied")
			}
			golden.Check(t, filepath.Join(folder, "signpost.yaml"), all.Bytes())
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			again := draft.Draft{Title: f.Title}
			if err := f.Read(files, &again); err != nil {
				t.Fatal(err)
			}
			d.Products = Simplify(d.Products)
			again.Products = Simplify(again.Products)
			if one, two := Write(&d), Write(&again); !bytes.Equal(one, two) {
				t.Errorf("twice the same files give\n%s\nand\n%s", one, two)
			}
		})
	}
	for _, f := range format.All {
		if !seen[f.Name] {
			t.Errorf("the format %s has no example", f.Name)
		}
	}
}

// TestComingFrom holds the documents for people who come from another tool to what is written
// from the files of testdata/formats.
func TestComingFrom(t *testing.T) {
	for page, folder := range map[string]string{
		"apple-profiles": "mobileconfig", "automx": "automx1", "automx2": "automx2-dump", "go-autoconfig": "go-autoconfig",
		"hand-written-xml": "autoconfig-directory", "mailcow": "mailcow", "monogramm": "monogramm",
		"mox": "mox-two-listeners", "solarssk": "solarssk-env", "wdes": "wdes",
	} {
		document, err := os.ReadFile("../../docs/coming-from/" + page + ".md")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(document), "```yaml\n")
		shown, _, _ := strings.Cut(rest, "```")
		want, err := os.ReadFile(filepath.Join("testdata/formats", folder, "signpost.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(shown) != strings.TrimSpace(string(want)) {
			t.Errorf("docs/coming-from/%s.md shows\n%s\nbut what is written is\n%s", page, shown, want)
		}
	}
	index, err := os.ReadFile("../../docs/coming-from/README.md")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("../../docs/coming-from/*.md")
	if err != nil || len(pages) < 15 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		if name := filepath.Base(page); name != "README.md" && !strings.Contains(string(index), "]("+name+")") {
			t.Errorf("docs/coming-from/README.md does not name %s", name)
		}
	}
}
