package directory

import (
	"cmp"
	"context"
	"crypto/md5"
	"slices"

	"signpost/account"
)

// Resolve answers a query; it is an account.Resolver.
//
// A mailbox that a source lists with a provider has that provider. Any other has
// the provider of its domain, listed or not, active or not, so that no answer
// shows whether an ordinary mailbox exists.
func (d *Directory) Resolve(ctx context.Context, q account.Query) (account.Settings, error) {
	if q.Address.IsZero() {
		return d.resolveHost(ctx, q)
	}
	s := d.settings(q.Address)
	ordinary := s.Login
	if q.MD5 != [md5.Size]byte{} {
		var err error
		if s.Login, err = d.byMD5(ctx, q, ordinary); err != nil {
			return account.Settings{}, err
		}
	}
	mailbox := s.Login
	if err := d.resolveAddress(ctx, q, &s); err != nil {
		return account.Settings{}, err
	}
	if s.Login == mailbox {
		s.Login = ordinary // nobody learns an address by its MD5 sum
	}
	if q.Fallback && mailbox.IsAny() && q.MD5 == [md5.Size]byte{} {
		if err := d.withoutAddress(ctx, q, q.Address.Domain(), s.Provider); err != nil {
			return account.Settings{}, err
		}
	}
	addServers(&s, q.Client)
	return s, nil
}

// settings returns the settings of an address before anything is known of it.
func (d *Directory) settings(a account.Address) account.Settings {
	s := account.Settings{Address: a, Login: a}
	if domain, ok := d.aliases[a.Domain()]; ok {
		s.Login, s.Account.DomainOf = a.At(domain), domain
	}
	return s
}

// byMD5 returns the address that has the query's MD5 sum. Where no source knows one,
// it returns ordinary, which is answered like any mailbox that is not listed.
func (d *Directory) byMD5(ctx context.Context, q account.Query, ordinary account.Address) (account.Address, error) {
	written := spellings(q.Address.Domain())
	for _, source := range d.sources {
		if mailbox, ok, err := source.ByMD5(ctx, ordinary.Domain(), written, q.MD5); ok || err != nil {
			return mailbox, err
		}
	}
	return ordinary, nil
}

// resolveAddress fills in everything that the address decides.
func (d *Directory) resolveAddress(ctx context.Context, q account.Query, s *account.Settings) (err error) {
	mailbox := s.Login
	if mailbox.IsAny() || len(d.sources) == 0 {
		err = d.resolveDomain(ctx, mailbox.Domain(), s)
	} else {
		err = d.resolveMailbox(ctx, s)
	}
	if err != nil {
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

// resolveDomain fills in the provider of a domain.
func (d *Directory) resolveDomain(ctx context.Context, domain string, s *account.Settings) (err error) {
	s.Provider, s.Account.ByMX, err = d.byName(ctx, domain)
	return err
}

// resolveMailbox fills in what the sources know about the login. If they name
// no provider, the mailbox has that of its domain. An alias has the provider of
// its mailbox, and with AliasSignsInAsMailbox its login. If only DNS could tell
// where that mailbox is, the alias is answered like any address of its own
// domain: time and failures of a look-up would show that it exists.
func (d *Directory) resolveMailbox(ctx context.Context, s *account.Settings) error {
	record, listed, err := d.record(ctx, s.Login)
	if err != nil {
		return err
	}
	s.Account.Listed = listed
	s.Account.Inactive = record.Inactive
	s.Account.AliasOf = record.Alias
	s.Account.DisplayName = record.DisplayName
	s.Account.Username = record.Username
	if record.Provider != "" {
		if s.Provider, err = d.provider(record.Provider); err != nil {
			return err
		}
	}
	if !record.Alias.IsZero() {
		if err := d.resolveAlias(ctx, s); err != nil {
			return err
		}
	}
	if s.Provider == nil {
		return d.resolveDomain(ctx, s.Login.Domain(), s)
	}
	return nil
}

// resolveAlias fills in what an alias has of its mailbox. It asks no DNS.
func (d *Directory) resolveAlias(ctx context.Context, s *account.Settings) error {
	mailbox := d.settings(s.Account.AliasOf).Login
	target, _, err := d.record(ctx, mailbox)
	if err != nil {
		return err
	}
	s.Account.Inactive = s.Account.Inactive || target.Inactive
	if s.Provider == nil {
		if s.Provider, err = d.ofTarget(mailbox, target); err != nil {
			return err
		}
	}
	if s.Provider == nil {
		s.Account.AliasUnresolved = true
		return nil
	}
	if s.Provider.AliasSignsInAsMailbox {
		s.Login = mailbox
		s.Account.Username = cmp.Or(s.Account.Username, target.Username)
	}
	return nil
}

// ofTarget returns the provider of the mailbox behind an alias, or nil if neither its
// record nor the name of its domain tells.
func (d *Directory) ofTarget(mailbox account.Address, record Record) (*account.Provider, error) {
	if record.Provider != "" {
		return d.provider(record.Provider)
	}
	if p, ok := d.byDomain[mailbox.Domain()]; ok || len(d.byMX) > 0 {
		return p, nil
	}
	return d.anyDomain, nil
}

// record asks each source, in order, for the address and then for the address
// without its +tag.
func (d *Directory) record(ctx context.Context, a account.Address) (Record, bool, error) {
	untagged, tagged := a.Untagged()
	for _, source := range d.sources {
		record, ok, err := source.Account(ctx, a)
		if !ok && err == nil && tagged {
			record, ok, err = source.Account(ctx, untagged)
		}
		if ok || err != nil {
			return record, ok, err
		}
	}
	return Record{}, false, nil
}

// addServers adds the servers for the client. An account's own user name replaces
// the provider's rule at every server.
func addServers(s *account.Settings, client account.Client) {
	s.Servers, s.Custom = s.Provider.ServersAt(client, s.Login.Domain())
	if s.Account.Username == "" {
		return
	}
	s.Custom = true
	s.Servers = slices.Clone(s.Servers)
	for i := range s.Servers {
		s.Servers[i].Login.Username = s.Provider.UsernameAt(s.Account.Username, s.Login.Domain())
	}
}
