package mobileconfig

import (
	"net/url"
	"strings"

	"signpost/account"
)

// MaxQuery is the length in bytes of the longest query that is read. An address and
// a name need a tenth of it.
const MaxQuery = 8 << 10

// request is what somebody asks for.
type request struct {
	address  account.Address
	name     string // cleaned
	device   Device
	mailOnly bool
	language string
}

// readRequest reads the query of a link that the set-up page, a support desk or
// a person wrote: emailaddress, and optionally name, device (iphone, mac), only
// (mail) and lang. Names and values are taken in any case, raw or escaped; what
// is not known is left alone. The error is an *account.AddressError.
func readRequest(query string) (request, error) {
	if len(query) > MaxQuery {
		return request{}, &account.AddressError{Problem: "the query is too long"}
	}
	email, err := account.Parameter(query, "emailaddress")
	if err != nil {
		return request{}, err
	}
	address, err := account.ParseAddress(email)
	if err != nil {
		return request{}, err
	}
	r := request{
		address:  address,
		name:     CleanName(name(query)),
		mailOnly: strings.EqualFold(optional(query, "only"), "mail"),
		language: optional(query, "lang"),
	}
	switch strings.ToLower(optional(query, "device")) {
	case "mac":
		r.device = Mac
	case "iphone", "ipad":
		r.device = Phone
	}
	return r, nil
}

// optional is a parameter without which there is a profile, too.
func optional(query, name string) string {
	value, err := account.Parameter(query, name)
	if err != nil {
		return ""
	}
	return value
}

// name is the person's name. A form writes a space as +, which an address has
// and means.
func name(query string) string {
	for pair := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(pair, "="); strings.EqualFold(key, "name") {
			if plain, err := url.QueryUnescape(value); err == nil {
				return plain
			}
			return value
		}
	}
	return ""
}
