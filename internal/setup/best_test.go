package setup

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"signpost/account"
)

// mailboxes are the kinds of mailbox of TestBestWay, each with webmail.
var mailboxes = []string{"IMAP", "POP only", "ActiveSync with another login", "EWS", "Microsoft 365", "OAuth2 only"}

func mailboxHandler(t testing.TB, kind string) (http.Handler, string) {
	t.Helper()
	if kind == "Microsoft 365" {
		resolve, o := load(t, "office365")
		return Handler(resolve, o), "anna@kh-konsult.example"
	}
	smtp, eas, ews := server(account.SMTP), server(account.ActiveSync), server(account.EWS)
	ews.ExchangeEntries = true
	eas.URL = "https://activesync.example.com/Microsoft-Server-ActiveSync"
	eas.Login = account.Login{Username: account.EmailLocalPart + "_" + account.EmailDomain, DomainName: "hosting01"}
	imapToken, smtpToken := server(account.IMAP), smtp
	imapToken.Authentication = []account.Authentication{account.OAuth2Auth}
	smtpToken.Authentication = imapToken.Authentication
	resolve, p := literal(map[string][]account.Server{
		"IMAP": {server(account.IMAP), smtp}, "POP only": {server(account.POP3), smtp},
		"ActiveSync with another login": {eas}, "EWS": {ews}, "OAuth2 only": {imapToken, smtpToken},
	}[kind]...)
	p.Webmail = "https://webmail.example.com/"
	return Handler(resolve, Options{Name: "setup.example.com"}), "anna@example.com"
}

// way is what a visitor sees first, and why: a fact about the programs of the device.
type way struct{ first, why string }

