package directory

import (
	"context"
	"strings"

	"signpost/account"
)

// prefixes are the names below a mail domain that clients ask.
var prefixes = [...]string{"autoconfig.", "autodiscover.", "ua-auto-config."}

// isHostOf reports whether the host is plainly one of the domain, as nearly all
// are that clients ask with an address. What it misses, hostDomain finds.
func isHostOf(host, domain string) bool {
	prefix, ok := strings.CutSuffix(host, domain)
	if !ok {
		return false
	}
	for _, p := range prefixes {
		if prefix == p {
			return true
		}
	}
	return prefix == ""
}

// hostDomain is the mail domain that a client means by asking the host:
// autoconfig.‹domain›, autodiscover.‹domain›, ua-auto-config.‹domain› or the
// domain itself. It is empty for anything that is no domain name, such as the
// IP address that a scanner asks.
func hostDomain(host string) string {
	if colon := strings.LastIndexByte(host, ':'); colon >= 0 {
		host = host[:colon]
	}
	name, err := account.ParseDomain(host)
	if err != nil {
		return ""
	}
	for _, prefix := range prefixes {
		if domain, ok := strings.CutPrefix(name, prefix); ok && strings.Contains(domain, ".") {
			return domain
		}
	}
	return name
}

// resolveHost answers a client that sent no address: Thunderbird for Android,
// KMail, Geary and others never do. The longest hosted name that the host ends
// in is meant, then the domain that its MX record brings to us.
func (d *Directory) resolveHost(ctx context.Context, host string, client account.Client) (account.Settings, error) {
	if host == "" {
		return account.Settings{}, account.ErrUnknownDomain
	}
	for name := host; name != ""; _, name, _ = strings.Cut(name, ".") {
		if p, ok := d.byDomain[name]; ok {
			return domainSettings(p, name, client), nil
		}
		if l, ok := d.lookups[name]; ok {
			return l.settings(name, client)
		}
	}
	p, mx, err := d.byName(ctx, host)
	if err != nil {
		return account.Settings{}, err
	}
	s := domainSettings(p, host, client)
	s.Account.ByMX = mx
	return s, nil
}

func domainSettings(p *account.Provider, domain string, client account.Client) account.Settings {
	address := account.AnyAt(domain)
	s := account.Settings{Address: address, Login: address, Provider: p}
	addServers(&s, client)
	return s
}

// settings answers a client that came by the MX record and did not say for
// which domain. That is possible only if all customers behind the name are told
// the same.
func (l *lookup) settings(name string, client account.Client) (account.Settings, error) {
	if len(l.providers) != 1 {
		return account.Settings{}, account.ErrUnknownDomain
	}
	s := domainSettings(l.providers[0], name, client)
	for _, server := range s.Servers {
		if strings.Contains(server.Hostname+server.URL+server.Login.Username, account.EmailDomain) {
			return account.Settings{}, account.ErrUnknownDomain
		}
	}
	return s, nil
}

// lookupDomain decides whether the host may answer for the address, and returns
// the domain to name beside the address's own if the client came by the MX
// record. Hosts that mean no customer (the service's own name, an address of
// the machine) answer for all.
func (d *Directory) lookupDomain(host string, s *account.Settings) (string, error) {
	if host == "" || host == s.Address.Domain() {
		return "", nil
	}
	if _, ok := d.lookups[host]; ok {
		// The hoster's own domain, whichever of its products the mailbox has.
		return host, nil
	}
	if owner, ok := d.byDomain[host]; ok && owner != s.Provider {
		if own := d.byDomain[s.Address.Domain()]; own != owner {
			return "", account.ErrWrongHost
		}
	}
	return "", nil
}
