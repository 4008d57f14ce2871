package publish

import (
	"fmt"

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
		switch {
		case len(old) > 0:
			m.Used(old)
			m.RemoveRRset(setOf(c.Name, c.Type))
		case z.newNames[c.Name]:
			m.NameNotUsed(setOf(c.Name, c.Type))
		default:
			m.RRsetNotUsed(setOf(c.Name, c.Type))
			for _, other := range conflictingTypes(c.Type) {
				if !removed[c.Name+" "+other] {
					m.RRsetNotUsed(setOf(c.Name, other))
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
	m.Answer = miekg.Dedup(m.Answer, nil)
	return m, nil
}

// setOf names a set of records for a message.
func setOf(name, recordType string) []miekg.RR {
	return []miekg.RR{&miekg.ANY{Hdr: miekg.RR_Header{Name: name + ".", Rrtype: miekg.StringToType[recordType]}}}
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
