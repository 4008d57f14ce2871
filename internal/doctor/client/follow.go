package client

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

// Fetching is how a client fetches a URL.
type Fetching struct {
	// Limit is the time that the client waits for one answer; 0 for no limit of its own.
	Limit time.Duration
	// WholeLimit says that Limit is for the whole fetch with its redirects.
	WholeLimit bool
	// Hops is the number of redirects that it follows; 0 for none.
	Hops int
	// SameScheme stops it at a redirect between http and https.
	SameScheme bool
	// AbsoluteOnly makes a relative Location an error.
	AbsoluteOnly bool
	// WaitsInLoops makes a redirect to a URL of the same fetch last until the limit.
	WaitsInLoops bool
	// KeepsPOST repeats a POST as a POST after 301 and 302, too. Browsers make it a GET.
	KeepsPOST bool
	// Accepts are the problems of certificates that it does not mind.
	Accepts []probe.Problem
}

// AnyCertificate is for Fetching.Accepts and Trying.Accepts.
var AnyCertificate = []probe.Problem{probe.WrongName, probe.Expired, probe.NotYetValid, probe.SelfSigned,
	probe.UnknownIssuer, probe.IncompleteChain}

// Page is what a client got from a URL after its redirects.
type Page struct {
	// WebAnswer is the last answer. Its Failure also says what the client's own rules refuse: a
	// certificate, too long a wait, a redirect it does not follow.
	probe.WebAnswer
	Question probe.WebQuestion // the last one
	// Asked are the keys of all questions, in order.
	Asked []probe.Key
	// Took is how long the client waited, at most its limit.
	Took time.Duration
	// Plain reports that a hop was not https.
	Plain bool
}

// Key is the key of the first question.
func (p Page) Key() probe.Key { return p.Asked[0] }

// URL returns the URL that was asked first, without a query, which could hold an address.
func (p Page) URL() string {
	_, text, _ := strings.Cut(string(p.Asked[0]), " ")
	return withoutQuery(text)
}

// Success reports whether the last answer is 2xx.
func (p Page) Success() bool { return p.Failure == nil && p.Status >= 200 && p.Status < 300 }

// ContentType returns the media type of the answer, as sent.
func (p Page) ContentType() string { return p.Header["Content-Type"] }

// Says describes the answer for people: "200 text/html", "refused".
func (p Page) Says() string {
	if p.Failure != nil {
		return p.Failure.Text
	}
	if contentType := p.ContentType(); contentType != "" {
		return fmt.Sprintf("%d %s", p.Status, contentType)
	}
	return fmt.Sprint(p.Status)
}

// Fetch asks a question and follows its redirects by the client's rules.
func (s *Search) Fetch(ctx context.Context, q probe.WebQuestion, rules Fetching) Page {
	var page Page
	for hop := 0; ; hop++ {
		page.Question = q
		page.Asked = append(page.Asked, q.Key())
		page.Plain = page.Plain || strings.HasPrefix(q.URL, "http://")
		page.WebAnswer = s.Asker.Web(ctx, q)
		limit := rules.Limit
		if rules.WholeLimit {
			limit -= page.Took
		}
		if tooLong(page.WebAnswer, rules.Limit, limit) {
			page.giveUp(rules.Limit, limit)
			return page
		}
		page.Took += page.WebAnswer.Took
		switch {
		case page.Failure != nil:
			return page
		case page.TLS != nil && !rules.accepts(page.TLS):
			page.Failure = &probe.Failure{Kind: probe.BadTLS, Text: "bad certificate: " + problems(page.TLS)}
			return page
		case page.Status < 300 || page.Status > 399 || page.Header["Location"] == "":
			return page
		case rules.Hops == 0:
			return page
		case hop >= rules.Hops:
			page.Failure = &probe.Failure{Kind: probe.BadProtocol, Text: "too many redirects"}
			return page
		}
		next, why := rules.target(q, page.Header["Location"])
		if why != "" {
			page.Failure = &probe.Failure{Kind: probe.BadProtocol, Text: why}
			return page
		}
		q = s.redirected(q, next, page.Status, rules)
		if rules.WaitsInLoops && slices.Contains(page.Asked, q.Key()) {
			page.giveUp(rules.Limit, rules.Limit-page.Took)
			return page
		}
	}
}

