package autodiscover

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"signpost/account"
	"signpost/internal/golden"
)

const goldenDir = "../testdata/golden/autodiscover/"

// settingsPaths are the fields that the scenarios list for an answer with settings.
var settingsPaths = strings.Fields(`xmlns User/DisplayName User/AutoDiscoverSMTPAddress Account/AccountType Account/Action
	Account/Protocol[1]/Type Account/Protocol[1]/Server Account/Protocol[1]/Port Account/Protocol[1]/LoginName
	Account/Protocol[1]/DomainRequired Account/Protocol[1]/SPA Account/Protocol[1]/SSL Account/Protocol[1]/Encryption Account/Protocol[1]/AuthRequired
	Account/Protocol[2]/Type Account/Protocol[2]/Server Account/Protocol[2]/Port Account/Protocol[2]/LoginName
	Account/Protocol[2]/DomainRequired Account/Protocol[2]/SPA Account/Protocol[2]/SSL Account/Protocol[2]/Encryption Account/Protocol[2]/AuthRequired
	Account/Protocol[2]/UsePOPAuth Account/Protocol[2]/SMTPLast
	Account/Protocol[3] Account/Protocol[1]/UsePOPAuth //DomainName //DirectoryPort //ReferralPort //Error //RedirectUrl`)

// envelope returns a request with any namespace and content.
func envelope(namespace, inner string) string {
	return `<Autodiscover xmlns="` + namespace + `"><Request>` + inner + `</Request></Autodiscover>`
}

