package autodiscover

import (
	"strings"
	"testing"

	"signpost/account"
)

// TestRelay writes and reads an SMTP server at which nobody signs in: AuthRequired is
// off there, and only there.
func TestRelay(t *testing.T) {
	a, err := account.ParseAddress("anna@example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []account.Authentication{account.NoAuthentication, account.ClientIPAddress} {
		p := provider(imap993, withAuth(smtp465, method))
		document, err := Outlook(account.Settings{Address: a, Login: a, Provider: p, Servers: p.Servers})
		if err != nil {
			t.Fatalf("Outlook with %s: %v", method, err)
		}
		for text, want := range map[string]int{
			"<AuthRequired>off<": 1, "<AuthRequired>on<": 1, "<UsePOPAuth>off<": 1, "<Type>SMTP<": 1,
		} {
			if got := strings.Count(string(document), text); got != want {
				t.Errorf("%s: the document has %q %d times, want %d:\n%s", method, text, got, want, document)
			}
		}
		read, err := Read(document)
		if err != nil {
			t.Fatal(err)
		}
		smtp, _ := read.First(account.SMTP)
		imap, _ := read.First(account.IMAP)
		if !smtp.NeedsNoLogin() || imap.NeedsNoLogin() {
			t.Errorf("%s: Read returns smtp with %v and imap with %v, want no login for smtp alone",
				method, smtp.Authentication, imap.Authentication)
		}
	}
}
