package config

import (
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/conn"
)

// Admin is the listener for the operator's own tools.
type Admin struct {
	Listen     string // host:port or unix:path; empty for none
	Default    bool   // the file does not set Listen
	Pprof      bool   // serve /debug/pprof
	AskPerHour int    // new names that a proxy may order certificates for; 0 for the default
}

const (
	defaultAdmin = "127.0.0.1:9480"

	// maxAskPerHour is a sanity limit; no real setup comes near it.
	maxAskPerHour = 1_000_000

	// maxSocketPath is the length in bytes of the longest path of a Unix socket
	// on Linux, without the final NUL.
	maxSocketPath = 107

	maxHSTS = 2 * 365 * 24 * time.Hour // a sanity limit

	none = "none" // the word for an empty list or no listener
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

var adminKeys = keys[Admin]{
	"listen":     readAdminListen,
	"pprof":      func(a *Admin, v *value) { a.Pprof = v.boolean() },
	"askPerHour": func(a *Admin, v *value) { a.AskPerHour = v.number(1, maxAskPerHour) },
}

func readAdminListen(a *Admin, v *value) {
	a.Listen, a.Default = "", false
	if v.isWord(none) {
		return
	}
	a.Listen = v.listen()
	if a.Listen == "" || strings.HasPrefix(a.Listen, conn.UnixPrefix) {
		return
	}
	host, _, _ := strings.Cut(a.Listen, ":")
	address, err := netip.ParseAddrPort(a.Listen)
	if local := err == nil && address.Addr().IsLoopback() || host == "localhost"; !local {
		v.warn("%s can be reached from other machines; whoever reaches it sees what this service does", quote(a.Listen))
	}
}

func readHSTS(l *loader, v *value) {
	d := v.duration(0, maxHSTS)
	l.HSTS = &d
}

// readTrusted reads addresses and networks, or none.
func readTrusted(l *loader, v *value) {
	l.Proxies.Trusted = nil
	if v.isWord(none) {
		return
	}
	l.Proxies.Trusted = each(v.list("addresses and networks such as 10.0.0.0/8, or none"), (*value).network)
}

// network reads an address, or a network with the length of its prefix.
func (v *value) network() netip.Prefix {
	const wanted = "an IP address or a network such as 10.0.0.0/8"
	text := v.text(wanted)
	if text == "" {
		return netip.Prefix{}
	}
	if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen())
	}
	network, err := netip.ParsePrefix(text)
	switch {
	case err != nil || network.Addr().Is4In6():
		v.fault("%s is not %s", quote(text), wanted)
	case network.Masked() != network:
		v.fault("%s is a host with a prefix, write the network %s or the address alone", quote(text), network.Masked())
	case network.Bits() == 0:
		v.fault("%s covers all addresses; any client could forge its address then", quote(text))
	}
	return network
}

// listen reads the address of a listener: host:port, where an empty host means all
// addresses, or unix:path.
func (v *value) listen() string {
	text := v.text("host:port")
	if text == "" {
		return ""
	}
	if path, ok := strings.CutPrefix(text, conn.UnixPrefix); ok {
		return v.socket(path)
	}
	host, port, err := net.SplitHostPort(text)
	switch {
	case err != nil:
		return v.refuse("%s is not host:port, write for example 127.0.0.1:8080 or \":8080\"", quote(text))
	case port != "0" && !isPort(port):
		return v.refuse("%s has a port that is not a number from 0 to 65535", quote(text))
	case host == "":
		return text
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return text
	}
	if _, err := account.ParseDomain(host); err != nil {
		return v.refuse("%s %s", quote(host), isNot("a host name", err))
	}
	return text
}

// socket reads the path of a Unix socket.
func (v *value) socket(path string) string {
	switch {
	case !filepath.IsAbs(path):
		v.fault("%s needs an absolute path, such as unix:/run/signpost/http.sock", quote(conn.UnixPrefix+path))
	case len(path) > maxSocketPath:
		v.fault("%s has %d bytes; the path of a socket can have %d", quote(path), len(path), maxSocketPath)
	default:
		return conn.UnixPrefix + filepath.Clean(path)
	}
	return ""
}

func isPort(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n > 0 && n <= 65535 && strconv.Itoa(n) == text
}
