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
	p.Notices = []account.Notice{{Texts: []account.Title{{Language: "en", Text: "We are moving."}},
		URL: "https://example.com/news"}}
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
	for _, want := range []string{"المنفذ:             \u200e993\n", "\u200eanna@example.com\n", ": \u200e+46 8 123\n",
		"المنفذ \u200e465، المنفذ \u200e587"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text has no %q:\n%s", want, text)
		}
	}
}

// TestAppPassword checks that the page says, before any step, that mail programs need an app
// password and where it is made; and to whom a page for signing in is enough.
func TestAppPassword(t *testing.T) {
	resolve, p := literal(server(account.IMAP), server(account.SMTP))
	p.Support.AppPassword = "https://login.%EMAILDOMAIN%/app"
	h := Handler(resolve, Options{})
	const lead, other, make = "Mail programs do not take the password of the website.", "does not need one",
		"https://login.example.com/app"
	page := get(t, h, "/?emailaddress=anna@example.com").Body.String()
	notice, steps := strings.Index(page, lead), strings.Index(page, "<details")
	if notice < 0 || notice > steps || !strings.Contains(page, `<a href="`+make+`">Make an app password</a>`) {
		t.Errorf("the page does not say before the steps where app passwords are made:\n%s", page)
	}
	if strings.Contains(page, "your email password.") && !strings.Contains(page, "asks for your email password") ||
		!strings.Contains(page, "your app password") || strings.Contains(page, other) {
		t.Errorf("the page asks for another password than the app's:\n%s", page)
	}
	for _, d := range []device{iPhone, mac} {
		if inside := part(t, page, d); !strings.Contains(inside, "Type the app password of") ||
			strings.Contains(inside, "Type the password of") {
			t.Errorf("the section %s does not ask for the app password:\n%s", d, inside)
		}
	}
	text := get(t, h, "/?emailaddress=anna@example.com&format=text").Body.String()
	if !strings.Contains(text, "\n! You need an app password. "+lead) || !strings.Contains(text, make+"\n") {
		t.Errorf("the plain text does not say where app passwords are made:\n%s", text)
	}

	// Programs that know Microsoft's page for signing in need none.
	for i := range p.Servers {
		p.Servers[i].Hostname = "outlook.office365.com"
		p.Servers[i].Authentication = []account.Authentication{account.OAuth2Auth, account.PasswordCleartext}
	}
	if page := get(t, h, "/?emailaddress=anna@example.com").Body.String(); !strings.Contains(page, lead) ||
		!strings.Contains(page, other) {
		t.Errorf("the page does not say who needs no app password:\n%s", page)
	}
	for i := range p.Servers {
		p.Servers[i].Authentication = []account.Authentication{account.OAuth2Auth}
	}
	if page := get(t, h, "/?emailaddress=anna@example.com").Body.String(); strings.Contains(page, lead) {
		t.Errorf("the page asks for an app password where no server takes one:\n%s", page)
	}
}
