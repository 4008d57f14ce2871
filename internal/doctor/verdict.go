package doctor

import (
	"fmt"
	"slices"
	"strings"

	"signpost/internal/doctor/client"
	"signpost/internal/doctor/finding"
)

// Verdict is the report in one sentence: how much is wrong, and how the clients end.
func (r *Report) Verdict() string {
	var parts []string
	for _, s := range []struct {
		severity finding.Severity
		word     string
	}{{finding.Error, "fault"}, {finding.Warning, "warning"}} {
		n := 0
		for _, f := range r.Findings {
			if f.Severity == s.severity {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, count(n, s.word))
		}
	}
	text := strings.Join(parts, " and ")
	if all := r.hitsAll(); all != "" && r.Complete {
		return all
	}
	if dead := r.deadResolver(); dead != "" && text == "" {
		return "not diagnosed: " + dead
	}
	switch {
	case text == "" && r.Complete:
		text = "no fault found"
	case text == "":
		text = "not diagnosed to the end, because not everything could be asked"
	case !r.Complete:
		text += " (not everything could be asked)"
	}
	if ends := r.ends(); ends != "" {
		text += ": " + ends
	}
	return text
}

// wholeDNS stands for all questions to a resolver that answers none.
const wholeDNS = "DNS"

// deadResolver says that the resolver answered nothing, empty if it did.
func (r *Report) deadResolver() string {
	for _, n := range r.NotAsked {
		if n.What == wholeDNS {
			return n.Why
		}
	}
	return ""
}

// hitsAll returns the sentence of the worst finding if it is the only fault and nobody gets by it.
func (r *Report) hitsAll() string {
	if len(r.Findings) == 0 || len(r.Clients) < 2 {
		return ""
	}
	first := r.Findings[0]
	if first.Severity != finding.Error || len(first.Clients) < len(r.Clients) ||
		len(r.Findings) > 1 && r.Findings[1].Severity == finding.Error {
		return ""
	}
	return strings.TrimSuffix(first.Sentence, ".")
}

// ends says how the clients end whose behaviour is known, those that end worst first.
func (r *Report) ends() string {
	known := slices.DeleteFunc(slices.Clone(r.Clients), func(c Client) bool { return c.Certainty == client.ToldOnly })
	if len(known) == 0 {
		return ""
	}
	outcomeIs := func(o client.Outcome) func(Client) bool {
		return func(c Client) bool { return c.Outcome == outcomeWords[o] }
	}
	var parts []string
	for _, end := range []struct {
		in                func(Client) bool
		nobody, one, many string
	}{
		{Client.cannotSend, "nobody can send", "cannot send", "cannot send"},
		{outcomeIs(client.Elsewhere), "every client goes elsewhere", "goes elsewhere", "go elsewhere"},
		{outcomeIs(client.Fails), "every client fails", "fails", "fail"},
	} {
		var names []string
		for _, c := range known {
			if end.in(c) && !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
		switch n := len(slices.DeleteFunc(slices.Clone(known), func(c Client) bool { return !end.in(c) })); {
		case n == 0:
		case n == len(known) && n > 1:
			parts = append(parts, end.nobody)
		case len(names) == 1:
			parts = append(parts, names[0]+" "+end.one)
		default:
			parts = append(parts, some(names)+" "+end.many)
		}
	}
	good := 0
	for _, c := range known {
		if outcomeIs(client.SetsUp)(c) {
			good++
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("%d of %d clients set themselves up", good, len(known))
	}
	return strings.Join(parts, "; ")
}

// cannotSend reports whether a client's person reads mail and cannot send any.
func (c Client) cannotSend() bool {
	return strings.Contains(c.But, "cannot send") || strings.Contains(c.But, "neither receive nor send")
}

// some lists names, at most three of them.
func some(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s, %s and %d more", names[0], names[1], len(names)-2)
	}
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
