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

// TestRelayAsksForNothing checks that a relay for sending, where nobody signs in, does not
// make the page ask for a password that the other server does not take.
func TestRelayAsksForNothing(t *testing.T) {
	for method, want := range map[account.Authentication]string{
		account.PasswordCleartext: "All you need besides this page is your email password.",
		account.OAuth2Auth:        "takes you to the page where you sign in.",
		account.GSSAPI:            "without an email password.",
	} {
		imap, relay := server(account.IMAP), server(account.SMTP)
		imap.Authentication = []account.Authentication{method}
		imap.Hostname = "imap.fastmail.com" // where mail programs know how to get a token
		relay.Authentication = []account.Authentication{account.NoAuthentication}
		resolve, _ := literal(imap, relay)
		page := askFor(t, Handler(resolve, Options{}), "anna@example.com").Body.String()
		lead, _, _ := strings.Cut(page, "</p>")
		if !strings.Contains(lead, want) {
			t.Errorf("IMAP with %s and a relay: the page begins with %q, want %q", method, lead, want)
		}
		if inside := part(t, page, thunderbird); strings.Contains(inside, "We know of no way") {
			t.Errorf("IMAP with %s and a relay: Thunderbird is said not to work", method)
		}
	}
}
