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
// KMail, Geary and others never do. Host counts like an address of that domain: a
// domain below a hosted one is hosted only if that is said of it, too.
func (d *Directory) resolveHost(ctx context.Context, q account.Query) (account.Settings, error) {
	domain := hostDomain(q.Host)
	if domain == "" {
		return account.Settings{}, account.ErrUnknownDomain
	}
	s, err := d.ofDomain(ctx, domain, q.Client)
	if err != nil {
		return account.Settings{}, err
	}
	if err := d.withoutAddress(ctx, q, domain, s.Provider); err != nil {
		return account.Settings{}, err
	}
	return s, nil
}

// withoutAddress returns an error if a query that names no mailbox must not get the
// settings of the domain, whose provider is own.
func (d *Directory) withoutAddress(ctx context.Context, q account.Query, domain string, own *account.Provider) error {
	if own.NothingWithoutAddress {
		return account.ErrAddressRequired
	}
	if !q.Fallback {
		return nil
	}
	varies, err := d.varies(ctx, domain, own)
	if err == nil && varies {
		err = account.ErrAddressRequired
	}
	return err
}

// ofDomain returns the settings of any mailbox of the domain.
func (d *Directory) ofDomain(ctx context.Context, domain string, client account.Client) (account.Settings, error) {
	if d.ListsMX(domain) && !d.Lists(domain) {
		return d.mxDomainSettings(domain, client)
	}
	p, mx, err := d.byName(ctx, domain)
	if err != nil {
		return account.Settings{}, err
	}
	s := d.domainSettings(p, domain, client)
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
