package config

import (
	"strings"
	"testing"

	"signpost/account"
)

// TestMailHost checks where the host of a mailbox may stand, and that there is one for
// mailboxes of which nobody knows it.
func TestMailHost(t *testing.T) {
	const form = `
providers:
  - id: p
    displayName: P
    domains: [example.com]
    HOST
    servers:
      - {type: imap, hostname: "IMAP", username: "USER"}
      - {type: smtp, hostname: smtp.example.com}
      - {type: activesync, url: "URL"}
`
	for _, row := range []struct{ host, imap, url, user, want string }{
		{"mailHost: Mail.example.com", "%MAILHOST%", "https://eas.%MAILHOST%/x?%MAILHOST%", "x", ""},
		{"mailHost: mail.example.com", "imap.%MAILHOST%", "https://a.example/", "x", ""},
		{"mailHost: mail.example.com", "a.example", "https://a.example/", "x", "warning: providers[0].mailHost: has no effect"},
		{"", "%MAILHOST%", "https://a.example/", "x", "providers[0].servers[0]: %MAILHOST% needs mailHost"},
		{"", "a.example", "https://%MAILHOST%/", "x", "providers[0].servers[2]: %MAILHOST% needs mailHost"},
		{"mailHost: \"%MAILHOST%\"", "%MAILHOST%", "https://a.example/", "x", "providers[0].mailHost: %MAILHOST% cannot be used here"},
		{"mailHost: m.example", "%MAILHOST%", "https://a.example/", "%MAILHOST%", "providers[0].servers[0].username: %MAILHOST% cannot"},
		{"mailHost: m.example", "x%MAILHOST%", "https://a.example/", "x", "stands for a whole domain"},
		{"webmail: \"https://%MAILHOST%/\"", "a.example", "https://a.example/", "x", "providers[0].webmail: %MAILHOST% cannot"},
	} {
		text := strings.NewReplacer("HOST", row.host, "IMAP", row.imap, "URL", row.url, "USER", row.user).Replace(
			strings.ReplaceAll(form, "%MAILHOST%", account.MailHost))
		c, err := parse("x.yaml", []byte(text))
		got := ""
		switch {
		case err != nil:
			got = err.Error()
		case len(c.Warnings) > 0:
			got = "warning: " + c.Warnings[0].Text
		}
		if !strings.Contains(got, row.want) || row.want == "" && got != "" {
			t.Errorf("%s, %s, %s: %q, want %q", row.host, row.imap, row.url, got, row.want)
		}
		if row.want == "" {
			p := c.Providers[0]
			if p.MailHost == "" || p.Servers[0].Hostname != row.imap || p.Servers[2].URL != row.url {
				t.Errorf("%s, %s, %s: the provider is %+v", row.host, row.imap, row.url, p.Provider)
			}
		}
	}
}
