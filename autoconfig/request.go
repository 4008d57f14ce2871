package autoconfig

import (
	"crypto/md5"
	"encoding/hex"
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
// never send it, and then the domain is that of Host.
//
// Those ask /mail/config-v1.1.xml first. Delta Chat, GNOME Online Accounts and Parula
// send the address there, and none to the URLs that they ask later. GNOME Online Accounts
// asks /.well-known/mail-v1.xml even before, with the address.
func parseRequest(r *http.Request) (request, error) {
	q := request{Query: account.Query{Host: r.Host, Client: account.Thunderbird}}
	domain, later, err := parsePath(r.URL.Path)
	if err != nil {
		return q, err
	}
	if sent, _ := account.RawParameter(r.URL.RawQuery, "emailaddress"); sent != "" {
		q.personal = true
		q.ReadParameter(sent)
		if strings.EqualFold(q.Address.Local(), anonymous) {
			q.Address = account.AnyAt(q.Address.Domain())
			q.MD5 = md5Parameter(r.URL.RawQuery)
		}
	}
	// Like a file of ISPDB, /v1.1/‹domain› is about that domain. An address of
	// another domain does not change that.
	if domain != "" && q.Address.Domain() != domain {
		q.Address, q.MD5, q.Host = account.Address{}, [md5.Size]byte{}, domain
	}
	names := !q.Address.IsZero() && !q.Address.IsAny() || q.MD5 != [md5.Size]byte{}
	q.Fallback = !names && (later || q.personal)
	return q, nil
}

// anonymous is the mailbox that Evolution sends instead of the person's, whose address
// it sends as emailmd5, the MD5 sum of the address in lower case (seen with 3.46). It
// completes placeholders with the real one.
const anonymous = "EVOLUTIONUSER"

// md5Parameter returns the sum, or zero if there is none.
func md5Parameter(query string) (sum [md5.Size]byte) {
	text, _ := account.RawParameter(query, "emailmd5")
	if bytes, err := hex.DecodeString(text); err == nil && len(bytes) == len(sum) {
		copy(sum[:], bytes)
	}
	return sum
}

// parsePath returns the domain in the path of ISPDB, or "" for the other paths of
// config-v1.1 documents. later is set for those that clients do not ask first.
func parsePath(path string) (domain string, later bool, err error) {
	const prefix = "/v1.1/"
	switch {
	case strings.EqualFold(path, "/mail/config-v1.1.xml"):
		return "", false, nil
	case strings.EqualFold(path, "/.well-known/autoconfig/mail/config-v1.1.xml"),
		strings.EqualFold(path, "/.well-known/mail-v1.xml"),   // GNOME Online Accounts; in drafts of 2024
		strings.EqualFold(path, "/v1.1/mail/config-v1.1.xml"): // Nine, on Android, after Autodiscover in JSON
		return "", true, nil
	case len(path) > len(prefix) && strings.EqualFold(path[:len(prefix)], prefix):
		if domain, err = account.ParseDomain(path[len(prefix):]); err == nil {
			return domain, true, nil
		}
	}
	return "", false, errNotFound
}
