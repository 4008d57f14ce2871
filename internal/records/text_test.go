package records

import (
	"testing"

	"signpost/account"
)

// TestComparisonText checks the text that operators read.
func TestComparisonText(t *testing.T) {
	c := Comparison{Domain: "a.example", Findings: []Finding{
		{Kind: Different, Problem: "leads elsewhere", Remove: []string{"old 1", "old 2"}, Put: []string{"new"}},
		{Kind: Harmful, Problem: "leads nowhere", Warning: true},
	}}
	const want = `a.example: different: leads elsewhere
  - old 1
  - old 2
  + new
a.example: warning: leads nowhere
`
	if got := c.String(); got != want {
		t.Errorf("String() =\n%s\nwant\n%s", got, want)
	}
	failed := Comparison{Domain: "a.example", Error: "DNS is down"}
	if got, want := failed.String(), "a.example: could not be compared: DNS is down\n"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

// TestLocate checks where a server is for DNS, and why DNS cannot say it.
func TestLocate(t *testing.T) {
	for _, row := range []struct {
		server account.Server
		want   target
		why    string
	}{
		{account.Server{Type: account.IMAP, Hostname: "mail.%EMAILDOMAIN%", Port: 993},
			target{host: "mail.a.example", port: "993"}, ""},
		{account.Server{Type: account.CalDAV, URL: "https://dav.example/"}, target{host: "dav.example", port: "443", path: "/"}, ""},
		{account.Server{Type: account.CalDAV, URL: "http://dav.example"}, target{host: "dav.example", port: "80", path: "/"}, ""},
		{account.Server{Type: account.CardDAV, URL: "https://dav.example:8443/c%20d/"},
			target{host: "dav.example", port: "8443", path: "/c%20d/"}, ""},
		{account.Server{Type: account.CalDAV, URL: "https://dav.example/" + account.EmailAddress + "/"},
			target{host: "dav.example", port: "443"}, ""},
		{account.Server{Type: account.JMAP, URL: "https://jmap.example/session"}, target{host: "jmap.example", port: "443"}, ""},
		{account.Server{Type: account.JMAP, URL: "https://jmap.example:x/"}, target{}, "its URL cannot be read"},
		{account.Server{Type: account.JMAP, URL: "https://192.0.2.1/"}, target{}, "a SRV record needs a host name"},
		{account.Server{Type: account.JMAP, URL: "https://" + account.EmailLocalPart + ".jmap.example/"}, target{},
			"its host differs from mailbox to mailbox"},
	} {
		login := account.AnyAt("a.example")
		got, why := locate(row.server, login)
		if why != row.why || why == "" && got != row.want {
			t.Errorf("locate(%s%s) = %+v, %q, want %+v, %q",
				row.server.Hostname, row.server.URL, got, why, row.want, row.why)
		}
	}
}
