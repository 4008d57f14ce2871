package importer

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// Simplify returns the products as an operator would write them: those that are alike are one, and so
// are those that differ in nothing but their domain, which then is a placeholder. For a single
// domain a name stays as it is: nobody knows whether the next one would follow it.
func Simplify(products []draft.Product) []draft.Product {
	merged := Merge(products)
	follows := map[string][]int{} // templates, with the products that follow them
	templates := make([]account.Provider, len(merged))
	for i, p := range merged {
		if len(p.Domains) != 1 || p.Any || len(p.MX) > 0 {
			continue
		}
		template, changed := templateOf(p.Provider, p.Domains[0])
		content, err := json.Marshal(template)
		if err != nil || !changed {
			continue
		}
		templates[i] = template
		follows[string(content)] = append(follows[string(content)], i)
	}
	for _, alike := range follows {
		if len(alike) < 2 {
			continue
		}
		for _, i := range alike {
			merged[i].Provider = templates[i]
		}
	}
	merged = Merge(merged)
	for i := range merged {
		if merged[i].Provider.DisplayName == "" {
			merged[i].Provider.DisplayName = nameOf(merged[i].Domains)
		}
	}
	return merged
}

// maxName is the length of the longest name that a configuration takes, in characters.
const maxName = 60

// nameOf returns a name for people of what has none: the first domain, in Unicode.
func nameOf(domains []string) string {
	if len(domains) > 0 {
		spellings := account.Spellings(domains[0])
		if name := spellings[len(spellings)-1]; utf8.RuneCountInString(name) <= maxName {
			return name
		}
	}
	return "Mail"
}

// FirstWins leaves each domain to the first product that has it, and says where another one has
// other settings for it.
func FirstWins(d *draft.Draft) {
	owners := map[string]*draft.Product{}
	var kept []draft.Product
	for _, p := range d.Products {
		product := p
		had := len(p.Domains)
		product.Domains = nil
		for _, domain := range p.Domains {
			owner, taken := owners[domain]
			switch {
			case !taken:
				owners[domain] = &product
				product.Domains = append(product.Domains, domain)
			case !reflect.DeepEqual(owner.Provider, p.Provider):
				d.Lose(p.Place, "%s is told otherwise here than by %s, which was read before and counts",
					domain, owner.Place)
			}
		}
		if had == 0 || len(product.Domains) > 0 {
			kept = append(kept, product)
		}
	}
	d.Products = kept
}

// templateOf puts the placeholder in the place of the domain where a host name or a URL ends its host
// in it, and reports whether there was such a place.
func templateOf(p account.Provider, domain string) (account.Provider, bool) {
	changed := false
	host := func(name string) string {
		if name == domain || strings.HasSuffix(name, "."+domain) {
			changed = true
			return strings.TrimSuffix(name, domain) + account.EmailDomain
		}
		return name
	}
	link := func(rawURL string) string {
		scheme, rest, ok := strings.Cut(rawURL, "://")
		if !ok {
			return rawURL
		}
		end := strings.IndexAny(rest, "/:?#")
		if end < 0 {
			end = len(rest)
		}
		return scheme + "://" + host(rest[:end]) + rest[end:]
	}
	p.Servers = slices.Clone(p.Servers)
	for i := range p.Servers {
		s := &p.Servers[i]
		s.Hostname, s.URL, s.PrincipalURL = host(s.Hostname), link(s.URL), link(s.PrincipalURL)
	}
	p.Webmail, p.Developer = link(p.Webmail), link(p.Developer)
	return p, changed
}
