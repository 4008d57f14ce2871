package directory

import (
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
		err := d.resolveDomain(ctx, mailbox.Domain(), s)
		if account.IsUnknown(err) && !record.Alias.IsZero() {
			return &AliasError{mailbox.Domain(), err}
		}
		if err != nil {
			return err
		}
	} else if s.Provider, err = d.provider(record.Provider); err != nil {
		return err
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

// AliasError says that the mailbox behind an alias is in a domain that is not hosted here.
// It wraps account.ErrUnknownDomain.
type AliasError struct {
	Domain string // of the mailbox
	err    error
}

func (e *AliasError) Error() string {
	return "the address is an alias of a mailbox at " + e.Domain + ", and " + e.err.Error()
}

func (e *AliasError) Unwrap() error { return e.err }

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
