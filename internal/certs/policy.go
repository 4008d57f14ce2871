package certs

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/caa"
	"signpost/internal/conn"
	"signpost/internal/dns"
)

// Policy decides which names may have a certificate.
type Policy interface {
	// Listed reports, without asking DNS, whether the configuration lists the
	// name. Listed names may have a certificate whatever DNS says about them,
	// and they come before all others.
	Listed(name string) bool
	// Allowed decides about a name that is not listed. The error satisfies
	// account.IsUnknown if it may not have a certificate. Any other error means
	// that this cannot be known now.
	Allowed(ctx context.Context, name string) error
	// Gone reports whether a name that Allowed denies has been gone for so long that
	// its certificate may be removed.
	Gone(name string) bool
	// LeadsHere returns an error unless DNS leads the name to this service.
	// Otherwise every order would fail, and strangers could use up all orders
	// with names of customers whose DNS leads elsewhere.
	LeadsHere(ctx context.Context, name string) error
	// CAA returns the CAA records that decide which authorities may issue a
	// certificate for the name. An error means that they cannot be known now, and
	// then no authority issues one.
	CAA(ctx context.Context, name string) (caa.Set, error)
}

// Domains knows the mail domains that are hosted here, as directory.Directory does.
type Domains interface {
	// Lists reports, without asking anybody, whether the configuration or the list of a
	// store has the domain.
	Lists(domain string) bool
	// ListsMX reports whether clients derive the domain from an MX host that the
	// configuration lists. It may be anybody's domain, as protection.outlook.com
	// is.
	ListsMX(domain string) bool
	// Serves returns nil if the domain is hosted here, by the configuration or
	// by DNS. The error satisfies account.IsUnknown if it is not. Serves must
	// answer for exactly this domain, and must not say yes to all domains, as a
	// provider for "*" would.
	Serves(ctx context.Context, domain string) error
	// Gone reports whether a domain that Serves denies has been gone for so long that
	// no mistake in a list of domains can be the reason.
	Gone(domain string) bool
}

// Names is the Policy of a hoster. The service's own name may have a certificate,
// and so may the host names that mail clients derive from the hosted domains. No
// other name below a hosted domain may: its zone can have a wildcard, and each of
// a million names would then cost an order.
type Names struct {
	Own     string
	Apex    bool    // hosted domains themselves may have a certificate, too
	Domains Domains // nil if none are hosted

	// A name leads here if it has no other addresses than these and Own's: a
	// customer publishes a CNAME record for Own, or the same addresses. Without
	// Own and Addresses, every name is taken to lead here.
	Addresses       []netip.Addr
	LookupAddresses func(ctx context.Context, host string) ([]netip.Addr, error)
	// Lookup asks DNS for other records. It may be nil: then CAA finds none.
	Lookup caa.Lookup
}

// Listed implements Policy.
func (n *Names) Listed(name string) bool {
	return n.decide(name, func(domain string) error {
		if n.lists(domain) {
			return nil
		}
		return account.ErrUnknownDomain
	}) == nil
}

// lists reports whether the configuration lists the domain. The domain of an MX
// host counts only if LeadsHere can tell whether its names lead here.
func (n *Names) lists(domain string) bool {
	return n.Domains.Lists(domain) || n.knowsAddress() && n.Domains.ListsMX(domain)
}

// knowsAddress reports whether the address of this service is known.
func (n *Names) knowsAddress() bool { return n.Own != "" || len(n.Addresses) > 0 }

// Allowed implements Policy.
func (n *Names) Allowed(ctx context.Context, name string) error {
	return n.decide(name, func(domain string) error {
		if n.lists(domain) {
			return nil
		}
		return n.Domains.Serves(ctx, domain)
	})
}

// Gone implements Policy.
func (n *Names) Gone(name string) bool {
	return n.Domains == nil || account.IsUnknown(n.decide(name, func(domain string) error {
		if n.Domains.Gone(domain) {
			return account.ErrUnknownDomain
		}
		return nil
	}))
}

func (n *Names) decide(name string, hosted func(domain string) error) error {
	if name == n.Own && name != "" {
		return nil
	}
	if n.Domains == nil {
		return account.ErrUnknownDomain
	}
	for _, prefix := range account.HostPrefixes() {
		domain, ok := strings.CutPrefix(name, prefix)
		if !ok || !strings.Contains(domain, ".") {
			continue
		}
		if err := hosted(domain); !account.IsUnknown(err) {
			return err
		}
	}
	if n.Apex {
		return hosted(name)
	}
	return account.ErrUnknownDomain
}

