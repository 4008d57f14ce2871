package config

import (
	"cmp"
	"slices"
	"strings"

	"signpost/account"
	"signpost/mobileconfig"
)

// server is a server while it is being read.
type server struct {
	account.Server
	clients   map[account.Client]account.Login
	passwords bool // the key passwords, if has names it
	at        *value
	has       present
}

var serverKeys = keys[server]{
	"type":               func(s *server, v *value) { s.Type = choice(v, "a server type", account.ServerTypes) },
	"hostname":           func(s *server, v *value) { s.Hostname = v.host(account.EmailDomain, account.MailHost) },
	"port":               func(s *server, v *value) { s.Port = v.number(1, 65535) },
	"socketType":         func(s *server, v *value) { s.SocketType = choice(v, "a socket type", socketTypes) },
	"url":                func(s *server, v *value) { s.URL = v.url(serverURL) },
	"username":           func(s *server, v *value) { s.Login.Username = v.username() },
	"domainName":         func(s *server, v *value) { s.Login.DomainName = v.domainName() },
	"authentication":     readAuthentication,
	"passwords":          func(s *server, v *value) { s.passwords = v.boolean() },
	"clients":            readClients,
	"pathPrefix":         func(s *server, v *value) { s.PathPrefix = v.text("a folder, such as INBOX.") },
	"pastDays":           readPastDays,
	"principalURL":       func(s *server, v *value) { s.PrincipalURL = v.url(serverURL) },
	"answerWithoutLogin": func(s *server, v *value) { s.AnswerWithoutLogin = v.boolean() },
	"exchangeEntries":    func(s *server, v *value) { s.ExchangeEntries = v.boolean() },
	"restURL":            func(s *server, v *value) { s.RestURL = v.url(serverURL) },
	"graphURL":           func(s *server, v *value) { s.GraphURL = v.url(serverURL) },
	"exchangeVersion": func(s *server, v *value) {
		s.ExchangeVersion = choice(v, "a version of Exchange Web Services", account.ExchangeVersions)
	},
}

var (
	socketTypes     = []account.SocketType{account.SSL, account.STARTTLS, account.Plain}
	authentications = []account.Authentication{
		account.PasswordCleartext, account.PasswordEncrypted, account.NTLM,
		account.GSSAPI, account.TLSClientCert, account.OAuth2Auth, account.NoAuthentication, account.ClientIPAddress,
	}
)

func readAuthentication(s *server, v *value) {
	for item := range v.oneOrList("authentication methods") {
		method := choice(item, "an authentication method", authentications)
		if method == "" {
			continue
		}
		if slices.Contains(s.Authentication, method) {
			item.fault("%s is listed twice", method)
		}
		s.Authentication = append(s.Authentication, method)
	}
}

var loginKeys = keys[account.Login]{
	"username":   func(l *account.Login, v *value) { l.Username = v.username() },
	"domainName": func(l *account.Login, v *value) { l.DomainName = v.domainName() },
}

// readClients reads the clients that have a login of their own.
func readClients(s *server, v *value) {
	if !v.is(mapping, "a mapping of clients to logins") {
		return
	}
	s.clients = map[account.Client]account.Login{}
	names := texts(account.Clients)
	for key, item := range v.entries() {
		if !slices.Contains(names, key.text) {
			v.faultAt(key.line, "unknown client %s%s", quote(key.text), didYouMean(key.text, names))
			continue
		}
		login := account.Login{Username: account.EmailAddress}
		if has := loginKeys.read(item, &login); has != nil && len(item.items) == 0 {
			item.fault("has neither username nor domainName")
		}
		s.clients[account.Client(key.text)] = login
	}
}

// readPastDays reads one of the periods that Apple's payload allows.
func readPastDays(s *server, v *value) {
	s.PastDays = v.number(0, 31)
	if !slices.Contains(mobileconfig.PastDays, s.PastDays) {
		v.fault("%d is not one of 0 (all), 1, 3, 7, 14, 31", s.PastDays)
	}
}

// restricted lists the keys that only some types have, and why the others do not.
var restricted = []struct {
	key    string
	types  func(account.ServerType) bool
	reason string
}{
	{"hostname", byHost, "url names the server"},
	{"port", byHost, "url names the port"},
	{"socketType", byHost, "https is always encrypted"},
	{"url", account.ServerType.HasURL, "hostname, port and socketType name the server"},
	{"pathPrefix", is(account.IMAP), "only imap has it"},
	{"pastDays", is(account.ActiveSync), "only activesync has it"},
	{"principalURL", is(account.CalDAV, account.CardDAV), "only caldav and carddav have it"},
	{"answerWithoutLogin", is(account.ActiveSync, account.EWS), "only activesync and ews have it"},
	{"exchangeEntries", is(account.EWS), "only ews has it"},
	{"exchangeVersion", is(account.EWS), "only ews has it"},
	{"restURL", is(account.EWS), "only ews has it"},
	{"graphURL", is(account.EWS), "only ews has it"},
}

