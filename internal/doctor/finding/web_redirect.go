package finding

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// redirectLoops finds H5.
func redirectLoops(_ context.Context, c *Case) []Finding {
	return cured(c.byHost(func(p place) string {
		if !p.Loop {
			return ""
		}
		return fmt.Sprintf("%s leads in a circle: after %s it is where it was.",
			withoutQuery(p.Question.URL), redirects(len(p.More)+1))
	}), webCure("answer at %s itself, with the document or 404"), "H6", "H7")
}

// toBadCertificate finds H6.
func toBadCertificate(_ context.Context, c *Case) []Finding {
	var targets []string
	found := cured(c.byHost(func(p place) string {
		from := p.Hop
		for _, hop := range p.More {
			t := hop.Answer.TLS
			if strings.HasPrefix(from.Question.URL, "http://") && strings.HasPrefix(hop.Question.URL, "https://") &&
				t != nil && len(t.Problems) > 0 && (hop.host() == p.URL.Hostname() || c.isOwn(hop.host())) {
				targets = append(targets, hop.host())
				return fmt.Sprintf("%s sends plain http on to %s, whose certificate is %s.", p.URL.Host,
					withoutQuery(hop.Question.URL), certificate(t))
			}
			from = hop
		}
		return ""
	}), webCure("get a certificate for %s, or answer over http without a redirect"), "T1", "T2", "T3", "T4", "H1", "H4")
	for i := range found {
		found[i].Explains = append(found[i].Explains, at(targets, "T1", "T2", "T3", "T4")...)
	}
	return found
}

// toPlain finds H7.
func toPlain(_ context.Context, c *Case) []Finding {
	return cured(c.byHost(func(p place) string {
		for _, hop := range append([]Hop{p.Hop}, p.More...) {
			target, ok := hop.target()
			if ok && strings.HasPrefix(hop.Question.URL, "https://") && strings.HasPrefix(target, "http://") &&
				p.isDocumentPlace() {
				return fmt.Sprintf("%s sends clients from https to %s.", p.URL.Host, withoutQuery(target))
			}
		}
		return ""
	}), webCure("stay on https"))
}

// lostPosts finds H20: a POST that is refused where a GET is answered, or that a redirect within
// the domain makes a GET which is of no use. A redirect to another server of Autodiscover
// is what Microsoft's protocol means (MS-OXDSCLI 3.1.5.4).
func lostPosts(_ context.Context, c *Case) []Finding {
	webs := c.Asker.Webs()
	return cured(c.byHost(func(p place) string {
		if p.Kind != atAutodiscover || p.Question.Method != "POST" {
			return ""
		}
		if p.Answer.Failure == nil && p.Answer.Status == 405 {
			return fmt.Sprintf("%s refuses the POST by which clients ask (405).", withoutQuery(p.Question.URL))
		}
		target, ok := p.target()
		status := p.Answer.Status
		if !ok || status == 307 || status == 308 {
			return ""
		}
		u, err := url.Parse(target)
		if err != nil || !c.isOwn(u.Hostname()) || !strings.EqualFold(u.Path, p.URL.Path) {
			return ""
		}
		for q, a := range webs {
			if q.URL == target && q.Method == "POST" && c.hasAutodiscover(Hop{q, a}) {
				return fmt.Sprintf("The redirect (%d) from %s to %s makes a GET of Outlook's question.", status,
					withoutQuery(p.Question.URL), withoutQuery(target))
			}
		}
		return ""
	}), webCure("answer the POST at %s itself"))
}

// redirects counts them in words.
func redirects(n int) string {
	if n == 1 {
		return "1 redirect"
	}
	return fmt.Sprintf("%d redirects", n)
}
