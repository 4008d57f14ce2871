package config

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"signpost/account"
	"signpost/internal/certfile"
	"signpost/internal/certs"
	"signpost/internal/conn"
	"signpost/internal/directory"
	"signpost/internal/fault"
)

// write writes files, given as name and content, into a new directory. It returns the
// path of the first one.
func write(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, files[0])
}

// mail parses an address.
func mail(t testing.TB, text string) account.Address {
	t.Helper()
	a, err := account.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// everything is a configuration with every kind of value.
const everything = `
listen: "[::1]:8080"
admin: {listen: "unix:/run/signpost/admin.sock", pprof: true, askPerHour: 5000}
trustedProxies: [192.0.2.1, 10.0.0.0/8, "::ffff:192.0.2.2", "2001:db8::/32"]
proxyHeaders: forwarded
proxyProtocol: true
limits: {requests: 0, burst: 10, connections: 20, connectionsPerAddress: 7, header: 100ms, read: 200ms, write: 1s, idle: 2s, stop: 3s}
log: {format: json, level: warn, requests: 0}
name: Setup.Example.COM
tls:
  listen: "[::1]:8443"
  certificates: [{certificate: profile.pem, key: profile.pem}]
  acme: {email: Anna@example.com, directory: "https://acme.example.com/dir", storage: certificates, caRoot: profile.pem, ordersPerHour: 300}
profiles: {certificate: profile.pem, key: /etc/signpost/profile.key}
dns: {servers: [192.0.2.1, "192.0.2.2:5353", "2001:db8::1"], timeout: 1500ms}
providers:
  - id: mail
    displayName: The Mail Service of Example
    domains: [Example.com., räksmörgås.example, {file: more.txt}, "*"]
    mx: [MX.example.com, "*.in.example.com"]
    servers:
      - {type: imap, hostname: imap.%EMAILDOMAIN%, authentication: OAuth2, passwords: false, pathPrefix: INBOX.}
      - {type: pop3, hostname: pop.example.com, port: 110, clients: {outlook: {username: "%EMAILLOCALPART%"}, apple: {domainName: NT}}}
      - {type: smtp, hostname: smtp.example.com, port: 587, username: "%EMAILLOCALPART%%%EMAILDOMAIN%", authentication: [password-encrypted, OAuth2]}
      - {type: managesieve, hostname: sieve.example.com}
      - {type: activesync, url: "https://EAS.example.com:8443/%EMAILDOMAIN%/Sync?x=%20", domainName: hosting01, answerWithoutLogin: true}
      - {type: caldav, url: "https://dav.example.com", principalURL: "https://dav.example.com/p/%EMAILADDRESS%/", clients: {outlook: {username: u, domainName: D}}}
      - {type: carddav, url: "https://dav.%EMAILDOMAIN%/"}
      - {type: jmap, url: "https://jmap.example.com/.well-known/jmap"}
      - {type: ews, url: "https://ews.example.com/EWS/Exchange.asmx", authentication: NTLM, exchangeEntries: false, exchangeVersion: Exchange2013, restURL: "https://ews.example.com/api", graphURL: "https://ews.example.com/graph"}
    webmail: https://webmail.%EMAILDOMAIN%/
    logo: https://Example.com/logo.svg
    developer: https://developer.%EMAILDOMAIN%/
    documentation:
      - {url: "https://example.com/hilfe?a=b#c", descr: {sv: Hjälp, en: Help, pt-BR: Ajuda}}
    oAuth2:
      issuer: Login.example.com
      scope: [imap smtp, offline]
      authURL: https://login.example.com/authorize
      tokenURL: https://login.example.com/token
    aliasLogin: mailbox
    idnLogin: unicode
    withoutAddress: nothing
  - id: exchange
    displayName: Exchange
    displayShortName: Exch
    domains: [exchange.example]
    autodiscover: {hostname: autodiscover.example.net, answer: xml}
  - id: moved
    displayName: Moved
    domains: {file: moved.txt}
    passwords: false
    servers:
      - {type: imap, hostname: imap.example.net}
      - {type: smtp, hostname: smtp.example.net, socketType: STARTTLS, authentication: [GSSAPI]}
    oAuth2:
      issuer: https://login.example.net/tenant
      scope: imap
      authURL: https://login.example.net/authorize
      tokenURL: https://login.example.net/token
    autodiscover: {redirectAddr: "%EMAILLOCALPART%@Example.onmicrosoft.com"}
accounts:
  - list:
      Anna@Example.com: {provider: exchange, displayName: Anna Ek}
      a@moved.example: {alias: anna@example.com, username: a1}
  - list:
      info@example.com: {inactive: true, username: "%EMAILLOCALPART%"}
      x@example.com: {}
apexCertificates: true
hsts: 8760h
`

func TestLoadEverything(t *testing.T) {
	file := write(t, "signpost.yaml", everything,
		"more.txt", "\ufeff# every night\r\nmore.example\r\n\r\n  UP.example \t# moved up\nlast.example",
		"moved.txt", "moved.example\n",
		"profile.pem", "")
	dir := filepath.Dir(file)
	got, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	year := 365 * 24 * time.Hour
	password := []account.Authentication{account.PasswordCleartext}
	address := account.Login{Username: account.EmailAddress}
	servers := []account.Server{
		{Type: account.IMAP, Hostname: "imap.%EMAILDOMAIN%", Port: 993, SocketType: account.SSL, Login: address,
			PathPrefix: "INBOX.", Authentication: []account.Authentication{account.OAuth2Auth}},
		{Type: account.POP3, Hostname: "pop.example.com", Port: 110, SocketType: account.STARTTLS, Login: address,
			Authentication: password},
		{Type: account.SMTP, Hostname: "smtp.example.com", Port: 587, SocketType: account.STARTTLS,
			Login:          account.Login{Username: "%EMAILLOCALPART%%%EMAILDOMAIN%"},
			Authentication: []account.Authentication{account.PasswordEncrypted, account.OAuth2Auth}},
		{Type: account.ManageSieve, Hostname: "sieve.example.com", Port: 4190, SocketType: account.STARTTLS, Login: address,
			Authentication: password},
		{Type: account.ActiveSync, URL: "https://eas.example.com:8443/%EMAILDOMAIN%/Sync?x=%20", PastDays: 7,
			AnswerWithoutLogin: true,
			Login:              account.Login{Username: account.EmailAddress, DomainName: "hosting01"},
			Authentication:     password},
		{Type: account.CalDAV, URL: "https://dav.example.com", PrincipalURL: "https://dav.example.com/p/%EMAILADDRESS%/",
			Login: address, Authentication: password},
		{Type: account.CardDAV, URL: "https://dav.%EMAILDOMAIN%/", Login: address, Authentication: password},
		{Type: account.JMAP, URL: "https://jmap.example.com/.well-known/jmap", Login: address, Authentication: password},
		{Type: account.EWS, URL: "https://ews.example.com/EWS/Exchange.asmx", Login: address, ExchangeVersion: "Exchange2013",
			RestURL: "https://ews.example.com/api", GraphURL: "https://ews.example.com/graph",
			Authentication: []account.Authentication{account.NTLM}},
	}
	with := func(logins map[int]account.Login) []account.Server {
		changed := append([]account.Server(nil), servers...)
		for i, login := range logins {
			changed[i].Login = login
		}
		return changed
	}
	want := &Config{
		Listen: "[::1]:8080",
		Admin:  Admin{Listen: "unix:/run/signpost/admin.sock", Pprof: true, AskPerHour: 5000},
		Proxies: conn.Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32"),
			netip.MustParsePrefix("10.0.0.0/8"),
			netip.MustParsePrefix("192.0.2.2/32"), netip.MustParsePrefix("2001:db8::/32")}, Forwarded: true, Protocol: true},
		Limits: Limits{Burst: 10, Connections: 20, PerAddress: 7, Timeouts: conn.Timeouts{Header: 100 * time.Millisecond,
			Read: 200 * time.Millisecond, Write: time.Second, Idle: 2 * time.Second, Stop: 3 * time.Second}},
		Log:  Log{JSON: true, Level: slog.LevelWarn},
		Name: "setup.example.com", HSTS: &year, ApexCertificates: true,
		TLS: &TLS{Listen: "[::1]:8443",
			Certificates: []certfile.Pair{{Certificate: filepath.Join(dir, "profile.pem"),
				Key: filepath.Join(dir, "profile.pem")}},
			ACME: &certs.ACME{Email: "Anna@example.com", Directory: "https://acme.example.com/dir",
				Storage: filepath.Join(dir, "certificates"),
				CARoot:  filepath.Join(dir, "profile.pem"), OrdersPerHour: 300}},
		Profiles: certfile.Pair{Certificate: filepath.Join(dir, "profile.pem"), Key: "/etc/signpost/profile.key"},
		DNS: DNS{Servers: []string{"192.0.2.1:53", "192.0.2.2:5353", "[2001:db8::1]:53"},
			Timeout: 1500 * time.Millisecond},
		Providers: []directory.Provider{
			{
				Domains: []string{"example.com", "xn--rksmrgs-5wao1o.example", "more.example", "up.example", "last.example", "*"},
				MX:      []string{"mx.example.com", "*.in.example.com"},
				Provider: &account.Provider{ID: "mail", DisplayName: "The Mail Service of Example",
					DisplayShortName: "The Mail Service of", Servers: servers,
					Exceptions: map[account.Client][]account.Server{
						account.Outlook: with(map[int]account.Login{1: {Username: account.EmailLocalPart},
							5: {Username: "u", DomainName: "D"}}),
						account.Apple: with(map[int]account.Login{1: {Username: account.EmailAddress, DomainName: "NT"}}),
					},
					Webmail: "https://webmail.%EMAILDOMAIN%/",
					Logo:    "https://example.com/logo.svg", Developer: "https://developer.%EMAILDOMAIN%/",
					Documentation: []account.Documentation{{URL: "https://example.com/hilfe?a=b#c",
						Titles: []account.Title{{Language: "sv", Text: "Hjälp"}, {Language: "en", Text: "Help"},
							{Language: "pt-BR", Text: "Ajuda"}}}},
					OAuth2: &account.OAuth2{Issuer: "login.example.com", Scopes: []string{"imap", "smtp", "offline"},
						AuthURL: "https://login.example.com/authorize", TokenURL: "https://login.example.com/token"},
					AliasSignsInAsMailbox: true, UnicodeLogin: true, NothingWithoutAddress: true},
			},
			{
				Domains: []string{"exchange.example"},
				Provider: &account.Provider{ID: "exchange", DisplayName: "Exchange", DisplayShortName: "Exch",
					AutodiscoverRedirect: &account.AutodiscoverRedirect{Hostname: "autodiscover.example.net", AsXML: true}},
			},
			{
				Domains: []string{"moved.example"},
				Provider: &account.Provider{ID: "moved", DisplayName: "Moved", DisplayShortName: "Moved",
					Servers: []account.Server{
						{Type: account.IMAP, Hostname: "imap.example.net", Port: 993, SocketType: account.SSL, Login: address,
							Authentication: []account.Authentication{account.OAuth2Auth}},
						{Type: account.SMTP, Hostname: "smtp.example.net", Port: 587, SocketType: account.STARTTLS, Login: address,
							Authentication: []account.Authentication{account.GSSAPI}},
					},
					OAuth2: &account.OAuth2{Issuer: "https://login.example.net/tenant", Scopes: []string{"imap"},
						AuthURL: "https://login.example.net/authorize", TokenURL: "https://login.example.net/token"},
					AutodiscoverRedirect: &account.AutodiscoverRedirect{Address: "%EMAILLOCALPART%@example.onmicrosoft.com"}},
			},
		},
		Accounts: []AccountSource{
			{List: directory.List{
				"anna@example.com": {Provider: "exchange", DisplayName: "Anna Ek"},
				"a@moved.example":  {Alias: mail(t, "anna@example.com"), Username: "a1"},
			}},
			{List: directory.List{
				"info@example.com": {Inactive: true, Username: "%EMAILLOCALPART%"},
				"x@example.com":    {},
			}},
		},
		Files: []string{file, filepath.Join(dir, "more.txt"), filepath.Join(dir, "moved.txt")},
		DomainFiles: []DomainFile{
			{filepath.Join(dir, "more.txt"), []string{"more.example", "up.example", "last.example"}, 10},
			{filepath.Join(dir, "moved.txt"), []string{"moved.example"}, 10},
		},
		Warnings: []fault.Fault{
			{File: file, Line: 14, Text: `profiles.key: cannot read "/etc/signpost/profile.key": no such file or directory`},
			{File: file, Line: 48, Text: "providers[1].autodiscover.answer: no client that was tried follows such an answer; " +
				"leave it out, and clients are redirected with 302"},
		},
		samples: map[string]account.Address{
			"mail":     mail(t, "kalle@example.com"), // info and anna are listed
			"exchange": mail(t, "info@exchange.example"),
			"moved":    mail(t, "info@moved.example"),
		},
	}
	options := []cmp.Option{
		cmp.AllowUnexported(Config{}, DNS{}, account.Address{}),
		cmpopts.EquateComparable(netip.Prefix{}),
		cmpopts.IgnoreFields(Config{}, "lines"),
	}
	if diff := cmp.Diff(want, got, options...); diff != "" {
		t.Errorf("Load() (-want +got):\n%s", diff)
	}
}