// TestScenariosOutlook holds the scenarios of Outlook, by their numbers in
// testdata/scenarios.md: the request and the fields of the answer.
func TestScenariosOutlook(t *testing.T) {
	anna := func(protocol2 ...string) []string {
		f := []string{nsOutlook, "anna@example.com", "anna@example.com", "email", "settings",
			"IMAP", "imap.example.com", "993", "anna@example.com", "off", "off", "on", "SSL", "on"}
		f = append(f, protocol2...)
		return append(f, "-", "-", "-", "-", "-", "-", "-")
	}
	smtp := []string{"SMTP", "smtp.example.com", "465", "anna@example.com", "off", "off", "on", "SSL",
		"on", "on", "off"}
	for _, c := range []struct {
		scenario, body string
		want           []string
	}{
		{"8.1 IMAP and SMTP", pox("anna@example.com", nsOutlook), anna(smtp...)},
		{"8.1 the other order of elements", envelope(nsOutlookRequest, `<AcceptableResponseSchema>`+nsOutlook+
			`</AcceptableResponseSchema><EMailAddress>anna@example.com</EMailAddress>`), anna(smtp...)},
		{"8.1 white space in texts", pox("\n\t anna@example.com \r\n", nsOutlook), anna(smtp...)},
		{"8.1 the schema in white space", envelope(nsOutlookRequest, "<EMailAddress>anna@example.com</EMailAddress><AcceptableResponseSchema>\n"+
			nsOutlook+"\n</AcceptableResponseSchema>"), anna(smtp...)},
		{"8.1 a wrong root namespace", envelope("http://schemas.microsoft.com/exchange/autodiscover/request/2006",
			`<EMailAddress>anna@example.com</EMailAddress><AcceptableResponseSchema>`+nsOutlook+`</AcceptableResponseSchema>`),
			anna(smtp...)},
		{"8.1 the root namespace of phones", envelope(nsMobileSyncRequest,
			`<EMailAddress>anna@example.com</EMailAddress><AcceptableResponseSchema>`+nsOutlook+`</AcceptableResponseSchema>`),
			anna(smtp...)},
		{"8.1 prefixes", `<a:Autodiscover xmlns:a="` + nsOutlookRequest + `"><a:Request><a:EMailAddress>anna@example.com</a:EMailAddress>` +
			`<a:AcceptableResponseSchema>` + nsOutlook + `</a:AcceptableResponseSchema></a:Request></a:Autodiscover>`,
			anna(smtp...)},
		{"8.1 a byte order mark", "\xef\xbb\xbf" + pox("anna@example.com", nsOutlook), anna(smtp...)},
		{"8.1 UTF-8 declared as UTF-16, as .NET strings do",
			strings.Replace(pox("anna@example.com", nsOutlook), `"utf-8"`, `"utf-16"`, 1), anna(smtp...)},
		{"8.1 UTF-16", utf16LE(pox("anna@example.com", nsOutlook), true), anna(smtp...)},
		{"8.1 UTF-16 declared, big endian", swapped(utf16LE(strings.Replace(pox("anna@example.com", nsOutlook), `"utf-8"`,
			`"UTF-16"`, 1), true)), anna(smtp...)},
		{"8.1 comments and CDATA", pox("<!-- < -->anna<!-- --><![CDATA[@example.com]]>", nsOutlook), anna(smtp...)},
		{"8.1 an escaped address", pox("anna&#64;example.com", nsOutlook), anna(smtp...)},
		{"8.1 capitals in the domain", pox("anna@EXAMPLE.COM", nsOutlook), anna(smtp...)},
		{"8.9 the schema with https", pox("anna@example.com", strings.Replace(nsOutlook, "http:", "https:", 1)),
			anna(smtp...)},
		{"8.9 no schema, the namespace decides",
			envelope(nsOutlookRequest, `<EMailAddress>anna@example.com</EMailAddress>`), anna(smtp...)},
		{"8.9 an empty schema, the namespace with https", envelope(strings.Replace(nsOutlookRequest, "http:", "https:", 1),
			`<EMailAddress>anna@example.com</EMailAddress><AcceptableResponseSchema/>`), anna(smtp...)},
		// The specification prefers the LegacyDN, but there is none here; see parsePOX.
		{"8.10 LegacyDN and address", envelope(nsOutlookRequest, `<LegacyDN>/o=Org/cn=anna</LegacyDN><EMailAddress>anna@example.com</EMailAddress>`+
			`<AcceptableResponseSchema>`+nsOutlook+`</AcceptableResponseSchema>`), anna(smtp...)},
		{"8.3 IMAP beside ActiveSync", pox("anna@imap-eas.example", nsOutlook),
			replace(anna(smtp...), "anna@example.com", "anna@imap-eas.example")},
		{"8.1 variant STARTTLS", pox("anna@starttls.example", nsOutlook), replace(
			anna("SMTP", "smtp.example.com", "587", "anna@example.com", "off", "off", "on", "TLS", "on", "on", "off"),
			"anna@example.com", "anna@starttls.example")},
		{"8.2 POP and SMTP", pox("anna@pop.example", nsOutlook), replace(replace(replace(replace(anna(smtp...),
			"anna@example.com", "anna@pop.example"), "IMAP", "POP3"), "imap.example.com", "pop.example.com"), "993", "995")},
	} {
		t.Run(c.scenario, func(t *testing.T) {
			w := post(XMLHandler(resolver, false), c.body)
			checkAnswer(t, w, http.StatusOK, xmlType)
			if d := cmp.Diff(c.want, fields(t, w.Body.String(), settingsPaths...)); d != "" {
				t.Errorf("fields (-want +got):\n%s", d)
			}
			if n := w.Header().Get("Content-Length"); n != strconv.Itoa(w.Body.Len()) {
				t.Errorf("Content-Length is %s, want %d", n, w.Body.Len())
			}
			if !strings.HasPrefix(w.Body.String(), `<?xml version="1.0" encoding="utf-8"?>`) {
				t.Errorf("the answer has no XML declaration:\n%s", w.Body)
			}
		})
	}
}

func replace(list []string, old, new string) []string {
	out := make([]string, len(list))
	for i, text := range list {
		if out[i] = text; text == old {
			out[i] = new
		}
	}
	return out
}

