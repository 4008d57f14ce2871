package publish

import (
	"slices"

	"signpost/internal/dns"
	"signpost/internal/records"
)

// readOwnership finds the ownership record of a zone among the records at its
// name. With Replace, the record of another service is taken over with the sets
// that it lists, so that no set is left without a known owner. A text that is
// not an ownership record is overwritten, but a domain that leaves keeps it.
func (p *planner) readOwnership(z *zonePlan, found []dns.Record) error {
	at := -1
	for i, r := range found {
		o, ok := parseOwnership(r.Data)
		if ok && r.Type == "TXT" && (at < 0 || o.owner == z.new.owner) {
			z.old, at = o, i
		}
	}
	switch {
	case len(found) == 0:
		return nil
	case found[0].Type != "TXT":
		p.block(z, "is where Signpost keeps its marker, but holds a CNAME, "+
			"beside which nothing else can stand: remove it", found)
		return nil
	case at < 0:
		wildcard, err := p.primary.fromWildcard(p.ctx, z.ownershipName, "TXT", found)
		if wildcard || err != nil {
			return err
		}
	}
	others := found
	if at >= 0 {
		others = slices.Delete(slices.Clone(found), at, at+1)
	}
	z.oldRecords, z.foreign = found, others
	leaving := len(p.domain.Records) == 0
	switch {
	case leaving && at < 0:
		p.plan.Notes = append(p.plan.Notes, z.ownershipName+
			" holds no marker of Signpost but something else: nothing here is known to be ours, "+
			"and all is left as it is")
		return nil
	case at >= 0 && z.old.owner == z.new.owner && (leaving || len(others) == 0):
		return nil
	case p.publisher.options.Replace:
		return nil
	}
	problem := "is where Signpost keeps its marker, but holds something else"
	if at >= 0 && z.old.owner != z.new.owner {
		problem = "says that the service " + z.old.owner + " publishes this domain"
		z.old.sets = nil
	}
	p.block(z, problem, found)
	return nil
}

// block adds a conflict that prevents all changes in a zone.
func (p *planner) block(z *zonePlan, problem string, found []dns.Record) {
	z.blocked = true
	p.plan.Conflicts = append(p.plan.Conflicts, Conflict{Name: z.ownershipName, Problem: problem, Have: found})
}

// changeOwnership adds the change of the ownership record to the zone's changes.
func (z *zonePlan) changeOwnership() {
	c := Change{Zone: z.zone, Name: z.ownershipName, Type: "TXT", Old: z.oldRecords, New: z.foreign}
	if len(z.new.sets) > 0 {
		c.New = []dns.Record{{Name: z.ownershipName, TTL: records.DefaultTTL, Type: "TXT", Data: z.new.data()}}
	}
	if !dns.SameData(c.Old, c.New) {
		z.changes = append(z.changes, c)
	}
}
