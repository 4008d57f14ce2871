package setup

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"signpost/account"
	"signpost/internal/golden"
)

// TestGolden compares the answers of the example systems with files for people to
// read: as plain text in both languages, and two as whole pages.
func TestGolden(t *testing.T) {
	const dir = "../../testdata/golden/setup/"
	for _, s := range systems(t) {
		h := Handler(s.Resolve, s.Options)
		for _, address := range s.Addresses {
			for _, lang := range []string{"en", "sv"} {
				w := get(t, h, "/?emailaddress="+address+"&lang="+lang, "Accept", "text/plain")
				golden.Check(t, dir+address+"."+lang+".txt", w.Body.Bytes())
			}
		}
	}
	for file, query := range map[string]string{
		"mamut mail@domain.se.en.html":            "emailaddress=mail@domain.se&device=all",
		"websupport anna@butiken.example.sv.html": "emailaddress=anna@butiken.example&device=all&lang=sv",
	} {
		system, name, _ := strings.Cut(file, " ")
		resolve, o := load(t, system)
		body := get(t, Handler(resolve, o), "/?"+query).Body.String()
		// The versions of style and script change independently of this page.
		body = regexp.MustCompile(`\?v=[0-9a-f]{8}`).ReplaceAllString(body, "?v=…")
		golden.Check(t, dir+name, []byte(body))
	}
}

// part returns the section of a page for a device.
func part(t testing.TB, page string, d device) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `<details id="`+string(d)+`"`)
	if !ok {
		t.Fatalf("the page has no section %s", d)
	}
	inside, _, _ := strings.Cut(rest, "</details>")
	return inside
}

// rows returns the rows of the tables in a part of a page, as "label: value".
func rows(part string) []string {
	var list []string
	tags := regexp.MustCompile(`<[^>]*>`)
	for _, row := range regexp.MustCompile(`<div><dt>(.*?)</dt><dd>(.*?)</dd></div>`).FindAllStringSubmatch(part, -1) {
		list = append(list, tags.ReplaceAllString(row[1]+": "+row[2], ""))
	}
	return list
}

// TestMamut checks the two products of a hoster as its customers have to type them.
func TestMamut(t *testing.T) {
	resolve, o := load(t, "mamut")
	h := service(resolve, o)
	page := get(t, h, "/?emailaddress=mail@domain.se").Body.String()
	got := rows(part(t, page, android))
	want := []string{
		"Server: mamutmail.com", "Domain: hosting01", "User name: mail_domain.se", "Password: your email password",
		"Security: SSL/TLS",
		`Domain\Username: hosting01\mail_domain.se`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows for Android = %q, want %q", got, want)
	}
	link := regexp.MustCompile(`href="(/profile\.mobileconfig[^"]*)"`).FindStringSubmatch(part(t, page, iPhone))
	if link == nil {
		t.Fatal("the iPhone's section has no link to a profile")
	}
	w := get(t, h, strings.ReplaceAll(link[1], "&amp;", "&"))
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/x-apple-aspen-config" ||
		!strings.Contains(w.Body.String(), `hosting01\mail_domain.se`) {
		t.Errorf("GET %s: status %d, Content-Type %q, want a profile with the login",
			link[1], w.Code, w.Header().Get("Content-Type"))
	}
	if inside := part(t, page, mac); strings.Contains(inside, "mobileconfig") ||
		!strings.Contains(inside, "does not speak Exchange ActiveSync") {
		t.Errorf("the Mac's section does not say that a Mac lacks ActiveSync: %s", inside)
	}

	page = get(t, h, "/?emailaddress=info@domain.se").Body.String()
	got = rows(part(t, page, other))
	want = []string{
		"Server: mamutmail.com", "Port: 993", "Security: SSL/TLS", "User name: info@domain.se",
		"Sign-in method: Normal password", "Password: your email password",
		"Server: mamutmail.com", "Port: 995", "Security: SSL/TLS", "User name: info@domain.se",
		"Sign-in method: Normal password", "Password: your email password",
		"Server: mamutmail.com", "Port: 587", "Security: STARTTLS", "User name: info@domain.se",
		"Sign-in method: Normal password", "Password: your email password",
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows for other programs = %q, want %q", got, want)
	}
	if !strings.Contains(page, "IMAP or POP?") {
		t.Error("the page does not help to choose between IMAP and POP")
	}
}

