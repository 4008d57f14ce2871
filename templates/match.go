package templates

import (
	"strings"

	"golang.org/x/text/language"
)

// maxPreference bounds how much of a browser's list of languages is parsed.
const maxPreference = 200

// Match returns the language that fits best. Each preference has the form of
// Accept-Language, which a single tag has too; the first that can be met counts.
// English is the fallback.
func (s *Set) Match(preferences ...string) *Language {
	for _, p := range preferences {
		if len(p) > maxPreference {
			p = p[:max(0, strings.LastIndexByte(p[:maxPreference], ','))]
		}
		if p == "" {
			continue
		}
		tags, _, _ := language.ParseAcceptLanguage(p) // none where p cannot be parsed
		if _, i, confidence := s.matcher.Match(tags...); confidence != language.No {
			return s.Languages[i]
		}
	}
	return s.Languages[0]
}
