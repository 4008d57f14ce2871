package config

import (
	"slices"
	"strings"

	"signpost/account"
)

// server is a server while it is being read.
type server struct {
	account.Server
	clients map[account.Client]account.Login
	at      *value
	given   given
}

var serverKeys = keys[server]{
	"type":       func(s *server, v *value) { s.Type, _ = choice(v, "a server type", account.ServerTypes) },
	"hostname":   func(s *server, v *value) { s.Hostname, _ = v.host(true) },
	"port":       func(s *server, v *value) { s.Port, _ = v.number(1, 65535) },
	"socketType": func(s *server, v *value) { s.SocketType, _ = choice(v, "a socket type", socketTypes) },
	"url":        func(s *server, v *value) { s.URL, _ = v.url(serverURL) },
	"username":   func(s *server, v *value) { s.Login.Username, _ = v.username() },
	"domainName": func(s *server, v *value) { s.Login.DomainName, _ = v.domainName() },
	"authentication": func(s *server, v *value) {
		for item := range v.oneOrList("ways to sign in") {
			if way, ok := choice(item, "a way to sign in", authentications); ok {
				if slices.Contains(s.Authentication, way) {
					item.fault("%s is listed twice", way)
				}
				s.Authentication = append(s.Authentication, way)
			}
		}
	},
	"clients":            readClients,
	"pathPrefix":         func(s *server, v *value) { s.PathPrefix, _ = v.text("a folder, such as INBOX.") },
	"pastDays":           readPastDays,
	"principalURL":       func(s *server, v *value) { s.PrincipalURL, _ = v.url(serverURL) },
	"answerWithoutLogin": func(s *server, v *value) { v.boolean(&s.AnswerWithoutLogin) },
}

var (
	socketTypes     = []account.SocketType{account.SSL, account.STARTTLS, account.Plain}
	authentications = []account.Authentication{account.PasswordCleartext, account.PasswordEncrypted, account.NTLM,
		account.GSSAPI, account.TLSClientCert, account.OAuth2Auth}
)

var loginKeys = keys[account.Login]{
	"username":   func(l *account.Login, v *value) { l.Username, _ = v.username() },
	"domainName": func(l *account.Login, v *value) { l.DomainName, _ = v.domainName() },
}

// readClients reads the clients that sign in otherwise than the rest.
func readClients(s *server, v *value) {
	if !v.is(mapping, "a mapping of clients to logins") {
		return
	}
	s.clients = map[account.Client]account.Login{}
	names := make([]string, len(account.Clients))
	for i, client := range account.Clients {
		names[i] = string(client)
	}
	for key, item := range v.entries() {
		if !slices.Contains(names, key.text) {
			v.faultAt(key.line, "unknown client %s%s", quote(key.text), didYouMean(key.text, names))
			continue
		}
		login := account.Login{Username: account.EmailAddress}
		if _, ok := loginKeys.read(item, &login); ok && len(item.items) == 0 {
			item.fault("has neither username nor domainName")
		}
		s.clients[account.Client(key.text)] = login
	}
}

// readPastDays takes the periods that Apple's payload knows.
func readPastDays(s *server, v *value) {
	days, ok := v.number(0, 31)
	if ok && !slices.Contains([]int{0, 1, 3, 7, 14, 31}, days) {
		v.fault("%d is not one of 0 (all), 1, 3, 7, 14, 31", days)
	}
	s.PastDays = days
}

// onlyFor are the keys that not all types have, and what to do without.
var onlyFor = []struct {
	key   string
	types func(account.ServerType) bool
	cure  string
}{
	{"hostname", byHost, "it is named by url"},
	{"port", byHost, "it is named by url"},
	{"socketType", byHost, "it is named by url, and https is always encrypted"},
	{"url", account.ServerType.HasURL, "it is named by hostname, port and socketType"},
	{"pathPrefix", is(account.IMAP), "only imap has folders"},
	{"pastDays", is(account.ActiveSync), "only activesync has it"},
	{"principalURL", is(account.CalDAV, account.CardDAV), "only caldav and carddav have it"},
	{"answerWithoutLogin", is(account.ActiveSync), "only activesync has it"},
}

