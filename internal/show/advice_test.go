package show_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/show"
	"signpost/internal/systems"
)

// explain returns the report for an address whose provider has the servers.
func explain(t *testing.T, address, service string, servers ...account.Server) *show.Report {
	t.Helper()
	a, err := account.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	provider := &account.Provider{ID: "p", DisplayName: "P", Servers: servers}
	report, err := show.Explain(t.Context(), func(_ context.Context, q account.Query) (account.Settings, error) {
		s := account.Settings{Address: q.Address, Login: q.Address, Provider: provider, Servers: servers}
		if q.Address.IsZero() {
			s.Address = account.AnyAt(a.Domain())
			s.Login = s.Address
		}
		return s, nil
	}, a, service)
	if err != nil {
		t.Fatalf("Explain(%s): %v", address, err)
	}
	return report
}

// client returns what the report says of a client.
func client(t *testing.T, r *show.Report, name string) show.Client {
	t.Helper()
	i := slices.IndexFunc(r.Clients, func(c show.Client) bool { return c.Client == name })
	if i < 0 {
		t.Fatalf("the report has no client %s", name)
	}
	return r.Clients[i]
}

func mailServer(serverType account.ServerType, methods ...account.Authentication) account.Server {
	if len(methods) == 0 {
		methods = []account.Authentication{account.PasswordCleartext}
	}
	s := account.Server{Type: serverType, Authentication: methods, Login: account.Login{Username: account.EmailAddress}}
	if serverType.HasURL() {
		s.URL = "https://mail.example.se/" + string(serverType)
		return s
	}
	s.Hostname, s.Port, s.SocketType = "mail.example.se", account.DefaultPort(serverType, account.SSL), account.SSL
	return s
}

// TestThunderbird checks that servers are shown under Thunderbird only where it makes an
// account from them, although other readers of the same document may.
func TestThunderbird(t *testing.T) {
	at := func(host string, s account.Server) account.Server {
		s.Hostname = host
		return s
	}
	imap, smtp := mailServer(account.IMAP), mailServer(account.SMTP)
	for _, test := range []struct {
		name    string
		servers []account.Server
		types   string // of the servers that it gets
		nothing string // a part of the reason
	}{
		{"mail", []account.Server{imap, smtp}, "imap smtp", ""},
		{"EWS alone", []account.Server{mailServer(account.EWS)}, "", "without a server for sending"},
		{"EWS with SMTP", []account.Server{mailServer(account.EWS), smtp}, "ews smtp", ""},
		{"IMAP alone", []account.Server{imap}, "", "without a server for sending"},
		{"JMAP", []account.Server{mailServer(account.JMAP), smtp}, "",
			"it does not speak jmap; it refuses an account without a server for reading"},
		{"ActiveSync beside IMAP", []account.Server{mailServer(account.ActiveSync), imap, smtp}, "imap smtp", ""},
		{"calendars are found by DNS",
			[]account.Server{imap, smtp, mailServer(account.CalDAV), mailServer(account.CardDAV)}, "imap smtp", ""},
		{"client certificate", []account.Server{mailServer(account.IMAP, account.TLSClientCert), smtp}, "",
			"no way to sign in to imap"},
		{"OAuth2 of an unknown provider", []account.Server{mailServer(account.IMAP, account.OAuth2Auth), smtp}, "",
			"no way to sign in to imap"},
		{"a password beside OAuth2",
			[]account.Server{mailServer(account.IMAP, account.OAuth2Auth, account.PasswordCleartext), smtp}, "imap smtp", ""},
		{"OAuth2 of Microsoft", []account.Server{
			at("outlook.office365.com", mailServer(account.IMAP, account.OAuth2Auth)),
			at("smtp.office365.com", mailServer(account.SMTP, account.OAuth2Auth)),
		}, "imap smtp", ""},
		{"a name that ends alike", []account.Server{
			at("imap.notgmail.com", mailServer(account.IMAP, account.OAuth2Auth)), smtp,
		}, "", "no way to sign in to imap"},
	} {
		c := client(t, explain(t, "anna@example.se", "", test.servers...), "thunderbird")
		var types []string
		for _, s := range c.Servers {
			types = append(types, s.Type)
		}
		if got := strings.Join(types, " "); got != test.types {
			t.Errorf("%s: Thunderbird gets %q, want %q", test.name, got, test.types)
		}
		if !strings.Contains(c.Nothing, test.nothing) || (c.Nothing == "") != (test.nothing == "") {
			t.Errorf("%s: Thunderbird gets nothing because %q, want %q", test.name, c.Nothing, test.nothing)
		}
	}
	plain := mailServer(account.SMTP)
	plain.SocketType = account.Plain
	for _, test := range []struct {
		servers       []account.Server
		types         int
		nothing, note string // parts
	}{
		{[]account.Server{imap, smtp}, 2, "", ""},
		{[]account.Server{mailServer(account.EWS), smtp}, 0, "it does not speak ews", "other readers"},
		{[]account.Server{mailServer(account.POP3), smtp}, 2, "", "only KMail"},
		{[]account.Server{imap, plain}, 2, "", "Thunderbird for Android finds nothing"},
	} {
		c := client(t, explain(t, "anna@example.se", "", test.servers...), "thunderbird-android")
		fits := strings.Contains(c.Nothing, test.nothing) && strings.Contains(c.Note, test.note) &&
			(c.Note == "") == (test.note == "")
		if len(c.Servers) != test.types || !fits {
			t.Errorf("with %v, Thunderbird for Android gets %v, %q and the note %q; want %d servers, %q and %q",
				test.servers, c.Servers, c.Nothing, c.Note, test.types, test.nothing, test.note)
		}
	}
	c := client(t, explain(t, "anna@example.se", "", mailServer(account.EWS)), "thunderbird")
	if want := "other readers of autoconfig get ews"; c.Note != want {
		t.Errorf("the note beside EWS alone is %q, want %q", c.Note, want)
	}
}

