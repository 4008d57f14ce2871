package setup

import (
	"strings"
	"testing"

	"signpost/account"
)

// TestLead checks that the page asks for no password where a token is needed.
func TestLead(t *testing.T) {
	for _, test := range []struct {
		method account.Authentication
		en, sv string
		not    string
	}{
		{account.PasswordCleartext, "All you need besides this page is your email password.",
			"Det enda du behöver utöver den här sidan är ditt e-\u2060postlösenord.", "page where you sign in"},
		{account.OAuth2Auth, "Your mail program takes you to the page where you sign in.",
			"tar dig till sidan där du loggar in.", "All you need"},
		{account.GSSAPI, "without an email password.", "utan e-\u2060postlösenord.", "All you need"},
		{account.GSSAPI, "without an email password.", "utan e-\u2060postlösenord.", "Is the password right?"},
	} {
		imap, smtp := server(account.IMAP), server(account.SMTP)
		method := []account.Authentication{test.method}
		imap.Authentication, smtp.Authentication = method, method
		resolve, _ := literal(imap, smtp)
		h := Handler(resolve, Options{})
		english := askFor(t, h, "anna@example.com").Body.String()
		swedish := get(t, h, "/?emailaddress=anna@example.com&lang=sv").Body.String()
		if !strings.Contains(english, test.en) || !strings.Contains(swedish, test.sv) ||
			strings.Contains(english, test.not) {
			t.Errorf("the lead for %s lacks %q or %q, or has %q", test.method, test.en, test.sv, test.not)
		}
	}
}

// TestLeadElsewhere checks that the page asks for no password of its own if it knows only
// that Exchange programs find another service.
func TestLeadElsewhere(t *testing.T) {
	resolve, p := literal()
	p.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: "autodiscover.example.com"}
	h := Handler(resolve, Options{})
	if page := askFor(t, h, "anna@example.com").Body.String(); strings.Contains(page, "All you need") ||
		!strings.Contains(page, "takes you to the page where you sign in") {
		t.Error("the lead asks for the email password, want the page where one signs in")
	}
	p.Servers = []account.Server{server(account.IMAP), server(account.SMTP)}
	if page := askFor(t, h, "anna@example.com").Body.String(); !strings.Contains(page, "All you need") {
		t.Error("the lead does not ask for the password that IMAP takes")
	}
}

// TestUnencrypted checks that the page warns of servers without encryption, but not if
// there are encrypted ones in their place. It speaks of the password only if one of the
// unencrypted servers takes it.
func TestUnencrypted(t *testing.T) {
	imap, smtp, calendar := server(account.IMAP), server(account.SMTP), server(account.CalDAV)
	plain, plainURL := imap, calendar
	plain.SocketType, plain.Port, plainURL.URL = account.Plain, 143, "http://caldav.example.com/"
	relay, kerberos := smtp, plain
	relay.SocketType, relay.Port = account.Plain, 25
	relay.Authentication = []account.Authentication{account.NoAuthentication}
	kerberos.Authentication = []account.Authentication{account.GSSAPI}
	for _, test := range []struct {
		servers  []account.Server
		want     bool
		password bool
	}{
		{[]account.Server{imap, smtp, calendar}, false, false},
		{[]account.Server{plain, imap, smtp}, false, false},
		{[]account.Server{plain, smtp}, true, true},
		{[]account.Server{imap, smtp, plainURL}, true, true},
		{[]account.Server{imap, relay}, true, false},
		{[]account.Server{kerberos, relay}, true, false},
		{[]account.Server{plain, relay}, true, true},
	} {
		resolve, _ := literal(test.servers...)
		h := Handler(resolve, Options{})
		for _, format := range []string{"html", "text"} {
			for lang, text := range map[string][2]string{
				"en": {"do not use these servers on public Wi-Fi", "can read your password"},
				"sv": {"använd inte de här servrarna på öppna wifi-nät", "kan läsa ditt lösenord"},
			} {
				page := get(t, h, "/?emailaddress=anna@example.com&format="+format+"&lang="+lang).Body.String()
				page = strings.ReplaceAll(page, "\u2060", "")
				if got := strings.Contains(page, text[0]); got != test.want {
					t.Errorf("%v as %s in %s: warned %v, want %v", test.servers, format, lang, got, test.want)
				}
				if got := strings.Contains(page, text[1]); got != test.password {
					t.Errorf("%v as %s in %s: warned of the password %v, want %v",
						test.servers, format, lang, got, test.password)
				}
			}
		}
	}
}

// TestAliasLogin checks that the page says of an alias what the operator configured,
// whether or not the address is one.
func TestAliasLogin(t *testing.T) {
	resolve, p := literal(server(account.IMAP), server(account.SMTP))
	h := Handler(resolve, Options{})
	for signsIn, want := range map[bool]string{
		false: "If you cannot sign in with it, use the address of the mailbox behind it.",
		true:  "Sign in with the user name on this page, not with the alias.",
	} {
		p.AliasSignsInAsMailbox = signsIn
		for _, format := range []string{"html", "text"} {
			page := get(t, h, "/?emailaddress=anna@example.com&format="+format).Body.String()
			if strings.Count(page, "an alias?") != 1 || !strings.Contains(page, "Is the address an alias? "+want) {
				t.Errorf("alias signs in as mailbox %v, %s: the page lacks %q", signsIn, format, want)
			}
		}
	}
}

// TestSigned checks that the page announces the text that iOS shows.
func TestSigned(t *testing.T) {
	resolve, o := load(t, "mamut")
	yes, no := func() bool { return true }, func() bool { return false }
	for _, test := range []struct {
		signed, trusted func() bool
		want            string
	}{
		{yes, nil, "<b>Verified</b>"},
		{yes, yes, "<b>Verified</b>"},
		{yes, no, "<b>Not Verified</b>"},
		{no, yes, "<b>Not Signed</b>"},
		{no, no, "<b>Not Signed</b>"},
		{nil, nil, "<b>Not Signed</b>"},
	} {
		o.Signed, o.Trusted = test.signed, test.trusted
		page := get(t, Handler(resolve, o), "/?emailaddress=mail@domain.se").Body.String()
		var got []string
		for _, text := range []string{"<b>Verified</b>", "<b>Not Verified</b>", "<b>Not Signed</b>"} {
			if strings.Contains(page, text) {
				got = append(got, text)
			}
		}
		if len(got) != 1 || got[0] != test.want {
			t.Errorf("the page announces %q, want %s alone", got, test.want)
		}
	}
}
