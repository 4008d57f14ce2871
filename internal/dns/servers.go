package dns

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// resolvConf names the servers of the system.
var resolvConf = "/etc/resolv.conf"

// serverAddresses completes the addresses of name servers with their port. None
// means those of the system.
func serverAddresses(servers []string) ([]string, error) {
	port := "53"
	if len(servers) == 0 {
		system, err := dns.ClientConfigFromFile(resolvConf)
		switch {
		case errors.Is(err, os.ErrNotExist), err == nil && len(system.Servers) == 0:
			servers = []string{"127.0.0.1", "::1"} // resolv.conf(5)
		case err != nil:
			return nil, err
		default:
			servers, port = system.Servers, system.Port
		}
	}
	addresses := make([]string, len(servers))
	for i, server := range servers {
		address, err := ServerAddress(server, port)
		if err != nil {
			return nil, err
		}
		addresses[i] = address
	}
	return addresses, nil
}

// ServerAddress returns the address of a name server as host:port. The server is
// an IP address or a host name, with or without a port.
func ServerAddress(server, defaultPort string) (string, error) {
	bare := strings.TrimSuffix(strings.TrimPrefix(server, "["), "]")
	if isIP(bare) {
		return net.JoinHostPort(bare, defaultPort), nil
	}
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		host, port = server, defaultPort
	}
	number, err := strconv.ParseUint(port, 10, 16)
	_, isName := dns.IsDomainName(host)
	if err != nil || number == 0 || host == "" || strings.ContainsAny(host, " \t/") || !isName && !isIP(host) {
		return "", fmt.Errorf("%q is not the address of a name server", server)
	}
	return net.JoinHostPort(host, port), nil
}

// isIP reports whether host is an IP address, with or without a zone such as
// %eth0.
func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
