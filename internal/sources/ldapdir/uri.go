package ldapdir

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// server is one server of the directory.
type server struct {
	network string // tcp or unix
	address string // host:port, or the path of a socket
	host    string // that its certificate must have
	secure  security
}

type security int

const (
	plain security = iota // to this machine
	startTLS
	overTLS
)

// defaultSocket is where OpenLDAP's ldapi:/// is on Debian and Red Hat.
const defaultSocket = "/run/slapd/ldapi"

// String returns the server as an operator knows it. A URI has no password here.
func (s server) String() string {
	switch {
	case s.network == "unix":
		return "ldapi:" + s.address
	case s.secure == overTLS:
		return "ldaps://" + s.address
	}
	return "ldap://" + s.address
}

// parseServers reads URIs, and the base that they end in.
func parseServers(uris []string, plainEverywhere bool) (all []server, base string, err error) {
	words := strings.Fields(strings.Join(uris, " "))
	if len(words) == 0 {
		return nil, "", errors.New("no server")
	}
	for i, uri := range words {
		s, b, err := parseServer(uri, plainEverywhere)
		if err != nil {
			return nil, "", err
		}
		if b != "" && base != "" && !strings.EqualFold(b, base) {
			return nil, "", fmt.Errorf("server %d: its URI ends in another base than one before it", i+1)
		}
		if b != "" {
			base = b
		}
		all = append(all, s)
	}
	return all, base, nil
}

// parseServer reads one URI (RFC 4516). No error quotes what may be a password: net/url's
// quote the whole text.
func parseServer(uri string, plainEverywhere bool) (s server, base string, err error) {
	scheme, rest, ok := strings.Cut(uri, "://")
	scheme = strings.ToLower(scheme)
	authority, path, _ := strings.Cut(rest, "/")
	if !ok || scheme != "ldap" && scheme != "ldaps" && scheme != "ldapi" {
		return s, "", errors.New("a server must begin with ldaps://, ldap:// or ldapi://")
	}
	if strings.Contains(authority, "@") {
		return s, "", errors.New("a server holds a user or a password: they belong in bindDN and passwordFile")
	}
	if path, _, ok = strings.Cut(path, "?"); ok {
		return s, "", fmt.Errorf("%s://%s: what follows the ? has a key of its own", scheme, authority)
	}
	if base, err = url.PathUnescape(path); err != nil {
		return s, "", fmt.Errorf("%s://%s: the base has a percent sign that is no escape", scheme, authority)
	}
	if scheme == "ldapi" {
		socket, err := url.PathUnescape(authority)
		if err != nil || socket != "" && socket[0] != '/' {
			return s, "", errors.New(
				"ldapi:// must go on with the path of a socket, with %2F for each slash, or with another slash")
		}
		if socket == "" {
			socket = defaultSocket
		}
		return server{network: "unix", address: socket}, base, nil
	}
	host, port, err := splitHostPort(authority)
	if err != nil {
		return s, "", fmt.Errorf("%s://%s: %w", scheme, authority, err)
	}
	s = server{network: "tcp", host: host}
	switch {
	case scheme == "ldaps":
		s.secure = overTLS
	case !plainEverywhere && !isThisMachine(host):
		s.secure = startTLS
	}
	if port == "" && scheme == "ldaps" {
		port = "636"
	} else if port == "" {
		port = "389"
	}
	s.address = net.JoinHostPort(host, port)
	return s, base, nil
}

// splitHostPort splits a host with or without a port.
func splitHostPort(authority string) (host, port string, err error) {
	host, port = strings.Trim(authority, "[]"), ""
	if strings.Contains(authority, "]:") || strings.Count(authority, ":") == 1 {
		if host, port, err = net.SplitHostPort(authority); err != nil {
			return "", "", errors.New("it is not a host and a port")
		}
		if number, err := net.LookupPort("tcp", port); err != nil || number == 0 {
			return "", "", errors.New("its port is not a number from 1 to 65535")
		}
	}
	if host == "" || strings.ContainsAny(host, "[]%\\\"'<>,;") {
		return "", "", errors.New("it has no proper host")
	}
	return host, port, nil
}

// isThisMachine reports whether what is sent to host stays on this machine.
func isThisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}