// TestScenariosActiveSync holds the scenarios of phones, by number.
func TestScenariosActiveSync(t *testing.T) {
	paths := strings.Fields(`xmlns Culture User/DisplayName User/EMailAddress Action/Settings/Server[1]/Type Action/Settings/Server[1]/Url
		Action/Settings/Server[1]/Name Action/Error/Status Action/Error/Message Action/Error/DebugData Error/ErrorCode
		Account //Protocol //LoginName Action/Settings/Server[2]`)
	phone := func(a, url string) []string {
		return []string{nsMobileSync, "en:us", a, a, "MobileSync", url, url, "-", "-", "-", "-", "-", "-", "-", "-"}
	}
	code := func(code string) []string {
		return []string{nsResponse, "-", "-", "-", "-", "-", "-", "-", "-", "-", code, "-", "-", "-", "-"}
	}
	for _, c := range []struct {
		scenario, body string
		want           []string
	}{
		{"8.4 a phone", pox("anna@eas.example", nsMobileSync), phone("anna@eas.example", easURL)},
		{"8.4 no schema, the namespace decides",
			envelope(nsMobileSyncRequest, "<EMailAddress>anna@eas.example</EMailAddress>"), phone("anna@eas.example", easURL)},
		{"8.4 the namespace of Outlook", envelope(nsOutlookRequest, "<EMailAddress>anna@eas.example</EMailAddress><AcceptableResponseSchema>"+
			nsMobileSync+"</AcceptableResponseSchema>"), phone("anna@eas.example", easURL)},
		{"8.4 a domain with mail only", pox("anna@example.com", nsMobileSync), code("601")},
		// The scenario answers as for any phone; the default here is its
		// "eas-manual", as the phone could not get past a wrong login.
		{"8.5 another login", pox("mail@domain.se", nsMobileSync), code("601")},
		{"8.8 an unknown domain", pox("anna@unknown.invalid", nsMobileSync),
			[]string{nsMobileSync, "en:us", "anna@unknown.invalid", "anna@unknown.invalid",
				"-", "-", "-", "2", "The email address can't be found.", "", "-", "-", "-", "-", "-"}},
		{"a failure of DNS", pox("anna@down.example", nsMobileSync), code("603")},
		{"LegacyDN only", envelope(nsMobileSyncRequest, "<LegacyDN>/o=Org</LegacyDN>"), code("500")},
	} {
		t.Run(c.scenario, func(t *testing.T) {
			w := post(XMLHandler(resolver, false), c.body)
			checkAnswer(t, w, http.StatusOK, xmlType)
			if d := cmp.Diff(c.want, fields(t, w.Body.String(), paths...)); d != "" {
				t.Errorf("fields (-want +got):\n%s", d)
			}
		})
	}
}

// TestActiveSyncMethods checks that a phone is told of a server only if phones have a way
// of signing in there.
func TestActiveSyncMethods(t *testing.T) {
	for method, answered := range map[account.Authentication]bool{
		account.PasswordCleartext: true, account.NTLM: true, account.OAuth2Auth: true, account.TLSClientCert: true,
		account.GSSAPI: false,
	} {
		s := settings(t, "anna@eas.example")
		server := eas
		server.Authentication = []account.Authentication{method}
		s.Servers = []account.Server{server}
		_, err := ActiveSync(s)
		e, _ := errors.AsType[*Error](err)
		if answered && err != nil ||
			!answered && (e == nil || e.Code != NotAvailable || !strings.Contains(e.Reason, "certificates")) {
			t.Errorf("ActiveSync with %s = %v, want an answer: %t", method, err, answered)
		}
	}
}

