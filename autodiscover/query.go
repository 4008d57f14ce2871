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
// any case. A plus sign is a plus sign, which net/url's own reading of queries
// would turn into a space.
func parseQuestion(u *url.URL) (question, error) {
	if len(u.Path)+len(u.RawQuery) > maxQuery {
		return question{}, &Error{Code: MissingParameter, Reason: "the request is too long"}
	}
	var q question
	email := addressInPath(u)
	var seen struct{ email, protocol, redirects bool }
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		switch {
		case strings.EqualFold(name, "Email") && !seen.email:
			seen.email = true
			if email == "" {
				email = unescape(value)
			}
		case strings.EqualFold(name, "Protocol") && !seen.protocol:
			seen.protocol = true
			q.protocol = strings.TrimSpace(unescape(value))
		case strings.EqualFold(name, "RedirectCount") && !seen.redirects:
			seen.redirects = true
			q.redirects = redirectCount(value)
		}
	}
	if email == "" {
		return question{}, &Error{Code: MissingParameter, Reason: "the request has no address"}
	}
	a, err := account.ParseAddress(email)
	if err != nil {
		return question{}, &Error{Code: MissingParameter, Reason: err.Error()}
	}
	if q.protocol == "" {
		return question{}, &Error{Code: MissingProtocol, Reason: "the request has no Protocol"}
	}
	q.address = a
	return q, nil
}

// addressInPath is what stands below autodiscover.json/v1.0/, unescaped.
func addressInPath(u *url.URL) string {
	const below = "/v1.0/"
	path := u.EscapedPath()
	at := strings.Index(strings.ToLower(path), below)
	if at < 0 {
		return ""
	}
	// Outlook adds no slash at the end, but a hand that types does.
	return unescape(strings.TrimSuffix(path[at+len(below):], "/"))
}

// unescape undoes percent signs only. A text with a broken escape is taken as it
// stands: an address may hold a percent sign that nobody escaped.
func unescape(text string) string {
	plain, err := url.PathUnescape(text)
	if err != nil {
		return text
	}
	return plain
}

func redirectCount(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