func TestSample(t *testing.T) {
	const text = `
providers:
  - {id: a, displayName: A, domains: [a.example, b.example], servers: [{type: jmap, url: "https://a.example/"}]}
  - {id: b, displayName: B, servers: [{type: jmap, url: "https://b.example/"}]}
  - {id: c, displayName: C, domains: ["*"], servers: [{type: jmap, url: "https://c.example/"}]}
  - {id: d, displayName: D, mx: [mx.d.example], servers: [{type: jmap, url: "https://d.example/"}]}
  - {id: e, displayName: E, domains: [xn--rksmrgs-5wao1o.example], servers: [{type: jmap, url: "https://e.example/"}]}
accounts:
  - list:
      info@a.example: {provider: c}
      off@a.example: {provider: b, inactive: true}
      kalle@a.example: {provider: b}
`
	c, err := parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:8080" || c.DNS.Timeout != 2*time.Second || c.Name != "" {
		t.Errorf("defaults: listen %s, dns.timeout %v, name %q", c.Listen, c.DNS.Timeout, c.Name)
	}
	d := directory.New(c.Providers, c.Lists(), nil)
	for id, want := range map[string]string{
		"a": "anna@a.example",  // info belongs to another provider
		"b": "kalle@a.example", // only an account names the provider
		"c": "info@a.example",
		"d": "info@mail-customer.example",
		"e": "info@xn--rksmrgs-5wao1o.example",
	} {
		if got := c.Sample(id).String(); got != want {
			t.Errorf("Sample(%q) = %s, want %s", id, got, want)
		}
		if id == "d" {
			continue // by MX, and this test has no DNS
		}
		s, err := d.Resolve(t.Context(), account.Query{Address: c.Sample(id), Client: account.Thunderbird})
		if err != nil || s.Provider.ID != id {
			t.Errorf("Resolve(%s): provider %v, error %v; want provider %s", c.Sample(id), s.Provider, err, id)
		}
	}
}

func TestTooLarge(t *testing.T) {
	file := write(t, "signpost.yaml", strings.Repeat("#", maxFile+1))
	_, err := Load(file)
	if err == nil || !strings.Contains(err.Error(), "the file is larger than 8 MiB") {
		t.Errorf("Load() error = %v, want that the file is larger than 8 MiB", err)
	}
}

// TestFaultOrder checks that the faults of the main file come first, then those of the
// files that it names, each by line and only once.
func TestFaultOrder(t *testing.T) {
	got := sorted([]fault.Fault{
		{File: "b.txt", Line: 2, Text: "x"},
		{File: "m.yaml", Line: 9, Text: "y"},
		{File: "b.txt", Line: 1, Text: "x"},
		{File: "m.yaml", Line: 3, Text: "z"},
		{File: "a.txt", Line: 0, Text: "x"},
		{File: "m.yaml", Line: 3, Text: "z"},
	}, "m.yaml", 0)
	const want = "m.yaml:3: z\nm.yaml:9: y\na.txt: x\nb.txt:1: x\nb.txt:2: x"
	if got.Error() != want {
		t.Errorf("sorted faults:\n%v\nwant:\n%v", got, want)
	}
}
