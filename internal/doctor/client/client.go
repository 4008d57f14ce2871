// Package client forecasts what each mail client does with an address: what it asks, in
// which order, with which limits, which answer wins, what it guesses, and what its
// person sees. A client is a value; it sees the network through package probe only, so a recording
// is enough to test it.
package client

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// Client is a mail client whose behaviour is known.
type Client struct {
	ID      string // for flags and JSON, such as "thunderbird"
	Name    string // for people, such as "Thunderbird"
	Version string // to which the rules belong, such as "153"
	// Certainty says what the rules rest on.
	Certainty Certainty
	// Forecast goes through the client's search. It asks s and writes steps to it.
	Forecast func(ctx context.Context, s *Search) Forecast
}

// Certainty says what a forecast rests on.
type Certainty string

// The marks that are printed before a client's name.
const (
	ByCode      Certainty = "=" // the client's code was read, or the client was watched
	ByDocuments Certainty = "~" // the vendor's documents and people's reports
	ToldOnly    Certainty = "?" // unknown; only what it is told is said
)

// Outcome is how a person's set-up ends.
type Outcome string

// The outcomes.
const (
	SetsUp    Outcome = "sets itself up"
	SetsUpBut Outcome = "sets itself up, but …" // Forecast.But has the rest
	Asks      Outcome = "asks for …"            // Forecast.But has what to type
	Elsewhere Outcome = "goes elsewhere"        // Forecast.But has to whom
	Fails     Outcome = "fails"                 // Forecast.But has why
	Unknown   Outcome = "cannot be told"        // Forecast.But has what the diagnosis could not ask
)

// Forecast is what a client ends up with.
type Forecast struct {
	Outcome Outcome
	// But completes the outcome: "cannot send", "a Microsoft sign-in", "Microsoft 365".
	But string
	// Source is where the settings come from: a URL without the address, "DNS SRV", "guess", or empty.
	Source string
	// Took is how long the client's own search takes, by its own limits and order.
	Took    time.Duration
	Servers []Server
	// Person is what the client shows, in its own English words.
	Person string
	// Steps are what it asked, in order.
	Steps []Step
}

// Server is a server as the client would use it.
type Server struct {
	Type           account.ServerType
	Hostname       string
	Port           int
	SocketType     account.SocketType
	URL            string // instead of host name and port: ActiveSync, EWS, JMAP
	Username       string
	Authentication account.Authentication // empty if the client decides only when it signs in
}

// Step is one question of a search and what the client made of the answer.
type Step struct {
	Key     probe.Key
	Verdict Verdict
	// Why says what is wrong with the answer, for people: "200 text/html, not XML".
	Why string
}

// Verdict is what a client makes of an answer.
type Verdict string

// The verdicts.
const (
	Took    Verdict = "took"    // the settings come from it
	Passed  Verdict = "passed"  // nothing usable; the search went on
	Stopped Verdict = "stopped" // nothing usable, and what would have been found after it is lost
	Slowed  Verdict = "slowed"  // the search waited for it
	Spoilt  Verdict = "spoilt"  // it was used, and does the person harm: a server that does not work, a foreign sign-in
)

// all are the clients, each registered by its own file.
var all []Client

// register adds a client. Each client's file calls it once, from init.
func register(c Client) { all = append(all, c) }

// All returns the clients in the order in which reports list them: by what their
// forecasts rest on, then by name.
func All() []Client {
	rank := map[Certainty]int{ByCode: 0, ByDocuments: 1, ToldOnly: 2}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Client) int {
		return cmp.Or(cmp.Compare(rank[a.Certainty], rank[b.Certainty]), strings.Compare(a.Name, b.Name),
			strings.Compare(a.Version, b.Version))
	})
	return sorted
}
