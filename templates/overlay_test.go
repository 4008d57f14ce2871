package templates

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"signpost/internal/fault"
)

func TestOverlay(t *testing.T) {
	set, err := Load(fstest.MapFS{
		"html/ask.html":    {Data: []byte(`{{define "ask"}}<p>Ours</p>{{template "ours" .}}{{end}}{{define "contact"}}{{end}}`)},
		"html/ours.html":   {Data: []byte(`{{define "ours"}}<p>{{t "form.title"}}</p>{{end}}`)},
		"text/en.json":     {Data: []byte(`{"form.title": "Our mail"}`)},
		"text/pt.json":     {Data: []byte(`{"language": "Português", "form.title": "Configurar o e-mail"}`)},
		"static/style.css": {Data: []byte("p{color:red}")},
		".git/config":      {Data: []byte("ignored")},
		"html/.swp":        {Data: []byte("ignored")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	err = set.Match("pt").pages.ExecuteTemplate(&b, "ask", nil)
	if want := "<p>Ours</p><p>Configurar o e-\u2060mail</p>"; err != nil || b.String() != want {
		t.Errorf("template ask = %q, %v, want %q", &b, err, want)
	}
	if got := set.Languages[0].Text("form.title"); got != "Our mail" {
		t.Errorf("English form.title = %q, want the overlay's", got)
	}
	if got := set.Languages[0].Text("form.submit"); got != "Show my settings" {
		t.Errorf("English form.submit = %q, want the embedded text", got)
	}
	if got := set.Match("pt").Text("form.submit"); got != "Show my settings" {
		t.Errorf("Portuguese form.submit = %q, want the English text", got)
	}
	if got := set.Match("sv").Text("form.title"); got != "Ställ in din e-post" {
		t.Errorf("Swedish form.title = %q, want the embedded text", got)
	}
	if string(set.Style) != "p{color:red}" || len(set.Script) == 0 {
		t.Errorf("Style = %q and Script has %d bytes, want the overlay's style and the embedded script",
			set.Style, len(set.Script))
	}
	lacking := regexp.MustCompile(`^text/pt\.json: 2\d\d of 2\d\d texts are in English: ` +
		`"android\.chromeos", ("android\.[a-z]+", ){3}"android\.[a-z]+" and 2\d\d more$`)
	if len(set.Warnings) != 1 || !lacking.MatchString(set.Warnings[0].String()) {
		t.Errorf("warnings %q, want one with the number of texts that Portuguese lacks", set.Warnings)
	}
}

// TestOverlayFaults checks the messages about faults in an operator's files.
func TestOverlayFaults(t *testing.T) {
	deep := strings.Repeat("x", maxFile+1)
	for _, test := range []struct{ file, data, want string }{
		{"static/style.css", deep, "static/style.css: the file is larger than 1024 KiB"},
		{"html/ask.html", "a\n{{if}}", "html/ask.html:2: missing value for if"},
		{"html/ask.html", "a\nb\n{{colour .}}", `html/ask.html:3: function "colour" not defined`},
		{"html/ask.html", "{{define \"ask\"}}\n{{t \"form.titel\"}}{{end}}{{define \"contact\"}}{{end}}",
			`html/ask.html:2: there is no text "form.titel"`},
		{"html/page.html", `{{define "title"}}{{end}}<p>`, `html/page.html: does not define "page", which the program uses`},
		{"html/ask.html", `{{define "ask"}}{{.Nope}}{{end}}{{define "contact-ways"}}{{end}}`,
			`html/ask.html: does not define "contact", which html/answer.html uses`},
		{"html/ours.html", "\n{{template \"hours\"}}", `html/ours.html:2: there is no template "hours"`},
		{"text/sv.json", "{\n\"form.title\": 1}", `text/sv.json:2: "form.title": want a text in quotation marks`},
		{"text/sv.json", "{\n\"form.title\": {\"a\": \"b\"}}",
			`text/sv.json:2: "form.title": want a text in quotation marks`},
		{"text/sv.json", "{\n\"form.title\": \"a\",\n\"form.title\": \"b\"}", `text/sv.json:3: "form.title" is given twice`},
		{"text/sv.json", "{\n\"form.title\": \"**a\"}",
			`text/sv.json:2: "form.title": ** opens bold words that are not closed`},
		{"text/sv.json", "{\n\"answer.title\": \"{adress}\"}",
			`text/sv.json:2: "answer.title" has the names [adress], want [address]`},
		{"text/en.json", "{\"answer.title\": \"{adress}\"}",
			`text/en.json:1: "answer.title" has the names [adress], want [address]`},
		{"text/en.json", "{\"form.titel\": \"a\"}", `text/en.json:1: has "form.titel", which nothing uses`},
		{"text/sv.json", "{\n\"form.titel\": \"a\"}", `text/sv.json:2: has "form.titel", which nothing uses`},
		{"text/sv.json", "{\n\"form.title\" \"a\"}",
			`text/sv.json:2: not readable as JSON: invalid character '"' after object key`},
		{"text/sv.json", "{\n\"form.title\": \"a\"", "text/sv.json:2: not readable as JSON: it ends too early"},
		{"text/sv.json", "", "text/sv.json:1: not readable as JSON: it ends too early"},
		{"text/sv.json", "[]", `text/sv.json:1: want one object, {"key": "text", …}`},
		{"text/sv.json", "\n[]", `text/sv.json:2: want one object, {"key": "text", …}`},
		{"text/sv.json", "{} {}", `text/sv.json:1: something follows the closing brace`},
		{"text/german.json", "{}", "text/german.json: the name of the file is not a language tag such as de or pt-BR"},
		{"text/pt.json", "{}", `text/pt.json: lacks "language", the language's name in itself`},
	} {
		_, err := Load(fstest.MapFS{test.file: {Data: []byte(test.data)}})
		if faults, ok := errors.AsType[fault.List](err); !ok || faults.Error() != test.want {
			t.Errorf("Load with %s %.40q:\n%v\nwant\n%s", test.file, test.data, err, test.want)
		}
	}
	if _, err := Load(os.DirFS("not-there")); err == nil {
		t.Error("Load of a directory that does not exist succeeds, want an error")
	}
}

// TestOverlayLeftovers checks that other files in the directory are ignored with a
// warning, except hidden ones.
func TestOverlayLeftovers(t *testing.T) {
	set, err := Load(fstest.MapFS{"README": {}, "html/ask.html~": {}, "html/#ask.html#": {}, "html/old/ask.html": {},
		"static/ours.css": {}, ".git/x": {}, "html/.swp": {}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range set.Warnings {
		file, why, _ := strings.Cut(w.String(), ": ")
		got = append(got, file)
		const want = "not used: it is none of the files that the page is made of, " +
			"html/*.html, text/LANG.json, static/style.css, static/copy.js"
		if why != want {
			t.Errorf("warning about %s: %q, want %q", file, why, want)
		}
	}
	want := []string{"README", "html/#ask.html#", "html/ask.html~", "html/old", "static/ours.css"}
	if !slices.Equal(got, want) {
		t.Errorf("warnings about %q, want %q", got, want)
	}
}

// TestOverlayStyle checks that rules of an operator's style for classes that the page
// does not have, as after an upgrade, are named in one warning.
func TestOverlayStyle(t *testing.T) {
	for _, test := range []struct{ style, html, want string }{
		{"p{color:red}", "", ""},
		{".card, .button:hover > .hint { margin: .5rem }", "", ""},
		{".unseen { }", "", ""}, // of the script
		{"/* .old { } */ @media (min-width: 1.5em) { .card { content: \".old\"; background: url(x.png) } }", "", ""},
		{".copy { }\n.card .copy, td.cell:not(.gone) { }", "", ".copy, .cell, .gone"},
		{".ours { }", "", ".ours"},
		{".ours { }", `{{define "ask"}}<p class="hint ours">{{end}}{{define "contact"}}{{end}}`, ""},
	} {
		files := fstest.MapFS{"static/style.css": {Data: []byte(test.style)}}
		if test.html != "" {
			files["html/ask.html"] = &fstest.MapFile{Data: []byte(test.html)}
		}
		set, err := Load(files)
		if err != nil {
			t.Fatal(err)
		}
		got, want := "", ""
		for _, w := range set.Warnings {
			got += w.String()
		}
		if test.want != "" {
			want = "static/style.css: has rules for " + test.want +
				", which the page does not have; compare it with the original"
		}
		if got != want {
			t.Errorf("style %q with HTML %q: warnings %q, want %q", test.style, test.html, got, want)
		}
	}
}

// TestOverlayLinks checks that symbolic links are followed.
func TestOverlayLinks(t *testing.T) {
	elsewhere, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(elsewhere+"/en.json", []byte(`{"form.title": "Our mail"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, dir+"/text"); err != nil {
		t.Fatal(err)
	}
	set, err := Load(os.DirFS(dir))
	if err != nil || set.Languages[0].Text("form.title") != "Our mail" || len(set.Warnings) > 0 {
		t.Errorf("Load through a link: %v, want the overlay's text and no warnings", err)
	}
	if err := os.Symlink("nowhere", elsewhere+"/sv.json"); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(os.DirFS(dir)); err == nil || err.Error() != "text/sv.json: no such file or directory" {
		t.Errorf("Load with a link to nothing: %v", err)
	}
}
