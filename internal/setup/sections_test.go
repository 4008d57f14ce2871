package setup

import (
	"slices"
	"strings"
	"testing"

	"signpost/account"
)

// TestSections checks what each section says and does not say for each kind of
// provider.
func TestSections(t *testing.T) {
	token := withToken
	imap, pop, smtp, eas, ews := server(account.IMAP), server(account.POP3), server(account.SMTP),
		server(account.ActiveSync), server(account.EWS)
	eas.URL = "https://activesync.example.com/Microsoft-Server-ActiveSync"
	ticket := func(s account.Server) account.Server {
		s.Authentication = []account.Authentication{account.GSSAPI}
		return s
	}
	local := imap
	local.Login.Username = account.EmailLocalPart
	relay := smtp
	relay.Authentication, relay.Login.Username = []account.Authentication{account.NoAuthentication}, "relay"
	joined := eas
	joined.Login.DomainName = "NT"
	plain := imap
	plain.SocketType, plain.Port = account.Plain, 143
	second := smtp
	second.Hostname, second.Port, second.SocketType = "second.example.com", 587, account.STARTTLS
	elsewhere := eas
	elsewhere.URL = "https://eas.example.com:8443/Microsoft-Server-ActiveSync"
	for _, test := range []struct {
		name     string
		servers  []account.Server
		redirect bool
		device   device
		want     []string
		not      []string
	}{
		{"IMAP", []account.Server{imap, smtp}, false, iPhone,
			[]string{"Install on iPhone", "8 minutes", "Not Signed", "Remove Profile"},
			[]string{"once each for", "Microsoft Exchange", "only=mail"}},
		{"IMAP", []account.Server{imap, smtp}, false, mac, []string{"Download for Mac"}, []string{"Internet Accounts"}},
		{"IMAP", []account.Server{imap, smtp}, false, android,
			[]string{"Personal (IMAP)", "Thunderbird", "imap.example.com"},
			[]string{"Exchange and Office 365", "Personal (POP3)"}},
		{"IMAP", []account.Server{imap, smtp}, false, outlook,
			[]string{"does not ask", "New Outlook", "Choose <b>IMAP</b> and"}, []string{"POP"}},
		{"IMAP", []account.Server{imap, smtp}, false, outlook, []string{"New Outlook, and", "Microsoft’s servers"},
			[]string{"another user name"}},
		{"another user name", []account.Server{local, smtp}, false, outlook,
			[]string{"Use classic Outlook. <a", "<h4>Outlook for Mac</h4>", "Classic Outlook: 2016"},
			[]string{"New Outlook, and", "Microsoft’s servers"}},
		{"a relay with a user name that nobody uses", []account.Server{imap, relay}, false, outlook,
			[]string{"New Outlook, and"}, []string{"another user name"}},
		{"IMAP", []account.Server{imap, smtp}, false, thunderbird, []string{"Nothing to look up"}, nil},
		{"IMAP", []account.Server{imap, smtp}, false, other, []string{"imap.example.com", "smtp.example.com"},
			[]string{"IMAP or POP?", "OAuth2"}},
		{"POP", []account.Server{pop, smtp}, false, android, []string{"Personal (POP3)", "pop3.example.com"},
			[]string{"Personal (IMAP)"}},
		{"POP", []account.Server{pop, smtp}, false, iPhone, []string{"Install on iPhone"},
			[]string{"What is on the server stays there"}},
		{"POP", []account.Server{pop, smtp}, false, outlook, []string{"choose <b>POP</b>"}, []string{"IMAP"}},
		{"both", []account.Server{imap, pop, smtp}, false, outlook, []string{"<b>IMAP</b> (or <b>POP</b>)"}, nil},
		{"calendars too", []account.Server{imap, smtp, server(account.CalDAV)}, false, iPhone,
			[]string{"once each for email, calendars", "only=mail"}, nil},
		{"calendars too", []account.Server{imap, smtp, server(account.CalDAV)}, false, mac, []string{"only=mail"}, nil},
		{"calendars too", []account.Server{imap, smtp, server(account.CalDAV)}, false, other,
			[]string{"Calendars, CalDAV", "https://caldav.example.com/path"}, nil},
		{"Exchange before calendars", []account.Server{eas, imap, smtp, server(account.CalDAV)}, false, iPhone,
			[]string{"only=mail"}, []string{"once each for"}},
		{"no profile without encryption", []account.Server{plain, smtp}, false, iPhone,
			[]string{"Add Mail Account", "none (not encrypted)"}, []string{"mobileconfig"}},
		{"no profile without encryption", []account.Server{plain, smtp}, false, mac,
			[]string{"Internet Accounts", "none (not encrypted)"}, []string{"mobileconfig"}},
		{"ActiveSync", []account.Server{eas}, false, android,
			[]string{"Exchange and Office 365", "leave empty", "activesync.example.com"},
			[]string{`Domain\Username`, "Thunderbird", "/Microsoft"}},
		{"ActiveSync at another port", []account.Server{elsewhere}, false, android,
			[]string{"<code>eas.example.com:8443</code>"}, nil},
		{"ActiveSync", []account.Server{eas}, false, outlook, []string{"only in part", "Exchange ActiveSync"},
			[]string{"IMAP"}},
		{"ActiveSync", []account.Server{eas}, false, outlook, nil, []string{"leave empty"}},
		{"ActiveSync with a domain", []account.Server{joined}, false, outlook,
			[]string{`<dt>User name</dt><dd><code>NT\anna@example.com</code>`}, []string{"<dt>Domain"}},
		{"Kerberos", []account.Server{ticket(imap), ticket(smtp)}, false, thunderbird,
			[]string{"sign in with Kerberos"}, []string{"your email password.", "page"}},
		{"Kerberos", []account.Server{ticket(imap), ticket(smtp)}, false, iPhone,
			[]string{"We know of no way", "sign in with Kerberos"}, []string{"Add Mail Account", "<figure", "mobileconfig"}},
		{"Kerberos", []account.Server{ticket(imap), ticket(smtp)}, false, mac,
			[]string{"We know of no way", "sign in with Kerberos"}, []string{"Internet Accounts", "<figure"}},
		{"Kerberos", []account.Server{ticket(imap), ticket(smtp)}, false, outlook,
			[]string{"We know of no way", "sign in with Kerberos"}, []string{"<figure"}},
		{"Kerberos", []account.Server{ticket(imap), ticket(smtp)}, false, android,
			[]string{"We know of no way", "sign in with Kerberos"}, []string{"Gmail", "Install"}},
		{"Kerberos", []account.Server{ticket(imap), ticket(smtp)}, false, other,
			[]string{"Kerberos / GSSAPI", "sign in with Kerberos"}, []string{"<dt>Password"}},
		{"a token for IMAP, a password for SMTP", []account.Server{token(imap), smtp}, false, iPhone,
			[]string{"We know of no way"}, []string{"Add Mail Account", "<figure"}},
		{"a token for IMAP, a password for SMTP", []account.Server{token(imap), smtp}, false, outlook,
			[]string{"We know of no way"}, []string{"<figure"}},
		{"a token for IMAP, a password for POP", []account.Server{token(imap), pop, smtp}, false, outlook,
			[]string{"Choose <b>POP</b>", "pop3.example.com"}, []string{"IMAP</b>", "imap.example.com"}},
		{"a token for IMAP, a password for POP", []account.Server{token(imap), pop, smtp}, false, android,
			[]string{"Personal (POP3)", "pop3.example.com"}, []string{"imap.example.com"}},
		{"a token for ActiveSync, a password for IMAP", []account.Server{token(eas), imap, smtp}, false, android,
			[]string{"imap.example.com"}, []string{"Exchange and Office 365"}},
		{"ActiveSync with Kerberos", []account.Server{ticket(eas)}, false, android,
			[]string{"We know of no way"}, []string{"Exchange and Office 365"}},
		{"ActiveSync", []account.Server{eas}, false, thunderbird, []string{"does not speak Exchange ActiveSync"}, nil},
		{"ActiveSync at another port", []account.Server{elsewhere}, false, iPhone,
			[]string{"Configure Manually", "<code>eas.example.com:8443</code>"}, []string{"mobileconfig", "We know of no way"}},
		{"ActiveSync by token", []account.Server{token(eas)}, false, iPhone,
			[]string{"Install on iPhone", "sign in on a page"}, []string{"password of"}},
		{"ActiveSync by token at another port", []account.Server{token(elsewhere)}, false, iPhone,
			[]string{"We know of no way", "OAuth2", "The webmail works there."}, []string{"Configure Manually"}},
		{"ActiveSync by token", []account.Server{token(eas)}, false, android, []string{"sign in on the page"},
			[]string{"password"}},
		{"ActiveSync by token", []account.Server{token(eas)}, false, outlook, []string{"We know of no way", "OAuth2"},
			[]string{"password is left", "Control Panel"}},
		{"web services", []account.Server{ews}, false, mac, []string{"Download for Mac"}, []string{"only=mail"}},
		{"web services", []account.Server{ews}, false, thunderbird, []string{"We know of no way"},
			[]string{"offer <b>Exchange</b>"}},
		{"web services and SMTP", []account.Server{ews, smtp}, false, thunderbird, []string{"offer <b>Exchange</b>"}, nil},
		{"web services", []account.Server{ews}, false, android, []string{"We know of no way"}, nil},
		{"web services", []account.Server{ews}, false, iPhone, []string{"We know of no way", "The webmail works there."},
			[]string{"mobileconfig"}},
		{"handed over", []account.Server{token(imap), token(smtp)}, true, iPhone, []string{"Microsoft Exchange", "Sign In"},
			[]string{"mobileconfig", "password"}},
		{"handed over", []account.Server{token(imap), token(smtp)}, true, mac,
			[]string{"Microsoft Exchange", "Internet Accounts"}, []string{"mobileconfig", "password"}},
		{"handed over", []account.Server{token(imap), token(smtp)}, true, android,
			[]string{"Exchange and Office 365", "Outlook"}, []string{"Manual setup", "password."}},
		{"handed over", []account.Server{token(imap), token(smtp)}, true, outlook, []string{"Every Outlook finds"},
			[]string{"by hand"}},
		{"handed over", nil, true, other, []string{"by themselves"}, nil},
		{"token", []account.Server{token(imap), token(smtp)}, false, other, []string{"OAuth2"},
			[]string{"your email password"}},
		{"token", []account.Server{token(imap), token(smtp)}, false, thunderbird, []string{"sign in on a page"}, nil},
		{"handed over without servers", nil, true, thunderbird, []string{"offer <b>Exchange</b>"}, []string{"ActiveSync"}},
		{"token", []account.Server{token(imap), token(smtp)}, false, iPhone,
			[]string{"We know of no way", "OAuth2", "The webmail works there."}, []string{"Add Mail Account", "<figure"}},
		{"token", []account.Server{token(imap), token(smtp)}, false, mac, []string{"We know of no way", "OAuth2"},
			[]string{"Internet Accounts", "<figure"}},
		{"token", []account.Server{token(imap), token(smtp)}, false, outlook, []string{"We know of no way", "OAuth2"},
			[]string{"2013", "<figure", "password."}},
		{"token", []account.Server{token(imap), token(smtp)}, false, android, []string{"You sign in on a page"},
			[]string{"Gmail", "password"}},
		{"token beside ActiveSync", []account.Server{token(imap), token(smtp), eas}, false, thunderbird,
			[]string{"sign in on a page"}, []string{"password"}},
		{"token beside ActiveSync", []account.Server{token(imap), token(smtp), eas}, false, outlook,
			[]string{"only in part", "activesync.example.com"}, []string{"imap.example.com"}},
		{"IMAP", []account.Server{imap, smtp}, false, outlook,
			[]string{"If they do not find it, type in the values below."}, nil},
		{"IMAP alone", []account.Server{imap}, false, thunderbird, []string{"We know of no way"}, []string{"ActiveSync"}},
		{"JMAP", []account.Server{server(account.JMAP)}, false, thunderbird, []string{"We know of no way"},
			[]string{"ActiveSync"}},
		{"nothing but calendars", []account.Server{server(account.CalDAV)}, false, outlook,
			[]string{"We know of no way"}, nil},
		{"nothing but calendars", []account.Server{server(account.CalDAV)}, false, thunderbird,
			[]string{"We know of no way"}, []string{"ActiveSync"}},
		{"nothing but calendars", []account.Server{server(account.CalDAV)}, false, iPhone,
			[]string{"Install on iPhone", "<b>Calendar</b>"}, []string{"only=mail", "<b>Mail</b>"}},
		{"two ways", []account.Server{imap, plain, smtp, second}, false, outlook,
			[]string{"imap.example.com", "smtp.example.com"}, []string{"not encrypted", "second.example.com", "(2)"}},
		{"two ways", []account.Server{imap, plain, smtp, second}, false, android, []string{"smtp.example.com"},
			[]string{"not encrypted", "second.example.com"}},
		{"two ways", []account.Server{plain, imap, smtp, second}, false, other,
			[]string{"<figcaption>Outgoing mail, SMTP</figcaption>", "<figcaption>Outgoing mail, SMTP (2)</figcaption>",
				"second.example.com", "<figcaption>Incoming mail, IMAP</figcaption>"}, []string{"not encrypted", "IMAP (2)"}},
	} {
		t.Run(test.name+" "+string(test.device), func(t *testing.T) {
			resolve, p := literal(test.servers...)
			p.Webmail = "https://webmail.example.com/"
			if test.redirect {
				p.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: "autodiscover.example.com"}
			}
			inside := part(t, askFor(t, Handler(resolve, Options{}), "anna@example.com").Body.String(), test.device)
			for _, want := range test.want {
				if !strings.Contains(inside, want) {
					t.Errorf("lacks %q:\n%s", want, inside)
				}
			}
			for _, not := range test.not {
				if strings.Contains(inside, not) {
					t.Errorf("has %q:\n%s", not, inside)
				}
			}
		})
	}
}

