package config

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"signpost/account"
)

// provider is a provider while it is being read.
type provider struct {
	account.Provider
	domains, mx []string
	aliases     map[string]string // other names of domains
	aliasItems  []domainItem
	files       []fileDomains
	servers     []*server
	sharedWith  *value // of the key of, whose provider has the servers
	noPasswords bool   // the key passwords is false
	at          *value
	has         present
}

var providerKeys = keys[provider]{
	"id":               func(p *provider, v *value) { p.ID = v.word() },
	"displayName":      func(p *provider, v *value) { p.DisplayName = v.label(60) },
	"displayShortName": func(p *provider, v *value) { p.DisplayShortName = v.label(20) },
	"domains":          readDomains,
	"mx":               readMX,
	"mailHost":         func(p *provider, v *value) { p.MailHost = v.host() },
	"servers":          readServers,
	"webmail":          func(p *provider, v *value) { p.Webmail = v.url(pageURL) },
	"logo":             func(p *provider, v *value) { p.Logo = v.url(tokenURL) },
	"developer":        func(p *provider, v *value) { p.Developer = v.url(pageURL) },
	"documentation": func(p *provider, v *value) {
		p.Documentation = mappings(v, "pages, each {url: …, descr: {en: …}}", documentationKeys, "url")
	},
	"support": func(p *provider, v *value) { supportKeys.read(v, &p.Support) },
	"notices": readNotices,
	"oAuth2": func(p *provider, v *value) {
		p.OAuth2 = &account.OAuth2{}
		oAuth2Keys.read(v, p.OAuth2, "issuer", "scope", "authURL", "tokenURL")
	},
	"passwords":    func(p *provider, v *value) { p.noPasswords = v.either("true", "false") == "false" },
	"autodiscover": readRedirect,
	"idnLogin":     func(p *provider, v *value) { p.UnicodeLogin = v.either("ascii", "unicode") == "unicode" },
	"aliasLogin": func(p *provider, v *value) {
		p.AliasSignsInAsMailbox = v.either("address", "mailbox") == "mailbox"
	},
	"withoutAddress": func(p *provider, v *value) {
		p.NothingWithoutAddress = v.either("ordinary", "nothing") == "nothing"
	},
}

// readProvider reads a provider and checks that its parts fit together.
func readProvider(v *value) *provider {
	p := &provider{at: v}
	p.has = providerKeys.read(v, p, "id", "displayName")
	if p.has == nil {
		return p
	}
	if p.has["autodiscover"] == nil && p.has["servers"] == nil && !v.partial {
		v.fault("servers is missing")
	}
	if p.has["displayShortName"] == nil {
		p.DisplayShortName = shorten(p.DisplayName, 20)
	}
	return p
}

// readServers reads the list of servers, or the provider that has it.
func readServers(p *provider, v *value) {
	if v.kind == mapping && slices.ContainsFunc(v.items, func(n node) bool { return n.text == "of" }) {
		sharedKeys.read(v, p)
		return
	}
	for item := range v.list("servers") {
		if s := readServer(item); s != nil {
			p.servers = append(p.servers, s)
		}
	}
}

var sharedKeys = keys[provider]{"of": func(p *provider, v *value) { p.sharedWith = v }}

// share copies the servers of another provider to those that share them.
func (l *loader) share() {
	for _, p := range l.providers {
		if p.sharedWith == nil {
			continue
		}
		id := p.sharedWith.word()
		switch other := l.byID[id]; {
		case id == "":
		case other == nil:
			p.sharedWith.fault("there is no provider %s%s", quote(id), didYouMean(id, slices.Sorted(maps.Keys(l.byID))))
		case other == p:
			p.sharedWith.fault("is this provider itself; list its servers")
		case other.sharedWith != nil:
			p.sharedWith.fault("%s has the servers of another provider, too; name that provider", quote(id))
		default:
			for _, s := range other.servers {
				p.servers = append(p.servers, new(*s))
			}
		}
	}
}

// complete adds to the servers what the other keys of the provider say, and checks them.
func (p *provider) complete() {
	for _, s := range p.servers {
		s.completeAuthentication(p.has["oAuth2"] != nil, !p.noPasswords)
		p.Servers = append(p.Servers, s.Server)
	}
	p.addExceptions()
	p.checkServers()
	p.checkMailHost()
}

// checkMailHost checks that the placeholder and what it stands for otherwise come together.
func (p *provider) checkMailHost() {
	uses := func(s *server) bool {
		return strings.Contains(s.Hostname+s.URL+s.PrincipalURL+s.RestURL+s.GraphURL, account.MailHost)
	}
	i := slices.IndexFunc(p.servers, uses)
	switch at := p.has["mailHost"]; {
	case i >= 0 && at == nil:
		p.servers[i].at.fault("%s needs mailHost of the provider: the host of mailboxes of which "+
			"no source knows theirs",
			account.MailHost)
	case i < 0 && at != nil:
		at.warn("has no effect: no server has %s", account.MailHost)
		p.MailHost = ""
	}
}

// addExceptions makes a complete list of servers for each client that has a login of
// its own on one of them.
func (p *provider) addExceptions() {
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
	"url":   func(d *account.Documentation, v *value) { d.URL = v.url(pageURL) },
	"descr": func(d *account.Documentation, v *value) { d.Titles = v.texts("a title") },
}

var oAuth2Keys = keys[account.OAuth2]{
	"issuer": func(o *account.OAuth2, v *value) {
		if v.kind == scalar && strings.Contains(v.node.text, "://") {
			o.Issuer = v.url(tokenURL)
			return
		}
		o.Issuer = v.host()
	},
	"scope": func(o *account.OAuth2, v *value) {
		for item := range v.oneOrList("scopes") {
			for scope := range strings.FieldsSeq(item.text("scopes with spaces between them")) {
				// A scope cannot have these characters (RFC 6749 §3.3).
				if strings.ContainsFunc(scope,
					func(r rune) bool { return r < '!' || r > '~' || r == '"' || r == '\\' }) {
					item.fault("%s is not a scope", quote(scope))
				}
				o.Scopes = append(o.Scopes, scope)
			}
		}
	},
	"authURL":  func(o *account.OAuth2, v *value) { o.AuthURL = v.url(tokenURL) },
	"tokenURL": func(o *account.OAuth2, v *value) { o.TokenURL = v.url(tokenURL) },
	"clientID": func(o *account.OAuth2, v *value) { o.ClientID = v.text("the id of a public client") },
}
