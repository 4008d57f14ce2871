package finding

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// missingNames finds D1. What counts is whether anything leads to the settings: a domain whose
// document is at its web server or at its provider needs no name of its own.
func missingNames(ctx context.Context, c *Case) []Finding {
	var names []string
	f := Finding{Explains: []string{"D17"}}
	if c.isMissing(ctx, "autoconfig") && !c.hasDocument(ctx, Autoconfig, Autodiscover, PACC) {
		names = append(names, c.Name("autoconfig"))
	}
	if c.isMissing(ctx, "autodiscover") && !c.hasDocument(ctx, Autodiscover) && !c.hasAutodiscoverService(ctx) {
		names = append(names, c.Name("autodiscover"))
	}
	var keys []probe.Key
	for _, p := range c.places() {
		if slices.Contains(names, p.URL.Hostname()) ||
			p.Kind == atWellKnown && slices.Contains(names, c.Name("autoconfig")) {
			keys = append(keys, p.Question.Key())
		}
	}
	guessing, severity := c.guess(keys)
	switch {
	case len(names) == 0, len(names) == 1 && names[0] == c.Name("autodiscover") && len(guessing) == 0:
		return nil // nobody misses Autodiscover alone
	case len(names) == 1:
		f.Sentence = names[0] + " does not exist, and no document of its kind is found elsewhere"
	default:
		f.Sentence = list(names) + " do not exist, and no document is found elsewhere"
	}
	if people := c.names(guessing); len(people) > 0 {
		f.Sentence += ": " + several(people) + " must guess or ask"
	}
	f.Sentence += "."
	f.Subject, f.Clients, f.Severity = names[0], guessing, severity
	for _, name := range names {
		f.Evidence = append(f.Evidence, See(probe.DNSQuestion{Name: name, Type: "A"}, "%s has no address", name))
	}
	f.Cures = c.point(ctx, names...)
	hosts, _ := c.MX(ctx)
	if p, large := client.ProviderOf(c.Domain(), exchangers(hosts)); large {
		f.Severity = Warning // its customers know it, and so do many clients
		f.Cures = []Cure{{Who: ThePerson, Text: "choose " + p.Name + " in the client, or type its servers; " + p.Name +
			" serves no settings under its customers' names"}}
	}
	return []Finding{f}
}

// exchangers returns the names of mail exchangers.
func exchangers(hosts []MX) []string {
	var names []string
	for _, h := range hosts {
		names = append(names, h.Host)
	}
	return names
}

// guess returns the clients that asked one of these questions in vain and then guess or
// do not set themselves up.
func (c *Case) guess(keys []probe.Key) (ids []string, worst Severity) {
	ids, worst = c.Hit(keys...)
	ids = slices.DeleteFunc(ids, func(id string) bool { return c.Forecasts[id].Source == client.SRVSource })
	worst = worse(worst, Warning)
	for _, k := range c.Clients {
		f := c.Forecasts[k.ID]
		asked := slices.ContainsFunc(f.Steps, func(s client.Step) bool { return slices.Contains(keys, s.Key) })
		if asked && f.Source == "guess" && !slices.Contains(ids, k.ID) {
			ids = append(ids, k.ID)
		}
	}
	return append([]string{}, ids...), worst
}

// worse returns the worse of two severities.
func worse(a, b Severity) Severity {
	if rank[a] < rank[b] {
		return a
	}
	return b
}

// names returns the names of clients without their versions, each once.
func (c *Case) names(ids []string) []string {
	var names []string
	for _, k := range c.Clients {
		if slices.Contains(ids, k.ID) && !slices.Contains(names, k.Name) {
			names = append(names, k.Name)
		}
	}
	return names
}

// isMissing reports whether DNS says that a name below the domain has no address and leads nowhere.
func (c *Case) isMissing(ctx context.Context, label string) bool {
	c.Expect(ctx, probe.DNSQuestion{Name: c.Name(label), Type: "A"},
		probe.DNSQuestion{Name: c.Name(label), Type: "AAAA"})
	for _, recordType := range []string{"A", "AAAA"} {
		answer := c.DNS(ctx, c.Name(label), recordType)
		if answer.Failure != nil || len(answer.Records) > 0 {
			return false
		}
	}
	return true
}

// hasDocument reports whether there is a document of one of the formats that leads to the domain's
// mail. An entry of a public database that names other servers than the domain itself does
// not count: it is stale.
func (c *Case) hasDocument(ctx context.Context, formats ...Format) bool {
	own := c.ownHosts(ctx)
	return slices.ContainsFunc(c.Documents(), func(d Document) bool {
		if !slices.Contains(formats, d.Format) {
			return false
		}
		return c.isOwn(d.Host) || len(own) == 0 || slices.ContainsFunc(d.Servers, func(s account.Server) bool {
			return slices.Contains(own, strings.ToLower(s.Hostname))
		})
	})
}

// isOwn reports whether a host is the domain or below it.
func (c *Case) isOwn(host string) bool {
	return host == c.Domain() || strings.HasSuffix(host, "."+c.Domain())
}

