package autoconfig

import (
	"testing"

	"signpost/account"
)

// Providers for the golden documents, each with something of its own. The example
// systems themselves are in testdata/config; TestSystems reads all of them.

const golden = "../testdata/golden/autoconfig/"

var (
	byAddress = account.Login{Username: account.EmailAddress}
	password  = []account.Authentication{account.PasswordCleartext}
)

func server(t account.ServerType, host string, port int, socket account.SocketType) account.Server {
	return account.Server{Type: t, Hostname: host, Port: port, SocketType: socket, Authentication: password,
		Login: byAddress}
}

func service(t account.ServerType, url string) account.Server {
	return account.Server{Type: t, URL: url, Authentication: password, Login: byAddress}
}

func with(s account.Server, change func(*account.Server)) account.Server {
	change(&s)
	return s
}

var small = &account.Provider{
	ID: "example", DisplayName: "Example Mail", DisplayShortName: "Example Mail",
	Servers: []account.Server{
		server(account.IMAP, "mail.example.se", 993, account.SSL),
		server(account.SMTP, "mail.example.se", 465, account.SSL),
	},
}

var mamutPOP = &account.Provider{
	ID: "pop", DisplayName: "Mamut E-post", DisplayShortName: "Mamut E-post",
	Servers: []account.Server{
		server(account.IMAP, "mamutmail.com", 993, account.SSL),
		server(account.POP3, "mamutmail.com", 995, account.SSL),
		server(account.SMTP, "mamutmail.com", 587, account.STARTTLS),
	},
	Webmail: "https://mamutmail.com",
}

var mamutBusiness = &account.Provider{
	ID: "business-mail", DisplayName: "Mamut Business Mail", DisplayShortName: "Business Mail",
	Servers: []account.Server{{
		Type: account.ActiveSync, URL: "https://mamutmail.com/Microsoft-Server-ActiveSync", Authentication: password,
		Login: account.Login{Username: "%EMAILLOCALPART%_%EMAILDOMAIN%", DomainName: "hosting01"},
	}},
	Webmail: "https://mamutmail.com",
}

var ownDomain = &account.Provider{
	ID: "own-domain", DisplayName: "Domain Host", DisplayShortName: "Domain Host",
	Servers: []account.Server{
		server(account.IMAP, "mail.%EMAILDOMAIN%", 993, account.SSL),
		server(account.POP3, "mail.%EMAILDOMAIN%", 995, account.SSL),
		server(account.SMTP, "mail.%EMAILDOMAIN%", 587, account.STARTTLS),
	},
	Webmail: "https://webmail.%EMAILDOMAIN%/",
}

var websupport = &account.Provider{
	ID: "websupport", DisplayName: "Websupport", DisplayShortName: "Websupport",
	Servers: []account.Server{
		server(account.IMAP, "imap.websupport.se", 993, account.SSL),
		server(account.SMTP, "smtp.websupport.se", 465, account.SSL),
	},
	Documentation: []account.Documentation{{
		URL: "https://www.websupport.se/support/e-post/?visa=alla&sida=1",
		Titles: []account.Title{
			{Language: "sv", Text: "Ställ in e-post"},
			{Language: "en", Text: "Set up \"mail\" & more"},
		},
	}},
}

var office365 = &account.Provider{
	ID: "office365", DisplayName: "Microsoft 365", DisplayShortName: "Microsoft 365",
	Servers: []account.Server{
		with(server(account.IMAP, "outlook.office365.com", 993, account.SSL), oAuth2Only),
		with(server(account.SMTP, "smtp.office365.com", 587, account.STARTTLS), oAuth2Only),
	},
	OAuth2: &account.OAuth2{
		Issuer: "login.microsoftonline.com",
		Scopes: []string{"https://outlook.office365.com/IMAP.AccessAsUser.All", "https://outlook.office365.com/SMTP.Send",
			"offline_access"},
		AuthURL:  "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
		TokenURL: "https://login.microsoftonline.com/common/oauth2/v2.0/token",
	},
}

func oAuth2Only(s *account.Server) { s.Authentication = []account.Authentication{account.OAuth2Auth} }

func oAuth2First(s *account.Server) {
	s.Authentication = []account.Authentication{account.OAuth2Auth, account.PasswordCleartext}
}

var onecom = &account.Provider{
	ID: "onecom", DisplayName: "one.com", DisplayShortName: "one.com",
	Servers: []account.Server{
		server(account.IMAP, "imap.one.com", 993, account.SSL),
		server(account.SMTP, "send.one.com", 465, account.SSL),
	},
	Webmail: "https://mail.one.com/",
}

