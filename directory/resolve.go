package directory

import (
	"context"
	"fmt"

	"signpost/account"
)

// Resolve answers a query; it is an account.Resolver.
//
// A mailbox that a source lists with a provider gets that provider. Any other
// gets what its domain says, listed or not, active or not, so that no answer
// tells whether an ordinary mailbox exists.
func (d *Directory) Resolve(ctx context.Context, q account.Query) (account.Settings, error) {
	if q.Address.IsZero() {
		return d.resolveHost(ctx, hostDomain(q.Host), q.Client)
	}
	var s account.Settings
	var err error
	if q.Address.IsAny() || len(d.sources) == 0 {
		s, err = d.resolveDomain(ctx, q.Address)
	} else {
		s, err = d.resolveMailbox(ctx, q.Address)
	}
	if err != nil {
		return account.Settings{}, err
	}
	if untagged, tagged := q.Address.Untagged(); tagged && s.Provider.AliasSignsInAsMailbox && s.Login == q.Address {
		// Listed or not: a difference would tell which mailboxes exist.
		s.Login = untagged
	}
	if !isHostOf(q.Host, q.Address.Domain()) {
		if s.LookupDomain, err = d.lookupDomain(hostDomain(q.Host), &s); err != nil {
			return account.Settings{}, err
		}
	}
	return withServers(s, q.Client), nil
}

// resolveDomain answers for an address of which only the domain matters.
func (d *Directory) resolveDomain(ctx context.Context, a account.Address) (account.Settings, error) {
	provider, mx, err := d.byName(ctx, a.Domain())
	if err != nil {
		return account.Settings{}, err
	}
	s := account.Settings{Address: a, Login: a, Provider: provider}
	s.Standing.ByMX = mx
	return s, nil
}

// resolveMailbox asks the sources about the address first. An alias gets the
// product of the mailbox behind it, and with AliasSignsInAsMailbox its login.
func (d *Directory) resolveMailbox(ctx context.Context, a account.Address) (account.Settings, error) {
	record, listed, err := d.record(ctx, a)
	if err != nil {
		return account.Settings{}, err
	}
	mailbox := a
	var target Record
	if !record.Alias.IsZero() {
		mailbox = record.Alias
		if target, _, err = d.record(ctx, mailbox); err != nil {
			return account.Settings{}, err
		}
		if record.Provider == "" {
			record.Provider = target.Provider
		}
	}
	s := account.Settings{Address: a, Login: a}
	if record.Provider == "" {
		s, err = d.resolveDomain(ctx, mailbox)
		if err != nil {
			return account.Settings{}, err
		}
		s.Address, s.Login = a, a
	} else if s.Provider = d.byID[record.Provider]; s.Provider == nil {
		return account.Settings{}, fmt.Errorf("an account source names the provider %q, which the configuration does not have", record.Provider)
	}
	if s.Provider.AliasSignsInAsMailbox {
		s.Login = mailbox
		if record.Username == "" {
			record.Username = target.Username
		}
	}
	s.Standing.Listed = listed
	s.Standing.Inactive = record.Inactive || target.Inactive
	s.Standing.AliasOf = record.Alias
	s.Standing.DisplayName = record.DisplayName
	s.Standing.Username = record.Username
	return s, nil
}

// record asks the sources, in order, for the address and then for the address
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

// withServers gives the settings what the client should be told. An account's
// own user name stands in place of the provider's rule at every server.
func withServers(s account.Settings, client account.Client) account.Settings {
	s.Servers = s.Provider.ServersFor(client)
	if s.Standing.Username == "" {
		return s
	}
	s.Own = true
	own := make([]account.Server, len(s.Servers))
	for i, server := range s.Servers {
		server.Login.Username = s.Standing.Username
		own[i] = server
	}
	s.Servers = own
	return s
}