func byHost(t account.ServerType) bool { return !t.HasURL() }

func is(types ...account.ServerType) func(account.ServerType) bool {
	return func(t account.ServerType) bool { return slices.Contains(types, t) }
}

// readServer reads a server and checks all that does not depend on its provider. It
// returns nil if the type is not valid.
func readServer(v *value) *server {
	s := &server{at: v, Server: account.Server{Login: account.Login{Username: account.EmailAddress}}}
	s.has = serverKeys.read(v, s, "type")
	if s.Type == "" {
		return nil
	}
	for _, r := range restricted {
		if at := s.has[r.key]; at != nil && !r.types(s.Type) {
			at.fault("does not apply to type %s: %s", s.Type, r.reason)
		}
	}
	for _, a := range s.Authentication {
		if (a == account.NoAuthentication || a == account.ClientIPAddress) && s.Type != account.SMTP {
			s.has["authentication"].fault("%s is for relays: only smtp has it", a)
		}
	}
	address := "hostname"
	if s.Type.HasURL() {
		address = "url"
	}
	if s.has[address] == nil && !v.partial {
		v.fault("%s is missing", address)
	}
	if !s.Type.HasURL() {
		s.completeConnection()
	}
	if s.Type == account.ActiveSync && s.has["pastDays"] == nil {
		s.PastDays = mobileconfig.DefaultPastDays
	}
	return s
}

// completeConnection sets the port and socket type that the file leaves out. Implicit
// TLS is the default (RFC 8314 §3), except on the usual ports for STARTTLS, where it
// hardly ever works.
func (s *server) completeConnection() {
	if s.has["socketType"] == nil {
		s.SocketType = account.SSL
		if s.Type == account.ManageSieve || s.Port == account.DefaultPort(s.Type, account.STARTTLS) || s.Port == 25 {
			s.SocketType = account.STARTTLS
		}
	}
	if s.has["port"] == nil && s.SocketType != "" {
		s.Port = account.DefaultPort(s.Type, s.SocketType)
		if s.Port == 0 {
			s.at.fault("port is missing: %s has no usual port for socketType %s", s.Type, s.SocketType)
		}
	}
}

// completeAuthentication adds the methods that follow from the provider's keys oAuth2
// and passwords, and checks the others against them. The server's own key passwords
// has priority. A list of methods is told as it stands: a server that lists OAuth2
// alone may have no passwords.
func (s *server) completeAuthentication(oAuth2, passwords bool) {
	at := cmp.Or(s.has["authentication"], s.at)
	if s.has["passwords"] != nil {
		passwords = s.passwords
	}
	switch {
	case at != s.at:
	case passwords:
		s.Authentication = []account.Authentication{account.PasswordCleartext}
	default:
		s.Authentication = []account.Authentication{account.OAuth2Auth}
	}
	usesOAuth2 := slices.Contains(s.Authentication, account.OAuth2Auth) && !s.HasKnownOAuth2()
	if usesOAuth2 && !oAuth2 {
		at.warn("OAuth2 without the provider's key oAuth2: most clients know where to get a token " +
			"for the largest services only")
	}
	password := slices.IndexFunc(s.Authentication, isPassword)
	switch {
	case !passwords && password >= 0:
		at.fault("%s is a password, but passwords is false here", s.Authentication[password])
	case passwords && password < 0 && usesOAuth2 && oAuth2:
		// Thunderbird's readAuthentication drops such a server.
		at.warn("most clients know OAuth2 for the largest services only and ignore a server with nothing else; " +
			"add password-cleartext, or confirm it with passwords: false")
	}
}

func isPassword(a account.Authentication) bool {
	return a == account.PasswordCleartext || a == account.PasswordEncrypted || a == account.NTLM
}

// username reads a user name with placeholders. Of two ways to write the address, it
// returns the one that the autoconfig format has a placeholder for.
func (v *value) username() string {
	text := v.text("a user name")
	if !v.placeholders(text, allPlaceholders...) {
		return ""
	}
	if strings.Contains(text, `\`) {
		v.fault(`%s contains a backslash; write the part before it under domainName`, quote(text))
	}
	return strings.ReplaceAll(text, account.EmailLocalPart+"@"+account.EmailDomain, account.EmailAddress)
}

// domainName reads an NT domain, the part of a login before the backslash.
func (v *value) domainName() string {
	text := v.text("an NT domain")
	if v.placeholders(text) && strings.ContainsAny(text, `\@/ `) {
		v.fault("%s is not an NT domain: write only the name before the backslash", quote(text))
	}
	return text
}
