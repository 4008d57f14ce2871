package setup

import (
	"golang.org/x/text/language"

	"signpost/account"
)

// closestTitle is the text for a language, or that for English, or the first, and
// says which language it is in. Regional forms of a language serve for one another,
// those in the same script first: sv-SE for sv, zh-Hant for zh-TW.
func closestTitle(texts []account.Title, wanted string) account.Title {
	for _, t := range texts {
		if t.Language == wanted { // as it mostly is
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

// closeness ranks how well a reader of one language is served by another, 0 not
// at all. (A language.Matcher knows more, such as who reads what else, and costs
// more than the page.)
func closeness(wanted, given string) int {
	a, b := language.All.Make(wanted), language.All.Make(given) // nb is no, iw is he
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
