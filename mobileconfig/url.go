package mobileconfig

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// activeSyncPath is the only path of the protocol (MS-ASHTTP §2.2.1.1.1).
const activeSyncPath = "/Microsoft-Server-ActiveSync"

// isActiveSyncPath reports whether a path is that of ActiveSync or is empty,
// which means the same.
func isActiveSyncPath(path string) bool {
	path = strings.TrimSuffix(path, "/")
	return path == "" || strings.EqualFold(path, activeSyncPath)
}

// serverURL is a server's URL in the parts that payloads have keys for.
type serverURL struct {
	scheme string // http or https
	host   string
	port   int
	path   string // from the first slash on, with a query
}

// defaultPorts are the ports of URLs that name none.
var defaultPorts = map[string]int{"http": 80, "https": 443}

// splitURL splits a URL without placeholders.
func splitURL(text string) (serverURL, bool) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Hostname() == "" || defaultPorts[parsed.Scheme] == 0 {
		return serverURL{}, false
	}
	u := serverURL{scheme: parsed.Scheme, host: parsed.Hostname(), port: defaultPorts[parsed.Scheme]}
	if parsed.Path != "" {
		u.path = parsed.RequestURI()
	}
	if parsed.Port() != "" {
		port, err := strconv.ParseUint(parsed.Port(), 10, 16)
		if err != nil {
			return serverURL{}, false
		}
		u.port = int(port)
	}
	return u, true
}

// join is the inverse of splitURL.
func (u serverURL) join() string {
	host := net.JoinHostPort(u.host, strconv.Itoa(u.port))
	return u.scheme + "://" + strings.TrimSuffix(host, ":"+strconv.Itoa(defaultPorts[u.scheme])) + u.path
}
