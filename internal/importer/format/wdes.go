package format

import (
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// wdes is the environment of wdes' mail-autodiscover-autoconfig (1.6.1). Each domain of
// CUSTOM_DOMAINS has servers of its own names; every other domain that asks is told those of the
// variables (src/util.rs).
var wdes = Format{
	Name:  "wdes",
	Title: "the environment of mail-autodiscover-autoconfig",
	Is:    hasVariable("IMAP_HOSTNAME", "SMTP_HOSTNAME"),
	Read: eachEnv(func(e envFile, d *draft.Draft) {
		p := draft.Product{Place: e.at("CUSTOM_DOMAINS")}
		addDomains(d, &p, e.at("CUSTOM_DOMAINS"), strings.Split(e.get("CUSTOM_DOMAINS"), ",")...)
		others := draft.Product{Place: e.at("IMAP_HOSTNAME")}
		for _, one := range []struct{ name, kind, label, port string }{
			{"IMAP_HOSTNAME", "imap", "imap.", "993"}, {"POP_HOSTNAME", "pop3", "pop.", "995"},
			{"SMTP_HOSTNAME", "smtp", "smtp.", "465"},
		} {
			service{at: p.Place, kind: one.kind, host: one.label + account.EmailDomain, port: one.port}.add(d, &p)
			if host := e.get(one.name); host != "" {
				service{at: e.at(one.name), name: one.name, kind: one.kind, host: host, port: one.port}.add(d, &others)
			}
		}
		if len(p.Domains) > 0 {
			finish(d, p)
		}
		e.lose(d, []string{"IMAP_HOSTNAME", "POP_HOSTNAME", "SMTP_HOSTNAME", "CUSTOM_DOMAINS"},
			map[string]string{"APPLE_": profileIdentity, "ROCKET_": "Signpost has no such web server"})
		// The domain of the host is told its servers, if any is; which others are hosted is not said.
		_, domain, ok := strings.Cut(e.get("IMAP_HOSTNAME"), ".")
		if ok && !slices.Contains(p.Domains, domain) && strings.Contains(domain, ".") {
			addDomains(d, &others, others.Place, domain)
			others.Guesses = append(others.Guesses, "the domain "+domain+", from the name of the host")
			finish(d, others)
		}
		d.Lose(others.Place, "the servers of IMAP_HOSTNAME and the like are told to every domain that is not in "+
			"CUSTOM_DOMAINS: if you host others, list them under domains of a provider with these servers")
	}, "IMAP_HOSTNAME", "SMTP_HOSTNAME"),
}
