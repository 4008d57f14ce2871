package mobileconfig

import (
	"net"
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
	path   string // from the first slash on
}

// splitURL splits a URL that may have placeholders, which url.Parse refuses in a
// host name.
func splitURL(text string) (serverURL, bool) {
	scheme, rest, _ := strings.Cut(text, "://")
	u := serverURL{scheme: strings.ToLower(scheme)}
	switch u.scheme {
	case "https":
		u.port = 443
	case "http":
		u.port = 80
	default:
		return serverURL{}, false
	}
	u.host = rest
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		u.host, u.path = rest[:slash], rest[slash:]
	}
	if host, port, err := net.SplitHostPort(u.host); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return serverURL{}, false
		}
		u.host, u.port = host, int(n)
	}
	u.host = strings.Trim(u.host, "[]")
	return u, u.host != ""
}

// join is the inverse of splitURL.
func (u serverURL) join() string {
	host := u.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if u.scheme == "https" && u.port != 443 || u.scheme == "http" && u.port != 80 {
		host += ":" + strconv.Itoa(u.port)
	}
	return u.scheme + "://" + host + u.path
}
