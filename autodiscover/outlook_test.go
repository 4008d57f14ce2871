package autodiscover

import (
	"context"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"signpost/account"
	"signpost/internal/golden"
)

// protocols returns each Protocol as "tag value" lines, in order.
func protocols(t testing.TB, document []byte) [][]string {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(document); err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for _, p := range doc.FindElements("/Autodiscover/Response/Account/Protocol") {
		var lines []string
		for _, e := range p.ChildElements() {
			lines = append(lines, e.Tag+" "+e.Text())
		}
		all = append(all, lines)
	}
	return all
}

// TestSecurity checks SSL and Encryption, the most common mistake of Autodiscover
// servers, for all types.
func TestSecurity(t *testing.T) {
	for _, c := range []struct {
		socket          account.SocketType
		ssl, encryption string
	}{
		{account.SSL, "on", "SSL"},
		{account.STARTTLS, "on", "TLS"},
		{account.Plain, "off", "None"},
	} {
		for _, kind := range []account.ServerType{account.IMAP, account.POP3, account.SMTP} {
			p := provider(imap993, mailServer(kind, "host.example", 1234, c.socket))
			if kind == account.IMAP {
				p = provider(mailServer(kind, "host.example", 1234, c.socket))
			}
			a := address(t, "anna@example.com")
			document, err := Outlook(account.Settings{Address: a, Login: a, Provider: p, Servers: p.Servers})
			if err != nil {
				t.Fatal(err)
			}
			all := protocols(t, document)
			got := strings.Join(all[len(all)-1], "\n")
			want := "SSL " + c.ssl + "\nEncryption " + c.encryption + "\n"
			if !strings.Contains(got, want) || !strings.Contains(got, "Port 1234") {
				t.Errorf("%s by %s is written as\n%s\nwant\n%s", kind, c.socket, got, want)
			}
		}
	}
}

