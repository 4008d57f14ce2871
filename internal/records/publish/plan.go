package publish

import (
	"fmt"
	"strings"

	"signpost/internal/dns"
)

// Plan is what has to be done at a primary for one domain. Making it changes
// nothing.
type Plan struct {
	Domain string `json:"domain"`
	// Changes are in the order of the records.
	Changes []Change `json:"changes,omitempty"`
	// Conflicts are why the plan cannot be applied.
	Conflicts []Conflict `json:"conflicts,omitempty"`
	// Notes say what is left as it is, and why.
	Notes []string `json:"notes,omitempty"`

	primary *dns.Update
	zones   []*zonePlan
}

// Change puts the records of one name and type in the place of others.
type Change struct {
	Zone string       `json:"zone"`
	Name string       `json:"name"`
	Type string       `json:"type"`
	Old  []dns.Record `json:"old,omitempty"` // one of them may be empty
	New  []dns.Record `json:"new,omitempty"`
}

// Conflict is a set of records in the way that Signpost did not write.
type Conflict struct {
	Name    string       `json:"name"`
	Problem string       `json:"problem"`
	Have    []dns.Record `json:"have,omitempty"`
}

// zonePlan is the part of a plan that is one update, as the names of a domain
// may lie in several zones.
type zonePlan struct {
	zone      string
	name      string // of the marker
	oldMarker []dns.Record
	texts     []dns.Record // beside it, which stay
	old       marker       // what it says
	marker    marker       // what it shall say
	changes   []Change
	newNames  map[string]bool // names that must not be in use
}

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Changes) == 0 && len(p.Conflicts) == 0 }

// Counts are how many sets of records would be added, changed and removed.
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

// String shows the plan: a heading, a line for each record that comes or goes,
// and what is in the way.
func (p *Plan) String() string {
	var b strings.Builder
	add, change, remove := p.Counts()
	fmt.Fprintf(&b, "%s: ", p.Domain)
	switch {
	case len(p.Conflicts) > 0:
		fmt.Fprintf(&b, "%s, nothing can be published\n", count(len(p.Conflicts), "conflict"))
	case p.Empty():
		fmt.Fprintf(&b, "nothing to do\n")
	default:
		fmt.Fprintf(&b, "add %d, change %d, remove %d\n", add, change, remove)
	}
	for _, c := range p.Conflicts {
		fmt.Fprintf(&b, "  ! %s %s\n", c.Name, c.Problem)
		for _, r := range c.Have {
			fmt.Fprintf(&b, "    %s\n", r)
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

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