// TestClients checks that a section shows the settings of its own client.
func TestClients(t *testing.T) {
	imap := server(account.IMAP)
	imap.SocketType = account.Plain // without a profile, Apple's sections show values
	resolve, p := literal(server(account.ActiveSync), imap, server(account.SMTP))
	exception := func(user, domain string) []account.Server {
		servers := slices.Clone(p.Servers)
		for i := range servers {
			servers[i].Login = account.Login{Username: user, DomainName: domain}
		}
		return servers
	}
	p.Exceptions = map[account.Client][]account.Server{
		account.Outlook: exception("for-outlook", ""),
		account.Phone:   exception("for-phones", "NT"),
		account.Apple:   exception("for-apple", ""),
	}
	page := askFor(t, Handler(resolve, Options{}), "anna@example.com").Body.String()
	for d, want := range map[device]string{outlook: "for-outlook", android: "for-phones", iPhone: "for-apple",
		mac: "for-apple", other: "anna@example.com"} {
		inside := part(t, page, d)
		if !strings.Contains(inside, "<code>"+want+"</code>") {
			t.Errorf("the section %s lacks the login %s", d, want)
		}
		if want != "for-outlook" && strings.Contains(inside, "for-outlook") {
			t.Errorf("the section %s has Outlook's login", d)
		}
	}
	if strings.Contains(part(t, page, other), "for-") {
		t.Error("the section for other programs has an exception's login")
	}
	// An exception for the page itself is for no other client.
	p.Exceptions = map[account.Client][]account.Server{account.Page: exception("for-the-page", "")}
	page = askFor(t, Handler(resolve, Options{}), "anna@example.com").Body.String()
	if !strings.Contains(part(t, page, other), "for-the-page") ||
		strings.Contains(part(t, page, outlook)+part(t, page, iPhone), "for-the-page") {
		t.Error("the page's exception is missing or shown for another client")
	}
}
