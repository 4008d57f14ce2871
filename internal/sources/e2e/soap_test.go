package e2e

import (
	"net/http"
	"strings"
	"testing"

	"signpost/internal/sources/rig"
)

// TestSOAP asks in the way of libraries for Exchange Web Services. They are only told
// where else Autodiscover is answered, so the provider is one whose is elsewhere.
func TestSOAP(t *testing.T) {
	for _, fixture := range []string{"postfixadmin.pgsql", "mailcow", "mailinabox.sqlite"} {
		t.Run(fixture, func(t *testing.T) {
			s := serve(t, `
providers:
  - id: mail
    displayName: Example Mail
    autodiscover: {hostname: autodiscover.hoster.test}
    servers:
      - {type: imap, hostname: imap.hoster.test}
      - {type: smtp, hostname: smtp.hoster.test}
`+source(rig.Load(t, fixture)))
			s.loaded(t)
			for text, status := range map[string]int{
				"anna@example.com": http.StatusFound, "nobody@example.com": http.StatusFound,
				"info@example.com": http.StatusFound, "info@example.net": http.StatusFound,
				"any@all.example": http.StatusFound, "anna@elsewhere.example": http.StatusNotFound,
				"lisa@closed.example": http.StatusNotFound, "x' OR '1'='1@example.com": http.StatusFound,
			} {
				envelope := "<Envelope><Body><GetUserSettingsRequestMessage><Request><Users><User><Mailbox>" + text +
					"</Mailbox></User></Users></Request></GetUserSettingsRequestMessage></Body></Envelope>"
				domain := text[strings.LastIndexByte(text, '@')+1:]
				a, err := s.do(request("POST", "autodiscover."+domain, "/autodiscover/autodiscover.svc", envelope))
				if err != nil {
					t.Fatal(err)
				}
				if a.status != status {
					t.Errorf("SOAP about %s: status %d, want %d", text, a.status, status)
				}
			}
			s.noMailboxLogged(t)
		})
	}
}
