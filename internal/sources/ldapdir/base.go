package ldapdir

import (
	"errors"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// base is the DN of the entry below which is searched. Its values may hold the domain of
// the address.
type base struct {
	dn template
	// fixed is the part without placeholders at the end of a DN that has some.
	fixed string
}

// parseBase reads a base. If it is empty or ends with a comma, it is completed by that of
// the URI.
func parseBase(text, ofURI, allowed string) (b base, err error) {
	text = strings.TrimSpace(text)
	if text == "" || strings.HasSuffix(text, ",") && !strings.HasSuffix(text, `\,`) {
		if text != "" && ofURI == "" {
			return b, errors.New("it ends with a comma, and no URI goes on with a base")
		}
		text += strings.ReplaceAll(ofURI, "%", "%%")
	}
	if b.dn, err = parseTemplate(text, allowed); err != nil {
		return b, err
	}
	if _, err := ldap.ParseDN(b.expand(key{domain: "example.com"})); err != nil {
		return b, errors.New("it is not a DN")
	}
	if len(b.dn.letters) == 0 {
		return b, nil
	}
	last := b.dn.texts[len(b.dn.texts)-1]
	_, b.fixed, _ = cutRDN(last)
	if b.fixed == "" {
		return b, errors.New("nothing that is the same for all domains follows the %d")
	}
	return b, nil
}

// cutRDN cuts a DN at its first comma that is not escaped.
func cutRDN(dn string) (before, after string, found bool) {
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',':
			return dn[:i], strings.TrimSpace(dn[i+1:]), true
		}
	}
	return dn, "", false
}

// expand returns the DN for a key.
func (b base) expand(k key) string { return b.dn.expand(k, ldap.EscapeDN) }