// TestBestWay checks that the first thing that each of twelve visitors sees, for each kind
// of mailbox, ends with mail there or says that the webmail is the way. With -v it prints
// the table.
func TestBestWay(t *testing.T) {
	const (
		noOAuth  = "no program signs in at a server it does not know: Thunderbird has a list, Apple's payload no OAuth2"
		noTB     = "Thunderbird speaks no ActiveSync"
		ewsTB    = "finds Exchange Web Services in autodiscover.xml (exchangeEntries)"
		ewsPhone = "phones speak ActiveSync, not Exchange Web Services"
		nobody   = "every browser shows the webmail; the programs are not known"
	)
	iOS := []way{
		{"iphone", "profile, com.apple.mail.managed"}, {"iphone", "profile, EmailTypePOP"},
		{"iphone", `profile, com.apple.eas.account with hosting01\anna_example.com`},
		{"webmail", "com.apple.ews.account is for macOS alone"},
		{"iphone", "profile with OAuth2: signs in at Microsoft"}, {"webmail", noOAuth},
	}
	gmail := []way{
		{"android", "Thunderbird finds it; Gmail by hand"}, {"android", "Thunderbird finds it; Gmail by hand"},
		{"android", "the Exchange form has server, domain and user name"}, {"webmail", ewsPhone},
		{"android", "Gmail and Outlook sign in at Microsoft"}, {"webmail", noOAuth},
	}
	everywhere := []way{{"webmail", nobody}, {"webmail", nobody}, {"webmail", nobody}, {"webmail", nobody},
		{"webmail", nobody}, {"webmail", nobody}}
	for _, visitor := range []struct {
		name, query, agent string
		touch              bool
		ways               []way
	}{
		{"iPhone", "", agentIPhone, true, iOS},
		{"iPad", "", agentMac, true, iOS},
		{"Mac", "", agentMac, false, []way{
			{"mac", "profile, com.apple.mail.managed"}, {"mac", "profile, EmailTypePOP"},
			{"webmail", "com.apple.eas.account is not for macOS"}, {"mac", "profile, com.apple.ews.account"},
			{"mac", "Mail signs in at Microsoft"}, {"webmail", noOAuth},
		}},
		{"Android with Gmail", "", agentAndroid, true, gmail},
		{"Samsung", "", agentSamsung, true, gmail},
		{"Thunderbird", "", agentThunderbird, false, []way{
			{"thunderbird", "finds it by autoconfig"}, {"thunderbird", "finds it by autoconfig"}, {"webmail", noTB},
			{"thunderbird", ewsTB}, {"thunderbird", "knows Microsoft's sign-in, for IMAP"}, {"webmail", noOAuth},
		}},
		{"Windows, new Outlook", "&device=outlook-new", agentWindows, false, []way{
			{"outlook", "by hand, as IMAP"}, {"outlook", "by hand, as POP"},
			{"webmail", "signs in with the address alone, and speaks no ActiveSync"},
			{"thunderbird", "Outlook does not speak it; Thunderbird " + ewsTB}, {"outlook", "signs in at Microsoft"}, {"webmail", noOAuth},
		}},
		{"Windows, classic Outlook", "&device=outlook-classic", agentWindows, false, []way{
			{"outlook", "by hand, as IMAP"}, {"outlook", "by hand, as POP"},
			{"outlook", `Control Panel has Exchange ActiveSync; login hosting01\anna_example.com`},
			{"thunderbird", "Outlook speaks MAPI; Thunderbird " + ewsTB}, {"outlook", "signs in at Microsoft"}, {"webmail", noOAuth},
		}},
		{"Linux", "", agentLinux, false, []way{
			{"thunderbird", "finds it by autoconfig"}, {"thunderbird", "finds it by autoconfig"}, {"webmail", noTB},
			{"thunderbird", ewsTB + "; Evolution takes the URL"},
			{"thunderbird", "knows Microsoft's sign-in, for IMAP"}, {"webmail", noOAuth},
		}},
		{"ChromeOS", "", agentChromeOS, false, []way{
			{"android", "Thunderbird from Google Play"}, {"android", "Thunderbird from Google Play"},
			{"webmail", "nobody says that Android's Exchange accounts work there"}, {"webmail", ewsPhone},
			{"android", "Outlook and Thunderbird from Google Play"}, {"webmail", noOAuth},
		}},
		{"says nothing", "", "", false, everywhere},
		{"curl", "", "curl/8.5.0", false, []way{
			{"values", "programs for terminals take them"}, {"values", "programs for terminals take them"},
			{"webmail", "no program for terminals speaks ActiveSync"}, {"webmail", "nor Exchange Web Services"},
			{"values", "OAuth2 is named before the values"}, {"webmail", noOAuth},
		}},
	} {
		line := "| " + visitor.name
		for i, kind := range mailboxes {
			h, address := mailboxHandler(t, kind)
			header := []string{"User-Agent", visitor.agent}
			if visitor.agent != "curl/8.5.0" {
				header = append(header, "Accept", "text/html,*/*")
			}
			page := get(t, h, "/?emailaddress="+address+visitor.query, header...).Body.String()
			want := visitor.ways[i]
			if got := firstWay(page, visitor.touch); got != want.first {
				t.Errorf("%s, %s: first is %q, want %q (%s)", visitor.name, kind, got, want.first, want.why)
			}
			line += fmt.Sprintf(" | %s: %s", want.first, want.why)
		}
		t.Log(line + " |")
	}
}

var (
	firstSection = regexp.MustCompile(`<section class="card (touch|first)">|<details id="(\w+)" open>`)
	deadEnd      = regexp.MustCompile(`We know of no way|does not speak`)
)

// firstWay returns what a page says first: the ID of an open section, webmail, values for
// a page in plain text, or what is wrong with it. Touch says that the visitor has a touch
// screen, for whom style shows the section for an iPad.
func firstWay(page string, touch bool) string {
	if !strings.Contains(page, "<html") {
		webmail, table := strings.Index(page, "\nThe webmail works in any browser"), strings.Index(page, "  Server:")
		if webmail >= 0 && (table < 0 || webmail < table) {
			return "webmail"
		}
		return "values"
	}
	for _, match := range firstSection.FindAllStringSubmatchIndex(page, -1) {
		inside := page[match[1]:]
		inside = inside[:max(strings.Index(inside, "</section>"), 0)]
		switch {
		case match[4] >= 0:
			id := page[match[4]:match[5]]
			if inside, _, _ := strings.Cut(page[match[1]:], "</details>"); deadEnd.MatchString(inside) {
				return id + ", where nothing works"
			}
			return id
		case page[match[2]:match[3]] == "first" || touch && strings.Contains(inside, `class="button" href="https://`):
			return "webmail"
		case touch:
			return "iphone"
		}
	}
	return "nothing"
}
