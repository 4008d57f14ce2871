package config

import (
	"net/netip"
	"path/filepath"
	"strings"
)

// Admin is the listener for the operator's own tools.
type Admin struct {
	// Listen is host:port or unix:path, empty for none.
	Listen string
	// Default is set where the file does not say.
	Default bool
	// Pprof lets it tell what the program is doing inside.
	Pprof bool
	// AskPerHour bounds the new names that a proxy may have certificates for;
	// 0 for the default.
	AskPerHour int
}

const defaultAdmin = "127.0.0.1:9480"

// maxAsked is a bound that bounds nothing.
const maxAsked = 1_000_000

// unixPrefix stands before the path of a socket.
const unixPrefix = "unix:"

// maxSocketPath is what fits into an address of Linux with its final NUL.
const maxSocketPath = 107

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

var adminKeys = keys[Admin]{
	"listen":     readAdminListen,
	"pprof":      func(a *Admin, v *value) { v.boolean(&a.Pprof) },
	"askPerHour": func(a *Admin, v *value) { a.AskPerHour, _ = v.number(1, maxAsked) },
}

func readAdmin(l *loader, v *value) { adminKeys.read(v, &l.Admin) }

func readAdminListen(a *Admin, v *value) {
	a.Default = false
	if v.kind == scalar && v.node.text == none {
		a.Listen = ""
		return
	}
	var ok bool
	if a.Listen, ok = v.listen(); !ok || strings.HasPrefix(a.Listen, unixPrefix) {
		return
	}
	host, _, _ := strings.Cut(a.Listen, ":")
	address, err := netip.ParseAddrPort(a.Listen)
	if local := err == nil && address.Addr().IsLoopback() || host == "localhost"; !local {
		v.warn("%s can be reached from elsewhere; who reaches it sees what this service does", quote(a.Listen))
	}
}

// none is the word for an empty list or no listener.
const none = "none"

// readTrusted reads addresses and networks, or none.
func readTrusted(l *loader, v *value) {
	l.Proxies.Trusted = nil
	if v.kind == scalar && v.node.text == none {
		return
	}
	for item := range v.list("addresses and networks such as 10.0.0.0/8, or none") {
		if network, ok := item.network(); ok {
			l.Proxies.Trusted = append(l.Proxies.Trusted, network)
		}
	}
}

// network reads an address or a network with the length of its prefix.
func (v *value) network() (netip.Prefix, bool) {
	const wanted = "an IP address or a network such as 10.0.0.0/8"
	text, ok := v.text(wanted)
	if !ok {
		return netip.Prefix{}, false
	}
	if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), true
	}
	network, err := netip.ParsePrefix(text)
	switch {
	case err != nil || network.Addr().Is4In6():
		v.fault("%s is not %s", quote(text), wanted)
		return netip.Prefix{}, false
	case network.Masked() != network:
		v.fault("%s names a host, write the network %s or the address alone", quote(text), network.Masked())
		return netip.Prefix{}, false
	case network.Bits() == 0:
		v.fault("%s is everybody; whoever is believed can pass for any address", quote(text))
		return netip.Prefix{}, false
	}
	return network, true
}

func readProxyHeaders(l *loader, v *value) {
	family, _ := choice(v, "x-forwarded or forwarded", []string{"x-forwarded", "forwarded"})
	l.Proxies.Forwarded = family == "forwarded"
}

// socket reads the path of a Unix socket.
func (v *value) socket(path string) (string, bool) {
	switch {
	case !filepath.IsAbs(path):
		v.fault("%s needs the whole path, such as unix:/run/signpost/http.sock", quote(unixPrefix+path))
	case len(path) > maxSocketPath:
		v.fault("%s has %d octets; the path of a socket can have %d", quote(path), len(path), maxSocketPath)
	default:
		return unixPrefix + filepath.Clean(path), true
	}
	return "", false
}
