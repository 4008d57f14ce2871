package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of an address in bytes (RFC 5321 §4.5.3.1.1; a forward path of 256 bytes
// leaves 254 for the address, RFC 3696 erratum 1690).
const (
	maxLocal   = 64
	maxAddress = 254
)

// Address is a mailbox address from ParseAddress, or the stand-in for every
// mailbox of a domain from AnyAt. The zero value is no address.
type Address struct {
	local  string // as typed, NFC, quoted only if necessary
	domain string // lower-case A-labels
	whole  string // local@domain
	key    string // whole in lower case
	any    bool   // it stands for every mailbox of the domain
}

// ParseAddress parses an address as people and clients write it: with white space
// around it, in any case, with +tags, quoted or UTF-8 local parts (RFC 6531) and
// international domains. The local part keeps its case; the domain is converted
// to lower-case A-labels.
//
// Control characters, a backslash or a quotation mark inside the local part, a local
// part that looks like nothing, more than 64 bytes in the local part and more than 254
// in the address are refused, with an *AddressError that never quotes the address.
func ParseAddress(text string) (Address, error) { return parseAddress(text, false) }

// parseAddress is like ParseAddress. If anyDots is set, dots may stand anywhere in a
// local part without quotation marks, unless slashes make a path of them.
func parseAddress(text string, anyDots bool) (Address, error) {
	text = strings.Trim(text, " \t\r\n")
	switch {
	case text == "":
		return Address{}, &AddressError{"it is empty"}
	case len(text) > 4*maxAddress:
		// The text is longer than any spelling of a legal address. Returning early
		// saves work.
		return Address{}, &AddressError{"it is longer than 254 bytes"}
	case !utf8.ValidString(text):
		return Address{}, &AddressError{"it is not UTF-8"}
	}
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return Address{}, &AddressError{"it has no @"}
	}
	local, err := parseLocal(text[:at], anyDots)
	if err != nil {
		return Address{}, err
	}
	domain, err := ParseDomain(text[at+1:])
	if err != nil {
		return Address{}, &AddressError{"its domain " + err.(*DomainError).Problem}
	}
	if len(local)+1+len(domain) > maxAddress {
		return Address{}, &AddressError{"it is longer than 254 bytes"}
	}
	if local == text[:at] && domain == text[at+1:] {
		return Address{local: local, domain: domain, whole: text, key: strings.ToLower(text)}, nil
	}
	return newAddress(local, domain), nil
}

func newAddress(local, domain string) Address {
	whole := local + "@" + domain
	return Address{local: local, domain: domain, whole: whole, key: strings.ToLower(whole)}
}

// AnyAt returns the stand-in for every mailbox of a domain, a result of
// ParseDomain. Its texts are the placeholders, so that any client can complete an
// answer for it: many clients ask about a domain without an address.
func AnyAt(domain string) Address {
	return Address{local: EmailLocalPart, domain: domain, whole: EmailAddress, key: EmailAddress, any: true}
}

// At returns the same mailbox at another domain, a result of ParseDomain. It stands
// for every mailbox of that domain if a does; its text is then
// %EMAILLOCALPART%@domain, which a client at the first domain completes.
func (a Address) At(domain string) Address {
	moved := newAddress(a.local, domain)
	moved.any = a.any
	return moved
}

// IsAny reports whether the address stands for every mailbox of its domain.
func (a Address) IsAny() bool { return a.any }

// IsZero reports whether a is the zero value, which is no address.
func (a Address) IsZero() bool { return a.domain == "" }

// Local returns the local part as it was typed, %EMAILLOCALPART% for AnyAt.
func (a Address) Local() string { return a.local }

// Domain returns the domain in lower-case A-labels.
func (a Address) Domain() string { return a.domain }

// String returns the whole address, %EMAILADDRESS% for AnyAt.
func (a Address) String() string { return a.whole }

