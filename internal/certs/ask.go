package certs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"signpost/account"
)

// defaultAsked is how many new names an hour a TLS proxy may order for that are
// ours only by what DNS says. It asks again for all that it has when it starts,
// so that this must not be as small as an ACME server's own limits.
const defaultAsked = 1000

// maxGiven is how many names are remembered that a proxy may order for. They
// count once, and stay allowed while nobody can tell. Caddy itself has no more
// than 10,000 in memory.
const maxGiven = 50_000

// askedWait is how long a question waits for its turn. Caddy gives up after ten
// seconds.
const askedWait = 5 * time.Second

// asked decides for a TLS proxy that orders certificates itself.
type asked struct {
	Policy
	perHour int
	log     *slog.Logger
	sampler *sampler
	now     func() time.Time
	asking  chan struct{} // names that only DNS can say are ours

	mu    sync.Mutex
	given map[string]struct{}
	news  []placed
}

// AskHandler answers a TLS proxy that orders certificates itself and asks before
// each, as Caddy's on-demand TLS does with ?domain=: 200 yes, 403 no, 503 not
// known at the moment, or too many. Caddy takes all but 2xx for a no, for this
// time, and has no bound of its own.
//
// perHour bounds the new names that are ours only by what DNS says, 1000 when
// zero; those of one registrable domain get a tenth. It is for GET alone.
func AskHandler(policy Policy, perHour int, log *slog.Logger) http.Handler {
	return newAsked(policy, perHour, log, time.Now)
}

func newAsked(policy Policy, perHour int, log *slog.Logger, now func() time.Time) *asked {
	if perHour == 0 {
		perHour = defaultAsked
	}
	return &asked{
		Policy: policy, perHour: perHour, log: log, sampler: &sampler{now: now}, now: now,
		asking: make(chan struct{}, foundAsking), given: map[string]struct{}{},
	}
}

// ServeHTTP implements http.Handler.
func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	name, err := account.ParseDomain(r.URL.Query().Get("domain"))
	if err != nil {
		http.Error(w, "no: not a domain name", http.StatusForbidden)
		return
	}
	err = a.may(r.Context(), name)
	var away *elsewhere
	var refused *refusal
	switch {
	case err == nil, unclear(err) && a.had(name):
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte("yes\n"))
	case isNo(err):
		http.Error(w, "no: not hosted here", http.StatusForbidden)
	case errors.As(err, &away):
		http.Error(w, "no: DNS does not lead it here: "+away.text, http.StatusForbidden)
	case errors.As(err, &refused):
		a.sampler.warn(a.log, "no certificate", "name", name, "reason", refused.text)
		w.Header().Set("Retry-After", "600")
		http.Error(w, "not now: "+refused.text, http.StatusServiceUnavailable)
	default:
		w.Header().Set("Retry-After", "10")
		http.Error(w, "not known at the moment", http.StatusServiceUnavailable)
	}
}

// may decides as for an order of our own. Strangers' names whose name servers
// are silent do not hold up those of the configuration.
func (a *asked) may(ctx context.Context, name string) error {
	listed := a.Listed != nil && a.Listed(name)
	if !listed {
		turn, cancel := context.WithTimeout(ctx, askedWait)
		defer cancel()
		if err := await(turn, a.asking); err != nil {
			return err
		}
		defer func() { <-a.asking }()
		if err := a.Allowed(ctx, name); err != nil {
			return err
		}
	}
	if a.LeadsHere != nil {
		if err := a.LeadsHere(ctx, name); err != nil {
			return err
		}
	}
	return a.take(name, listed)
}

// unclear is an error that is neither a no nor a refusal: DNS did not tell.
func unclear(err error) bool {
	var away *elsewhere
	var refused *refusal
	return !isNo(err) && !errors.As(err, &away) && !errors.As(err, &refused)
}

// had reports whether the proxy was allowed to order for the name before, and so
// may have a certificate that it serves only if we say yes again.
func (a *asked) had(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.given[name]
	return ok
}

// take remembers a name, and counts it if it is new and not listed.
func (a *asked) take(name string, listed bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.given[name]; ok {
		return nil
	}
	if listed {
		a.give(name)
		return nil
	}
	now := a.now()
	a.news = recent(a.news, now)
	group := groupOf(name)
	total, ofGroup := count(a.news, group)
	switch {
	case total >= a.perHour:
		return &refusal{fmt.Sprintf("the proxy has asked for %d new names within an hour", total)}
	case ofGroup >= max(a.perHour/10, len(prefixes)):
		return &refusal{fmt.Sprintf("the proxy has asked for %d new names of %s within an hour", ofGroup, group)}
	}
	a.news = append(a.news, placed{now, name, group, 1})
	a.give(name)
	return nil
}

// give holds mu.
func (a *asked) give(name string) {
	if len(a.given) >= maxGiven {
		for other := range a.given {
			delete(a.given, other)
			break
		}
	}
	a.given[name] = struct{}{}
}
