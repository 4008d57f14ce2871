package importer

import (
	"encoding/json"
	"maps"

	"signpost/internal/importer/draft"
)

// Merge makes products that are alike one, with the domains of all.
func Merge(products []draft.Product) []draft.Product {
	var merged []draft.Product
	var seen []map[string]bool // the texts of each product
	byContent := map[string]int{}
	for _, p := range products {
		content, err := json.Marshal(p.Provider)
		i, known := byContent[string(content)]
		if err != nil || !known {
			i = len(merged)
			byContent[string(content)] = i
			merged = append(merged, p)
			merged[i].Domains, merged[i].MX, merged[i].Guesses = nil, nil, nil
			seen = append(seen, map[string]bool{})
		}
		m := &merged[i]
		m.Domains = appendNew(m.Domains, p.Domains, seen[i], "domain ")
		m.MX = appendNew(m.MX, p.MX, seen[i], "MX ")
		m.Guesses = appendNew(m.Guesses, p.Guesses, seen[i], "guess ")
		m.Any = m.Any || p.Any
		if known && len(p.Aliases) > 0 {
			aliases := maps.Clone(p.Aliases)
			maps.Copy(aliases, m.Aliases)
			m.Aliases = aliases
		}
	}
	return merged
}

// appendNew appends the texts that are not there yet.
func appendNew(texts, more []string, seen map[string]bool, kind string) []string {
	for _, text := range more {
		if key := kind + text; !seen[key] {
			seen[key] = true
			texts = append(texts, text)
		}
	}
	return texts
}
