// Package network asks the questions of package probe on the real network: it resolves,
// connects, and reads no more than its limits allow, and never an address that it must
// not dial.
package network

import (
	"context"
	"crypto/x509"
	"net/netip"

	"signpost/internal/doctor/probe"
)

// Options are the settings of a Network.
type Options struct {
	// Servers are the name servers to ask (addresses, with or without a port); those of
	// /etc/resolv.conf if empty.
	Servers []string
	// Private allows addresses that are not on the public internet.
	Private bool
	// IPv4 and IPv6 choose the families; both false is both.
	IPv4, IPv6 bool
	// Roots are the trusted authorities; nil for those of the system.
	Roots *x509.CertPool
	// Hello is the name for EHLO, and Version what User-Agent says after "Signpost-doctor/".
	Hello, Version string
	// Forbidden are further addresses that must not be dialled: the own admin listener.
	Forbidden []netip.AddrPort
}

// Network implements probe.Asker.
type Network struct{ options Options }

// New returns a Network.
func New(o Options) (*Network, error) { return &Network{o}, nil }

func todo() *probe.Failure { return &probe.Failure{Kind: probe.NotAsked, Text: "not built yet"} }

// DNS implements probe.Asker.
func (n *Network) DNS(ctx context.Context, q probe.DNSQuestion) probe.DNSAnswer {
	return probe.DNSAnswer{Failure: todo()}
}

// Web implements probe.Asker.
func (n *Network) Web(ctx context.Context, q probe.WebQuestion) probe.WebAnswer {
	return probe.WebAnswer{Failure: todo()}
}
