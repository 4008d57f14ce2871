package show

import (
	"slices"
	"testing"

	"signpost/account"
)

// TestNoPasswordWhereThereIsNone checks that no document tells of a password for an IMAP
// server that takes none, although its SMTP server does: only autoconfig can say how to
// sign in there.
func TestNoPasswordWhereThereIsNone(t *testing.T) {
	for _, test := range []struct{ imap, smtp account.Authentication }{
		{account.OAuth2Auth, account.PasswordCleartext},
		{account.TLSClientCert, account.PasswordCleartext},
		{account.GSSAPI, account.GSSAPI},
	} {
		checkNoPassword(t, test.imap, test.smtp)
	}
}

func checkNoPassword(t *testing.T, imap, smtp account.Authentication) {
	t.Helper()
	server := func(kind account.ServerType, port int, method account.Authentication) account.Server {
		return account.Server{Type: kind, Hostname: "mail.mixed.example", Port: port, SocketType: account.SSL,
			Authentication: []account.Authentication{method}, Login: account.Login{Username: account.EmailAddress}}
	}
	p := &account.Provider{ID: "mixed", DisplayName: "Mixed", OAuth2: &account.OAuth2{Issuer: "login.example"},
		Servers: []account.Server{server(account.IMAP, 993, imap), server(account.SMTP, 465, smtp)}}
	a, err := account.ParseAddress("anna@mixed.example")
	if err != nil {
		t.Fatal(err)
	}
	methods := map[account.ServerType][]account.Authentication{account.IMAP: {imap}, account.SMTP: {smtp}}
	told := map[account.Client]bool{}
	for _, dialect := range Dialects {
		s := account.Settings{Address: a, Login: a, Provider: p, Servers: p.Servers}
		document, note, err := dialect.Document(s, "setup.example")
		if err != nil || note != "" {
			continue // the dialect cannot say it, and says nothing
		}
		told[dialect.Client] = true
		read, err := dialect.Read(document, a)
		if err != nil {
			t.Fatalf("%s: %v", dialect.Name, err)
		}
		for _, server := range read.Servers {
			if want := methods[server.Type]; !slices.Equal(server.Authentication, want) {
				t.Errorf("%s: %s accepts %v, want %v\n%s",
					dialect.Name, server.Type, server.Authentication, want, document)
			}
		}
	}
	if len(told) != 1 || !told[account.Thunderbird] {
		t.Errorf("imap with %s, smtp with %s: %v have documents, want autoconfig alone", imap, smtp, told)
	}
}
