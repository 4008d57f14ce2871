package show_test

import (
	"slices"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/directory"
	"signpost/internal/show"
)

// TestInternationalLogin checks that every client signs in with the same spelling of an
// international domain: with A-labels, or with Unicode if the provider wants that.
func TestInternationalLogin(t *testing.T) {
	server := func(kind account.ServerType, port int, username string) account.Server {
		return account.Server{Type: kind, Hostname: "mail.%EMAILDOMAIN%", Port: port, SocketType: account.SSL,
			Authentication: []account.Authentication{account.PasswordCleartext}, Login: account.Login{Username: username}}
	}
	a, err := account.ParseAddress("anna@åkeriet.example")
	if err != nil {
		t.Fatal(err)
	}
	const composed = "%EMAILLOCALPART%_%EMAILDOMAIN%"
	for _, row := range []struct {
		unicode  bool
		username string
		want     string
		dialects []string // that have a document
	}{
		{false, account.EmailAddress, "anna@xn--keriet-hua.example",
			[]string{"thunderbird", "thunderbird-android", "outlook", "apple", "mac", "pacc"}},
		{true, account.EmailAddress, "anna@åkeriet.example", []string{"thunderbird", "thunderbird-android", "outlook", "apple", "mac"}},
		{false, composed, "anna_xn--keriet-hua.example", []string{"thunderbird", "thunderbird-android", "outlook", "apple", "mac"}},
		{true, composed, "anna_åkeriet.example", []string{"thunderbird", "thunderbird-android", "outlook", "apple", "mac"}},
	} {
		p := &account.Provider{ID: "p", DisplayName: "P", UnicodeLogin: row.unicode, Servers: []account.Server{
			server(account.IMAP, 993, row.username), server(account.SMTP, 465, row.username),
		}}
		hosted := []directory.Provider{{Provider: p, Domains: []string{"xn--keriet-hua.example"}}}
		for _, login := range show.Logins(hosted, func(string) account.Address { return a }) {
			if login.Username != row.want {
				t.Errorf("unicode %t, %s: the login for check is %q, want %q",
					row.unicode, row.username, login.Username, row.want)
			}
		}
		d := directory.New(hosted, nil, nil)
		var told []string
		for _, dialect := range show.Dialects {
			if dialect.Exchange {
				continue // Autodiscover's, as for Outlook
			}
			s, err := d.Resolve(t.Context(), dialect.Query(a))
			if err != nil {
				t.Fatal(err)
			}
			document, note, err := dialect.Document(s, "setup.example")
			if dialect.Client == account.PACC && row.unicode &&
				(err == nil || !strings.Contains(err.Error(), "in Unicode")) {
				t.Errorf("unicode %t, %s: PACC gives the reason %v, want the Unicode", row.unicode, row.username, err)
			}
			if err != nil || note != "" {
				continue
			}
			told = append(told, dialect.Name)
			read, err := dialect.Read(document, a)
			if err != nil {
				t.Fatalf("%s: %v", dialect.Name, err)
			}
			for _, server := range read.Expanded() {
				if server.Login.Username != row.want {
					t.Errorf("unicode %t, %s: %s signs in to %s as %q, want %q",
						row.unicode, row.username, dialect.Name, server.Type, server.Login.Username, row.want)
				}
				if server.Hostname != "mail.xn--keriet-hua.example" {
					t.Errorf("unicode %t: the host of %s is %q, want A-labels",
						row.unicode, dialect.Name, server.Hostname)
				}
			}
		}
		if !slices.Equal(told, row.dialects) {
			t.Errorf("unicode %t, %s: documents of %q, want %q", row.unicode, row.username, told, row.dialects)
		}
	}
}
