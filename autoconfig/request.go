package autoconfig

import (
	"errors"
	"net/http"
	"strings"

	"signpost/account"
)

var errNoDocument = errors.New("not found")

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
	value, err := account.Parameter(r.URL.RawQuery, "emailaddress")
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
		strings.EqualFold(path, "/v1.1/mail/config-v1.1.xml"), // Nine, on Android
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
