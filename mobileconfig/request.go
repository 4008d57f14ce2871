package mobileconfig

import (
	"net/url"
	"strings"

	"signpost/account"
)

// maxQuery bounds a query; an address and a name need a tenth of it.
const maxQuery = 8 << 10

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
// is not known is left alone. The error is that of account.ParseAddress.
func readRequest(query string) (request, error) {
	if len(query) > maxQuery {
		return request{}, &account.AddressError{Problem: "the query is too long"}
	}
	address, err := account.ParseAddress(unescape(parameter(query, "emailaddress")))
	if err != nil {
		return request{}, err
	}
	r := request{
		address: address,
		// A form writes a space as +, which an address has and means.
		name:     cleanName(unescape(strings.ReplaceAll(parameter(query, "name"), "+", " "))),
		mailOnly: strings.EqualFold(parameter(query, "only"), "mail"),
		language: parameter(query, "lang"),
	}
	switch strings.ToLower(parameter(query, "device")) {
	case "mac":
		r.device = Mac
	case "iphone", "ipad":
		r.device = Phone
	}
	return r, nil
}

// parameter is the first value of the name as it stands in the query.
// url.ParseQuery is not for raw addresses: it makes the + of a tag a space and
// drops pairs with a stray % or ;.
func parameter(query, name string) string {
	for pair := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(pair, "="); strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

// unescape leaves a text alone that is not escaped or not throughout.
func unescape(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}
