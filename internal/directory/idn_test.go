package directory

import (
	"testing"

	"signpost/account"
)

// TestUnicodeLogin checks the user names of a provider whose mail servers know
// international domains in Unicode.
func TestUnicodeLogin(t *testing.T) {
	for username, want := range map[string]string{
		account.EmailAddress:             "%EMAILLOCALPART%@bücher.example",
		"%EMAILLOCALPART%_%EMAILDOMAIN%": "%EMAILLOCALPART%_bücher.example",
		"%%EMAILDOMAIN%%":                "%%EMAILDOMAIN%%",
		"%%EMAILADDRESS%%":               "%%EMAILADDRESS%%",
		"fred":                           "fred",
	} {
		p := &account.Provider{UnicodeLogin: true, Servers: []account.Server{
			{Type: account.IMAP, Hostname: "%EMAILDOMAIN%", Login: account.Login{Username: username, DomainName: "NT"}}}}
		d := New([]Provider{{Provider: p, Domains: []string{"xn--bcher-kva.example", "example.com"}}}, nil, nil)
		for address, want := range map[string]string{"fred@xn--bcher-kva.example": want, "fred@example.com": username} {
			s, err := d.Resolve(t.Context(), account.Query{Address: mail(t, address)})
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Servers[0]; got.Login != (account.Login{Username: want, DomainName: "NT"}) ||
				got.Hostname != "%EMAILDOMAIN%" {
				t.Errorf("%s at %s: login %+v at %s, want %q", username, address, got.Login, got.Hostname, want)
			}
		}
		if p.Servers[0].Login.Username != username {
			t.Errorf("the provider's own user name became %q", p.Servers[0].Login.Username)
		}
	}
}
