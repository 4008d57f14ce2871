package publish

import (
	"context"
	"fmt"
	"slices"
	"strings"

	miekg "github.com/miekg/dns"

	"signpost/internal/dns"
	"signpost/internal/fault"
	"signpost/internal/records"
)

// zoneOf returns the zone that holds a name, by what the primary answers: the
// owner of the SOA record that comes with the answer. The labels of a name do not
// show it: _tcp may be a zone of its own, and the domain part of another zone.
func (p *primary) zoneOf(ctx context.Context, name string) (string, error) {
	answer, err := p.ask(ctx, name, "SOA")
	if err != nil {
		return "", err
	}
	for _, rr := range answer.Answer {
		if rr.Header().Rrtype == miekg.TypeSOA && strings.EqualFold(rr.Header().Name, name+".") {
			return name, nil
		}
	}
	if len(answer.Answer) > 0 {
		// The name has a CNAME. No zone begins at one, so the name is in the zone
		// of its parent.
		_, parent, ok := strings.Cut(name, ".")
		if !ok {
			return "", fmt.Errorf("%s has no zone for %s", p, name)
		}
		return p.zoneOf(ctx, parent)
	}
	for _, rr := range answer.Ns {
		header := rr.Header()
		zone := strings.ToLower(strings.TrimSuffix(header.Name, "."))
		switch {
		case header.Rrtype == miekg.TypeSOA && miekg.IsSubDomain(header.Name, name+"."):
			return zone, nil
		case header.Rrtype == miekg.TypeNS && !answer.Authoritative:
			return "", fault.WithHint(fmt.Errorf("%s is in the zone %s, which %s delegates to other servers",
				name, zone, p),
				"name the primary of that zone in the configuration")
		}
	}
	return "", fmt.Errorf("%s has no zone for %s", p, name)
}

// records returns the records of a type at a name, and a CNAME there, as the
// primary answers. Some may come from a wildcard. It also reports whether the name
// exists.
func (p *primary) records(ctx context.Context, name, recordType string) (found []dns.Record, exists bool, err error) {
	answer, err := p.ask(ctx, name, recordType)
	if err != nil {
		return nil, false, err
	}
	for _, rr := range answer.Answer {
		rrtype := rr.Header().Rrtype
		if strings.EqualFold(rr.Header().Name, name+".") &&
			(rrtype == miekg.TypeCNAME || miekg.TypeToString[rrtype] == recordType) {
			found = append(found, dns.RecordOf(rr))
		}
	}
	return found, len(found) > 0 || answer.Rcode != miekg.RcodeNameError, nil
}

// lookup returns what the primary says about a name, for the comparison.
func (p *primary) lookup(ctx context.Context, name, recordType string) (dns.Answer, error) {
	found, exists, err := p.records(ctx, name, recordType)
	status := dns.Found
	switch {
	case !exists:
		status = dns.NoName
	case len(found) == 0:
		status = dns.NoData
	}
	return dns.Answer{Status: status, Records: found}, err
}

// fromWildcard reports whether a set of records is what a wildcard gives to any
// name: then they do not exist for an update. A name beside it has the same
// records then, and so has a name below it. A wildcard does not reach below a
// name that exists (RFC 4592 §2.2.1), even one with the same records.
func (p *primary) fromWildcard(ctx context.Context, name, recordType string, set []dns.Record) (bool, error) {
	for _, probe := range probes(name) {
		others, _, err := p.records(ctx, probe, recordType)
		if err != nil || len(others) == 0 || !dns.SameData(set, others) {
			return false, err
		}
	}
	return true, nil
}

// probes returns names that do not exist, beside the name and, if it is not too
// long for DNS, below it.
func probes(name string) []string {
	_, parent, _ := strings.Cut(name, ".")
	probes := []string{records.WildcardProbe + "." + parent}
	if below := records.WildcardProbe + "." + name; len(below) <= 253 {
		probes = append(probes, below)
	}
	return probes
}

// otherTypes returns the types of the records at a name other than the ignored
// ones and those of DNSSEC. It asks for ANY, to which the usual servers answer in
// full over TCP.
func (p *primary) otherTypes(ctx context.Context, name string, ignored ...string) ([]string, error) {
	answer, err := p.ask(ctx, name, "ANY")
	if err != nil {
		return nil, err
	}
	seen := append([]string{"RRSIG", "NSEC", "NSEC3", "HINFO"}, ignored...) // HINFO: RFC 8482
	first := len(seen)
	for _, rr := range answer.Answer {
		recordType := miekg.TypeToString[rr.Header().Rrtype]
		if strings.EqualFold(rr.Header().Name, name+".") && !slices.Contains(seen, recordType) {
			seen = append(seen, recordType)
		}
	}
	return seen[first:], nil
}
