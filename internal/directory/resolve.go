package directory

import (
	"context"
	"fmt"
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
		return d.resolveHost(ctx, hostDomain(q.Host), q.Client)
	}
	s := d.settings(q.Address)
	if err := d.resolveAddress(ctx, q, &s); err != nil {
		return account.Settings{}, err
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
	if isHostOf(q.Host, s.Address.Domain()) {
		return nil
	}
	s.LookupDomain, err = d.lookupDomain(hostDomain(q.Host), s)
	return err
}

// resolveDomain fills in the provider of a domain.
func (d *Directory) resolveDomain(ctx context.Context, domain string, s *account.Settings) (err error) {
	s.Provider, s.Account.ByMX, err = d.byName(ctx, domain)
	return err
}

// resolveMailbox fills in what the sources know about the login. If they name
// no provider, the mailbox has that of its domain. An alias has the provider of
// its mailbox, and with AliasSignsInAsMailbox its login.
func (d *Directory) resolveMailbox(ctx context.Context, s *account.Settings) error {
	mailbox := s.Login
	record, listed, err := d.record(ctx, mailbox)
	if err != nil {
		return err
	}
	var target Record
	if !record.Alias.IsZero() {
		mailbox = d.settings(record.Alias).Login
		if target, _, err = d.record(ctx, mailbox); err != nil {
			return err
		}
		if record.Provider == "" {
			record.Provider = target.Provider
		}
	}
	if record.Provider == "" {
		if err := d.resolveDomain(ctx, mailbox.Domain(), s); err != nil {
			return err
		}
	} else if s.Provider = d.byID[record.Provider]; s.Provider == nil {
		return fmt.Errorf("an account source names the provider %q, which the configuration does not have", record.Provider)
	}
	if s.Provider.AliasSignsInAsMailbox {
		s.Login = mailbox
		if record.Username == "" {
			record.Username = target.Username
		}
	}
	s.Account.Listed = listed
	s.Account.Inactive = record.Inactive || target.Inactive
	s.Account.AliasOf = record.Alias
	s.Account.DisplayName = record.DisplayName
	s.Account.Username = record.Username
	return nil
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
	s.Servers = s.Provider.ServersFor(client)
	if s.Account.Username == "" {
		return
	}
	s.Custom = true
	s.Servers = slices.Clone(s.Servers)
	for i := range s.Servers {
		s.Servers[i].Login.Username = s.Account.Username
	}
}
