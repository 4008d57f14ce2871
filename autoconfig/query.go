package autoconfig

import (
	"errors"
	"net/http"
	"strings"

	"signpost/account"
)

// maxParameter is how much of an emailaddress parameter is looked at: 254
// characters of four octets, each octet percent-encoded.
const maxParameter = 3 * 4 * 254

var (
	errNoDocument = errors.New("not found")
	errTooLong    = errors.New("emailaddress: longer than any address")
	errEscape     = errors.New("emailaddress: a percent sign without two hexadecimal digits")
)

// request is what a client asks.
type request struct {
	account.Query
	// personal is set when an address was sent, even one that the answer
	// does not depend on.
	personal bool
}

// parseRequest reads path and query. Path and parameter name may be in any
// case. The address is optional: Thunderbird for Android, KMail, Geary and
// Mailspring never send it, and Host tells the domain then. The parameter
// emailmd5, which Evolution adds, says nothing that we need.
func parseRequest(r *http.Request) (request, error) {
	q := request{Query: account.Query{Host: r.Host, Client: account.Thunderbird}}
	of, err := pathDomain(r.URL.Path)
	if err != nil {
		return q, err
	}
	value, err := parameter(r.URL.RawQuery)
	if err != nil {
		return q, err
	}
	if value != "" {
		q.personal = true
		if q.Address, err = account.ParseAddress(value); err != nil {
			return q, err
		}
		if strings.EqualFold(q.Address.Local(), anonymous) {
			q.Address = account.AnyAt(q.Address.Domain())
		}
	}
	// Like a file of ISPDB, /v1.1/‹domain› is about that domain. An address of
	// another one does not change what was asked for.
	if of != "" && q.Address.Domain() != of {
		q.Address = account.AnyAt(of)
	}
	return q, nil
}

// anonymous is the mailbox that older Evolutions ask about instead of the
// person's, whose address they send as emailmd5. They fill placeholders in with
// the real one, so the answer has to be the one for any mailbox.
const anonymous = "EVOLUTIONUSER"

// pathDomain is the domain that the path names, empty where it names none.
func pathDomain(path string) (string, error) {
	const prefix = "/v1.1/"
	switch {
	case strings.EqualFold(path, "/mail/config-v1.1.xml"),
		strings.EqualFold(path, "/.well-known/autoconfig/mail/config-v1.1.xml"):
		return "", nil
	case len(path) > len(prefix) && strings.EqualFold(path[:len(prefix)], prefix):
		domain, err := account.ParseDomain(path[len(prefix):])
		if err != nil {
			return "", errNoDocument
		}
		return domain, nil
	}
	return "", errNoDocument
}

// parameter is the first emailaddress in a raw query, decoded once. Nextcloud
// Mail and FairEmail send the address as it is, so a plus sign is a plus sign
// and no space, a semicolon does not end a pair, and only the parameter itself
// has to be well encoded.
func parameter(query string) (string, error) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(pair, "=")
		if strings.EqualFold(name, "emailaddress") {
			return unescape(value)
		}
	}
	return "", nil
}

// unescape decodes percent escapes and nothing else.
func unescape(text string) (string, error) {
	if len(text) > maxParameter {
		return "", errTooLong
	}
	if strings.IndexByte(text, '%') < 0 {
		return text, nil
	}
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			b.WriteByte(text[i])
			continue
		}
		if i+2 >= len(text) {
			return "", errEscape
		}
		high, low := unhex(text[i+1]), unhex(text[i+2])
		if high < 0 || low < 0 {
			return "", errEscape
		}
		b.WriteByte(byte(high<<4 | low))
		i += 2
	}
	return b.String(), nil
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
