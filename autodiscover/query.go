package autodiscover

import (
	"net/url"
	"strconv"
	"strings"

	"signpost/account"
)

// maxQuery is how long path and query of a JSON request may be together. An
// address may have 254 octets, three times as many escaped.
const maxQuery = 2 << 10

// maxRedirects is after how many redirects no further one is answered; clients
// give up at the same number.
const maxRedirects = 10

// question is what a JSON request asks.
type question struct {
	address   account.Address
	protocol  string // as the client spelled it, anything at all
	redirects int
}

// parseQuestion reads both forms of the request:
//
//	/autodiscover/autodiscover.json?Email=‹address›&Protocol=‹protocol›&RedirectCount=‹n›
//	/autodiscover/autodiscover.json/v1.0/‹address›?Protocol=‹protocol›
//
// Clients write the address raw and escaped, in path and query, and the names in
// any case.
func parseQuestion(u *url.URL) (question, error) {
	if len(u.Path)+len(u.RawQuery) > maxQuery {
		return question{}, &Error{Code: MissingParameter, Reason: "the request is too long"}
	}
	email, err := addressIn(u)
	if err != nil {
		return question{}, &Error{Code: MissingParameter, Reason: err.Error()}
	}
	if email == "" {
		return question{}, &Error{Code: MissingParameter, Reason: "the request has no address"}
	}
	var q question
	if q.address, err = account.ParseAddress(email); err != nil {
		return question{}, &Error{Code: MissingParameter, Reason: err.Error()}
	}
	protocol, err := account.Parameter(u.RawQuery, "Protocol")
	if q.protocol = strings.TrimSpace(protocol); q.protocol == "" || err != nil {
		return question{}, &Error{Code: MissingProtocol, Reason: "the request has no Protocol"}
	}
	if count, err := account.Parameter(u.RawQuery, "RedirectCount"); err == nil {
		q.redirects = redirectCount(count)
	}
	return q, nil
}

// addressIn is what stands in the path below autodiscover.json/v1.0/, or else
// in the query.
func addressIn(u *url.URL) (string, error) {
	const below = "/v1.0/"
	path := u.EscapedPath()
	if at := strings.Index(strings.ToLower(path), below); at >= 0 {
		// Outlook adds no slash at the end, but a hand that types does.
		if email := strings.TrimSuffix(path[at+len(below):], "/"); email != "" {
			return account.Unescape(email)
		}
	}
	return account.Parameter(u.RawQuery, "Email")
}

func redirectCount(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
