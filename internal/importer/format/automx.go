package format

import (
	"bytes"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// automxINI is the configuration of automx 1 (doc/txt/automx.conf.5.txt) and automx 3
// (docs/configuration.md). Both are files of Python's configparser with mostly the same keys.
var automxINI = Format{
	Name:  "automx",
	Title: "automx's configuration",
	Is:    func(f File) bool { return bytes.Contains(f.Data, []byte("[automx]")) },
	Read: func(files []File, d *draft.Draft) error {
		for _, f := range files {
			if err := readAutomx(f, d); err != nil {
				return err
			}
		}
		return nil
	},
}

// automx is a configuration that is being read.
type automx struct {
	file     File
	d        *draft.Draft
	sections map[string]*iniSection
}

func readAutomx(f File, d *draft.Draft) error {
	sections, err := readINI(f)
	if err != nil {
		return err
	}
	a := automx{f, d, map[string]*iniSection{}}
	for _, s := range sections {
		a.sections[s.name] = s
	}
	main := a.sections["automx"]
	if main == nil {
		return faultAt(f.Path, 1, "there is no section [automx]")
	}
	if defaults := a.sections["DEFAULT"]; defaults != nil {
		for _, s := range sections {
			for key, v := range defaults.keys {
				if _, own := s.keys[key]; !own {
					s.keys[key] = v
				}
			}
		}
	}
	a.service(main)
	any := false
	isSeparator := func(r rune) bool { return strings.ContainsRune(", \t\n", r) }
	for _, name := range strings.FieldsFunc(main.keys["domains"].text, isSeparator) {
		if name == "*" {
			any = true
			d.Lose(a.at(main, "domains"), "domains = *: list the domains that you host; a service that answers any "+
				"domain tells its servers to strangers' customers")
			continue
		}
		if err := a.domain(name); err != nil {
			return err
		}
	}
	if any && len(d.Products) == 0 {
		return faultAt(f.Path, main.keys["domains"].line,
			"domains = * names no domain: write those that you host in its place, and import again")
	}
	return nil
}

func (a automx) at(s *iniSection, key string) draft.Place {
	line := s.line
	if v, ok := s.keys[key]; ok {
		line = v.line
	}
	return draft.Place{File: a.file.Path, Line: line}
}

// service reads the keys of the section [automx].
func (a automx) service(s *iniSection) {
	for _, key := range slices.Sorted(slices.Values(keysOf(s))) {
		v := s.keys[key]
		switch key {
		case "domains", "provider":
		case "mobileconfig_signing_certificate", "mobileconfig_signing_key":
			a.d.Hints = append(a.d.Hints, "profiles.certificate and profiles.key sign Apple profiles; automx has "+v.text)
		case "memcache", "memcache_ttl", "client_error_limit", "rate_limit_exception_networks":
			a.d.Lose(a.at(s, key), "%s: Signpost limits requests by itself, see limits", key)
		case "autodiscover_v2", "mobileconfig_sign":
		default:
			if defaults := a.sections["DEFAULT"]; defaults != nil && defaults.keys[key] == v {
				continue
			}
			a.d.Lose(a.at(s, key), "%s has no equivalent", key)
		}
	}
}

func keysOf(s *iniSection) []string {
	var keys []string
	for key := range s.keys {
		keys = append(keys, key)
	}
	return keys
}

// maxFollow is how many sections may follow one another (automx 3).
const maxFollow = 16

// domain reads the settings of a domain: its own section, which may follow another, or [global].
func (a automx) domain(name string) error {
	s := a.sections[name]
	if s == nil {
		s = a.sections["global"]
	}
	if s == nil {
		a.d.Lose(a.at(a.sections["automx"], "domains"), "%s has neither a section of its own nor [global]", name)
		return nil
	}
	merged := &iniSection{name: s.name, line: s.line, keys: map[string]iniValue{}}
	for n, from := 0, s; from != nil; n++ {
		if n > maxFollow {
			return faultAt(a.file.Path, s.line, "the sections that [%s] follows lead in a circle", s.name)
		}
		for key, v := range from.keys {
			if _, ok := merged.keys[key]; !ok {
				merged.keys[key] = v
			}
		}
		next := from.keys["follow"].text
		if next == "" && from.keys["backend"].text == "global" && from.name != "global" {
			next = "global"
			delete(merged.keys, "backend")
		}
		if next == "" {
			break
		}
		if a.sections[next] == nil {
			return faultAt(a.file.Path, s.line, "there is no section [%s], which [%s] follows", next, from.name)
		}
		from = a.sections[next]
	}
	return a.settings(name, merged)
}

// settings reads the settings of a section for a domain.
func (a automx) settings(name string, s *iniSection) error {
	value := func(key string) string { return s.keys[key].text }
	switch backend := value("backend"); backend {
	case "", "static", "global":
	case "file":
		a.d.Lose(a.at(s, "autoconfig"), "%s is told what the file %s says: import that, too", name, value("autoconfig"))
		return nil
	case "sql":
		a.d.Lose(a.at(s, "query"), "the query of %s, which gives user names: write it under accounts, as sql; "+
			"the query is %q, and the password of the database is left out", name, value("query"))
	case "ldap":
		a.d.Lose(a.at(s, "filter"), "the search of %s, which gives user names: write it under accounts, as ldap; "+
			"the base is %q, the filter %q, and the password is left out", name, value("base"), value("filter"))
	default:
		a.d.Lose(a.at(s, "backend"), "%s has the backend %q, which has no equivalent", name, backend)
		return nil
	}
	p := draft.Product{Place: draft.Place{File: a.file.Path, Line: s.line}}
	addDomains(a.d, &p, p.Place, name)
	setNames(a.d, &p, a.at(s, "account_name"), value("account_name"), value("account_name_short"))
	if url, problem := plainURL(value("help_url")); problem == "" {
		p.Provider.Documentation = append(p.Provider.Documentation, account.Documentation{URL: url,
			Titles: []account.Title{{Language: "en", Text: "Help"}}})
	}
	a.oAuth2(s, &p)
	for _, kind := range []string{"imap", "pop", "smtp", "managesieve", "jmap", "ews", "activesync", "caldav", "carddav",
		"webdav", "rest", "graph", "oab", "actions"} {
		if isOn(value(kind)) {
			a.server(kind, s, &p)
		}
	}
	finish(a.d, p)
	return nil
}

func isOn(text string) bool {
	return slices.Contains([]string{"yes", "true", "on", "1"}, strings.ToLower(text))
}

// server reads the keys of a service: imap_server, imap_port and so on.
func (a automx) server(kind string, s *iniSection, p *draft.Product) {
	value := func(key string) string { return s.keys[kind+"_"+key].text }
	at := a.at(s, kind)
	one := service{at: at, name: kind, kind: kind, host: placeholder.Replace(value("server")), port: value("port"),
		socket: value("encryption"), url: placeholder.Replace(value("url")),
		username: placeholder.Replace(value("auth_identity"))}
	if strings.EqualFold(one.socket, "auto") {
		one.socket = ""
	}
	if strings.Contains(one.username, "${") {
		a.d.Lose(a.at(s, kind+"_auth_identity"),
			"%s_auth_identity = %s: the source of accounts gives the user name, see accounts", kind, value("auth_identity"))
		one.username = account.EmailAddress
	}
	for method := range strings.SplitSeq(value("auth"), ",") {
		if method = strings.TrimSpace(method); method != "" {
			one.methods = append(one.methods, method)
		}
	}
	one.domain = s.keys["service_domain_name"].text
	one.add(a.d, p)
}

// placeholder translates automx 1's placeholders. Those of automx 3 are Mozilla's, like ours.
var placeholder = strings.NewReplacer(account.EmailAddress, account.EmailAddress,
	account.EmailLocalPart, account.EmailLocalPart, account.EmailDomain, account.EmailDomain, "%s", account.EmailAddress, "%u", account.EmailLocalPart,
	"%d", account.EmailDomain, "%%", "%")

func (a automx) oAuth2(s *iniSection, p *draft.Product) {
	value := func(key string) string { return s.keys["oauth_"+key].text }
	o := &account.OAuth2{Issuer: value("issuer"), Scopes: strings.Fields(value("scope")), AuthURL: value("auth_url"),
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
