package directory

import (
	"context"
	"slices"
	"strings"

	"signpost/account"
)

// isHostOf reports whether the host is the domain or one of the names that
// clients derive from it. Nearly every request with an address comes to such a
// host, spelled in just this way. hostDomain parses the others.
func isHostOf(host, domain string) bool {
	prefix, ok := strings.CutSuffix(host, domain)
	return ok && (prefix == "" || slices.Contains(account.HostPrefixes(), prefix))
}

// hostDomain returns the mail domain that a client means by asking the host:
// autoconfig.‹domain›, autodiscover.‹domain›, ua-auto-config.‹domain› or the
// domain itself. It is empty for a host that is not a domain name, such as the IP
// address that a scanner asks.
func hostDomain(host string) string {
	if colon := strings.LastIndexByte(host, ':'); colon >= 0 {
		host = host[:colon]
	}
	name, err := account.ParseDomain(host)
	if err != nil {
		return ""
	}
	for _, prefix := range account.HostPrefixes() {
		if domain, ok := strings.CutPrefix(name, prefix); ok && strings.Contains(domain, ".") {
			return domain
		}
	}
	return name
}

// resolveHost answers a client that sent no address, as Thunderbird for Android,
// KMail, Geary and others never do. It means the longest hosted name that the
// host ends in, then the domain whose MX record leads to us.
func (d *Directory) resolveHost(ctx context.Context, host string, client account.Client) (account.Settings, error) {
	if host == "" {
		return account.Settings{}, account.ErrUnknownDomain
	}
	for name := host; name != ""; _, name, _ = strings.Cut(name, ".") {
		if p, ok := d.byDomain[name]; ok {
			return d.domainSettings(p, name, client), nil
		}
		if d.ListsMX(name) {
			return d.mxDomainSettings(name, client)
		}
	}
	p, mx, err := d.byName(ctx, host)
	if err != nil {
		return account.Settings{}, err
	}
	s := d.domainSettings(p, host, client)
	s.Account.ByMX = mx
	return s, nil
}

// domainSettings returns the settings of any mailbox of the domain.
func (d *Directory) domainSettings(p *account.Provider, domain string, client account.Client) account.Settings {
	s := d.settings(account.AnyAt(domain))
	s.Provider = p
	addServers(&s, client)
	return s
}

// lookupDomain decides whether the host may answer for the address. It returns
// the domain to name beside the address's own if the client came by the MX
// record. Hosts that belong to no customer (the service's own name, an address of
// the machine) answer for all.
func (d *Directory) lookupDomain(host string, s *account.Settings) (string, error) {
	if host == "" || host == s.Address.Domain() {
		return "", nil
	}
	if d.ListsMX(host) {
		// This is the hoster's own domain, which answers for all of its
		// products.
		return host, nil
	}
	if owner, ok := d.byDomain[host]; ok && owner != s.Provider {
		if own := d.byDomain[s.Address.Domain()]; own != owner {
			return "", account.ErrWrongHost
		}
	}
	return "", nil
}
