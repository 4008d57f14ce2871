package autodiscover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"signpost/account"
)

var (
	cleartext = []account.Authentication{account.PasswordCleartext}
	byAddress = account.Login{Username: account.EmailAddress}
)

func mailServer(t account.ServerType, host string, port int, socket account.SocketType) account.Server {
	return account.Server{Type: t, Hostname: host, Port: port, SocketType: socket, Authentication: cleartext,
		Login: byAddress}
}

func urlServer(t account.ServerType, url string) account.Server {
	return account.Server{Type: t, URL: url, Authentication: cleartext, Login: byAddress}
}

const easURL = "https://eas.hoster.example/Microsoft-Server-ActiveSync"

var (
	imap993   = mailServer(account.IMAP, "imap.example.com", 993, account.SSL)
	pop995    = mailServer(account.POP3, "pop.example.com", 995, account.SSL)
	smtp465   = mailServer(account.SMTP, "smtp.example.com", 465, account.SSL)
	smtp587   = mailServer(account.SMTP, "smtp.example.com", 587, account.STARTTLS)
	eas       = urlServer(account.ActiveSync, easURL)
	ews       = urlServer(account.EWS, "https://eas.hoster.example/EWS/Exchange.asmx")
	caldav    = urlServer(account.CalDAV, "https://dav.example.com/cal/%EMAILADDRESS%/")
	carddav   = urlServer(account.CardDAV, "https://dav.example.com/card/")
	jmap      = urlServer(account.JMAP, "https://jmap.example.com/session")
	otherIMAP = mailServer(account.IMAP, "imap2.example.com", 143, account.STARTTLS)
)

// exchangeServer is an EWS server that autodiscover.xml names.
var exchangeServer = func() account.Server {
	s := urlServer(account.EWS, "https://ex.hoster.example/EWS/Exchange.asmx")
	s.ExchangeEntries, s.ExchangeVersion = true, "Exchange2013_SP1"
	s.RestURL = "https://ex.hoster.example/api/%EMAILLOCALPART%"
	return s
}()

func withLogin(s account.Server, username, domainName string) account.Server {
	s.Login = account.Login{Username: username, DomainName: domainName}
	return s
}

func withAuth(s account.Server, methods ...account.Authentication) account.Server {
	s.Authentication = methods
	return s
}

func provider(servers ...account.Server) *account.Provider {
	return &account.Provider{ID: "test", DisplayName: "A Name & Co", Servers: servers}
}

func redirected(h account.AutodiscoverRedirect, servers ...account.Server) *account.Provider {
	p := provider(servers...)
	p.AutodiscoverRedirect = &h
	return p
}

// Providers by the first label of their domain, each with something of its own. The
// example systems themselves are in testdata/config; TestSystemsOutlook reads them.
var providers = map[string]*account.Provider{
	"mamut": provider(
		mailServer(account.IMAP, "mamutmail.com", 993, account.SSL),
		mailServer(account.POP3, "mamutmail.com", 995, account.SSL),
		mailServer(account.SMTP, "mamutmail.com", 587, account.STARTTLS)),
	"mamut-business": provider(
		withLogin(urlServer(account.ActiveSync, "https://mamutmail.com/Microsoft-Server-ActiveSync"),
			"%EMAILLOCALPART%_%EMAILDOMAIN%", "hosting01")),
	"own-domain": provider(
		mailServer(account.POP3, "mail.%EMAILDOMAIN%", 995, account.SSL),
		mailServer(account.IMAP, "mail.%EMAILDOMAIN%", 993, account.SSL),
		mailServer(account.SMTP, "mail.%EMAILDOMAIN%", 587, account.STARTTLS)),
	"websupport": provider(
		mailServer(account.IMAP, "imap.websupport.se", 993, account.SSL),
		mailServer(account.SMTP, "smtp.websupport.se", 465, account.SSL)),
	"office365": redirected(account.AutodiscoverRedirect{Hostname: "autodiscover-s.Outlook.com"},
		withAuth(mailServer(account.IMAP, "outlook.office365.com", 993, account.SSL), account.OAuth2Auth),
		withAuth(mailServer(account.SMTP, "smtp.office365.com", 587, account.STARTTLS), account.OAuth2Auth)),
	"onecom": provider(
		mailServer(account.IMAP, "imap.one.com", 993, account.SSL),
		mailServer(account.SMTP, "send.one.com", 465, account.SSL)),

	"imap":       provider(imap993, smtp465),
	"starttls":   provider(imap993, smtp587),
	"pop":        provider(pop995, smtp465),
	"eas":        provider(eas),
	"imap-eas":   provider(eas, imap993, smtp465),
	"dav":        provider(carddav, imap993, caldav, smtp465, jmap),
	"exchange":   provider(eas, ews),
	"ews":        provider(exchangeServer),
	"ews-imap":   provider(imap993, exchangeServer, smtp465),
	"ews-login":  provider(withLogin(exchangeServer, "%EMAILLOCALPART%", "")),
	"ews-each":   provider(urlServer(account.EWS, "https://ex.example/%EMAILLOCALPART%/EWS")),
	"localparts": provider(withLogin(imap993, "%EMAILLOCALPART%", "NT&1"), withLogin(smtp465, "%EMAILLOCALPART%", "%EMAILDOMAIN%")),
	"as-xml":     redirected(account.AutodiscoverRedirect{Hostname: "autodiscover.hoster.example", AsXML: true}, imap993),
	"by-address": redirected(account.AutodiscoverRedirect{Address: "%EMAILLOCALPART%@example.hoster.example"}, imap993),
	"by-loop":    redirected(account.AutodiscoverRedirect{Address: "%EMAILADDRESS%"}, imap993),
	"to-itself":  redirected(account.AutodiscoverRedirect{Hostname: "autodiscover.to-itself.example"}, imap993, smtp465),
}

