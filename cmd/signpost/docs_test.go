package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const root = "../.."

// documents lists the Markdown files that people read.
func documents(t *testing.T) (paths []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "testdata/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no documents match %s: %v", pattern, err)
		}
		paths = append(paths, found...)
	}
	return paths
}

// codeBlock matches a fenced block. What stands before it may link to a file of
// testdata/config, which the block then shows.
var codeBlock = regexp.MustCompile("(?s)(\\([./]*testdata/config/([a-z0-9-]+\\.yaml)\\)[^`]{0,200})?```([a-z]+)\n(.*?)```\n")

// keyTable matches the table of all keys in docs/configuration.md.
var keyTable = regexp.MustCompile(`(?s)(\n## All keys\n.*?\n\|---\|---\|---\|\n)((?:\|[^\n]*\n)*)`)

// TestDocuments holds README.md and docs/*.md to the code: example
// configurations are those of testdata, sessions print what the program prints,
// every other configuration passes "signpost check", and the table of keys is
// that of package config. UPDATE_GOLDEN=1 rewrites the documents.
func TestDocuments(t *testing.T) {
	sessions, systems, configurations := 0, 0, 0
	for _, path := range documents(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			putExamples(t, folder)
			writeFile(t, folder, "signpost.yaml", string(readSystem(t, "mamut.yaml")))
			got := codeBlock.ReplaceAllFunc(text, func(found []byte) []byte {
				m := codeBlock.FindSubmatch(found)
				language, shown := string(m[3]), string(m[4])
				want := shown
				switch {
				case language == "console":
					sessions++
					want = session(t, folder, shown)
				case len(m[2]) > 0:
					systems++
					want = string(readSystem(t, string(m[2])))
				case language == "yaml":
					configurations++
					checkExample(t, folder, shown)
				}
				head := found[:len(found)-len(shown)-len("```\n")]
				return append(append(bytes.Clone(head), want...), "```\n"...)
			})
			if filepath.Base(path) == "configuration.md" {
				if !keyTable.Match(got) {
					t.Fatal("there is no table under the heading All keys")
				}
				got = keyTable.ReplaceAll(got, append([]byte("${1}"), bytes.ReplaceAll(keyRows(t), []byte("$"), []byte("$$"))...))
			}
			if bytes.Equal(got, text) {
				return
			}
			if os.Getenv("UPDATE_GOLDEN") != "1" {
				t.Fatalf("the document differs from what the program prints; UPDATE_GOLDEN=1 makes it\n%s", got)
			}
			if err := os.WriteFile(path, got, 0o666); err != nil {
				t.Fatal(err)
			}
		})
	}
	if sessions < 3 || systems < 3 || configurations < 4 {
		t.Errorf("the documents hold %d sessions, %d example systems and %d other configurations, too few to be all", sessions, systems, configurations)
	}
}

// readSystem reads an example system.
func readSystem(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "testdata/config", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func writeFile(t *testing.T, folder, name, text string) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// putExamples writes the files that configurations in the documents name.
func putExamples(t *testing.T, folder string) {
	t.Helper()
	putCertificate(t, folder, 1)
	pair, err := os.ReadFile(filepath.Join(folder, "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fullchain.pem", "privkey.pem"} {
		writeFile(t, folder, name, string(pair)) // each holds certificate and key
	}
	writeFile(t, folder, "domains.txt", "firma.example\nkunde.example\n")
	writeFile(t, folder, "logo.svg", `<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>`)
	writeFile(t, folder, "tsig.key", "key \"signpost\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2lnbnBvc3Qtc2lnbnBvc3Qtc2lnbnBvc3Qtc2lnbnA=\";\n};\n")
	writeFile(t, folder, "page/text/de.json", `{"language": "Deutsch", "form.title": "E-Mail einrichten"}`)
}

// minimal completes a part of a configuration that has no providers.
const minimal = `
providers:
  - id: example
    displayName: Example Mail
    domains: [example.com]
    servers:
      - {type: imap, hostname: mail.example.com}
      - {type: smtp, hostname: mail.example.com}
`

// checkExample has the program check a configuration, or a part of one, which is
// completed first. Files under /etc/signpost are those of putExamples.
func checkExample(t *testing.T, folder, text string) {
	t.Helper()
	whole := strings.ReplaceAll(text, "/etc/signpost/", "")
	if !strings.Contains(text, "providers:") {
		whole += minimal
	}
	file := filepath.Join(folder, "example.yaml")
	writeFile(t, folder, "example.yaml", whole)
	if out, err := signpost(folder, "check", "-config", file); err != nil {
		t.Errorf("an example does not pass check: %v\n%s\n%s", err, out, text)
	} else if strings.HasPrefix(text, "# signpost.yaml") {
		writeFile(t, folder, "signpost.yaml", whole)
	}
}

// signpost runs the program in a directory and returns what it prints.
func signpost(folder string, args ...string) ([]byte, error) {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asSignpost+"=1")
	cmd.Dir = folder
	return cmd.CombinedOutput()
}

// session runs the commands of a session and returns it with their output.
func session(t *testing.T, folder, text string) string {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(text) {
		command, ok := strings.CutPrefix(line, "$ signpost ")
		if !ok {
			continue
		}
		fmt.Fprint(&out, line)
		printed, err := signpost(folder, strings.Fields(command)...)
		if err != nil {
			t.Errorf("%s: %v\n%s", line, err, printed)
		}
		out.Write(printed)
	}
	return out.String()
}

// TestProse holds the lines of the documents to 120 columns. Tables, blocks and
// indented commands may be wider.
func TestProse(t *testing.T) {
	for _, path := range documents(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fenced := false
		number := 0
		for line := range strings.Lines(string(text)) {
			number++
			line = strings.TrimRight(line, "\n")
			if strings.HasPrefix(line, "```") {
				fenced = !fenced
			}
			if fenced || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "    ") {
				continue
			}
			if n := utf8.RuneCountInString(line); n > 120 {
				t.Errorf("%s:%d: the line has %d columns, want at most 120", path, number, n)
			}
			if strings.HasSuffix(line, " ") {
				t.Errorf("%s:%d: the line ends with a space", path, number)
			}
		}
		if fenced {
			t.Errorf("%s: a fenced block does not end", path)
		}
	}
}

// keyRows returns the table of keys that documents package config, as rows of a
// Markdown table.
func keyRows(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "internal/config/doc.go"))
	if err != nil {
		t.Fatal(err)
	}
	var second, third int // where columns begin, in runes
	var rows bytes.Buffer
	for line := range strings.Lines(string(text)) {
		line, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "//\t")
		if !ok {
			continue
		}
		if strings.HasPrefix(line, "key ") {
			second, third = strings.Index(line, "default"), strings.Index(line, "meaning")
			continue
		}
		cells := []rune(line)
		if second <= 0 || third < second || len(cells) <= third {
			t.Fatalf("the table of keys in package config has other columns: %s", line)
		}
		cell := func(r []rune) string {
			return strings.ReplaceAll(strings.TrimSpace(string(r)), "|", `\|`)
		}
		fmt.Fprintf(&rows, "| `%s` | %s | %s |\n", cell(cells[:second]), cell(cells[second:third]), cell(cells[third:]))
	}
	if rows.Len() == 0 {
		t.Fatal("package config documents no keys")
	}
	return rows.Bytes()
}