// LeadsHere implements Policy. The error is an *elsewhereError if DNS leads the
// name elsewhere, be it with one of its addresses: the ACME server prefers IPv6, and
// clients choose as they like.
func (n *Names) LeadsHere(ctx context.Context, name string) error {
	if name == n.Own || !n.knowsAddress() {
		return nil
	}
	there, err := n.addresses(ctx, name)
	switch {
	case err != nil:
		return err
	case len(there) == 0:
		return &elsewhereError{"it has no address"}
	}
	foreign := without(there, n.Addresses)
	if len(foreign) == 0 {
		return nil
	}
	if n.Own == "" {
		return elsewhere(there, foreign, fmt.Sprintf("this service at %v", n.Addresses))
	}
	if alias, err := n.isAliasOfOwn(ctx, name, foreign); alias || err != nil {
		return err
	}
	here, err := n.addresses(ctx, n.Own)
	if err != nil {
		return fmt.Errorf("%s: %w", n.Own, err)
	}
	if foreign = without(foreign, here); len(foreign) == 0 {
		return nil
	}
	if err := n.mustKnow(ctx, foreign); err != nil {
		return err
	}
	here = append(here, without(n.Addresses, here)...)
	return elsewhere(there, foreign, fmt.Sprintf("%s at %v", n.Own, here))
}

// addresses looks up the addresses of a host, without those that DNS64 has made of its
// IPv4 addresses (RFC 6052 §2.1).
func (n *Names) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	found, err := n.LookupAddresses(ctx, host)
	if err != nil || !slices.ContainsFunc(found, conn.NAT64.Contains) {
		return found, err
	}
	if has, err := n.hasDNS64(ctx); !has || err != nil {
		return found, err
	}
	var published []netip.Addr
	for _, a := range found {
		b := a.As16()
		if conn.NAT64.Contains(a) && slices.Contains(found, netip.AddrFrom4([4]byte(b[12:]))) {
			continue
		}
		published = append(published, a)
	}
	return published, nil
}

// hasDNS64 reports whether our resolvers make IPv6 addresses of IPv4 addresses, for the
// machines of their own network: then ipv4only.arpa, which has none, has some (RFC 7050
// §3). Without that, such an address is one that somebody published, and no authority
// reaches us there.
func (n *Names) hasDNS64(ctx context.Context) (bool, error) {
	if n.Lookup == nil {
		return false, nil
	}
	answer, err := n.Lookup(ctx, "ipv4only.arpa", "AAAA")
	return len(answer.OfType("AAAA")) > 0, err
}

// isAliasOfOwn reports whether the name has these addresses because CNAMEs lead it to Own,
// which may have other addresses each time that it is looked up. Each kind of address
// must come that way: a hostile server can answer one with a CNAME and the other with an
// address of its own.
func (n *Names) isAliasOfOwn(ctx context.Context, name string, addresses []netip.Addr) (bool, error) {
	if n.Lookup == nil {
		return false, nil
	}
	for _, recordType := range kinds(addresses) {
		answer, err := n.Lookup(ctx, name, recordType)
		isOwn := func(r dns.Record) bool { return strings.EqualFold(strings.TrimSuffix(r.Data, "."), n.Own) }
		if err != nil || !slices.ContainsFunc(answer.OfType("CNAME"), isOwn) {
			return false, err
		}
	}
	return true, nil
}

// mustKnow returns an error unless the addresses of Own of the same kinds are known,
// without which none can be called foreign.
func (n *Names) mustKnow(ctx context.Context, foreign []netip.Addr) error {
	if n.Lookup == nil {
		return nil
	}
	for _, recordType := range kinds(foreign) {
		if _, err := n.Lookup(ctx, n.Own, recordType); err != nil {
			return err
		}
	}
	return nil
}

// kinds returns the types of the records that hold addresses, each once.
func kinds(addresses []netip.Addr) (recordTypes []string) {
	if slices.ContainsFunc(addresses, netip.Addr.Is4) {
		recordTypes = append(recordTypes, "A")
	}
	if slices.ContainsFunc(addresses, netip.Addr.Is6) {
		recordTypes = append(recordTypes, "AAAA")
	}
	return recordTypes
}

// without returns the addresses that are not among ours.
func without(addresses, ours []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(addresses), func(a netip.Addr) bool { return slices.Contains(ours, a) })
}

func elsewhere(there, foreign []netip.Addr, here string) error {
	if len(foreign) < len(there) {
		return &elsewhereError{fmt.Sprintf("it is also at %v, and %s: all of its addresses must lead here",
			foreign, here)}
	}
	return &elsewhereError{fmt.Sprintf("it is at %v, and %s", there, here)}
}

// CAA implements Policy.
func (n *Names) CAA(ctx context.Context, name string) (caa.Set, error) {
	if n.Lookup == nil {
		return caa.Set{}, nil
	}
	set, err := caa.Relevant(ctx, n.Lookup, name)
	if err != nil && name == n.Own {
		// Nobody but the operator can cause orders for it, and it must be had after
		// a start at which DNS does not work yet.
		return caa.Set{}, nil
	}
	return set, err
}

// elsewhereError reports that DNS leads a name elsewhere.
type elsewhereError struct{ text string }

func (e *elsewhereError) Error() string { return e.text }
