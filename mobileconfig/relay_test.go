package mobileconfig

import (
	"strings"
	"testing"

	"signpost/account"
)

// TestRelay writes and reads a profile whose SMTP server is a relay: it has Apple's
// EmailAuthNone, no user name, and no password.
func TestRelay(t *testing.T) {
	a, err := account.ParseAddress("anna@example.com")
	if err != nil {
		t.Fatal(err)
	}
	relay := withMethods(server(account.SMTP, "relay.example.com", account.SSL), account.ClientIPAddress)
	p := &account.Provider{ID: "relay", DisplayName: "Relay", Servers: []account.Server{
		server(account.IMAP, "imap.example.com", account.SSL), relay,
	}}
	document, err := Document(account.Settings{Address: a, Login: a, Provider: p, Servers: p.Servers},
		Options{Service: "setup.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(document), "OutgoingMailServerUsername") {
		t.Errorf("the profile has a user name for a relay:\n%s", document)
	}
	same := "<key>OutgoingPasswordSameAsIncomingPassword</key>"
	if _, value, _ := strings.Cut(string(document), same); !strings.HasPrefix(strings.TrimSpace(value), "<false/>") {
		t.Errorf("the profile sends the password to a relay:\n%s", document)
	}
	read, err := Read(document)
	if err != nil {
		t.Fatal(err)
	}
	smtp, _ := read.First(account.SMTP)
	imap, _ := read.First(account.IMAP)
	if !smtp.NeedsNoLogin() || imap.NeedsNoLogin() {
		t.Errorf("Read returns smtp with %v and imap with %v, want no login for smtp alone",
			smtp.Authentication, imap.Authentication)
	}
}
