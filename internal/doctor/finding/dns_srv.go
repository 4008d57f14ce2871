package finding

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

// mailSRV returns all service records of mail, and the question for each service.
func (c *Case) mailSRV(ctx context.Context) []SRV {
	var all []SRV
	for _, service := range mailServices {
		found, _ := c.SRV(ctx, service.Label)
		all = append(all, found...)
	}
	return all
}

// questionFor returns the question that a record answers.
func questionFor(r dns.Record) probe.DNSQuestion {
	return probe.DNSQuestion{Name: r.Name, Type: r.Type}
}

// withTarget returns a SRV or MX record that names another host.
func withTarget(r dns.Record, host string) dns.Record {
	fields := strings.Fields(r.Data)
	fields[len(fields)-1] = host + "."
	r.Data = strings.Join(fields, " ")
	return r
}

// targetOf returns the host that a record leads to.
func targetOf(r dns.Record) string {
	fields := strings.Fields(r.Data)
	if len(fields) == 0 {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(fields[len(fields)-1], "."))
}

// leading returns the SRV records of mail and Autodiscover and the MX records of the domain.
func (c *Case) leading(ctx context.Context) []dns.Record {
	var all []dns.Record
	for _, s := range c.mailSRV(ctx) {
		all = append(all, s.Record)
	}
	found, _ := c.SRV(ctx, "_autodiscover._tcp")
	for _, s := range found {
		all = append(all, s.Record)
	}
	return append(all, c.Records(ctx, c.Domain(), "MX")...)
}

// aliasTargets finds D6.
func aliasTargets(ctx context.Context, c *Case) []Finding {
	leading := c.leading(ctx)
	for _, r := range leading {
		if target := targetOf(r); target != "" {
			c.Expect(ctx, probe.DNSQuestion{Name: target, Type: "A"})
		}
	}
	byTarget := map[string]*Finding{}
	var found []Finding
	var order []string
	for _, r := range leading {
		target := targetOf(r)
		if target == "" {
			continue
		}
		answer := c.DNS(ctx, target, "A")
		aliases := answer.OfType("CNAME")
		if answer.Failure != nil || len(aliases) == 0 || aliases[0].Name != target {
			continue
		}
		host := targetOf(aliases[len(aliases)-1])
		f := byTarget[target]
		if f == nil {
			f = &Finding{Subject: target, Cures: []Cure{{Who: YourDNS,
				Text: "name the real host, if its certificate has that name"}}}
			byTarget[target] = f
			order = append(order, target)
			f.Sentence = fmt.Sprintf("%s, which SRV or MX records name, is an alias of %s; that is not allowed, "+
				"and strict clients refuse it.", target, host)
		}
		f.Evidence = append(f.Evidence, See(questionFor(r), "%s %s", r.Type, r.Data))
		f.Cures[0].Remove = append(f.Cures[0].Remove, r)
		f.Cures[0].Put = append(f.Cures[0].Put, withTarget(r, host))
	}
	for _, target := range order {
		found = append(found, *byTarget[target])
	}
	return found
}

// doubledNames finds D7: targets that do not exist because of how they were written.
func doubledNames(ctx context.Context, c *Case) []Finding {
	leading := c.leading(ctx)
	for _, label := range []string{"autoconfig", "autodiscover"} {
		aliases := c.DNS(ctx, c.Name(label), "A").OfType("CNAME")
		if len(aliases) > 0 && aliases[0].Name == c.Name(label) {
			leading = append(leading, aliases[0])
		}
	}
	byTarget := map[string]*Finding{}
	var order []string
	for _, r := range leading {
		meant, why := c.meant(ctx, targetOf(r))
		if why == "" {
			continue
		}
		target := targetOf(r)
		f := byTarget[target]
		if f == nil {
			f = &Finding{Subject: target,
				Cures:    []Cure{{Who: YourDNS, Text: "correct the record; " + forgotten([]dns.Record{r})}},
				Explains: []string{"M1", "C14", "D6", "D14", "C16"}}
			byTarget[target] = f
			order = append(order, target)
			f.Sentence = fmt.Sprintf("The target of %s is %s: %s.", r.Name, target, why)
		}
		f.Explains = append(f.Explains, at([]string{r.Name}, "D1", "D10", "M1")...)
		f.Evidence = append(f.Evidence, See(questionFor(r), "%s %s", r.Type, r.Data))
		f.Cures[0].Remove = append(f.Cures[0].Remove, r)
		if meant != "" {
			f.Cures[0].Put = append(f.Cures[0].Put, withTarget(r, meant))
		}
	}
	var found []Finding
	for _, target := range order {
		found = append(found, *byTarget[target])
	}
	return found
}