// TestProtocols checks which servers the answer has, and how they are written.
func TestProtocols(t *testing.T) {
	plainIMAP := mailServer(account.IMAP, "plain.example.com", 143, account.Plain)
	for _, c := range []struct {
		name    string
		servers []account.Server
		want    []string // Type and Server of each
		lines   []string // of the last Protocol, in this order, among others
	}{
		{"the order of preference", []account.Server{pop995, smtp465, imap993},
			[]string{"POP3 pop.example.com", "SMTP smtp.example.com", "IMAP imap.example.com"}, nil},
		{"one of each type", []account.Server{otherIMAP, imap993, smtp587, smtp465},
			[]string{"IMAP imap2.example.com", "SMTP smtp.example.com"},
			[]string{"Port 587"}},
		{"not the one without encryption", []account.Server{plainIMAP, otherIMAP}, []string{"IMAP imap2.example.com"}, nil},
		{"unless there is no other", []account.Server{plainIMAP}, []string{"IMAP plain.example.com"},
			[]string{"SSL off", "Encryption None"}},
		{"DAV after mail", []account.Server{carddav, imap993, caldav, jmap, eas, ews, smtp465},
			[]string{"IMAP imap.example.com", "SMTP smtp.example.com", "CardDAV https://dav.example.com/card/",
				"CalDAV https://dav.example.com/cal/anna@example.com/"},
			[]string{"LoginName anna@example.com", "DomainRequired off", "SPA off", "SSL on", "AuthRequired on"}},
		{"a login and its NT domain", []account.Server{withLogin(imap993, "%EMAILLOCALPART%_%EMAILDOMAIN%", "hosting01")},
			[]string{"IMAP imap.example.com"},
			[]string{"LoginName anna_example.com", "DomainRequired on", "DomainName hosting01"}},
		{"never an empty login", []account.Server{withLogin(imap993, "", "")}, []string{"IMAP imap.example.com"},
			[]string{"LoginName anna@example.com"}},
		{"NTLM is SPA", []account.Server{withAuth(imap993, account.NTLM, account.PasswordCleartext)},
			[]string{"IMAP imap.example.com"}, []string{"SPA on"}},
		{"NTLM as second choice", []account.Server{withAuth(imap993, account.PasswordCleartext, account.NTLM)},
			[]string{"IMAP imap.example.com"}, []string{"SPA off"}},
		{"NTLM after a method without a word for it", []account.Server{withAuth(imap993, account.OAuth2Auth, account.NTLM)},
			[]string{"IMAP imap.example.com"}, []string{"SPA on"}},
		{"an encrypted password is no SPA", []account.Server{withAuth(imap993, account.PasswordEncrypted)},
			[]string{"IMAP imap.example.com"}, []string{"SPA off"}},
		{"OAuth2 or password", []account.Server{withAuth(imap993, account.OAuth2Auth, account.PasswordCleartext)},
			[]string{"IMAP imap.example.com"}, []string{"SPA off"}},
		{"not the one that takes no password", []account.Server{withAuth(imap993, account.OAuth2Auth), otherIMAP},
			[]string{"IMAP imap2.example.com"}, nil},
		{"SMTP with the same login", []account.Server{withLogin(pop995, "%EMAILLOCALPART%", ""), imap993,
			withLogin(smtp465, "%EMAILLOCALPART%", "")},
			[]string{"POP3 pop.example.com", "IMAP imap.example.com", "SMTP smtp.example.com"},
			[]string{"UsePOPAuth on", "SMTPLast off"}},
		{"SMTP with another login", []account.Server{imap993, withLogin(smtp465, "%EMAILLOCALPART%", "")},
			[]string{"IMAP imap.example.com", "SMTP smtp.example.com"},
			[]string{"LoginName anna", "UsePOPAuth off", "SMTPLast off"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := address(t, "anna@example.com")
			document, err := Outlook(account.Settings{Address: a, Login: a, Provider: provider(c.servers...),
				Servers: c.servers})
			if err != nil {
				t.Fatal(err)
			}
			all := protocols(t, document)
			var got []string
			for _, p := range all {
				got = append(got, strings.TrimPrefix(p[0], "Type ")+" "+strings.TrimPrefix(p[1], "Server "))
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("servers (-want +got):\n%s", d)
			}
			last := all[len(all)-1]
			i := 0
			for _, line := range last {
				if i < len(c.lines) && line == c.lines[i] {
					i++
				}
			}
			if i < len(c.lines) {
				t.Errorf("the last Protocol lacks %q, or has it too early: %q", c.lines[i], last)
			}
		})
	}
}

// TestNotForOutlook checks that the error says why there are no settings.
func TestNotForOutlook(t *testing.T) {
	mailboxHost := imap993
	mailboxHost.Hostname = "%EMAILLOCALPART%.example.com"
	for _, c := range []struct {
		name    string
		address account.Address
		servers []account.Server
		say     string
	}{
		{"ActiveSync only", address(t, "anna@example.com"), []account.Server{eas, ews, eas}, "activesync, ews"},
		{"no incoming mail", address(t, "anna@example.com"), []account.Server{smtp465}, "smtp"},
		{"no server", address(t, "anna@example.com"), nil, "none at all"},
		{"no password", address(t, "anna@example.com"),
			[]account.Server{withAuth(pop995, account.OAuth2Auth, account.TLSClientCert)}, "pop3 server takes no password"},
		{"no mailbox", account.AnyAt("example.com"), []account.Server{mailboxHost}, "needs a mailbox"},
	} {
		document, err := Outlook(account.Settings{Address: c.address, Login: c.address, Servers: c.servers})
		e, ok := err.(*Error)
		if !ok || e.Code != NotAvailable || !strings.Contains(e.Error(), c.say) || document != nil {
			t.Errorf("%s: Outlook = %s, %v, want error 601 with %q", c.name, document, err, c.say)
		}
	}
}

