package finding

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"signpost/internal/caa"
	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

// aliasBesideData finds D5: in all that was answered, a name of the domain with a CNAME and
// something else, or a CNAME at the domain itself, which always has SOA and NS records.
func aliasBesideData(ctx context.Context, c *Case) []Finding {
	for _, name := range []string{c.Domain(), c.Name("autoconfig"), c.Name("autodiscover")} {
		c.DNS(ctx, name, "A") // who connects asks it anyway
	}
	types := map[string][]string{} // of the records that stand at a name
	aliases := map[string]dns.Record{}
	answers := c.Asker.DNSs()
	for _, q := range slices.SortedFunc(maps.Keys(answers), byKey) {
		for _, r := range answers[q].Records {
			if r.Type == "CNAME" {
				aliases[r.Name] = r
			} else if !slices.Contains(types[r.Name], r.Type) {
				types[r.Name] = append(types[r.Name], r.Type)
			}
		}
	}
	var found []Finding
	for _, name := range slices.Sorted(maps.Keys(aliases)) {
		isApex := name == c.Domain() && name == siteOf(name)
		if !c.isOwn(name) || len(types[name]) == 0 && !isApex {
			continue
		}
		alias := aliases[name]
		f := Finding{
			Subject: name,
			Sentence: fmt.Sprintf("%s has a CNAME beside other records, and resolvers that have the one "+
				"do not see the others.", name),
			Evidence: []Evidence{See(probe.DNSQuestion{Name: name, Type: "A"}, "CNAME %s beside %s",
				targetOf(alias), list(types[name]))},
			Cures: []Cure{{Who: YourDNS, Text: "replace the CNAME by the addresses of its target " +
				"(ALIAS, if your DNS has it)", Remove: []dns.Record{alias}}},
		}
		if len(types[name]) == 0 {
			f.Sentence = fmt.Sprintf("%s itself is an alias: MX, NS and all other records beside a CNAME get lost.",
				name)
			f.Evidence[0].Text = "CNAME " + targetOf(alias)
		}
		for _, recordType := range []string{"A", "AAAA"} {
			for _, r := range answers[probe.DNSQuestion{Name: name, Type: recordType}].OfType(recordType) {
				f.Cures[0].Put = append(f.Cures[0].Put, put(name, recordType, r.Data))
			}
		}
		if isApex {
			f.Explains = []string{"D18"}
		}
		found = append(found, f)
	}
	return found
}

func byKey(a, b probe.DNSQuestion) int { return strings.Compare(string(a.Key()), string(b.Key())) }

// bogus finds D11: what the resolver refuses it has all the same if it does not validate.
func bogus(ctx context.Context, c *Case) []Finding {
	answers := c.Asker.DNSs()
	questions := []probe.DNSQuestion{{Name: c.Domain(), Type: "MX"}}
	for _, q := range slices.SortedFunc(maps.Keys(answers), byKey) {
		if c.isOwn(q.Name) && q.View == probe.Recursive && q != questions[0] {
			questions = append(questions, q)
		}
	}
	asked := 0
	for _, q := range questions {
		a := c.Asker.DNS(ctx, q)
		if a.Failure == nil || a.Failure.Kind != probe.NoAnswer || asked == 3 {
			continue
		}
		asked++
		unchecked := q
		unchecked.View = probe.Unchecked
		if without := c.Asker.DNS(ctx, unchecked); without.Failure != nil {
			continue
		}
		f := Finding{
			Severity: Error,
			Sentence: fmt.Sprintf("The DNSSEC signatures of %s do not fit: resolvers that validate, as most "+
				"providers' do, get no answer.", c.Domain()),
			Evidence: []Evidence{See(q, "%s", a.Failure.Text), See(unchecked, "an answer, if not validated")},
			Cures: []Cure{{Who: YourDNS, Text: "sign the zone again, or have the DS record of " + c.Domain() +
				" removed at your registrar"}},
			Explains: []string{"*"},
			Clients:  c.notSetUp(),
		}
		if q.Name != c.Domain() { // a zone of its own, perhaps
			f.Subject, f.Clients = q.Name, nil
			f.Sentence = strings.ReplaceAll(f.Sentence, " of "+c.Domain(), " of "+q.Name)
		}
		return []Finding{f}
	}
	return nil
}

// maxNameServers is how many name servers are compared.
const maxNameServers = 4

// nameServer is one of the domain's own.
type nameServer struct {
	host string
	view probe.View
	soa  probe.DNSAnswer
}

