package publish

import (
	"fmt"
	"slices"

	miekg "github.com/miekg/dns"

	"signpost/internal/dns"
)

// message returns the update of one zone (RFC 2136), nil if there is nothing to
// do. Its prerequisites state what the plan saw: the ownership record and every
// set that goes are as they were, and what is new does not exist yet.
func (z *zonePlan) message() (*miekg.Msg, error) {
	if len(z.changes) == 0 {
		return nil, nil
	}
	m := new(miekg.Msg).SetUpdate(z.zone + ".")
	removed := map[string]bool{}
	for _, c := range z.changes {
		if len(c.Old) > 0 {
			removed[c.Name+" "+c.Type] = true
		}
	}
	for _, c := range z.changes {
		old, err := parse(c.Old)
		if err != nil {
			return nil, err
		}
		name := &miekg.ANY{Hdr: miekg.RR_Header{Name: c.Name + ".", Rrtype: miekg.StringToType[c.Type]}}
		switch {
		case len(old) > 0:
			m.Used(old)
			m.RemoveRRset([]miekg.RR{name})
		case z.newNames[c.Name]:
			m.NameNotUsed([]miekg.RR{name})
		default:
			m.RRsetNotUsed([]miekg.RR{name})
			for _, other := range conflictingTypes(c.Type) {
				if !removed[c.Name+" "+other] {
					m.RRsetNotUsed([]miekg.RR{&miekg.ANY{Hdr: miekg.RR_Header{Name: c.Name + ".", Rrtype: miekg.StringToType[other]}}})
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

// conflictingTypes returns the types that must not stand beside a new set.
func conflictingTypes(recordType string) []string {
	if recordType == "CNAME" {
		return []string{"A", "AAAA"}
	}
	return []string{"CNAME"}
}

// parse converts records for a message.
func parse(records []dns.Record) ([]miekg.RR, error) {
	var rrs []miekg.RR
	for _, r := range records {
		rr, err := miekg.NewRR(r.String())
		if err != nil || rr == nil {
			return nil, fmt.Errorf("%s cannot be written: %w", r, err)
		}
		rrs = append(rrs, rr)
	}
	return rrs, nil
}

// withoutDuplicates returns the first of each group of equal prerequisites.
func withoutDuplicates(rrs []miekg.RR) []miekg.RR {
	var kept []miekg.RR
	for _, rr := range rrs {
		if !slices.ContainsFunc(kept, func(k miekg.RR) bool { return k.String() == rr.String() }) {
			kept = append(kept, rr)
		}
	}
	return kept
}
