// Package draft holds what a source of an import says: another tool's files, a living
// domain, or the mail server of this machine. It is what a configuration is written from,
// and what the written configuration is compared with.
package draft

import (
	"fmt"

	"signpost/account"
)

// Draft is what one or several sources say.
type Draft struct {
	// Title names the source for people, as in "automx2's seed file seed.json". It becomes
	// the comment at the top of the configuration.
	Title string
	// Keys are those at the top of a configuration, such as name and branding.
	Keys Map
	// Products are the settings that the source has, each with all domains that have them.
	// Two may be alike: they become one provider.
	Products []Product
	// Accounts are the entries of accounts, each as it stands in a configuration. Where
	// an entry lacks the key provider, it belongs to the only one.
	Accounts []Map
	// Lost is what cannot be carried over.
	Lost []Remark
	// Hints are what the operator must do besides: give a password file, publish a record.
	Hints []string
}

// Lose notes that something at the place cannot be carried over, and why. The text begins
// with the name that it has there, and never holds a secret.
func (d *Draft) Lose(at Place, format string, args ...any) {
	d.Lost = append(d.Lost, Remark{at, fmt.Sprintf(format, args...)})
}

// Product is a set of servers and the domains that have it.
type Product struct {
	Place   Place
	Domains []string // in A-labels
	Any     bool     // the source answers every domain with it
	MX      []string // hosts by which domains belong to it
	// Aliases are other names of domains: each mailbox of the domain, which is the value,
	// exists under this name, too.
	Aliases map[string]string
	// Provider holds names, servers and links. Its ID is what the source calls it, or
	// empty. Host names, URLs and user names have the source's own placeholders
	// translated to account's, and are otherwise as literal as they are there.
	Provider account.Provider
	// Guesses are what the source does not say and was assumed, each as a sentence.
	Guesses []string
}

// Place is where something stands in a source.
type Place struct {
	File string // as the operator named it; or a command or the name of a witness
	Line int    // 0 if it has none
}

// String returns the place as editors can jump to it: seed.json:12.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Remark is a sentence about something in a source.
type Remark struct {
	Place Place
	Text  string
}

// Map is a mapping of a configuration with its keys in order.
type Map []Entry

// Entry is a key with its value: a string, int, bool, []string, Map or []Map.
type Entry struct {
	Key     string
	Value   any
	Comment string // stands above the key, or is empty
}
