package conn

import (
	"encoding/binary"
	"net/netip"
)

// NAT64 holds the addresses of IPv4 machines as an IPv6 network sees them (RFC 6052
// §2.1). All of them share one /64.
var NAT64 = netip.MustParsePrefix("64:ff9b::/96")

// Block identifies the address block that counts as one client: an IPv4 address, or
// an IPv6 /64, all of whose addresses one machine can use.
type Block uint64

// BlockOf returns the block of addr.
func BlockOf(addr netip.Addr) Block {
	b := addr.As16()
	if addr = addr.Unmap(); addr.Is4() || NAT64.Contains(addr) {
		// The prefix is that of multicast addresses, which no IPv6 client has.
		return Block(0xff<<56 | uint64(binary.BigEndian.Uint32(b[12:])))
	}
	return Block(binary.BigEndian.Uint64(b[:8]))
}

// WideBlockOf returns the /48 of an IPv6 address, as many as one rented machine or one
// site may have, and 0 for an IPv4 address. It differs from every Block of an address.
func WideBlockOf(addr netip.Addr) Block {
	if addr.Unmap().Is4() || NAT64.Contains(addr) || !addr.IsValid() {
		return 0
	}
	// The prefix is that of link-local and site-local addresses.
	return 0xfe<<56 | BlockOf(addr)>>16
}

// Wider is how many times as much as one Block the wide block around it may have: a
// rented machine has a whole /48, but so has a company.
const Wider = 4

// BlockName returns the block of addr as log lines show it, such as 192.0.2.1/32 or
// 2001:db8::/64.
func BlockName(addr netip.Addr) string {
	bits := 64
	switch addr = addr.Unmap(); {
	case !addr.IsValid():
		return "unknown"
	case addr.Is4():
		bits = 32
	case NAT64.Contains(addr):
		bits = 128
	}
	return netip.PrefixFrom(addr, bits).Masked().String()
}