// ownHosts returns the mail hosts that the domain's own sources name: its documents and SRV records.
func (c *Case) ownHosts(ctx context.Context) []string {
	var hosts []string
	for _, d := range c.Documents() {
		if !c.isOwn(d.Host) {
			continue
		}
		for _, s := range d.Servers {
			if isMail(s.Type) {
				hosts = append(hosts, strings.ToLower(s.Hostname))
			}
		}
	}
	for _, service := range mailServices {
		found, _ := c.SRV(ctx, service.Label)
		for _, r := range found {
			if r.Target != "" {
				hosts = append(hosts, r.Target)
			}
		}
	}
	return hosts
}

// hasAutodiscoverService reports whether a SRV record says where Autodiscover is.
func (c *Case) hasAutodiscoverService(ctx context.Context) bool {
	found, known := c.SRV(ctx, "_autodiscover._tcp")
	return !known || slices.ContainsFunc(found, func(s SRV) bool { return s.Target != "" })
}

// point returns the cures that let names lead to the provider of the mail, with the records
// if the provider has such names itself.
func (c *Case) point(ctx context.Context, names ...string) []Cure {
	provider := c.Provider(ctx)
	var there []dns.Record
	var unknown []string
	for _, name := range names {
		label, _, _ := strings.Cut(name, ".")
		target := label + "." + provider
		if provider != "" && provider != siteOf(c.Domain()) {
			if addresses, _ := c.Addresses(ctx, target); len(addresses) > 0 {
				there = append(there, put(name, "CNAME", target+"."))
				continue
			}
		}
		unknown = append(unknown, name)
	}
	var cures []Cure
	if len(there) > 0 {
		cures = append(cures, Cure{Who: YourDNS, Put: there,
			Text: fmt.Sprintf("let %s lead to %s, if it confirms the names", list(ownersOf(there)), provider)})
	}
	switch {
	case len(unknown) == 0:
	case provider == "" || provider == siteOf(c.Domain()):
		cures = append(cures, Cure{Who: YourDNS,
			Text: fmt.Sprintf("let %s lead to the server that has the settings of %s", list(unknown), c.Domain())})
	default:
		cures = append(cures, Cure{Who: MailProvider,
			Text: fmt.Sprintf("say where %s has the settings for its customers, so that %s can lead there",
				provider, list(unknown))})
	}
	return cures
}

// wildcards finds D2: a name that only a wildcard answers for and at which nothing serves
// settings. All such names are one finding, because one record is the cause.
func wildcards(ctx context.Context, c *Case) []Finding {
	var names []string
	f := Finding{Subject: "*." + c.Domain()}
	end := Cure{Who: YourDNS, Text: "or end the wildcard there"}
	for _, label := range []string{"autoconfig", "autodiscover"} {
		name := c.Name(label)
		answer, ok := c.fromWildcard(ctx, name)
		if !ok || c.serves(name) || c.hasNothing(name) {
			continue
		}
		names = append(names, name)
		f.Evidence = append(f.Evidence,
			See(probe.DNSQuestion{Name: name, Type: "A"}, "%s is %s, as any name below %s is",
				name, data(answer.Records), c.Domain()))
		end.Put = append(end.Put, tombstone(name))
		for _, p := range c.places() {
			if p.URL.Hostname() == name {
				f.Evidence = append(f.Evidence, p.evidence(p.Last().Says())...)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	f.Cures = append(c.point(ctx, names...), end)
	f.Sentence = fmt.Sprintf("%s exist only through *.%s, which leads to a server that knows no settings.",
		list(names), c.Domain())
	if len(names) == 1 {
		f.Sentence = strings.Replace(f.Sentence, " exist ", " exists ", 1)
	}
	guessed := []string{c.Name("imap"), c.Name("smtp"), c.Name("mail"), c.Name("pop"), c.Name("pop3")}
	f.Explains = append(at(append(names, c.Name("ua-auto-config")), "D1", "D13", "D14", "D15", "D20",
		"H1", "H2", "H3", "H4", "H5", "H6", "H7", "H8", "H9", "H10", "H11", "H15", "H16", "H17", "H18", "H19", "H20",
		"T1", "T2", "T3", "T4", "T5"),
		at(guessed, "M1", "M2", "M3", "M4", "M7", "M10", "T1", "T2", "T4", "T7")...)
	f.Explains = append(f.Explains, "D16")
	return []Finding{f}
}

// hasNothing reports whether a web server says at all places of a host that there is nothing, so
// that clients go on as if the host were not there.
func (c *Case) hasNothing(host string) bool {
	asked := false
	for _, p := range c.places() {
		if p.URL.Hostname() == host {
			asked = true
			if a := p.Last().Answer; !a.OK() || a.Status != 404 && a.Status != 410 || !p.Answer.OK() {
				return false
			}
		}
	}
	return asked
}

// fromWildcard reports whether the addresses of a name are those that any name has.
func (c *Case) fromWildcard(ctx context.Context, name string) (probe.DNSAnswer, bool) {
	for _, recordType := range []string{"A", "AAAA"} {
		answer := c.DNS(ctx, name, recordType)
		if answer.Failure != nil || len(answer.Records) == 0 {
			continue
		}
		if c.serves(name) {
			return answer, false // no need to ask
		}
		wild := c.Asker.DNS(ctx, c.Wildcard(recordType))
		return answer, wild.Failure == nil && dns.SameData(answer.Records, wild.Records)
	}
	return probe.DNSAnswer{}, false
}
