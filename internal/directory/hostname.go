package directory

import (
	"errors"
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
func (d *Directory) resolveHost(w *wait, q account.Query) (account.Settings, error) {
	domain := hostDomain(q.Host)
	if domain == "" {
		return account.Settings{}, account.ErrUnknownDomain
	}
	h := d.named(w, domain)
	mayBeHosted := h.err != nil && !account.IsUnknown(h.err) && !errors.Is(h.err, ErrNotListed)
	if h.provider == nil && d.ListsMX(domain) && !mayBeHosted {
		return d.resolveMXDomain(q, domain)
	}
	if err := d.findProvider(w, domain, &h); err != nil {
		return account.Settings{}, err
	}
	if err := d.withoutAddress(q, domain, &h); err != nil {
		return account.Settings{}, err
	}
	return d.ofDomain(domain, &h, q.Client), nil
}

// withoutAddress returns an error if a query that names no mailbox must not get the
// settings of the domain.
func (d *Directory) withoutAddress(q account.Query, domain string, h *hosting) error {
	if h.provider.NothingWithoutAddress || q.Fallback && d.varies(domain, h) {
		return account.ErrAddressRequired
	}
	return nil
}

// ofDomain returns the settings of any mailbox of the domain.
func (d *Directory) ofDomain(domain string, h *hosting, client account.Client) account.Settings {
	s := h.settings(account.AnyAt(domain))
	s.Provider, s.Account.ByMX, s.MailHost = h.provider, h.mx, h.mailHost
	addServers(&s, client)
	return s
}
