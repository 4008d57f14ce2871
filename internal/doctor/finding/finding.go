// Package finding says what is wrong with a domain, who suffers from it and what cures it,
// from what was asked of the network and what clients make of it.
//
// A rule looks at a Case and returns findings, each with the questions whose answers show the
// fault. Which clients it hits follows from their steps; a rule says it only where that is not
// right. A rule must not take what is not known for "no": see probe.Failure.Known.
package finding

import (
	"context"
	"fmt"
	"slices"

	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // a client ends up wrong, or cannot send
	Warning Severity = "warning" // slow, insecure, or one client worse off
	Note    Severity = "note"    // nobody suffers at present
)

// Finding is one fault.
type Finding struct {
	ID string // of the catalogue, such as "D2"
	// Severity is worked out from the clients that are hit, if the rule leaves it empty.
	Severity Severity
	// Sentence says what is wrong, with the real names in it.
	Sentence string
	// Subject is the name that the fault is about: a host of web or mail servers, the name of a
	// record. It is empty if the fault is about the domain as a whole.
	Subject string
	// Clients are the IDs of those who suffer. If the rule leaves it nil, it becomes those whose
	// steps have a key of the evidence with a verdict that harms them.
	Clients  []string
	Evidence []Evidence
	Cures    []Cure
	// Explains are the IDs of faults that are only consequences of this one, "*" for all. A
	// finding with such an ID is not reported if it is about the same Subject, or if one of the two has
	// none; "H1 www.nordlys.example" is an H1 about another subject. What a consequence would have said of
	// clients and evidence is added to this finding.
	Explains []string
	// Uncovers says what else would go wrong if this finding alone were cured, one sentence
	// each. It is worked out by trying the cures.
	Uncovers []string
}

// Evidence is a question and the part of its answer that shows the fault.
type Evidence struct {
	Key  probe.Key
	Text string
}

// See returns evidence: what the answer to a question says, in the manner of fmt.Sprintf.
func See(q interface{ Key() probe.Key }, format string, a ...any) Evidence {
	return Evidence{q.Key(), fmt.Sprintf(format, a...)}
}

// Cure is what somebody can do.
type Cure struct {
	// Who must act: one of the constants, "web server of nordlys.example", "Microsoft", …
	Who  string
	Text string
	// Remove and Put are records, if the cure is in DNS. Their strings are lines of a zone file, as
	// "signpost records -compare -format json" prints them.
	Remove, Put []dns.Record
	// Serve returns the answer that a web server would give after the cure in place of today's. It
	// is nil if the cure changes none, or if nobody can know how. Trials of cures use it.
	Serve func(q probe.WebQuestion, today probe.WebAnswer) probe.WebAnswer `json:"-"`
}

// Who must act, where it is no server with a name.
const (
	YourDNS      = "your DNS"
	MailProvider = "mail provider"
	ThePerson    = "the person"
	Nobody       = "nobody"
)

// WebServer returns who must act if a web server is at fault.
func WebServer(host string) string { return "web server of " + host }

// Fault is an entry of the catalogue.
type Fault struct {
	ID       string
	Severity Severity // the usual one
	// Title, Cause and Cure are for the catalogue: what it is, how it comes about, what cures it.
	Title, Cause, Cure string
	// Who says in the catalogue which clients are hit, as a rule.
	Who string
	// Find returns the findings of this fault in a case. It may ask more questions, where
	// something suggests the fault. It fills in neither ID nor, as a rule, Severity and Clients.
	Find func(ctx context.Context, c *Case) []Finding
}

// Catalogue holds all faults: of DNS (D), web servers (H), certificates and TLS (T), documents (C),
// mail servers (M), accounts (A) and clients (K). Each kind has a file.
var Catalogue = slices.Concat(dnsFaults, webFaults, tlsFaults, documentFaults, mailFaults, accountFaults, clientFaults)