// TestAdvice checks what the support desk is told about clients that ask somebody else, or
// nobody.
func TestAdvice(t *testing.T) {
	report := explain(t, "anna+b@example.se", "setup.example.se", mailServer(account.IMAP), mailServer(account.SMTP))
	for name, link := range map[string]string{
		"apple":       "https://setup.example.se/?emailaddress=anna%2Bb@example.se&device=iphone",
		"mac":         "https://setup.example.se/?emailaddress=anna%2Bb@example.se&device=mac",
		"new-outlook": "https://setup.example.se/?emailaddress=anna%2Bb@example.se&device=outlook",
		"thunderbird": "",
		"outlook":     "",
		"activesync":  "",
	} {
		c := client(t, report, name)
		if c.Link != link {
			t.Errorf("%s has the link %q, want %q", name, c.Link, link)
		}
		if says := strings.HasPrefix(c.Say, "Open setup.example.se"); says != (link != "") {
			t.Errorf("%s: the sentence to say is %q, want one that names the page: %v", name, c.Say, link != "")
		}
	}
	outlook := client(t, report, "new-outlook")
	if outlook.Servers != nil || !strings.Contains(outlook.Nothing, "ask Microsoft instead") ||
		len(outlook.Manual) != 2 || outlook.Manual[0].Port != 993 || outlook.Note != "" {
		t.Errorf("the new Outlook gets %+v, want nothing, and the two servers to type", outlook)
	}
	var text bytes.Buffer
	if err := report.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	const form = "  so its form asks the person, who types\n" +
		"    imap  mail.example.se  993 SSL  user name anna+b@example.se\n"
	if !strings.Contains(text.String(), form) {
		t.Errorf("the text lacks\n%s:\n%s", form, &text)
	}

	report = explain(t, "anna@example.se", "", mailServer(account.ActiveSync))
	text.Reset()
	if err := report.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	const exchange = "  so its form asks the person, who types\n" +
		"    server     mail.example.se\n    user name  anna@example.se\n"
	if !strings.Contains(text.String(), exchange) {
		t.Errorf("the text lacks\n%s:\n%s", exchange, &text)
	}

	nameless := client(t, explain(t, "anna@example.se", "", mailServer(account.IMAP), mailServer(account.SMTP)),
		"apple")
	if nameless.Link != "" || !strings.HasPrefix(nameless.Say, "Open the set-up page in Safari") {
		t.Errorf("without a name of the service, the link is %q and the sentence %q", nameless.Link, nameless.Say)
	}
	other := mailServer(account.IMAP)
	other.Login.Username = account.EmailLocalPart
	c := client(t, explain(t, "anna@example.se", "", other, mailServer(account.SMTP)), "new-outlook")
	if !strings.Contains(c.Note, "no user name but the address") {
		t.Errorf("the note about another login is %q", c.Note)
	}
	microsoft := systems.Load(t, "office365")
	report, err := show.Explain(t.Context(), microsoft.Directory.Resolve, microsoft.Unlisted[0], microsoft.Config.Name)
	if err != nil {
		t.Fatal(err)
	}
	if c := client(t, report, "new-outlook"); c.Redirect == "" || c.Nothing != "" || c.Link != "" {
		t.Errorf("where Microsoft answers, the new Outlook gets %+v, want the redirect alone", c)
	}
}

