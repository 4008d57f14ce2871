package finding

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

// Registered domains by which a provider is known. The mail of a domain behind a filter can be
// anywhere, whatever the MX says.
var (
	microsoftSites = []string{"outlook.com", "office365.com", "office.com", "microsoft.com", "microsoft",
		"microsoftonline.com", "hotmail.com", "live.com", "office365.us", "partner.outlook.cn"}
	filterSites = []string{"pphosted.com", "ppe-hosted.com", "mimecast.com", "mimecast.co.za", "messagelabs.com",
		"barracudanetworks.com", "iphmx.com", "trendmicro.com", "trendmicro.eu", "sophos.com", "hornetsecurity.com",
		"antispamcloud.com", "antispameurope.com", "spamexperts.com", "mailcontrol.com", "fireeyecloud.com",
		"reflexion.net", "mxthunder.com", "mxlogic.net", "cloudflare.net", "expurgate.net", "mailinblack.com",
		"spamtitan.com"}
)

// sameOwner reports whether two hosts belong to one owner, as far as their names tell.
func sameOwner(a, b string) bool {
	a, b = siteOf(a), siteOf(b)
	return a == b || slices.Contains(microsoftSites, a) && slices.Contains(microsoftSites, b)
}

// isFormer reports whether a host to which Autodiscover leads belongs to somebody who does not
// have the domain's mail, by the MX and by what clients get who ask at asked. It is false where
// that cannot be known.
func (c *Case) isFormer(ctx context.Context, host, asked string) bool {
	provider := c.Provider(ctx)
	switch {
	case provider == "", c.isOwn(host), sameOwner(host, provider), sameOwner(host, c.Domain()),
		slices.Contains(filterSites, provider):
		return false
	case slices.ContainsFunc(c.ownHosts(ctx), func(own string) bool { return sameOwner(own, host) }):
		return false
	case slices.Contains(microsoftSites, siteOf(host)):
		return !c.sendsByMicrosoft(ctx)
	case c.isOfService(ctx, host):
		return false
	}
	known := false
	for q, a := range c.Asker.Webs() {
		h := Hop{q, a}
		if h.host() != asked || !a.Failure.Known() || q.Method != "POST" ||
			!strings.EqualFold(pathOf(q.URL), autodiscoverPath) {
			continue
		}
		if known = true; c.hasAutodiscover(h) || c.hasAutoconfig(h) {
			return false // it knows the domain; whether it says the same as others is another question
		}
	}
	return known && !slices.ContainsFunc(c.places(), func(p place) bool {
		return p.URL.Hostname() == asked && c.isService(p)
	})
}

// isOfService reports whether a host belongs to whoever serves the domain's documents: its
// autoconfig or autodiscover leads there, and something answers.
func (c *Case) isOfService(ctx context.Context, host string) bool {
	for _, label := range []string{"autoconfig", "autodiscover"} {
		for _, alias := range c.DNS(ctx, c.Name(label), "A").OfType("CNAME") {
			target := targetOf(alias)
			if target == host || siteOf(target) == siteOf(host) {
				return slices.ContainsFunc(c.places(), func(p place) bool {
					return p.URL.Hostname() == c.Name(label) && c.isService(p)
				})
			}
		}
	}
	return false
}

// sendsByMicrosoft reports whether SPF allows Microsoft 365 to send: then mailboxes may be
// there, although the MX is not.
func (c *Case) sendsByMicrosoft(ctx context.Context) bool {
	answer := c.DNS(ctx, c.Domain(), "TXT")
	return answer.Failure != nil || slices.ContainsFunc(answer.OfType("TXT"), func(r dns.Record) bool {
		text := strings.ToLower(dns.Unquote(r.Data))
		return strings.HasPrefix(text, "v=spf1") && strings.Contains(text, "spf.protection.outlook.com")
	})
}

