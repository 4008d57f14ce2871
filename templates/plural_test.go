package templates

import (
	"regexp"
	"testing"
	"testing/fstest"

	"golang.org/x/text/feature/plural"
)

// counted matches a text in which a word depends on the number.
var counted = regexp.MustCompile(`\{count\}\s*\pL|\pL\s*\{count\}`)

// TestPluralForms checks that each language has the plural forms that its numbers need,
// as CLDR says, in texts that have forms in English, and no others.
func TestPluralForms(t *testing.T) {
	names := map[plural.Form]string{}
	for name, form := range forms {
		names[form] = name
	}
	english := embeddedSet(t).Languages[0].texts
	for _, lang := range embeddedSet(t).Languages {
		used := map[plural.Form]int{}
		for n := 10_000; n > 0; n-- {
			used[plural.Cardinal.MatchPlural(lang.tag, n, 0, 0, 0, 0)] = n
		}
		for _, key := range sortedKeys(lang.texts) {
			m := lang.texts[key]
			for form := range m.forms {
				if used[form] == 0 {
					t.Errorf("%s: %q has the form %s, which no number has", lang.Tag, key, names[form])
				}
			}
			if english[key].forms == nil || !counted.MatchString(lang.Text(key, count, "{count}")) {
				continue
			}
			for form, n := range used {
				if _, ok := m.forms[form]; !ok && form != plural.Other {
					t.Errorf("%s: lacks %s.%s, for numbers such as %d", lang.Tag, key, names[form], n)
				}
			}
		}
	}
}

func TestPlural(t *testing.T) {
	for _, test := range []struct {
		lang string
		n    int
		want string
	}{
		{"en", 1, "one minute"}, {"en", 2, "2 minutes"}, {"en", 1440, "1,440 minutes"},
		{"fr", 1, "une minute"}, {"fr", 2, "2 minutes"},
		{"pl", 1, "1 minuta"}, {"pl", 4, "4 minuty"}, {"pl", 5, "5 minut"}, {"pl", 12, "12 minut"}, {"pl", 22, "22 minuty"},
		{"ar", 1, "دقيقة واحدة"}, {"ar", 2, "دقيقتان"}, {"ar", 10, "\u200e10 دقائق"}, {"ar", 60, "\u200e60 دقيقة"},
	} {
		if got := embeddedSet(t).Match(test.lang).Text("trouble.minutes", count, test.n); got != test.want {
			t.Errorf("%d minutes in %s = %q, want %q", test.n, test.lang, got, test.want)
		}
	}
}

// TestPluralOverlay checks that an operator's text replaces all forms of the embedded one,
// that a language which lacks a text counts in English, and what is said of wrong forms.
func TestPluralOverlay(t *testing.T) {
	set, err := Load(fstest.MapFS{
		"text/sv.json": {Data: []byte(`{"trouble.minutes": "{count} min"}`)},
		"text/da.json": {Data: []byte(`{"trouble.minutes.one": "ét minut"}`)},
		"text/cs.json": {Data: []byte(`{"language": "Čeština", "trouble.minutes": "{count} minut", "trouble.minutes.few": "{count} minuty"}`)},
		"text/ga.json": {Data: []byte(`{"language": "Gaeilge"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		lang string
		n    int
		want string
	}{
		{"sv", 1, "1 min"}, {"sv", 5, "5 min"}, {"da", 1, "ét minut"}, {"da", 5, "5 minutter"},
		{"cs", 1, "1 minut"}, {"cs", 3, "3 minuty"}, {"cs", 5, "5 minut"}, {"ga", 1, "one minute"}, {"ga", 2, "2 minutes"},
	} {
		if got := set.Match(test.lang).Text("trouble.minutes", count, test.n); got != test.want {
			t.Errorf("%d minutes in %s = %q, want %q", test.n, test.lang, got, test.want)
		}
	}
	for text, want := range map[string]string{
		`{"trouble.minutes.few": "{time}"}`: `text/sv.json:1: "trouble.minutes.few" has the name time, want none but [count]`,
		`{"form.title.few": "x"}`:           `text/sv.json:1: has "form.title.few", which nothing uses`,
		`{"trouble.minutes.lots": "x"}`:     `text/sv.json:1: has "trouble.minutes.lots", which nothing uses`,
	} {
		if _, err := Load(fstest.MapFS{"text/sv.json": {Data: []byte(text)}}); err == nil || err.Error() != want {
			t.Errorf("Load with %s = %v, want %q", text, err, want)
		}
	}
}
