package show

import (
	"slices"
	"testing"

	"signpost/account"
)

// TestNoPasswordWhereThereIsNone checks that no document tells of a password for an IMAP
// server that takes OAuth2 only, although its SMTP server takes a password.
func TestNoPasswordWhereThereIsNone(t *testing.T) {
	server := func(kind account.ServerType, port int, method account.Authentication) account.Server {
		return account.Server{Type: kind, Hostname: "mail.mixed.example", Port: port, SocketType: account.SSL,
			Authentication: []account.Authentication{method}, Login: account.Login{Username: account.EmailAddress}}
	}
	p := &account.Provider{ID: "mixed", DisplayName: "Mixed", OAuth2: &account.OAuth2{Issuer: "login.example"},
		Servers: []account.Server{
			server(account.IMAP, 993, account.OAuth2Auth), server(account.SMTP, 465, account.PasswordCleartext),
		}}
	a, err := account.ParseAddress("anna@mixed.example")
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, dialect := range Dialects {
		s := account.Settings{Address: a, Login: a, Provider: p, Servers: p.Servers}
		document, note, err := dialect.Document(s, "setup.example")
		if err != nil || note != "" {
			continue // the dialect cannot say it, and says nothing
		}
		read, err := dialect.Read(document, a)
		if err != nil {
			t.Fatalf("%s: %v", dialect.Name, err)
		}
		for _, server := range read.Servers {
			told++
			if server.Type == account.IMAP && !slices.Equal(server.Authentication, p.Servers[0].Authentication) {
				t.Errorf("%s: imap accepts %v, want OAuth2\n%s", dialect.Name, server.Authentication, document)
			}
		}
	}
	if told != 4 {
		t.Errorf("%d servers were told, want the two of autoconfig, with the address and without", told)
	}
}