// resolver finds the provider of ‹provider›.example, and of example.com, by the
// address or by the host. down.example stands for a failure of DNS.
func resolver(_ context.Context, q account.Query) (account.Settings, error) {
	a, domain := q.Address, q.Address.Domain()
	if a.IsZero() {
		domain = strings.TrimPrefix(strings.ToLower(q.Host), "autodiscover.")
		a = account.AnyAt(domain)
	}
	name, found := strings.CutSuffix(domain, ".example")
	switch {
	case domain == "example.com":
		name = "imap"
	case domain == "domain.se" && strings.HasPrefix(a.String(), "mail@"):
		name = "mamut-business"
	case domain == "domain.se":
		name = "mamut"
	case domain == "down.example":
		return account.Settings{}, errors.New("looking up the MX record: timeout")
	case domain == "wrong.example":
		return account.Settings{}, account.ErrAddressRequired
	case !found:
		return account.Settings{}, account.ErrUnknownDomain
	}
	p := providers[name]
	if p == nil {
		return account.Settings{}, account.ErrUnknownDomain
	}
	return account.Settings{Address: a, Login: a, Provider: p, Servers: p.ServersFor(q.Client)}, nil
}

func address(t testing.TB, text string) account.Address {
	t.Helper()
	a, err := account.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// settings returns the resolver's settings for the address.
func settings(t testing.TB, text string) account.Settings {
	t.Helper()
	s, err := resolver(t.Context(), account.Query{Address: address(t, text)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Time and Id of the errors that tests compare.
var testTime = time.Date(2026, 1, 2, 16, 56, 32, 616402700, time.UTC)

const testID = 4294967295

// errorDocument returns the document of an error at testTime.
func errorDocument(code Code) string {
	return string((&Error{Code: code}).document(testTime, testID))
}

var errorAttributes = regexp.MustCompile(`<Error Time="[^"]*" Id="[^"]*">`)

// atTestTime returns the body with Time and Id of errorDocument.
func atTestTime(body fmt.Stringer) string {
	return errorAttributes.ReplaceAllString(body.String(), errorAttributes.FindString(errorDocument(ServerError)))
}

// pox returns a request as Outlook writes it.
func pox(address, schema string) string {
	request := strings.Replace(schema, "/responseschema/2006a", "/requestschema/2006", 1)
	request = strings.Replace(request, "/responseschema/", "/requestschema/", 1)
	return `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="` + request +
		`"><Request><EMailAddress>` + address +
		`</EMailAddress><AcceptableResponseSchema>` + schema + `</AcceptableResponseSchema></Request></Autodiscover>`
}

func post(h http.Handler, body string) *httptest.ResponseRecorder {
	return serve(h, http.MethodPost, "https://autodiscover.example.com/autodiscover/autodiscover.xml",
		strings.NewReader(body))
}

func get(h http.Handler, url string) *httptest.ResponseRecorder {
	return serve(h, http.MethodGet, url, nil)
}

func serve(h http.Handler, method, url string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, body)
	r.Header.Set("Authorization", "Basic YW5uYTpzZWNyZXQ=")
	r.Header.Set("User-Agent", "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.11231; Pro)")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// checkAnswer checks what all answers have in common.
func checkAnswer(t testing.TB, w *httptest.ResponseRecorder, status int, contentType string) {
	t.Helper()
	if w.Code != status {
		t.Errorf("status %d, want %d: %s", w.Code, status, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != contentType {
		t.Errorf("Content-Type %q, want %q", got, contentType)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q, want no-store", got)
	}
	for name := range w.Header() {
		if strings.HasPrefix(name, "X-") && name != "X-Content-Type-Options" &&
			name != http.CanonicalHeaderKey(soapHeader) || name == "Www-Authenticate" {
			t.Errorf("the answer has the header %s, which none may have", name)
		}
	}
}

const xmlType = "text/xml; charset=utf-8"

// fields returns the texts of the elements at the paths, "-" for a missing element,
// and the namespace of Response for the path xmlns.
func fields(t testing.TB, document string, paths ...string) []string {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(document); err != nil {
		t.Fatalf("the answer is not XML: %v in\n%s", err, document)
	}
	if doc.Root() == nil || doc.Root().NamespaceURI() != nsResponse {
		t.Fatalf("the root is not that of an answer:\n%s", document)
	}
	got := make([]string, len(paths))
	for i, path := range paths {
		if path == "xmlns" {
			got[i] = doc.Root().SelectElement("Response").NamespaceURI()
			continue
		}
		e := doc.FindElement("/Autodiscover/Response/" + path)
		if e == nil {
			got[i] = "-"
			continue
		}
		got[i] = e.Text()
		if len(e.ChildElements()) > 0 {
			got[i] = "(elements)"
		}
	}
	return got
}
