package templates

import (
	"bytes"
	"cmp"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func embeddedSet(t testing.TB) *Set {
	t.Helper()
	set, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestLanguages checks that the embedded languages have the same texts, with the same
// names in them.
func TestLanguages(t *testing.T) {
	set := embeddedSet(t)
	if len(set.Languages) < 2 || set.Languages[0].Tag != "en" {
		t.Fatalf("%d languages, the first is %s, want at least 2 and en", len(set.Languages), set.Languages[0].Tag)
	}
	english := set.Languages[0].texts
	for _, lang := range set.Languages[1:] {
		d := lang.texts.compare(english, "text/"+lang.Tag+".json")
		for _, f := range slices.Concat(d.missing, d.misnamed, d.unused) {
			t.Error(f)
		}
		for key, m := range lang.texts {
			e, ok := english[key]
			if !ok {
				continue // a plural form
			}
			if same := m.plain[0].literal; len(same) > 25 && same == e.plain[0].literal {
				t.Errorf("the %s text %q is in English", lang.Tag, key)
			}
			if got, want := bold(m), bold(e); got != want {
				t.Errorf("the %s text %q has %d words in **bold**, want %d as in English", lang.Tag, key, got, want)
			}
			if got, want := addresses(m), addresses(e); got != want {
				t.Errorf("the %s text %q holds %q, want %q as in English", lang.Tag, key, got, want)
			}
		}
	}
}

// bold returns how many parts of a text are bold.
func bold(m message) (n int) {
	for _, p := range m.markup {
		n += strings.Count(p.literal, "<b>")
	}
	return n
}

// addresses returns the URLs and email addresses that a text holds.
func addresses(m message) string {
	var all []string
	for _, p := range m.plain {
		all = append(all, regexp.MustCompile(`https?://\S+|[\w.]+@[\w.]*\w`).FindAllString(p.literal, -1)...)
	}
	return strings.Join(all, " ")
}

func TestCompare(t *testing.T) {
	read := func(text string) catalogue {
		c := catalogue{}
		if faults := c.readFile("x", []byte(text)); len(faults) > 0 {
			t.Fatal(faults)
		}
		return c
	}
	english := read(`{"a": "A {x}", "b": "B {x} {y}", "c": "C", "e": "E {x} {y}"}`)
	other := read(`{"b": "B {y} {y}", "c": "C", "d": "D", "e": "{y} E {x}"}`)
	want := []string{
		`text/de.json: 1 of 4 texts are in English: "a"`,
		`text/de.json:1: "b" has the names [y], want [x y]`,
		`text/de.json:1: has "d", which nothing uses`,
	}
	d := other.compare(english, "text/de.json")
	got := slices.Concat(d.missing, d.misnamed, d.unused)
	if len(got) != len(want) {
		t.Fatalf("compare found %v, want %q", got, want)
	}
	for i, f := range got {
		if f.String() != want[i] {
			t.Errorf("fault %d = %q, want %q", i, f, want[i])
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
			t.Errorf("parseMessage(%q): %v", test.text, err)
			continue
		}
		lang := *set.Languages[0]
		lang.texts = catalogue{"x": m}
		markup, err := lang.markup("x", "name", "<i>", "count", 2000)
		if err != nil || string(markup) != test.markup {
			t.Errorf("markup of %q = %q, %v, want %q", test.text, markup, err, test.markup)
		}
		if plain, err := lang.plain("x", "name", "<i>", "count", 2000); err != nil || plain != test.plain {
			t.Errorf("plain text of %q = %q, %v, want %q", test.text, plain, err, test.plain)
		}
	}
	for _, text := range []string{"{", "}", "{}", "{ name}", "{Name}", "a {name", "a } b", "**bold", "a ** b ** c **"} {
		if _, err := parseMessage(text); err == nil {
			t.Errorf("parseMessage(%q) succeeds, want an error", text)
		}
	}
}

func TestNumbers(t *testing.T) {
	set := embeddedSet(t)
	for tag, want := range map[string]string{
		"ar": "2,000", "da": "2.000", "de": "2.000", "en": "2,000", "es": "2.000", "fi": "2\u00a0000", "fr": "2\u00a0000",
		"it": "2.000", "nb": "2\u00a0000", "nl": "2.000", "pl": "2\u00a0000", "sv": "2\u00a0000",
	} {
		if got := set.Match(tag).format(2000); got != want {
			t.Errorf("2000 in %s = %q, want %q", tag, got, want)
		}
	}
}

// TestTypography checks that texts have the apostrophes and dots of print, single spaces,
// and, in French, the space before signs that keeps them on the line of their word.
func TestTypography(t *testing.T) {
	wrong := regexp.MustCompile(`['"]|\.\.|  |^ | $`)
	french := regexp.MustCompile(`[^\x{a0}][:;!?]|^[;!?]|«[^\x{a0}]|[^\x{a0}]»`)
	for _, lang := range embeddedSet(t).Languages {
		for _, key := range sortedKeys(lang.texts) {
			var text string
			for _, p := range lang.texts[key].plain {
				text += p.literal
				if p.name != "" {
					text += "{" + p.name + "}"
				}
			}
			found := wrong.FindString(text)
			if lang.Tag == "fr" {
				found = cmp.Or(found, french.FindString(text))
			}
			if found != "" {
				t.Errorf("%s: %q has %q: %q", lang.Tag, key, found, text)
			}
		}
	}
}

// TestMissingText checks that a text that is not there is shown as its key.
func TestMissingText(t *testing.T) {
	lang := embeddedSet(t).Match("en")
	if got := lang.Text("no.such"); got != "no.such" {
		t.Errorf("Text(no.such) = %q, want the key", got)
	}
	if got := lang.Label("no.such"); got != "no.such" {
		t.Errorf("Label(no.such) = %q, want the key", got)
	}
}

func TestMatch(t *testing.T) {
	set := embeddedSet(t)
	// A Firefox with ten languages sends more than 200 bytes.
	firefox := "sv-SE,sv;q=0.95,fi-FI;q=0.9,fi;q=0.86,nb-NO;q=0.82,nb;q=0.77,nn-NO;q=0.73,nn;q=0.68,da-DK;q=0.64,da;q=0.59,de-DE;q=0.55,de;q=0.5,en-US;q=0.45,en;q=0.41,fr-FR;q=0.36,fr;q=0.32,es-ES;q=0.27,es;q=0.23,it-IT;q=0.18,it;q=0.14"
	for _, test := range []struct {
		preferences []string
		want        string
	}{
		{nil, "en"},
		{[]string{""}, "en"},
		{[]string{"sv"}, "sv"},
		{[]string{"SV-se"}, "sv"},
		{[]string{"sv-FI,fi;q=0.9"}, "sv"},
		{[]string{"de,sv;q=0.5"}, "de"},
		{[]string{"pt,sv;q=0.5"}, "sv"},
		{[]string{"de-AT"}, "de"},
		{[]string{"es-MX"}, "es"},
		{[]string{"pt"}, "en"},
		{[]string{"no"}, "nb"}, // as browsers called Norwegian before they knew nb and nn
		{[]string{"nn-NO,nn;q=0.9"}, "nb"},
		{[]string{"ar-EG"}, "ar"},
		{[]string{"ca,es;q=0.8"}, "es"},
		{[]string{"en-US,de;q=0.5"}, "en"},
		{[]string{"en-GB,sv;q=0.9"}, "en"},
		{[]string{"", "sv"}, "sv"},
		{[]string{"en", "sv"}, "en"},
		{[]string{"xx", "sv"}, "sv"},
		{[]string{"<script>", "sv"}, "sv"},
		{[]string{firefox, "en"}, "sv"},
		{[]string{strings.Repeat("x", 300), "sv"}, "sv"},
		{[]string{strings.Repeat(",", 300), "sv"}, "sv"},
		{[]string{"*"}, "en"},
		{[]string{"pt,en;q=0.8,sv;q=0.7"}, "en"},
		{[]string{strings.Repeat("sv,", 1000)}, "sv"}, // no browser sends that, but it begins like one
		{[]string{strings.Repeat("sv", 1000)}, "en"},
	} {
		if got := set.Match(test.preferences...).Tag; got != test.want {
			t.Errorf("Match(%.100q) = %s, want %s", test.preferences, got, test.want)
		}
	}
}

// TestDirection checks that a language from right to left needs only its file.
func TestDirection(t *testing.T) {
	set, err := Load(fstest.MapFS{
		"text/he.json": {Data: []byte(`{"language": "עברית"}`)}, "text/az-Arab.json": {Data: []byte(`{"language": "x"}`)}, "text/az.json": {Data: []byte(`{"language": "y"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range set.Languages {
		want := cmp.Or(map[string]string{"ar": "rtl", "he": "rtl", "az-Arab": "rtl"}[lang.Tag], "ltr")
		if lang.Dir != want {
			t.Errorf("Dir of %s = %s, want %s", lang.Tag, lang.Dir, want)
		}
	}
	for _, word := range regexp.MustCompile(`[^-]\b(left|right)\b|-(left|right)\b`).FindAllString(string(set.Style), -1) {
		t.Errorf("the style has %q, which is the other side in Hebrew", word)
	}
}

// TestEveryFileIsUsed checks that the binary embeds no file and no template that
// nothing uses.
func TestEveryFileIsUsed(t *testing.T) {
	err := fs.WalkDir(embedded, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !isPart(name) {
			t.Errorf("%s is embedded but not used", name)
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
		if name == "" || name == "page" || name == "fragment" || path.Dir(name) == "html" {
			continue // the program names page and fragment
		}
		if !strings.Contains(all.String(), `{{template "`+name+`"`) &&
			!strings.Contains(all.String(), `{{- template "`+name+`"`) {
			t.Errorf("no template uses %q", name)
		}
	}
}

func TestTel(t *testing.T) {
	for number, want := range map[string]string{"+46 8 123 45 67": "tel:+4681234567", "(08) 12-34": "tel:081234",
		`x" onclick="`: "tel:"} {
		if got := string(tel(number)); got != want {
			t.Errorf("tel(%q) = %q, want %q", number, got, want)
		}
	}
}

// FuzzCatalogue checks that any file gives valid texts, or faults in its lines.
func FuzzCatalogue(f *testing.F) {
	data, err := embedded.ReadFile("text/sv.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for _, seed := range []string{"", "{", "{}", `{"a": "b"}`, `{"a": "{b}"}`, `{"a": "**b**", "a": 1}`, "[[[[",
		`{"a":"\ud800"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := catalogue{}
		faults := c.readFile("x", data)
		for _, f := range faults {
			if f.Line < 1 || f.Line > 1+bytes.Count(data, []byte("\n")) {
				t.Errorf("fault %q names a line that does not exist", f)
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
					t.Errorf("the markup of %q is not escaped: %q", key, piece.literal)
				}
			}
		}
	})
}
