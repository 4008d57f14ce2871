package mobileconfig

import (
	"net/url"
	"strings"

	"signpost/account"
)

// MaxQuery is the length in bytes of the longest query that is read. An address and
// a name need a tenth of it.
const MaxQuery = 8 << 10

// request is the query of a profile's URL.
type request struct {
	address  account.Address
	name     string // as it was sent
	device   Device
	mailOnly bool
	language string
}

// readRequest reads the query of a link that the set-up page, a support desk or a
// person wrote: emailaddress, and optionally name, device (iphone, mac), only
// (mail) and lang. Names and values may be in any case, raw or escaped; others are
// ignored. The error is an *account.AddressError.
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
		name:     nameParameter(query),
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

// optional returns a parameter, and "" if it is missing or malformed.
func optional(query, name string) string {
	value, _ := account.Parameter(query, name)
	return value
}

// nameParameter returns the person's name. In a name, unlike in an address, + stands
// for the space of a form.
func nameParameter(query string) string {
	value, _ := account.RawParameter(query, "name")
	if plain, err := url.QueryUnescape(value); err == nil {
		return plain
	}
	return value
}