// nameServers returns the domain's own name servers with what each says about its zone. It
// is empty if the domain is no zone of its own.
func (c *Case) nameServers(ctx context.Context) []nameServer {
	var hosts []string
	for _, r := range c.Records(ctx, c.Domain(), "NS") {
		if r.Name == c.Domain() && len(hosts) < maxNameServers {
			hosts = append(hosts, targetOf(r))
		}
	}
	slices.Sort(hosts)
	for _, host := range hosts {
		c.Expect(ctx, probe.DNSQuestion{Name: host, Type: "A"})
	}
	var servers []nameServer
	for _, host := range hosts {
		for _, r := range c.Records(ctx, host, "A") {
			if a, err := netip.ParseAddr(r.Data); err == nil {
				servers = append(servers, nameServer{host: host, view: probe.View(a.String())})
				c.Expect(ctx, probe.DNSQuestion{Name: c.Domain(), Type: "SOA", View: probe.View(a.String())})
				break
			}
		}
	}
	for i := range servers {
		servers[i].soa = c.Asker.DNS(ctx, probe.DNSQuestion{Name: c.Domain(), Type: "SOA", View: servers[i].view})
	}
	return servers
}

// serial returns the serial number of a zone, empty if the answer has none.
func serial(a probe.DNSAnswer) string {
	for _, r := range a.OfType("SOA") {
		if fields := strings.Fields(r.Data); len(fields) > 2 {
			return fields[2]
		}
	}
	return ""
}

// compared are the questions by which name servers, and old answers, are compared, once the
// serial numbers show that there may be a difference.
func (c *Case) compared() []probe.DNSQuestion {
	return []probe.DNSQuestion{
		{Name: c.Domain(), Type: "MX"},
		{Name: c.Name("autoconfig"), Type: "A"},
		{Name: c.Name("autodiscover"), Type: "A"},
		{Name: c.Name("_imaps._tcp"), Type: "SRV"},
		{Name: c.Name("_submission._tcp"), Type: "SRV"},
		{Name: c.Name("_autodiscover._tcp"), Type: "SRV"},
	}
}

// own returns the records that stand at the name itself, without what a resolver found behind
// an alias.
func own(name string, a probe.DNSAnswer) []dns.Record {
	var found []dns.Record
	for _, r := range a.Records {
		if r.Name == name {
			found = append(found, r)
		}
	}
	return found
}

// nameServersDisagree finds D12.
func nameServersDisagree(ctx context.Context, c *Case) []Finding {
	var good, silent []nameServer
	for _, s := range c.nameServers(ctx) {
		switch {
		case serial(s.soa) != "":
			good = append(good, s)
		case s.soa.Failure == nil || s.soa.Failure.Known():
			silent = append(silent, s)
		}
	}
	if len(good) == 0 {
		return nil // perhaps this machine may ask nobody but its resolver
	}
	soa := func(s nameServer) probe.DNSQuestion {
		return probe.DNSQuestion{Name: c.Domain(), Type: "SOA", View: s.view}
	}
	if len(silent) > 0 {
		s := silent[0]
		text := "knows nothing of the zone"
		if s.soa.Failure != nil {
			text = s.soa.Failure.Text
		}
		return []Finding{{
			Subject:  s.host,
			Severity: Warning,
			Sentence: fmt.Sprintf("The name server %s gives no answer for %s: some look-ups take seconds or fail.",
				s.host, c.Domain()),
			Evidence: []Evidence{See(soa(s), "%s", text), See(soa(good[0]), "serial %s", serial(good[0].soa))},
			Cures: []Cure{{Who: YourDNS,
				Text: fmt.Sprintf("mend the zone on %s, or remove that server at your registrar", s.host)}},
		}}
	}
	for _, s := range good[1:] {
		if serial(s.soa) == serial(good[0].soa) {
			continue
		}
		for _, q := range c.compared() {
			one, other := q, q
			one.View, other.View = good[0].view, s.view
			a, b := c.Asker.DNS(ctx, one), c.Asker.DNS(ctx, other)
			if a.Failure != nil || b.Failure != nil || dns.SameData(own(q.Name, a), own(q.Name, b)) {
				continue
			}
			return []Finding{{
				Severity: Error,
				Sentence: fmt.Sprintf("%s answers differently from %s about %s: clients fail at random.",
					s.host, good[0].host, q.Name),
				Evidence: []Evidence{See(one, "serial %s: %s", serial(good[0].soa), data(own(q.Name, a))),
					See(other, "serial %s: %s", serial(s.soa), data(own(q.Name, b)))},
				Cures: []Cure{{Who: YourDNS, Text: "repair the transfer of the zone, and raise its serial number"}},
			}}
		}
	}
	return nil
}

