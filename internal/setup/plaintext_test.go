package setup

import (
	"strings"
	"testing"

	"signpost/account"
)

// TestPlainText checks that the plain text has what the page in HTML has: the form's
// lead, notices and the provider's links, each with its label.
func TestPlainText(t *testing.T) {
	resolve, p := literal(server(account.IMAP), server(account.SMTP))
	p.Notices = []account.Notice{{Texts: []account.Title{{Language: "en", Text: "We are moving."}}, URL: "https://example.com/news"}}
	p.Support = account.Support{Status: "https://example.com/status", PasswordReset: "https://example.com/password",
		ControlPanel: "https://example.com/panel"}
	p.Webmail = "https://webmail.example.com/"
	h := Handler(resolve, Options{})
	for path, want := range map[string]string{
		"/?format=text": "Set up your email\nAdd your address to get the settings: /?emailaddress=…&format=text\n",
		"/?format=text&emailaddress=an(na_example.com":        "The address has no @. It should look like anna@example.com.\n",
		"/?format=text&emailaddress=anna@example.com":         "\n! We are moving. https://example.com/news\n",
		"/?emailaddress=anna@example.com&format=text":         "\n  Choose a new password: https://example.com/password\n",
		"/?emailaddress=anna@example.com&format=text&lang=fr": "\n  Port\u00a0:              993\n",
	} {
		if text := get(t, h, path).Body.String(); !strings.Contains(text, want) {
			t.Errorf("GET %s has no %q:\n%s", path, want, text)
		}
	}
}

// TestPlainTextRightToLeft checks that in Arabic a mark stands before each value: without
// it a port is shown on the other side of its label than a host name. Lists have the
// language's comma.
func TestPlainTextRightToLeft(t *testing.T) {
	second := server(account.SMTP)
	second.Port = 587
	resolve, _ := literal(server(account.IMAP), server(account.SMTP), second)
	h := Handler(resolve, Options{Branding: Branding{Contact: account.Contact{Phone: "+46 8 123"}}})
	text := get(t, h, "/?emailaddress=anna@example.com&format=text&lang=ar").Body.String()
	for _, want := range []string{"المنفذ:             \u200e993\n", "\u200eanna@example.com\n", ": \u200e+46 8 123\n", "المنفذ \u200e465، المنفذ \u200e587"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text has no %q:\n%s", want, text)
		}
	}
}
