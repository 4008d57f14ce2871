package finding

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// Find returns what is wrong in a case, the worst first, and what its cures would uncover.
func Find(ctx context.Context, c *Case) []Finding {
	found := find(ctx, c, Catalogue)
	reported := slices.Clone(found)
	var trials sync.WaitGroup
	for i, f := range reported {
		trials.Go(func() { found[i].Uncovers = c.uncovers(ctx, f, reported) })
	}
	trials.Wait()
	return found
}

// find returns what the rules of the catalogue find, the worst first.
func find(ctx context.Context, c *Case, catalogue []Fault) []Finding {
	found := findRoots(ctx, c, catalogue)
	for i := range found {
		c.order(found[i].Clients)
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(len(b.Clients), len(a.Clients)))
	})
	return found
}

// findRoots asks all rules at the same time and leaves out what others explain.
func findRoots(ctx context.Context, c *Case, catalogue []Fault) []Finding {
	byFault := make([][]Finding, len(catalogue))
	var rules sync.WaitGroup
	for i, fault := range catalogue {
		rules.Go(func() {
			defer func() {
				if recover() != nil && c.Failed != nil {
					c.Failed(fault.ID)
				}
			}()
			byFault[i] = fault.Find(ctx, c)
		})
	}
	rules.Wait()
	for i, fault := range catalogue {
		for j := range byFault[i] {
			c.complete(&byFault[i][j], fault)
		}
	}
	return withoutConsequences(slices.Concat(byFault...))
}

// rank orders severities, the worst first.
var rank = map[Severity]int{Error: 0, Warning: 1, Note: 2}

// complete fills in what a rule left to be worked out.
func (c *Case) complete(f *Finding, fault Fault) {
	f.ID = fault.ID
	var keys []probe.Key
	for _, e := range f.Evidence {
		keys = append(keys, e.Key)
	}
	worst := fault.Severity
	if f.Clients == nil {
		f.Clients, worst = c.Hit(keys...)
	}
	f.Severity = cmp.Or(f.Severity, worst)
}

// Hit returns the clients whose steps have one of the questions with a verdict that harms
// them, and how bad it is for the worst off.
func (c *Case) Hit(keys ...probe.Key) (ids []string, worst Severity) {
	worst = Note
	for _, k := range c.Clients {
		forecast := c.Forecasts[k.ID]
		hit := false
		for _, step := range forecast.Steps {
			if !slices.Contains(keys, step.Key) || !harms(step.Verdict, forecast.Outcome) {
				continue
			}
			hit = true
			if severity := severityOf(step.Verdict, forecast); rank[severity] < rank[worst] {
				worst = severity
			}
		}
		if hit {
			ids = append(ids, k.ID)
		}
	}
	return ids, worst
}

// harms reports whether a step made its client worse off. A client that passed over an
// answer is, unless it found good settings after it.
func harms(v client.Verdict, o client.Outcome) bool {
	switch v {
	case client.Stopped, client.Spoilt, client.Slowed:
		return true
	case client.Passed:
		return o != client.SetsUp
	}
	return false
}

// severityOf returns how bad a harmful step is for its client: an error if it ends up wrong
// or cannot send.
func severityOf(v client.Verdict, f client.Forecast) Severity {
	switch {
	case v == client.Slowed:
		return Warning
	case f.Outcome == client.Fails, f.Outcome == client.Elsewhere,
		f.Outcome == client.SetsUpBut && strings.Contains(f.But, "cannot"),
		v == client.Stopped && f.Outcome != client.SetsUp,
		v == client.Spoilt && f.Outcome != client.SetsUp:
		return Error
	}
	return Warning
}

// order sorts the IDs of clients as reports list them.
func (c *Case) order(ids []string) {
	at := func(id string) int {
		return slices.IndexFunc(c.Clients, func(k client.Client) bool { return k.ID == id })
	}
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(at(a), at(b)) })
}

// withoutConsequences leaves out findings that others explain, and adds to those what they said of
// clients and evidence.
func withoutConsequences(found []Finding) []Finding {
	cause := make([]int, len(found)) // of each finding; its own index if it has none
	root := func(i int) int {
		for cause[i] != i {
			i = cause[i]
		}
		return i
	}
	for i := range cause {
		cause[i] = i
	}
	for i := range found {
		for j := range found {
			if cause[i] == i && explains(&found[j], &found[i]) && root(j) != i {
				cause[i] = j
			}
		}
	}
	for i := range found {
		if r := root(i); r != i {
			found[r].absorb(found[i])
		}
	}
	var roots []Finding
	for i := range found {
		if cause[i] == i {
			roots = append(roots, found[i])
		}
	}
	return roots
}

// explains reports whether b is a consequence of a.
func explains(a, b *Finding) bool {
	if a.ID == b.ID {
		return false
	}
	for _, entry := range a.Explains {
		id, subject, named := strings.Cut(entry, " ")
		switch {
		case id != b.ID && id != "*":
		case named && subject == b.Subject:
			return true
		case !named && (a.Subject == b.Subject || a.Subject == "" || b.Subject == ""):
			return true
		}
	}
	return false
}

func (f *Finding) absorb(consequence Finding) {
	for _, id := range consequence.Clients {
		if !slices.Contains(f.Clients, id) {
			f.Clients = append(f.Clients, id)
		}
	}
	for _, e := range consequence.Evidence {
		if !slices.Contains(f.Evidence, e) {
			f.Evidence = append(f.Evidence, e)
		}
	}
	if rank[consequence.Severity] < rank[f.Severity] {
		f.Severity = consequence.Severity
	}
}
