package directory

import (
	"cmp"
	"context"
	"crypto/md5"
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"signpost/account"
)

// Source knows accounts that differ from what their domain says. It is asked for
// every query with a mailbox, in the order of configuration, until one knows the
// mailbox.
type Source interface {
	// Account looks the mailbox up by its Key. It reports false for a mailbox
	// that it does not know. An error is a failure of the source, never
	// "unknown".
	Account(ctx context.Context, a account.Address) (Record, bool, error)
	// ByMD5 looks up the account of the domain whose local part in lower case, an
	// @ and one of the spellings of the domain have the MD5 sum together. It may
	// report false for an account without Provider, Alias and Username. It must not
	// take longer for a domain with more accounts, as anybody can ask.
	ByMD5(ctx context.Context, domain string, spellings []string, sum [md5.Size]byte) (account.Address, bool, error)
	// Exceptions sums up the accounts of the domain.
	Exceptions(ctx context.Context, domain string) (Exceptions, error)
}

// Record is what a source knows about one account. All fields are optional.
type Record struct {
	Provider    string          // id of the provider; empty: what the domain says
	Alias       account.Address // the mailbox that receives this address's mail
	Inactive    bool            // the mailbox does not work now; answers stay the same
	Username    string          // replaces the provider's rule for user names
	DisplayName string          // of the owner, for the operator's eyes only
}

// Exceptions is in what the accounts of a domain may differ from an account that no
// source lists.
type Exceptions struct {
	Providers []string          // ids that accounts name, each once
	Aliases   []account.Address // mailboxes of other domains that aliases lead to, each once
	Usernames bool              // an account has a user name of its own
}

// List is a source that stands in the configuration, by Address.Key. New prepares a
// List for look-ups by domain and by MD5 sum, which are slow otherwise.
type List map[string]Record

// Account implements Source.
func (l List) Account(_ context.Context, a account.Address) (Record, bool, error) {
	record, ok := l[a.Key()]
	return record, ok, nil
}

// ByMD5 implements Source.
func (l List) ByMD5(
	ctx context.Context, domain string, spellings []string, sum [md5.Size]byte,
) (account.Address, bool, error) {
	return l.index(map[string][]string{domain: spellings}).ByMD5(ctx, domain, spellings, sum)
}

// Exceptions implements Source.
func (l List) Exceptions(ctx context.Context, domain string) (Exceptions, error) {
	return l.index(nil).Exceptions(ctx, domain)
}

// indexedList is a List with what it knows of each domain and sum.
type indexedList struct {
	List
	exceptions map[string]*Exceptions
	byMD5      map[[md5.Size]byte]string // keys of accounts that may differ
}

// index prepares a List for a directory in which domains have other names.
func (l List) index(names map[string][]string) *indexedList {
	x := &indexedList{l, map[string]*Exceptions{}, map[[md5.Size]byte]string{}}
	for key, record := range l {
		if record.Provider == "" && record.Alias.IsZero() && record.Username == "" {
			continue
		}
		local, domain := cutKey(key)
		for _, name := range append(names[domain], domain) {
			for _, spelling := range spellings(name) {
				x.byMD5[md5.Sum([]byte(local+"@"+spelling))] = key
			}
		}
		e := x.exceptions[domain]
		if e == nil {
			e = new(Exceptions)
			x.exceptions[domain] = e
		}
		e.add(domain, record)
	}
	for _, e := range x.exceptions {
		slices.SortFunc(e.Aliases, func(a, b account.Address) int { return cmp.Compare(a.Key(), b.Key()) })
		e.Aliases = slices.Compact(e.Aliases)
	}
	return x
}

// spellings returns a domain in A-labels and, if it is international, in Unicode.
func spellings(domain string) []string {
	if unicode, err := idna.Lookup.ToUnicode(domain); err == nil && unicode != domain {
		return []string{domain, unicode}
	}
	return []string{domain}
}

// add adds what an account of the domain may differ in. The mailbox of an alias in the
// same domain has an account of its own if it differs.
func (e *Exceptions) add(domain string, r Record) {
	if r.Provider != "" && !slices.Contains(e.Providers, r.Provider) {
		e.Providers = append(e.Providers, r.Provider)
	}
	if !r.Alias.IsZero() && r.Alias.Domain() != domain {
		e.Aliases = append(e.Aliases, r.Alias)
	}
	e.Usernames = e.Usernames || r.Username != ""
}

// ByMD5 implements Source.
func (x *indexedList) ByMD5(
	_ context.Context, domain string, _ []string, sum [md5.Size]byte,
) (account.Address, bool, error) {
	key := x.byMD5[sum]
	if _, of := cutKey(key); of != domain {
		return account.Address{}, false, nil
	}
	a, err := account.ParseAddress(key)
	return a, err == nil, nil // no query can have an address that is none
}

// Exceptions implements Source.
func (x *indexedList) Exceptions(_ context.Context, domain string) (Exceptions, error) {
	if e := x.exceptions[domain]; e != nil {
		return *e, nil
	}
	return Exceptions{}, nil
}

// cutKey returns the local part and the domain of a Key.
func cutKey(key string) (local, domain string) {
	at := strings.LastIndexByte(key, '@')
	return key[:max(at, 0)], key[at+1:]
}
