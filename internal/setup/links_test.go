package setup

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"signpost/account"
)

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
		`<input type="hidden" name="emailaddress" value="MAIL@domain.se">`, `<input type="hidden" name="name" value="Anna Ek">`,
		`<input type="hidden" name="device" value="mac">`, `<button name="lang" value="en" lang="en">English</button>`,
		`lang="sv" aria-current="true">Svenska</button>`,
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
	page = get(t, h, "/?emailaddress=mail@domain.se&lang=sv", "User-Agent",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)").Body.String()
	if strings.Contains(page, `name="device"`) {
		t.Error("on an iPhone that the link does not name, the menu of languages names it")
	}
	o.Name = ""
	page = get(t, Handler(resolve, o), "/?emailaddress=mail@domain.se", "Host", "evil.example").Body.String()
	if strings.Contains(page, "<svg class=\"code\"") || strings.Contains(page, "evil.example") {
		t.Error("without a name of the service, the page uses the Host header")
	}
}

// TestForPhone checks that a name which makes the code too fine is left out, and nothing
// else.
func TestForPhone(t *testing.T) {
	h := newHandler(nil, Options{Name: "setup.example.com"})
	for _, test := range []struct{ name, want string }{
		{"Anna", "https://setup.example.com/?emailaddress=anna@example.com&name=Anna&lang=sv"},
		{strings.Repeat("A", maxCode), "https://setup.example.com/?emailaddress=anna@example.com&lang=sv"},
	} {
		page, code := h.forPhone(links{address: "anna@example.com", name: test.name, lang: "sv"})
		if page != test.want || code.Size == 0 {
			t.Errorf("forPhone with a name of %d letters = %q, a code of size %d, want %q and a code",
				len(test.name), page, code.Size, test.want)
		}
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
		if len(links) < 4 { // two profiles, the phone's, everything
			t.Fatalf("the page for %s has %d links, want at least 4", address, len(links))
		}
		value := regexp.MustCompile(`name="emailaddress" value="([^"]*)"`).FindStringSubmatch(page)
		if value == nil || html.UnescapeString(value[1]) != address {
			t.Errorf("on the page for %s, the menu of languages leads to another mailbox: %q", address, value)
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
	imap, pop, smtp, eas, ews := server(account.IMAP), server(account.POP3), server(account.SMTP),
		server(account.ActiveSync), server(account.EWS)
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
					t.Errorf("%s, section %s: %s: the page says %v, want %v",
						typesOf(servers), d, what, said.got, said.want)
				}
			}
		}
	}
	if profiles[iPhone] < 10 || profiles[mac] < 10 {
		t.Errorf("only %v profiles were compared, want 10 each", profiles)
	}
}
