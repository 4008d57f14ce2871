package certs

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"signpost/account"
	"signpost/internal/caa"
	"signpost/internal/fair"
)

const (
	// DefaultAskPerHour is the number of new names per hour that a TLS proxy may order
	// certificates for and that are hosted here by DNS only. When the proxy
	// starts, it asks again for all names that it has, so the number cannot be as
	// small as the limits of an ACME server.
	DefaultAskPerHour = 1000

	// maxGranted limits the names that are remembered. Caddy keeps at most 10,000
	// in memory.
	maxGranted = 50_000

	// askTimeout is how long a question takes at most. Caddy gives up after ten
	// seconds.
	askTimeout = 8 * time.Second

	// grantedTimeout is how long one takes about a name that was granted before,
	// until it is answered as before: a client of the proxy waits.
	grantedTimeout = 1800 * time.Millisecond

	// askKey is the name in a shared storage of the ledger of names that were granted.
	askKey = "signpost/asked.json"

	// countTimeout is how long it may take to count a name in a shared storage.
	countTimeout = 3 * time.Second

	// grantedFor is how long a name counts as granted before while nothing is known about
	// it: the certificate that the proxy may have of it has expired then.
	grantedFor = 90 * 24 * time.Hour
)

// askHandler decides for a TLS proxy that orders certificates itself.
type askHandler struct {
	policy  Policy
	proxy   caa.Authority // that the proxy orders from
	perHour int
	log     *slog.Logger
	sampler *sampler
	ledger  *ledger[askedNames] // where all instances count together; nil if this one is alone

	mu      sync.Mutex
	granted map[string]time.Time // when the proxy was last allowed to order for a name
	added   history              // those that were new and not listed
}

// AskHandler returns the handler for a TLS proxy that orders certificates itself
// and asks before each order, as Caddy's on-demand TLS does with ?domain=. It
// answers 200 for yes, 403 for no, and 503 if this cannot be known now or if there
// are too many names. Caddy takes every status but 2xx as a no for the moment, and
// has no limit of its own.
//
// proxy is the authority from which it orders; where that is not known, only records
// that no authority can satisfy forbid a certificate.
//
// perHour limits the new names that are hosted here by DNS only, 1000 if zero; the
// names of one registrable domain get a tenth of them. Instances with a shared storage count
// them together; shared is nil without one. The handler is for GET only.
func AskHandler(policy Policy, proxy caa.Authority, perHour int, shared Shared, log *slog.Logger) http.Handler {
	h := &askHandler{
		policy: policy, proxy: proxy, perHour: cmp.Or(perHour, DefaultAskPerHour), log: log, sampler: &sampler{},
		granted: map[string]time.Time{},
	}
	if shared != nil {
		h.ledger = newLedger[askedNames](shared, askKey, log)
	}
	return h
}

// ServeHTTP implements http.Handler.
func (h *askHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	name, err := account.ParseDomain(r.URL.Query().Get("domain"))
	if err != nil {
		http.Error(w, "no: not a domain name", http.StatusForbidden)
		return
	}
	err = h.decide(r.Context(), name)
	refused, isRefusal := errors.AsType[*refusal](err)
	_, isElsewhere := errors.AsType[*elsewhereError](err)
	_, isForbidden := errors.AsType[*caa.Forbidden](err)
	switch {
	case err == nil:
		yes(w)
	case account.IsUnknown(err):
		http.Error(w, "no: not hosted here", http.StatusForbidden)
	case isElsewhere:
		http.Error(w, "no: DNS does not lead it here: "+err.Error(), http.StatusForbidden)
	case isRefusal:
		h.sampler.warn(h.log, "no certificate", "name", name, "reason", refused.text)
		w.Header().Set("Retry-After", "600")
		http.Error(w, "not now: "+refused.text, http.StatusServiceUnavailable)
	case h.wasGranted(name):
		// DNS does not answer, or its owner forbids another certificate. The proxy
		// may have one already, and serves it only after another yes.
		yes(w)
	case isForbidden:
		http.Error(w, "no: "+err.Error(), http.StatusForbidden)
	default:
		w.Header().Set("Retry-After", "10")
		http.Error(w, "not known at the moment", http.StatusServiceUnavailable)
	}
}

