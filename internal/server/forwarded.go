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
		if equals <= 0 || strings.Trim(text[:equals], tokenBytes) != "" {
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
		rest = strings.TrimLeft(text, tokenBytes)
		return text[:len(text)-len(rest)], rest, len(rest) < len(text)
	}
	value, rest, ok = strings.Cut(text[1:], `"`)
	// No address, scheme or host needs an escape.
	return value, rest, ok && strings.IndexByte(value, '\\') < 0
}

// tokenBytes can be part of a token (RFC 9110 §5.6.2). The colon and brackets of
// addresses, which some proxies forget to quote, are added.
const tokenBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~:[]"
