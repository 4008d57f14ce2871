package records

import (
	"context"
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// zoneOf finds the zone that holds a name, by what the primary says: the owner
// of the SOA record that comes with the answer. Labels do not tell: _tcp may be
// a zone of its own, and the domain a part of another's.
func (p *primary) zoneOf(ctx context.Context, name string) (string, error) {
	answer, err := p.ask(ctx, name, "SOA")
	if err != nil {
		return "", err
	}
	for _, rr := range answer.Answer {
		if rr.Header().Rrtype == dns.TypeSOA && strings.EqualFold(rr.Header().Name, name+".") {
			return name, nil
		}
	}
	if len(answer.Answer) > 0 {
		// A CNAME. No zone begins at one, so that the name is where the one
		// above it is.
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
		case header.Rrtype == dns.TypeSOA && dns.IsSubDomain(header.Name, name+"."):
			return zone, nil
		case header.Rrtype == dns.TypeNS && !answer.Authoritative:
			return "", hint(fmt.Errorf("%s is in the zone %s, which %s hands to other servers", name, zone, p),
				"name the primary of that zone in the configuration")
		}
	}
	return "", fmt.Errorf("%s has no zone for %s", p, name)
}

// records are those of a type at a name, and a CNAME there. What a wildcard
// puts in their place is not there: updates do not see it either.
func (p *primary) records(ctx context.Context, name, recordType string) ([]Record, Status, error) {
	answer, err := p.ask(ctx, name, recordType)
	if err != nil {
		return nil, 0, err
	}
	var records []Record
	for _, rr := range answer.Answer {
		rrtype := rr.Header().Rrtype
		if strings.EqualFold(rr.Header().Name, name+".") && (rrtype == dns.TypeCNAME || dns.TypeToString[rrtype] == recordType) {
			records = append(records, toRecord(rr))
		}
	}
	status := Found
	if len(records) == 0 {
		status = NoData
		if answer.Rcode == dns.RcodeNameError {
			status = NoName
		}
	}
	return records, status, nil
}

// wildcardProbe is a name that nobody has, so that what it has all have.
const wildcardProbe = "signpost-asks-for-a-wildcard"

// synthesized reports whether records are what a wildcard gives to any name. A
// name beside it has them as well then, and so has a name below it: a wildcard
// does not reach below a name that is there by itself (RFC 4592 §2.2.1), even
// one with the same records.
func (p *primary) synthesized(ctx context.Context, name, recordType string, records []Record) (bool, error) {
	for _, probe := range probes(name) {
		others, _, err := p.records(ctx, probe, recordType)
		if err != nil || len(others) == 0 || !sameData(records, others) {
			return false, err
		}
	}
	return true, nil
}

// probes are names that nobody has, beside a name and, if it is not too long
// for DNS, below it.
func probes(name string) []string {
	_, parent, _ := strings.Cut(name, ".")
	probes := []string{wildcardProbe + "." + parent}
	if below := wildcardProbe + "." + name; len(below) <= 253 {
		probes = append(probes, below)
	}
	return probes
}

// others are the types at a name beside those given and those of DNSSEC, for
// which no one type can be asked. Over TCP the usual servers tell them all.
func (p *primary) others(ctx context.Context, name string, but ...string) ([]string, error) {
	answer, err := p.ask(ctx, name, "ANY")
	if err != nil {
		return nil, err
	}
	var types []string
	known := map[string]bool{"RRSIG": true, "NSEC": true, "NSEC3": true, "HINFO": true} // HINFO: RFC 8482
	for _, recordType := range but {
		known[recordType] = true
	}
	for _, rr := range answer.Answer {
		recordType := dns.TypeToString[rr.Header().Rrtype]
		if strings.EqualFold(rr.Header().Name, name+".") && !known[recordType] {
			known[recordType] = true
			types = append(types, recordType)
		}
	}
	return types, nil
}
