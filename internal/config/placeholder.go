package config

import (
	"strings"

	"signpost/account"
)

// exampleDomain replaces a domain placeholder while a name is checked. Nobody can
// own it (RFC 6761 §6.4).
const exampleDomain = "placeholder.invalid"

var allPlaceholders = []string{account.EmailAddress, account.EmailLocalPart, account.EmailDomain}

// placeholders reports whether the text contains only placeholders that are allowed,
// and records a fault otherwise.
func (v *value) placeholders(text string, allowed ...string) bool {
	rest := text
	for _, name := range allowed {
		rest = strings.ReplaceAll(rest, name, " ")
	}
	if wrong := account.Placeholders(rest); len(wrong) > 0 {
		name := wrong[0]
		switch right := suggest(name, allPlaceholders); {
		case right == name && len(allowed) == 0:
			v.fault("placeholders such as %s cannot be used here", name)
		case right == name:
			v.fault("%s cannot be used here, only %s", name, strings.Join(allowed, ", "))
		case right != "":
			v.fault("unknown placeholder %s, did you mean %s?", name, right)
		default:
			v.fault("unknown placeholder %s; there are %s", name, strings.Join(allPlaceholders, ", "))
		}
		return false
	}
	for _, name := range allPlaceholders {
		if word := strings.Trim(name, "%"); strings.Contains(rest, "%"+word) || strings.Contains(rest, word+"%") {
			v.fault("%s lacks a percent sign, write %s", quote(text), name)
			return false
		}
	}
	return true
}
