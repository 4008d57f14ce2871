package format

import (
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// automxKinds are the services that a section can have. Where a domain has several, automx 3
// tells them in the order of this list, and automx 1 in that of the file.
var automxKinds = []string{"imap", "pop", "smtp", "managesieve", "jmap", "ews", "activesync", "caldav", "carddav",
	"webdav", "rest", "graph", "oab", "actions", "ox"}

// automxService splits a key of a service: imap_port is the port of imap.
func automxService(key string) (kind, option string, ok bool) {
	kind, option, _ = strings.Cut(key, "_")
	return kind, option, slices.Contains(automxKinds, kind)
}

// isOfAutomx3 reports whether automx 1 does not know a key.
func isOfAutomx3(key string) bool {
	kind, option, ok := automxService(key)
	return ok && (option == "url" || option == "server_location" || slices.Index(automxKinds, kind) > 2 &&
		!slices.Contains([]string{"caldav", "carddav", "ox"}, kind)) ||
		slices.Contains([]string{"autodiscover_v2", "help_url", "help_email", "allow_insecure"}, key) ||
		strings.HasPrefix(key, "oauth_") || strings.HasPrefix(key, "mobileconfig_")
}

// settings adds the product of a domain.
func (a automx) settings(answer automxAnswer) {
	s := &iniSection{name: answer.first.name, line: answer.first.line, keys: answer.keys}
	value := func(key string) string { return s.keys[key].text }
	p := draft.Product{Place: draft.Place{File: a.file.Path, Line: s.line}}
	addDomains(a.d, &p, p.Place, answer.domain)
	setNames(a.d, &p, a.at(s, "account_name"), value("account_name"), value("account_name_short"))
	if url := value("help_url"); url != "" {
		if clean, problem := pageURL(url); problem != "" {
			a.d.Lose(a.at(s, "help_url"), "help_url: %s", problem)
		} else {
			p.Provider.Documentation = append(p.Provider.Documentation, account.Documentation{URL: clean,
				Titles: []account.Title{{Language: "en", Text: "Help"}}})
		}
	}
	a.oAuth2(s, &p)
	if a.three {
		slices.SortStableFunc(answer.services, func(one, other automxServer) int {
			return slices.Index(automxKinds, one.kind) - slices.Index(automxKinds, other.kind)
		})
	}
	before := len(a.d.Products)
	a.userNames(answer)
	for _, one := range answer.services {
		a.server(one, &p)
	}
	if url := value("server_url"); url != "" {
		phones := service{at: a.at(s, "server_url"), name: "server_url", kind: "activesync",
			url: placeholder.Replace(url)}
		phones.add(a.d, &p)
	}
	finish(a.d, p)
	if answer.source != nil && len(a.d.Products) > before {
		a.asked(answer.source, a.d.Products[before].Domains)
	}
}

// isOn reports whether a value is one of automx's words for yes.
func isOn(text string) bool {
	return slices.Contains([]string{"yes", "true", "on", "1", "y", "t"}, strings.ToLower(text))
}

// server reads the keys of a service: imap_server, imap_port and so on.
func (a automx) server(s automxServer, p *draft.Product) {
	kind := s.kind
	value := func(option string) string { return s.section.keys[kind+"_"+option].text }
	one := service{at: a.at(s.section, kind), name: kind, kind: kind,
		host: placeholder.Replace(value("server")), port: value("port"), socket: value("encryption"),
		url: placeholder.Replace(value("url")), methods: automxList(value("auth")),
		username: placeholder.Replace(value("auth_identity")), domain: placeholder.Replace(value("domain_name"))}
	auto := strings.EqualFold(one.socket, "auto")
	if auto {
		one.socket = ""
	}
	if one.username == "" && !a.three {
		one.username = account.EmailLocalPart // "(no default)" in its manual, but config.py takes %u
	}
	if strings.Contains(one.username, "${") {
		if !a.hasSource(s.section) {
			a.d.Lose(a.at(s.section, kind+"_auth_identity"), "%s_auth_identity = %s: write the source of the user "+
				"name under accounts", kind, value("auth_identity"))
		}
		one.username = account.EmailAddress // of mailboxes that the source does not know
	}
	before := len(p.Provider.Servers)
	one.add(a.d, p)
	if auto && len(p.Provider.Servers) > before {
		p.Guesses = append(p.Guesses, "the encryption of "+kind+", by its port; automx has auto")
	}
}

// nameUnknown names the keys of a section that have no equivalent, the first time that the
// section is used. Those of [DEFAULT] are named there.
func (a automx) nameUnknown(s *iniSection) {
	if a.told[s] {
		return
	}
	a.told[s] = true
	for _, key := range keysOf(s) {
		v := s.keys[key]
		kind, option, isService := automxService(key)
		switch {
		case v.inherited, isService && (!slices.Contains(automxUnknown, option) || !isOn(s.keys[kind].text)),
			slices.Contains(automxKnown, key), strings.HasPrefix(key, "oauth_"):
			continue
		case key == "sign_cert", key == "sign_key":
			a.signs(v)
			continue
		}
		a.d.Lose(a.at(s, key), "%s has no equivalent", key)
	}
}

// automxKnown are the keys that are read, that Signpost does by itself, or that belong to a
// backend, which is named as a whole.
var automxKnown = strings.Fields(`
	account_name account_name_short account_type action allow_insecure backend follow help_url server_name server_url
	sign_mobileconfig sign_more_certs
	autoconfig autodiscover mobileconfig script separator result_attrs section_filter host query
	base bindmethod binddn bindpw saslmech authzid filter scope usetls cipher reqcert cert key cacert`)

// automxUnknown are what services can say besides.
var automxUnknown = []string{"expiration_date", "refresh_ttl", "server_location"}

// placeholder translates automx's placeholders. automx 3 has Mozilla's besides, which are like ours.
var placeholder = strings.NewReplacer(account.EmailAddress, account.EmailAddress,
	account.EmailLocalPart, account.EmailLocalPart, account.EmailDomain, account.EmailDomain,
	"%s", account.EmailAddress, "%u", account.EmailLocalPart, "%d", account.EmailDomain)

func (a automx) oAuth2(s *iniSection, p *draft.Product) {
	value := func(key string) string { return s.keys["oauth_"+key].text }
	o := &account.OAuth2{Issuer: value("issuer"), Scopes: automxList(value("scope")), AuthURL: value("auth_url"),
		TokenURL: value("token_url"), ClientID: value("client_id")}
	switch {
	case o.Issuer == "" && o.AuthURL == "":
	case !complete(o):
		a.d.Lose(a.at(s, "oauth_issuer"),
			"oauth_*: issuer, scope, auth_url and token_url are needed, the last two with https")
	default:
		p.Provider.OAuth2 = o
	}
}
