package directory

import (
	"context"
	"crypto/md5"
	"slices"

	"signpost/account"
)

// Resolve answers a query; it is an account.Resolver.
//
// A mailbox that a list or a store has with a provider has that provider. Any other has
// the provider of its domain, listed or not, active or not, so that no answer
// shows whether an ordinary mailbox exists.
func (d *Directory) Resolve(ctx context.Context, q account.Query) (account.Settings, error) {
	w := wait{ctx: ctx}
	defer w.end()
	if q.Address.IsZero() {
		return d.resolveHost(&w, q)
	}
	h := d.ofAddress(&w, q)
	s := h.settings(q.Address)
	ordinary := s.Login
	bySum := q.MD5 != [md5.Size]byte{}
	if bySum {
		s.Login = d.byMD5(q, ordinary)
	}
	mailbox := s.Login
	if err := d.resolveAddress(&w, q, &h, &s); err != nil {
		return account.Settings{}, err
	}
	if mailbox.IsAny() {
		switch {
		case bySum && d.isAsked(&h):
			// No store can be asked for a sum.
			return account.Settings{}, account.ErrAddressRequired
		case q.Fallback && !bySum:
			if err := d.withoutAddress(q, q.Address.Domain(), &h); err != nil {
				return account.Settings{}, err
			}
		}
	}
	if s.Login == mailbox {
		s.Login = ordinary // nobody learns an address by its MD5 sum
	}
	addServers(&s, q.Client)
	return s, nil
}

// ofAddress returns what is known of the domain of a query's address. No store is asked
// for it where a list has an account with all that makes the answer: that is the same
// while the store is down.
func (d *Directory) ofAddress(w *wait, q account.Query) hosting {
	if len(d.lists) > 0 && len(d.stores) > 0 && !q.Address.IsAny() && !w.tells() {
		h := d.listed(q.Address.Domain())
		if h.provider != nil {
			return h
		}
		f := d.inLists(&names{exact: q.Address})
		if p := d.byID[f.Provider]; p != nil && p.MailHost == "" && !f.isAlias() {
			return h
		}
	}
	return d.named(w, q.Address.Domain())
}

// byMD5 returns the listed address that has the query's MD5 sum. Where no list has one,
// it returns ordinary, which is answered like any mailbox that is not listed.
func (d *Directory) byMD5(q account.Query, ordinary account.Address) account.Address {
	for _, list := range d.lists {
		if mailbox, ok := list.addressOf(ordinary.Domain(), q.MD5); ok {
			return mailbox
		}
	}
	return ordinary
}

// resolveAddress fills in everything that the address decides.
func (d *Directory) resolveAddress(w *wait, q account.Query, h *hosting, s *account.Settings) error {
	mailbox := s.Login
	if mailbox.IsAny() || len(d.lists)+len(d.stores) == 0 {
		if err := d.findProvider(w, s.Address.Domain(), h); err != nil {
			return err
		}
		s.Provider, s.Account.ByMX, s.MailHost = h.provider, h.mx, h.mailHost
	} else if err := d.resolveMailbox(w, h, s); err != nil {
		return err
	}
	if untagged, tagged := mailbox.Untagged(); tagged && s.Provider.AliasSignsInAsMailbox && s.Login == mailbox {
		// The answer is the same for listed and unlisted mailboxes: a
		// difference would show which mailboxes exist.
		s.Login = untagged
	}
	// The address decides, whatever the host: clients that start from the MX record
	// ask at the hoster's own domain, which may have another provider. Only the
	// hoster's domain is named beside the address's own.
	if !isHostOf(q.Host, s.Address.Domain()) {
		if host := hostDomain(q.Host); host != s.Address.Domain() && d.ListsMX(host) {
			s.LookupDomain = host
		}
	}
	return nil
}

// addServers adds the servers for the client. An account's own user name replaces
// the provider's rule at every server.
func addServers(s *account.Settings, client account.Client) {
	s.Servers, s.Custom = s.Provider.ServersOn(client, s.Login.Domain(), s.MailHost)
	if s.Account.Username == "" {
		return
	}
	s.Custom = true
	s.Servers = slices.Clone(s.Servers)
	for i := range s.Servers {
		s.Servers[i].Login.Username = s.Provider.UsernameAt(s.Account.Username, s.Login.Domain())
	}
}
