package phone

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/setup/phone/phonetest"
)

// settings returns the settings of a mailbox with IMAP and SMTP, changed.
func settings(t testing.TB, address string, change ...func(*account.Settings)) account.Settings {
	t.Helper()
	a, err := account.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	login := account.Login{Username: account.EmailAddress}
	password := []account.Authentication{account.PasswordCleartext}
	s := account.Settings{Address: a, Login: a, Provider: &account.Provider{}, Servers: []account.Server{
		{Type: account.IMAP, Hostname: "mail.example.se", Port: 993, SocketType: account.SSL, Login: login, Authentication: password},
		{Type: account.SMTP, Hostname: "mail.example.se", Port: 465, SocketType: account.SSL, Login: login, Authentication: password},
	}}
	for _, c := range change {
		c(&s)
	}
	return s
}

// inApp returns what the app sets up from unchanged settings.
func inApp(address string) phonetest.Account {
	server := func(kind string, port int) phonetest.Server {
		return phonetest.Server{Type: kind, Host: "mail.example.se", Port: port,
			Security: "SSL_TLS_REQUIRED", Auth: "PLAIN", Username: address}
	}
	return phonetest.Account{Name: address, Email: address, Incoming: server("IMAP", 993),
		Outgoing: server("SMTP", 465), DeletePolicy: "DELETE"}
}

// both changes both servers.
func both(change func(*account.Server)) func(*account.Settings) {
	return func(s *account.Settings) {
		for i := range s.Servers {
			change(&s.Servers[i])
		}
	}
}

// signIn sets the ways to sign in to both servers.
func signIn(methods ...account.Authentication) func(*account.Settings) {
	return both(func(s *account.Server) { s.Authentication = methods })
}

// with adds a receiving server to those of the settings: in front of them, or behind.
func with(front bool, hostname string, t account.ServerType, method account.Authentication) func(*account.Settings) {
	return func(s *account.Settings) {
		server := s.Servers[0]
		server.Hostname, server.Type, server.Authentication = hostname, t, []account.Authentication{method}
		if front {
			s.Servers = append([]account.Server{server}, s.Servers...)
		} else {
			s.Servers = append(s.Servers, server)
		}
	}
}

// TestAccounts reads codes and settings files as the app does.
func TestAccounts(t *testing.T) {
	const usual = "a@b.se"
	longest := strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("d", 62)+".", 2) +
		strings.Repeat("d", 60) + ".se"
	if len(longest) != 254 {
		t.Fatalf("the longest address has %d bytes, want 254", len(longest))
	}
	for _, row := range []struct {
		name    string
		address string
		person  string
		change  func(*account.Settings)
		want    func(*phonetest.Account)
	}{
		{"as it is", usual, "", nil, nil},
		{"STARTTLS", usual, "", both(func(s *account.Server) { s.SocketType = account.STARTTLS }), func(a *phonetest.Account) {
			a.Incoming.Security, a.Outgoing.Security = "STARTTLS_REQUIRED", "STARTTLS_REQUIRED"
		}},
		{"POP3 alone", usual, "", func(s *account.Settings) { s.Servers[0].Type = account.POP3 }, func(a *phonetest.Account) {
			a.Incoming.Type, a.DeletePolicy = "POP3", "NEVER"
		}},
		{"POP3 first", usual, "", with(true, "pop.example.se", account.POP3, account.PasswordCleartext), nil},
		{"the login", usual, "", both(func(s *account.Server) { s.Login.Username = "u%EMAILLOCALPART%" }), func(a *phonetest.Account) {
			a.Incoming.Username, a.Outgoing.Username = "ua", "ua"
		}},
		{"an encrypted password", usual, "", signIn(account.PasswordEncrypted), func(a *phonetest.Account) {
			a.Incoming.Auth, a.Outgoing.Auth = "CRAM_MD5", "CRAM_MD5"
		}},
		{"OAuth2 before a password", usual, "", signIn(account.OAuth2Auth, account.PasswordCleartext), nil},
		{"a relay", usual, "", func(s *account.Settings) {
			s.Servers[1].Authentication = []account.Authentication{account.NoAuthentication}
		}, func(a *phonetest.Account) { a.Outgoing.Auth, a.Outgoing.Username = "NONE", "" }},
		{"Kerberos at the first IMAP server", usual, "", with(true, "kerberos.b.se", account.IMAP, account.GSSAPI), nil},
		{"a name", usual, "Åsa 😀 \"x\" <y> \x01", nil, func(a *phonetest.Account) { a.DisplayName = "Åsa 😀 \"x\" <y>  " }},
		{"a name of several lines", usual, "A\r\nB\u2028C\u2029D\u0085E\x7f", nil, func(a *phonetest.Account) { a.DisplayName = "A  B C D E " }},
		{"a name that is not UTF-8", usual, "A\xffB", nil, func(a *phonetest.Account) { a.DisplayName = "A B" }},
		{"an international domain", "a@åkeriet.example", "", nil, nil},
		{"international host names", usual, "", both(func(s *account.Server) { s.Hostname = "Mejl.åkeriet.example." }), func(a *phonetest.Account) {
			a.Incoming.Host, a.Outgoing.Host = "mejl.xn--keriet-hua.example", "mejl.xn--keriet-hua.example"
		}},
		{"the longest address", longest, "", nil, nil},
		{"every special character", "a!#$%&'*+-/=?^_{|}~`.z@b.se", "", nil, nil},
	} {
		s := settings(t, row.address)
		if row.change != nil {
			row.change(&s)
		}
		want := inApp(s.Address.String())
		if row.want != nil {
			row.want(&want)
		}
		text, ok := Code(s, row.person)
		file, hasFile := SettingsFile(s, row.person)
		if !ok || !hasFile {
			t.Errorf("%s: there is a code, %t, and a settings file, %t; want both", row.name, ok, hasFile)
			continue
		}
		if got, err := phonetest.ReadCode(text); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: of the code %s\nthe app reads %+v, %v\nwant          %+v", row.name, text, got, err, want)
		}
		if got, err := phonetest.ReadFile(file); err != nil || got != want {
			t.Errorf("%s: of the settings file\n%s\nthe app reads %+v, %v\nwant          %+v",
				row.name, file, got, err, want)
		}
	}
}

