package config

import (
	"fmt"
	"slices"

	"signpost/account"
)

var sampleNames = []string{"info", "anna", "kalle"}

// samples finds an address for each provider. It prefers an account that names the
// provider, because a product with accounts of its own is usually not the product of
// the domain. Otherwise it takes an unlisted mailbox of the provider's first domain.
func (l *loader) samples() map[string]account.Address {
	listed := make(map[string]bool, len(l.entries))
	samples := make(map[string]account.Address, len(l.providers))
	for _, e := range l.entries {
		id := e.record.Provider
		listed[e.address.Key()] = true
		if id != "" && !e.record.Inactive && samples[id].IsZero() {
			samples[id] = e.address
		}
	}
	stores := l.usedByStores()
	for _, p := range l.providers {
		if p.domains == nil && p.mx == nil && !stores[p.ID] {
			continue // an account names it, or nobody has it
		}
		domain := "mail-customer.example"
		usable := func(d string) bool { return d != "*" && p.aliases[d] == "" && len(d) < 200 }
		if i := slices.IndexFunc(p.domains, usable); i >= 0 {
			domain = p.domains[i]
		} else if !samples[p.ID].IsZero() {
			continue
		}
		for i := 0; samples[p.ID].IsZero() || listed[samples[p.ID].Key()]; i++ {
			local := fmt.Sprintf("sample%d", i)
			if i < len(sampleNames) {
				local = sampleNames[i]
			}
			samples[p.ID], _ = account.ParseAddress(local + "@" + domain)
		}
	}
	return samples
}
