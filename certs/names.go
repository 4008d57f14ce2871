package certs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"signpost/account"
)

// prefixes are the host names that clients derive from a mail domain.
var prefixes = []string{"autoconfig.", "autodiscover.", "ua-auto-config."}

// Allow makes the decision about host names from one about mail domains: the
// service's own name may have a certificate, and of each domain for which serves
// returns no error the names that clients derive from it and, with apex, the
// domain itself. No other name below a hosted domain may: its owner's zone can
// have a wildcard, and each of a million names would then cost an order.
//
// serves returns account.ErrUnknownDomain for a domain that is not served. It
// must answer for the domain exactly, not for one above it, and must not say yes
// to any domain whatsoever (as a provider for "*" does).
func Allow(own string, apex bool, serves func(ctx context.Context, domain string) error) func(ctx context.Context, name string) error {
	return func(ctx context.Context, name string) error {
		if name == own && own != "" {
			return nil
		}
		if serves == nil {
			return account.ErrUnknownDomain
		}
		for _, prefix := range prefixes {
			domain, ok := strings.CutPrefix(name, prefix)
			if !ok || !strings.Contains(domain, ".") {
				continue
			}
			if err := serves(ctx, domain); !isNo(err) {
				return err
			}
		}
		if apex {
			return serves(ctx, name)
		}
		return account.ErrUnknownDomain
	}
}

// LeadsTo makes the check of where DNS leads a name: to an address that the
// service's own name has, too. It is for services whose customers point their
// names there, with a CNAME record or the same addresses.
func LeadsTo(own string, lookup func(ctx context.Context, host string) ([]netip.Addr, error)) func(ctx context.Context, name string) error {
	return func(ctx context.Context, name string) error {
		if name == own {
			return nil
		}
		there, err := lookup(ctx, name)
		if err != nil {
			return err
		}
		if len(there) == 0 {
			return errors.New("it has no address")
		}
		here, err := lookup(ctx, own)
		if err != nil {
			return fmt.Errorf("%s: %w", own, err)
		}
		for _, address := range there {
			if slices.Contains(here, address) {
				return nil
			}
		}
		return fmt.Errorf("it is at %v, and %s at %v", there, own, here)
	}
}

// isNo tells "not ours" from "nobody knows at the moment".
func isNo(err error) bool {
	return errors.Is(err, account.ErrUnknownDomain) || errors.Is(err, account.ErrWrongHost)
}

// AskHandler answers a TLS proxy that orders certificates itself and asks before
// each, as Caddy's on-demand TLS does with ?domain=: 200 yes, 403 no, 503 not
// known at the moment. Caddy takes all but 2xx for a no, for this time.
func AskHandler(allowed func(ctx context.Context, name string) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "ask with GET", http.StatusMethodNotAllowed)
			return
		}
		name, err := account.ParseDomain(r.URL.Query().Get("domain"))
		if err != nil {
			http.Error(w, "no: not a domain name", http.StatusForbidden)
			return
		}
		switch err := allowed(r.Context(), name); {
		case err == nil:
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Write([]byte("yes\n"))
		case isNo(err):
			http.Error(w, "no: not hosted here", http.StatusForbidden)
		default:
			w.Header().Set("Retry-After", "10")
			http.Error(w, "not known at the moment", http.StatusServiceUnavailable)
		}
	})
}

// Ask is the AskHandler with the manager's own decision.
func (m *Manager) Ask() http.Handler { return AskHandler(m.ask) }
