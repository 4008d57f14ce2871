package account

import (
	"net/url"
	"strings"
)

// Parameter returns the first value of a parameter in a raw query, unescaped once,
// or "" if there is none. The name may be in any case.
//
// url.ParseQuery does not fit the requests of mail clients: Nextcloud Mail and
// FairEmail send the address without escapes, so a plus sign does not mean a
// space, and a semicolon does not separate parameters. Only the parameter itself
// has to be well escaped, not the rest of the query; otherwise the error is an
// *AddressError.
func Parameter(query, name string) (string, error) {
	value, _ := RawParameter(query, name)
	return Unescape(value)
}

// RawParameter is like Parameter, but returns the value with its escapes, and whether
// the query has the parameter.
func RawParameter(query, name string) (value string, ok bool) {
	for pair := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(pair, "="); strings.EqualFold(key, name) {
			return value, true
		}
	}
	return "", false
}

// Unescape replaces percent escapes and nothing else. A percent sign without two
// hexadecimal digits is an *AddressError; without the check, such a text would be
// taken as it is and appear in the answer.
func Unescape(text string) (string, error) {
	plain, err := url.PathUnescape(text)
	if err != nil {
		return "", &AddressError{"it has a percent sign without two hexadecimal digits"}
	}
	return plain, nil
}
