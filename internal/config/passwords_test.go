package config

import (
	"strings"
	"testing"

	"signpost/account"
)

// TestPasswords checks that no server gets a method that nobody configured for it, and
// that the server's own key passwords has priority over the provider's.
func TestPasswords(t *testing.T) {
	const oAuth2 = `    oAuth2: {issuer: a.example, scope: s, authURL: "https://a.example", tokenURL: "https://a.example"}` + "\n"
	for _, row := range []struct{ name, provider, imap, want string }{
		{"nothing said", "", "", "password-cleartext"},
		{"OAuth2 listed", "", ", authentication: OAuth2", "OAuth2"},
		{"both listed", "", ", authentication: [OAuth2, password-cleartext]", "OAuth2 password-cleartext"},
		{"no passwords here", "", ", passwords: false", "OAuth2"},
		{"no passwords here, and OAuth2 listed", "", ", passwords: false, authentication: OAuth2", "OAuth2"},
		{"no passwords at the provider", "    passwords: false\n", "", "OAuth2"},
		{"none at the provider, but here", "    passwords: false\n", ", passwords: true", "password-cleartext"},
		{"none at the provider, but listed here", "    passwords: false\n", ", passwords: true, authentication: NTLM", "NTLM"},
		{"Kerberos alone", "", ", authentication: GSSAPI", "GSSAPI"},
	} {
		c, err := parse("x.yaml", []byte("providers:\n  - id: p\n    displayName: P\n    domains: [a.example]\n"+oAuth2+row.provider+
			"    servers:\n      - {type: imap, hostname: a.example"+row.imap+"}\n      - {type: smtp, hostname: a.example, passwords: true}\n"))
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if got := join(c.Providers[0].Servers[0].Authentication); got != row.want {
			t.Errorf("%s: imap accepts %s, want %s", row.name, got, row.want)
		}
		if got := join(c.Providers[0].Servers[1].Authentication); got != "password-cleartext" {
			t.Errorf("%s: smtp accepts %s, want password-cleartext", row.name, got)
		}
	}
}

func join(methods []account.Authentication) string {
	return strings.Join(texts(methods), " ")
}
