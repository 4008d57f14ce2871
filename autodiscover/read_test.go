package autodiscover

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
)

var compareSettings = cmp.AllowUnexported(account.Address{})

// said returns the server with a login, as Read returns it.
func said(s account.Server, login account.Login) account.Server {
	s.Login = login
	return s
}

// TestWriteThenRead checks that documents are read as the settings from which they
// were written. The wanted settings are written by hand.
func TestWriteThenRead(t *testing.T) {
	server := func(kind account.ServerType, host string, port int, socket account.SocketType, username string) account.Server {
		return said(mailServer(kind, host, port, socket), account.Login{Username: username})
	}
	for _, c := range []struct {
		address string
		write   func(account.Settings) ([]byte, error)
		want    []account.Server
	}{
		{"info@domain.se", Outlook, []account.Server{
			server(account.IMAP, "mamutmail.com", 993, account.SSL, "info@domain.se"),
			server(account.POP3, "mamutmail.com", 995, account.SSL, "info@domain.se"),
			server(account.SMTP, "mamutmail.com", 587, account.STARTTLS, "info@domain.se"),
		}},
		{"kalle@own-domain.example", Outlook, []account.Server{
			server(account.POP3, "mail.own-domain.example", 995, account.SSL, "kalle@own-domain.example"),
			server(account.IMAP, "mail.own-domain.example", 993, account.SSL, "kalle@own-domain.example"),
			server(account.SMTP, "mail.own-domain.example", 587, account.STARTTLS, "kalle@own-domain.example"),
		}},
		{"anna@websupport.example", Outlook, []account.Server{
			server(account.IMAP, "imap.websupport.se", 993, account.SSL, "anna@websupport.example"),
			server(account.SMTP, "smtp.websupport.se", 465, account.SSL, "anna@websupport.example"),
		}},
		{"anna@onecom.example", Outlook, []account.Server{
			server(account.IMAP, "imap.one.com", 993, account.SSL, "anna@onecom.example"),
			server(account.SMTP, "send.one.com", 465, account.SSL, "anna@onecom.example"),
		}},
		{"o'neil&co@localparts.example", Outlook, []account.Server{
			said(imap993, account.Login{Username: "o'neil&co", DomainName: "NT&1"}),
			said(smtp465, account.Login{Username: "o'neil&co", DomainName: "%EMAILDOMAIN%"}),
		}},
		{"anna@dav.example", Outlook, []account.Server{
			said(imap993, account.Login{Username: "anna@dav.example"}),
			said(smtp465, account.Login{Username: "anna@dav.example"}),
			said(carddav, account.Login{Username: "anna@dav.example"}),
			said(urlServer(account.CalDAV, "https://dav.example.com/cal/anna@dav.example/"),
				account.Login{Username: "anna@dav.example"}),
		}},
		{"anna@eas.example", ActiveSync, []account.Server{said(eas, account.Login{Username: "anna@eas.example"})}},
	} {
		document, err := c.write(settings(t, c.address))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Read(document)
		if err != nil {
			t.Fatalf("Read: %v in\n%s", err, document)
		}
		a := address(t, c.address)
		want := account.Settings{Address: a, Login: a, Provider: new(account.Provider), Servers: c.want}
		if d := cmp.Diff(want, got, compareSettings); d != "" {
			t.Errorf("settings for %s (-want +got):\n%s", c.address, d)
		}
	}
}

// TestReadLiterally checks that Expanded does not change an address that looks like
// a placeholder.
func TestReadLiterally(t *testing.T) {
	for _, c := range []struct {
		address string
		write   func(account.Settings) ([]byte, error)
		url     string
	}{
		{"%EMAILLOCALPART%@dav.example", Outlook, "https://dav.example.com/cal/%25EMAILLOCALPART%25@dav.example/"},
		{"%EMAILLOCALPART%@eas.example", ActiveSync, easURL},
	} {
		document, err := c.write(settings(t, c.address))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Read(document)
		if err != nil {
			t.Fatal(err)
		}
		servers := got.Expanded()
		for _, s := range servers {
			if s.Login.Username != c.address {
				t.Errorf("%s: user name is %q, want %q", s.Type, s.Login.Username, c.address)
			}
		}
		if last := servers[len(servers)-1]; last.URL != c.url {
			t.Errorf("URL is %q, want %q", last.URL, c.url)
		}
	}
}

