package mobileconfig

import (
	"context"
	"testing"

	"signpost/account"
)

// testService is the service's own name in tests.
const testService = "setup.mamutmail.com"

var (
	password = []account.Authentication{account.PasswordCleartext}
	token    = []account.Authentication{account.OAuth2Auth}
	byItself = account.Login{Username: account.EmailAddress}
)

func server(t account.ServerType, host string, socket account.SocketType) account.Server {
	return account.Server{Type: t, Hostname: host, Port: account.DefaultPort(t, socket), SocketType: socket,
		Authentication: password, Login: byItself}
}

func web(t account.ServerType, url string) account.Server {
	return account.Server{Type: t, URL: url, Authentication: password, Login: byItself, PastDays: 7}
}

func withLogin(s account.Server, domain, user string) account.Server {
	s.Login = account.Login{DomainName: domain, Username: user}
	return s
}

func withMethods(s account.Server, methods ...account.Authentication) account.Server {
	s.Authentication = methods
	return s
}

// Providers that show one thing each. Those of the example systems come from
// LoadProviders.
var (
	hostedExchange = &account.Provider{ID: "exchange", DisplayName: "Example Exchange", Servers: []account.Server{
		withLogin(web(account.ActiveSync, "https://ex.example.com/Microsoft-Server-ActiveSync"),
			"hosting01", "%EMAILLOCALPART%_%EMAILDOMAIN%"),
	}}
	ownDomain = &account.Provider{ID: "own", DisplayName: "Egna Domäner & Co", Servers: []account.Server{
		server(account.IMAP, "mail.%EMAILDOMAIN%", account.SSL),
		server(account.POP3, "mail.%EMAILDOMAIN%", account.SSL),
		server(account.SMTP, "mail.%EMAILDOMAIN%", account.STARTTLS),
	}}
	tokenExchange = &account.Provider{ID: "token", DisplayName: "KH Consulting", Servers: []account.Server{
		withMethods(web(account.ActiveSync, "https://outlook.office365.com/Microsoft-Server-ActiveSync"), token...),
		withMethods(web(account.EWS, "https://outlook.office365.com/EWS/Exchange.asmx"), token...),
		withMethods(server(account.IMAP, "outlook.office365.com", account.SSL), token...),
		withMethods(server(account.SMTP, "smtp.office365.com", account.STARTTLS), token...),
	}}
	small = &account.Provider{ID: "small", DisplayName: "Example Mail", Servers: []account.Server{
		server(account.IMAP, "imap.example.se", account.SSL),
		server(account.SMTP, "smtp.example.se", account.SSL),
	}}
	popOnly = &account.Provider{ID: "pop-only", DisplayName: "Example POP", Servers: []account.Server{
		server(account.POP3, "pop.example.se", account.STARTTLS),
		server(account.SMTP, "smtp.example.se", account.STARTTLS),
	}}
	withDAV = &account.Provider{ID: "dav", DisplayName: "Example Mail", Servers: append(small.Servers[:2:2],
		web(account.CalDAV, "https://dav.example.se/calendars/%EMAILADDRESS%/"),
		web(account.CardDAV, "https://dav.example.se/addressbooks/%EMAILADDRESS%/"),
	)}
	groupware = &account.Provider{ID: "groupware", DisplayName: "Example Groupware", Servers: []account.Server{
		withLogin(web(account.ActiveSync, "https://ex.example.se/Microsoft-Server-ActiveSync"), "CORP", "%EMAILLOCALPART%"),
		withLogin(web(account.EWS, "https://ex.example.se/EWS/Exchange.asmx"), "CORP", "%EMAILLOCALPART%"),
		withLogin(server(account.IMAP, "ex.example.se", account.SSL), "CORP", "%EMAILLOCALPART%"),
		withLogin(server(account.SMTP, "ex.example.se", account.STARTTLS), "CORP", "%EMAILLOCALPART%"),
		web(account.CalDAV, "https://dav.%EMAILDOMAIN%:8443/"),
	}}
	odd = &account.Provider{ID: "odd", DisplayName: "100%EMAILADDRESS% & %%EMAILDOMAIN%%", Servers: []account.Server{
		func() account.Server {
			s := withLogin(server(account.IMAP, "in.%EMAILDOMAIN%", account.SSL), "A%EMAILDOMAIN%",
				"u&%EMAILLOCALPART%")
			s.Port, s.PathPrefix = 10993, "INBOX.%EMAILADDRESS%"
			return s
		}(),
		withMethods(server(account.SMTP, "out.example.se", account.SSL), account.PasswordEncrypted),
		func() account.Server {
			s := web(account.CardDAV, "https://[2001:db8::1]:8443/dav")
			s.PrincipalURL = "/principals/%EMAILADDRESS%/"
			return s
		}(),
	}}
)

