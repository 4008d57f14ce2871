package machine

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signpost/internal/golden"
	"signpost/internal/importer/draft"
)

// readExample returns the files of an example: configurations first, and all of them by
// their base names, as they stand together in a folder that somebody brought along.
func readExample(t testing.TB, name string) ([]Text, Files) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", name, "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files of the example %s: %v", name, err)
	}
	var texts []Text
	data := map[string][]byte{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Base(path)
		if base == "draft.golden" {
			continue
		}
		texts = append(texts, Text{Path: base, Data: content})
		data[base] = content
	}
	return texts, func(path string) ([]byte, error) {
		if content, ok := data[filepath.Base(path)]; ok {
			return content, nil
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
}

// write writes a draft as the golden files have it.
func write(d *draft.Draft) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", d.Title)
	for _, p := range d.Products {
		fmt.Fprintf(&b, "\nproduct %q %q of %s\n", p.Provider.ID, p.Provider.DisplayName, p.Place)
		fmt.Fprintf(&b, "  domains %s\n", strings.Join(p.Domains, " "))
		for _, s := range p.Provider.Servers {
			fmt.Fprintf(&b, "  %s %s:%d %s %s %v\n", s.Type, s.Hostname, s.Port, s.SocketType, s.Login.Username,
				s.Authentication)
		}
		for _, guess := range p.Guesses {
			fmt.Fprintf(&b, "  guessed: %s\n", guess)
		}
	}
	if len(d.Accounts) > 0 {
		b.WriteString("\n")
		writeMaps(&b, d.Accounts, "")
	}
	b.WriteString("\n")
	for _, lost := range d.Lost {
		fmt.Fprintf(&b, "lost: %s: %s\n", lost.Place, lost.Text)
	}
	for _, hint := range d.Hints {
		fmt.Fprintf(&b, "hint: %s\n", hint)
	}
	return b.String()
}

// writeMaps writes mappings as YAML, in which every text is quoted.
func writeMaps(b *strings.Builder, all []draft.Map, indent string) {
	for _, m := range all {
		b.WriteString(indent + "- ")
		writeMap(b, m, indent+"  ", false)
	}
}

func writeMap(b *strings.Builder, m draft.Map, indent string, first bool) {
	for _, e := range m {
		if first {
			b.WriteString(indent)
		}
		first = true
		switch value := e.Value.(type) {
		case draft.Map:
			fmt.Fprintf(b, "%s:\n", e.Key)
			writeMap(b, value, indent+"  ", true)
		case []string:
			fmt.Fprintf(b, "%s: [", e.Key)
			for i, text := range value {
				fmt.Fprintf(b, "%s%q", strings.Repeat(", ", min(i, 1)), text)
			}
			b.WriteString("]\n")
		case string:
			fmt.Fprintf(b, "%s: %q\n", e.Key, value)
		default:
			fmt.Fprintf(b, "%s: %v\n", e.Key, value)
		}
	}
}

// examples are the folders of testdata.
var examples = []string{"facts23", "facts24", "unix", "ispmail", "postfixadmin", "queries", "ldap", "tables",
	"virtualmin", "odd", "dovecotsql23", "dovecotsql24", "document", "mixed"}

func TestExamples(t *testing.T) {
	for _, name := range examples {
		t.Run(name, func(t *testing.T) {
			texts, files := readExample(t, name)
			var d draft.Draft
			if err := Draft(texts, files, &d); err != nil {
				t.Fatalf("Draft = %v", err)
			}
			got := write(&d)
			golden.Check(t, filepath.Join("testdata", name, "draft.golden"), []byte(got))
			for _, secret := range []string{"secret", "hemligt", "tO0Sec", "x893dNj4stkHy1MKQq0USWBaX4ZZdq"} {
				if strings.Contains(got, secret+"\n") || strings.Contains(got, secret+":") ||
					strings.Contains(got, secret+"@") {
					t.Errorf("the draft holds the password %s of a table", secret)
				}
			}
		})
	}
}