func byHost(t account.ServerType) bool { return !t.HasURL() }

func is(types ...account.ServerType) func(account.ServerType) bool {
	return func(t account.ServerType) bool { return slices.Contains(types, t) }
}

// readServer reads a server as far as it stands alone.
func readServer(v *value) (*server, bool) {
	s := &server{at: v, Server: account.Server{Login: account.Login{Username: account.EmailAddress}}}
	has, ok := serverKeys.read(v, s)
	if !ok {
		return nil, false
	}
	s.given = has
	v.require(has, "type")
	if s.Type == "" {
		return s, false
	}
	for _, rule := range onlyFor {
		if at := has[rule.key]; at != nil && !rule.types(s.Type) {
			at.fault("cannot be given for type %s: %s", s.Type, rule.cure)
		}
	}
	if s.Type.HasURL() {
		v.require(has, "url")
	} else {
		v.require(has, "hostname")
		s.connection()
	}
	if s.Type == account.ActiveSync && has["pastDays"] == nil {
		s.PastDays = 7 // Apple's own default
	}
	return s, true
}

// connection fills in what port and socket type leave open. TLS from the first
// byte is the default (RFC 8314 §3), except at the ports that are known for
// STARTTLS, where it mostly fails.
func (s *server) connection() {
	if s.given["socketType"] == nil {
		s.SocketType = account.SSL
		if s.Type == account.ManageSieve || s.Port == account.DefaultPort(s.Type, account.STARTTLS) || s.Port == 25 {
			s.SocketType = account.STARTTLS
		}
	}
	if s.given["port"] == nil && s.SocketType != "" {
		s.Port = account.DefaultPort(s.Type, s.SocketType)
		if s.Port == 0 {
			s.at.fault("port is missing: %s has no usual port for socketType %s", s.Type, s.SocketType)
		}
	}
}

// settleAuthentication completes the ways to sign in, which the provider has a
// say in.
func (s *server) settleAuthentication(oauth2, passwords bool) {
	at := s.given["authentication"]
	if at == nil {
		at = s.at
		s.Authentication = []account.Authentication{account.PasswordCleartext}
		if !passwords {
			s.Authentication = []account.Authentication{account.OAuth2Auth}
		}
	}
	switch {
	case oauth2 || !slices.Contains(s.Authentication, account.OAuth2Auth):
	case at == s.at:
		at.fault("passwords: false leaves OAuth2, which needs the provider's key oAuth2")
	default:
		at.fault("OAuth2 needs the provider's key oAuth2, which tells clients where to ask for a token")
	}
	password := slices.IndexFunc(s.Authentication, isPassword)
	switch {
	case !passwords && password >= 0:
		at.fault("%s is a password, but the provider has passwords: false", s.Authentication[password])
	case passwords && password < 0 && slices.Contains(s.Authentication, account.OAuth2Auth):
		// Most clients know OAuth2 for the largest services only and drop a
		// server that offers nothing else (Thunderbird's readAuthentication).
		s.Authentication = append(s.Authentication, account.PasswordCleartext)
	}
}

func isPassword(a account.Authentication) bool {
	return a == account.PasswordCleartext || a == account.PasswordEncrypted || a == account.NTLM
}

// username reads a user name with placeholders. Of two ways to write the
// address, the one that dialects know is kept.
func (v *value) username() (string, bool) {
	text, ok := v.text("a user name")
	switch {
	case !ok, !v.placeholders(text, allPlaceholders...):
		return "", false
	case strings.Contains(text, `\`):
		v.fault(`%s holds a backslash; what stands before it belongs under domainName`, quote(text))
		return "", false
	}
	return strings.ReplaceAll(text, account.EmailLocalPart+"@"+account.EmailDomain, account.EmailAddress), true
}

// domainName reads an NT domain, the part of a login before the backslash.
func (v *value) domainName() (string, bool) {
	text, ok := v.text("an NT domain")
	switch {
	case !ok, !v.placeholders(text):
		return "", false
	case strings.ContainsAny(text, `\@/ `):
		v.fault("%s is not an NT domain: write only the name before the backslash", quote(text))
		return "", false
	}
	return text, true
}
