package finding

import (
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// mailAt is a forecast of IMAP with a user name, from a source.
func mailAt(source, host, username string) client.Forecast {
	return client.Forecast{Outcome: client.SetsUp, Source: source, Servers: []client.Server{{Type: account.IMAP,
		Hostname: host, Port: 993, SocketType: account.SSL, Username: username}}}
}

// personCase returns a case with a few clients, each with settings from the document at
// autoconfig.nordlys.example: Geary and aerc sign in as anna@nordlys.example, Thunderbird as told.
func personCase(t *testing.T, told string) *Case {
	t.Helper()
	c := newCase(t)
	c.Clients = nil
	for _, k := range client.All() {
		switch k.ID {
		case "aerc", "geary", "thunderbird", "exchangelib", "apple-exchange", "deltachat":
			c.Clients = append(c.Clients, k)
		}
	}
	const source = "https://autoconfig.nordlys.example/mail/config-v1.1.xml"
	c.Forecasts["geary"] = mailAt(source, "imap.hoster.example", "anna@nordlys.example")
	c.Forecasts["aerc"] = mailAt(source, "imap.hoster.example", "anna@nordlys.example")
	c.Forecasts["thunderbird"] = mailAt(source, "imap.hoster.example", told)
	return c
}

func (c *Case) withDocument(username string) *Case {
	q := client.AutoconfigFor("https", "nordlys.example", c.Address)
	c.Asker.PutWeb(q,
		probe.WebAnswer{Status: 200, Body: []byte(strings.ReplaceAll(settingsXML, "%EMAILADDRESS%", username))})
	return c
}

func (c *Case) withMX(host string) *Case {
	c.Asker.PutDNS(client.DNS("MX", c.Domain()), dnsAnswer(c.Domain(), "MX", "10 "+host+"."))
	return c
}

// dnsAnswer is an answer with one record.
func dnsAnswer(name, recordType, data string) probe.DNSAnswer {
	return probe.DNSAnswer{Answer: dns.Answer{Records: []dns.Record{{Name: name, TTL: 3600,
		Type: recordType, Data: data}}}}
}

func (c *Case) withOwn(change func(*account.Settings)) *Case {
	c.Own = &account.Settings{Address: c.Address, Login: c.Address, Servers: []account.Server{{Type: account.IMAP,
		Hostname: "imap.hoster.example", Port: 993, SocketType: account.SSL, Login: account.Login{Username: account.EmailAddress}}}}
	change(c.Own)
	return c
}

func TestAccounts(t *testing.T) {
	const microsoft = "nordlys-example.mail.protection.outlook.com"
	for _, row := range []struct {
		name string
		c    *Case
		want string // severity, ID, clients; sentence
	}{
		{"healthy", personCase(t, "anna@nordlys.example").withDocument("%EMAILADDRESS%").withMX("mx1.hoster.example").
			withOwn(func(*account.Settings) {}), ""},
		{"K6", personCase(t, "u67578").withDocument("u67578").withMX("mx1.hoster.example"),
			"warning K6  geary aerc: The document says that the login is u67578, but Geary and aerc sign in as the address or ask."},
		{"K6 of a local part", personCase(t, "anna").withDocument("%EMAILLOCALPART%"),
			"warning K6  geary aerc: The document says that the login is anna, but Geary and aerc sign in as the address or ask."},
		{"A1 explains K6", personCase(t, "u67578").withDocument("u67578").withOwn(func(s *account.Settings) {
			s.Servers[0].Login.Username = "u67578"
		}), "warning A1  geary aerc: The server wants the user name u67578, but Geary and aerc will try anna@nordlys.example."},
		{"A1 where everybody takes the login", func() *Case {
			c := personCase(t, "u67578").withOwn(func(s *account.Settings) { s.Servers[0].Login.Username = "u67578" })
			delete(c.Forecasts, "geary")
			delete(c.Forecasts, "aerc")
			return c
		}(), ""},
		{"A2", personCase(t, "mail@nordlys.example").withOwn(func(s *account.Settings) {
			s.Account.AliasOf, _ = account.ParseAddress("mail@nordlys.example")
			s.Login = s.Account.AliasOf
		}), "warning A2  geary aerc: anna@nordlys.example is an alias of mail@nordlys.example: nobody can sign in with it, " +
			"and Geary and aerc will try."},
		{"A7", personCase(t, "anna@nordlys.example").withOwn(func(s *account.Settings) { s.Account.Inactive = true }),
			"error A7  deltachat geary thunderbird aerc exchangelib apple-exchange: anna@nordlys.example is inactive."},
		{"A3", personCase(t, "anna@nordlys.example").withMX("aspmx.l.google.com"),
			"note A3  deltachat aerc: The mail of nordlys.example is at Google, where the password of the web site is refused: " +
				"a client needs Google's own sign-in or an app password."},
		{"A3 by the server", func() *Case {
			c := personCase(t, "anna@nordlys.example").withMX("mx.filter.example")
			c.Forecasts["thunderbird"] = mailAt("", "imap.fastmail.com", "anna@nordlys.example")
			return c
		}(), "note A3  deltachat aerc: The mail of nordlys.example is at Fastmail, where the password of the web site is refused: " +
			"a client needs Fastmail's own sign-in or an app password."},
		{"A4, A5, A6", personCase(t, "anna@nordlys.example").withMX(microsoft),
			"warning A4  deltachat aerc: The mail of nordlys.example is at Microsoft 365 or Outlook.com, which takes no password: " +
				"only clients with Microsoft's sign-in get in.\n" +
				"note A6  exchangelib: EWS at Microsoft 365 has been blocked since 1 October 2026 for programs that no administrator has listed, " +
				"and ends on 1 April 2027.\n" +
				"note A5 : Sending by SMTP may be switched off for all of nordlys.example; the server then says 535 5.7.139."},
		{"K4", personCase(t, "anna@nordlys.example").withOwn(func(s *account.Settings) {
			s.Servers = []account.Server{{Type: account.ActiveSync,
				URL:   "https://eas.example/Microsoft-Server-ActiveSync",
				Login: account.Login{Username: "%EMAILLOCALPART%_%EMAILDOMAIN%", DomainName: "hosting01"}}}
		}), `warning K4  apple-exchange: ActiveSync wants the login hosting01\anna_nordlys.example, which no answer can tell a phone: ` +
			"it asks, or tries the address."},
		{"K5", func() *Case {
			c := personCase(t, "anna@nordlys.example")
			c.Asker.PutWeb(client.Autodiscover(client.AutodiscoverURL("https", "autodiscover.nordlys.example"),
				c.Address), probe.WebAnswer{Status: 200, Body: []byte("<Protocol>\n <Type> EXCH </Type></Protocol>")})
			return c
		}(),
			"note K5  thunderbird: Autodiscover names an Exchange server, so Thunderbird offers Exchange beside IMAP."},
		{"no K5 where EWS answers", func() *Case {
			c := personCase(t, "anna@nordlys.example")
			c.Forecasts["exchangelib"] = client.Forecast{Outcome: client.SetsUp, Source: "https://x.example/"}
			c.Asker.PutWeb(client.Autodiscover(client.AutodiscoverURL("https", "autodiscover.nordlys.example"),
				c.Address), probe.WebAnswer{Status: 200, Body: []byte("<Type>EXCH</Type>")})
			return c
		}(), ""},
	} {
		var lines []string
		for _, f := range find(t.Context(), row.c, append(accountFaults, clientFaults...)) {
			lines = append(lines, summary([]Finding{f})+": "+f.Sentence)
		}
		if got := strings.Join(lines, "\n"); got != row.want {
			t.Errorf("%s:\nfind = %s\nwant   %s", row.name, got, row.want)
		}
	}
}

// TestRemarks: what a client does with every domain stands in its line, not in a finding.
func TestRemarks(t *testing.T) {
	for id, want := range map[string]string{
		"outlook-new":    "Microsoft's servers",
		"outlook-mobile": "Microsoft's servers",
		"gmail":          "server, port, security, user name",
		"apple-mail":     "profile",
	} {
		c := newCase(t)
		for _, k := range client.All() {
			if k.ID != id {
				continue
			}
			q := client.DNS("MX", c.Domain())
			c.Asker.PutDNS(q, dnsAnswer(c.Domain(), "MX", "10 mx1.hoster.example."))
			f := k.Forecast(t.Context(), &client.Search{Address: c.Address, Asker: c.Asker})
			if !strings.Contains(f.Person+f.But, want) {
				t.Errorf("the line of %s is %q, %q, want it to say %q", id, f.But, f.Person, want)
			}
		}
	}
}