// everything has a server of every type, not in the order of documents.
var everything = &account.Provider{
	ID: "everything", DisplayName: "Tom & Jerry's <Mail>", DisplayShortName: "T & J",
	Servers: []account.Server{
		with(service(account.JMAP, "https://jmap.example.com/session"), oAuth2First),
		with(service(account.EWS, "https://ex.example.com/EWS/Exchange.asmx"), oAuth2First),
		with(service(account.ActiveSync, "https://ex.example.com/Microsoft-Server-ActiveSync"), func(s *account.Server) {
			s.Login = account.Login{Username: "%EMAILLOCALPART%_%EMAILDOMAIN%", DomainName: "hosting01"}
		}),
		with(server(account.IMAP, "imap.example.com", 993, account.SSL), oAuth2First),
		with(server(account.POP3, "pop.example.com", 995, account.SSL), oAuth2First),
		with(server(account.SMTP, "smtp.example.com", 465, account.SSL), oAuth2First),
		service(account.CalDAV, "https://dav.%EMAILDOMAIN%/calendars/"),
		with(service(account.CardDAV, "https://dav.example.com/contacts/"), func(s *account.Server) {
			s.Authentication = []account.Authentication{account.PasswordEncrypted}
			s.Login.Username = "%EMAILLOCALPART%.%EMAILDOMAIN%"
		}),
		server(account.ManageSieve, "imap.example.com", 4190, account.STARTTLS),
	},
	Webmail: "https://webmail.example.com/?a=1&b=\"2\"",
	OAuth2: &account.OAuth2{
		Issuer: "https://login.example.com", Scopes: []string{"mail", "dav"},
		AuthURL: "https://login.example.com/auth?x=1&y=2", TokenURL: "https://login.example.com/token",
	},
	Documentation: []account.Documentation{
		{URL: "https://www.%EMAILDOMAIN%/help"},
		{URL: "https://www.example.com/hjälp",
			Titles: []account.Title{{Language: "sv", Text: "  Två\n rader "}, {Text: "No language"}}},
	},
}

// localPart signs in with the local part, composite with a name of several parts.
var localPart = &account.Provider{
	ID: "local-part", DisplayName: "Local Part", DisplayShortName: "Local",
	Servers: []account.Server{
		with(server(account.IMAP, "imap.example.com", 143, account.STARTTLS), byLocalPart),
		with(server(account.SMTP, "smtp.example.com", 587, account.STARTTLS), byLocalPart),
	},
}

func byLocalPart(s *account.Server) { s.Login.Username = account.EmailLocalPart }

var composite = &account.Provider{
	ID: "composite", DisplayName: "Composite", DisplayShortName: "Composite",
	Servers: []account.Server{
		with(server(account.IMAP, "imap.example.com", 993, account.SSL), byNTDomain),
		with(server(account.SMTP, "smtp.example.com", 465, account.SSL), byNTDomain),
	},
}

func byNTDomain(s *account.Server) {
	s.Login = account.Login{Username: "%EMAILLOCALPART%_%EMAILDOMAIN%", DomainName: "hosting01"}
}

// settingsOf returns the settings of an address at a provider, for @domain of any mailbox.
func settingsOf(t testing.TB, provider *account.Provider, text string) account.Settings {
	t.Helper()
	if text[0] == '@' {
		domain, err := account.ParseDomain(text[1:])
		if err != nil {
			t.Fatal(err)
		}
		return settings(provider, account.AnyAt(domain))
	}
	return settings(provider, address(t, text))
}

func settings(provider *account.Provider, a account.Address) account.Settings {
	return account.Settings{Address: a, Login: a, Provider: provider, Servers: provider.ServersFor(account.Thunderbird)}
}

func address(t testing.TB, text string) account.Address {
	t.Helper()
	a, err := account.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// systems returns the settings of the golden documents, by file name.
func systems(t testing.TB) map[string]account.Settings {
	byMX := settingsOf(t, mamutPOP, "info@kund.se")
	byMX.LookupDomain = "mamutmail.com"
	alias := settingsOf(t, websupport, "info@example.com")
	alias.Login = address(t, "fred@example.com")
	own := settingsOf(t, websupport, "fred@example.com")
	own.Custom = true
	own.Servers = []account.Server{}
	for _, s := range websupport.Servers {
		s.Login.Username = "u67578"
		own.Servers = append(own.Servers, s)
	}
	return map[string]account.Settings{
		"small":              settingsOf(t, small, "anna@example.se"),
		"small-any":          settingsOf(t, small, "@example.com"),
		"mamut-info":         settingsOf(t, mamutPOP, "info@domain.se"),
		"mamut-any":          settingsOf(t, mamutPOP, "@domain.se"),
		"mamut-mx":           byMX,
		"own-domain":         settingsOf(t, ownDomain, "kalle@kund.se"),
		"own-domain-idn":     settingsOf(t, ownDomain, "kalle@bücher.example"),
		"own-domain-any":     settingsOf(t, ownDomain, "@kund.se"),
		"websupport":         settingsOf(t, websupport, "anna@foretag.se"),
		"websupport-alias":   alias,
		"websupport-own":     own,
		"office365":          settingsOf(t, office365, "anna@kund.se"),
		"onecom":             settingsOf(t, onecom, "anna@firma.dk"),
		"everything":         settingsOf(t, everything, "o'neil&co@example.com"),
		"everything-any":     settingsOf(t, everything, "@example.com"),
		"local-part":         settingsOf(t, localPart, "fred@example.com"),
		"composite":          settingsOf(t, composite, "fred@example.com"),
		"composite-any":      settingsOf(t, composite, "@example.com"),
		"composite-hostile":  settingsOf(t, composite, "\"<b>&'\"@example.com"),
		"composite-percent":  settingsOf(t, composite, "%EMAILDOMAIN%@example.com"),
		"everything-percent": settingsOf(t, everything, "%EMAILADDRESS%@example.com"),
	}
}
