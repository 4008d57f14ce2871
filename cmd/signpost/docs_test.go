package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const root = "../.."

// documents lists the Markdown files that people read.
func documents(t *testing.T) (paths []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/accounts/*.md", "docs/doctor/*.md",
		"docs/coming-from/*.md", "testdata/*.md"} {
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
			switch filepath.Base(path) {
			case "configuration.md":
				got = fillTable(t, got, keyTable, keyRows(t))
			case "page.md":
				got = fillTable(t, got, textTable, textRows(t))
			case "faults.md":
				got = fillTable(t, got, faultTables, faultRows())
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
	if sessions < 8 || systems < 3 || configurations < 12 {
		t.Errorf("the documents hold %d sessions, %d example systems and %d other configurations, too few to be all",
			sessions, systems, configurations)
	}
}

// fillTable puts rows in the place of those of the table in the document.
func fillTable(t *testing.T, document []byte, table *regexp.Regexp, rows []byte) []byte {
	t.Helper()
	at := table.FindSubmatchIndex(document)
	if at == nil {
		t.Fatalf("the document has no table that matches %s", table)
	}
	return slices.Concat(document[:at[4]], rows, document[at[5]:])
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
	for _, name := range []string{"postconf.txt", "services.txt", "doveconf.txt"} {
		text, err := os.ReadFile(filepath.Join(root, "internal/importer/machine/testdata/document", name))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, folder, name, string(text))
	}
	writeFile(t, folder, "page/text/pt.json", `{"language": "Português", "form.title": "Configurar o e-mail"}`)
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
	if out, err := signpost(folder, "check", "-offline", "-config", file); err != nil {
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

// session runs the commands of a session and returns it with their output. A session that
// ends in … shows only the beginning.
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
	if begin, ok := strings.CutSuffix(text, "…\n"); ok {
		lines := slices.Collect(strings.Lines(out.String()))
		return strings.Join(lines[:min(strings.Count(begin, "\n"), len(lines))], "") + "…\n"
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
		if cell(cells[:third]) == "" { // the meaning continues
			rows.Truncate(rows.Len() - len(" |\n"))
			fmt.Fprintf(&rows, " %s |\n", cell(cells[third:]))
			continue
		}
		fmt.Fprintf(&rows, "| `%s` | %s | %s |\n", cell(cells[:second]), cell(cells[second:third]), cell(cells[third:]))
	}
	if rows.Len() == 0 {
		t.Fatal("package config documents no keys")
	}
	return rows.Bytes()
}

// textTable matches the table of text keys in docs/page.md.
var textTable = regexp.MustCompile(`(?s)(\n## All text keys\n.*?\n\|---\|---\|\n)((?:\|[^\n]*\n)*)`)

// textRows returns the keys of the page's texts, grouped by what stands before the
// dot, as rows of a Markdown table.
func textRows(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "templates/text/en.json"))
	if err != nil {
		t.Fatal(err)
	}
	var groups []string
	words := map[string][]string{}
	for _, match := range regexp.MustCompile(`(?m)^ *"([a-z0-9.]+)":`).FindAllStringSubmatch(string(text), -1) {
		group, word, ok := strings.Cut(match[1], ".")
		if strings.Contains(word, ".") {
			continue // a plural form
		}
		if !ok {
			word = "" // the key is the group itself
		}
		if words[group] == nil {
			groups = append(groups, group)
		}
		words[group] = append(words[group], word)
	}
	var rows bytes.Buffer
	for _, group := range groups {
		if len(words[group]) == 1 && words[group][0] == "" {
			fmt.Fprintf(&rows, "| `%s` | a key without a dot |\n", group)
			continue
		}
		fmt.Fprintf(&rows, "| `%s` | `%s` |\n", group, strings.Join(words[group], "` `"))
	}
	return rows.Bytes()
}

// TestDocumentedTemplates looks for everything that the page's own templates use
// in docs/page.md.
func TestDocumentedTemplates(t *testing.T) {
	document, err := os.ReadFile(filepath.Join(root, "docs/page.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "templates/html/*.html"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(document, []byte("`"+filepath.Base(file)+"`")) {
			t.Errorf("docs/page.md does not name %s", file)
		}
		for _, action := range regexp.MustCompile(`{{.*?}}`).FindAll(text, -1) {
			for _, name := range regexp.MustCompile(`\.[A-Z]\w*|{{define "[a-z-]+"`).FindAll(action, -1) {
				if define, ok := bytes.CutPrefix(name, []byte(`{{define "`)); ok {
					name = bytes.TrimSuffix(define, []byte(`"`))
				}
				if !bytes.Contains(document, append(append([]byte("`"), name...), '`')) {
					t.Errorf("%s uses %s, which docs/page.md does not name", file, name)
				}
			}
		}
	}
}

// jsonFields adds the names of all fields of a JSON value, joined by dots as
// docs/json.md has them.
func jsonFields(prefix string, value any, fields map[string]bool) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			fields[prefix+name] = true
			jsonFields(prefix+name+".", inner, fields)
		}
	case []any:
		for _, inner := range value {
			jsonFields(strings.TrimSuffix(prefix, ".")+"[].", inner, fields)
		}
	}
}

// TestDocumentedJSON looks for every field that the commands print in docs/json.md.
func TestDocumentedJSON(t *testing.T) {
	document, err := os.ReadFile(filepath.Join(root, "docs/json.md"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, name := range []string{"mamut.yaml", "office365.yaml"} {
		writeFile(t, folder, name, string(readSystem(t, name)))
	}
	writeFile(t, folder, "more.yaml", `
dns: {servers: ["127.0.0.1:1"]}
name: setup.example.com
accounts:
  - list:
      anna@example.com: {username: anna, displayName: Anna, inactive: true}
      alias@example.com: {alias: anna@example.com}
      far@example.com: {alias: anna@elsewhere.example}
providers:
  - id: example
    displayName: Example Mail
    domains: [example.com]
    mx: [mx.example.com]
    servers:
      - {type: imap, hostname: mail.example.com, authentication: OAuth2, clients: {outlook: {username: o}}}
      - {type: smtp, hostname: mail.example.com, port: 587}
      - {type: caldav, url: "https://example.com/dav"}
    oAuth2: {issuer: example.com, scope: mail, authURL: "https://example.com/a", tokenURL: "https://example.com/t"}
`)
	sections := map[string][][]string{
		"check -json": {{"check", "-config", "mamut.yaml", "-json"}, {"check", "-config", "more.yaml", "-json"}},
		"show -json": {
			{"show", "-config", "mamut.yaml", "-json", "mail@domain.se"},
			{"show", "-config", "office365.yaml", "-json", "anna@kh-konsult.example"},
			{"show", "-config", "more.yaml", "-json", "anna@example.com"},
			{"show", "-config", "more.yaml", "-json", "alias@example.com"},
			{"show", "-config", "more.yaml", "-json", "far@example.com"},
		},
		"records -format json": {{"records", "-config", "mamut.yaml", "-format", "json", "domain.se"}},
		"records -compare -format json": {
			{"records", "-config", "more.yaml", "-compare", "-resolver", "127.0.0.1:1", "-format", "json", "example.com"},
		},
	}
	for section, commands := range sections {
		_, text, ok := strings.Cut(string(document), "\n## "+section+"\n")
		if !ok {
			t.Errorf("docs/json.md has no section %s", section)
			continue
		}
		text, _, _ = strings.Cut(text, "\n## ")
		for _, args := range commands {
			cmd := exec.Command(os.Args[0], args...)
			cmd.Env = append(os.Environ(), asSignpost+"=1")
			cmd.Dir = folder
			printed, _ := cmd.Output() // -compare ends with 1, since no name server answers
			var value any
			if err := json.Unmarshal(printed, &value); err != nil {
				t.Fatalf("signpost %q does not print JSON: %v\n%s", args, err, printed)
			}
			fields := map[string]bool{}
			jsonFields("", value, fields)
			if len(fields) < 3 {
				t.Errorf("signpost %q prints only %v", args, fields)
			}
			for field := range fields {
				field = strings.TrimPrefix(field, "[].")
				for _, servers := range []string{"clients[].servers[].", "clients[].manual[]."} {
					field = strings.TrimPrefix(field, servers)
				}
				if !strings.Contains(text, "\n| `"+field+"` |") {
					t.Errorf("signpost %q prints %q, which docs/json.md does not explain", args, field)
				}
			}
		}
	}
}

var (
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	notInAnchor  = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// anchors returns what links to the headings of a document end in.
func anchors(t *testing.T, path string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if _, heading, ok := strings.Cut(line, "# "); ok && strings.HasPrefix(line, "#") {
			heading = notInAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
			found[strings.ReplaceAll(heading, " ", "-")] = true
		}
	}
	return found
}

// TestLinks follows every link between the documents, to its heading.
func TestLinks(t *testing.T) {
	links := 0
	for _, path := range documents(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range markdownLink.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			links++
			file, anchor, _ := strings.Cut(match[1], "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", path, match[1], err)
			} else if anchor != "" && !anchors(t, target)[anchor] {
				t.Errorf("%s links to %s, but no heading of %s leads there", path, match[1], target)
			}
		}
	}
	if links < 60 {
		t.Errorf("the documents hold %d links, too few to be all", links)
	}
}

// TestReadmeIsShort holds README.md to what a newcomer reads at once.
func TestReadmeIsShort(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte("\n")); n > 150 {
		t.Errorf("README.md has %d lines, want at most 150", n)
	}
}

// TestArchitecture looks for every package in docs/architecture.md, and for every
// place that the document names in the source.
func TestArchitecture(t *testing.T) {
	document, err := os.ReadFile(filepath.Join(root, "docs/architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "signpost/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for name := range strings.Lines(string(out)) {
		name = strings.TrimPrefix(strings.TrimSpace(name), "signpost/")
		if !bytes.Contains(document, []byte("`"+name+"`")) {
			t.Errorf("docs/architecture.md does not name package %s", name)
		}
	}
	for _, file := range []string{"docs/architecture.md", "CONTRIBUTING.md"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile("`((?:[a-z]+/)+[a-z_]+(?:\\.[a-z]+)?)`").FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(root, match[1])); err != nil {
				t.Errorf("%s names %s: %v", file, match[1], err)
			}
		}
	}
}