// TestReadWithoutMailbox reads the answer to a GET, which has no address and no login.
func TestReadWithoutMailbox(t *testing.T) {
	got, err := Read(get(XMLHandler(resolver, false), "https://example.com/autodiscover/autodiscover.xml").Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	want := account.Settings{Provider: new(account.Provider),
		Servers: []account.Server{said(imap993, account.Login{}), said(smtp465, account.Login{})}}
	if d := cmp.Diff(want, got, compareSettings); d != "" {
		t.Errorf("settings (-want +got):\n%s", d)
	}
}

// TestReadRedirect reads redirects that are documents.
func TestReadRedirect(t *testing.T) {
	for _, c := range []struct {
		address, schema string
		want            account.AutodiscoverRedirect
		mailbox         string
	}{
		{"anna@as-xml.example", nsOutlook, account.AutodiscoverRedirect{Hostname: "autodiscover.hoster.example",
			AsXML: true}, ""},
		{"anna@by-address.example", nsOutlook, account.AutodiscoverRedirect{Address: "anna@example.hoster.example"}, ""},
		{"anna@by-address.example", nsMobileSync, account.AutodiscoverRedirect{Address: "anna@example.hoster.example"},
			"anna@by-address.example"},
	} {
		got, err := Read(post(XMLHandler(resolver, false), pox(c.address, c.schema)).Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(&c.want, got.Provider.AutodiscoverRedirect); d != "" || got.Address.String() != c.mailbox {
			t.Errorf("%s: address is %q, want %q; redirect (-want +got):\n%s", c.address, got.Address, c.mailbox, d)
		}
	}
}

// TestRedirectToItself checks that a provider that is handed over to the name at which
// the client asks answers with its own servers: the client would ask the same again.
func TestRedirectToItself(t *testing.T) {
	answer := post(XMLHandler(resolver, false), pox("anna@to-itself.example", nsOutlook))
	got, err := Read(answer.Body.Bytes())
	if err != nil {
		t.Fatalf("status %d, location %q: %v", answer.Code, answer.Header().Get("Location"), err)
	}
	if len(got.Servers) != 2 || got.Provider.AutodiscoverRedirect != nil {
		t.Errorf("answer = %+v, want the two servers of the provider and no redirect", got)
	}
}

// TestReadErrors reads errors.
func TestReadErrors(t *testing.T) {
	for _, c := range []struct {
		body    string
		code    Code
		message string
	}{
		{pox("anna@unknown.invalid", nsOutlook), AddressUnknown, "The email address can't be found."},
		{pox("anna@unknown.invalid", nsMobileSync), AddressUnknown, "The email address can't be found."},
		{"", InvalidRequest, "Invalid Request"},
		{pox("anna@eas.example", nsOutlook), NotAvailable, "Provider is not available"},
		{pox("anna@example.com", nsMobileSync), NotAvailable, "Provider is not available"},
		{pox("anna@by-loop.example", nsOutlook), Misconfigured, "Configuration Error"},
		{pox("anna@down.example", nsMobileSync), ServerError, "Server Error"},
	} {
		_, err := Read(post(XMLHandler(resolver, false), c.body).Body.Bytes())
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != c.code || e.Message() != c.message {
			t.Errorf("Read of the answer to %.200s: %v, want error %s with message %q", c.body, err, c.code, c.message)
		}
	}
	_, err := Read((&Error{Code: NotAvailable}).Document())
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != NotAvailable {
		t.Errorf("Read of Document of an error: %v, want error 601", err)
	}
}

// others returns an answer of another server.
func others(namespace, inner string) string {
	return `<Autodiscover xmlns="` + nsResponse + `"><Response xmlns="` + namespace + `">` + inner +
		`</Response></Autodiscover>`
}

// TestReadOthers reads answers of other servers as clients do.
func TestReadOthers(t *testing.T) {
	protocol := func(inner string) string {
		return others(nsOutlook, "<Account><AccountType>email</AccountType><Action>settings</Action><Protocol>"+inner+
			"</Protocol></Account>")
	}
	for _, c := range []struct {
		name, document string
		want           account.Server
	}{
		{"Outlook's defaults", protocol("<Type>IMAP</Type><Server>h</Server>"),
			account.Server{Type: account.IMAP, Hostname: "h", Port: 993, SocketType: account.SSL,
				Authentication: []account.Authentication{account.NTLM}}},
		{"SSL off", protocol("<Type>POP3</Type><Server>h</Server><SSL>Off</SSL><SPA>off</SPA>"),
			mailServer(account.POP3, "h", 110, account.Plain)},
		{"Encryption overrides SSL off", protocol("<Type>SMTP</Type><Server>h</Server><Port>587</Port><SSL>off</SSL><Encryption>TLS</Encryption><SPA>off</SPA>"),
			mailServer(account.SMTP, "h", 587, account.STARTTLS)},
		{"Encryption None overrides SSL on", protocol("<Type>SMTP</Type><Server>h</Server><Port>25</Port><SSL>on</SSL><Encryption>none</Encryption><SPA>off</SPA>"),
			mailServer(account.SMTP, "h", 25, account.Plain)},
		{"Encryption Auto has no meaning", protocol("<Type>imap</Type><Server>\n h \n</Server><Encryption>Auto</Encryption><SPA>off</SPA>"),
			mailServer(account.IMAP, "h", 993, account.SSL)},
		{"STARTTLS on a port for TLS, a mistake that is kept",
			protocol("<Type>IMAP</Type><Server>h</Server><Port>993</Port><Encryption>TLS</Encryption><SPA>off</SPA>"),
			mailServer(account.IMAP, "h", 993, account.STARTTLS)},
		{"Exchange beside IMAP", others(nsOutlook, "<Account><Action>settings</Action><Protocol><Type>EXCH</Type></Protocol>"+
			"<Protocol><Type>IMAP</Type><Server>h</Server><SPA>off</SPA></Protocol></Account>"),
			mailServer(account.IMAP, "h", 993, account.SSL)},
		{"a certificate server beside ActiveSync",
			others(nsMobileSync, "<Action><Settings><Server><Type>CertEnroll</Type><Url>https://c/</Url></Server>"+
				"<Server><Type>MobileSync</Type><Url>"+easURL+"</Url></Server></Settings></Action>"), eas},
	} {
		got, err := Read([]byte(c.document))
		if err != nil {
			t.Errorf("%s: Read: %v", c.name, err)
			continue
		}
		c.want.Login = account.Login{}
		if d := cmp.Diff([]account.Server{c.want}, got.Servers); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
	for document, code := range map[string]Code{
		others(nsMobileSync, "<Error><ErrorCode>600</ErrorCode></Error>"):                                    InvalidRequest, // [MS-ASCMD] 4.2
		others(nsMobileSync, "<Action><Error><Status>1</Status><ErrorCode>603</ErrorCode></Error></Action>"): ServerError,
	} {
		_, err := Read([]byte(document))
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != code {
			t.Errorf("Read(%s): %v, want error %s", document, err, code)
		}
	}
}

// TestReadRefuses checks that Read refuses what no client could use, for the right reason,
// and that the error does not quote the document.
func TestReadRefuses(t *testing.T) {
	outlook := func(inner string) string { return others(nsOutlook, "<Account>"+inner+"</Account>") }
	phone := func(inner string) string { return others(nsMobileSync, inner) }
	imap := func(inner string) string {
		return outlook("<Action>settings</Action><Protocol><Type>IMAP</Type>" + inner + "</Protocol>")
	}
	inResponse := func(inner string) string {
		return "<Autodiscover xmlns='" + nsResponse + "'>" + inner + "</Autodiscover>"
	}
	const (
		malformed = "the answer: it is not well-formed XML"
		foreign   = "the answer is not from Autodiscover"
		several   = "the answer has no Response, or several"
		noAction  = "the answer has an unknown Action, or none"
		noHTTPS   = "the answer redirects to a URL that is not https"
		badPort   = "the answer has a Protocol imap with an invalid Port"
		user      = "the user of the answer: not a mail address: it has no @"
	)
	for _, row := range []struct{ document, want string }{
		{"", malformed}, {"words", malformed}, {"<secret", malformed},
		{"<!DOCTYPE secret>" + others(nsOutlook, ""), "the answer: it has a document type"},
		{strings.Repeat("<secret>", 40) + strings.Repeat("</secret>", 40), malformed},
		{inResponse(strings.Repeat("<secret/>", 10_000)), "the answer: it has too many elements"},
		{strings.Repeat(" ", maxDocument) + outlook("<Action>settings</Action>"), "the answer is too long"},
		{"<Autodiscover/>", foreign},
		{strings.Replace(outlook("<Action>settings</Action>"), nsResponse, "secret", 1), foreign},
		{strings.ReplaceAll(outlook("<Action>settings</Action>"), "Autodiscover", "Other"), foreign},
		{inResponse(""), several},
		{inResponse("<Response/><Response/>"), several},
		{others("secret", "<Account><Action>settings</Action></Account>"),
			"the answer is in no schema that a client knows"},
		{others(nsOutlook, ""), "the answer has no Account"},
		{outlook(""), noAction},
		{outlook("<Action>secret</Action>"), noAction},
		{outlook("<Action>redirectUrl</Action><RedirectUrl>http://secret.example/</RedirectUrl>"), noHTTPS},
		{outlook("<Action>redirectUrl</Action><RedirectUrl>https:secret</RedirectUrl>"), noHTTPS},
		{outlook("<Action>redirectUrl</Action>"), noHTTPS},
		{outlook("<Action>redirectAddr</Action><RedirectAddr>secret</RedirectAddr>"),
			"the address that the answer redirects to: not a mail address: it has no @"},
		{imap(""), "the answer has a Protocol imap without Server"},
		{imap("<Server>h</Server><Port>secret</Port>"), badPort},
		{imap("<Server>h</Server><Port>0</Port>"), badPort},
		{imap("<Server>h</Server><Port>65536</Port>"), badPort},
		{others(nsOutlook, "<User><AutoDiscoverSMTPAddress>secret</AutoDiscoverSMTPAddress></User>"+
			"<Account><Action>settings</Action></Account>"), user},
		{others(nsOutlook, "<Error><ErrorCode>secret</ErrorCode></Error>"),
			"the answer is an error with an invalid code"},
		{phone(""), "the answer has no Action"},
		{phone("<Action/>"), "the answer has no Settings"},
		{phone("<Action><Redirect>secret</Redirect></Action>"),
			"the address that the answer redirects to: not a mail address: it has no @"},
		{phone("<User><EMailAddress>secret</EMailAddress></User><Action/>"), user},
		{phone("<User><EMailAddress>secret</EMailAddress></User><Action><Settings><Server><Type>MobileSync</Type>" +
			"<Url>https://eas.example/</Url></Server></Settings></Action>"), user},
		{phone("<Action><Settings><Server><Type>MobileSync</Type><Url>http://secret/</Url></Server></Settings></Action>"),
			"the answer has a server whose Url is not https"},
	} {
		s, err := Read([]byte(row.document))
		if err == nil || err.Error() != row.want {
			t.Errorf("Read(%.300s) = %v, %v, want the error %q", row.document, s, err, row.want)
		}
		if e, ok := errors.AsType[*Error](err); ok {
			t.Errorf("Read(%.300s) returns the server's error %s, want none", row.document, e.Code)
		}
	}
}

// TestGoldenReadable checks that every golden answer is read as settings, a redirect
// or the error in its name.
func TestGoldenReadable(t *testing.T) {
	files, err := filepath.Glob(goldenDir + "*.xml")
	if err != nil || len(files) < 15 {
		t.Fatalf("Glob: %d golden answers, %v, want at least 15", len(files), err)
	}
	for _, file := range files {
		document, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Read(document)
		if code, ok := strings.CutPrefix(strings.TrimSuffix(filepath.Base(file), ".xml"), "error-"); ok {
			if e, ok := errors.AsType[*Error](err); !ok || string(e.Code) != code {
				t.Errorf("Read(%s): %v, want error %s", file, err, code)
			}
		} else if strings.HasSuffix(file, "-unknown.xml") != (err != nil) {
			t.Errorf("Read(%s): error %v", file, err)
		}
	}
}

// TestRedirectToSameHost checks that a client that asks at the other service's host, which
// DNS leads here by mistake, is not redirected to the same URL again.
func TestRedirectToSameHost(t *testing.T) {
	const host = "https://autodiscover-s.outlook.com"
	for _, c := range []struct {
		handler            http.Handler
		method, path, asks string
		status             int
	}{
		{XMLHandler(resolver, false), http.MethodPost, "/autodiscover/autodiscover.xml", pox("anna@office365.example", nsOutlook), 200},
		{XMLHandler(resolver, false), http.MethodPost, "/autodiscover/autodiscover.xml", pox("anna@office365.example", nsMobileSync), 200},
		{JSONHandler(resolver, ""), http.MethodGet,
			"/autodiscover/autodiscover.json?Email=anna@office365.example&Protocol=Ews", "", 404},
		{SOAPHandler(resolver, false), http.MethodPost, "/autodiscover/autodiscover.svc",
			"<Envelope><Domain>office365.example</Domain></Envelope>", 404},
	} {
		for _, port := range []string{"", ":443"} {
			w := serve(c.handler, c.method, host+port+c.path, strings.NewReader(c.asks))
			if location := w.Header().Get("Location"); w.Code != c.status || location != "" {
				t.Errorf("%s %s%s%s: status %d to %q, want %d and no Location",
					c.method, host, port, c.path, w.Code, location, c.status)
			}
		}
	}
}
