package config

import (
	"fmt"
	"slices"

	"signpost/account"
)

var sampleNames = []string{"info", "anna", "kalle"}

// samples finds an address of each provider: an account that names it where
// there is one, because a product that has accounts of its own is mostly not
// what the domain says, else somebody of its first domain.
func (l *loader) samples() map[string]account.Address {
	listed := make(map[string]bool, len(l.entries))
	samples := make(map[string]account.Address, len(l.list))
	for _, e := range l.entries {
		listed[e.address.Key()] = true
		if _, taken := samples[e.record.Provider]; !taken && e.record.Provider != "" && !e.record.Inactive {
			samples[e.record.Provider] = e.address
		}
	}
	for _, p := range l.list {
		own := slices.IndexFunc(p.domains, func(d string) bool { return d != "*" && len(d) < 200 })
		if _, taken := samples[p.ID]; taken && own < 0 {
			continue
		}
		domain := "mail-customer.example"
		if own >= 0 {
			domain = p.domains[own]
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
