package config

import (
	"slices"
	"strings"

	"signpost/account"
)

// findCircles finds providers whose Autodiscover is handed over to this service again,
// directly or through other providers: clients would be sent around until they give up.
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
			switch path := l.circle(p, atDomain); len(path) {
			case 0:
			case 1:
				p.has["autodiscover"].fault("redirectAddr leads to %s, which this provider hosts; clients would loop", path[0])
			default:
				p.has["autodiscover"].fault("redirectAddr sends clients in a circle: to %s, which leads back here",
					strings.Join(path, ", from there to "))
			}
		}
	}
}

// checkHandOver refuses a host that leads back here. Whoever asks there gets the same
// answer as before, whatever the domain in the host's name, as the address decides.
func (l *loader) checkHandOver(p *provider, host string) {
	if host == l.Name {
		p.has["autodiscover"].fault("names this service itself")
		return
	}
	domain := host
	for _, prefix := range account.HostPrefixes() {
		domain = strings.TrimPrefix(domain, prefix)
	}
	if _, listed := l.hosted[domain]; listed && (domain != host || l.ApexCertificates) {
		p.has["autodiscover"].fault("hostname sends clients in a circle: %s leads here, because %s is hosted here; "+
			"name the host of the other service", host, domain)
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
