package setup

import (
	"strings"

	"golang.org/x/text/language"

	"signpost/account"
	"signpost/templates"
)

// titleIn returns the operator's text that fits the language of the page best. Its
// Language is empty if the text is in the language of the page.
func titleIn(texts []account.Title, lang *templates.Language) account.Title {
	t := closestTitle(texts, lang.Tag)
	if t.Language == lang.Tag {
		t.Language = ""
	}
	return t
}

// pageTitle returns the title of a page, or its address without https:// if it has none.
func pageTitle(d account.Documentation, lang *templates.Language) account.Title {
	if len(d.Titles) == 0 {
		_, address, _ := strings.Cut(d.URL, "://")
		return account.Title{Text: address}
	}
	return titleIn(d.Titles, lang)
}

// closestTitle returns the text in the wanted language, or else the English one, or
// else the first. Regional forms of a language stand in for one another, those in
// the same script first: sv-SE for sv, zh-Hant for zh-TW.
func closestTitle(texts []account.Title, wanted string) account.Title {
	for _, t := range texts {
		if t.Language == wanted { // the usual case
			return t
		}
	}
	for _, want := range [...]string{wanted, "en"} {
		best, closest := account.Title{}, 0
		for _, t := range texts {
			if c := closeness(want, t.Language); c > closest {
				best, closest = t, c
			}
		}
		if closest > 0 {
			return best
		}
	}
	if len(texts) == 0 {
		return account.Title{}
	}
	return texts[0]
}

// closeness ranks how well a reader of one language understands another, 0 for not
// at all. A language.Matcher knows more, such as which other languages a reader
// speaks, but it costs more time than the rest of the page.
func closeness(wanted, given string) int {
	a, b := language.All.Make(wanted), language.All.Make(given) // makes nb no, and iw he
	aBase, sure := a.Base()
	if bBase, _ := b.Base(); aBase != bBase || sure < language.High {
		return 0
	}
	aScript, _ := a.Script()
	switch bScript, _ := b.Script(); {
	case a == b:
		return 3
	case aScript == bScript:
		return 2
	}
	return 1
}