// TestActiveSyncLogins checks for which logins a phone, which can only sign in with
// the address, gets the URL.
func TestActiveSyncLogins(t *testing.T) {
	s := settings(t, "mail@domain.se")
	_, err := ActiveSync(s)
	e, ok := err.(*Error)
	if !ok || e.Code != NotAvailable {
		t.Fatalf("ActiveSync with another login: error %v, want 601", err)
	}
	for _, word := range []string{`"mail_domain.se"`, `"hosting01"`, "answerWithoutLogin"} {
		if !strings.Contains(e.Error(), word) {
			t.Errorf("the error does not name %s: %v", word, e)
		}
	}

	// 8.5: with the option, identical to 8.4, and without the login.
	option := s.Servers[0]
	option.AnswerWithoutLogin = true
	s.Servers = []account.Server{option}
	document, err := ActiveSync(s)
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, goldenDir+"activesync-option.xml", document)
	if strings.Contains(string(document), "mail_domain.se") || strings.Contains(string(document), "hosting01") {
		t.Errorf("the answer has the login:\n%s", document)
	}

	alias, mailbox := address(t, "kontakt@eas.example"), address(t, "mail@eas.example")
	own := withLogin(eas, "u123", "")
	same := withLogin(eas, "anna@eas.example", "")
	for _, c := range []struct {
		name string
		s    account.Settings
		code Code
	}{
		{"an alias that signs in as its mailbox",
			account.Settings{Address: alias, Login: mailbox, Provider: provider(eas), Servers: []account.Server{eas}},
			NotAvailable},
		{"an account's own login", account.Settings{Address: alias, Login: alias, Custom: true, Provider: provider(eas),
			Servers: []account.Server{own}}, NotAvailable},
		{"an account's own login, which is the address",
			account.Settings{Address: address(t, "anna@eas.example"), Login: address(t, "anna@eas.example"),
				Custom: true, Provider: provider(eas), Servers: []account.Server{same}}, ""},
		// The same answer would be wrong for another mailbox of the provider.
		{"a provider's fixed login, which happens to be the address",
			account.Settings{Address: address(t, "anna@eas.example"), Login: address(t, "anna@eas.example"),
				Provider: provider(same), Servers: []account.Server{same}}, NotAvailable},
		{"a URL without TLS", account.Settings{Address: alias, Login: alias, Provider: provider(), Servers: []account.Server{
			urlServer(account.ActiveSync, "http://eas.hoster.example/Microsoft-Server-ActiveSync")}}, NotAvailable},
		{"a second server that fits", account.Settings{Address: alias, Login: alias, Provider: provider(),
			Servers: []account.Server{own, eas}}, ""},
		{"any mailbox", account.Settings{Address: account.AnyAt("eas.example"), Provider: provider(eas),
			Servers: []account.Server{eas}}, InvalidRequest},
	} {
		document, err := ActiveSync(c.s)
		e, _ := err.(*Error)
		if c.code == "" {
			if err != nil || !strings.Contains(string(document), easURL) {
				t.Errorf("%s: ActiveSync = %s, %v, want the URL", c.name, document, err)
			}
		} else if e == nil || e.Code != c.code {
			t.Errorf("%s: ActiveSync: %v, want error %s", c.name, err, c.code)
		}
	}
}

// TestErrors holds the scenarios that end in an error. It compares the whole
// document, which must not quote the request.
func TestErrors(t *testing.T) {
	schema := `<AcceptableResponseSchema>` + nsOutlook + `</AcceptableResponseSchema>`
	for _, c := range []struct {
		scenario, body string
		code           Code
	}{
		{"8.3 ActiveSync only", pox("anna@eas.example", nsOutlook), NotAvailable},
		{"8.4 an unusable redirection", pox("anna@by-loop.example", nsMobileSync), Misconfigured},
		{"8.3 an unusable redirection", pox("anna@by-loop.example", nsOutlook), Misconfigured},
		{"8.6 truncated", `<Autodiscover><Request><EMailAddress>anna@example.com`, InvalidRequest},
		{"8.6 empty", "", InvalidRequest},
		{"8.6 a document type", `<!DOCTYPE a>` + pox("anna@example.com", nsOutlook), InvalidRequest},
		{"8.6 two Request elements", `<Autodiscover><Request><EMailAddress>anna@example.com</EMailAddress>` + schema + `</Request><Request/></Autodiscover>`, InvalidRequest},
		{"8.7 no address", envelope(nsOutlookRequest, schema), InvalidRequest},
		{"8.7 an empty address", pox("", nsOutlook), InvalidRequest},
		{"8.7 an empty element", envelope(nsOutlookRequest, "<EMailAddress/>"+schema), InvalidRequest},
		{"8.7 no @", pox("anna", nsOutlook), InvalidRequest},
		{"8.7 no address, and a wrong schema",
			envelope(nsOutlookRequest, `<AcceptableResponseSchema>x</AcceptableResponseSchema>`), InvalidRequest},
		{"8.8 an unknown domain", pox("anna@unknown.invalid", nsOutlook), AddressUnknown},
		{"8.8 another customer's host", pox("anna@wrong.example", nsOutlook), AddressUnknown},
		{"8.9 an unknown schema", pox("anna@example.com", "http://schemas.example.net/nothing/2006"), NotAvailable},
		{"8.9 a request schema", pox("anna@example.com", nsOutlookRequest), NotAvailable},
		{"8.9 no schema, and no known namespace",
			`<Autodiscover><Request><EMailAddress>anna@example.com</EMailAddress></Request></Autodiscover>`, NotAvailable},
		{"8.10 LegacyDN only", envelope(nsOutlookRequest, "<LegacyDN>/o=Org/ou=First/cn=Recipients/cn=anna</LegacyDN>"+schema), AddressUnknown},
		{"a failure of DNS", pox("anna@down.example", nsOutlook), ServerError},
	} {
		t.Run(c.scenario, func(t *testing.T) {
			w := post(XMLHandler(resolver, false), c.body)
			checkAnswer(t, w, http.StatusOK, xmlType)
			if d := cmp.Diff(errorDocument(c.code), atTestTime(w.Body)); d != "" {
				t.Errorf("answer (-want +got):\n%s", d)
			}
		})
	}
	for _, code := range []Code{AddressUnknown, InvalidRequest, NotAvailable, Misconfigured, ServerError} {
		golden.Check(t, goldenDir+"error-"+string(code)+".xml", []byte(errorDocument(code)))
	}
}

