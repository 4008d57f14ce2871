package finding

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"signpost/autoconfig"
	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

// hosts returns the hosts that clients need: those that clients asked for settings of the
// domain, and the mail servers that are named.
func (c *Case) hosts(ctx context.Context) []string {
	var hosts []string
	add := func(host string) {
		if _, err := netip.ParseAddr(host); err != nil && host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	for _, p := range c.places() {
		add(p.URL.Hostname())
	}
	for _, n := range c.Servers(ctx) {
		if len(n.Keys) > 0 {
			add(n.Hostname)
		}
	}
	return hosts
}

// deadIPv6 finds D13. An answer that came over IPv4 from a host with an AAAA record is what
// suggests the fault, since IPv6 is tried first.
func deadIPv6(ctx context.Context, c *Case) []Finding {
	var found []Finding
	seen := map[string]bool{}
	report := func(host string, v6 netip.Addr, failure *probe.Failure, keys ...Evidence) {
		if seen[host] || !c.provesDead(failure) {
			return
		}
		seen[host] = true
		record := dns.Record{Name: host, Type: "AAAA", Data: v6.String()}
		for _, r := range c.Records(ctx, host, "AAAA") {
			if a, err := netip.ParseAddr(r.Data); err == nil && a == v6 {
				record = r
			}
		}
		found = append(found, Finding{
			Subject: host,
			Sentence: fmt.Sprintf("%s does not answer over IPv6 (%s), but over IPv4: clients lose time, "+
				"and some take the host for closed.",
				host, v6),
			Evidence: keys,
			Severity: Warning,
			Cures: []Cure{{Who: c.dnsOf(host), Text: "remove the record", Remove: []dns.Record{record}},
				{Who: "server " + host, Text: "or listen on IPv6, and open the firewall for it"}},
		})
	}
	for q, a := range sortedMails(c.Asker.Mails()) {
		if v6, ok := c.skippedIPv6(ctx, q.Host, a.Address, q.Address, a.Failure); ok {
			direct := q
			direct.Address = v6
			b := c.Asker.Mail(ctx, direct)
			if b.Failure != nil {
				report(q.Host, v6, b.Failure, See(direct, "%s", b.Failure.Text), See(q, "%s answers", a.Address))
			}
		}
	}
	for _, p := range c.places() {
		if v6, ok := c.skippedIPv6(ctx, p.URL.Hostname(), p.Answer.Address, p.Question.Address, p.Answer.Failure); ok {
			direct := p.Question
			direct.Address = v6
			b := c.Asker.Web(ctx, direct)
			if b.Failure != nil {
				report(p.URL.Hostname(), v6, b.Failure, See(direct, "%s", b.Failure.Text),
					See(p.Question, "%s answers", p.Answer.Address))
			}
		}
	}
	return found
}

// skippedIPv6 returns the IPv6 address of a host that answered over IPv4, although no address
// was asked for.
func (c *Case) skippedIPv6(ctx context.Context, host string, answered, asked netip.Addr,
	failure *probe.Failure) (netip.Addr, bool) {
	if failure != nil || asked.IsValid() || !answered.Unmap().Is4() {
		return netip.Addr{}, false
	}
	for _, r := range c.Records(ctx, host, "AAAA") {
		if a, err := netip.ParseAddr(r.Data); err == nil {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// provesDead reports whether the failure of a connection over IPv6 is the host's fault: it was
// refused, or other hosts can be reached over IPv6 from here.
func (c *Case) provesDead(f *probe.Failure) bool {
	switch f.Kind {
	case probe.Refused:
		return true
	case probe.TimedOut, probe.Unreachable:
	default:
		return false
	}
	for _, a := range c.Asker.Webs() {
		if a.Failure == nil && a.Address.Is6() && !a.Address.Is4In6() {
			return true
		}
	}
	for _, a := range c.Asker.Mails() {
		if a.Failure == nil && a.Address.Is6() && !a.Address.Is4In6() {
			return true
		}
	}
	return false
}

// onlyIPv6 finds D14.
func onlyIPv6(ctx context.Context, c *Case) []Finding {
	var found []Finding
	for _, host := range c.hosts(ctx) {
		v4, v6 := c.DNS(ctx, host, "A"), c.DNS(ctx, host, "AAAA")
		if v4.Failure != nil || len(v4.OfType("A")) > 0 || len(v6.OfType("AAAA")) == 0 {
			continue
		}
		found = append(found, Finding{
			Subject:  host,
			Severity: Warning,
			Sentence: fmt.Sprintf("%s has no A record: exchangelib and everybody without IPv6 cannot reach it.", host),
			Evidence: []Evidence{See(probe.DNSQuestion{Name: host, Type: "A"}, "no A record"),
				See(probe.DNSQuestion{Name: host, Type: "AAAA"}, "AAAA %s", data(v6.OfType("AAAA")))},
			Cures: []Cure{{Who: c.dnsOf(host), Text: "put an A record with the IPv4 address of the host"}},
		})
	}
	return found
}

// privateAddresses finds D15. Where the diagnosis may ask private addresses, being inside
// itself, only a mixture with public ones is a fault.
func privateAddresses(ctx context.Context, c *Case) []Finding {
	var found []Finding
	for _, host := range c.hosts(ctx) {
		for _, recordType := range []string{"A", "AAAA"} {
			var private []dns.Record
			all := c.Records(ctx, host, recordType)
			for _, r := range all {
				if a, err := netip.ParseAddr(r.Data); err == nil && isInside(a) {
					private = append(private, r)
				}
			}
			if len(private) == 0 {
				continue
			}
			key, refused := c.refused(host)
			if len(private) == len(all) && !refused {
				continue
			}
			f := Finding{
				Subject:  host,
				Severity: Error,
				Sentence: fmt.Sprintf("%s is %s: that works only inside.", host, data(private)),
				Evidence: []Evidence{See(probe.DNSQuestion{Name: host, Type: recordType}, "%s %s",
					recordType, data(private))},
				Cures:    []Cure{{Who: c.dnsOf(host), Text: "put the public address of " + host + " in its place"}},
				Explains: []string{"M1", "D13", "H15", "C14"},
			}
			if refused {
				f.Evidence = append(f.Evidence, Evidence{key, "not asked"})
			}
			if len(private) < len(all) {
				f.Cures = []Cure{{Who: c.dnsOf(host), Text: "remove the private address", Remove: private}}
			}
			found = append(found, f)
		}
	}
	return found
}

// refused returns a question to the host that the diagnosis did not ask because of its address.
func (c *Case) refused(host string) (probe.Key, bool) {
	for q, a := range sortedMails(c.Asker.Mails()) {
		if q.Host == host && a.Failure != nil && a.Failure.Kind == probe.Forbidden {
			return q.Key(), true
		}
	}
	webs := c.Asker.Webs()
	for q, a := range webs {
		if (Hop{q, a}).host() == host && a.Failure != nil && a.Failure.Kind == probe.Forbidden {
			return q.Key(), true
		}
	}
	return "", false
}

var carrierGrade = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598

// isInside reports whether an address means nothing on the internet.
func isInside(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || carrierGrade.Contains(a)
}

// wrongDigest finds D19.
func wrongDigest(ctx context.Context, c *Case) []Finding {
	for _, p := range c.places() {
		last := p.Last()
		if p.Kind != atPACC || last.Answer.Status != 200 || last.Answer.Truncated {
			continue
		}
		if _, err := autoconfig.ReadPACC(last.Answer.Body, c.Address); err != nil {
			continue
		}
		name := c.Name("_ua-auto-config")
		answer := c.DNS(ctx, name, "TXT")
		if answer.Failure != nil {
			continue
		}
		right := autoconfig.Digest(last.Answer.Body)
		var others []dns.Record
		for _, r := range answer.OfType("TXT") {
			switch tags := digestTags(dns.Unquote(r.Data)); {
			case tags == digestTags(right):
				return nil
			case tags != "":
				others = append(others, r)
			}
		}
		q := probe.DNSQuestion{Name: name, Type: "TXT"}
		f := Finding{
			Subject: name,
			Sentence: fmt.Sprintf("The digest at %s is that of another document: "+
				"Himalaya drops the one that is served.", name),
			Evidence: []Evidence{See(q, "TXT %s", data(others)), See(p.Question, "%s", right)},
			Cures: []Cure{{Who: YourDNS, Text: "replace the digest", Remove: others,
				Put: []dns.Record{put(name, "TXT", dns.Quote(right))}}},
		}
		if len(others) == 0 {
			f.Sentence = fmt.Sprintf("There is no digest at %s: Himalaya drops the document that is served.", name)
			f.Cures[0].Text = "put the digest"
		}
		return []Finding{f}
	}
	return nil
}

// digestTags returns the algorithm and the digest of a TXT record, empty if it is none.
func digestTags(text string) string {
	tags := map[string]string{}
	for tag := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(tag, "=")
		tags[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
	}
	if tags["v"] != "UAAC1" {
		return ""
	}
	return tags["a"] + " " + tags["d"]
}