// Key returns the address in lower case, for looking up the mailbox and
// identifying its profiles. No known hoster has two mailboxes that differ only in
// case (RFC 5321 §2.4 discourages it).
func (a Address) Key() string { return a.key }

// Untagged returns the address without its +tag, and whether it had one.
func (a Address) Untagged() (Address, bool) {
	plus := strings.IndexByte(a.local, '+')
	if plus <= 0 || a.IsAny() || a.local[0] == '"' {
		return a, false
	}
	return newAddress(a.local[:plus], a.domain), true
}

// parseLocal parses the part before the @, which it quotes only if necessary.
func parseLocal(local string, anyDots bool) (string, error) {
	local = norm.NFC.String(local)
	quoted := len(local) >= 2 && local[0] == '"' && local[len(local)-1] == '"'
	if quoted {
		local = local[1 : len(local)-1]
	}
	if local == "" {
		return "", &AddressError{"it has nothing before the @"}
	}
	anyDots = anyDots && !quoted && !strings.Contains(local, "/")
	plain, visible, tag, previous := true, false, false, '.'
	for i, r := range local {
		tag = tag || r == '+' && i > 0 && !quoted
		visible = visible || !tag && r != '.' && !isBlank(r) // a tag and dots name nobody
		switch {
		case r == '.':
			plain = plain && (anyDots || previous != '.') // which is also the initial value: no dot comes first
		case r < utf8.RuneSelf && isAtext(byte(r)):
		case r == '"' || r == '\\':
			return "", &AddressError{"it has a quotation mark or a backslash before the @"}
		case r < ' ' || r == 0x7f:
			return "", &AddressError{"it has a control character"}
		case r < utf8.RuneSelf:
			plain = false
		case r == utf8.RuneError:
			// Whatever read the address first could not decode it: nobody knows whose it is.
			return "", &AddressError{"it has a character before the @ that could not be read (U+FFFD)"}
		case !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S):
			// These are spaces of other scripts, invisible and
			// direction-changing characters, and those for private use. They
			// occur in attacks, not in mailboxes.
			return "", &AddressError{"it has an invisible character before the @"}
		}
		previous = r
	}
	if !visible && strings.Trim(local, ".") != "" {
		return "", &AddressError{"it has nothing visible before the @"}
	}
	plain = plain && (anyDots || previous != '.')
	if !plain && !quoted {
		return "", &AddressError{"it has characters before the @ that an address cannot have there"}
	}
	if !plain {
		local = `"` + local + `"`
	}
	if len(local) > maxLocal {
		return "", &AddressError{"it has more than 64 bytes before the @"}
	}
	return local, nil
}

// blank holds letters, marks and symbols that look like nothing: those that Unicode calls
// ignorable, which includes the fillers of Hangul, and those whose glyph is empty. They
// have a use beside visible characters, as U+FE0F has in emoji.
var blank = []*unicode.RangeTable{
	unicode.White_Space, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector,
	{
		R16: []unicode.Range16{
			{Lo: 0x2800, Hi: 0x2800, Stride: 1}, // Braille without dots
			{Lo: 0x303f, Hi: 0x303f, Stride: 1}, // space that fills half a column
			{Lo: 0xfffc, Hi: 0xfffc, Stride: 1}, // place of an object
		},
		R32: []unicode.Range32{
			{Lo: 0x13441, Hi: 0x13442, Stride: 1}, // blanks between hieroglyphs
			{Lo: 0x16fe4, Hi: 0x16fe4, Stride: 1}, // filler of Khitan
			{Lo: 0x1d159, Hi: 0x1d159, Stride: 1}, // note without a head
		},
	},
}

func isBlank(r rune) bool {
	if r < utf8.RuneSelf {
		return r == ' '
	}
	return unicode.In(r, blank...)
}

// isAtext reports whether c may stand in an unquoted local part (RFC 5322 §3.2.3).
func isAtext(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}
