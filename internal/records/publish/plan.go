package publish

import (
	"fmt"
	"strings"

	"signpost/internal/dns"
	"signpost/internal/records"
)

// Plan holds what has to change at a primary for one domain. Making it changes
// nothing.
type Plan struct {
	Domain string
	// Changes are in the order of the records.
	Changes []Change
	// Conflicts are the reasons why names stay as they are.
	Conflicts []Conflict
	// Notes say what is left as it is, and why.
	Notes []string

	primary *dns.Update
	zones   []*zonePlan
}

// Change replaces the records of one name and type. Old or New may be empty.
type Change struct {
	Zone, Name, Type string
	Old, New         []dns.Record
}

// Conflict is a set of records that Signpost did not write and that prevents the
// changes at its name, or all changes in the zone if it is at the name of the
// ownership record.
type Conflict struct {
	Name    string
	Problem string
	Have    []dns.Record
	Want    []dns.Record // what would be there instead
}

// zonePlan is the part of a plan that is one update, as the names of a domain may
// lie in several zones.
type zonePlan struct {
	zone          string
	ownershipName string
	oldRecords    []dns.Record // at ownershipName
	foreign       []dns.Record // of these, the ones that stay beside the ownership record
	old           ownership    // what the ownership record says
	new           ownership    // what it has to say
	changes       []Change
	blocked       bool            // by what stands at ownershipName
	newNames      map[string]bool // names that must not exist before
}

// own records that a set is written by the service.
func (z *zonePlan) own(key setKey, want []dns.Record) {
	set := z.new.sets[key]
	set.digest = digestOf(want...)
	z.new.sets[key] = set
}

// keep has the ownership record say of a name what it said before.
func (z *zonePlan) keep(label string) {
	for _, recordType := range records.TypesAt(label) {
		key := setKey{label, recordType}
		delete(z.new.sets, key)
		if set, ok := z.old.sets[key]; ok {
			z.new.sets[key] = set
		}
	}
}

// isOwned reports whether a set is as the service wrote it.
func (z *zonePlan) isOwned(key setKey, set []dns.Record) bool {
	owned, ok := z.old.sets[key]
	return ok && owned.digest == digestOf(set...)
}

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Changes) == 0 && len(p.Conflicts) == 0 }

// Counts returns how many sets of records would be added, changed and removed.
func (p *Plan) Counts() (add, change, remove int) {
	for _, c := range p.Changes {
		switch {
		case len(c.Old) == 0:
			add++
		case len(c.New) == 0:
			remove++
		default:
			change++
		}
	}
	return add, change, remove
}

// String returns the plan as text: a heading, the conflicts, and a line for each
// record that comes or goes.
func (p *Plan) String() string {
	var b strings.Builder
	add, change, remove := p.Counts()
	fmt.Fprintf(&b, "%s: ", p.Domain)
	switch {
	case p.Empty():
		fmt.Fprintf(&b, "nothing to do\n")
	case len(p.Conflicts) > 0:
		fmt.Fprintf(&b, "add %d, change %d, remove %d; %s\n", add, change, remove, countConflicts(p))
	default:
		fmt.Fprintf(&b, "add %d, change %d, remove %d\n", add, change, remove)
	}
	for _, c := range p.Conflicts {
		fmt.Fprintf(&b, "  ! %s %s\n", c.Name, c.Problem)
		for _, r := range c.Have {
			fmt.Fprintf(&b, "    stays: %s\n", r)
		}
		for _, r := range c.Want {
			fmt.Fprintf(&b, "    not published: %s\n", r)
		}
	}
	for _, c := range p.Changes {
		for _, r := range c.Old {
			fmt.Fprintf(&b, "  - %s\n", r)
		}
		for _, r := range c.New {
			fmt.Fprintf(&b, "  + %s\n", r)
		}
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "  %s\n", note)
	}
	return b.String()
}

func countConflicts(p *Plan) string {
	if len(p.Conflicts) == 1 {
		return "1 conflict"
	}
	return fmt.Sprintf("%d conflicts", len(p.Conflicts))
}
