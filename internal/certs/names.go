package certs

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"signpost/account"
)

// Policy decides which names may have a certificate.
type Policy struct {
	// Allowed decides whether a name may; Allow makes one. An error that is
	// account.ErrUnknownDomain is a no, any other means that nobody knows at the
	// moment.
	Allowed func(ctx context.Context, name string) error
	// Listed reports, without asking anybody, whether a name may whatever DNS
	// says, because the configuration has it. Allowed is not asked for these, and
	// they go before the others. May be nil.
	Listed func(name string) bool
	// LeadsHere has the last word before an order: whether DNS leads the name to
	// this service, without which every order fails. Strangers can name
	// customers' hosts whose DNS leads elsewhere all day, and use up what may be
	// ordered. May be nil.
	LeadsHere func(ctx context.Context, name string) error
}

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

// elsewhere is where DNS leads a name that it does not lead here.
type elsewhere struct{ text string }

func (e *elsewhere) Error() string { return e.text }

// LeadsTo makes the check of where DNS leads a name: to one of the addresses, or
// to one that the service's own name has, too. It is for services whose customers
// point their names there, with a CNAME record or the same addresses. Without
// addresses and name nothing can be said.
func LeadsTo(own string, addresses []netip.Addr, lookup func(ctx context.Context, host string) ([]netip.Addr, error)) func(ctx context.Context, name string) error {
	return func(ctx context.Context, name string) error {
		if name == own || own == "" && len(addresses) == 0 {
			return nil
		}
		there, err := lookup(ctx, name)
		if err != nil {
			return err
		}
		if len(there) == 0 {
			return &elsewhere{"it has no address"}
		}
		if overlap(there, addresses) {
			return nil
		}
		if own == "" {
			return &elsewhere{fmt.Sprintf("it is at %v, and this service at %v", there, addresses)}
		}
		here, err := lookup(ctx, own)
		if err != nil {
			return fmt.Errorf("%s: %w", own, err)
		}
		if overlap(there, here) {
			return nil
		}
		return &elsewhere{fmt.Sprintf("it is at %v, and %s at %v", there, own, append(here, addresses...))}
	}
}

func overlap(a, b []netip.Addr) bool {
	return slices.ContainsFunc(a, func(one netip.Addr) bool { return slices.Contains(b, one) })
}

// isNo tells "not ours" from "nobody knows at the moment".
func isNo(err error) bool {
	return errors.Is(err, account.ErrUnknownDomain) || errors.Is(err, account.ErrWrongHost)
}