// oldAnswers finds D21: the name servers agree on records that the resolver does not have yet.
func oldAnswers(ctx context.Context, c *Case) []Finding {
	servers := c.nameServers(ctx)
	if len(servers) == 0 {
		return nil
	}
	now := serial(servers[0].soa)
	for _, s := range servers {
		if serial(s.soa) != now {
			return nil // D12
		}
	}
	if before := serial(c.DNS(ctx, c.Domain(), "SOA")); now == "" || before == "" || before == now {
		return nil
	}
	for _, q := range c.compared() {
		direct := q
		direct.View = servers[0].view
		a, b := c.Asker.DNS(ctx, q), c.Asker.DNS(ctx, direct)
		if a.Failure != nil || b.Failure != nil || dns.SameData(own(q.Name, a), own(q.Name, b)) {
			continue
		}
		old := own(q.Name, a)
		return []Finding{{
			Subject: q.Name,
			Sentence: fmt.Sprintf("%s was changed, but resolvers still have the old answer; %s.",
				q.Name, forgotten(old)),
			Evidence: []Evidence{See(q, "%s", data(old)), See(direct, "%s", data(own(q.Name, b)))},
			Cures:    []Cure{{Who: Nobody, Text: "wait; before the next change, lower the time to live"}},
			Explains: []string{"D1", "D2", "D3", "D4", "D7"},
		}}
	}
	return nil
}

// issuers are authorities by what their certificates say of the issuer, with what they look
// for in CAA records.
var issuers = []struct{ text, identity string }{
	{"let's encrypt", "letsencrypt.org"}, {"zerossl", "sectigo.com"}, {"sectigo", "sectigo.com"},
	{"comodo", "sectigo.com"}, {"digicert", "digicert.com"}, {"geotrust", "digicert.com"},
	{"rapidssl", "digicert.com"}, {"thawte", "digicert.com"}, {"google trust services", "pki.goog"},
	{"globalsign", "globalsign.com"}, {"amazon", "amazon.com"},
	{"buypass", "buypass.com"}, {"godaddy", "godaddy.com"}, {"entrust", "entrust.net"}, {"ssl.com", "ssl.com"},
	{"harica", "harica.gr"}, {"certum", "certum.pl"}, {"actalis", "actalis.it"}, {"swisssign", "swisssign.com"},
}

// forbiddenCertificate finds D20: a certificate that ended or has other names, whose authority the CAA
// records do not allow to issue the next one.
func forbiddenCertificate(ctx context.Context, c *Case) []Finding {
	for _, p := range c.places() {
		t := p.Answer.TLS
		if t == nil || !t.Has(probe.Expired, probe.WrongName) {
			continue
		}
		i := slices.IndexFunc(issuers, func(i struct{ text, identity string }) bool {
			return strings.Contains(strings.ToLower(t.Issuer), i.text)
		})
		if i < 0 {
			continue
		}
		lookup := func(ctx context.Context, name, recordType string) (dns.Answer, error) {
			answer := c.DNS(ctx, name, recordType)
			if answer.Failure != nil {
				return dns.Answer{}, fmt.Errorf("%s", answer.Failure.Text)
			}
			return answer.Answer, nil
		}
		host := p.URL.Hostname()
		set, err := caa.Relevant(ctx, lookup, host)
		if err != nil {
			continue
		}
		forbidden, ok := set.Allow(ctx, caa.Named(issuers[i].identity)).(*caa.Forbidden)
		if !ok {
			continue
		}
		return []Finding{{
			Subject: host,
			Sentence: fmt.Sprintf("%s can get no certificate from %s: %s.",
				host, issuers[i].identity, forbidden.Error()),
			Evidence: []Evidence{{p.Question.Key(), "certificate " + certificate(t) + ", issued by " + t.Issuer},
				See(probe.DNSQuestion{Name: set.Name, Type: "CAA"}, "CAA %s", data(set.Records))},
			Cures: []Cure{{Who: c.dnsOf(set.Name), Text: "allow the authority", Remove: forbidden.Remove,
				Put: forbidden.Put}},
			Explains: []string{"T1", "T2"},
		}}
	}
	return nil
}
