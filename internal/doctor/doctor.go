// Package doctor asks the network what mail clients would ask for an address, forecasts
// what each of them ends up with, and says what is wrong and what cures it.
package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/finding"
	"signpost/internal/doctor/probe"
)

// Limit is the time after which a diagnosis ends with what is known. Half of it is enough
// for a domain whose servers answer, or refuse.
const Limit = 60 * time.Second

// Options say whom to diagnose, and how.
type Options struct {
	// Address is a mailbox, or the result of AtDomain.
	Address account.Address
	// Clients are the IDs of the clients to forecast, from Choose; empty for all.
	Clients []string
	// Asker asks the network. It must return when its context ends.
	Asker probe.Asker
	// Limit is the time for the whole diagnosis; zero means the constant.
	Limit time.Duration
	// Real sends the address itself also to servers outside its domain, as the clients do.
	// Otherwise these are asked for a stand-in.
	Real bool
	// Version and Resolver are printed: that of the program, and whom DNS questions go to.
	Version, Resolver string
	// Own is the configuration of the service on this machine; nil if there is none.
	Own *Own
	// Progress is called from many goroutines, after each answer and at each phase; nil if nobody watches.
	Progress func(Progress)
}

// Progress says how far a diagnosis is.
type Progress struct {
	Phase    string // "clients" or "findings"
	Requests int    // that were answered
	Done, Of int    // clients, or faults of the catalogue
}

// standIn is the local part of the mailbox that servers are asked about where the real
// one is not known, or none of their business.
const standIn = "signpost-doctor"

// AtDomain returns the address by which a domain is diagnosed when nobody names a mailbox. The
// mailbox need not exist: no good server answers differently for one that does.
func AtDomain(domain string) (account.Address, error) {
	return account.ParseAddress(standIn + "@" + domain)
}

// Examine diagnoses an address. It returns an error for wrong options only: what cannot be
// known is in the report.
func Examine(ctx context.Context, o Options) (*Report, error) {
	clients, err := Choose(o.Clients)
	if err != nil {
		return nil, err
	}
	if o.Address.IsZero() || o.Address.IsAny() {
		return nil, fmt.Errorf("a diagnosis needs an address")
	}
	return examine(ctx, o, clients, finding.Find)
}

// finder is finding.Find, or what a test has in its place.
type finder func(context.Context, *finding.Case) []finding.Finding

func examine(ctx context.Context, o Options, clients []client.Client, find finder) (*Report, error) {
	if o.Limit == 0 {
		o.Limit = Limit
	}
	e := &examination{Options: o, started: time.Now(), watch: newWatch(o)}
	e.recording = probe.NewRecording(e.watch)
	// The last part of the time is for the rules, so that what the clients learned is explained.
	all, cancel := context.WithTimeout(ctx, o.Limit)
	defer cancel()
	first, cancelFirst := context.WithTimeout(ctx, o.Limit-o.Limit/6)
	defer cancelFirst()
	provider := make(chan *Provider, 1)
	go func() { provider <- e.provider(first) }()
	ownView := make(chan *OwnView, 1)
	go func() { ownView <- e.compareOwn(all) }()
	forecasts, silent := e.forecast(first, clients)
	findings := e.find(all, find, clients, forecasts)
	own := e.wait(all, ownView)
	findings = append(own.findings(), findings...)
	if err := e.cure(all, own, findings); err != nil {
		e.watch.miss("the records that this Signpost wants", err.Error())
	}
	if err := ctx.Err(); err != nil {
		return nil, err // who asked has gone
	}
	var guess *Provider
	select {
	case guess = <-provider:
	case <-afterEnd(first):
	}
	return e.report(clients, forecasts, silent, findings, own, guess), nil
}

// Choose returns the clients with the IDs in all their versions, or those whose IDs begin with one
// and a hyphen; all clients for no IDs.
func Choose(ids []string) ([]client.Client, error) {
	all := client.All()
	if len(ids) == 0 {
		return all, nil
	}
	chosen := map[string]bool{}
	for _, id := range ids {
		exact := slices.IndexFunc(all, func(c client.Client) bool { return c.ID == id })
		found := false
		for _, c := range all {
			if exact >= 0 && c.Name == all[exact].Name || exact < 0 && strings.HasPrefix(c.ID, id+"-") {
				chosen[c.ID], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no client %q", id)
		}
	}
	return slices.DeleteFunc(all, func(c client.Client) bool { return !chosen[c.ID] }), nil
}

// examination is one diagnosis under way.
type examination struct {
	Options
	started   time.Time
	watch     *watch
	recording *probe.Recording
}

// forecast lets all clients search. It returns their forecasts by ID, and the IDs of those
// that did not end in time.
func (e *examination) forecast(ctx context.Context, clients []client.Client) (map[string]client.Forecast, []string) {
	e.watch.phase("clients", len(clients))
	type result struct {
		id       string
		forecast client.Forecast
	}
	results := make(chan result, len(clients))
	for _, c := range clients {
		go func() {
			// The watch disguises the address where that is due, and undoes it in answers.
			search := &client.Search{Address: e.Address, Asker: e.recording, Real: true}
			f := e.forecastOf(ctx, c, search)
			if f.Steps == nil {
				f.Steps = search.Steps()
			}
			results <- result{c.ID, f}
		}()
	}
	forecasts := map[string]client.Forecast{}
	end := afterEnd(ctx)
	for range clients {
		select {
		case r := <-results:
			forecasts[r.id] = r.forecast
			e.watch.done()
		case <-end:
			var silent []string
			for _, c := range clients {
				if _, ok := forecasts[c.ID]; !ok {
					silent = append(silent, c.ID)
				}
			}
			return forecasts, silent
		}
	}
	return forecasts, nil
}

// forecastOf lets one client search. A fault of its rules costs its forecast, not the program,
// which also serves mail clients.
func (e *examination) forecastOf(ctx context.Context, c client.Client, s *client.Search) (f client.Forecast) {
	defer func() {
		if fault := recover(); fault != nil {
			e.watch.miss("what "+c.Name+" does", "its forecast failed, which is a fault of this program")
			f = client.Forecast{Outcome: client.Unknown, But: "its forecast failed, which is a fault of this program"}
		}
	}()
	return c.Forecast(ctx, s)
}

// find applies the whole catalogue.
func (e *examination) find(
	ctx context.Context, find finder, clients []client.Client, forecasts map[string]client.Forecast,
) []finding.Finding {
	e.watch.phase("findings", 0)
	c := &finding.Case{
		Address: e.Address, Asker: e.recording, Clients: clients, Forecasts: forecasts, Own: e.ownSettings(ctx),
		Failed: func(id string) { e.watch.miss("the rule of "+id, "it failed, which is a fault of this program") },
	}
	found := make(chan []finding.Finding, 1)
	go func() { found <- find(ctx, c) }()
	select {
	case findings := <-found:
		return findings
	case <-afterEnd(ctx):
		e.watch.miss("all findings", "the time was over")
		return nil
	}
}

// wait waits for the comparison with the own service.
func (e *examination) wait(ctx context.Context, view <-chan *OwnView) *OwnView {
	select {
	case own := <-view:
		return own
	case <-afterEnd(ctx):
		e.watch.miss("this Signpost", "the time was over")
		return nil
	}
}

// grace is how long clients and rules may take to return once their time is over.
const grace = 250 * time.Millisecond

// afterEnd returns a channel that is closed a little after the context has ended.
func afterEnd(ctx context.Context) <-chan struct{} {
	end := make(chan struct{})
	context.AfterFunc(ctx, func() { time.AfterFunc(grace, func() { close(end) }) })
	return end
}