// leftoverNames finds D3: an alias, or a redirect of the web server there.
func leftoverNames(ctx context.Context, c *Case) []Finding {
	name := c.Name("autodiscover")
	f := Finding{Subject: name}
	answer := c.DNS(ctx, name, "A")
	if aliases := answer.OfType("CNAME"); len(aliases) > 0 && aliases[0].Name == name {
		target := strings.TrimSuffix(aliases[len(aliases)-1].Data, ".")
		if first := strings.TrimSuffix(aliases[0].Data, "."); slices.Contains(microsoftSites, siteOf(first)) {
			target = first // Microsoft's own aliases lead on to names with other endings
		}
		if c.isFormer(ctx, target, name) {
			f.Sentence = fmt.Sprintf("%s still leads to %s, but the mail of %s is at %s.",
				name, target, c.Domain(), c.Provider(ctx))
			f.Evidence = []Evidence{See(probe.DNSQuestion{Name: name, Type: "A"}, "CNAME %s", target)}
			f.Cures = append(f.Cures, c.remove(ctx, name, aliases[:1]))
			f.Explains = at([]string{target}, "H8", "H9", "H15", "T1", "K5")
		}
	}
	for _, p := range c.places() {
		if p.URL.Hostname() != name {
			continue
		}
		to, ok := p.leadsTo(c)
		if f.Sentence == "" && ok && c.isFormer(ctx, to, to) {
			f.Sentence = fmt.Sprintf("The web server at %s still sends clients to %s, but the mail of %s is at %s.",
				name, to, c.Domain(), c.Provider(ctx))
			f.Cures = append(f.Cures, Cure{Who: WebServer(name), Text: "remove the redirect to " + to})
			f.Explains = at([]string{to}, "H8", "H9", "H15", "T1", "K5")
		}
		if f.Sentence != "" {
			f.Evidence = append(f.Evidence, p.evidence(p.Says())...)
		}
	}
	if f.Sentence == "" {
		return nil
	}
	f.Explains = append(f.Explains, "D13", "D14",
		"H4", "H5", "H6", "H7", "H8", "H9", "H10", "H11", "H15", "H18", "H19", "H20",
		"T1", "T2", "T3", "T4", "T5", "K5", "C16")
	return []Finding{f}
}

// leadsTo returns the host outside the domain to which the first redirect out of it leads.
func (p place) leadsTo(c *Case) (host string, ok bool) {
	for _, hop := range append([]Hop{p.Hop}, p.More...) {
		target, ok := hop.target()
		if !ok {
			return "", false
		}
		if u, err := url.Parse(target); err == nil && !c.isOwn(u.Hostname()) {
			return u.Hostname(), true
		}
	}
	return "", false
}

// remove returns the cure that takes records away. In their place comes one that leads to the
// provider of the mail, if it has such a name, or one that ends the wildcard that would take it.
func (c *Case) remove(ctx context.Context, name string, found []dns.Record) Cure {
	cure := Cure{Who: YourDNS, Text: "remove the record; " + forgotten(found), Remove: found}
	if to := c.point(ctx, name)[0]; len(to.Put) > 0 {
		cure.Put = to.Put
		cure.Text = to.Text + "; " + forgotten(found)
		return cure
	}
	if wild := c.Asker.DNS(ctx, c.Wildcard("A")); wild.Failure == nil && len(wild.Records) > 0 {
		cure.Put = []dns.Record{tombstone(name)}
		cure.Text = fmt.Sprintf("replace the record, or *.%s takes its place; %s", c.Domain(), forgotten(found))
	}
	return cure
}

// leftoverService finds D4.
func leftoverService(ctx context.Context, c *Case) []Finding {
	found, _ := c.SRV(ctx, "_autodiscover._tcp")
	for _, s := range found {
		if s.Target == "" || !c.isFormer(ctx, s.Target, s.Target) {
			continue
		}
		q := probe.DNSQuestion{Name: c.Name("_autodiscover._tcp"), Type: "SRV"}
		f := Finding{
			Subject: s.Target,
			Sentence: fmt.Sprintf("The SRV record %s leads to %s, but the mail of %s is at %s.",
				q.Name, s.Target, c.Domain(), c.Provider(ctx)),
			Evidence: []Evidence{See(q, "SRV %s", s.Data)},
			Cures: []Cure{{Who: YourDNS, Text: "remove the record; " + forgotten([]dns.Record{s.Record}),
				Remove: []dns.Record{s.Record}}},
			Explains: []string{"H8", "H9", "H15", "H18", "H19", "T1", "T2", "T3", "T4", "K5"},
		}
		for asked, a := range c.Asker.Webs() {
			if u, err := url.Parse(asked.URL); err == nil && u.Hostname() == s.Target {
				f.Evidence = append(f.Evidence, See(asked, "%s", Hop{asked, a}.Says()))
			}
		}
		slices.SortFunc(f.Evidence[1:],
			func(a, b Evidence) int { return strings.Compare(string(a.Key), string(b.Key)) })
		return []Finding{f}
	}
	return nil
}
