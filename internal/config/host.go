package config

import (
	"strings"

	"signpost/account"
)

// standIns replace placeholders while a name is checked. Nobody can own them (RFC 6761
// §6.4), and no name holds another.
var standIns = map[string]string{account.EmailDomain: exampleDomain, account.MailHost: "mailhost.invalid"}

// host reads a host name, which may contain the placeholders.
func (v *value) host(placeholders ...string) string {
	text := v.text("a host name")
	name := v.hostText(text, placeholders...)
	if name != "" && !strings.ContainsAny(name, ".%") {
		v.warn("%s has no dot; clients on other networks cannot find it", quote(text))
	}
	return name
}

// hostText converts a host name to lower-case A-labels. Like all readers it returns
// "" after it has recorded a fault; an empty text has had its fault already.
func (v *value) hostText(text string, allowed ...string) string {
	switch {
	case text == "", !v.placeholders(text, allowed...):
		return ""
	case strings.Contains(text, "://"):
		return v.refuse("%s is a URL, write only the host name", quote(text))
	case strings.Contains(text, ":"):
		return v.refuse("%s is more than a host name; "+
			"IP addresses do not match certificates, and a port has a key of its own", quote(text))
	}
	whole := text
	for placeholder, standIn := range standIns {
		for label := range strings.SplitSeq(text, ".") {
			if label != placeholder && strings.Contains(label, placeholder) {
				return v.refuse("%s: %s stands for a whole domain, separate it with dots", quote(text), placeholder)
			}
		}
		whole = strings.ReplaceAll(whole, placeholder, standIn)
	}
	name, err := account.ParseDomain(whole)
	if err != nil {
		return v.refuse("%s %s", quote(text), isNot("a host name", err))
	}
	if strings.Contains(name, "xn--") && !strings.Contains(strings.ToLower(text), "xn--") {
		v.warn("clients get %s as %s, because many accept only ASCII in host names", quote(text), name)
	}
	for placeholder, standIn := range standIns {
		name = strings.ReplaceAll(name, standIn, placeholder)
	}
	return name
}

// isNot says that a text is not of a kind, with the reason in the error of ParseDomain
// if that is more precise.
func isNot(kind string, err error) string {
	problem := err.(*account.DomainError).Problem
	if problem == "is not a domain name" {
		return "is not " + kind
	}
	return "is not " + kind + ": it " + problem
}
