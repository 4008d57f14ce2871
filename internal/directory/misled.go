package directory

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"signpost/account"
)

// maxMisled is in how many domains of a provider Misled names the accounts.
const maxMisled = 20

// Misled says, in whole sentences by the ID of a provider, whom clients set up wrongly
// that send no address: in each domain listed accounts with other settings than the
// provider's, and customers whose MX host is below a domain that has a provider of its
// own. It asks neither DNS nor stores.
func (d *Directory) Misled() map[string][]string {
	accounts := map[string]map[string][]string{} // by the provider and the domain
	for _, list := range d.lists {
		for _, key := range slices.Sorted(maps.Keys(list.List)) {
			id := d.misleads(key)
			if id == "" {
				continue
			}
			if accounts[id] == nil {
				accounts[id] = map[string][]string{}
			}
			_, domain := cutKey(key)
			accounts[id][domain] = append(accounts[id][domain], key)
		}
	}
	misled := map[string][]string{}
	for id, byDomain := range accounts {
		for i, domain := range slices.Sorted(maps.Keys(byDomain)) {
			if i == maxMisled {
				misled[id] = append(misled[id], fmt.Sprintf("The same is true in %d more domains.", len(byDomain)-i))
				break
			}
			misled[id] = append(misled[id], fmt.Sprintf("In %s, clients that send no address (Thunderbird for "+
				"Android, KMail, Geary, Mailspring) and those that read SRV records get what the domain's other "+
				"mailboxes have, which is wrong for %s. "+
				"withoutAddress: nothing avoids it.", domain, enumerate(byDomain[domain])))
		}
	}
	for domain, others := range d.customersOf() {
		id := d.byDomain[domain].ID
		misled[id] = append(misled[id], fmt.Sprintf("Customers of %s whose MX host is below %s: Thunderbird for "+
			"Android asks autoconfig.%s for them, sends no address, and is told this provider, which is wrong for "+
			"them. withoutAddress: nothing avoids it.", strings.Join(others, ", "), domain, domain))
		slices.Sort(misled[id])
	}
	return misled
}

// customersOf returns, for each domain with a provider that answers without an address,
// the IDs of the other providers whose customers most likely have an MX host below it:
// they list one there, or have a server there. Providers with the same servers tell the
// same.
func (d *Directory) customersOf() map[string][]string {
	customers := map[string][]string{}
	add := func(domain string, other *account.Provider) {
		own, listed := d.byDomain[domain]
		if listed && !own.NothingWithoutAddress && !reflect.DeepEqual(own.Servers, other.Servers) &&
			!slices.Contains(customers[domain], other.ID) {
			customers[domain] = append(customers[domain], other.ID)
			slices.Sort(customers[domain])
		}
	}
	for domain, others := range d.mxDomains {
		for _, other := range others {
			add(domain, other)
		}
	}
	for _, other := range d.byDomainProviders() {
		for _, s := range other.Servers {
			if _, domain, ok := strings.Cut(s.Hostname, "."); ok {
				add(domain, other)
			}
		}
	}
	return customers
}

// byDomainProviders returns the providers that domains lead to.
func (d *Directory) byDomainProviders() []*account.Provider {
	found := map[*account.Provider]bool{}
	for _, p := range d.byDomain {
		found[p] = true
	}
	return slices.Collect(maps.Keys(found))
}

// misleads returns the ID of the provider that an account's domain has if a client that
// sends no address is told that provider, and the account has other settings.
func (d *Directory) misleads(key string) string {
	address, err := account.ParseAddress(key)
	if err != nil {
		return ""
	}
	own, listed := d.byDomain[address.Domain()]
	if !listed && len(d.byMX) == 0 {
		own = d.anyDomain
	}
	if own == nil || own.NothingWithoutAddress {
		return ""
	}
	h := hosting{provider: own, of: d.aliases[address.Domain()]}
	s := h.settings(address)
	login := s.Login
	err = d.resolveMailbox(nil, &h, &s)
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
