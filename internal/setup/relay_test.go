package setup

import (
	"strings"
	"testing"

	"signpost/account"
)

// TestRelay checks that the page shows a relay for sending without a user name and a
// password, and names a help page without a title by its URL.
func TestRelay(t *testing.T) {
	login := account.Login{Username: account.EmailAddress}
	resolve, p := literal(
		account.Server{Type: account.IMAP, Hostname: "imap.example.com", Port: 993, SocketType: account.SSL,
			Authentication: []account.Authentication{account.PasswordCleartext}, Login: login},
		account.Server{Type: account.SMTP, Hostname: "relay.example.com", Port: 465, SocketType: account.SSL,
			Authentication: []account.Authentication{account.NoAuthentication}, Login: login},
	)
	p.Documentation = []account.Documentation{{URL: "https://example.com/help"}}
	body := get(t, Handler(resolve, Options{}), "/?emailaddress=anna@example.com", "Accept", "text/plain").Body.String()
	_, relay, found := strings.Cut(body, "relay.example.com")
	relay, _, _ = strings.Cut(relay, "\n\n")
	if !found || !strings.Contains(relay, "No authentication") || strings.Contains(relay, "User name") ||
		strings.Contains(relay, "Password") {
		t.Errorf("the page shows the relay as\n%s\nwant no authentication, user name or password:\n%s", relay, body)
	}
	html := get(t, Handler(resolve, Options{}), "/?emailaddress=anna@example.com").Body.String()
	if !strings.Contains(html, ">example.com/help</a>") {
		t.Error("the page does not name its help page by its URL, want example.com/help")
	}
	if !strings.Contains(html, ".mobileconfig") {
		t.Error("the page offers no profile, want one: a relay needs no password")
	}
}
