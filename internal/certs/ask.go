package certs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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
// names of one registrable domain get a tenth of them. The handler is for GET only.
func AskHandler(policy Policy, proxy caa.Authority, perHour int, log *slog.Logger) http.Handler {
	return &askHandler{
		policy: policy, proxy: proxy, perHour: cmp.Or(perHour, DefaultAskPerHour), log: log, sampler: &sampler{},
		granted: map[string]time.Time{},
	}
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
	return h.grant(name, listed)
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
func (h *askHandler) grant(name string, listed bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isGranted(name) {
		h.granted[name] = time.Now()
		return nil
	}
	if !listed {
		h.added.prune()
		e := newEvent(name, 1)
		total, ofDomain := h.added.sum(e.domain)
		if total >= h.perHour {
			return &refusal{fmt.Sprintf("the proxy has asked for %d new names within an hour", total)}
		}
		if ofDomain >= max(h.perHour/10, len(account.HostPrefixes())) {
			return &refusal{fmt.Sprintf("the proxy has asked for %d new names of %s within an hour", ofDomain, e.domain)}
		}
		h.added = append(h.added, e)
	}
	if len(h.granted) >= maxGranted {
		for other := range h.granted {
			delete(h.granted, other)
			break
		}
	}
	h.granted[name] = time.Now()
	return nil
}
