package finding

import (
	"bytes"
	"cmp"
	"mime"
	"net/url"
	"slices"
	"strings"

	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// place is a URL where clients look for settings, and what came of it.
type place struct {
	Hop
	URL  *url.URL
	Kind placeKind
	// More are the answers to which redirects led, in order, as far as they were asked for.
	More []Hop
	// Loop reports that the redirects lead back to where they were.
	Loop bool
}

// Hop is one request and its answer.
type Hop struct {
	Question probe.WebQuestion
	Answer   probe.WebAnswer
}

// placeKind says what is asked for at a place.
type placeKind string

const (
	atAutoconfig   placeKind = "autoconfig"   // autoconfig.‹domain›
	atWellKnown    placeKind = "well-known"   // the domain's own web server
	atAutodiscover placeKind = "autodiscover" // the XML of Autodiscover at autodiscover.‹domain› or at the domain
	atPACC         placeKind = "pacc"
)

// askedByAnyName are the paths where documents are.
const (
	autoconfigPath   = "/mail/config-v1.1.xml"
	wellKnownPath    = "/.well-known/autoconfig/mail/config-v1.1.xml"
	autodiscoverPath = "/autodiscover/autodiscover.xml"
	paccPath         = "/.well-known/user-agent-configuration.json"
)

// kindOf returns what is asked for at a URL of the domain, empty for any other URL.
func (c *Case) kindOf(u *url.URL) placeKind {
	d, path := c.Domain(), strings.ToLower(u.Path)
	switch host := u.Hostname(); {
	case host == "autoconfig."+d && path == autoconfigPath:
		return atAutoconfig
	case host == d && path == wellKnownPath:
		return atWellKnown
	case (host == "autodiscover."+d || host == d) && path == autodiscoverPath:
		return atAutodiscover
	case host == "ua-auto-config."+d && path == paccPath:
		return atPACC
	}
	return ""
}

// places returns the URLs of the domain that clients have asked, in the order of their keys.
func (c *Case) places() []place {
	webs := c.Asker.Webs()
	var all []place
	for q, a := range webs {
		u, err := url.Parse(q.URL)
		if err != nil || q.Address.IsValid() || !a.Failure.Known() {
			continue
		}
		if kind := c.kindOf(u); kind != "" {
			p := place{Hop: Hop{q, a}, URL: u, Kind: kind}
			p.follow(webs)
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b place) int {
		// https and without an address before http and with one: evidence shows the plainest question.
		return cmp.Or(-strings.Compare(a.URL.Scheme, b.URL.Scheme), strings.Compare(a.Question.URL, b.Question.URL),
			strings.Compare(string(a.Question.Key()), string(b.Question.Key())))
	})
	return all
}

// maxHops is more than any client follows.
const maxHops = 20

// follow finds the answers to which redirects lead.
func (p *place) follow(webs map[probe.WebQuestion]probe.WebAnswer) {
	seen := map[string]bool{p.Question.URL: true}
	for at := p.Hop; len(p.More) < maxHops; at = p.More[len(p.More)-1] {
		next, ok := at.target()
		if !ok {
			return
		}
		if seen[next] {
			p.Loop = true
			return
		}
		seen[next] = true
		hop, ok := answerAt(webs, next, at.Question)
		if !ok {
			return
		}
		p.More = append(p.More, hop)
	}
	p.Loop = true
}

// answerAt returns an answer at a URL: to the same question, or to a GET after a redirect
// that made the POST one.
func answerAt(webs map[probe.WebQuestion]probe.WebAnswer, target string, from probe.WebQuestion) (Hop, bool) {
	same := from
	same.URL = target
	for _, q := range []probe.WebQuestion{same, {Method: "GET", URL: target}} {
		if a, ok := webs[q]; ok && a.Failure.Known() {
			return Hop{q, a}, true
		}
	}
	for q, a := range webs { // the address in a POST may be another one
		if q.URL == target && q.Method == from.Method && a.Failure.Known() {
			return Hop{q, a}, true
		}
	}
	return Hop{}, false
}

// isRedirect reports whether the answer is a redirect that clients can follow.
func (h Hop) isRedirect() bool {
	s := h.Answer.Status
	return h.Answer.Failure == nil && (s == 301 || s == 302 || s == 303 || s == 307 || s == 308) &&
		h.Answer.Header["Location"] != ""
}

// target returns where the answer sends clients.
func (h Hop) target() (string, bool) {
	if !h.isRedirect() {
		return "", false
	}
	from, err := url.Parse(h.Question.URL)
	if err != nil {
		return "", false
	}
	to, err := from.Parse(h.Answer.Header["Location"])
	if err != nil || to.Host == "" {
		return "", false
	}
	return client.Normalize(to.String()), true
}

// Last returns the last answer.
func (p place) Last() Hop {
	if len(p.More) > 0 {
		return p.More[len(p.More)-1]
	}
	return p.Hop
}

// evidence returns evidence with the keys of all requests, the given text first.
func (p place) evidence(text string) []Evidence {
	all := []Evidence{{p.Question.Key(), text}}
	for _, hop := range p.More {
		all = append(all, Evidence{hop.Question.Key(), hop.Says()})
	}
	return all
}

// host returns the host of a hop's URL.
func (h Hop) host() string {
	u, err := url.Parse(h.Question.URL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// contentType returns the media type of the answer, in lower case and without parameters.
func (h Hop) contentType() string {
	media, _, err := mime.ParseMediaType(h.Answer.Header["Content-Type"])
	if err != nil {
		media, _, _ = strings.Cut(h.Answer.Header["Content-Type"], ";")
	}
	return strings.ToLower(strings.TrimSpace(media))
}

// isOK reports whether there is an answer with a 2xx status.
func (h Hop) isOK() bool { return h.Answer.Failure == nil && h.Answer.Status/100 == 2 }

// hasAutoconfig reports whether the body is an autoconfig document.
func (c *Case) hasAutoconfig(h Hop) bool {
	return c.readings.of(h.Answer.Body, c.Address).tolerant().Format == Autoconfig
}

// hasAutodiscover reports whether the body is an answer of Autodiscover, maybe an error.
func (c *Case) hasAutodiscover(h Hop) bool {
	return c.readings.of(h.Answer.Body, c.Address).autodiscover()
}

// isXML reports whether the body means to be XML and no web page, well-formed or not.
func (h Hop) isXML() bool {
	body := bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(h.Answer.Body, []byte("\xef\xbb\xbf"))))
	if h.contentType() == "text/html" || bytes.Contains(body[:min(len(body), 512)], []byte("<html")) {
		return false
	}
	return bytes.HasPrefix(body, []byte("<"))
}

// isEmpty reports whether the body holds nothing.
func (h Hop) isEmpty() bool { return len(bytes.TrimSpace(h.Answer.Body)) == 0 }

// serves reports whether something that knows settings of this domain answers at a host: it
// gave a document, refused as such a service does and a web site does not, or sends clients
// on to another server of Autodiscover.
func (c *Case) serves(host string) bool {
	return slices.ContainsFunc(c.places(), func(p place) bool {
		if p.URL.Hostname() != host {
			return false
		}
		target, ok := p.Last().target()
		return c.isService(p) || ok && strings.HasPrefix(strings.ToLower(pathOf(target)), "/autodiscover")
	})
}

// isService reports whether the last answer is one of a service that knows settings.
func (c *Case) isService(p place) bool {
	last := p.Last()
	switch {
	case c.hasAutoconfig(last), p.Kind == atAutodiscover && c.hasAutodiscover(last):
		return true
	case p.Kind == atPACC:
		return last.isOK() && last.contentType() == "application/json"
	}
	// As of a domain about which nothing is told without an address.
	return last.Answer.Status == 404 && last.contentType() == "text/plain"
}