// TestErrorAttributes checks Time and Id of an error: server time with seven
// decimals, and an unsigned 32-bit number that does not change.
func TestErrorAttributes(t *testing.T) {
	ids := map[string]bool{}
	for range 2 {
		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(post(XMLHandler(resolver, false), "").Body.Bytes()); err != nil {
			t.Fatal(err)
		}
		e := doc.FindElement("/Autodiscover/Response/Error")
		at := e.SelectAttrValue("Time", "")
		if !regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{7}$`).MatchString(at) {
			t.Errorf("Time is %q, want a time with seven decimals", at)
		}
		id := e.SelectAttrValue("Id", "")
		if _, err := strconv.ParseUint(id, 10, 32); err != nil {
			t.Errorf("Id: %v", err)
		}
		ids[id] = true
	}
	if len(ids) != 1 {
		t.Errorf("two errors have the Ids %v, want one", ids)
	}
}

// TestGet checks that a GET, which has no address, is answered for the domain of Host.
func TestGet(t *testing.T) {
	handler := XMLHandler(resolver, false)
	for _, c := range []struct {
		name, host string
		golden     string // of the settings; otherwise status is that of the refusal
		status     int
	}{
		{"autodiscover.‹domain›", "autodiscover.example.com", "get.xml", 200},
		{"the domain itself, in capitals", "EXAMPLE.com", "get.xml", 200},
		{"hosts of the customer's own name", "autodiscover.own-domain.example", "get-own-domain.xml", 200},
		{"what needs a mailbox is left out", "autodiscover.dav.example", "get-dav.xml", 200},
		{"an unknown domain", "unknown.invalid", "", 404},
		{"nothing for Outlook", "eas.example", "", 404},
		{"another login than the address", "localparts.example", "", 404},
		{"mailboxes that differ", "wrong.example", "", 404},
		{"a failure of DNS", "down.example", "", 503},
		{"a redirection to another address", "by-address.example", "", 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // the second answer comes from the cache
				w := get(handler, "https://"+c.host+"/Autodiscover/Autodiscover.xml")
				if c.golden == "" {
					checkAnswer(t, w, c.status, "text/plain; charset=utf-8")
					if got := w.Header().Get("Retry-After") != ""; got != (c.status == http.StatusServiceUnavailable) {
						t.Errorf("Retry-After present: %v, want it only with 503", got)
					}
					continue
				}
				checkAnswer(t, w, http.StatusOK, xmlType)
				golden.Check(t, goldenDir+c.golden, w.Body.Bytes())
				d := cmp.Diff([]string{"-", "-", "-"},
					fields(t, w.Body.String(), "User", "//LoginName", "//AutoDiscoverSMTPAddress"))
				if d != "" {
					t.Errorf("elements of a mailbox (-want +got):\n%s", d)
				}
				if strings.Contains(w.Body.String(), "%") {
					t.Errorf("the answer has a placeholder:\n%s", w.Body)
				}
			}
			h := serve(handler, http.MethodHead, "https://"+c.host+"/autodiscover/autodiscover.xml", nil)
			if c.golden == "" {
				if h.Code != c.status {
					t.Errorf("HEAD: status %d, want %d", h.Code, c.status)
				}
				return
			}
			checkAnswer(t, h, http.StatusOK, xmlType)
			g := get(handler, "https://"+c.host+"/autodiscover/autodiscover.xml")
			if h.Body.Len() != 0 || h.Header().Get("Content-Length") != strconv.Itoa(g.Body.Len()) {
				t.Errorf("HEAD has %d bytes and Content-Length %s, want 0 and %d",
					h.Body.Len(), h.Header().Get("Content-Length"), g.Body.Len())
			}
		})
	}
}

func TestMethods(t *testing.T) {
	for _, c := range []struct {
		name  string
		h     http.Handler
		path  string
		allow string
	}{
		{"xml", XMLHandler(resolver, false), "/autodiscover/autodiscover.xml", "GET, HEAD, POST"},
		{"json", JSONHandler(resolver, ""), "/autodiscover/autodiscover.json", "GET, HEAD"},
		{"svc", SOAPHandler(resolver, false), "/autodiscover/autodiscover.svc", "GET, HEAD, POST"},
	} {
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodOptions, "PROPFIND",
			http.MethodPost} {
			if strings.Contains(c.allow, method) {
				continue
			}
			w := serve(c.h, method, "https://example.com"+c.path, nil)
			checkAnswer(t, w, http.StatusMethodNotAllowed, "text/plain; charset=utf-8")
			if got := w.Header().Get("Allow"); got != c.allow {
				t.Errorf("%s %s: Allow is %q, want %q", method, c.name, got, c.allow)
			}
		}
	}
}

// TestRedirect checks that all clients are redirected to another service.
func TestRedirect(t *testing.T) {
	handler := XMLHandler(resolver, false)
	outlook := func(a string) func() (string, string) {
		return func() (string, string) { return answered(t, post(handler, pox(a, nsOutlook))) }
	}
	phone := func(a string) func() (string, string) {
		return func() (string, string) { return answered(t, post(handler, pox(a, nsMobileSync))) }
	}
	fetch := func(method string, h http.Handler, url string) func() (string, string) {
		return func() (string, string) { return answered(t, serve(h, method, url, nil)) }
	}
	json, soap := JSONHandler(resolver, ""), SOAPHandler(resolver, false)
	// The configured host name has a capital letter, a Location has none.
	const microsoft = "https://autodiscover-s.outlook.com/autodiscover/autodiscover."
	for _, c := range []struct {
		name     string
		ask      func() (location, body string)
		location string
		golden   string
	}{
		{"8.3 POST of Outlook", outlook("anna@office365.example"), microsoft + "xml", ""},
		{"POST of a phone", phone("anna@office365.example"), microsoft + "xml", ""},
		{"8.3 GET", fetch(http.MethodGet, handler, "https://autodiscover.office365.example/AutoDiscover/AutoDiscover.XML"),
			microsoft + "xml", ""},
		{"8.3 HEAD", fetch(http.MethodHead, handler, "https://office365.example/autodiscover/autodiscover.xml"),
			microsoft + "xml", ""},
		{"8.3 .svc", fetch(http.MethodPost, soap, "https://autodiscover.office365.example/autodiscover/autodiscover.svc"),
			microsoft + "svc", ""},
		{"8.3 GET .svc", fetch(http.MethodGet, soap, "https://office365.example/Autodiscover/Autodiscover.svc"),
			microsoft + "svc", ""},
		{"8.3 HEAD .svc", fetch(http.MethodHead, soap, "https://office365.example/Autodiscover/Autodiscover.svc"),
			microsoft + "svc", ""},
		{"8.11 JSON", fetch(http.MethodGet, json, "https://x.example/autodiscover/autodiscover.json?Email=anna+1@office365.example&Protocol=Substrate&RedirectCount=1"),
			microsoft + "json?Email=anna%2B1%40office365.example&Protocol=Substrate&RedirectCount=2", ""},
		{"8.11 JSON, a space", fetch(http.MethodGet, json, "https://x.example/autodiscover/autodiscover.json?Email=%22a%20b%22@office365.example&Protocol=Ews"),
			microsoft + "json?Email=%22a%20b%22%40office365.example&Protocol=Ews&RedirectCount=1", ""},
		{"8.11 JSON, HEAD", fetch(http.MethodHead, json, "https://x.example/autodiscover/autodiscover.json/v1.0/anna@office365.example?protocol=autodiscoverv1"),
			microsoft + "json?Email=anna%40office365.example&Protocol=autodiscoverv1&RedirectCount=1", ""},
		{"8.3 as XML", outlook("anna@as-xml.example"), "", "redirect-url.xml"},
		{"8.3 as XML, GET", fetch(http.MethodGet, handler, "https://as-xml.example/autodiscover/autodiscover.xml"), "",
			"redirect-url.xml"},
		// The schema of phones cannot redirect to a URL.
		{"as XML, a phone", phone("anna@as-xml.example"),
			"https://autodiscover.hoster.example/autodiscover/autodiscover.xml", ""},
		{"as XML, .svc", fetch(http.MethodPost, soap, "https://autodiscover.as-xml.example/autodiscover/autodiscover.svc"),
			"https://autodiscover.hoster.example/autodiscover/autodiscover.svc", ""},
		{"8.3 to another address", outlook("anna@by-address.example"), "", "redirect-addr.xml"},
		{"to another address, a phone", phone("anna@by-address.example"), "", "activesync-redirect.xml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			location, body := c.ask()
			if location != c.location {
				t.Errorf("Location is %q, want %q", location, c.location)
			}
			if c.golden != "" {
				golden.Check(t, goldenDir+c.golden, []byte(body))
			} else if body != "" {
				t.Errorf("the redirect has a body: %s", body)
			}
		})
	}

	// The functions that write documents.
	for _, document := range []func(account.Settings) ([]byte, error){Outlook, ActiveSync} {
		got, err := document(settings(t, "anna@office365.example"))
		if r, ok := err.(*Redirect); !ok || r.Location != microsoft+"xml" || got != nil {
			t.Errorf("document %s, error %v, want a redirect to Microsoft", got, err)
		}
	}
}

// answered returns the Location of a redirect or the body of any other answer.
func answered(t *testing.T, w *httptest.ResponseRecorder) (location, body string) {
	t.Helper()
	location = w.Header().Get("Location")
	status := http.StatusOK
	if location != "" {
		status = http.StatusFound
		if w.Header().Get("Content-Length") != "0" {
			t.Error("a redirect has no Content-Length 0")
		}
	}
	if w.Code != status || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status %d with header %v, want %d and no-store", w.Code, w.Header(), status)
	}
	return location, w.Body.String()
}

// TestSOAP checks which mailbox, domain or host decides where a client is redirected to.
func TestSOAP(t *testing.T) {
	const microsoft = "https://autodiscover-s.outlook.com/autodiscover/autodiscover.svc"
	mailbox := func(text string) string {
		return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:a="http://schemas.microsoft.com/` +
			`exchange/2010/Autodiscover"><s:Body><a:GetUserSettingsRequestMessage><a:Request><a:Users><a:User><a:Mailbox>` +
			text + `</a:Mailbox></a:User></a:Users></a:Request></a:GetUserSettingsRequestMessage></s:Body></s:Envelope>`
	}
	const here, there = "autodiscover.example.com", "autodiscover.office365.example"
	for _, c := range []struct{ name, host, path, body, location string }{
		{"the host alone", there, "", "<Envelope/>", microsoft},
		{"the mailbox decides", here, "", mailbox("anna@office365.example"), microsoft},
		{"the mailbox decides, the other way round", there, "", mailbox("anna@example.com"), ""},
		{"a domain", "setup.hoster.example", "", "<Envelope><Domain>office365.example</Domain></Envelope>", microsoft},
		{"a mailbox that cannot be read", here, "", mailbox("anna ek@office365.example"), microsoft},
		{"no mailbox", there, "", mailbox(""), microsoft},
		{"broken XML", there, "", "<Envelope><Mailbox>anna@example.com", microsoft},
		{"a long envelope", there, "", "<Envelope>" + strings.Repeat(" ", MaxBody) + "</Envelope>", microsoft},
		{"a security token", there, "/WSSecurity", "<Envelope/>", microsoft + "/WSSecurity"},
		{"a certificate", there, "/wssecurity/x509cert", "<Envelope/>", microsoft + "/wssecurity/x509cert"},
		{"another path", there, "/%0d%0aX", "<Envelope/>", ""},
		{"a path upwards", there, "/../x", "<Envelope/>", ""},
		{"a security token of a domain that is not handed over", here, "/WSSecurity", "<Envelope/>", ""},
	} {
		for _, path := range []string{"/autodiscover/autodiscover.svc", "/AutoDiscover/AutoDiscover.SVC"} {
			w := serve(SOAPHandler(resolver, false), http.MethodPost, "https://"+c.host+path+c.path,
				strings.NewReader(c.body))
			want := http.StatusNotFound
			if c.location != "" {
				want = http.StatusFound
			}
			if got := w.Header().Get("Location"); w.Code != want || got != c.location {
				t.Errorf("%s: status %d to %q, want %d to %q", c.name, w.Code, got, want, c.location)
			}
		}
	}
}

