package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
)

// mustParse returns the configuration, which must have no faults.
func mustParse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatalf("parse() error:\n%v", err)
	}
	return c
}

// warningsOf returns the texts of the warnings, one per line.
func warningsOf(c *Config) string {
	var lines []string
	for _, w := range c.Warnings {
		lines = append(lines, w.Text)
	}
	return strings.Join(lines, "\n")
}

// TestServersOf checks that providers can have the same servers without a copy, each
// with its own login rules, and that none of them changes those of another.
func TestServersOf(t *testing.T) {
	c := mustParse(t, `
providers:
  - {id: token, displayName: Token, domains: [token.example], servers: {of: mail}, passwords: false,
     oAuth2: {issuer: login.example, scope: mail, authURL: "https://login.example/a", tokenURL: "https://login.example/t"}}
  - id: mail
    displayName: Mail
    domains: [mail.example]
    servers:
      - {type: imap, hostname: imap.example, clients: {outlook: {username: "%EMAILLOCALPART%"}}}
      - {type: smtp, hostname: smtp.example}
  - {id: more, displayName: More, domains: [more.example], servers: {of: mail}}
`)
	methods := map[string]account.Authentication{
		"token": account.OAuth2Auth, "mail": account.PasswordCleartext, "more": account.PasswordCleartext,
	}
	for _, p := range c.Providers {
		if len(p.Servers) != 2 || p.Servers[0].Hostname != "imap.example" || p.Servers[1].Hostname != "smtp.example" {
			t.Errorf("%s has the servers %+v, want imap.example and smtp.example", p.ID, p.Servers)
			continue
		}
		for _, s := range p.Servers {
			if diff := cmp.Diff([]account.Authentication{methods[p.ID]}, s.Authentication); diff != "" {
				t.Errorf("%s: authentication of %s (-want +got):\n%s", p.ID, s.Hostname, diff)
			}
		}
		if got := p.ServersFor(account.Outlook)[0].Login.Username; got != account.EmailLocalPart {
			t.Errorf("%s: Outlook signs in as %s, want %s", p.ID, got, account.EmailLocalPart)
		}
	}
}

// TestOAuth2WithoutSection checks that OAuth2 needs no key oAuth2: clients know the
// largest services. A warning says so for the others.
func TestOAuth2WithoutSection(t *testing.T) {
	const text = "providers:\n  - {id: p, displayName: P, domains: [a.example], passwords: false, " +
		"servers: [{type: imap, hostname: HOST}, {type: smtp, hostname: HOST}]}"
	for host, warned := range map[string]bool{
		"outlook.office365.com": false, "imap.gmail.com": false, "gmail.com": false,
		"mail.a.example": true, "notgmail.com": true,
	} {
		c := mustParse(t, strings.ReplaceAll(text, "HOST", host))
		if p := c.Providers[0]; p.Servers[0].Authentication[0] != account.OAuth2Auth || p.OAuth2 != nil {
			t.Errorf("%s has %v and oAuth2 %v, want OAuth2 without a section",
				host, p.Servers[0].Authentication, p.OAuth2)
		}
		if got := strings.Contains(warningsOf(c), "without the provider's key oAuth2"); got != warned {
			t.Errorf("%s: warned %v, want %v:\n%s", host, got, warned, warningsOf(c))
		}
	}
}

// TestRelay checks that an smtp server can be one where nobody signs in.
func TestRelay(t *testing.T) {
	c := mustParse(t, `providers: [{id: p, displayName: P, domains: [a.example], servers: [
  {type: imap, hostname: imap.a.example},
  {type: smtp, hostname: relay.a.example, port: 25, socketType: plain, authentication: [client-IP-address, none]}]}]`)
	if got := warningsOf(c); strings.Contains(got, "password") ||
		!strings.Contains(got, "mail crosses the network unencrypted") {
		t.Errorf("the warnings of a relay are\n%s\nwant that mail is unencrypted, and nothing of a password", got)
	}
	s := c.Providers[0].Servers[1]
	if !s.NeedsNoLogin() || c.Providers[0].Servers[0].NeedsNoLogin() {
		t.Errorf("NeedsNoLogin of the relay %+v and of imap = %v, %v, want true, false",
			s, s.NeedsNoLogin(), c.Providers[0].Servers[0].NeedsNoLogin())
	}
}

// TestOptionalFacts checks that a help page needs no title, and that OAuth2 can have the
// id of a client.
func TestOptionalFacts(t *testing.T) {
	c := mustParse(t, `
providers:
  - id: p
    displayName: P
    domains: [a.example]
    documentation: [{url: "https://a.example/help"}]
    oAuth2: {issuer: a.example, scope: mail, authURL: "https://a.example/a", tokenURL: "https://a.example/t", clientID: open}
    servers: [{type: imap, hostname: imap.a.example}, {type: smtp, hostname: smtp.a.example}]
`)
	p := c.Providers[0]
	if diff := cmp.Diff([]account.Documentation{{URL: "https://a.example/help"}}, p.Documentation); diff != "" {
		t.Errorf("documentation (-want +got):\n%s", diff)
	}
	if p.OAuth2.ClientID != "open" {
		t.Errorf("clientID = %q, want open", p.OAuth2.ClientID)
	}
}
