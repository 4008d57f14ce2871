package publish

import (
	"slices"
	"time"

	"signpost/internal/dns"
)

// digestOverlap is how long the digest of a replaced PACC document stays beside
// the new one: longer than any resolver caches either, and long enough to put the
// new configuration into service.
const digestOverlap = 24 * time.Hour

// maxOldDigests is how many digests of replaced documents are kept.
const maxOldDigests = 3

// keepDigests keeps the digests of replaced PACC documents for a while: clients
// may still have the old document, or the old record. The time begins whenever
// another document comes into use, even one that was in use before.
func (p *planner) keepDigests(n *node, recordType string) {
	have, want := n.have[recordType], n.want[recordType]
	key := setKey{n.label, recordType}
	if n.label != "_ua-auto-config" || len(want) == 0 {
		return
	}
	set := ownedSet{current: digestOf(want[0])}
	if len(want) > 1 {
		n.zone.new.sets[key] = set
	}
	if len(have) == 0 || !n.zone.isOwned(key, have) {
		return
	}
	old := n.zone.old.sets[key]
	if len(have) == 1 {
		old.current = digestOf(have[0])
	}
	now := p.publisher.clock()
	set.until = old.until
	if set.current != old.current {
		set.until = now.Add(digestOverlap).Truncate(time.Second)
	}
	if !now.Before(set.until) {
		return
	}
	kept := replacedDigests(have, want, old.current)
	if len(kept) == 0 {
		return
	}
	n.want[recordType] = append(slices.Clone(want), kept...)
	n.zone.new.sets[key] = set
	p.plan.Notes = append(p.plan.Notes, n.name+" keeps the digest of the replaced document until "+
		set.until.UTC().Format("2006-01-02 15:04")+" UTC; publish again after that")
}

// replacedDigests returns the records of have to keep beside want: the one in use
// up to now first, and maxOldDigests at most.
func replacedDigests(have, want []dns.Record, current string) []dns.Record {
	wanted := dns.CanonicalSet(want)
	var kept []dns.Record
	for _, r := range have {
		if slices.Contains(wanted, r.CanonicalData()) {
			continue
		}
		r.TTL = want[0].TTL
		if digestOf(r) == current {
			kept = slices.Insert(kept, 0, r)
		} else {
			kept = append(kept, r)
		}
	}
	return kept[:min(len(kept), maxOldDigests)]
}
