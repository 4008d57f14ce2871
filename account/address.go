package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of an address in octets (RFC 5321 §4.5.3.1.1; 254 is what a forward
// path of 256 leaves for the address, RFC 3696 erratum 1690).
const (
	maxLocal   = 64
	maxAddress = 254
)

// Address is a mailbox address that has passed ParseAddress, or the stand-in
// for every mailbox of a domain that AnyAt gives. The zero value is no address.
type Address struct {
	local  string // as typed, NFC, quoted only where it has to be
	domain string // lower-case A-labels
	whole  string // local@domain, made once
	key    string // whole in lower case, made once
}

// ParseAddress reads an address as people and clients write it: white space
// around it, any case, +tags, quoted local parts, UTF-8 local parts (RFC 6531)
// and international domains. The local part keeps its case; the domain comes
// out in lower-case A-labels.
//
// Control characters, a backslash or a quotation mark inside the local part and
// more than 64 or 254 octets are refused, with an *AddressError that never
// quotes the address.
func ParseAddress(text string) (Address, error) {
	text = strings.TrimFunc(text, isSpace)
	switch {
	case text == "":
		return Address{}, &AddressError{"it is empty"}
	case len(text) > 4*maxAddress:
		// Far beyond any form of a legal address; spares the work below.
		return Address{}, &AddressError{"it is longer than 254 octets"}
	case !utf8.ValidString(text):
		return Address{}, &AddressError{"it is not UTF-8"}
	}
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return Address{}, &AddressError{"it has no @"}
	}
	local, err := parseLocal(text[:at])
	if err != nil {
		return Address{}, err
	}
	domain, err := ParseDomain(text[at+1:])
	if err != nil {
		return Address{}, &AddressError{"its domain " + err.(*DomainError).Problem}
	}
	if len(local)+1+len(domain) > maxAddress {
		return Address{}, &AddressError{"it is longer than 254 octets"}
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

// AnyAt stands for every mailbox of a domain whose name has passed ParseDomain.
// It prints as the placeholders, so that an answer made for it is an answer for
// whoever fills them in: many clients ask about a domain without an address.
func AnyAt(domain string) Address {
	return Address{local: EmailLocalPart, domain: domain, whole: EmailAddress, key: EmailAddress}
}

// IsAny reports whether the address stands for every mailbox of its domain.
func (a Address) IsAny() bool { return a.whole == EmailAddress }

// IsZero reports whether there is no address at all.
func (a Address) IsZero() bool { return a.domain == "" }

// Local is the local part as it was typed, %EMAILLOCALPART% for AnyAt.
func (a Address) Local() string { return a.local }

// Domain is the domain in lower-case A-labels.
func (a Address) Domain() string { return a.domain }

// String is the whole address, %EMAILADDRESS% for AnyAt.
func (a Address) String() string { return a.whole }

// Key is the form under which the mailbox is looked up and by which its
// profiles are told apart: all lower case, because no hoster that we serve has
// two mailboxes that differ in case only (RFC 5321 §2.4 discourages it).
func (a Address) Key() string { return a.key }

// Untagged is the address without its +tag, and whether it had one.
func (a Address) Untagged() (Address, bool) {
	plus := strings.IndexByte(a.local, '+')
	if plus <= 0 || a.IsAny() || a.local[0] == '"' {
		return a, false
	}
	return newAddress(a.local[:plus], a.domain), true
}

func parseLocal(local string) (string, error) {
	if !isASCII(local) {
		local = norm.NFC.String(local)
	}
	quoted := len(local) >= 2 && local[0] == '"' && local[len(local)-1] == '"'
	if quoted {
		local = local[1 : len(local)-1]
	}
	if local == "" {
		return "", &AddressError{"it has nothing before the @"}
	}
	plain, previous := true, '.'
	for _, r := range local {
		switch {
		case r == '.':
			plain = plain && previous != '.' // nor is it the first
		case r < utf8.RuneSelf && isAtext(byte(r)):
		case r == '"' || r == '\\':
			return "", &AddressError{"it has a quotation mark or a backslash before the @"}
		case r < ' ' || r == 0x7f:
			return "", &AddressError{"it has a control character"}
		case r < utf8.RuneSelf:
			plain = false
		case !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S):
			// Spaces of other scripts, invisible and direction-changing
			// characters, private use: nobody's mailbox, somebody's trick.
			return "", &AddressError{"it has an invisible character before the @"}
		}
		previous = r
	}
	plain = plain && previous != '.'
	if !plain && !quoted {
		return "", &AddressError{"it has characters before the @ that an address cannot have there"}
	}
	if !plain {
		local = `"` + local + `"`
	}
	if len(local) > maxLocal {
		return "", &AddressError{"it has more than 64 octets before the @"}
	}
	return local, nil
}

// isSpace is a function because strings.Trim makes a set of its characters anew
// with each call.
func isSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isAtext reports whether c may stand in an unquoted local part (RFC 5322 §3.2.3).
func isAtext(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}
