package config

import (
	"strings"

	"signpost/account"
)

// host reads a host name, which may contain %EMAILDOMAIN% if template is set.
func (v *value) host(template bool) string {
	text := v.text("a host name")
	name := v.hostText(text, template)
	if name != "" && !strings.Contains(name, ".") {
		v.warn("%s has no dot; clients on other networks cannot find it", quote(text))
	}
	return name
}

// hostText converts a host name to lower-case A-labels. Like all readers it returns
// "" after it has recorded a fault; an empty text has had its fault already.
func (v *value) hostText(text string, template bool) string {
	var allowed []string
	if template {
		allowed = []string{account.EmailDomain}
	}
	switch {
	case text == "", !v.placeholders(text, allowed...):
		return ""
	case strings.Contains(text, "://"):
		return v.refuse("%s is a URL, write only the host name", quote(text))
	case strings.Contains(text, ":"):
		return v.refuse("%s is more than a host name; "+
			"IP addresses do not match certificates, and a port has a key of its own", quote(text))
	}
	for label := range strings.SplitSeq(text, ".") {
		if label != account.EmailDomain && strings.Contains(label, account.EmailDomain) {
			return v.refuse("%s: %s stands for a whole domain, separate it with dots", quote(text), account.EmailDomain)
		}
	}
	name, err := account.ParseDomain(strings.ReplaceAll(text, account.EmailDomain, exampleDomain))
	if err != nil {
		return v.refuse("%s %s", quote(text), isNot("a host name", err))
	}
	if strings.Contains(name, "xn--") && !strings.Contains(strings.ToLower(text), "xn--") {
		v.warn("clients get %s as %s, because many accept only ASCII in host names", quote(text), name)
	}
	return strings.ReplaceAll(name, exampleDomain, account.EmailDomain)
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
