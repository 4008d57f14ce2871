package templates

import (
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// count is the name of the value that a plural form depends on.
const count = "count"

// forms are the plural forms that a catalogue may give beside a text with a {count},
// as "trouble.minutes.few" beside "trouble.minutes". The text itself is the form that
// CLDR names other, which every language has.
var forms = map[string]plural.Form{
	"zero": plural.Zero, "one": plural.One, "two": plural.Two, "few": plural.Few, "many": plural.Many,
}

// cutForm returns the key of the text of which the key names a plural form, and the
// name of the form.
func cutForm(key string) (base, form string, ok bool) {
	i := strings.LastIndexByte(key, '.')
	if i < 0 {
		return key, "", false
	}
	_, ok = forms[key[i+1:]]
	return key[:i], key[i+1:], ok
}

// joinForms gives each text with a {count} its plural forms, which have keys of their own.
func (c catalogue) joinForms() {
	for key, m := range c {
		base, form, ok := cutForm(key)
		if other, counts := c[base]; ok && counts && slices.Contains(other.names, count) {
			if other.forms == nil {
				other.forms = map[plural.Form]message{}
			}
			other.forms[forms[form]] = m
			c[base] = other
		}
	}
}

// hasForm reports whether the key names a plural form of a text of the catalogue.
func (c catalogue) hasForm(key string) bool {
	base, _, ok := cutForm(key)
	return ok && slices.Contains(c[base].names, count)
}

// formFor returns the message in the plural form of the language for the number
// among the values.
func (m message) formFor(tag language.Tag, values []any) message {
	if m.forms == nil {
		return m
	}
	for i := 0; i+1 < len(values); i += 2 {
		n, isNumber := values[i+1].(int)
		if values[i] != count || !isNumber {
			continue
		}
		if form, ok := m.forms[plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)]; ok {
			return form
		}
	}
	return m
}
