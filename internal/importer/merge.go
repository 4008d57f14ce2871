package importer

import (
	"encoding/json"
	"maps"
	"slices"

	"signpost/internal/importer/draft"
)

// Merge makes products that are alike one, with the domains of all.
func Merge(products []draft.Product) []draft.Product {
	var merged []draft.Product
	byContent := map[string]int{}
	for _, p := range products {
		content, err := json.Marshal(p.Provider)
		i, known := byContent[string(content)]
		if err != nil || !known {
			byContent[string(content)] = len(merged)
			p.Domains = slices.Clone(p.Domains)
			merged = append(merged, p)
			continue
		}
		m := &merged[i]
		m.Domains = appendNew(m.Domains, p.Domains)
		m.MX = appendNew(m.MX, p.MX)
		m.Guesses = appendNew(m.Guesses, p.Guesses)
		m.Any = m.Any || p.Any
		if len(p.Aliases) > 0 {
			aliases := maps.Clone(p.Aliases)
			maps.Copy(aliases, m.Aliases)
			m.Aliases = aliases
		}
	}
	return merged
}

// appendNew appends the texts that are not there yet.
func appendNew(texts, more []string) []string {
	seen := make(map[string]bool, len(texts))
	for _, text := range texts {
		seen[text] = true
	}
	for _, text := range more {
		if !seen[text] {
			seen[text] = true
			texts = append(texts, text)
		}
	}
	return texts
}
