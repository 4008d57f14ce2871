package config

import (
	"errors"
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
		v.notHost(text, err)
		return ""
	}
	if strings.Contains(name, "xn--") && !strings.Contains(strings.ToLower(text), "xn--") {
		v.warn("clients get %s as %s, because many accept only ASCII in host names", quote(text), name)
	}
	if strings.Contains(text, account.EmailDomain) {
		name = strings.ReplaceAll(name, exampleDomain, account.EmailDomain)
	}
	return name
}

// notHost records the fault that a text is not a host name, with the reason in
// err.
func (v *value) notHost(text string, err error) {
	if problem := domainProblem(err); problem != notDomain {
		v.fault("%s is not a host name: it %s", quote(text), problem)
		return
	}
	v.fault("%s is not a host name", quote(text))
}

// notDomain is the Problem of a DomainError without a more precise reason.
const notDomain = "is not a domain name"

// domainProblem returns the reason why ParseDomain refuses a name.
func domainProblem(err error) string {
	if e, ok := errors.AsType[*account.DomainError](err); ok {
		return e.Problem
	}
	return err.Error()
}
