package setup

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"signpost/templates"

	"signpost/internal/fault"
)

func TestCheckEmbedded(t *testing.T) {
	if err := Check(templates.Embedded()); err != nil {
		t.Error(err)
	}
}

// overlay writes files into a directory of templates.
func overlay(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(files[i+1]), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoadTemplates(t *testing.T) {
	dir := overlay(t, "html/ask.html", `{{define "ask"}}<h1>Our own</h1>{{end}}{{define "contact"}}{{end}}`,
		"text/pt.json", `{"language": "Português"}`,
		"text/he.json", `{"language": "עברית"}`, "README", "Ours.")
	set, err := LoadTemplates(dir)
	if err != nil {
		t.Fatal(err)
	}
	body := get(t, Handler(nil, Options{Templates: set}), "/?lang=pt").Body.String()
	if !strings.Contains(body, "<h1>Our own</h1>") || !strings.Contains(body, `<html lang="pt" dir="ltr">`) ||
		!strings.Contains(body, ">Português</button>") {
		t.Errorf("the page in Portuguese lacks the heading, language or name of the overlay:\n%s", body)
	}
	body = get(t, Handler(nil, Options{Templates: set}), "/?lang=he").Body.String()
	if !strings.Contains(body, `<html lang="he" dir="rtl">`) {
		t.Errorf("Hebrew is not written from right to left:\n%s", body)
	}
	var got []string
	for _, w := range set.Warnings {
		got = append(got, regexp.MustCompile(`: (not used|\d+ of).*`).ReplaceAllString(w.String(), ": $1"))
	}
	want := []string{filepath.Join(dir, "README") + ": not used", filepath.Join(dir, "text", "he.json") + ": 200 of",
		filepath.Join(dir, "text", "pt.json") + ": 200 of"}
	for i := range got {
		got[i] = regexp.MustCompile(`2\d\d of`).ReplaceAllString(got[i], "200 of")
	}
	if !slices.Equal(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
}

// TestLoadTemplatesFaults checks the faults that only show when a page is written.
func TestLoadTemplatesFaults(t *testing.T) {
	for _, test := range []struct{ file, data, want string }{
		{"html/ask.html", "{{define \"ask\"}}\n{{.Colour}}{{end}}{{define \"contact\"}}{{end}}",
			"html/ask.html:2: can't evaluate field Colour"},
		{"html/ask.html", "{{define \"ask\"}}{{end}}",
			`html/ask.html: does not define "contact", which html/answer.html uses`},
		{"html/android.html", "{{define \"android\"}}\n\n{{.Answer}}{{end}}",
			"html/android.html:3: can't evaluate field Answer"},
		{"html/android.html", "", `html/android.html: does not define "android", which html/answer.html uses`},
		{"html/android.html", "{{define \"android\"}}\n{{t \"android.type\"}}{{end}}",
			`html/android.html:2: text "android.type": {address} is not given a value here`},
		{"html/android.html", "{{define \"android\"}}<a href='\n{{.Address}}{{end}}",
			`(the page's own) html/answer.html: {{if}} branches end in different contexts`},
		{"html/android.html", "{{define \"android\"}}<a onclick={{if .Mail}}\"{{end}}>{{end}}", "html/android.html:1: "},
		{"html/answer.html", "{{define \"answer\"}}{{range .Answer.Tables}}{{template \"table\" .}}{{end}}{{end}}",
			`html/answer.html: does not define "table", which html/android.html uses`},
		{"text/en.json", `{"android.title": "{"}`,
			`text/en.json:1: "android.title": { must open a name in braces, such as {address}`},
	} {
		dir := overlay(t, test.file, test.data)
		_, err := LoadTemplates(dir)
		faults, ok := errors.AsType[fault.List](err)
		if !ok {
			t.Errorf("LoadTemplates with %s: %v, want a fault.List", test.data, err)
			continue
		}
		got := strings.ReplaceAll(faults[0].String(), dir+"/", "")
		if strings.HasPrefix(test.want, "(the page's own)") {
			got = regexp.MustCompile(`^(.* html/answer.html):\d+`).ReplaceAllString(got, "$1") // the line changes with our file
		}
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("LoadTemplates with %s:\n%s\nwant\n%s", test.data, got, test.want)
		}
		if strings.Contains(err.Error(), "setup.") || strings.Contains(err.Error(), "*") {
			t.Errorf("LoadTemplates with %s: the error names a Go type: %v", test.data, err)
		}
	}
	nowhere := filepath.Join(t.TempDir(), "not-there")
	if _, err := LoadTemplates(nowhere); err == nil || err.Error() != nowhere+": no such file or directory" {
		t.Errorf("LoadTemplates of a missing directory: %v", err)
	}
}

// TestTemplateFails checks that neither the page nor the log gives the reason why a
// page cannot be written, because the reason may quote the address.
func TestTemplateFails(t *testing.T) {
	set, err := templates.Load(os.DirFS(overlay(t, "html/answer.html",
		`{{define "answer"}}{{index .Form.Address 1000}}{{end}}{{define "table"}}{{end}}`)))
	if err != nil {
		t.Fatal(err)
	}
	resolve, o := load(t, "mamut")
	var log strings.Builder
	o.Templates, o.Log = set, logTo(&log)
	w := askFor(t, Handler(resolve, o), "mail@domain.se")
	if w.Code != 500 || strings.Contains(w.Body.String(), "index") ||
		w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("status %d, %q, want 500 as plain text without the reason", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "file=html/answer.html line=1") || strings.Contains(log.String(), "mail@") {
		t.Errorf("the log has %q, want the place and no address", &log)
	}
}

// TestSamplesShowEveryText checks that the pages that Check writes reach every text of
// the templates. A fault in an operator's template is then found when it is loaded,
// whichever branch it is in.
func TestSamplesShowEveryText(t *testing.T) {
	data, err := os.ReadFile("../../templates/text/en.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := json.Unmarshal(data, &texts); err != nil {
		t.Fatal(err)
	}
	for key, text := range texts {
		texts[key] = "<" + key + ">" + strings.Join(regexp.MustCompile(`\{\w+\}`).FindAllString(text, -1), "")
	}
	if data, err = json.Marshal(texts); err != nil {
		t.Fatal(err)
	}
	set, err := templates.Load(fstest.MapFS{"text/en.json": {Data: data}})
	if err != nil {
		t.Fatal(err)
	}
	var pages strings.Builder
	for _, page := range samplePages(set, set.Languages[0]) {
		if err := set.Languages[0].Execute(&pages, page); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob("../../templates/html/*.html")
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, use := range regexp.MustCompile(`\b(?:t|text) "([a-z0-9.]+)"`).FindAllStringSubmatch(string(source), -1) {
			if !strings.Contains(pages.String(), "&lt;"+use[1]+"&gt;") {
				t.Errorf("%s: no sample page shows the text %q", filepath.Base(file), use[1])
			}
		}
	}
}
