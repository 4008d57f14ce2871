// Package network asks the questions of package probe on the real network: it resolves,
// connects, and reads no more than its limits allow, and never an address that it must
// not dial.
package network

import (
	"context"
	"crypto/x509"
	"net/netip"
	"sync"
	"time"

	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

// Options are the settings of a Network.
type Options struct {
	// Servers are the name servers to ask (addresses, with or without a port); those of
	// /etc/resolv.conf if empty.
	Servers []string
	// Private allows addresses that are not on the public internet.
	Private bool
	// AnyPort allows URLs with other ports than 80 and 443, and name servers with another than 53.
	AnyPort bool
	// IPv4 and IPv6 choose the families; both false is both.
	IPv4, IPv6 bool
	// Roots are the trusted authorities; nil for those of the system.
	Roots *x509.CertPool
	// Hello is the name for EHLO, and Version what User-Agent says after "Signpost-doctor/".
	Hello, Version string
	// Forbidden are further addresses that must not be dialled: the own admin listener.
	Forbidden []netip.AddrPort
}

// Network implements probe.Asker for one diagnosis: it counts the questions, and remembers
// which hosts do not answer. All Networks of the process share the places for connections.
type Network struct {
	isOwn     func(netip.Addr) bool // reports whether an address is one of this machine
	options   Options
	resolver  *dns.Client
	unchecked *dns.Client
	names     *probe.Recording // of DNS answers, which questions and connections share
	counts    counts
	// resolverWorks reports whether the resolver answers at all; it asks once.
	resolverWorks func() bool

	memory memory
}

// New returns a Network for one diagnosis.
func New(o Options) (*Network, error) {
	if !o.IPv4 && !o.IPv6 {
		o.IPv4, o.IPv6 = true, true
	}
	n := &Network{options: o, isOwn: isOwn}
	var err error
	if n.resolver, err = dns.NewClient(o.Servers, dns.Manner{Recursive: true, Timeout: dnsTimeout}); err != nil {
		return nil, err
	}
	if n.unchecked, err = dns.NewClient(o.Servers, dns.Manner{Recursive: true, Unchecked: true,
		Timeout: dnsTimeout}); err != nil {
		return nil, err
	}
	n.resolverWorks = sync.OnceValue(n.askResolver)
	n.names = probe.NewRecording(asker{n})
	return n, nil
}

// Resolver returns the addresses of the name servers that answer for views without an
// address.
func (n *Network) Resolver() []string { return n.resolver.Servers() }

// isOver reports whether a diagnosis has ended. A connection whose deadline is that of the context
// may notice it first.
func isOver(ctx context.Context) bool {
	limit, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(limit)
}

// ended is the failure of a question that the diagnosis did not wait for.
func ended() *probe.Failure {
	return &probe.Failure{Kind: probe.NotAsked, Text: "the diagnosis ended before the answer came"}
}
