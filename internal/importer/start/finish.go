package start

import (
	"slices"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/importer/draft"
)

// finish makes the draft of the answers.
func (s *start) finish() {
	d := &s.result.Draft
	d.Title = "what signpost init found, and was told"
	if s.machineProduct() == nil && !s.survey.Found() && slices.ContainsFunc(s.provider.Servers, isMail) {
		s.guess("what people sign in with: the whole address is assumed. If it is the part before the @, " +
			`each server needs username: "%%EMAILLOCALPART%%"`)
	}
	s.result.Unknown = append(s.result.Unknown, s.guesses...)
	s.provider.DisplayName = s.Product
	s.provider.DisplayShortName = ""
	d.Keys = s.keys()
	own := draft.Product{Place: draft.Place{File: "signpost init"}, Domains: s.Domains, Provider: s.provider,
		Guesses: s.guesses}
	if m := s.machineProduct(); m != nil {
		// What this machine has for all its domains stays together: aliases, accounts, other products.
		d.Accounts, d.Lost, d.Hints = s.machine.Accounts, s.machine.Lost, s.machine.Hints
		for i, p := range s.machine.Products {
			if &s.machine.Products[i] == m && len(p.Domains) == 0 {
				p.Domains = s.Domains
			}
			p.Domains = filter(p.Domains, func(domain string) bool { return slices.Contains(s.Domains, domain) })
			own.Domains = filter(own.Domains, func(domain string) bool { return !slices.Contains(p.Domains, domain) })
			if slices.Contains(p.Domains, s.Domains[0]) {
				p.Provider.Servers, p.Provider.DisplayName = s.provider.Servers, s.provider.DisplayName
				p.Provider.AutodiscoverRedirect, p.Guesses = s.provider.AutodiscoverRedirect, s.guesses
			}
			if len(p.Domains) > 0 || p.Any {
				d.Products = append(d.Products, p)
			}
		}
	}
	if len(own.Domains) > 0 {
		d.Products = append(d.Products, own)
	}
}

// filter returns the domains that are kept.
func filter(domains []string, keep func(string) bool) (kept []string) {
	for _, domain := range domains {
		if keep(domain) {
			kept = append(kept, domain)
		}
	}
	return kept
}

func isMail(s account.Server) bool { return !s.Type.HasURL() }

// keys returns what stands at the top of the configuration.
func (s *start) keys() draft.Map {
	name := draft.Entry{Key: "name", Value: s.Name}
	if s.Name == "" {
		name = draft.Entry{Key: "name", Value: "setup." + s.Domains[0], Comment: "guessed: the name of this service"}
		s.unknown("the name of this service: %s is assumed, and -name gives another", name.Value)
	}
	s.result.Name = name.Value.(string)
	keys := draft.Map{name}
	if s.TLS == Proxy {
		keys = append(keys, draft.Entry{Key: "listen", Value: "127.0.0.1:8080",
			Comment: "the web server in front passes requests here"})
	} else {
		acme := draft.Map{{Key: "email", Value: "hostmaster@" + dns.Registrable(s.result.Name)}}
		keys = append(keys,
			draft.Entry{Key: "listen", Value: ":80", Comment: "some clients ask by plain HTTP"},
			draft.Entry{Key: "tls", Value: draft.Map{{Key: "acme", Value: acme}}})
	}
	return append(keys, draft.Entry{Key: "branding", Value: draft.Map{{Key: "name", Value: s.Product}}})
}
