package autoconfig

import (
	"errors"
	"net/http"
	"strings"

	"signpost/account"
)

var errNotFound = errors.New("not found")

// request is the parsed query of an HTTP request.
type request struct {
	account.Query
	// personal is set if an address was sent, even one that the answer does not
	// depend on.
	personal bool
}

// parseRequest reads path and query. Path and parameter name may be in any case.
// The address is optional: Thunderbird for Android, KMail, Geary and Mailspring
// never send it, and then the domain is that of Host. The parameter emailmd5,
// which Evolution adds, is ignored.
func parseRequest(r *http.Request) (request, error) {
	q := request{Query: account.Query{Host: r.Host, Client: account.Thunderbird}}
	domain, err := pathDomain(r.URL.Path)
	if err != nil {
		return q, err
	}
	email, err := account.Parameter(r.URL.RawQuery, "emailaddress")
	if err != nil {
		return q, err
	}
	if email != "" {
		q.personal = true
		if q.Address, err = account.ParseAddress(email); err != nil {
			return q, err
		}
		if strings.EqualFold(q.Address.Local(), anonymous) {
			q.Address = account.AnyAt(q.Address.Domain())
		}
	}
	// Like a file of ISPDB, /v1.1/‹domain› is about that domain. An address of
	// another domain does not change that.
	if domain != "" && q.Address.Domain() != domain {
		q.Address = account.AnyAt(domain)
	}
	return q, nil
}

// anonymous is the mailbox that older Evolutions send instead of the person's,
// whose address they send as emailmd5. They complete placeholders with the real
// one, so the answer has to be the one for any mailbox.
const anonymous = "EVOLUTIONUSER"

// pathDomain returns the domain in the path of ISPDB, or "" for the other paths
// of config-v1.1 documents.
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
			return "", errNotFound
		}
		return domain, nil
	}
	return "", errNotFound
}
