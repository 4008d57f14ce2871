package finding

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// pathCase finds H12. Some versions of Outlook and Microsoft's cloud (rseichter/automx2 issue 8), Outlook for
// Mac and exchangelib write the path with capitals. It is asked where the other has an answer.
func pathCase(ctx context.Context, c *Case) []Finding {
	for _, p := range c.places() {
		if p.Kind != atAutodiscover || p.Question.Method != "POST" || p.URL.Scheme != "https" ||
			p.URL.Path != autodiscoverPath ||
			len(p.More) > 0 || !c.hasAutodiscover(p.Hop) {
			continue
		}
		const capital = "/Autodiscover/Autodiscover.xml"
		q := p.Question
		q.URL = strings.Replace(q.URL, autodiscoverPath, capital, 1)
		other := Hop{q, c.Asker.Web(ctx, q)}
		if !other.Answer.Failure.Known() || other.Answer.Status != 404 {
			return nil
		}
		host := p.URL.Hostname()
		return []Finding{{
			Subject:  host,
			Severity: Warning,
			Sentence: fmt.Sprintf("%s answers at %s, but not at %s, as Outlook and exchangelib may write it.",
				host, autodiscoverPath, capital),
			Evidence: []Evidence{See(q, "%s", other.Says()), See(p.Question, "%s", p.Says())},
			Cures:    webCure("mind no case in the path (nginx: location ~* ^/autodiscover/)")(host),
		}}
	}
	return nil
}

// addressRequired finds H13. A 404 without the address may be the operator's wish.
func addressRequired(_ context.Context, c *Case) []Finding {
	all := c.places()
	found := cured(c.byHost(func(p place) string {
		status := p.Last().Answer.Status
		if !p.isDocumentPlace() || p.URL.RawQuery != "" || p.Last().Answer.Failure != nil || status < 400 ||
			status == 404 ||
			status == 401 || status == 403 || status == 429 {
			return ""
		}
		for _, other := range all {
			if other.URL.RawQuery != "" && other.URL.Host == p.URL.Host && other.URL.Path == p.URL.Path &&
				other.URL.Scheme == p.URL.Scheme && c.hasAutoconfig(other.Last()) {
				return fmt.Sprintf("%s answers %d unless the query has an address, and many clients send none.",
					withoutQuery(p.Question.URL), status)
			}
		}
		return ""
	}), webCure("give the domain's ordinary settings without emailaddress, too"), "H19")
	for len(found) > 1 { // one program behind two names
		found[0].Evidence = append(found[0].Evidence, found[1].Evidence...)
		found[0].Explains = append(found[0].Explains, "H19 "+found[1].Subject)
		found = slices.Delete(found, 1, 2)
	}
	return found
}

// otherPlaces finds H14, where a client is lost by it: it asked some places in vain, but not
// the one that has the document. Who asked there without an address and was refused is not lost by the place.
func otherPlaces(_ context.Context, c *Case) []Finding {
	var with, without []place
	for _, p := range c.places() {
		switch {
		case !p.isDocumentPlace():
		case c.hasAutoconfig(p.Last()):
			with = append(with, p)
		case p.Last().Answer.Failure == nil && p.Last().Answer.Status == 404:
			without = append(without, p)
		}
	}
	if len(with) == 0 {
		return nil
	}
	var found []Finding
	for _, p := range without {
		ids := []string{}
		for _, k := range c.Clients {
			f := c.Forecasts[k.ID]
			asked := func(places ...place) bool {
				return slices.ContainsFunc(places, func(p place) bool {
					return slices.ContainsFunc(f.Steps, func(s client.Step) bool {
						_, asked, _ := strings.Cut(string(s.Key), " ")
						return withoutQuery(asked) == withoutQuery(p.Question.URL)
					})
				})
			}
			if f.Outcome != client.SetsUp && asked(p) && !asked(with...) {
				ids = append(ids, k.ID)
			}
		}
		if len(ids) == 0 || slices.ContainsFunc(found, func(f Finding) bool { return f.Subject == p.URL.Hostname() }) {
			continue
		}
		found = append(found, Finding{
			Subject: p.URL.Hostname(), Clients: ids, Severity: Warning,
			Sentence: fmt.Sprintf("The document is at %s, but not at %s, where %s look.",
				withoutQuery(with[0].Question.URL),
				withoutQuery(p.Question.URL), list(c.names(ids))),
			Evidence: p.evidence(p.Says()),
			Cures:    webCure("serve the document at " + p.URL.Path + ", too")(p.URL.Hostname()),
		})
	}
	return found
}

// hsts finds H16.
func hsts(_ context.Context, c *Case) []Finding {
	var policy, plain, secure *place
	for _, p := range c.places() {
		header := strings.ToLower(p.Answer.Header["Strict-Transport-Security"])
		switch {
		case p.URL.Hostname() == c.Domain() && p.Answer.OK() && p.URL.Scheme == "https" &&
			strings.Contains(header, "includesubdomains") && !strings.Contains(header, "max-age=0"):
			policy = &p
		case p.Kind != atAutoconfig:
		case p.URL.Scheme == "http" && len(p.More) == 0 && c.hasAutoconfig(p.Hop):
			plain = &p
		case p.URL.Scheme == "https" && !p.Answer.OK():
			secure = &p
		}
	}
	if policy == nil || plain == nil || secure == nil {
		return nil
	}
	host := c.Name("autoconfig")
	return []Finding{{
		Subject: host,
		Sentence: fmt.Sprintf("%s forces https for all names below it (HSTS), but %s answers on plain http only.",
			c.Domain(), host),
		Evidence: []Evidence{See(policy.Question, "Strict-Transport-Security: %s",
			policy.Answer.Header["Strict-Transport-Security"]),
			See(secure.Question, "%s", secure.Says()), See(plain.Question, "%s", plain.Says())},
		Cures:    []Cure{{Who: WebServer(host), Text: "get a certificate for " + host}},
		Explains: []string{"T1", "T2", "T3", "T4", "T5"},
	}}
}

// withoutSNI finds H17 from what was asked for other reasons: no client of today leaves the name out.
func withoutSNI(_ context.Context, c *Case) []Finding {
	tlss := c.Asker.TLSs()
	var found []Finding
	for _, label := range []string{"autoconfig", "autodiscover", "ua-auto-config"} {
		host := c.Name(label)
		q := probe.TLSQuestion{Host: host, Port: 443, NoName: true}
		a, asked := tlss[q]
		if !asked || a.Failure != nil || a.TLS == nil || !a.TLS.Has(probe.WrongName) || !c.isTrusted(host) {
			continue
		}
		found = append(found, Finding{
			Subject:  host,
			Severity: Note,
			Sentence: fmt.Sprintf("Clients that do not name the server in TLS see a certificate %s at %s.",
				certificate(a.TLS), host),
			Evidence: []Evidence{See(q, "certificate %s", certificate(a.TLS))},
			Cures:    webCure("make %s the default site")(host),
		})
	}
	return found
}

// isTrusted reports whether the host showed a good certificate to clients that named it.
func (c *Case) isTrusted(host string) bool {
	return slices.ContainsFunc(c.places(), func(p place) bool {
		return p.URL.Hostname() == host && p.URL.Scheme == "https" && p.Answer.OK()
	})
}