// meant returns the host that was meant by a target that cannot be right, and why it is
// wrong. Why is empty if the target is in order, and the host if nobody can know it.
func (c *Case) meant(ctx context.Context, target string) (host, why string) {
	if target == "" {
		return "", ""
	}
	bare, below := strings.CutSuffix(target, "."+c.Domain())
	if _, err := netip.ParseAddr(bare); err == nil {
		return "", "it must be the name of a host, not an address"
	}
	if fields := strings.Fields(strings.ReplaceAll(target, `\032`, " ")); len(fields) > 1 {
		return strings.TrimSuffix(fields[len(fields)-1], "."+c.Domain()), "numbers stand in the field of the host"
	}
	if !below || !strings.Contains(bare, ".") {
		return "", ""
	}
	// The zone's origin was appended. Only a name that does not exist is a mistake for sure.
	addresses, known := c.Addresses(ctx, target)
	if !known || len(addresses) > 0 {
		return "", ""
	}
	if addresses, _ = c.Addresses(ctx, bare); len(addresses) == 0 && !c.isOwn(bare) {
		return "", ""
	}
	return bare, "the final dot is missing in the zone, so that the domain is appended twice"
}

// severalServices finds D8.
func severalServices(ctx context.Context, c *Case) []Finding {
	var all []Finding
	for _, service := range mailServices {
		found, _ := c.SRV(ctx, service.Label)
		if len(found) < 2 {
			continue
		}
		q := probe.DNSQuestion{Name: c.Name(service.Label), Type: "SRV"}
		best := slices.MinFunc(found, func(a, b SRV) int {
			if a.Priority != b.Priority {
				return a.Priority - b.Priority
			}
			return b.Weight - a.Weight
		})
		f := Finding{
			Subject:  q.Name,
			Severity: Warning,
			Sentence: fmt.Sprintf("%s has %d SRV records, of which clients take different ones.", q.Name, len(found)),
			Cures:    []Cure{{Who: YourDNS, Text: "keep one"}},
			Explains: []string{"C16"},
		}
		for _, s := range found {
			f.Evidence = append(f.Evidence, See(q, "SRV %s", s.Data))
			if s.Data != best.Data {
				f.Cures[0].Remove = append(f.Cures[0].Remove, s.Record)
			}
		}
		f.Clients = c.led(f.Evidence)
		all = append(all, f)
	}
	return all
}

// wrongServices finds D9: a service that is denied and runs, or that is announced and closed
// while the same protocol is to be had in another way.
func wrongServices(ctx context.Context, c *Case) []Finding {
	var all []Finding
	servers := c.Servers(ctx)
	for _, service := range mailServices {
		found, _ := c.SRV(ctx, service.Label)
		q := probe.DNSQuestion{Name: c.Name(service.Label), Type: "SRV"}
		if len(found) != 1 {
			continue
		}
		s := found[0]
		if s.Target == "" {
			if service.Type == account.POP3 {
				continue // many servers speak it, though nobody is to use it
			}
			n, runs := c.running(servers, service.Type, service.SocketType)
			if !runs || c.announced(ctx, service.Type) {
				continue
			}
			all = append(all, Finding{
				Subject: q.Name,
				Sentence: fmt.Sprintf("DNS says that %s has no %s with %s, yet %s answers on port %d.",
					c.Domain(), protocol(service.Type), how(service.SocketType), n.Hostname, n.Port),
				Evidence: []Evidence{See(q, "SRV %s", s.Data), See(n.Question(), "answers")},
				Cures: []Cure{{Who: YourDNS, Text: "announce it", Remove: []dns.Record{s.Record},
					Put: []dns.Record{put(q.Name, "SRV", fmt.Sprintf("0 1 %d %s.", n.Port, n.Hostname))}}},
			})
			continue
		}
		n := Named{Type: service.Type, Hostname: s.Target, Port: s.Port, SocketType: service.SocketType}
		if f, closed := c.announcedButClosed(ctx, q, s, n, servers); closed {
			all = append(all, f)
		}
	}
	return all
}

