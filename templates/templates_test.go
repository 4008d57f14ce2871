package templates

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"signpost/internal/fault"
)

func embeddedSet(t testing.TB) *Set {
	t.Helper()
	set, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestLanguages says what a language lacks or has too much, and whether its
// texts are filled in with the same things as the English ones.
func TestLanguages(t *testing.T) {
	set := embeddedSet(t)
	if len(set.Languages) < 2 || set.Languages[0].Tag != "en" {
		t.Fatalf("got %d languages, the first %s", len(set.Languages), set.Languages[0].Tag)
	}
	english := set.Languages[0].texts
	for _, lang := range set.Languages[1:] {
		d := lang.texts.compare(english, "text/"+lang.Tag+".json")
		for _, f := range slices.Concat(d.missing, d.misnamed, d.unused) {
			t.Error(f)
		}
		for key, m := range lang.texts {
			if same := m.plain[0].literal; len(same) > 25 && same == english[key].plain[0].literal {
				t.Errorf("%s: %q is in English", lang.Tag, key)
			}
		}
	}
}

func TestCompare(t *testing.T) {
	read := func(text string) catalogue {
		c := catalogue{}
		if faults := c.readFile("x", []byte(text)); len(faults) > 0 {
			t.Fatal(faults)
		}
		return c
	}
	english := read(`{"a": "A {x}", "b": "B {x} {y}", "c": "C"}`)
	other := read(`{"b": "B {y} {y}", "c": "C", "d": "D"}`)
	want := []string{
		`text/de.json: lacks "a"`,
		`text/de.json:1: "b" has the names [y], want [x y]`,
		`text/de.json:1: has "d", which nothing uses`,
	}
	d := other.compare(english, "text/de.json")
	got := slices.Concat(d.missing, d.misnamed, d.unused)
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i, f := range got {
		if f.String() != want[i] {
			t.Errorf("got %s, want %s", f, want[i])
		}
	}
}

func TestMessage(t *testing.T) {
	set := embeddedSet(t)
	for _, test := range []struct{ text, markup, plain string }{
		{"Hello", "Hello", "Hello"},
		{"", "", ""},
		{"a < b & c", "a &lt; b &amp; c", "a < b & c"},
		{"Tap **Install** now", "Tap <b>Install</b> now", "Tap Install now"},
		{"**A** and **B**", "<b>A</b> and <b>B</b>", "A and B"},
		{"2 * 3", "2 * 3", "2 * 3"},
		{"{name}!", "&lt;i&gt;!", "<i>!"},
		{"**{name}** {name}", "<b>&lt;i&gt;</b> &lt;i&gt;", "<i> <i>"},
		{"{count} an hour", "2,000 an hour", "2,000 an hour"},
		{"din e-post, vår e-post", "din e-\u2060post, vår e-\u2060post", "din e-post, vår e-post"},
		{"sign-in", "sign-in", "sign-in"},
	} {
		m, err := parseMessage(test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		lang := *set.Languages[0]
		lang.texts = catalogue{"x": m}
		markup, err := lang.markup("x", "name", "<i>", "count", 2000)
		if err != nil || string(markup) != test.markup {
			t.Errorf("%q: got %q, %v; want %q", test.text, markup, err, test.markup)
		}
		if plain, err := lang.plain("x", "name", "<i>", "count", 2000); err != nil || plain != test.plain {
			t.Errorf("%q: got %q, %v; want %q", test.text, plain, err, test.plain)
		}
	}
	for _, text := range []string{"{", "}", "{}", "{ name}", "{Name}", "a {name", "a } b", "**bold", "a ** b ** c **"} {
		if _, err := parseMessage(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestNumbers(t *testing.T) {
	set := embeddedSet(t)
	for tag, want := range map[string]string{"en": "2,000", "sv": "2\u00a0000"} {
		if got := set.Match(tag).format(2000); got != want {
			t.Errorf("%s: got %q, want %q", tag, got, want)
		}
	}
}

func TestMatch(t *testing.T) {
	set := embeddedSet(t)
	// A Firefox with ten languages sends more than 200 octets.
	firefox := "sv-SE,sv;q=0.95,fi-FI;q=0.9,fi;q=0.86,nb-NO;q=0.82,nb;q=0.77,nn-NO;q=0.73,nn;q=0.68,da-DK;q=0.64,da;q=0.59,de-DE;q=0.55,de;q=0.5,en-US;q=0.45,en;q=0.41,fr-FR;q=0.36,fr;q=0.32,es-ES;q=0.27,es;q=0.23,it-IT;q=0.18,it;q=0.14"
	for _, test := range []struct {
		wishes []string
		want   string
	}{
		{nil, "en"},
		{[]string{""}, "en"},
		{[]string{"sv"}, "sv"},
		{[]string{"SV-se"}, "sv"},
		{[]string{"sv-FI,fi;q=0.9"}, "sv"},
		{[]string{"de,sv;q=0.5"}, "sv"},
		{[]string{"de"}, "en"},
		{[]string{"en-GB,sv;q=0.9"}, "en"},
		{[]string{"", "sv"}, "sv"},
		{[]string{"en", "sv"}, "en"},
		{[]string{"xx", "sv"}, "sv"},
		{[]string{"<script>", "sv"}, "sv"},
		{[]string{firefox, "en"}, "sv"},
		{[]string{strings.Repeat("x", 300), "sv"}, "sv"},
		{[]string{strings.Repeat(",", 300), "sv"}, "sv"},
		{[]string{"*"}, "en"},
		{[]string{"de,en;q=0.8,sv;q=0.7"}, "en"},
		{[]string{strings.Repeat("sv,", 1000)}, "sv"}, // no browser sends that, but it begins like one
		{[]string{strings.Repeat("sv", 1000)}, "en"},
	} {
		if got := set.Match(test.wishes...).Tag; got != test.want {
			t.Errorf("%q: got %s, want %s", test.wishes, got, test.want)
		}
	}
}

func TestOverlay(t *testing.T) {
	set, err := Load(fstest.MapFS{
		"html/ask.html":    {Data: []byte(`{{define "ask"}}<p>Ours</p>{{template "ours" .}}{{end}}{{define "contact"}}{{end}}`)},
		"html/ours.html":   {Data: []byte(`{{define "ours"}}<p>{{t "form.title"}}</p>{{end}}`)},
		"text/en.json":     {Data: []byte(`{"form.title": "Our mail"}`)},
		"text/de.json":     {Data: []byte(`{"language": "Deutsch", "form.title": "E-Mail einrichten"}`)},
		"static/style.css": {Data: []byte("p{color:red}")},
		".git/config":      {Data: []byte("ignored")},
		"html/.swp":        {Data: []byte("ignored")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	err = set.Match("de").pages.ExecuteTemplate(&b, "ask", nil)
	if want := "<p>Ours</p><p>E-\u2060Mail einrichten</p>"; err != nil || b.String() != want {
		t.Errorf("got %q, %v, want %q", &b, err, want)
	}
	if got := set.Languages[0].Text("form.title"); got != "Our mail" {
		t.Errorf("got %q", got)
	}
	if got := set.Languages[0].Text("form.submit"); got != "Show my settings" {
		t.Errorf("a text that the overlay leaves alone: got %q", got)
	}
	if got := set.Match("de").Text("form.submit"); got != "Show my settings" {
		t.Errorf("a text that German lacks: got %q", got)
	}
	if got := set.Match("sv").Text("form.title"); got != "Ställ in din e-post" {
		t.Errorf("Swedish: got %q", got)
	}
	if string(set.Style) != "p{color:red}" || len(set.Script) == 0 {
		t.Errorf("got style %q and %d octets of script", set.Style, len(set.Script))
	}
	if len(set.Warnings) < 100 || set.Warnings[0].String() != `text/de.json: lacks "android.exchange"` {
		t.Errorf("warnings: got %d, the first %v", len(set.Warnings), set.Warnings[:min(1, len(set.Warnings))])
	}
}

// TestOverlayFaults: each message is read by an operator.
func TestOverlayFaults(t *testing.T) {
	deep := strings.Repeat("x", maxFile+1)
	for _, test := range []struct{ file, data, want string }{
		{"static/style.css", deep, "static/style.css: the file is larger than 1024 KiB"},
		{"html/ask.html", "a\n{{if}}", "html/ask.html:2: missing value for if"},
		{"html/ask.html", "a\nb\n{{colour .}}", `html/ask.html:3: function "colour" not defined`},
		{"html/ask.html", "{{define \"ask\"}}\n{{t \"form.titel\"}}{{end}}{{define \"contact\"}}{{end}}", `html/ask.html:2: there is no text "form.titel"`},
		{"html/page.html", `{{define "title"}}{{end}}<p>`, `html/page.html: does not define "page", which the program uses`},
		{"html/ask.html", `{{define "ask"}}{{.Nope}}{{end}}{{define "contact-ways"}}{{end}}`, `html/ask.html: does not define "contact", which html/answer.html uses`},
		{"html/ours.html", "\n{{template \"hours\"}}", `html/ours.html:2: there is no template "hours"`},
		{"text/sv.json", "{\n\"form.title\": 1}", `text/sv.json:2: "form.title": want a text in quotation marks`},
		{"text/sv.json", "{\n\"form.title\": {\"a\": \"b\"}}", `text/sv.json:2: "form.title": want a text in quotation marks`},
		{"text/sv.json", "{\n\"form.title\": \"a\",\n\"form.title\": \"b\"}", `text/sv.json:3: "form.title" is given twice`},
		{"text/sv.json", "{\n\"form.title\": \"**a\"}", `text/sv.json:2: "form.title": ** opens bold words that are not closed`},
		{"text/sv.json", "{\n\"answer.title\": \"{adress}\"}", `text/sv.json:2: "answer.title" has the names [adress], want [address]`},
		{"text/en.json", "{\"answer.title\": \"{adress}\"}", `text/en.json:1: "answer.title" has the names [adress], want [address]`},
		{"text/en.json", "{\"form.titel\": \"a\"}", `text/en.json:1: has "form.titel", which nothing uses`},
		{"text/sv.json", "{\n\"form.titel\": \"a\"}", `text/sv.json:2: has "form.titel", which nothing uses`},
		{"text/sv.json", "{\n\"form.title\" \"a\"}", `text/sv.json:2: not readable as JSON: invalid character '"' after object key`},
		{"text/sv.json", "{\n\"form.title\": \"a\"", "text/sv.json:2: not readable as JSON: it ends too early"},
		{"text/sv.json", "", "text/sv.json:1: not readable as JSON: it ends too early"},
		{"text/sv.json", "[]", `text/sv.json:1: want one object, {"key": "text", …}`},
		{"text/sv.json", "{} {}", `text/sv.json:1: something follows the closing brace`},
		{"text/german.json", "{}", "text/german.json: the name of the file is not a language tag such as de or pt-BR"},
		{"text/de.json", "{}", `text/de.json: lacks "language", the language's name in itself`},
	} {
		_, err := Load(fstest.MapFS{test.file: {Data: []byte(test.data)}})
		var faults fault.List
		if !errors.As(err, &faults) || faults.Error() != test.want {
			t.Errorf("%s %.40q: got\n%v\nwant\n%s", test.file, test.data, err, test.want)
		}
	}
	if _, err := Load(os.DirFS("not-there")); err == nil {
		t.Error("a folder that does not exist is no fault")
	}
}

// TestOverlayLeftovers: what editors and people leave beside the files keeps
// nobody's page from being served.
func TestOverlayLeftovers(t *testing.T) {
	set, err := Load(fstest.MapFS{"README": {}, "html/ask.html~": {}, "html/#ask.html#": {}, "html/old/ask.html": {}, "static/ours.css": {}, ".git/x": {}, "html/.swp": {}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range set.Warnings {
		file, why, _ := strings.Cut(w.String(), ": ")
		got = append(got, file)
		if !strings.HasPrefix(why, "not used: ") {
			t.Errorf("got %s", w)
		}
	}
	if want := []string{"README", "html/#ask.html#", "html/ask.html~", "html/old", "static/ours.css"}; !slices.Equal(got, want) {
		t.Errorf("warned of %q, want %q", got, want)
	}
}

// TestOverlayLinks: a folder may be kept elsewhere.
func TestOverlayLinks(t *testing.T) {
	elsewhere, folder := t.TempDir(), t.TempDir()
	if err := os.WriteFile(elsewhere+"/en.json", []byte(`{"form.title": "Our mail"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, folder+"/text"); err != nil {
		t.Fatal(err)
	}
	set, err := Load(os.DirFS(folder))
	if err != nil || set.Languages[0].Text("form.title") != "Our mail" || len(set.Warnings) > 0 {
		t.Errorf("got %v, %v", set, err)
	}
	if err := os.Symlink("nowhere", elsewhere+"/sv.json"); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(os.DirFS(folder)); err == nil || err.Error() != "text/sv.json: no such file or directory" {
		t.Errorf("a link to nothing: got %v", err)
	}
}

// TestDirection: adding a language is adding a file, whichever way it is written.
func TestDirection(t *testing.T) {
	set, err := Load(fstest.MapFS{
		"text/he.json": {Data: []byte(`{"language": "עברית"}`)}, "text/az-Arab.json": {Data: []byte(`{"language": "x"}`)}, "text/az.json": {Data: []byte(`{"language": "y"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range set.Languages {
		if want := map[string]string{"he": "rtl", "az-Arab": "rtl", "az": "ltr", "en": "ltr", "sv": "ltr"}[lang.Tag]; lang.Dir != want {
			t.Errorf("%s: got %s, want %s", lang.Tag, lang.Dir, want)
		}
	}
	for _, word := range regexp.MustCompile(`[^-]\b(left|right)\b|-(left|right)\b`).FindAllString(string(set.Style), -1) {
		t.Errorf("the style says %q, which is the other side in Hebrew", word)
	}
}

// TestEveryFileIsUsed keeps leftovers out of the binary.
func TestEveryFileIsUsed(t *testing.T) {
	err := fs.WalkDir(embedded, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !isPart(name) {
			t.Errorf("%s is embedded and not used", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all := new(strings.Builder)
	files, err := fs.Glob(embedded, "html/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		data, err := embedded.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	english := embeddedSet(t).Languages[0]
	for _, tmpl := range english.pages.Templates() {
		name := tmpl.Name()
		if name == "" || name == "page" || path.Dir(name) == "html" {
			continue // the program names page
		}
		if !strings.Contains(all.String(), `{{template "`+name+`"`) && !strings.Contains(all.String(), `{{- template "`+name+`"`) {
			t.Errorf("no template uses %q", name)
		}
	}
}

func TestTel(t *testing.T) {
	for number, want := range map[string]string{"+46 8 123 45 67": "tel:+4681234567", "(08) 12-34": "tel:081234", `x" onclick="`: "tel:"} {
		if got := string(tel(number)); got != want {
			t.Errorf("%q: got %q, want %q", number, got, want)
		}
	}
}

// FuzzCatalogue: an operator's file may be anything.
func FuzzCatalogue(f *testing.F) {
	data, err := embedded.ReadFile("text/sv.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for _, seed := range []string{"", "{", "{}", `{"a": "b"}`, `{"a": "{b}"}`, `{"a": "**b**", "a": 1}`, "[[[[", `{"a":"\ud800"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := catalogue{}
		faults := c.readFile("x", data)
		for _, f := range faults {
			if f.Line < 1 || f.Line > 1+bytes.Count(data, []byte("\n")) {
				t.Errorf("%s: no such line", f)
			}
		}
		for key, m := range c {
			for _, name := range m.names {
				if name == "" {
					t.Errorf("%q has an empty name", key)
				}
			}
			for _, piece := range m.markup {
				if strings.ContainsAny(strings.NewReplacer("<b>", "", "</b>", "").Replace(piece.literal), "<>\"'") {
					t.Errorf("%q is not escaped: %q", key, piece.literal)
				}
			}
		}
	})
}
