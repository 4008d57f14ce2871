package server

import (
	"strings"

	"signpost/internal/conn"
)

// parseForwarded reads Forwarded headers (RFC 7239 §4). Each proxy appends an element
// for=…;proto=…;host=… about its own peer. A malformed header is ignored as a whole:
// with unbalanced quotation marks nobody can tell which part a proxy wrote. The proxy is
// then rate-limited as if it were the client.
func parseForwarded(p *conn.Proxies, lines []string) client {
	if len(lines) == 0 {
		return client{unlimited: true}
	}
	var elements [maxElements]element
	n := 0 // the last maxElements are kept, in a ring
	for _, line := range lines {
		for rest := line; ; {
			e, after, ok := cutElement(rest)
			if !ok {
				return client{}
			}
			elements[n%maxElements] = e
			n++
			if after == "" {
				break
			}
			rest = after[1:]
		}
	}
	c := client{unlimited: true}
	for i := n - 1; i >= 0 && i >= n-maxElements; i-- {
		e := elements[i%maxElements]
		addr, ok := parseAddr(e.from)
		c.addr, c.scheme, c.host = addr, e.proto, e.host
		if !ok {
			break // "unknown" or a name of the proxy's own (RFC 7239 §6)
		}
		if !p.Trusts(addr) {
			c.unlimited = false
			break
		}
	}
	return c
}

// maxElements limits how many proxies are followed. No real chain comes near it.
const maxElements = 16

// element holds what one proxy says about its peer.
type element struct{ from, proto, host string }

// cutElement parses the first element of a header. The rest, after, begins with a comma
// or is empty.
func cutElement(text string) (e element, after string, ok bool) {
	for {
		text = strings.TrimLeft(text, " \t")
		if text == "" || text[0] == ',' {
			return e, text, true
		}
		if text[0] == ';' {
			text = text[1:]
			continue
		}
		equals := strings.IndexByte(text, '=')
		if equals <= 0 || !isToken(text[:equals]) {
			return e, "", false
		}
		name := text[:equals]
		value, rest, ok := cutValue(text[equals+1:])
		if !ok {
			return e, "", false
		}
		switch {
		case strings.EqualFold(name, "for"):
			e.from = value
		case strings.EqualFold(name, "proto"):
			e.proto = parseScheme(value)
		case strings.EqualFold(name, "host") && isHost(value):
			e.host = value
		}
		text = strings.TrimLeft(rest, " \t")
		if text != "" && text[0] != ';' && text[0] != ',' {
			return e, "", false
		}
	}
}

// cutValue parses a token or a quoted string.
func cutValue(text string) (value, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		end := 0
		for end < len(text) && isTokenByte(text[end]) {
			end++
		}
		return text[:end], text[end:], end > 0
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			// No address, scheme or host needs an escape.
			return "", "", false
		case '"':
			return text[1:i], text[i+1:], true
		}
	}
	return "", "", false
}

func isToken(text string) bool {
	for i := range len(text) {
		if !isTokenByte(text[i]) {
			return false
		}
	}
	return true
}

// isTokenByte reports whether c can be part of a token (RFC 9110 §5.6.2). It
// also accepts the colon and brackets of addresses, which some proxies forget to
// quote.
func isTokenByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("!#$%&'*+-.^_`|~:[]", c) >= 0
}