// TestOutlookByHand checks that what is said of the later Outlooks is what the set-up page
// shows: only servers that take a password, and who does not take the login.
func TestOutlookByHand(t *testing.T) {
	login := func(username string, s account.Server) account.Server {
		s.Login.Username = username
		return s
	}
	imap, smtp, eas := mailServer(account.IMAP), mailServer(account.SMTP), mailServer(account.ActiveSync)
	relay := login("a@relay.example", mailServer(account.SMTP, account.NoAuthentication))
	const address, international = "anna@example.se", "anna@åkeriet.example"
	for _, test := range []struct {
		name    string
		address string
		servers []account.Server
		manual  int    // the servers to type
		note    string // how the note begins
	}{
		{"password", address, []account.Server{imap, smtp}, 2, ""},
		{"Kerberos alone", address,
			[]account.Server{mailServer(account.IMAP, account.GSSAPI), mailServer(account.SMTP, account.GSSAPI)}, 0,
			"there is no known way to use Outlook"},
		{"OAuth2 for reading", address, []account.Server{mailServer(account.IMAP, account.OAuth2Auth), smtp}, 0,
			"there is no known way to use Outlook"},
		{"OAuth2 for IMAP, a password for POP", address,
			[]account.Server{mailServer(account.IMAP, account.OAuth2Auth), mailServer(account.POP3), smtp}, 2, ""},
		{"ActiveSync with a certificate", address, []account.Server{mailServer(account.ActiveSync, account.TLSClientCert)}, 0,
			"there is no known way to use Outlook"},
		{"ActiveSync", address, []account.Server{eas}, 1, "the new Outlook and Outlook for Mac cannot be set up so"},
		{"web services", address, []account.Server{mailServer(account.EWS)}, 0, "there is no known way to use Outlook"},
		{"another login", address, []account.Server{login("anna", imap), smtp}, 2, "the new Outlook takes no user name"},
		{"a relay", address, []account.Server{imap, relay}, 2, ""},
		{"A-labels", international, []account.Server{imap, smtp}, 2, ""},
		{"Unicode", international, []account.Server{login(international, imap), login(international, smtp)}, 2, ""},
	} {
		for webmail, end := range map[string]string{"": "", "https://webmail.example.se/": ", or the webmail"} {
			a, err := account.ParseAddress(test.address)
			if err != nil {
				t.Fatal(err)
			}
			provider := &account.Provider{Servers: test.servers, Webmail: webmail}
			report, err := show.Explain(t.Context(), func(context.Context, account.Query) (account.Settings, error) {
				return account.Settings{Address: a, Login: a, Provider: provider, Servers: test.servers}, nil
			}, a, "setup.example.se")
			if err != nil {
				t.Fatal(err)
			}
			c := client(t, report, "new-outlook")
			if len(c.Manual) != test.manual || !strings.HasPrefix(c.Note, test.note) || (c.Note == "") != (test.note == "") ||
				c.Note != "" && strings.HasSuffix(c.Note, ", or the webmail") != (end != "") {
				t.Errorf("%s, webmail %q: the new Outlook gets %v and the note %q, want %d servers and %q…%q",
					test.name, webmail, c.Manual, c.Note, test.manual, test.note, end)
			}
			if says := c.Say != "" && c.Link != ""; says != (test.manual > 0) {
				t.Errorf("%s: what to say is %q with the link %q, want some: %v",
					test.name, c.Say, c.Link, test.manual > 0)
			}
		}
	}
}

// TestAdviceFitsPage checks that what is said is what the page shows.
func TestAdviceFitsPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "templates", "text", "en.json"))
	if err != nil {
		t.Fatal(err)
	}
	report := explain(t, "anna@example.se", "", mailServer(account.IMAP), mailServer(account.SMTP))
	words := regexp.MustCompile(`(?:Tap|tap|Click|then) (Install on [a-zA-Z ]+|Allow|Profile Downloaded|Download for Mac)`)
	found := 0
	for _, name := range []string{"apple", "mac"} {
		for _, match := range words.FindAllStringSubmatch(client(t, report, name).Say, -1) {
			found++
			if !strings.Contains(string(page), match[1]) {
				t.Errorf("the page does not say %q", match[1])
			}
		}
	}
	if found != 4 {
		t.Errorf("%d labels of the page are named, want 4", found)
	}
}

