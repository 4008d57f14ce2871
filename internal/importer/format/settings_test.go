package format

import (
	"fmt"
	"strings"
	"testing"

	"signpost/internal/importer/draft"
)

// TestSettings reads what tools say in ways that are easily missed. Wanted are the servers of each
// product, what is lost, guessed and hinted at, as far as they are named.
func TestSettings(t *testing.T) {
	xml := func(start, login string) string {
		return `<clientConfig><emailProvider id="x.example">` + start +
			`<incomingServer type="imap"><hostname>imap.a.example</hostname>` + login + "</incomingServer></emailProvider></clientConfig>"
	}
	const fork = "DOMAIN=a.example\nIMAP_SERVER=imap.a.example\nSMTP_SERVER=smtp.a.example\n"
	const l11r = "domain: a.example\nimap: {server: imap.a.example, port: 993}\nsmtp: {server: smtp.a.example"
	const company = "COMPANY_NAME=A\nDOMAIN=a.example\nIMAP_HOST=imap.a.example\nIMAP_SOCKET=SSL\nSMTP_HOST=smtp.a.example\nSMTP_SOCKET=SSL\n"
	const strand = "ALLOWED_DOMAINS=a.example\nIMAP_HOST=imap.a.example\nSMTP_HOST=smtp.a.example\n"
	const file = "\n--8<--\ndomains:\n  b.example:\n    display_name: B\n    imap: {host: imap.b.example, port: 993, socket_type: SSL}"
	const hosts = "IMAP_HOSTNAME=imap.mail.example\nPOP_HOSTNAME=pop.mail.example\nSMTP_HOSTNAME=smtp.mail.example\n"
	for _, row := range []struct {
		format, text string
		want, not    []string
	}{
		{"autoconfig", xml("<domain>a.example</domain>", "<username>Anna@a.example</username>"),
			[]string{"as %EMAILADDRESS%", "guessed: the user name of imap: the address, in the place of one person's"}, []string{"nna@"}},
		{"autoconfig", xml("<domain>a.example</domain>", "<username>post@b.example</username>"), []string{"as post@b.example"}, []string{"guessed: the user"}},
		{"autoconfig", xml("", ""), []string{"x.example: imap.a.example:993 SSL", "guessed: the domain x.example, from the id", "guessed: the port of <incomingServer"}, nil},
		{"autoconfig", xml("<domain>*.a.example</domain>", ""), []string{`lost: 1 "*.a.example" is not a domain`}, []string{"imap.a.example:"}},
		{"autoconfig", xml("<domain>a.example</domain><displayName>Ek\u202eMail</displayName><displayShortName>more than twenty characters</displayShortName>", ""),
			[]string{`lost: 1 the name "Ek\u202eMail" is carried over without its invisible characters`, `lost: 1 the short name "more than twenty`}, nil},
		{"go-autoconfig-env", fork, []string{"imap.a.example:993 SSL", "smtp.a.example:587 STARTTLS"}, []string{"guessed: the enc"}},
		{"go-autoconfig-env", fork + "SMTP_PORT=587", []string{"smtp.a.example:587 STARTTLS"}, []string{"guessed: the enc"}},
		{"go-autoconfig-env", fork + "SMTP_PORT=2587", []string{"smtp.a.example:2587 STARTTLS"}, []string{"guessed: the enc"}},
		{"go-autoconfig-env", fork + "SMTP_PORT=2465\nSMTP_STARTTLS=false", []string{"smtp.a.example:2465 SSL"}, nil},
		{"go-autoconfig-env", fork + "SMTP_PORT=465", []string{"smtp.a.example:465 SSL", "guessed: the encryption of smtp"}, nil},
		{"go-autoconfig-env", fork + "SMTP_PORT=465\nSMTP_STARTTLS=true", []string{"smtp.a.example:465 STARTTLS"}, nil},
		{"go-autoconfig-env", fork + "IMAP_PORT=143", []string{"imap.a.example:143 STARTTLS", "guessed: the encryption of imap"}, nil},
		{"go-autoconfig", l11r + "}", []string{"imap.a.example:993 SSL", "smtp.a.example:587 STARTTLS"}, []string{"guessed: the enc"}},
		{"go-autoconfig", l11r + ", port: 587}", []string{"smtp.a.example:587 STARTTLS"}, []string{"guessed: the enc"}},
		{"go-autoconfig", l11r + ", port: 465}", []string{"smtp.a.example:465 SSL", "guessed: the encryption of smtp"}, nil},
		{"go-autoconfig", l11r + ", port: 465, starttls: false}", []string{"smtp.a.example:465 SSL"}, []string{"guessed: the enc"}},
		{"monogramm", company + "SUPPORT_URL=call us", []string{`lost: 7 SUPPORT_URL: "call us" is not a URL`}, nil},
		{"monogramm", company + "SUPPORT_URL=http://a.example:80/help#top", []string{"contact [{url http://a.example/help#top }]"}, []string{"lost"}},
		{"monogramm", company + "SUPPORT_URL=https://%EMAILDOMAIN%/", []string{"lost: 7 SUPPORT_URL: https://%EMAILDOMAIN%/ has a placeholder"}, nil},
		{"monogramm", company + "SUPPORT_URL=https://a.example/", []string{"branding: [{name A } {contact [{url https://a.example/ }] }]"}, []string{"lost"}},
		{"monogramm", company + "MOBILESYNC_URL=https://eas.a.example", []string{"https://eas.a.example/Microsoft-Server-ActiveSync"}, nil},
		{"monogramm", company + "POP_HOST=pop.a.example\nPOP_PORT=110\nPOP_SOCKET=none", []string{"pop.a.example:110 plain"}, nil},
		{"monogramm", company + "MOBILESYNC_URL=https://u:geheim@eas.a.example/", []string{"lost: 7 MOBILESYNC_URL: the URL has a name"}, []string{"geheim"}},
		{"monogramm", company + "SUPPORT_URL=http://u:geheim@a.example/", []string{"lost: 7 SUPPORT_URL: the URL has a name"}, []string{"geheim"}},
		{"solarssk", strand, []string{"imap.a.example:993 SSL", "smtp.a.example:587 STARTTLS", "as %EMAILADDRESS%"}, []string{"hint"}},
		{"solarssk", strand + "SMTP_PORT=465", []string{"smtp.a.example:465 STARTTLS"}, nil}, // as app/config.py has it
		{"solarssk", strand + "USERNAME_FORMAT=localpart", []string{"as %EMAILLOCALPART%"}, []string{"as %EMAILADDRESS%"}},
		{"solarssk", strand + "CONFIG_FILE=/config/config.yaml", []string{"lost: 4 CONFIG_FILE: where that file exists"}, nil},
		{"solarssk", strand + "USERNAME_FORMAT=localpart" + file, []string{"imap.b.example:993 SSL as %EMAILLOCALPART%",
			"lost: 1 ALLOWED_DOMAINS and its servers are not used"}, []string{"imap.a.example", "hint"}},
		{"solarssk", strings.TrimPrefix(file, "\n--8<--\n"), []string{"imap.b.example:993 SSL as %EMAILADDRESS%", "hint: USERNAME_FORMAT"}, nil},
		{"solarssk", strand + "TRUST_PROXY_HEADERS=false\nTRUSTED_PROXY_IPS=10.0.0.0/8", nil, []string{"trustedProxies"}},
		{"solarssk", strand + "FORWARDED_ALLOW_IPS=10.0.0.0/8,x,", []string{"trustedProxies: [10.0.0.0/8]", `lost: 4 "x" is neither`}, nil},
		{"solarssk", strand + "OUTLOOK_ENABLED=true\nAPPLE_MOBILECONFIG_ENABLED=false", []string{"lost: 5 APPLE_MOBILECONFIG_ENABLED"}, []string{"OUTLOOK"}},
		{"wdes", hosts, []string{"mail.example: imap.mail.example:993 SSL", "guessed: the domain mail.example", "lost: 1 the servers of"}, nil},
		{"wdes", hosts + "CUSTOM_DOMAINS=a.example,b.example", []string{"a.example b.example: imap.%EMAILDOMAIN%:993 SSL",
			"smtp.%EMAILDOMAIN%:465 SSL", "mail.example: imap.mail.example:993 SSL"}, nil},
		{"wdes", hosts + "CUSTOM_DOMAINS=mail.example", []string{"mail.example: imap.%EMAILDOMAIN%:993 SSL"}, []string{"imap.mail.example:"}},
	} {
		var d draft.Draft
		var files []File
		for part := range strings.SplitSeq(row.text, "\n--8<--\n") {
			files = append(files, File{Path: "file", Data: []byte(part)})
		}
		if err := byName(t, row.format).Read(files, &d); err != nil {
			t.Errorf("%s: %q: %v", row.format, row.text, err)
			continue
		}
		got := told(&d)
		for _, want := range row.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q gives\n%s\nwant %s", row.format, row.text, got, want)
			}
		}
		for _, not := range row.not {
			if strings.Contains(got, not) {
				t.Errorf("%s: %q gives\n%s\nwant it without %s", row.format, row.text, got, not)
			}
		}
	}
}

// told returns what a draft says, line by line.
func told(d *draft.Draft) string {
	var b strings.Builder
	for _, p := range d.Products {
		for _, s := range p.Provider.Servers {
			fmt.Fprintf(&b, "%s: %s%s:%d %s as %s\n",
				strings.Join(p.Domains, " "), s.Hostname, s.URL, s.Port, s.SocketType, s.Login.Username)
		}
		for _, guess := range p.Guesses {
			fmt.Fprintf(&b, "guessed: %s\n", guess)
		}
	}
	for _, key := range d.Keys {
		fmt.Fprintf(&b, "%s: %v\n", key.Key, key.Value)
	}
	for _, remark := range d.Lost {
		fmt.Fprintf(&b, "lost: %d %s\n", remark.Place.Line, remark.Text)
	}
	for _, hint := range d.Hints {
		fmt.Fprintf(&b, "hint: %s\n", hint)
	}
	return b.String()
}
