package publish

import (
	"context"
	"slices"
	"strings"

	"signpost/internal/dns"
	"signpost/internal/records"
)

// planner makes the plan for one domain.
type planner struct {
	publisher *Publisher
	ctx       context.Context
	primary   *primary
	domain    records.Domain
	plan      *Plan
	zones     map[string]*zonePlan
	nodes     []*node
	// faulty has the names and types with which the comparison finds fault. It is nil
	// if nothing was compared.
	faulty map[string]bool
}

// node is one of the names that Signpost manages, and the records there.
type node struct {
	label  string
	name   string
	types  []string
	zone   *zonePlan
	have   map[string][]dns.Record // by type, CNAME included
	want   map[string][]dns.Record
	exists bool // has records of some type, or names below it

	changes   []Change
	conflicts []Conflict
}

func (p *planner) run() error {
	if _, err := p.primary.zoneOf(p.ctx, p.domain.Name); err != nil {
		return err
	}
	if len(p.domain.Records) > 0 {
		p.compare()
	}
	for _, name := range records.Names {
		n, err := p.read(name)
		if err != nil {
			return err
		}
		p.nodes = append(p.nodes, n)
		if n.types[0] == "CNAME" && p.isRight(n, n.types...) {
			continue
		}
		for _, recordType := range n.types {
			if p.isRight(n, recordType) {
				continue
			}
			p.keepDigests(n, recordType)
			p.planType(n, recordType)
		}
		if alias := n.have["CNAME"]; len(alias) > 0 && !slices.Contains(n.types, "CNAME") && len(n.want) > 0 {
			// No client looks for an alias here, but nothing can stand beside one.
			p.overwrite(n, "CNAME", nil, "holds a CNAME, beside which nothing else can stand")
		}
		if err := p.checkNewAlias(n); err != nil {
			return err
		}
	}
	p.settle()
	for _, z := range p.plan.zones {
		z.changeOwnership()
		if !z.blocked {
			p.plan.Changes = append(p.plan.Changes, z.changes...)
		}
	}
	return nil
}

// settle adds the changes of the names without conflicts to their zones.
func (p *planner) settle() {
	hasConflict := func(n *node) bool { return len(n.conflicts) > 0 }
	isPACC := func(n *node) bool { return strings.HasSuffix(n.label, "ua-auto-config") }
	paccConflict := slices.ContainsFunc(p.nodes, func(n *node) bool { return isPACC(n) && hasConflict(n) })
	for _, n := range p.nodes {
		p.plan.Conflicts = append(p.plan.Conflicts, n.conflicts...)
		switch {
		case !hasConflict(n) && !(isPACC(n) && paccConflict):
			n.zone.changes = append(n.zone.changes, n.changes...)
			continue
		case !hasConflict(n) && len(n.changes) > 0:
			// A digest of our document beside another's name would have clients
			// refuse that document.
			p.plan.Notes = append(p.plan.Notes, n.name+" is left alone, as the other name of PACC is")
		}
		n.zone.keep(n.label)
	}
	for _, z := range p.plan.zones {
		if !z.blocked {
			continue
		}
		for i, c := range p.plan.Conflicts {
			if c.Name == z.ownershipName {
				for _, change := range z.changes {
					p.plan.Conflicts[i].Want = append(p.plan.Conflicts[i].Want, change.New...)
				}
			}
		}
	}
}

// compare finds the sets with which records.Comparer finds fault at the primary. If it
// cannot know, none counts as right.
func (p *planner) compare() {
	comparer := p.publisher.options.Comparer
	if comparer == nil {
		return
	}
	comparison := comparer.CompareAt(p.ctx, p.primary.lookup, p.domain)
	if comparison.Error != "" {
		return
	}
	p.faulty = map[string]bool{}
	for _, f := range comparison.Findings {
		lines := slices.Concat(f.Remove, f.Put)
		for _, line := range lines {
			p.faulty[f.Name+" "+strings.Fields(line)[3]] = true // name, TTL, class, type
		}
		if len(lines) == 0 && !f.Warning {
			for _, recordType := range []string{"CNAME", "A", "AAAA", "SRV", "TXT"} {
				p.faulty[f.Name+" "+recordType] = true
			}
		}
	}
}

// isRight reports whether a name leads clients right by records of the types that
// somebody else wrote, which are then left alone.
func (p *planner) isRight(n *node, types ...string) bool {
	if p.faulty == nil || len(n.want) == 0 || p.publisher.options.Replace {
		return false
	}
	var notes []string
	for _, recordType := range types {
		have := n.have[recordType]
		if p.faulty[n.name+" "+recordType] || len(have) > 0 && n.zone.isOwned(setKey{n.label, recordType}, have) {
			return false
		}
		if len(have) > 0 {
			notes = append(notes, n.leftAlone(recordType))
		}
	}
	p.plan.Notes = append(p.plan.Notes, notes...)
	return len(notes) > 0
}

func (n *node) leftAlone(recordType string) string {
	return n.name + " " + recordType + " is right, but not written by us: it is left alone"
}

