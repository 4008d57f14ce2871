package directory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"signpost/account"
)

// Misled says, in whole sentences by the ID of a provider, whom clients set up wrongly
// that send no address: listed accounts with other settings than the provider's, and
// customers behind an MX host below a domain that has a provider of its own. It does
// not ask DNS.
func (d *Directory) Misled(ctx context.Context) map[string][]string {
	accounts := map[string][]string{}
	for _, source := range d.sources {
		if list, ok := source.(*indexedList); ok {
			for _, key := range slices.Sorted(maps.Keys(list.List)) {
				if id := d.misleads(ctx, key, list.List[key]); id != "" {
					accounts[id] = append(accounts[id], key)
				}
			}
		}
	}
	misled := map[string][]string{}
	for id, keys := range accounts {
		misled[id] = append(misled[id], fmt.Sprintf("Clients that send no address (Thunderbird for Android, KMail, Geary, "+
			"Mailspring) and those that read SRV records set up %s like any other mailbox of the domain, which is wrong. "+
			"withoutAddress: nothing tells them nothing.", enumerate(keys)))
	}
	for _, domain := range slices.Sorted(maps.Keys(d.mxDomains)) {
		own, listed := d.byDomain[domain]
		if !listed || own.NothingWithoutAddress {
			continue
		}
		for _, other := range d.mxDomains[domain] {
			if other != own {
				misled[own.ID] = append(misled[own.ID], fmt.Sprintf("Thunderbird for Android comes to %s by the MX record of "+
					"customers of %s, sends no address, and is told this provider, which is wrong for them.", domain, other.ID))
			}
		}
	}
	return misled
}

// misleads returns the ID of the provider that an account's domain has if a client that
// sends no address is told that provider, and the account has other settings.
func (d *Directory) misleads(ctx context.Context, key string, r Record) string {
	address, err := account.ParseAddress(key)
	if err != nil {
		return ""
	}
	own, listed := d.byDomain[address.Domain()]
	if !listed || own.NothingWithoutAddress || !r.Alias.IsZero() && !d.Lists(r.Alias.Domain()) {
		return ""
	}
	s := d.settings(address)
	login := s.Login
	err = d.resolveMailbox(ctx, &s)
	if err != nil || s.Provider == own && s.Account.Username == "" && s.Login == login {
		return ""
	}
	return own.ID
}

// enumerate names at most three texts.
func enumerate(texts []string) string {
	if len(texts) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(texts[:3], ", "), len(texts)-3)
	}
	return strings.Join(texts, ", ")
}
