package finding

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// byHost returns one finding for each host at which a place has the fault: report returns the
// sentence of the first such place, or an empty one.
func (c *Case) byHost(report func(p place) string) []Finding {
	var found []Finding
	for _, p := range c.places() {
		sentence := report(p)
		if sentence == "" {
			continue
		}
		host := p.URL.Hostname()
		i := slices.IndexFunc(found, func(f Finding) bool { return f.Subject == host })
		if i < 0 {
			i = len(found)
			found = append(found, Finding{Subject: host, Sentence: sentence})
		}
		f := &found[i]
		for _, e := range p.evidence(p.Says()) {
			if !slices.Contains(f.Evidence, e) {
				f.Evidence = append(f.Evidence, e)
			}
		}
	}
	return found
}

// cured adds cures and consequences to findings of one kind.
func cured(found []Finding, cure func(host string) []Cure, explains ...string) []Finding {
	for i := range found {
		found[i].Cures = cure(found[i].Subject)
		found[i].Explains = append(found[i].Explains, explains...)
	}
	return found
}

// webCure returns a cure of a web server.
func webCure(format string) func(host string) []Cure {
	return func(host string) []Cure {
		text := format
		if strings.Contains(format, "%s") {
			text = fmt.Sprintf(format, host)
		}
		return []Cure{{Who: WebServer(host), Text: text}}
	}
}

// isDocumentPlace reports whether autoconfig documents are sought at the place.
func (p place) isDocumentPlace() bool { return p.Kind == atAutoconfig || p.Kind == atWellKnown }

// notFound is what web servers should answer, for the common ones.
const notFound = "answer 404 for paths that do not exist (nginx: location = " + autoconfigPath + " { return 404; }, " +
	"the same for " + wellKnownPath + " and " + autodiscoverPath + ")"

// pages finds H1.
func pages(_ context.Context, c *Case) []Finding {
	return cured(c.byHost(func(p place) string {
		if !p.isDocumentPlace() || len(p.More) > 0 && p.strays() || !c.isPage(p.Last()) {
			return ""
		}
		return fmt.Sprintf("%s answers with a web page where clients look for the settings.",
			withoutQuery(p.Question.URL))
	}), func(host string) []Cure {
		return []Cure{{Who: WebServer(host), Text: notFound, Serve: serveNothing(c, host)}}
	}, "H18", "K9")
}

// isPage reports whether clients get something with a status of success that is no document
// and does not try to be one.
func (c *Case) isPage(h Hop) bool {
	return h.isOK() && !h.isEmpty() && !h.isXML() && !c.hasAutoconfig(h)
}

// strays reports whether redirects lead to another path.
func (p place) strays() bool {
	last := withoutQuery(p.Last().Question.URL)
	return !strings.EqualFold(pathOf(last), p.URL.Path)
}

// pathOf returns the path of a URL.
func pathOf(rawURL string) string {
	_, rest, _ := strings.Cut(rawURL, "://")
	_, path, _ := strings.Cut(rest, "/")
	return "/" + path
}

// emptyAnswers finds H2.
func emptyAnswers(_ context.Context, c *Case) []Finding {
	return cured(c.byHost(func(p place) string {
		last := p.Last()
		if !p.isDocumentPlace() || !last.isOK() || !last.isEmpty() {
			return ""
		}
		return fmt.Sprintf("%s answers %d with nothing in it, which clients take for the answer.",
			withoutQuery(p.Question.URL), last.Answer.Status)
	}), func(host string) []Cure {
		return []Cure{{Who: WebServer(host), Text: "answer 404 where there is no document",
			Serve: serveNothing(c, host)}}
	})
}

// wrongTypes finds H3. A missing Content-Type is guessed from the body.
func wrongTypes(_ context.Context, c *Case) []Finding {
	return cured(c.byHost(func(p place) string {
		last := p.Last()
		contentType := last.contentType()
		if !p.isDocumentPlace() || !last.isOK() || !c.hasAutoconfig(last) || contentType == "" ||
			contentType == "text/xml" || contentType == "application/xml" || contentType == "text/rdf" {
			return ""
		}
		return fmt.Sprintf("%s is sent as %s, so Thunderbird does not read it.",
			withoutQuery(p.Question.URL), contentType)
	}), webCure("send "+autoconfigPath+" as text/xml (nginx: types { text/xml xml; })"))
}

// toHomePage finds H4.
func toHomePage(_ context.Context, c *Case) []Finding {
	return cured(c.byHost(func(p place) string {
		if p.Kind == atPACC || p.Kind == "" || !p.strays() || !c.isPage(p.Last()) {
			return ""
		}
		return fmt.Sprintf("%s sends clients that look for the settings to the page %s.", p.URL.Host,
			withoutQuery(p.Last().Question.URL))
	}), func(host string) []Cure {
		return []Cure{{Who: WebServer(host), Serve: serveNothing(c, host),
			Text: "exempt " + autoconfigPath + ", " + wellKnownPath + " and " + autodiscoverPath +
				" from the redirect: 404 there"}}
	}, "H1", "H18", "H20", "K9")
}

// siteAnswersAutodiscover finds H18.
func siteAnswersAutodiscover(ctx context.Context, c *Case) []Finding {
	var explains []string
	if c.hasAutodiscoverService(ctx) { // which clients do not get to ask
		explains = at([]string{c.Name("autoconfig"), c.Name("autodiscover")}, "D1")
	}
	return cured(c.byHost(func(p place) string {
		last := p.Last()
		if p.Kind != atAutodiscover || p.Question.Method != "POST" || p.strays() || !last.isOK() ||
			c.hasAutodiscover(last) || last.isXML() {
			return ""
		}
		return fmt.Sprintf("%s answers Outlook's question with status %d and a web page, "+
			"so that clients do not look further.",
			withoutQuery(p.Question.URL), last.Answer.Status)
	}), func(host string) []Cure {
		return []Cure{{Who: WebServer(host), Text: "answer 404 at " + autodiscoverPath, Serve: serveNothing(c, host)}}
	}, explains...)
}
