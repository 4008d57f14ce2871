package directory

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"signpost/account"
)

// addMXDomains records the domains that clients derive from the MX host when they
// look for its settings at autoconfig.‹domain›: the host without its first label,
// and its registrable domain (draft-ietf-mailmaint-autoconfig, "%MXFULLDOMAIN%"
// and "%MXBASEDOMAIN%"; Thunderbird's getMX does the same). The domains that
// Delta Chat derives, and the parent domains that Evolution tries one after the
// other, lie between these two.
func (d *Directory) addMXDomains(host string, p *account.Provider) {
	name, isSuffix := strings.CutPrefix(host, "*.")
	base, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		return // the host is itself a public suffix, above which no client asks
	}
	if !isSuffix && name != base {
		_, name, _ = strings.Cut(name, ".")
	}
	for ; strings.HasSuffix(name, base); _, name, _ = strings.Cut(name, ".") {
		if !slices.Contains(d.mxDomains[name], p) {
			d.mxDomains[name] = append(d.mxDomains[name], p)
		}
	}
}

// resolveMXDomain answers a client that found the service by an MX record and did not
// say for which domain. That is possible only if all customers behind the MX domain get
// the same answer.
func (d *Directory) resolveMXDomain(q account.Query, domain string) (account.Settings, error) {
	providers := d.mxDomains[domain]
	if len(providers) != 1 || providers[0].MailHost != "" {
		return account.Settings{}, account.ErrUnknownDomain
	}
	h := hosting{provider: providers[0]}
	s := d.ofDomain(domain, &h, q.Client)
	for _, server := range s.Servers {
		if strings.Contains(server.Hostname+server.URL+server.Login.Username, account.EmailDomain) {
			return account.Settings{}, account.ErrUnknownDomain
		}
	}
	return s, d.withoutAddress(q, domain, &h)
}