// tooLong reports whether the client does not wait for the answer: it has a limit, of which
// left is left, or the diagnosis itself gave up.
func tooLong(answer probe.WebAnswer, limit, left time.Duration) bool {
	if answer.Failure != nil && answer.Failure.Kind == probe.TimedOut {
		return true
	}
	return answer.Failure.Known() && limit > 0 && answer.Took > left
}

// giveUp makes the page one for which the client waited in vain.
func (p *Page) giveUp(limit, left time.Duration) {
	if limit > 0 {
		p.Took += left
	} else {
		p.Took += p.WebAnswer.Took
	}
	p.Failure = &probe.Failure{Kind: probe.TimedOut, Text: fmt.Sprintf("no answer in %v", p.Took.Round(time.Second/10))}
}

func (f Fetching) accepts(t *probe.TLS) bool { return acceptable(t, f.Accepts) }

func acceptable(t *probe.TLS, accepts []probe.Problem) bool {
	for _, problem := range t.Problems {
		if !slices.Contains(accepts, problem) {
			return false
		}
	}
	return true
}

// problems names the problems of a certificate for people.
func problems(t *probe.TLS) string {
	texts := make([]string, len(t.Problems))
	for i, p := range t.Problems {
		texts[i] = string(p)
	}
	text := strings.Join(texts, ", ")
	if t.Has(probe.WrongName) && len(t.Names) > 0 {
		text += " (it is for " + strings.Join(t.Names[:min(len(t.Names), 3)], ", ") + ")"
	}
	return text
}

// target returns where a redirect leads, or why the client does not go there.
func (f Fetching) target(q probe.WebQuestion, location string) (target, why string) {
	from, err := url.Parse(q.URL)
	if err != nil {
		return "", "a redirect from " + q.URL
	}
	to, err := url.Parse(location)
	if err != nil || !to.IsAbs() && f.AbsoluteOnly {
		return "", "a redirect to " + location
	}
	to = from.ResolveReference(to)
	switch {
	case to.Scheme != "http" && to.Scheme != "https", to.Host == "":
		return "", "a redirect to " + location
	case f.SameScheme && to.Scheme != from.Scheme:
		return "", "a redirect from " + from.Scheme + " to " + to.Scheme
	}
	return Normalize(to.String()), ""
}

// redirected returns the question after a redirect. A POST becomes a GET after 301, 302 and
// 303 (Fetch standard, HTTP-redirect fetch, step 12), unless the client repeats it.
func (s *Search) redirected(q probe.WebQuestion, target string, status int, rules Fetching) probe.WebQuestion {
	if q.Method == "POST" && (status == 307 || status == 308 || rules.KeepsPOST) {
		q.Body = strings.ReplaceAll(q.Body, s.Address.String(), s.AddressFor(target).String())
		q.URL = target
		return q
	}
	q.URL = target
	if q.Method == "POST" {
		q.Method, q.Body, q.ContentType = "GET", "", ""
	}
	return q
}

// Foreign reports whether a URL belongs to somebody else than the address's domain: it is
// then not told the local part.
func (s *Search) Foreign(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err != nil || dns.Registrable(u.Hostname()) != dns.Registrable(s.Address.Domain())
}

// AddressFor returns the address that a POST to the URL names: the person's for the
// domain's own servers, an invented one for others, which must not learn who the person is.
func (s *Search) AddressFor(rawURL string) account.Address { return s.AddressOf(rawURL, s.Address) }

// AddressOf is AddressFor for another address, to which a server sent the client.
func (s *Search) AddressOf(rawURL string, a account.Address) account.Address {
	if s.Real || a == s.Address && !s.Foreign(rawURL) {
		return a
	}
	if stranger, err := account.ParseAddress("signpost-doctor@" + a.Domain()); err == nil {
		return stranger
	}
	return a
}

func withoutQuery(rawURL string) string {
	text, _, _ := strings.Cut(rawURL, "?")
	text, _, _ = strings.Cut(text, " ")
	return text
}
