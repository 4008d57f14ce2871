package setup

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// TestSend checks that the page has a link that writes a message with the page's URL, to
// nobody and without a password, and that mail programs read it as it is meant.
func TestSend(t *testing.T) {
	resolve, o := load(t, "mamut")
	h := Handler(resolve, o)
	link := regexp.MustCompile(`href="(mailto:[^"]*)"`)
	for _, test := range []struct{ query, want string }{
		{"emailaddress=mail@domain.se", "https://setup.mamutmail.com/?emailaddress=mail@domain.se"},
		{"emailaddress=anna%2Bnews@domain.se&name=Anna+Ek&lang=sv",
			"https://setup.mamutmail.com/?emailaddress=anna%2Bnews@domain.se&name=Anna%20Ek&lang=sv"},
		{"emailaddress=a%26b%25@domain.se", "https://setup.mamutmail.com/?emailaddress=a%26b%25@domain.se"},
	} {
		page := get(t, h, "/?"+test.query).Body.String()
		match := link.FindStringSubmatch(page)
		if match == nil {
			t.Errorf("query %q: the page has no mailto: link", test.query)
			continue
		}
		to, query, _ := strings.Cut(strings.TrimPrefix(html.UnescapeString(match[1]), "mailto:"), "?")
		if to != "" || strings.Contains(query, "+") {
			t.Errorf("query %q: the link is %q, want one to nobody and without +, which is no space (RFC 6068 §5)",
				test.query, match[1])
		}
		fields, err := url.ParseQuery(query)
		if err != nil || len(fields) != 2 || fields.Get("subject") == "" {
			t.Errorf("query %q: the link has the fields %v (%v), want subject and body", test.query, fields, err)
		}
		if got := fields.Get("body"); !strings.HasSuffix(got, "\r\n\r\n"+test.want) ||
			strings.Contains(got, "assword") {
			t.Errorf("query %q: the message is %q, want a line and %s", test.query, got, test.want)
		}
	}
	o.Name = ""
	if page := get(t, Handler(resolve, o), "/?emailaddress=mail@domain.se").Body.String(); strings.Contains(page, "mailto:?") {
		t.Error("without a name of the service there is a mailto: link, want none: nothing knows the URL of the page")
	}
}

// TestSendWithoutCode checks that a page whose URL is too long for a QR code can still be
// sent.
func TestSendWithoutCode(t *testing.T) {
	resolve, _ := literal(server("imap"), server("smtp"))
	address := strings.Repeat("%C3%A5", 32) + "@" + strings.Repeat("bbbbbbbbb.", 18) + "example"
	page := get(t, Handler(resolve, Options{Name: "setup.example.com"}), "/?emailaddress="+address).Body.String()
	if strings.Contains(page, `class="code"`) || strings.Contains(page, "Point the phone") {
		t.Error("a URL of more than 350 characters has a QR code, want none")
	}
	if !strings.Contains(page, `href="mailto:?subject=`) {
		t.Errorf("the page cannot be sent to a phone:\n%s", page)
	}
}

// TestMaybeIPad checks which browsers may run on an iPad although they name a Mac.
func TestMaybeIPad(t *testing.T) {
	const chrome = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36"
	const firefox = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0"
	for agent, want := range map[string]bool{
		agentMac: true, chrome: false, firefox: false, agentIPadChrome: false, agentIPhone: false, agentWindows: false, "": false,
	} {
		if got := maybeIPad(agent); got != want {
			t.Errorf("maybeIPad(%q) = %v, want %v", agent, got, want)
		}
	}
}
