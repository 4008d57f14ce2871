package setup

import (
	"strings"
	"testing"

	"signpost/account"
)

func TestClosestTitle(t *testing.T) {
	for _, test := range []struct {
		texts  string // their languages
		wanted string
		want   string
	}{
		{"sv en", "sv", "sv"},
		{"sv en", "en", "en"},
		{"sv en", "de", "en"},
		{"sv", "de", "sv"},
		{"de fr", "sv", "de"},
		{"", "en", ""},
		// Regions and scripts.
		{"en sv-SE", "sv", "sv-SE"},
		{"en sv", "sv-FI", "sv"},
		{"sv-SE sv", "sv", "sv"},
		{"sv-FI en-GB", "de", "en-GB"},
		{"en pt-PT", "pt-BR", "pt-PT"},
		{"en zh-Hant", "zh-TW", "zh-Hant"},
		{"ru en", "uk", "en"}, // related, but another language
		{"fr en nb", "no", "nb"},
		{"en zh-Hans zh-Hant", "zh-TW", "zh-Hant"},
		{"en zh-Hans zh-Hant", "zh", "zh-Hans"},
		{"fr zh-Hans", "zh-TW", "zh-Hans"},
		{"en sv", "", "en"},
		{"en he", "und-Hebr", "he"}, // the script alone says which language
		{"fr en", "nonsense", "en"},
		{"fr en-GB en", "nonsense", "en"},
	} {
		var texts []account.Title
		for _, language := range strings.Fields(test.texts) {
			texts = append(texts, account.Title{Language: language, Text: "in " + language})
		}
		got := closestTitle(texts, test.wanted)
		if got.Language != test.want || test.want != "" && got.Text != "in "+test.want {
			t.Errorf("closestTitle(%q, %q) = %+v, want the text in %q", test.texts, test.wanted, got, test.want)
		}
	}
}
