package directory

import (
	"cmp"
	"crypto/md5"
	"slices"
	"strings"

	"signpost/account"
)

// Record is what a list or a store knows about one account. All fields are optional.
type Record struct {
	Provider    string          // id of the provider; empty: what the domain says
	Alias       account.Address // the mailbox that receives this address's mail
	Inactive    bool            // the mailbox does not work now; answers stay the same
	Username    string          // replaces the provider's rule for user names
	DisplayName string          // of the owner, for the operator's eyes only
}

// exceptions is in what the accounts of a domain may differ from an account that no
// list has.
type exceptions struct {
	Providers []string          // ids that accounts name, each once
	Aliases   []account.Address // mailboxes of other domains that aliases lead to, each once
	Usernames bool              // an account has a user name of its own
}

// List holds the accounts that stand in the configuration, by Address.Key.
type List map[string]Record

// indexedList is a List that is prepared for look-ups by domain and by MD5 sum, which
// are slow otherwise.
type indexedList struct {
	List
	exceptions map[string]*exceptions
	byMD5      map[[md5.Size]byte]string // keys of accounts that may differ
}

// index prepares a List for a directory in which domains have other names.
func (l List) index(names map[string][]string) *indexedList {
	x := &indexedList{l, map[string]*exceptions{}, map[[md5.Size]byte]string{}}
	for key, record := range l {
		if record.Provider == "" && record.Alias.IsZero() && record.Username == "" {
			continue
		}
		local, domain := cutKey(key)
		for _, name := range append(names[domain], domain) {
			for _, spelling := range account.Spellings(name) {
				x.byMD5[md5.Sum([]byte(local+"@"+spelling))] = key
			}
		}
		e := x.exceptions[domain]
		if e == nil {
			e = new(exceptions)
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

// add adds what an account of the domain may differ in. The mailbox of an alias in the
// same domain has an account of its own if it differs.
func (e *exceptions) add(domain string, r Record) {
	if r.Provider != "" && !slices.Contains(e.Providers, r.Provider) {
		e.Providers = append(e.Providers, r.Provider)
	}
	if !r.Alias.IsZero() && r.Alias.Domain() != domain {
		e.Aliases = append(e.Aliases, r.Alias)
	}
	e.Usernames = e.Usernames || r.Username != ""
}

// addressOf looks up the account of the domain whose local part in lower case, an @ and
// one of the spellings of the domain have the MD5 sum together. It knows only accounts
// with a Provider, Alias or Username, and does not take longer for a domain with more
// accounts, as anybody can ask.
func (x *indexedList) addressOf(domain string, sum [md5.Size]byte) (account.Address, bool) {
	key := x.byMD5[sum]
	if _, of := cutKey(key); of != domain {
		return account.Address{}, false
	}
	a, err := account.ParseAddress(key)
	return a, err == nil // no query can have an address that is none
}

// exceptionsOf sums up the accounts of the domain.
func (x *indexedList) exceptionsOf(domain string) exceptions {
	if e := x.exceptions[domain]; e != nil {
		return *e
	}
	return exceptions{}
}

// cutKey returns the local part and the domain of a Key.
func cutKey(key string) (local, domain string) {
	at := strings.LastIndexByte(key, '@')
	return key[:max(at, 0)], key[at+1:]
}