// TestSOAPEncoded checks that the host does not decide where the mailbox is in a body
// that cannot be read, and that a query without one says so.
func TestSOAPEncoded(t *testing.T) {
	resolver := func(_ context.Context, q account.Query) (account.Settings, error) {
		if !q.Fallback {
			t.Errorf("the resolver got %+v, want a fallback", q)
		}
		return account.Settings{}, account.ErrAddressRequired
	}
	const url = "https://autodiscover.office365.example/autodiscover/autodiscover.svc"
	r := httptest.NewRequest(http.MethodPost, url, strings.NewReader("\x1f\x8b"))
	r.Header.Set("Content-Encoding", "gzip")
	w := httptest.NewRecorder()
	SOAPHandler(resolver, false).ServeHTTP(w, r)
	if w.Code != http.StatusUnsupportedMediaType || w.Header().Get("Accept-Encoding") != "identity" {
		t.Errorf("gzip: status %d, Accept-Encoding %q, want 415 and identity",
			w.Code, w.Header().Get("Accept-Encoding"))
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if w := serve(SOAPHandler(resolver, false), method, url, nil); w.Code != http.StatusNotFound {
			t.Errorf("%s without a mailbox: status %d, want 404", method, w.Code)
		}
	}
}

// TestNoSOAP checks that no answer promises SOAP where there is no Exchange.
func TestNoSOAP(t *testing.T) {
	for host, status := range map[string]int{
		"autodiscover.example.com": http.StatusNotFound,
		"by-address.example":       http.StatusNotFound,
		"unknown.invalid":          http.StatusNotFound,
		"down.example":             http.StatusServiceUnavailable,
	} {
		w := serve(SOAPHandler(resolver, false), http.MethodPost, "https://"+host+"/autodiscover/autodiscover.svc",
			strings.NewReader("<Envelope/>"))
		checkAnswer(t, w, status, "text/plain; charset=utf-8")
		if got := w.Header().Get("Retry-After") != ""; got != (status == http.StatusServiceUnavailable) {
			t.Errorf("%s: Retry-After present: %v, want it only with 503", host, got)
		}
	}
}

// swapped exchanges the two bytes of each pair.
func swapped(text string) string {
	b := []byte(text)
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	return string(b)
}

// TestCompressedBody checks that a compressed body is refused with the encodings that
// are read, and that the word for no compression is not a compression.
func TestCompressedBody(t *testing.T) {
	for coding, want := range map[string]int{"gzip": 415, "x-unknown": 415, "gzip, identity": 415,
		"Identity": 200, "": 200} {
		r := httptest.NewRequest(http.MethodPost, "/autodiscover/autodiscover.xml",
			strings.NewReader(pox("anna@example.com", nsOutlook)))
		if coding != "" {
			r.Header.Set("Content-Encoding", coding)
		}
		w := httptest.NewRecorder()
		XMLHandler(resolver, false).ServeHTTP(w, r)
		if accepted := w.Header().Get("Accept-Encoding"); w.Code != want || (accepted == "identity") != (want == 415) {
			t.Errorf("Content-Encoding %q: status %d, Accept-Encoding %q, want %d", coding, w.Code, accepted, want)
		}
	}
}