// announced reports whether a SRV record names a host for a type of server. Then a record that
// denies the other way to connect is the operator's choice, even if that port is open.
func (c *Case) announced(ctx context.Context, t account.ServerType) bool {
	for _, s := range mailServices {
		found, _ := c.SRV(ctx, s.Label)
		if s.Type == t && slices.ContainsFunc(found, func(r SRV) bool { return r.Target != "" }) {
			return true
		}
	}
	return false
}

// how says how a connection is protected.
func how(s account.SocketType) string {
	if s == account.SSL {
		return "TLS from the start"
	}
	return string(s)
}

// running returns a server of the type that somebody names and that was seen to answer. One that
// clients only guess may be there for others.
func (c *Case) running(servers []Named, t account.ServerType, s account.SocketType) (Named, bool) {
	mails := c.Asker.Mails()
	for _, n := range servers {
		a, asked := mails[n.Question()]
		if asked && a.Failure == nil && n.Type == t && n.SocketType == s && n.Port != 25 && len(n.Keys) > 0 {
			return n, true
		}
	}
	return Named{}, false
}

// announcedButClosed returns the finding for a service that only a SRV record names, where
// nobody answers.
func (c *Case) announcedButClosed(ctx context.Context, q probe.DNSQuestion, s SRV, n Named,
	servers []Named) (Finding, bool) {
	i := slices.IndexFunc(servers, func(other Named) bool { return other.Question() == n.Question() })
	if i < 0 || len(servers[i].Keys) > 1 {
		return Finding{}, false // documents name it, too
	}
	other := account.SSL
	if n.SocketType == account.SSL {
		other = account.STARTTLS
	}
	if _, runs := c.running(servers, n.Type, other); !runs {
		return Finding{}, false
	}
	a := c.Asker.Mail(ctx, n.Question())
	if a.Failure == nil || a.Connected > 0 || a.Failure.Kind != probe.Refused && a.Failure.Kind != probe.TimedOut {
		return Finding{}, false
	}
	return Finding{
		Subject: q.Name,
		Sentence: fmt.Sprintf("%s announces %s on port %d of %s, where nobody answers.",
			q.Name, protocol(n.Type), n.Port, n.Hostname),
		Evidence: []Evidence{See(q, "SRV %s", s.Data),
			See(n.Question(), "%s", strings.TrimPrefix(a.Failure.Text, fmt.Sprintf("%s:%d: ", a.Address, n.Port)))},
		Cures: []Cure{{Who: YourDNS, Text: "say that there is no such service", Remove: []dns.Record{s.Record},
			Put: []dns.Record{put(q.Name, "SRV", "0 0 0 .")}}},
		Explains: []string{"M1 " + n.Hostname},
	}, true
}

// oneWayOfSending finds D10. Only _submission._tcp alone does no harm: all clients that look for
// SRV records know it.
func oneWayOfSending(ctx context.Context, c *Case) []Finding {
	secure, _ := c.SRV(ctx, "_submissions._tcp")
	starttls, known := c.SRV(ctx, "_submission._tcp")
	if !known || len(starttls) > 0 || len(secure) == 0 || secure[0].Target == "" {
		return nil
	}
	q := probe.DNSQuestion{Name: c.Name("_submission._tcp"), Type: "SRV"}
	f := Finding{
		Subject: q.Name,
		Sentence: fmt.Sprintf("Only _submissions._tcp announces sending, and %s is missing: "+
			"aerc and Claws Mail find no sending server.",
			q.Name),
		Evidence: []Evidence{See(q, "no record"), See(questionFor(secure[0].Record), "SRV %s", secure[0].Data)},
		Severity: Warning,
	}
	n := Named{Type: account.SMTP, Hostname: secure[0].Target, Port: 587, SocketType: account.STARTTLS}
	runs := c.Asker.Mail(ctx, n.Question()).Failure == nil
	if !runs {
		n, runs = c.running(c.Servers(ctx), account.SMTP, account.STARTTLS)
	}
	if runs {
		f.Cures = []Cure{{Who: YourDNS, Text: "announce sending with STARTTLS, too",
			Put: []dns.Record{put(q.Name, "SRV", fmt.Sprintf("0 1 %d %s.", n.Port, n.Hostname))}}}
	} else {
		f.Cures = []Cure{{Who: YourDNS,
			Text: "say that there is no sending with STARTTLS, so that clients do not guess",
			Put:  []dns.Record{put(q.Name, "SRV", "0 0 0 .")}}}
	}
	if ids, worst := c.Hit(q.Key()); len(ids) > 0 {
		f.Severity = worse(Warning, worst)
	}
	return []Finding{f}
}
