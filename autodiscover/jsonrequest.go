package autodiscover

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"signpost/account"
)

// maxQuery is the length of the longest path and query of a JSON request
// together. An address may have 254 bytes, three times as many escaped.
const maxQuery = 2 << 10

// maxRedirects is the number of redirects after which a client gets no further
// one. Clients give up at the same number.
const maxRedirects = 10

// jsonRequest holds the parameters of a JSON request.
type jsonRequest struct {
	account.Query
	protocol  string // as the client spelled it, any text at all
	redirects int
}

// parseJSONRequest reads both forms of the request:
//
//	/autodiscover/autodiscover.json?Email=‹address›&Protocol=‹protocol›&RedirectCount=‹n›
//	/autodiscover/autodiscover.json/v1.0/‹address›?Protocol=‹protocol›
//
// Clients write the address raw and escaped, in path and query, and the names in
// any case.
func parseJSONRequest(r *http.Request) (jsonRequest, error) {
	u := r.URL
	if len(u.Path)+len(u.RawQuery) > maxQuery {
		return jsonRequest{}, &Error{Code: MissingParameter, Reason: "the request is too long"}
	}
	sent := emailParameter(u)
	if sent == "" {
		return jsonRequest{}, &Error{Code: MissingParameter, Reason: "the request has no address"}
	}
	q := jsonRequest{Query: account.Query{Host: r.Host, Client: account.Phone, Fallback: true}}
	q.ReadParameter(sent)
	protocol, err := account.Parameter(u.RawQuery, "Protocol")
	if q.protocol = strings.TrimSpace(protocol); q.protocol == "" || err != nil {
		return jsonRequest{}, &Error{Code: MissingProtocol, Reason: "the request has no Protocol"}
	}
	if count, err := account.Parameter(u.RawQuery, "RedirectCount"); err == nil {
		if n, err := strconv.Atoi(count); err == nil {
			q.redirects = max(n, 0)
		}
	}
	return q, nil
}

// emailParameter returns the address in the path below autodiscover.json/v1.0/, or
// else in the query, with its escapes.
func emailParameter(u *url.URL) string {
	const below = "/v1.0/"
	path := u.EscapedPath()
	if at := strings.Index(strings.ToLower(path), below); at >= 0 {
		// Outlook adds no slash at the end, but a person who types may.
		if email := strings.TrimSuffix(path[at+len(below):], "/"); email != "" {
			return email
		}
	}
	email, _ := account.RawParameter(u.RawQuery, "Email")
	return email
}
