package ldapdir

import (
	"fmt"
	"strings"

	"signpost/account"
)

// key is what is asked for, in one spelling.
type key struct{ whole, local, domain string }

// accountKeys returns the address with its domain in A-labels and, if that is another
// text, in Unicode: directories hold either.
func accountKeys(a account.Address) []key {
	whole := a.Key()
	local := whole[:strings.LastIndexByte(whole, '@')]
	keys := domainKeys(a.Domain())
	for i := range keys {
		keys[i].local, keys[i].whole = local, local+"@"+keys[i].domain
	}
	return keys
}

// domainKeys is like accountKeys for a domain in A-labels.
func domainKeys(name string) []key {
	var keys []key
	for _, spelling := range account.Spellings(name) {
		keys = append(keys, key{whole: spelling, domain: spelling})
	}
	return keys
}

// template is a text with Postfix's placeholders (ldap_table(5)): texts and, between
// them, one of the letters s, u and d each.
type template struct {
	texts   []string // one more than letters
	letters []byte
}

// parseTemplate reads a template with the allowed letters.
func parseTemplate(text, allowed string) (t template, err error) {
	var literal strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			literal.WriteByte(text[i])
			continue
		}
		i++
		switch {
		case i < len(text) && text[i] == '%':
			literal.WriteByte('%')
		case i < len(text) && strings.IndexByte(allowed, text[i]) >= 0:
			t.texts = append(t.texts, literal.String())
			t.letters = append(t.letters, text[i])
			literal.Reset()
		default:
			return t, fmt.Errorf("%.2q is no placeholder here; a percent sign is written %%%%", text[i-1:])
		}
	}
	t.texts = append(t.texts, literal.String())
	return t, nil
}

// expand puts the key, escaped, into the template.
func (t template) expand(k key, escape func(string) string) string {
	if len(t.letters) == 0 {
		return t.texts[0]
	}
	var text strings.Builder
	for i, letter := range t.letters {
		text.WriteString(t.texts[i])
		switch letter {
		case 's':
			text.WriteString(escape(k.whole))
		case 'u':
			text.WriteString(escape(k.local))
		case 'd':
			text.WriteString(escape(k.domain))
		}
	}
	text.WriteString(t.texts[len(t.letters)])
	return text.String()
}

// literal returns text as it is.
func literal(text string) string { return text }

// isKey reports whether the template is nothing but the key.
func (t template) isKey() bool {
	return len(t.letters) == 1 && t.letters[0] != 'u' && t.texts[0] == "" && t.texts[1] == ""
}
