package setup

import (
	"regexp"
	"slices"
	"strings"
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
				t.Errorf("the page in %s as %s has the operator's contact although the provider has its own",
					lang, format)
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