// TestGolden compares complete answers with the golden files.
func TestGolden(t *testing.T) {
	for _, c := range []struct{ file, address string }{
		{"outlook-mamut.xml", "info@domain.se"},
		{"outlook-own-domain.xml", "kalle@own-domain.example"},
		{"outlook-websupport.xml", "anna@websupport.example"},
		{"outlook-onecom.xml", "anna@onecom.example"},
		{"outlook-pop.xml", "anna@pop.example"},
		{"outlook-dav.xml", "anna@dav.example"},
		{"outlook-login.xml", "o'neil&co@localparts.example"},
	} {
		document, err := Outlook(settings(t, c.address))
		if err != nil {
			t.Fatal(err)
		}
		golden.Check(t, goldenDir+c.file, document)
	}
	document, err := ActiveSync(settings(t, "anna@eas.example"))
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, goldenDir+"activesync.xml", document)
	golden.Check(t, goldenDir+"activesync-unknown.xml",
		post(XMLHandler(resolver, false), pox("anna@unknown.invalid", nsMobileSync)).Body.Bytes())
}

// TestHandlerAnswers checks that the handler, with its caches, sends the documents
// that Exchange and ActiveSync return, and without a mailbox those of Outlook.
func TestHandlerAnswers(t *testing.T) {
	handler := XMLHandler(resolver, false)
	locals := []string{"anna", "Anna.Andersson+tag", "o'neil&co", `"<b>&x"`, "%s%d", "{{7*7}}", "%EMAILDOMAIN%",
		"%EMAILADDRESS%", "100%%EMAILLOCALPART%", "ågot"}
	for name, p := range providers {
		if p.AutodiscoverRedirect != nil {
			continue
		}
		for _, local := range locals {
			a := local + "@" + name + ".example"
			s := settings(t, a)
			for schema, direct := range map[string]func(account.Settings) ([]byte, error){nsOutlook: Exchange,
				nsMobileSync: ActiveSync} {
				want, err := direct(s)
				if e, ok := err.(*Error); ok {
					want = []byte(errorDocument(e.Code))
				}
				got := atTestTime(post(handler, pox(xmlEscaped(a), schema)).Body)
				if d := cmp.Diff(string(want), got); d != "" {
					t.Errorf("%s %s (-function +handler):\n%s", a, schema, d)
				}
			}
		}
		// The same for the domain without a mailbox.
		s := account.Settings{Address: account.AnyAt(name + ".example"), Login: account.AnyAt(name + ".example"),
			Provider: p, Servers: p.Servers}
		want, err := Outlook(s)
		if _, ok := err.(*Error); ok {
			want = []byte("Not Found\n")
		}
		d := cmp.Diff(string(want), atTestTime(get(handler, "https://autodiscover."+name+".example/autodiscover/autodiscover.xml").Body))
		if d != "" {
			t.Errorf("GET %s (-function +handler):\n%s", name, d)
		}
	}
}

// TestCustomLogins checks that the login of one account is never sent to another.
func TestCustomLogins(t *testing.T) {
	p := provider(imap993, smtp465)
	own := []account.Server{withLogin(imap993, "u123", ""), withLogin(smtp465, "u123", "")}
	anna, mailbox, bo := address(t, "anna@example.com"), address(t, "mail@example.com"), address(t, "bo@example.com")
	handler := XMLHandler(func(_ context.Context, q account.Query) (account.Settings, error) {
		s := account.Settings{Address: q.Address, Login: q.Address, Provider: p, Servers: p.Servers}
		switch q.Address {
		case anna:
			s.Custom, s.Servers = true, own
		case bo:
			s.Login = mailbox
		}
		return s, nil
	}, false)
	for range 2 {
		for a, login := range map[string]string{"anna@example.com": "u123", "bo@example.com": "mail@example.com",
			"eva@example.com": "eva@example.com"} {
			got := fields(t, post(handler, pox(a, nsOutlook)).Body.String(), "User/AutoDiscoverSMTPAddress",
				"Account/Protocol[1]/LoginName", "Account/Protocol[2]/LoginName")
			if d := cmp.Diff([]string{a, login, login}, got); d != "" {
				t.Errorf("address and logins for %s (-want +got):\n%s", a, d)
			}
		}
	}
}

func xmlEscaped(text string) string { return string(escapeText(nil, text)) }