// read asks the primary what a name has.
func (p *planner) read(name records.Name) (*node, error) {
	n := &node{
		label: name.Label,
		name:  name.Label + "." + p.domain.Name,
		types: name.Types,
		have:  map[string][]dns.Record{},
		want:  map[string][]dns.Record{},
	}
	zone, err := p.primary.zoneOf(p.ctx, n.name)
	if err != nil {
		return nil, err
	}
	if n.zone, err = p.zone(zone); err != nil {
		return nil, err
	}
	for _, r := range p.domain.Records {
		if r.Name == n.name {
			n.want[r.Type] = append(n.want[r.Type], r.Record)
		}
	}
	for _, recordType := range n.types {
		if err := p.readType(n, recordType); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// readType adds the records of a type to the node, unless a wildcard makes them.
func (p *planner) readType(n *node, recordType string) error {
	found, exists, err := p.primary.records(p.ctx, n.name, recordType)
	if err != nil {
		return err
	}
	n.exists = n.exists || exists
	if len(found) > 0 && !n.zone.isOwned(setKey{n.label, recordType}, found) {
		wildcard, err := p.primary.fromWildcard(p.ctx, n.name, recordType, found)
		if err != nil || wildcard {
			return err
		}
	}
	for _, r := range found {
		if !slices.Contains(n.have[r.Type], r) {
			n.have[r.Type] = append(n.have[r.Type], r)
		}
	}
	return nil
}

// zone returns the plan for a zone, and begins it with the ownership record there.
// A zone at or above the domain has the record beside the managed names. One below
// the domain has its own, so that the record and the sets change in one update.
func (p *planner) zone(zone string) (*zonePlan, error) {
	if z, ok := p.zones[zone]; ok {
		return z, nil
	}
	z := &zonePlan{
		zone:          zone,
		ownershipName: ownershipLabel + "." + p.domain.Name,
		new:           ownership{owner: p.publisher.options.Owner, sets: map[setKey]ownedSet{}},
		newNames:      map[string]bool{},
	}
	if strings.HasSuffix(zone, "."+p.domain.Name) {
		z.ownershipName = ownershipLabel + "." + zone
	}
	found, _, err := p.primary.records(p.ctx, z.ownershipName, "TXT")
	if err != nil {
		return nil, err
	}
	if err := p.readOwnership(z, found); err != nil {
		return nil, err
	}
	p.zones[zone] = z
	p.plan.zones = append(p.plan.zones, z)
	return z, nil
}

// planType decides what happens to one set of records.
func (p *planner) planType(n *node, recordType string) {
	have, want := n.have[recordType], n.want[recordType]
	key := setKey{n.label, recordType}
	owned := len(have) > 0 && n.zone.isOwned(key, have)
	_, edited := n.zone.old.sets[key] // if it is not owned any more
	switch {
	case len(have) == 0 && len(want) == 0:
	case len(have) == 0:
		p.change(n, recordType, nil, want)
	case dns.SameData(have, want) && (owned || p.publisher.options.Replace):
		n.zone.own(key, want)
		if have[0].TTL != want[0].TTL {
			p.change(n, recordType, have, want)
		}
	case dns.SameData(have, want):
		p.plan.Notes = append(p.plan.Notes, n.leftAlone(recordType))
	case owned:
		p.change(n, recordType, have, want)
	case edited && (len(want) > 0 || len(n.want) == 0 || !slices.Contains(records.HostTypes, recordType)):
		p.overwrite(n, recordType, want, "was changed since Signpost wrote it")
	case len(want) > 0, len(n.want) > 0 && slices.Contains(records.HostTypes, recordType):
		// An address where a CNAME has to be, or the other way round, is in the
		// way. Any other set that somebody else wrote is not.
		p.overwrite(n, recordType, want, "was not written by Signpost")
	}
}

// overwrite replaces a set that somebody else wrote, or says that it is in the
// way.
func (p *planner) overwrite(n *node, recordType string, want []dns.Record, problem string) {
	if p.publisher.options.Replace {
		p.change(n, recordType, n.have[recordType], want)
		return
	}
	n.conflicts = append(n.conflicts, Conflict{n.name + " " + recordType, problem, n.have[recordType], n.allWanted()})
}

// allWanted returns the records that the name should have.
func (n *node) allWanted() []dns.Record {
	var all []dns.Record
	for _, recordType := range n.types {
		all = append(all, n.want[recordType]...)
	}
	return all
}

func (p *planner) change(n *node, recordType string, have, want []dns.Record) {
	n.changes = append(n.changes, Change{n.zone.zone, n.name, recordType, have, want})
	if len(want) > 0 {
		n.zone.own(setKey{n.label, recordType}, want)
	}
}

// checkNewAlias makes sure that a new CNAME does not come to a name with other
// records: a server would silently ignore it (RFC 2136 §3.4.2.2).
func (p *planner) checkNewAlias(n *node) error {
	if len(n.want["CNAME"]) == 0 || len(n.have["CNAME"]) > 0 {
		return nil
	}
	if !n.exists {
		n.zone.newNames[n.name] = true
		return nil
	}
	others, err := p.primary.otherTypes(p.ctx, n.name, records.HostTypes...)
	if err != nil || len(others) == 0 {
		return err
	}
	var own []string // types that some probe does not have, so no wildcard makes them
	for _, probe := range probes(n.name) {
		wildcard, err := p.primary.otherTypes(p.ctx, probe)
		if err != nil {
			return err
		}
		for _, t := range others {
			if !slices.Contains(wildcard, t) && !slices.Contains(own, t) {
				own = append(own, t)
			}
		}
	}
	if len(own) > 0 {
		n.conflicts = append(n.conflicts, Conflict{Name: n.name, Problem: "holds " + strings.Join(own, ", ") +
			" as well, beside which no CNAME can stand: remove that, or configure addresses instead " +
			"of the service's name",
			Want: n.allWanted()})
	}
	return nil
}
