package importer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signpost/internal/fault"
	"signpost/internal/importer/draft"
	"signpost/internal/importer/format"
)

func FuzzAutoconfig(f *testing.F)    { fuzzFormat(f, "autoconfig") }
func FuzzAutomx2Seed(f *testing.F)   { fuzzFormat(f, "automx2-seed") }
func FuzzAutomx2DB(f *testing.F)     { fuzzFormat(f, "automx2-db") }
func FuzzAutomx(f *testing.F)        { fuzzFormat(f, "automx") }
func FuzzMonogramm(f *testing.F)     { fuzzFormat(f, "monogramm") }
func FuzzMailcow(f *testing.F)       { fuzzFormat(f, "mailcow") }
func FuzzSolarssk(f *testing.F)      { fuzzFormat(f, "solarssk") }
func FuzzGoAutoconfig(f *testing.F)  { fuzzFormat(f, "go-autoconfig") }
func FuzzMox(f *testing.F)           { fuzzFormat(f, "mox") }
func FuzzAppleProfiles(f *testing.F) { fuzzFormat(f, "mobileconfig") }

// fuzzFormat reads files of a format that anybody may have written. What is not refused in a
// sentence becomes a configuration that says the same, or nothing is written.
func fuzzFormat(f *testing.F, name string) {
	var reader format.Format
	for _, one := range format.All {
		if one.Name == name {
			reader = one
		}
	}
	// Files of one format that belong together are separated by this line.
	const separator = "\n--8<--\n"
	folders, err := filepath.Glob("testdata/formats/*")
	if err != nil || reader.Read == nil {
		f.Fatalf("%s: %v", name, err)
	}
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			f.Fatal(err)
		}
		var texts []string
		for _, entry := range entries {
			data, err := os.ReadFile(filepath.Join(folder, entry.Name()))
			if err != nil {
				f.Fatal(err)
			}
			if reader.Is(format.File{Path: entry.Name(), Data: data}) && entry.Name() != "signpost.yaml" {
				texts = append(texts, string(data))
			}
		}
		if len(texts) > 0 {
			f.Add(strings.Join(texts, separator))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		var files []format.File
		for part := range strings.SplitSeq(text, separator) {
			if format.IsDatabase([]byte(part)) {
				return // SQLite reads it, and not this package
			}
			files = append(files, format.File{Path: "file", Data: []byte(part)})
		}
		d := draft.Draft{Title: reader.Title}
		if err := reader.Read(files, &d); err != nil {
			if list, ok := errors.AsType[fault.List](err); !ok || list[0].File != "file" || list[0].Text == "" {
				t.Errorf("the error %v does not name the file", err)
			}
			return
		}
		for _, remark := range d.Lost {
			if strings.TrimSpace(remark.Text) == "" || remark.Place.File == "" {
				t.Errorf("a remark says nothing: %+v", remark)
			}
		}
		if len(d.Products) == 0 {
			return
		}
		// What a configuration cannot hold is refused here at the latest, and nothing is written.
		dir := t.TempDir()
		if _, err := Save(t.Context(), filepath.Join(dir, "signpost.yaml"), false, &d); err != nil {
			if left, _ := os.ReadDir(dir); len(left) > 0 || err.Error() == "" {
				t.Errorf("error %v, and %d files are left", err, len(left))
			}
		}
	})
}
