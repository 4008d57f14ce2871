package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
)

// examples describes systems of testdata/config as their hosters' help pages do. A
// system that is not described here is still loaded and compared with the others.
var examples = map[string]string{
	"small": `example: example.se example.com
imap mail.example.se:993 SSL %EMAILADDRESS% [password-cleartext]
smtp mail.example.se:465 SSL %EMAILADDRESS% [password-cleartext]
`,
	"mamut": `pop: domain.se MX mx1.mamutmail.com
imap mamutmail.com:993 SSL %EMAILADDRESS% [password-cleartext]
pop3 mamutmail.com:995 SSL %EMAILADDRESS% [password-cleartext]
smtp mamutmail.com:587 STARTTLS %EMAILADDRESS% [password-cleartext]
business-mail:
activesync https://mamutmail.com/Microsoft-Server-ActiveSync hosting01\%EMAILLOCALPART%_%EMAILDOMAIN% [password-cleartext]
`,
	"own-domain": `own-domain: foretaget.example bageriet.example xn--keriet-hua.example
imap mail.%EMAILDOMAIN%:993 SSL %EMAILADDRESS% [password-cleartext]
pop3 mail.%EMAILDOMAIN%:995 SSL %EMAILADDRESS% [password-cleartext]
smtp mail.%EMAILDOMAIN%:587 STARTTLS %EMAILADDRESS% [password-cleartext]
`,
	"websupport": `websupport: butiken.example foreningen.example
imap imap.websupport.se:993 SSL %EMAILADDRESS% [password-cleartext]
smtp smtp.websupport.se:465 SSL %EMAILADDRESS% [password-cleartext]
`,
	"onecom": `onecom: malaren.example
imap imap.one.com:993 SSL %EMAILADDRESS% [password-cleartext]
smtp send.one.com:465 SSL %EMAILADDRESS% [password-cleartext]
`,
	"office365": `office365: kh-konsult.example
Autodiscover at autodiscover-s.outlook.com
imap outlook.office365.com:993 SSL %EMAILADDRESS% [OAuth2]
smtp smtp.office365.com:587 STARTTLS %EMAILADDRESS% [OAuth2]
activesync https://outlook.office365.com/Microsoft-Server-ActiveSync %EMAILADDRESS% [OAuth2]
`,
}

// TestExamples also checks that no two systems have an id, domain or MX host in common, so
// that one process can serve all of them.
func TestExamples(t *testing.T) {
	seen := map[string]string{}
	once := func(t *testing.T, what, file string) {
		if other, taken := seen[what]; taken {
			t.Errorf("%s is also in %s", what, other)
		}
		seen[what] = file
	}
	files, err := filepath.Glob("../../testdata/config/*.yaml")
	if err != nil || len(files) < len(examples) {
		t.Errorf("testdata/config has %d systems, want at least the %d described here (%v)",
			len(files), len(examples), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			c, err := Load(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Warnings) > 0 {
				t.Errorf("warnings: %v", c.Warnings)
			}
			if c.Listen != "127.0.0.1:8080" {
				t.Errorf("listen = %s, want 127.0.0.1:8080", c.Listen)
			}
			var got strings.Builder
			for _, p := range c.Providers {
				once(t, p.ID, file)
				fmt.Fprintf(&got, "%s:", p.ID)
				for _, domain := range p.Domains {
					once(t, domain, file)
					got.WriteString(" " + domain)
				}
				for _, host := range p.MX {
					once(t, host, file)
					got.WriteString(" MX " + host)
				}
				got.WriteString("\n")
				if p.AutodiscoverRedirect != nil {
					fmt.Fprintf(&got, "Autodiscover at %s\n", p.AutodiscoverRedirect.Hostname)
				}
				for _, s := range p.Servers {
					got.WriteString(describe(s) + "\n")
				}
			}
			if want, ok := examples[name]; ok && got.String() != want {
				t.Errorf("providers and servers (-want +got):\n%s", cmp.Diff(want, got.String()))
			}
		})
	}
}

// describe returns a server in one line.
func describe(s account.Server) string {
	where := s.URL
	if where == "" {
		where = fmt.Sprintf("%s:%d %s", s.Hostname, s.Port, s.SocketType)
	}
	login := s.Login.Username
	if s.Login.DomainName != "" {
		login = s.Login.DomainName + `\` + login
	}
	return fmt.Sprintf("%s %s %s %v", s.Type, where, login, s.Authentication)
}
