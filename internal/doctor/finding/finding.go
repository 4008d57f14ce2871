// Package finding says what is wrong with a domain, who suffers from it and what cures it,
// from what was asked of the network and what clients make of it.
package finding

import (
	"context"
	"slices"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // a client ends up wrong, or cannot send
	Warning Severity = "warning" // slow, insecure, or one client worse off
	Note    Severity = "note"
)

// Finding is one fault.
type Finding struct {
	ID       string // of the catalogue, such as "D2"
	Severity Severity
	// Sentence says what is wrong, with the real names in it.
	Sentence string
	// Clients are the IDs of those who suffer.
	Clients  []string
	Evidence []Evidence
	Cures    []Cure
}

// Evidence is a question and the part of its answer that shows the fault.
type Evidence struct {
	Key  probe.Key
	Text string
}

// Cure is what somebody can do.
type Cure struct {
	// Who must act: "your DNS", "web server of nordlys.example", "mail provider", "Microsoft",
	// "the person".
	Who  string
	Text string
	// Remove and Put are records, if the cure is in DNS.
	Remove, Put []dns.Record
}

// Case is what a rule looks at.
type Case struct {
	Address   account.Address
	Asker     probe.Asker
	Forecasts map[string]client.Forecast // by client ID
}

// Fault is an entry of the catalogue.
type Fault struct {
	ID       string
	Severity Severity // the usual one
	// Title, Cause and Cure are for the catalogue: what it is, how it comes about, what cures it.
	Title, Cause, Cure string
	// Find returns the findings of this fault in a case. It may ask more questions.
	// A finding without Clients gets those whose steps have one of its evidence's keys with a verdict
	// that harms them.
	Find func(ctx context.Context, c *Case) []Finding
}

// Catalogue holds all faults: of DNS (D), web servers (H), certificates and TLS (T), documents (C),
// mail servers (M), accounts (A) and clients (K). Each kind has a file.
var Catalogue = slices.Concat(dnsFaults, webFaults, tlsFaults, documentFaults, mailFaults, accountFaults, clientFaults)
