package config

import (
	"slices"
	"strings"

	"signpost/account"
)

// findCircles finds providers whose Autodiscover is handed over to this service again,
// directly or through other providers: clients would be sent around until they give up.
// Only a provider that names itself is a fault. What depends on other domains is a
// warning, as it must not keep the service from starting for all.
func (l *loader) findCircles() {
	atDomain := map[string][]*provider{} // of accounts with a provider of their own
	for _, e := range l.entries {
		if p := l.byID[e.record.Provider]; p != nil && p.AutodiscoverRedirect != nil {
			domain := e.address.Domain()
			atDomain[domain] = append(atDomain[domain], p)
		}
	}
	for _, p := range l.providers {
		switch to := p.AutodiscoverRedirect; {
		case to == nil || p.has["autodiscover"] == nil:
		case to.Hostname != "":
			l.checkHandOver(p, to.Hostname)
		case to.Address != "":
			at, path := p.has["autodiscover"], l.circle(p, atDomain)
			switch _, ofAny := l.hosted["*"]; {
			case len(path) == 0:
			case len(path) > 1:
				at.warn("redirectAddr sends clients in a circle: to %s, which leads back here",
					strings.Join(path, ", from there to "))
			case ofAny || !strings.Contains(to.Address, account.EmailDomain):
				at.fault("redirectAddr leads to %s, which this provider hosts; clients would loop", path[0])
			default:
				at.warn("redirectAddr leads to %s, which this provider hosts; clients are redirected again", path[0])
			}
		}
	}
}

// checkHandOver checks a host to which Autodiscover is handed over. The name of a hosted
// domain may lead to the other service all the same: only DNS knows. Where it is the name
// at which clients ask already, nobody is redirected.
func (l *loader) checkHandOver(p *provider, host string) {
	domain := l.domainOfHost(host)
	_, listed := l.hosted[domain]
	switch {
	case host == l.Name:
		p.has["autodiscover"].fault("names this service itself")
	case !listed || domain == host && !l.ApexCertificates:
	case l.findCircle(p):
		p.has["autodiscover"].warn("hostname sends clients in a circle: autodiscover.%s; clients of these domains "+
			"are not redirected", strings.Join(p.AutodiscoverRedirect.Circle, ", autodiscover."))
	default:
		p.has["autodiscover"].warn("%s is a name of %s, which is hosted here: DNS must lead it to the other service, "+
			"and who asks Signpost under that name is not redirected", host, domain)
	}
}

// domainOfHost returns the domain from which clients derive the host.
func (l *loader) domainOfHost(host string) string {
	for _, prefix := range account.HostPrefixes() {
		host = strings.TrimPrefix(host, prefix)
	}
	return host
}

// findCircle follows the host of the provider's redirect through other domains that are
// hosted here and redirected to a host. It notes the domains on the way and reports
// whether the last of them leads back to the first.
func (l *loader) findCircle(p *provider) bool {
	var circle []string
	for host := p.AutodiscoverRedirect.Hostname; ; {
		domain := l.domainOfHost(host)
		if slices.Contains(circle, domain) {
			if len(circle) == 1 || circle[0] != domain {
				return false // leads into a circle of others, or to the host itself
			}
			p.AutodiscoverRedirect.Circle = circle
			return true
		}
		first, listed := l.hosted[domain]
		if !listed || host != "autodiscover."+domain {
			return false
		}
		to := l.providers[first.provider].AutodiscoverRedirect
		if to == nil || to.Hostname == "" {
			return false
		}
		circle = append(circle, domain)
		host = to.Hostname
	}
}

// circle returns the domains through which redirectAddr leads from the provider back to
// it, nil if it does not.
func (l *loader) circle(start *provider, atDomain map[string][]*provider) (path []string) {
	type step struct {
		p      *provider
		domain string
	}
	seen := map[step]bool{}
	var leadsBack func(s step) bool
	leadsBack = func(s step) bool {
		if seen[s] || s.p.AutodiscoverRedirect == nil || s.p.AutodiscoverRedirect.Address == "" {
			return false
		}
		seen[s] = true
		address := account.Expand(s.p.AutodiscoverRedirect.Address, account.AnyAt(s.domain))
		domain := address[strings.LastIndexByte(address, '@')+1:]
		next := slices.Clone(atDomain[domain])
		if first, hosted := l.hostedBy(domain); hosted {
			next = append(next, l.providers[first.provider])
		}
		path = append(path, domain)
		// A longer path than there are providers has passed one of them twice.
		if slices.Contains(next, start) || len(path) > len(l.providers) ||
			slices.ContainsFunc(next, func(p *provider) bool { return leadsBack(step{p, domain}) }) {
			return true
		}
		path = path[:len(path)-1]
		return false
	}
	places := slices.Clone(start.domains)
	for domain, providers := range atDomain {
		if slices.Contains(providers, start) {
			places = append(places, domain)
		}
	}
	for _, domain := range places {
		if domain == "*" {
			domain = exampleDomain
		}
		if leadsBack(step{start, domain}) {
			return path
		}
		if !strings.Contains(start.AutodiscoverRedirect.Address, account.EmailDomain) {
			break // all other domains lead to the same one
		}
	}
	return nil
}
