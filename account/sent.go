package account

import (
	"strings"
	"unicode/utf8"
)

// ReadAddress sets Address, or Host, by the text that a client sends as its address.
//
// Where ParseAddress refuses the text, it is read as what clients have been seen to
// send: escaped twice, in ISO 8859-1, and with dots that have nothing between them
// or before the @, as mobile operators in Japan gave them out. If nothing of that
// helps, the part behind the @ still tells the domain, and Address becomes a result
// of AnyAt; a domain alone replaces Host. What tells no domain at all, such as a
// placeholder that nobody filled in, leaves that to Host.
func (q *Query) ReadAddress(text string) {
	if len(text) > 4*maxAddress {
		return // see ParseAddress
	}
	text = strings.Trim(text, " \t\r\n")
	if a, err := parseAddress(text, true); err == nil {
		q.Address = a // as nearly every client sends it
		return
	}
	again, err := Unescape(text)
	if err != nil {
		again = text
	}
	for _, spelling := range [...]string{again, latin1(text)} {
		if a, err := parseAddress(spelling, true); err == nil {
			q.Address = a
			return
		}
	}
	q.readDomain(again)
}

// ReadParameter is like ReadAddress for a text with percent escapes, as in a URL. Of
// one that is badly escaped, only the domain is read: the rest would appear in the
// answer as it is.
func (q *Query) ReadParameter(escaped string) {
	if text, err := Unescape(escaped); err == nil {
		q.ReadAddress(text)
	} else if len(escaped) <= 4*maxAddress {
		q.readDomain(escaped)
	}
}

// readDomain reads the part behind the @, or a text without an @.
func (q *Query) readDomain(text string) {
	at := strings.LastIndexByte(text, '@')
	domain, err := ParseDomain(text[at+1:])
	switch {
	case err != nil:
	case at >= 0:
		q.Address = AnyAt(domain)
	case strings.Contains(domain, "."):
		q.Host = domain
	}
}

// latin1 reads a text that is not UTF-8 as ISO 8859-1, whose bytes are the first
// characters of Unicode.
func latin1(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	runes := make([]rune, len(text))
	for i := range len(text) {
		runes[i] = rune(text[i])
	}
	return string(runes)
}
