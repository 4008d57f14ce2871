package records

import (
	"fmt"
	"slices"

	"github.com/miekg/dns"
)

// message is the update of one zone (RFC 2136), nil if there is nothing to do.
// Its prerequisites say what the plan saw: the marker and every set that goes
// are as they were, and what comes new is not there yet.
func (z *zonePlan) message() (*dns.Msg, error) {
	if len(z.changes) == 0 {
		return nil, nil
	}
	m := new(dns.Msg).SetUpdate(z.zone + ".")
	gone := map[string]bool{}
	for _, c := range z.changes {
		if len(c.Old) > 0 {
			gone[c.Name+" "+c.Type] = true
		}
	}
	for _, c := range z.changes {
		old, err := parse(c.Old)
		if err != nil {
			return nil, err
		}
		name := &dns.ANY{Hdr: dns.RR_Header{Name: c.Name + ".", Rrtype: dns.StringToType[c.Type]}}
		switch {
		case len(old) > 0:
			m.Used(old)
			m.RemoveRRset([]dns.RR{name})
		case z.newNames[c.Name]:
			m.NameNotUsed([]dns.RR{name})
		default:
			m.RRsetNotUsed([]dns.RR{name})
			for _, other := range beside(c.Type) {
				if !gone[c.Name+" "+other] {
					m.RRsetNotUsed([]dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: c.Name + ".", Rrtype: dns.StringToType[other]}}})
				}
			}
		}
	}
	for _, c := range z.changes {
		records, err := parse(c.New)
		if err != nil {
			return nil, err
		}
		m.Insert(records)
	}
	m.Answer = withoutDuplicates(m.Answer)
	return m, nil
}

// beside are the types that must not stand beside a new set.
func beside(recordType string) []string {
	if recordType == "CNAME" {
		return []string{"A", "AAAA"}
	}
	return []string{"CNAME"}
}

func parse(records []Record) ([]dns.RR, error) {
	var rrs []dns.RR
	for _, r := range records {
		rr, err := dns.NewRR(r.String())
		if err != nil || rr == nil {
			return nil, fmt.Errorf("%s cannot be written: %w", r, err)
		}
		rrs = append(rrs, rr)
	}
	return rrs, nil
}

// withoutDuplicates keeps the first of equal prerequisites.
func withoutDuplicates(rrs []dns.RR) []dns.RR {
	var kept []dns.RR
	for _, rr := range rrs {
		if !slices.ContainsFunc(kept, func(k dns.RR) bool { return k.String() == rr.String() }) {
			kept = append(kept, rr)
		}
	}
	return kept
}
