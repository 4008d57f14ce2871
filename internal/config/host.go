package config

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"signpost/account"
)

// stand is what a domain placeholder is while a host name is checked. The name
// can be nobody's (RFC 6761 §6.4).
const stand = "placeholder.invalid"

var allPlaceholders = []string{account.EmailAddress, account.EmailLocalPart, account.EmailDomain}

// placeholders reports whether every placeholder of a text is one of those
// that may stand there.
func (v *value) placeholders(text string, allowed ...string) bool {
	rest := text
	for _, name := range allowed {
		rest = strings.ReplaceAll(rest, name, " ")
	}
	if wrong := account.Placeholders(rest); len(wrong) > 0 {
		name := wrong[0]
		switch right := nearest(name, allPlaceholders); {
		case right == name && len(allowed) == 0:
			v.fault("placeholders such as %s cannot stand here", name)
		case right == name:
			v.fault("%s cannot stand here, only %s can", name, strings.Join(allowed, ", "))
		case right != "":
			v.fault("unknown placeholder %s, did you mean %s?", name, right)
		default:
			v.fault("unknown placeholder %s; there are %s", name, strings.Join(allPlaceholders, ", "))
		}
		return false
	}
	for _, name := range allPlaceholders {
		if word := strings.Trim(name, "%"); strings.Contains(rest, "%"+word) || strings.Contains(rest, word+"%") {
			v.fault("%s lacks a percent sign, write %s", quote(text), name)
			return false
		}
	}
	return true
}

// host reads a host name; with a template it may hold %EMAILDOMAIN%.
func (v *value) host(template bool) (string, bool) {
	text, ok := v.text("a host name")
	if !ok {
		return "", false
	}
	name, ok := v.hostText(text, template)
	if ok && !strings.Contains(name, ".") {
		v.warn("%s has no dot; clients elsewhere cannot find it", quote(text))
	}
	return name, ok
}

// hostText brings a host name into lower-case A-labels.
func (v *value) hostText(text string, template bool) (string, bool) {
	var allowed []string
	if template {
		allowed = []string{account.EmailDomain}
	}
	switch {
	case !v.placeholders(text, allowed...):
		return "", false
	case strings.Contains(text, "://"):
		v.fault("%s is a URL, write only the host name", quote(text))
		return "", false
	case strings.Contains(text, ":"):
		v.fault("%s is more than a host name; an IP address fits no certificate, and a port has a key of its own", quote(text))
		return "", false
	}
	template = template && strings.Contains(text, account.EmailDomain)
	filled := text
	if template {
		filled = strings.ReplaceAll(text, account.EmailDomain, stand)
		for label := range strings.SplitSeq(text, ".") {
			if label != account.EmailDomain && strings.Contains(label, account.EmailDomain) {
				v.fault("%s: %s stands for a whole domain, set it apart with dots", quote(text), account.EmailDomain)
				return "", false
			}
		}
	}
	name, err := account.ParseDomain(filled)
	if err != nil {
		v.badHost(text, err)
		return "", false
	}
	if strings.Contains(name, "xn--") && !strings.Contains(strings.ToLower(text), "xn--") {
		v.warn("%s is given to clients as %s; many do not take other letters in host names", quote(text), name)
	}
	if template {
		name = strings.ReplaceAll(name, stand, account.EmailDomain)
	}
	return name, true
}

// badHost says why a text is no host name.
func (v *value) badHost(text string, err error) {
	if problem := domainProblem(err); problem != "is not a domain name" {
		v.fault("%s is not a host name: it %s", quote(text), problem)
		return
	}
	v.fault("%s is not a host name", quote(text))
}

// domainProblem is what ParseDomain says of a name.
func domainProblem(err error) string {
	var problem *account.DomainError
	if errors.As(err, &problem) {
		return problem.Problem
	}
	return err.Error()
}

// listen reads where to listen: host:port, the host empty for everywhere, or
// unix:path.
func (v *value) listen() (string, bool) {
	text, ok := v.text("host:port")
	if !ok {
		return "", false
	}
	if path, ok := strings.CutPrefix(text, unixPrefix); ok {
		return v.socket(path)
	}
	host, port, err := net.SplitHostPort(text)
	switch {
	case err != nil:
		v.fault("%s is not host:port, write for example 127.0.0.1:8080 or \":8080\"", quote(text))
		return "", false
	case port != "0" && !isPort(port):
		v.fault("%s has a port that is not a number from 0 to 65535", quote(text))
		return "", false
	case host == "":
		return text, true
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return text, true
	}
	if _, err := account.ParseDomain(host); err != nil {
		v.badHost(host, err)
		return "", false
	}
	return text, true
}

// dnsServer reads the IP address of a DNS server, port 53 unless it names one.
func (v *value) dnsServer() (string, bool) {
	const wanted = "an IP address, with or without a port"
	text, ok := v.text(wanted)
	if !ok {
		return "", false
	}
	if address, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return netip.AddrPortFrom(address, 53).String(), true
	}
	if server, err := netip.ParseAddrPort(text); err == nil && server.Port() > 0 {
		return server.String(), true
	}
	v.fault("%s is not %s", quote(text), wanted)
	return "", false
}

func isPort(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n > 0 && n <= 65535 && strconv.Itoa(n) == text
}