// LoadProviders returns the providers of all example systems by "system/provider".
// Package mobileconfig_test sets it: internal/systems imports this package.
var LoadProviders func(t testing.TB) map[string]*account.Provider

// profile is a profile with a golden file.
type profile struct {
	file     string
	provider *account.Provider
	address  string
	options  Options
	os       []string // that can install it
}

// profiles returns all profiles that have golden files.
func profiles(t testing.TB) []profile {
	t.Helper()
	systems := LoadProviders(t)
	return append(fixtureProfiles,
		profile{"mamut-pop", systems["mamut/pop"], "info@domain.se", Options{}, both},
		profile{"mamut-business", systems["mamut/business-mail"], "mail@domain.se", Options{}, ios},
		profile{"websupport", systems["websupport/websupport"], "anna@kund.se", Options{}, both},
		profile{"onecom", systems["onecom/onecom"], "anna@kund.dk", Options{}, both},
	)
}

var fixtureProfiles = []profile{
	{"own-domain", ownDomain, "kalle@xn--rksmrgs-5wao1o.se", Options{Name: "Kalle Ek"}, both},
	{"office365", tokenExchange, "anna@kund.se", Options{}, ios},
	{"office365-mac", tokenExchange, "anna@kund.se", Options{Device: Mac}, macos},
	{"small", small, "anna@example.se", Options{Name: "Anna Ek"}, both},
	{"small-iphone", small, "anna@example.se", Options{Name: "Anna Ek", Device: Phone}, ios},
	{"small-mac", small, "anna@example.se", Options{Name: "Anna Ek", Device: Mac}, macos},
	{"small-unicode", small, "anna@example.se", Options{Name: "Åsa \"Öberg\" & Søn <日本> 😀"}, both},
	{"pop-only", popOnly, "anna@example.se", Options{Name: "Anna Ek"}, both},
	{"dav", withDAV, "anna@example.se", Options{Name: "Anna Ek"}, both},
	{"groupware", groupware, "anna@example.se", Options{}, ios},
	{"groupware-mac", groupware, "anna@example.se", Options{Device: Mac}, macos},
	{"groupware-mail-only", groupware, "anna@example.se", Options{MailOnly: true}, ios},
	{"odd", odd, "a&b@example.se", Options{Device: Phone}, ios},
}

var both, ios, macos = []string{"iOS", "macOS"}, []string{"iOS"}, []string{"macOS"}

func settings(t testing.TB, p *account.Provider, address string) account.Settings {
	t.Helper()
	a, err := account.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	return account.Settings{Address: a, Login: a, Provider: p, Servers: p.Servers}
}

// document returns a profile of the test service.
func document(t testing.TB, s account.Settings, o Options) []byte {
	t.Helper()
	o.Service = testService
	text, err := Document(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// hosting returns a resolver by domain.
func hosting(domains map[string]*account.Provider) account.Resolver {
	return func(_ context.Context, q account.Query) (account.Settings, error) {
		p, ok := domains[q.Address.Domain()]
		if !ok {
			return account.Settings{}, account.ErrUnknownDomain
		}
		return account.Settings{Address: q.Address, Login: q.Address, Provider: p, Servers: p.ServersFor(q.Client)}, nil
	}
}
