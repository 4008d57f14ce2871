package network

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"signpost/internal/conn"
	"signpost/internal/doctor/probe"
)

// notPublic are the networks in which no public server is, beside those that netip.Addr knows
// (RFC 6890 and the IANA registries of special-purpose addresses). Of IPv6, only 2000::/3 is
// given to anybody.
var notPublic = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"2001::/23",     // IETF protocols: Teredo, benchmarks, ORCHID
	"2001:db8::/32", // documentation
	"2002::/16",     // 6to4
	"3fff::/20",     // documentation
)

var global6 = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

// IsPublic reports whether an address is on the public internet. An address of NAT64 is what
// it stands for.
func IsPublic(a netip.Addr) bool {
	if a.Zone() != "" || a.Is4In6() || !a.IsValid() {
		return false
	}
	if conn.NAT64.Contains(a) {
		b := a.As16()
		return IsPublic(netip.AddrFrom4([4]byte(b[12:])))
	}
	if a.Is6() && !global6.Contains(a) || !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	return !slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(a) })
}

// forbids returns why an address and port must not be dialled, nil if they may.
func (n *Network) forbids(a netip.AddrPort) *probe.Failure {
	refuse := func(format string, args ...any) *probe.Failure {
		return &probe.Failure{Kind: probe.Forbidden, Text: fmt.Sprintf(format, args...)}
	}
	switch {
	case a.Port() == 0 || a.Port() == 25:
		return refuse("port %d is never asked", a.Port())
	case slices.ContainsFunc(n.options.Forbidden, func(own netip.AddrPort) bool { return isSame(own, a) }):
		return refuse("%s is the admin listener of this service", a)
	case !a.Addr().IsValid() || a.Addr().IsUnspecified() || a.Addr().IsMulticast() || a.Addr().Zone() != "":
		return refuse("%s is not the address of a server", a.Addr())
	case !n.options.Private && !IsPublic(a.Addr()):
		return refuse("%s is not an address of the public internet", a.Addr())
	case !n.options.Private && a.Port() >= 1024 && a.Port() != sievePort && n.isOwn(a.Addr()):
		// A firewall may keep the world from such a port, but not this machine from itself.
		return refuse("port %d of this machine is asked with -private only", a.Port())
	}
	return nil
}

// sievePort is that of ManageSieve (RFC 5804 §1.8), the only one of mail from 1024 up.
const sievePort = 4190

// isSame reports whether a connection to an address reaches an own listener.
func isSame(own, a netip.AddrPort) bool {
	if own.Port() != a.Port() {
		return false
	}
	b := a.Addr().Unmap()
	if conn.NAT64.Contains(b) {
		bytes := b.As16()
		b = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	if !own.Addr().IsUnspecified() {
		return own.Addr().Unmap() == b || own.Addr().IsLoopback() && b.IsUnspecified()
	}
	return b.IsLoopback() || b.IsUnspecified() || isOwn(b)
}

// isOwn reports whether an address is one of this machine. It is so if that cannot be found out.
func isOwn(a netip.Addr) bool {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	return slices.ContainsFunc(own, func(o net.Addr) bool {
		prefix, err := netip.ParsePrefix(o.String())
		return err == nil && prefix.Addr().Unmap() == a
	})
}