// TestNone checks that there is neither a code nor a file for what the app cannot use.
func TestNone(t *testing.T) {
	for _, row := range []struct {
		name    string
		address string
		change  func(*account.Settings)
	}{
		{"no encryption", "a@b.se", both(func(s *account.Server) { s.SocketType = account.Plain })},
		{"OAuth2 alone", "a@b.se", signIn(account.OAuth2Auth)},
		{"Kerberos", "a@b.se", signIn(account.GSSAPI)},
		{"NTLM", "a@b.se", signIn(account.NTLM)},
		{"a certificate", "a@b.se", signIn(account.TLSClientCert)},
		{"no sign-in for receiving", "a@b.se", signIn(account.NoAuthentication)},
		{"no sending server", "a@b.se", func(s *account.Settings) { s.Servers = s.Servers[:1] }},
		{"no receiving server", "a@b.se", func(s *account.Settings) { s.Servers = s.Servers[1:] }},
		{"IMAP with Kerberos, POP3 with a password", "a@b.se", func(s *account.Settings) {
			with(false, "pop.example.se", account.POP3, account.PasswordCleartext)(s)
			s.Servers[0].Authentication = []account.Authentication{account.GSSAPI}
		}},
		{"ActiveSync alone", "a@b.se", func(s *account.Settings) {
			s.Servers = []account.Server{{Type: account.ActiveSync, URL: "https://b.se/Microsoft-Server-ActiveSync"}}
		}},
		{"no port", "a@b.se", both(func(s *account.Server) { s.Port = 0 })},
		{"a port too high", "a@b.se", both(func(s *account.Server) { s.Port = 65536 })},
		{"an IP address", "a@b.se", both(func(s *account.Server) { s.Hostname = "192.0.2.1" })},
		{"a host name with an underscore", "a@b.se", both(func(s *account.Server) { s.Hostname = "m_1.b.se" })},
		{"a label that ends with a hyphen", "a@b.se", both(func(s *account.Server) { s.Hostname = "m-.b.se" })},
		{"a user name of two lines", "a@b.se", both(func(s *account.Server) { s.Login.Username = "a\nb" })},
		{"a user name with a control character", "a@b.se", both(func(s *account.Server) { s.Login.Username = "a\x01b" })},
		{"a user name that is not UTF-8", "a@b.se", both(func(s *account.Server) { s.Login.Username = "a\xffb" })},
		{"a local part in Unicode", "åsa@b.se", nil},
		{"a quoted local part", `"a b"@b.se`, nil},
	} {
		s := settings(t, row.address)
		if row.change != nil {
			row.change(&s)
		}
		if text, ok := Code(s, ""); ok {
			t.Errorf("%s: there is the code %s", row.name, text)
		}
		if file, ok := SettingsFile(s, ""); ok {
			t.Errorf("%s: there is a settings file\n%s", row.name, file)
		}
	}
}

// TestExamples compares a code and a settings file with examples byte for byte, but for the
// account's UUID.
func TestExamples(t *testing.T) {
	read := func(name string) string {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	s := settings(t, "anna@example.se")
	if got, ok := Code(s, "Anna Ek"); !ok || got != strings.TrimSpace(read("one.json")) {
		t.Errorf("Code = %s, %t; want %s", got, ok, read("one.json"))
	}
	plain := func(file string) string {
		_, body, _ := strings.Cut(file, "?>")
		return strings.TrimSpace(regexp.MustCompile(`uuid="[^"]*"`).ReplaceAllString(body, ""))
	}
	file, ok := SettingsFile(s, "Anna Ek")
	if !ok || plain(string(file)) != plain(read("account.k9s")) {
		t.Errorf("SettingsFile = %t\n%s\nwant\n%s", ok, file, read("account.k9s"))
	}
	if again, _ := SettingsFile(s, "Anna Ek"); string(again) != string(file) {
		t.Error("the file of the same address differs")
	}
}

// FuzzCode writes codes for names and logins that anybody may choose. The app takes each, and
// understands the same of the code and the file.
func FuzzCode(f *testing.F) {
	f.Add("Anna Ek", "anna")
	f.Add("\xff\u2028\x7f\\\"\ufffe", "%EMAILLOCALPART%\r\n")
	f.Add("", "\x00\u2029")
	f.Add("\ufffe\uffff", "x")
	f.Add("", "\xa6")
	f.Fuzz(func(t *testing.T, name, username string) {
		s := settings(t, "anna@example.se", both(func(s *account.Server) { s.Login.Username = username }))
		text, ok := Code(s, name)
		file, hasFile := SettingsFile(s, name)
		if ok != hasFile {
			t.Errorf("a code: %t, a file: %t", ok, hasFile)
		}
		if !ok {
			return
		}
		code, err := phonetest.ReadCode(text)
		if err != nil {
			t.Fatalf("the app refuses %q: %v", text, err)
		}
		if got, err := phonetest.ReadFile(file); err != nil || got != code[0] {
			t.Errorf("of the code, the app reads %+v; of the file %+v, %v\n%s", code[0], got, err, file)
		}
		for _, r := range text {
			if r < ' ' || r > '~' {
				t.Errorf("the code %q has the character %q", text, r)
			}
		}
	})
}
