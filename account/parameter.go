package account

import (
	"net/url"
	"strings"
)

// Parameter is the first value of a parameter in a raw query, unescaped once,
// empty where there is none; its name may be in any case.
//
// url.ParseQuery is not for the requests of mail clients: Nextcloud Mail and
// FairEmail send the address as it is, so that a plus sign is a plus sign and no
// space, and a semicolon ends nothing. Of a query, only the parameter itself has
// to be well escaped; otherwise the error is an *AddressError.
func Parameter(query, name string) (string, error) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		key, value, _ := strings.Cut(pair, "=")
		if strings.EqualFold(key, name) {
			return Unescape(value)
		}
	}
	return "", nil
}

// Unescape undoes percent escapes and nothing else. A percent sign without two
// hexadecimal digits is an *AddressError: who copies an address undecoded would
// put it into the answer.
func Unescape(text string) (string, error) {
	plain, err := url.PathUnescape(text)
	if err != nil {
		return "", &AddressError{"it has a percent sign without two hexadecimal digits"}
	}
	return plain, nil
}
