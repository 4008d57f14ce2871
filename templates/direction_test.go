package templates

import (
	"regexp"
	"strings"
	"testing"
)

// TestRightToLeft checks that values keep their order within Arabic, and that other
// languages have no marks for it.
func TestRightToLeft(t *testing.T) {
	const address = "+1@example.com" // its + and 1 would move to the other end
	for _, lang := range Embedded().Languages {
		html, err := lang.markup("android.signin", "address", address)
		if err != nil {
			t.Fatal(err)
		}
		isolated := strings.Contains(string(html), "<bdi>"+address+"</bdi>")
		marked := strings.Contains(lang.Text("android.signin", "address", address), "\u200e"+address)
		if want := lang.Dir == "rtl"; isolated != want || marked != want {
			t.Errorf("%s: the address stands in <bdi>: %t, after a mark in plain text: %t, want %t",
				lang.Tag, isolated, marked, want)
		}
	}
}

// TestDigits checks that every language counts with the digits of ports and addresses.
func TestDigits(t *testing.T) {
	for _, lang := range Embedded().Languages {
		text := lang.Text("trouble.peraddress", "count", 25000)
		if digits := regexp.MustCompile(`\d`).FindAllString(text, -1); strings.Join(digits, "") != "25000" {
			t.Errorf("%s: 25000 is written as in %q, want the digits 0 to 9", lang.Tag, text)
		}
	}
}

// betweenLatin finds an arrow between Latin words.
var betweenLatin = regexp.MustCompile(`[A-Za-z] [←→] [A-Za-z]`)

// TestArrows checks that the arrows of a path point where the language is read. Between
// English words, a line from right to left needs a mark (U+200F) beside its arrow.
func TestArrows(t *testing.T) {
	for _, lang := range Embedded().Languages {
		wrong := "←"
		if lang.Dir == "rtl" {
			wrong = "→"
		}
		for _, key := range sortedKeys(lang.texts) {
			var text string
			for _, p := range lang.texts[key].plain {
				text += p.literal
			}
			if strings.Contains(text, wrong) {
				t.Errorf("%s: %q has %s, which points back: %q", lang.Tag, key, wrong, text)
			}
			if lang.Dir == "rtl" && betweenLatin.MatchString(text) {
				t.Errorf("%s: %q has an arrow between Latin words without U+200F: %q", lang.Tag, key, text)
			}
		}
	}
}
