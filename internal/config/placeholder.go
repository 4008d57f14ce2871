package config

import (
	"regexp"
	"slices"
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
		case name == account.MailHost:
			v.fault("%s cannot be used here; it is for hostname, url and principalURL of servers", name)
		case right == name && len(allowed) == 0:
			v.fault("placeholders such as %s cannot be used here", name)
		case right == name:
			v.fault("%s cannot be used here, only %s", name, strings.Join(allowed, ", "))
		case right != "":
			v.fault("unknown placeholder %s, did you mean %s?", name, right)
		default:
			v.unknownPlaceholder(name)
		}
		return false
	}
	if name := foreign.FindString(rest); name != "" {
		v.unknownPlaceholder(name)
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

// foreign matches the placeholders of other mail programs: %u, %Ln and %{user | domain}
// of Dovecot, %s of Postfix, and ${…} and {…} of panels and their templates.
var foreign = regexp.MustCompile(`%[LU]?[a-z]\b|[%$]\{[^}]*\}|\{+[^}]*\}+`)

// unknownPlaceholder records a fault about a placeholder that only other programs have,
// with the one that means the same here.
func (v *value) unknownPlaceholder(name string) {
	word := strings.Trim(strings.ToLower(name), "%${} ")
	contains := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(word, part) })
	}
	right := ""
	switch {
	case word == "d" || word == "ld" || contains("domain"):
		right = account.EmailDomain
	case word == "n" || word == "ln" || contains("local", "username"):
		right = account.EmailLocalPart
	case word == "u" || word == "lu" || word == "s" || contains("user", "mail", "addr", "login"):
		right = account.EmailAddress
	default:
		v.fault("unknown placeholder %s; there are %s", name, strings.Join(allPlaceholders, ", "))
		return
	}
	v.fault("unknown placeholder %s, did you mean %s?", name, right)
}