// TestSections checks what each section says and does not say for each kind of
// provider.
func TestSections(t *testing.T) {
	token := func(s account.Server) account.Server {
		s.Authentication = []account.Authentication{account.OAuth2Auth}
		return s
	}
	imap, pop, smtp, eas, ews := server(account.IMAP), server(account.POP3), server(account.SMTP), server(account.ActiveSync), server(account.EWS)
	eas.URL = "https://activesync.example.com/Microsoft-Server-ActiveSync"
	ticket := func(s account.Server) account.Server {
		s.Authentication = []account.Authentication{account.GSSAPI}
		return s
	}
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
		{"web services", []account.Server{ews}, false, thunderbird, []string{"offer <b>Exchange</b>"}, nil},
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

// TestTrouble checks everything that a provider can say for when something does not
// work.
func TestTrouble(t *testing.T) {
	resolve, p := literal(server(account.IMAP), server(account.SMTP))
	full := sampleProviders()[0]
	p.Support, p.Documentation, p.Webmail = full.Support, full.Documentation, "https://webmail.%EMAILDOMAIN%/"
	p.Support.PasswordReset = "https://reset.%EMAILDOMAIN%/"
	p.Support.Checks = [][]account.Title{{{Language: "en", Text: "Is <it> plugged in?"},
		{Language: "sv", Text: "Sitter sladden i?"}}}
	p.Support.Limits = account.SendingLimits{PerAddress: 300, PerDomain: 2000, Wait: 60 * 60e9}
	h := Handler(resolve, Options{Branding: Branding{Contact: account.Contact{Email: "operator@example.com"}}})
	for lang, wants := range map[string][]string{
		"en": {"https://status.example.com", "https://webmail.example.com/", "https://reset.example.com/", "https://example.com/panel", "300 messages an hour",
			"2,000 an hour", "blocked for 60 minutes", "port 465", "help@example.com", "https://example.com/help", "alias",
			"Is the account active?"},
		"sv": {"300 meddelanden i timmen", "2\u00a0000 i timmen", "60 minuter", "port 465", "alias", "Är kontot aktivt?", "Sitter sladden i?"},
	} {
		for _, format := range []string{"html", "text"} {
			body := get(t, h, "/?emailaddress=anna@example.com&lang="+lang+"&format="+format).Body.String()
			for _, want := range wants {
				if format == "text" && want == "https://example.com/help" {
					continue // help pages are for browsers
				}
				if !strings.Contains(body, want) {
					t.Errorf("the page in %s as %s lacks %q", lang, format, want)
				}
			}
			if strings.Contains(body, "operator@example.com") {
				t.Errorf("the page in %s as %s has the operator's contact although the provider has its own", lang, format)
			}
			if format == "html" && strings.Contains(body, "<it>") {
				t.Error("the text of a check is not escaped")
			}
		}
	}
	if body := get(t, h, "/?emailaddress=x@").Body.String(); !strings.Contains(body, "mailto:operator@example.com") {
		t.Error("the page lacks the operator's contact")
	}
}

// TestForeignTexts checks that a text in another language than the page names its
// language, for people who have it read aloud (WCAG 3.1.2).
func TestForeignTexts(t *testing.T) {
	resolve, p := literal(server(account.IMAP), server(account.SMTP))
	english := account.Title{Language: "en", Text: "English only"}
	both := []account.Title{{Language: "en", Text: "Both"}, {Language: "sv", Text: "Bägge"}}
	p.Notices = []account.Notice{{Texts: []account.Title{english}}, {Texts: both}}
	p.Documentation = []account.Documentation{{URL: "https://example.com/help", Titles: []account.Title{english}}}
	p.Support.Checks = [][]account.Title{{english}, both}
	h := Handler(resolve, Options{})
	page := get(t, h, "/?emailaddress=anna@example.com&lang=sv").Body.String()
	if n := strings.Count(page, `<span lang="en" dir="auto">English only</span>`); n != 3 {
		t.Errorf("%d of 3 English texts are marked as English", n)
	}
	if page := askFor(t, h, "anna@example.com").Body.String(); strings.Count(page, "English only") != 3 ||
		strings.Contains(page, "<span lang=") || strings.Contains(page, "Bägge") {
		t.Error("the English page has texts in another language")
	}
}

// TestWait checks that the page shows the wait in whole minutes, rounded up.
func TestWait(t *testing.T) {
	resolve, p := literal(server(account.IMAP), server(account.SMTP))
	h := Handler(resolve, Options{})
	for wait, want := range map[time.Duration][2]string{
		time.Minute:      {"blocked for one minute,", "stopp i en minut,"},
		90 * time.Second: {"blocked for 2 minutes,", "stopp i 2 minuter,"},
		48 * time.Hour:   {"blocked for 2,880 minutes,", "stopp i 2\u00a0880 minuter,"},
	} {
		p.Support.Limits = account.SendingLimits{PerAddress: 1, Wait: wait}
		for i, lang := range []string{"en", "sv"} {
			for _, format := range []string{"html", "text"} {
				body := get(t, h, "/?emailaddress=anna@example.com&lang="+lang+"&format="+format).Body.String()
				if !strings.Contains(body, want[i]) {
					t.Errorf("wait %v in %s as %s: the page lacks %q", wait, lang, format, want[i])
				}
			}
		}
	}
}

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
		imap.Authentication, smtp.Authentication = []account.Authentication{test.method}, []account.Authentication{test.method}
		resolve, _ := literal(imap, smtp)
		h := Handler(resolve, Options{})
		english := askFor(t, h, "anna@example.com").Body.String()
		swedish := get(t, h, "/?emailaddress=anna@example.com&lang=sv").Body.String()
		if !strings.Contains(english, test.en) || !strings.Contains(swedish, test.sv) || strings.Contains(english, test.not) {
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
// there are encrypted ones in their place.
func TestUnencrypted(t *testing.T) {
	imap, smtp, calendar := server(account.IMAP), server(account.SMTP), server(account.CalDAV)
	plain, plainURL := imap, calendar
	plain.SocketType, plain.Port, plainURL.URL = account.Plain, 143, "http://caldav.example.com/"
	for _, test := range []struct {
		servers []account.Server
		want    bool
	}{
		{[]account.Server{imap, smtp, calendar}, false},
		{[]account.Server{plain, imap, smtp}, false},
		{[]account.Server{plain, smtp}, true},
		{[]account.Server{imap, smtp, plainURL}, true},
	} {
		resolve, _ := literal(test.servers...)
		h := Handler(resolve, Options{})
		for _, format := range []string{"html", "text"} {
			for lang, text := range map[string]string{"en": "do not use them on public Wi-Fi", "sv": "använd dem inte på öppna wifi-nät"} {
				page := get(t, h, "/?emailaddress=anna@example.com&format="+format+"&lang="+lang).Body.String()
				if got := strings.Contains(page, text); got != test.want {
					t.Errorf("%v as %s in %s: warned %v, want %v", test.servers, format, lang, got, test.want)
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

// TestOrder checks that the visitor's device is first and open, and that no section
// is missing.
func TestOrder(t *testing.T) {
	resolve, o := load(t, "mamut")
	h := Handler(resolve, o)
	sections := regexp.MustCompile(`<details id="(\w+)"( open)?`)
	for _, test := range []struct{ query, agent, first, second, open string }{
		{"", agentIPhone, "iphone", "mac", "iphone"},
		{"", agentMac, "mac", "iphone", "mac"}, // an iPad sends the same
		{"", agentAndroid, "android", "outlook", "android"},
		{"", agentWindows, "outlook", "thunderbird", "outlook"},
		{"", agentLinux, "thunderbird", "other", "thunderbird"},
		{"", "curl/8.5.0", "iphone", "android", ""},
		{"", "", "iphone", "android", ""},
		{"&device=android", agentIPhone, "android", "outlook", "android"},
		{"&device=iPad", agentWindows, "iphone", "mac", "iphone"},
		{"&device=outlook", agentMac, "outlook", "thunderbird", "outlook"},
		{"&device=thunderbird", agentMac, "thunderbird", "outlook", "thunderbird"},
		{"&device=windows", agentMac, "outlook", "thunderbird", "outlook"},
		{"&device=linux", agentMac, "thunderbird", "other", "thunderbird"},
		{"&device=other", agentWindows, "other", "iphone", "other"},
		{"&device=toaster", agentMac, "mac", "iphone", "mac"},
		{"&device=all", agentMac, "iphone", "android", "iphone android outlook thunderbird mac other"},
	} {
		page := get(t, h, "/?emailaddress=info@domain.se"+test.query, "User-Agent", test.agent).Body.String()
		var all, open []string
		for _, match := range sections.FindAllStringSubmatch(page, -1) {
			all = append(all, match[1])
			if match[2] != "" {
				open = append(open, match[1])
			}
		}
		if len(all) != 6 || all[0] != test.first || all[1] != test.second || strings.Join(open, " ") != test.open {
			t.Errorf("query %q, User-Agent %q: sections %q, open %q, want first %q, %q, open %q",
				test.query, test.agent, all, open, test.first, test.second, test.open)
		}
		slices.Sort(all)
		if len(slices.Compact(all)) != 6 {
			t.Errorf("query %q, User-Agent %q: a section is there twice", test.query, test.agent)
		}
	}
}

// TestFirst checks what a visitor sees first for each kind of mailbox: a section that
// works on the device, or else the webmail, or else all settings, and never a section
// that says that nothing works.
func TestFirst(t *testing.T) {
	with := func(a account.Authentication, s account.Server) account.Server {
		s.Authentication = []account.Authentication{a}
		return s
	}
	imap, smtp, eas := server(account.IMAP), server(account.SMTP), server(account.ActiveSync)
	token, ticket := account.OAuth2Auth, account.GSSAPI
	kinds := map[string][]account.Server{
		"imap": {imap, smtp}, "activesync": {eas}, "web services": {server(account.EWS)}, "jmap": {server(account.JMAP)},
		"token": {with(token, imap), with(token, smtp)}, "kerberos": {with(ticket, imap), with(ticket, smtp)},
		"activesync by token": {with(token, eas)},
		"token and password":  {with(token, imap), smtp}, "certificate": {with(account.TLSClientCert, imap), smtp},
	}
	first := regexp.MustCompile(`<details id="(\w+)"( open)?|<section class="card first">`)
	nothing := regexp.MustCompile(`We know of no way|does not speak`)
	for _, test := range []struct{ kind, agent, want, withoutWebmail string }{
		{"imap", agentWindows, "outlook", "outlook"},
		{"imap", agentLinux, "thunderbird", "thunderbird"},
		{"activesync", agentWindows, "outlook", "outlook"},
		{"activesync", agentLinux, "webmail", "other"},
		{"activesync", agentMac, "webmail", "other"},
		{"activesync", agentAndroid, "android", "android"},
		{"activesync", agentIPhone, "iphone", "iphone"},
		{"activesync by token", agentWindows, "webmail", "other"},
		{"activesync by token", agentAndroid, "android", "android"},
		{"web services", agentWindows, "thunderbird", "thunderbird"},
		{"web services", agentLinux, "thunderbird", "thunderbird"},
		{"web services", agentMac, "mac", "mac"},
		{"web services", agentAndroid, "webmail", "other"},
		{"token", agentWindows, "thunderbird", "thunderbird"},
		{"token", agentMac, "thunderbird", "thunderbird"},
		{"token", agentIPhone, "webmail", "other"},
		{"token and password", agentWindows, "thunderbird", "thunderbird"},
		{"kerberos", agentLinux, "thunderbird", "thunderbird"},
		{"kerberos", agentAndroid, "webmail", "other"},
		{"certificate", agentLinux, "webmail", "other"},
		{"jmap", agentWindows, "webmail", "other"},
	} {
		resolve, p := literal(kinds[test.kind]...)
		h := Handler(resolve, Options{})
		for webmail, want := range map[string]string{"https://webmail.example.com/": test.want, "": test.withoutWebmail} {
			p.Webmail = webmail
			page := askFor(t, h, "anna@example.com", "User-Agent", test.agent).Body.String()
			match := first.FindStringSubmatch(page)
			got := match[1]
			if got == "" {
				got = "webmail"
			} else if match[2] == "" {
				t.Errorf("%s, webmail %q, %s: the first section is closed", test.kind, webmail, test.agent)
			}
			if got != want {
				t.Errorf("%s, webmail %q, %s: first is %s, want %s", test.kind, webmail, test.agent, got, want)
			}
			if webmail != "" && strings.Count(page, `class="button`) == 0 {
				t.Errorf("%s, %s: the page has no button for the webmail", test.kind, test.agent)
			}
			failed := false // sections in which nothing works come last
			for _, d := range []device{iPhone, mac, android, outlook, thunderbird} {
				if inside := part(t, page, d); nothing.MatchString(inside) && webmail != "" &&
					!strings.Contains(inside, `<a href="`+webmail+`">The webmail works there.</a>`) {
					t.Errorf("%s, section %s: nothing works there, and it has no link to the webmail", test.kind, d)
				}
			}
			for _, match := range first.FindAllStringSubmatch(page, -1) {
				if match[1] == "" {
					continue
				}
				dead := nothing.MatchString(part(t, page, device(match[1]))) ||
					match[1] == "outlook" && test.kind == "activesync" && test.agent == agentMac // only on Windows
				if failed && !dead {
					t.Errorf("%s, %s: the section %s comes after one in which nothing works", test.kind, test.agent, match[1])
				}
				failed = failed || dead
			}
		}
	}
}

// TestLinks checks that the links to the profile, to another language and to the
// phone hold what was asked for, and that the phone gets its own order of sections.
func TestLinks(t *testing.T) {
	resolve, o := load(t, "mamut")
	h := Handler(resolve, o)
	page := get(t, h, "/?emailaddress=MAIL%40domain.se&name=Anna+Ek&lang=sv&device=mac").Body.String()
	for _, want := range []string{
		`<html lang="sv" dir="ltr">`,
		`href="/profile.mobileconfig?emailaddress=MAIL@domain.se&amp;name=Anna%20Ek&amp;lang=sv&amp;device=iphone"`,
		`href="/profile.mobileconfig?emailaddress=MAIL@domain.se&amp;name=Anna%20Ek&amp;lang=sv&amp;device=iphone&amp;only=mail"`,
		`<a href="/?emailaddress=MAIL@domain.se&amp;name=Anna%20Ek&amp;lang=en&amp;device=mac" lang="en" hreflang="en">English</a>`,
		`lang="sv" hreflang="sv" aria-current="true">Svenska</a>`,
		`<p class="url">https://setup.mamutmail.com/?emailaddress=MAIL@domain.se&amp;name=Anna%20Ek&amp;lang=sv</p>`,
		`<a href="/?lang=sv">En annan adress</a>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	page = get(t, h, "/?emailaddress=mail@domain.se", "Accept-Language", "sv").Body.String()
	if !strings.Contains(page, `<p class="url">https://setup.mamutmail.com/?emailaddress=mail@domain.se</p>`) {
		t.Error("the link for the phone names a language that nobody asked for")
	}
	o.Name = ""
	page = get(t, Handler(resolve, o), "/?emailaddress=mail@domain.se", "Host", "evil.example").Body.String()
	if strings.Contains(page, "<svg class=\"code\"") || strings.Contains(page, "evil.example") {
		t.Error("without a name of the service, the page uses the Host header")
	}
}

// TestLinksKeepTheAddress checks that every link of the page leads to the same
// mailbox.
func TestLinksKeepTheAddress(t *testing.T) {
	resolve, p := literal(server(account.IMAP), server(account.SMTP))
	p.Webmail = "https://webmail.example.com/"
	h := service(resolve, Options{Name: "setup.example.com"})
	for _, address := range []string{`"anna ek"@example.com`, "anna+ek@example.com", "anna&ek@example.com",
		"anna%20ek@example.com", "\"a@b\"@example.com"} {
		page := get(t, h, "/?emailaddress="+url.QueryEscape(address)).Body.String()
		links := regexp.MustCompile(`(?:href="|<p class="url">https://setup.example.com)(/[^"<]*emailaddress=[^"<]*)`).FindAllStringSubmatch(page, -1)
		if len(links) < 6 { // two languages, two profiles, the phone's, everything
			t.Fatalf("the page for %s has %d links, want at least 6", address, len(links))
		}
		for _, link := range links {
			there := get(t, h, html.UnescapeString(link[1])).Body.String()
			if !strings.Contains(html.UnescapeString(there), address) {
				t.Errorf("on the page for %s, the link %s leads to another mailbox", address, link[1])
			}
		}
	}
}

// TestProfileAsDescribed checks that what a section says about its profile is true of
// the profile that it links to.
func TestProfileAsDescribed(t *testing.T) {
	imap, pop, smtp, eas, ews := server(account.IMAP), server(account.POP3), server(account.SMTP), server(account.ActiveSync), server(account.EWS)
	caldav, carddav := server(account.CalDAV), server(account.CardDAV)
	eas.URL = "https://activesync.example.com/Microsoft-Server-ActiveSync"
	elsewhere, plain, token := eas, imap, eas
	elsewhere.URL = "https://eas.example.com:8443/Microsoft-Server-ActiveSync"
	plain.SocketType, plain.Port = account.Plain, 143
	token.Authentication = []account.Authentication{account.OAuth2Auth}
	typesOf := func(servers []account.Server) string {
		var list []string
		for _, s := range servers {
			list = append(list, string(s.Type))
		}
		return strings.Join(list, " ")
	}
	profiles := map[device]int{}
	for _, servers := range [][]account.Server{
		{imap, smtp}, {pop, smtp}, {plain, smtp}, {imap, smtp, eas}, {eas, imap, smtp}, {eas, imap, smtp, caldav},
		{ews, imap, smtp, caldav},
		{imap, smtp, caldav, carddav}, {imap, smtp, ews, caldav}, {elsewhere, imap, smtp, caldav}, {elsewhere, caldav},
		{caldav}, {caldav, carddav}, {eas}, {ews},
		{token, imap, smtp}, {imap, smtp, token}, {eas, ews, caldav},
	} {
		resolve, _ := literal(servers...)
		h := service(resolve, Options{})
		page := askFor(t, h, "anna@example.com").Body.String()
		for _, d := range []device{iPhone, mac} {
			inside := part(t, page, d)
			link := "/profile.mobileconfig?emailaddress=anna@example.com&lang=en&device=" + string(d)
			whole, mailOnly := get(t, h, link), get(t, h, link+"&only=mail")
			holds := func(payload string) bool {
				return strings.Contains(whole.Body.String(), "<string>com.apple."+payload+".")
			}
			exchange := holds("eas") || holds("ews")
			mail := exchange || holds("mail")
			if whole.Code == http.StatusOK {
				profiles[d]++
			}
			for what, said := range map[string]struct{ got, want bool }{
				"there is one":            {strings.Contains(inside, html.EscapeString(link)+`"`), whole.Code == http.StatusOK},
				"email only is another":   {strings.Contains(inside, "only=mail"), mailOnly.Code == http.StatusOK && mailOnly.Body.String() != whole.Body.String()},
				"several passwords":       {strings.Contains(inside, "asked once each"), holds("mail") && (holds("caldav") || holds("carddav"))},
				"Mail has a new account":  {strings.Contains(inside, "<b>Mail</b> app") || strings.Contains(inside, "Open <b>Mail</b>"), mail},
				"signing in on a page":    {strings.Contains(inside, "You sign in on a page"), regexp.MustCompile(`<key>OAuth</key>\s*<true`).Match(whole.Body.Bytes())},
				"calendars, and no email": {strings.Contains(inside, "<b>Calendar</b>"), whole.Code == http.StatusOK && !mail},
			} {
				if said.got != said.want {
					t.Errorf("%s, section %s: %s: the page says %v, want %v", typesOf(servers), d, what, said.got, said.want)
				}
			}
		}
	}
	if profiles[iPhone] < 10 || profiles[mac] < 10 {
		t.Errorf("only %v profiles were compared, want 10 each", profiles)
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

// TestSize checks the size of the largest page, with style and script, uncompressed.
func TestSize(t *testing.T) {
	h := fullPage()
	for _, lang := range []string{"en", "sv"} {
		long := strings.Repeat("a", 60) + "@" + strings.Repeat(strings.Repeat("b", 60)+".", 2) + "example.com"
		page := get(t, h, "/?emailaddress="+long+"&name="+url.QueryEscape(strings.Repeat("å", 100))+"&lang="+lang).Body.Len()
		style, script := get(t, h, stylePath).Body.Len(), get(t, h, scriptPath).Body.Len()
		t.Logf("%s: page %d, style %d, script %d", lang, page, style, script)
		if page+style+script > 60_000 {
			t.Errorf("page, style and script in %s have %d bytes, want at most 60,000", lang, page+style+script)
		}
	}
}

// fullPage returns the handler of a page with everything that a page can have.
func fullPage() http.Handler {
	resolve, p := literal()
	*p = *sampleProviders()[0]
	return Handler(resolve, Options{Name: "setup.example.com"})
}

// fullPath has everything that a person can give, in the language with longer texts.
const fullPath = "/?emailaddress=anna@example.com&name=Anna%20Ek&lang=sv"

// TestCost checks that the cost of a page grows in proportion to its servers: twice
// as many take at most twice the allocations, which unlike time can be counted on.
func TestCost(t *testing.T) {
	allocations := func(servers int) float64 {
		resolve, p := literal()
		for range servers {
			p.Servers = append(p.Servers, server(account.SMTP))
		}
		h, w, r := Handler(resolve, Options{}), discard{}, httptest.NewRequest(http.MethodGet, fullPath, nil)
		return testing.AllocsPerRun(5, func() { h.ServeHTTP(w, r) })
	}
	if few, many := allocations(40), allocations(80); many > 2*few {
		t.Errorf("a page with 80 servers takes %.0f allocations, one with 40 takes %.0f: more than half of that", many, few)
	}
}

// BenchmarkPage measures pages; the fullest takes about 2 ms of CPU time.
func BenchmarkPage(b *testing.B) {
	resolve, o := load(b, "mamut")
	mamut, full := Handler(resolve, o), fullPage()
	for _, bench := range []struct {
		name    string
		handler http.Handler
		path    string
		accept  string
	}{
		{"answer", mamut, "/?emailaddress=info@domain.se", ""},
		{"answer, gzip", mamut, "/?emailaddress=info@domain.se", "gzip"},
		{"exchange", mamut, "/?emailaddress=mail@domain.se", ""},
		{"form", mamut, "/", ""},
		{"text", mamut, "/?emailaddress=info@domain.se&format=text", ""},
		{"full", full, "/?emailaddress=anna@example.com", ""},
		{"full, named, in Swedish", full, fullPath, ""},
		{"full, named, in Swedish, gzip", full, fullPath, "gzip"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest(http.MethodGet, bench.path, nil)
			r.Header.Set("User-Agent", agentIPhone)
			r.Header.Set("Accept-Encoding", bench.accept)
			size, before := get(b, bench.handler, bench.path, "User-Agent", agentIPhone,
				"Accept-Encoding", bench.accept).Body.Len(), cpu(b)
			w := discard{}
			for b.Loop() {
				clear(w)
				bench.handler.ServeHTTP(w, r)
			}
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(size), "page-bytes")
		})
	}
}

// discard is a ResponseWriter that keeps only headers.
type discard http.Header

func (d discard) Header() http.Header         { return http.Header(d) }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(p []byte) (int, error) { return len(p), nil }

// cpu returns the CPU time of the process, which, unlike the time on the clock, does
// not depend on other processes.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
