package network

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

// resolve returns the addresses of a host that are to be tried, in order, and how long the
// look-up took. It asks the same two questions as everybody, which are asked once.
func (n *Network) resolve(ctx context.Context, host string) ([]netip.Addr, time.Duration, *probe.Failure) {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, 0, n.familyOf(a)
	}
	if failure := n.unusable(host); failure != nil {
		return nil, 0, failure
	}
	if isLoopbackName(host) {
		return []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}, 0, nil
	}
	var v4, v6 probe.DNSAnswer
	var both sync.WaitGroup
	if n.options.IPv6 {
		both.Go(func() { v6 = n.DNS(ctx, probe.DNSQuestion{Name: host, Type: "AAAA"}) })
	}
	if n.options.IPv4 {
		both.Go(func() { v4 = n.DNS(ctx, probe.DNSQuestion{Name: host, Type: "A"}) })
	}
	both.Wait()
	took := max(v4.Took, v6.Took)
	addresses := alternate(addressesOf(v6, "AAAA"), addressesOf(v4, "A"))
	switch {
	case len(addresses) > 0:
		return addresses[:min(len(addresses), maxAddresses)], took, nil
	case v4.Failure != nil && !v4.Failure.Known() || v6.Failure == nil:
		return nil, took, noAddress(host, v4.Failure)
	}
	return nil, took, noAddress(host, v6.Failure)
}

// noAddress returns the failure of a host whose look-up failed, or found nothing.
func noAddress(host string, failure *probe.Failure) *probe.Failure {
	if failure != nil {
		return failure
	}
	return &probe.Failure{Kind: probe.NoAddress, Text: host + " has no address"}
}

// unusable returns why a host cannot be looked up, nil if it can.
func (n *Network) unusable(host string) *probe.Failure {
	if _, _, err := dns.Question(host, "A"); err != nil || strings.Trim(host,
		"abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
		return &probe.Failure{Kind: probe.NoAddress, Text: printable(host, 100) + " is not the name of a host"}
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch {
	case strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x"):
		// Many programs read such a name as an IPv4 address, such as 127.1 (URL Standard, "ends in a number").
		return &probe.Failure{Kind: probe.Forbidden, Text: host + " is not the name of a host"}
	case isLoopbackName(host) && !n.options.Private:
		return &probe.Failure{Kind: probe.Forbidden, Text: host + " is this machine"}
	}
	return nil
}

// isLoopbackName reports whether a name means the machine itself (RFC 6761 §6.3).
func isLoopbackName(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// familyOf returns a failure if addresses of the family are not asked, as in a network that has only the
// other one.
func (n *Network) familyOf(a netip.Addr) *probe.Failure {
	switch is4 := a.Unmap().Is4(); {
	case is4 && !n.options.IPv4:
		return &probe.Failure{Kind: probe.Unreachable, Text: "only IPv6 is asked"}
	case !is4 && !n.options.IPv6:
		return &probe.Failure{Kind: probe.Unreachable, Text: "only IPv4 is asked"}
	}
	return nil
}

func addressesOf(answer probe.DNSAnswer, recordType string) []netip.Addr {
	var addresses []netip.Addr
	for _, record := range answer.OfType(recordType) {
		if a, err := netip.ParseAddr(record.Data); err == nil {
			addresses = append(addresses, a)
		}
	}
	return addresses
}

// alternate returns the elements of two lists in turn.
func alternate(a, b []netip.Addr) []netip.Addr {
	var both []netip.Addr
	for i := range max(len(a), len(b)) {
		if i < len(a) {
			both = append(both, a[i])
		}
		if i < len(b) {
			both = append(both, b[i])
		}
	}
	return both
}
