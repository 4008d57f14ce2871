package certs

import (
	"cmp"
	"context"
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

	// countTimeout is how long it may take to find out in a shared storage whether a name was
	// granted before, and to count it if not.
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
	asked   *asked // what all machines know together; nil if this one is alone

	mu      sync.Mutex
	granted map[string]grantedName // that the proxy was allowed to order for
	added   history                // those that were new and not listed
	untold  map[string]bool        // names whose time in the shared storage may be too old
	telling bool                   // a goroutine is telling the others about them
}

// grantedName says when the proxy was last allowed to order for a name.
type grantedName struct {
	at   time.Time
	told time.Time // what the shared storage says, as far as this machine knows
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
// names of one registrable domain get a tenth of them. Machines with a shared storage count
// them together, and know which names any of them has granted; shared is nil without one. The
// handler is for GET only.
func AskHandler(policy Policy, proxy caa.Authority, perHour int, shared Shared, log *slog.Logger) http.Handler {
	h := &askHandler{
		policy: policy, proxy: proxy, perHour: cmp.Or(perHour, DefaultAskPerHour), log: log, sampler: &sampler{},
		granted: map[string]grantedName{}, untold: map[string]bool{},
	}
	if shared != nil {
		h.asked = newAsked(shared, log)
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
	ctx, cancel := context.WithTimeout(r.Context(), askTimeout)
	defer cancel()
	err = h.decide(ctx, name)
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
	case h.wasGrantedAnywhere(ctx, name):
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
	ctx, cancel := h.untilEnough(ctx, name)
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

// untilEnough returns the context for what is asked about a name, which ends sooner if the name was
// granted before. Whether another machine has done so is asked only when DNS is slow.
func (h *askHandler) untilEnough(ctx context.Context, name string) (context.Context, context.CancelFunc) {
	if h.wasGranted(name) {
		return context.WithTimeout(ctx, grantedTimeout)
	}
	asking, cancel := context.WithCancel(ctx)
	if h.asked == nil {
		return asking, cancel
	}
	enough := time.AfterFunc(grantedTimeout, func() {
		if h.wasGrantedAnywhere(asking, name) {
			cancel()
		}
	})
	return asking, func() { enough.Stop(); cancel() }
}

// wasGranted reports whether this machine knows that the proxy was allowed to order for the
// name within grantedFor.
func (h *askHandler) wasGranted(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	g, ok := h.granted[name]
	return ok && time.Since(g.at) < grantedFor
}

// wasGrantedAnywhere is wasGranted for all machines. While the shared storage does not answer, it
// is about this one.
func (h *askHandler) wasGrantedAnywhere(ctx context.Context, name string) bool {
	if h.wasGranted(name) {
		return true
	}
	if h.asked == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	if at, err := h.asked.when(ctx, name); err == nil && time.Since(at) < grantedFor {
		h.remember(name, grantedName{at, at})
	}
	return h.wasGranted(name)
}

// grant remembers a name, and counts it if it is new and not listed.
func (h *askHandler) grant(ctx context.Context, name string, listed bool) error {
	if !listed {
		ctx, cancel := context.WithTimeout(ctx, countTimeout)
		defer cancel()
		if !h.wasGrantedAnywhere(ctx, name) {
			if err := h.count(ctx, name); err != nil {
				return err
			}
		}
	}
	h.remember(name, grantedName{at: time.Now()})
	return nil
}

// remember notes the times of a name, unless it knows later ones.
func (h *askHandler) remember(name string, g grantedName) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known, ok := h.granted[name]
	if !ok && len(h.granted) >= maxGranted {
		for other := range h.granted {
			delete(h.granted, other)
			delete(h.untold, other)
			break
		}
	}
	g = grantedName{later(known.at, g.at), later(known.told, g.told)}
	h.granted[name] = g
	if h.asked != nil && g.at.Sub(g.told) >= tellEvery {
		h.untold[name] = true
	}
	if len(h.untold) > 0 && !h.telling {
		h.telling = true
		go h.tell()
	}
}

// tell tells the others which names were granted, until they know all or the storage fails. The
// next yes begins it again. No proxy waits for it.
func (h *askHandler) tell() {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer func() { h.telling = false }()
	for len(h.untold) > 0 {
		var name string
		for name = range h.untold {
			break
		}
		at := h.granted[name].at
		h.mu.Unlock()
		told, err := h.asked.tell(name, at)
		h.mu.Lock()
		if err != nil {
			return
		}
		delete(h.untold, name)
		if g, ok := h.granted[name]; ok {
			h.granted[name] = grantedName{g.at, told}
		}
	}
}

// count counts a new name, or returns a refusal. While a shared storage does not answer, this
// machine counts by itself: a proxy could not order otherwise.
func (h *askHandler) count(ctx context.Context, name string) error {
	if h.asked != nil {
		var refused error
		err := h.asked.update(ctx, func(names *history) { refused = h.add(names, name) })
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
