package directory

import (
	"context"
	"errors"
	"iter"

	"signpost/account"
	"signpost/internal/sources/row"
)

// Store knows accounts and domains that stand elsewhere, such as in a database. An error
// of any method means that the answer cannot be known now; it never means "no".
type Store interface {
	// Name is how the operator knows the store.
	Name() string
	// Columns says what its accounts can differ in, and how its domains can be found.
	// What no account can differ in is not asked for.
	Columns() row.Columns
	// AccountProviders returns the IDs of the providers that its accounts can name.
	AccountProviders() []string
	// DomainProviders returns the IDs of the providers that its domains have now.
	DomainProviders() []string

	// Account looks the mailbox up by its Key. It reports false for one that the store
	// does not know.
	Account(ctx context.Context, a account.Address, how Lookup) (Stored, bool, error)
	// Known is like Account, but asks nobody. It reports whether the answer is
	// remembered, too.
	Known(a account.Address, how Lookup) (r Stored, listed, known bool)

	// Domain returns what the store says of a domain. The error wraps ErrNotListed if
	// the last good list lacks the domain, and the store cannot be asked whether it is
	// new.
	Domain(ctx context.Context, name string) (Domain, bool, error)
	// HasList reports whether there is a list in memory.
	HasList() bool
	// Listed returns what the list in memory says of the domain. It asks nobody.
	Listed(name string) (Domain, bool)
	// Domains returns the list in memory.
	Domains() (iter.Seq2[string, Domain], error)
	// Gone reports whether so many lists in a row lacked the domain that no mistake in
	// one can be the reason, and whether a list before them had it.
	Gone(name string) (gone, had bool)
}

// Lookup is how a mailbox is looked up, so that the time of an answer tells nothing.
type Lookup struct {
	// Alike is set if the look-up must take as long for an alias, and what is behind it,
	// as for any other mailbox.
	Alike bool
	// Behind is set if an alias led to the mailbox. What is remembered of it makes no
	// answer about the mailbox itself faster: somebody could see that it is behind the
	// alias.
	Behind bool
}

// ErrNotListed is wrapped by errors about a domain that the last good list of a store
// lacks while the store cannot be asked.
var ErrNotListed = errors.New("the last list of domains lacks it")

// Stored is what a store knows about one account.
type Stored struct {
	Record // without Alias
	// Aliases are what receives the mail of the address. Those that are not hosted here
	// are dropped, and a single one that is left is followed.
	Aliases  []account.Address
	MailHost string // the host that the mailbox is on
	// Problem says, for the operator, why nothing follows from what the store has.
	Problem string
}

// Domain is what a store knows about one domain. All fields are optional.
type Domain struct {
	Provider string // id of the provider
	Alias    string // the domain that it is another name of, a lower-case A-label
	MailHost string // the host that its mailboxes are on
	Inactive bool   // it is not hosted, whatever else says that it is
}

// storeUse is a store with what follows from its columns.
type storeUse struct {
	Store
	columns    row.Columns
	hasDomains bool
	// always are the providers of domains in which an account of the store may get
	// another answer than one that nobody knows, whatever domains there are.
	always map[*account.Provider]bool
}

func (d *Directory) newStoreUse(s Store) *storeUse {
	c := s.Columns()
	u := &storeUse{Store: s, columns: c, hasDomains: c.Domains || c.OneDomain, always: map[*account.Provider]bool{}}
	for _, p := range d.byID {
		differs := c.Username || p.MailHost != "" && (c.MailHost || c.Alias) || c.Alias && p.AliasSignsInAsMailbox
		for _, id := range s.AccountProviders() {
			differs = differs || c.Provider && d.byID[id] != p
		}
		u.always[p] = differs
	}
	return u
}

// mayDiffer reports whether an account of the store may get another answer in a domain
// with the provider than one that nobody knows.
func (d *Directory) mayDiffer(u *storeUse, p *account.Provider) bool {
	return u.always[p] || u.columns.Alias && d.hasOtherThan(p)
}

// hasOtherThan reports whether a domain has another provider, so that an alias may lead
// to it.
func (d *Directory) hasOtherThan(p *account.Provider) bool {
	for _, other := range d.domainsOf {
		if other != p {
			return true
		}
	}
	for _, u := range d.stores {
		for _, id := range u.DomainProviders() {
			if d.byID[id] != p {
				return true
			}
		}
	}
	return false
}

// knowsAccountsOf reports whether the store may have accounts of the domain. One that has
// domains has accounts of no others, so the answer for a domain of the configuration that
// its list lacks does not wait for it. Before its first list, it may have any domain of
// the configuration: an answer without its accounts may be wrong then, and clients keep it.
func (u *storeUse) knowsAccountsOf(h *hosting) bool {
	switch {
	case h.store == u || !u.hasDomains:
		return true
	case h.store != nil:
		return false
	case h.name == "" || !u.HasList():
		return true
	}
	_, listed := u.Listed(h.name)
	return listed
}
