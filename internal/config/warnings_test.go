package config

import (
	"fmt"
	"strings"
	"testing"
)

// TestWarnings checks what is allowed but most likely not intended. The text of a row
// follows the id and name of the provider. It wants the warnings without the file.
func TestWarnings(t *testing.T) {
	const (
		imap = "{type: imap, hostname: mail.example.com}"
		smtp = "{type: smtp, hostname: mail.example.com}"

		oAuth2 = "    oAuth2: {issuer: a.example, scope: s, authURL: \"https://a.example\", tokenURL: \"https://a.example\"}\n"
	)
	servers := func(s ...string) string {
		return "    domains: [example.com]\n    servers:\n      - " + strings.Join(s, "\n      - ") + "\n"
	}
	rows := []struct{ name, text, want string }{
		{"nothing", servers(imap, smtp), ""},
		{"socketType by port", servers(imap, "{type: smtp, hostname: a.example.com, port: 587}"), ""},
		{"unusual port", servers("{type: imap, hostname: a.example.com, port: 10993}", smtp), ""},
		{"TLS on the port of STARTTLS", servers(imap, "{type: smtp, hostname: a.example.com, port: 587, socketType: SSL}"),
			"8: providers[0].servers[1].socketType: port 587 is usually for STARTTLS; clients that expect that fail"},
		{"STARTTLS on the port of TLS", servers("{type: pop3, hostname: a.example.com, port: 995, socketType: STARTTLS}", smtp),
			"7: providers[0].servers[0].socketType: port 995 is usually for SSL; clients that expect that fail"},
		{"plain", servers("{type: imap, hostname: a.example.com, socketType: plain}", smtp),
			"7: providers[0].servers[0].socketType: passwords cross the network unencrypted"},
		{"plain, with Kerberos alone", servers("{type: imap, hostname: a.example.com, socketType: plain, authentication: GSSAPI}", smtp),
			"7: providers[0].servers[0].socketType: mail crosses the network unencrypted"},
		{"port 25", servers(imap, "{type: smtp, hostname: a.example.com, port: 25, socketType: STARTTLS}"),
			"8: providers[0].servers[1].port: port 25 is for mail between servers, and many networks block it; offer 465 or 587"},
		{"port 25 for another type than smtp", servers("{type: imap, hostname: a.example.com, port: 25}", smtp), ""},
		{"port of another type", servers("{type: imap, hostname: a.example.com, port: 995}", smtp),
			"7: providers[0].servers[0].port: port 995 is usually for pop3"},
		{"second port of a server", servers(imap, smtp, "{type: smtp, hostname: mail.example.com, port: 587}"), ""},
		{"second of a type with another login",
			servers(imap, smtp, "{type: smtp, hostname: mail.example.com, port: 587, username: \"%EMAILLOCALPART%\"}"),
			"9: providers[0].servers[2]: a second smtp server; most clients use only the first of a type, some only the last"},
		{"second of a type", servers(imap, smtp, "{type: smtp, hostname: a.example.com, port: 587}"),
			"9: providers[0].servers[2]: a second smtp server; most clients use only the first of a type, some only the last"},
		{"no smtp", servers(imap), "3: providers[0]: no smtp server; Thunderbird ignores settings without one"},
		{"smtp alone", servers(smtp), "3: providers[0]: an smtp server, but no imap or pop3 server; clients cannot use it alone"},
		{"Exchange needs no smtp", servers(`{type: activesync, url: "https://a.example.com/"}`), ""},
		{"host name with other letters", servers("{type: imap, hostname: pöst.example.com}", smtp),
			`7: providers[0].servers[0].hostname: clients get "pöst.example.com" as xn--pst-sna.example.com, because many accept only ASCII in host names`},
		{"host name without a dot", servers("{type: imap, hostname: mail}", smtp),
			`7: providers[0].servers[0].hostname: "mail" has no dot; clients on other networks cannot find it`},
		{"HTTPS in capitals", servers(imap, smtp) + "    webmail: HTTPS://Mail.Example.com/Path\n", ""},
		{"http page", servers(imap, smtp) + "    webmail: http://mail.example.com\n",
			`9: providers[0].webmail: "http://mail.example.com" is not encrypted`},
		{"OAuth2 without a server that uses it",
			servers(imap, smtp) + oAuth2,
			"9: providers[0].oAuth2: no server of this provider has authentication: OAuth2"},
		{"an app password for Kerberos alone", servers("{type: imap, hostname: a.example.com, authentication: GSSAPI}",
			"{type: smtp, hostname: a.example.com, authentication: GSSAPI}") + "    support: {appPassword: \"https://example.com/\"}\n",
			"9: providers[0].support: appPassword: no server of this provider takes a password"},
		{"imap after ews", servers(`{type: ews, url: "https://a.example.com/EWS/Exchange.asmx", exchangeEntries: false}`, imap, smtp),
			"8: providers[0].servers[1]: imap comes after ews or pop3; FairEmail and Geary read only the first server of " +
				"autoconfig and find no imap"},
		{"imap after activesync", servers(`{type: activesync, url: "https://a.example.com/"}`, imap, smtp), ""},
		{"OAuth2 alone", servers("{type: imap, hostname: a.example.com, authentication: OAuth2}", smtp) + oAuth2,
			"7: providers[0].servers[0].authentication: most clients know OAuth2 for the largest services only and ignore " +
				"a server with nothing else; add password-cleartext, or confirm it with passwords: false"},
		{"OAuth2 alone on purpose",
			servers("{type: imap, hostname: a.example.com, authentication: OAuth2, passwords: false}", smtp) + oAuth2, ""},
		{"OAuth2 of a service that clients know",
			servers("{type: imap, hostname: imap.seznam.cz, authentication: OAuth2}", smtp), ""},
		{"OAuth2 of a service that clients do not know by this name",
			servers("{type: imap, hostname: imap.yandex.ru, authentication: OAuth2}", smtp),
			"7: providers[0].servers[0].authentication: OAuth2 without the provider's key oAuth2: most clients know where to get " +
				"a token for the largest services only"},
		{"answerWithoutLogin without effect", servers(`{type: activesync, url: "https://a.example.com/", answerWithoutLogin: true}`),
			"7: providers[0].servers[0].answerWithoutLogin: has no effect, because users sign in with the address"},
		{"ews that autodiscover.xml does not name", servers(`{type: ews, url: "https://a.example.com/EWS/Exchange.asmx"}`),
			"7: providers[0].servers[0]: Evolution and Thunderbird's Exchange accounts do not find this server in autodiscover.xml: " +
				"exchangeEntries: true names it to programs other than Outlook, and false confirms that it is not named"},
		{"ews that it names", servers(`{type: ews, url: "https://a.example.com/EWS/Exchange.asmx", exchangeEntries: true}`), ""},
		{"ews beside imap", servers(imap, `{type: ews, url: "https://a.example.com/EWS/Exchange.asmx", exchangeEntries: true}`, smtp),
			"8: providers[0].servers[1].exchangeEntries: versions of Outlook up to 2013 do not say that they are Outlook, " +
				"and may try the Exchange server, which they cannot use, instead of imap and pop3"},
		{"ews with another login", servers(`{type: ews, url: "https://a.example.com/e", username: x, exchangeEntries: true}`),
			"7: providers[0].servers[0].exchangeEntries: has no effect, because the login is not the address, and Autodiscover " +
				"has no place for it (answerWithoutLogin answers anyway)"},
		{"ews of Microsoft 365", servers(`{type: ews, url: "https://outlook.office365.com/EWS/Exchange.asmx"}`),
			"7: providers[0].servers[0].url: Microsoft 365 blocks Exchange Web Services since October 2026, except for programs " +
				"that an administrator has listed, and ends them in April 2027"},
		{"redirect that no client follows", servers(imap, smtp) + "    autodiscover: {hostname: a.example.net, answer: xml}\n",
			"9: providers[0].autodiscover.answer: no client that was tried follows such an answer; leave it out, and clients are redirected with 302"},
		{"redirect that clients follow", servers(imap, smtp) + "    autodiscover: {hostname: a.example.net, answer: http}\n", ""},
		{"twice in one provider", "    domains: [example.com, EXAMPLE.com]\n    servers: [" + imap + "," + smtp + "]\n",
			"5: providers[0].domains[1]: example.com is already listed for providers[0] in x.yaml:5"},
		{"provider that nothing uses", "    servers: [" + imap + "," + smtp + "]\n",
			"3: providers[0]: is not used: it has no domains and no mx, and no account names it"},
		{"provider that an account names", "    servers: [" + imap + "," + smtp + "]\naccounts: [list: {a@example.com: {provider: p}}]\n", ""},
		{"account of a domain by MX", servers(imap, smtp) + "    mx: [mx.example.com]\naccounts: [list: {a@example.net: {}}]\n",
			"10: accounts[0].list.a@example.net: no provider lists the domain example.net; it is found only while its MX record names a provider"},
		{"alias of a mailbox in a domain by MX", servers(imap, smtp) +
			"    mx: [mx.example.com]\naccounts: [list: {a@example.com: {alias: b@example.net}}]\n",
			"10: accounts[0].list.a@example.com.alias: no provider lists the domain example.net, and DNS is not asked about an " +
				"alias: it gets what any address of example.com gets; list that mailbox with its provider, or its domain"},
		{"alias of a mailbox in any domain, or in one by MX", "    domains: [\"*\", example.com]\n    servers: [" + imap + "," + smtp + "]\n" +
			"    mx: [mx.example.com]\naccounts: [list: {a@example.com: {alias: b@example.net}}]\n",
			"8: accounts[0].list.a@example.com.alias: no provider lists the domain example.net, and DNS is not asked about an " +
				"alias: it gets what any address of example.com gets; list that mailbox with its provider, or its domain"},
		{"account of any domain", "    domains: [\"*\"]\n    servers: [" + imap + "," + smtp + "]\naccounts: [list: {a@example.net: {alias: b@example.org}}]\n", ""},
		{"TLS for all and plain HTTP for this machine", servers(imap, smtp) + "tls: {acme: {}}\n",
			`9: tls: plain HTTP stays at 127.0.0.1:8080, but clients that find no certificate ask there; write listen: ":80"`},
		{"TLS and plain HTTP for all", servers(imap, smtp) + "tls: {acme: {}}\nlisten: \":80\"\n", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			c, err := parse("x.yaml", []byte("# one provider\nproviders:\n  - id: p\n    displayName: P\n"+row.text))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, warning := range c.Warnings {
				got = append(got, strings.TrimPrefix(warning.String(), "x.yaml:"))
			}
			if text := strings.Join(got, "\n"); text != row.want {
				t.Errorf("warnings:\n%s\nwant:\n%s", text, row.want)
			}
		})
	}
}

// TestAccepted checks forms of YAML that a stricter reader might refuse.
func TestAccepted(t *testing.T) {
	for name, text := range map[string]string{
		"BOM":             "\ufeff%s",
		"CRLF":            "%s",
		"document start":  "---\n%s",
		"document end":    "%s...\n",
		"YAML directive":  "%%YAML 1.1\n---\n%s",
		"trailing spaces": "%s   \n\n",
		"long comments":   "#" + strings.Repeat(" å", 3000) + "\n%s#" + strings.Repeat("x", 3000) + "\n#" + strings.Repeat("y", 3000),
	} {
		const good = "providers:\n  - {id: p, displayName: \"Mail: 'P' \\\\ yes\", domains: [example.com], servers: [{type: jmap, url: \"https://a.example/\"}]}\n"
		text = fmt.Sprintf(text, good)
		if name == "CRLF" {
			text = strings.ReplaceAll(text, "\n", "\r\n")
		}
		c, err := parse("x.yaml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if name := c.Providers[0].DisplayName; name != `Mail: 'P' \ yes` {
			t.Errorf("%s: displayName = %q, want %q", text, name, `Mail: 'P' \ yes`)
		}
	}
}
