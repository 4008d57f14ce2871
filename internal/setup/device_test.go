package setup

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"signpost/account"
)

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
		{"", agentSamsung, "android", "outlook", "android"},
		{"", agentChromeOS, "android", "other", "android"},
		{"", agentThunderbird, "thunderbird", "outlook", "thunderbird"},
		{"", agentIPadChrome, "iphone", "mac", "iphone"},
		{"&device=chromeos", agentMac, "android", "other", "android"},
		{"&device=samsung", agentMac, "android", "outlook", "android"},
		{"&device=outlook-new", agentMac, "outlook", "thunderbird", "outlook"},
		{"&device=outlook-classic", agentMac, "outlook", "thunderbird", "outlook"},
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
	found := server(account.EWS)
	found.ExchangeEntries = true
	foundLocal := found
	foundLocal.Login.Username, foundLocal.AnswerWithoutLogin = account.EmailLocalPart, true
	token, ticket := account.OAuth2Auth, account.GSSAPI
	kinds := map[string][]account.Server{
		"imap": {imap, smtp}, "activesync": {eas}, "jmap": {server(account.JMAP)},
		"web services": {server(account.EWS)}, "web services in Autodiscover": {found}, "web services with another login": {foundLocal}, "web services and smtp": {server(account.EWS), smtp},
		"known token": {withToken(imap), withToken(smtp)}, "token": {with(token, imap), with(token, smtp)}, "kerberos": {with(ticket, imap), with(ticket, smtp)},
		"activesync by token": {with(token, eas)},
		"token and password":  {withToken(imap), smtp}, "certificate": {with(account.TLSClientCert, imap), smtp},
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
		{"web services", agentWindows, "webmail", "other"},
		{"web services", agentLinux, "other", "other"},
		{"web services and smtp", agentWindows, "thunderbird", "thunderbird"},
		{"web services and smtp", agentLinux, "thunderbird", "thunderbird"},
		{"web services", agentMac, "mac", "mac"},
		{"web services in Autodiscover", agentWindows, "thunderbird", "thunderbird"},
		{"web services in Autodiscover", agentLinux, "thunderbird", "thunderbird"},
		{"web services with another login", agentWindows, "webmail", "other"},
		{"web services with another login", agentLinux, "other", "other"},
		{"web services", agentAndroid, "webmail", "other"},
		{"token", agentWindows, "webmail", "other"},
		{"token", agentMac, "webmail", "other"},
		{"known token", agentWindows, "thunderbird", "thunderbird"},
		{"known token", agentMac, "thunderbird", "thunderbird"},
		{"known token", agentIPhone, "webmail", "other"},
		{"token and password", agentWindows, "thunderbird", "thunderbird"},
		{"kerberos", agentLinux, "thunderbird", "thunderbird"},
		{"kerberos", agentAndroid, "webmail", "other"},
		{"certificate", agentLinux, "webmail", "other"},
		{"jmap", agentWindows, "webmail", "other"},
	} {
		resolve, p := literal(kinds[test.kind]...)
		h := Handler(resolve, Options{})
		for webmail, want := range map[string]string{"https://webmail.example.com/": test.want,
			"": test.withoutWebmail} {
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
					t.Errorf("%s, %s: the section %s comes after one in which nothing works",
						test.kind, test.agent, match[1])
				}
				failed = failed || dead
			}
		}
	}
}
