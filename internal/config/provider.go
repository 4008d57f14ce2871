package config

import (
	"slices"
	"strings"
	"unicode/utf8"

	"signpost/account"
	"signpost/internal/directory"
)

// provider is a provider while it is being read.
type provider struct {
	account.Provider
	domains, mx []string
	servers     []*server
	passwords   bool
	at          *value
	given       given
}

var providerKeys = keys[provider]{
	"id":               func(p *provider, v *value) { p.ID, _ = v.word() },
	"displayName":      func(p *provider, v *value) { p.DisplayName, _ = v.label(60) },
	"displayShortName": func(p *provider, v *value) { p.DisplayShortName, _ = v.label(20) },
	"domains":          func(p *provider, v *value) { readDomains(p, v) },
	"mx":               readMX,
	"servers": func(p *provider, v *value) {
		for item := range v.list("servers") {
			if s, ok := readServer(item); ok {
				p.servers = append(p.servers, s)
			}
		}
	},
	"webmail":       func(p *provider, v *value) { p.Webmail, _ = v.url(pageURL) },
	"documentation": readDocumentation,
	"support":       readSupport,
	"notices":       readNotices,
	"oAuth2":        readOAuth2,
	"passwords":     func(p *provider, v *value) { v.boolean(&p.passwords) },
	"autodiscover":  readHandOver,
	"aliasLogin": func(p *provider, v *value) {
		way, _ := choice(v, "address or mailbox", []string{"address", "mailbox"})
		p.AliasSignsInAsMailbox = way == "mailbox"
	},
}

// readProvider reads a provider and records what of it does not fit together.
func readProvider(v *value) (*provider, bool) {
	p := &provider{passwords: true, at: v}
	has, ok := providerKeys.read(v, p)
	if !ok {
		return nil, false
	}
	p.given = has
	v.require(has, "id", "displayName")
	if has["autodiscover"] == nil {
		v.require(has, "servers")
	}
	if has["displayShortName"] == nil {
		p.DisplayShortName = shorten(p.DisplayName, 20)
	}
	for _, s := range p.servers {
		s.settleAuthentication(has["oAuth2"] != nil, p.passwords)
	}
	p.settleServers()
	p.suspect()
	return p, true
}

// settleServers makes the complete list of servers for all, and one for each
// client that signs in otherwise somewhere.
func (p *provider) settleServers() {
	for _, s := range p.servers {
		p.Servers = append(p.Servers, s.Server)
	}
	for i, s := range p.servers {
		for client, login := range s.clients {
			if p.Exceptions == nil {
				p.Exceptions = map[account.Client][]account.Server{}
			}
			if p.Exceptions[client] == nil {
				p.Exceptions[client] = slices.Clone(p.Servers)
			}
			p.Exceptions[client][i].Login = login
		}
	}
}

// finished is a copy, as a pointer into p would keep all that was read alive.
func (p *provider) finished() directory.Provider {
	finished := p.Provider
	return directory.Provider{Provider: &finished, Domains: p.domains, MX: p.mx}
}

// shorten cuts a name at the last space that leaves at most so many characters.
func shorten(name string, most int) string {
	if utf8.RuneCountInString(name) <= most {
		return name
	}
	runes := []rune(name)[:most+1]
	if space := strings.LastIndexByte(string(runes), ' '); space > 0 {
		return strings.TrimRight(string(runes)[:space], " ")
	}
	return string(runes[:most])
}

var documentationKeys = keys[account.Documentation]{
	"url":   func(d *account.Documentation, v *value) { d.URL, _ = v.url(pageURL) },
	"descr": func(d *account.Documentation, v *value) { d.Titles = v.texts("a title") },
}

func readDocumentation(p *provider, v *value) {
	for item := range v.list("pages, each {url: …, descr: {en: …}}") {
		var page account.Documentation
		if has, ok := documentationKeys.read(item, &page); ok {
			item.require(has, "url", "descr")
			p.Documentation = append(p.Documentation, page)
		}
	}
}

var oAuth2Keys = keys[account.OAuth2]{
	"issuer": func(o *account.OAuth2, v *value) {
		text, ok := v.text("a host name or URL")
		if ok && !strings.Contains(text, "://") {
			o.Issuer, _ = v.host(false)
		} else if ok {
			o.Issuer, _ = v.url(tokenURL)
		}
	},
	"scope": func(o *account.OAuth2, v *value) {
		for item := range v.oneOrList("scopes") {
			text, _ := item.text("scopes with spaces between them")
			for _, scope := range strings.Fields(text) {
				// RFC 6749 §3.3.
				if strings.ContainsFunc(scope, func(r rune) bool { return r < '!' || r > '~' || r == '"' || r == '\\' }) {
					item.fault("%s is not a scope", quote(scope))
				}
				o.Scopes = append(o.Scopes, scope)
			}
		}
	},
	"authURL":  func(o *account.OAuth2, v *value) { o.AuthURL, _ = v.url(tokenURL) },
	"tokenURL": func(o *account.OAuth2, v *value) { o.TokenURL, _ = v.url(tokenURL) },
}

func readOAuth2(p *provider, v *value) {
	p.OAuth2 = &account.OAuth2{}
	if has, ok := oAuth2Keys.read(v, p.OAuth2); ok {
		v.require(has, "issuer", "scope", "authURL", "tokenURL")
	}
}