// TestWithoutAddress checks what is said about clients that never send the address: the
// settings may be those of another product, or of another login, and the operator may
// give none.
func TestWithoutAddress(t *testing.T) {
	imap, smtp := mailServer(account.IMAP), mailServer(account.SMTP)
	local := mailServer(account.IMAP)
	local.Login.Username = "u67578"
	domain, err := account.ParseAddress("anna@example.se")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		own     []account.Server
		refused error
		wrong   string
		nothing string
	}{
		{"the same", []account.Server{imap, smtp}, nil, "", ""},
		{"another product", []account.Server{mailServer(account.ActiveSync)}, nil,
			"this account has another product, Own", ""},
		{"another login", []account.Server{local, smtp}, nil, "this account signs in as u67578", ""},
		{"nothing", []account.Server{imap, smtp}, account.ErrAddressRequired, "",
			"it never says which mailbox it sets up, and the operator tells such clients nothing (withoutAddress)"},
		{"a host that is not hosted", []account.Server{imap, smtp}, account.ErrUnknownDomain, "",
			account.ErrUnknownDomain.Error()},
	} {
		resolve := func(_ context.Context, q account.Query) (account.Settings, error) {
			if q.Address.IsZero() {
				any := account.AnyAt("example.se")
				ordinary := []account.Server{imap, smtp}
				return account.Settings{Address: any, Login: any, Provider: new(account.Provider), Servers: ordinary},
					test.refused
			}
			own := &account.Provider{DisplayName: "Own"}
			return account.Settings{Address: domain, Login: domain, Provider: own, Servers: test.own}, nil
		}
		report, err := show.Explain(t.Context(), resolve, domain, "")
		if err != nil {
			t.Errorf("%s: Explain: %v", test.name, err)
			continue
		}
		for _, name := range []string{"thunderbird-android", "pacc"} {
			if c := client(t, report, name); c.Wrong != test.wrong || c.Nothing != test.nothing {
				t.Errorf("%s: %s is wrong because %q and gets nothing because %q, want %q and %q",
					test.name, name, c.Wrong, c.Nothing, test.wrong, test.nothing)
			}
		}
		var text bytes.Buffer
		if err := report.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		if has := strings.Contains(text.String(), "  WRONG: "+test.wrong); has != (test.wrong != "") {
			t.Errorf("%s: the text names what is wrong: %v\n%s", test.name, has, &text)
		}
	}
}

// TestRelay checks that no client is wrong about the login of a relay, where nobody signs
// in, and that no user name is shown for it.
func TestRelay(t *testing.T) {
	relay := mailServer(account.SMTP, account.NoAuthentication)
	report := explain(t, "a@relay.example", "", mailServer(account.IMAP), relay)
	for _, name := range []string{"thunderbird", "thunderbird-android", "pacc", "apple"} {
		if c := client(t, report, name); c.Wrong != "" {
			t.Errorf("%s is wrong because %q, want nothing wrong", name, c.Wrong)
		}
	}
	var text bytes.Buffer
	if err := report.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if want := "  smtp  mail.example.se  465 SSL  none\n"; !strings.Contains(text.String(), want) {
		t.Errorf("the text lacks the relay %q without a user name:\n%s", want, &text)
	}
}

// TestHandedOver checks what is said of a domain that another service answers for.
func TestHandedOver(t *testing.T) {
	servers := []account.Server{mailServer(account.IMAP), mailServer(account.SMTP)}
	for _, test := range []struct {
		name              string
		to                account.AutodiscoverRedirect
		redirect, nothing string
	}{
		{"by HTTP", account.AutodiscoverRedirect{Hostname: "x.example"},
			"https://x.example/autodiscover/autodiscover.xml", ""},
		{"in the document", account.AutodiscoverRedirect{Hostname: "x.example", AsXML: true},
			"", "leads to x.example, and no client"},
		{"to an address", account.AutodiscoverRedirect{Address: account.EmailLocalPart + "@x.example"}, "anna@x.example", ""},
	} {
		address, err := account.ParseAddress("anna@example.se")
		if err != nil {
			t.Fatal(err)
		}
		resolve := func(_ context.Context, q account.Query) (account.Settings, error) {
			if q.Address.IsZero() {
				return account.Settings{}, account.ErrAddressRequired
			}
			provider := &account.Provider{Servers: servers, AutodiscoverRedirect: &test.to}
			return account.Settings{Address: address, Login: address, Provider: provider, Servers: servers}, nil
		}
		report, err := show.Explain(t.Context(), resolve, address, "")
		if err != nil {
			t.Fatal(err)
		}
		c := client(t, report, "outlook")
		right := strings.Contains(c.Nothing, test.nothing) && (c.Nothing == "") == (test.nothing == "")
		if c.Redirect != test.redirect || !right {
			t.Errorf("%s: Outlook is sent to %q and gets nothing because %q, want %q and %q",
				test.name, c.Redirect, c.Nothing, test.redirect, test.nothing)
		}
	}
}