func yes(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("yes\n"))
}

// decide applies the same rules as an order of our own does. Listed names have places
// of their own for what is asked of DNS, so strangers' names with silent name servers
// do not delay them.
func (h *askHandler) decide(ctx context.Context, name string) error {
	limit := askTimeout
	if h.wasGranted(name) {
		limit = grantedTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	kind, listed := fair.Ask, h.policy.Listed(name)
	if listed {
		kind = fair.Listed
	}
	ctx = fair.WithCaller(ctx, askingOnce(kind, fair.Caller{}))
	if !listed {
		if err := h.policy.Allowed(ctx, name); err != nil {
			return err
		}
	}
	if err := h.policy.LeadsHere(ctx, name); err != nil {
		return err
	}
	if err := mayIssue(ctx, h.policy, h.proxy, name); err != nil {
		return err
	}
	return h.grant(ctx, name, listed)
}

// wasGranted reports whether the proxy was allowed to order for the name within
// grantedFor.
func (h *askHandler) wasGranted(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.isGranted(name)
}

// isGranted is wasGranted for who holds the mutex.
func (h *askHandler) isGranted(name string) bool {
	last, ok := h.granted[name]
	return ok && time.Since(last) < grantedFor
}

// grant remembers a name, and counts it if it is new and not listed.
func (h *askHandler) grant(ctx context.Context, name string, listed bool) error {
	if !listed && !h.wasGranted(name) {
		if err := h.count(ctx, name); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.granted[name]; !known && len(h.granted) >= maxGranted {
		for other := range h.granted {
			delete(h.granted, other)
			break
		}
	}
	h.granted[name] = time.Now()
	return nil
}

// count counts a new name, or returns a refusal. While a shared storage does not answer, this
// instance counts by itself: a proxy could not order otherwise.
func (h *askHandler) count(ctx context.Context, name string) error {
	if h.ledger != nil {
		ctx, cancel := context.WithTimeout(ctx, countTimeout)
		defer cancel()
		var refused error
		err := h.ledger.update(ctx, func(a *askedNames) bool {
			names := a.history()
			before := len(names)
			refused = h.add(&names, name)
			*a = askedNamesOf(names)
			return len(names) != before
		})
		if err == nil {
			return refused
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.add(&h.added, name)
}

// add counts a name that is not there yet.
func (h *askHandler) add(names *history, name string) error {
	names.prune()
	if slices.ContainsFunc(*names, func(e event) bool { return e.name == name }) {
		return nil
	}
	e := newEvent(name, 1)
	total, ofDomain := names.sum(e.domain)
	if total >= h.perHour {
		return &refusal{fmt.Sprintf("the proxy has asked for %d new names within an hour", total)}
	}
	if ofDomain >= max(h.perHour/10, len(account.HostPrefixes())) {
		return &refusal{fmt.Sprintf("the proxy has asked for %d new names of %s within an hour", ofDomain, e.domain)}
	}
	*names = append(*names, e)
	return nil
}

// askedNames are the new names as they stand in the storage.
type askedNames struct {
	Names  []orderEntry `json:"names"`
	Writer string       `json:"writer"` // as in entries
}

func (a askedNames) history() history {
	var all history
	for _, n := range a.Names {
		all = append(all, n.event())
	}
	return all
}

func askedNamesOf(names history) askedNames {
	a := askedNames{Names: []orderEntry{}, Writer: rand.Text()}
	for _, e := range names {
		a.Names = append(a.Names, orderEntry{e.at.UTC(), e.name, e.count})
	}
	return a
}
