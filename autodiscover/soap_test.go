package autodiscover

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
)

// soap returns an envelope with headers and a message.
func soap(headers, message string) string {
	return `<s:Envelope xmlns:s="` + nsEnvelope + `" xmlns:a="` + nsSOAP + `" xmlns:w="` + nsAddressing + `"><s:Header>` +
		headers + `</s:Header><s:Body>` + message + `</s:Body></s:Envelope>`
}

// users returns a request for a setting of mailboxes.
func users(setting string, names ...string) string {
	message := "<a:GetUserSettingsRequestMessage><a:Request><a:Users>"
	for _, name := range names {
		message += "<a:User><a:Mailbox>" + name + "</a:Mailbox></a:User>"
	}
	return message + "</a:Users><a:RequestedSettings><a:Setting>" + setting +
		"</a:Setting></a:RequestedSettings></a:Request></a:GetUserSettingsRequestMessage>"
}

const svcURL = "https://autodiscover.ews.example/autodiscover/autodiscover.svc"

func askSOAP(resolve account.Resolver, url, body string) *httptest.ResponseRecorder {
	return serve(SOAPHandler(resolve, true), http.MethodPost, url, strings.NewReader(body))
}

// TestSOAPWriteThenRead checks that an answer is read as the settings from which it was
// written, and that one of autodiscover.xml has the EWS server first.
func TestSOAPWriteThenRead(t *testing.T) {
	for text, url := range map[string]string{
		"anna@ews.example": "https://ex.hoster.example/EWS/Exchange.asmx", `"&<b>"@ews.example`: "https://ex.hoster.example/EWS/Exchange.asmx",
		"%EMAILDOMAIN%@ews-each.example": "https://ex.example/%25EMAILDOMAIN%25/EWS",
		"anna@ews-imap.example":          "https://ex.hoster.example/EWS/Exchange.asmx",
	} {
		s := settings(t, text)
		document, err := UserSettings(s)
		if err != nil {
			t.Fatalf("UserSettings of %s: %v", text, err)
		}
		read, err := ReadUserSettings(document)
		if err != nil {
			t.Fatalf("ReadUserSettings: %v in\n%s", err, document)
		}
		want := urlServer(account.EWS, url)
		want.Login.Username = text
		if s.Provider.Servers[0].ExchangeVersion != "" || len(s.Servers) > 1 {
			want.ExchangeVersion = "Exchange2013_SP1"
		}
		if d := cmp.Diff([]account.Server{want}, read.Expanded()); d != "" || read.Address != s.Address {
			t.Errorf("%s is read as %s with (-want +got):\n%s", text, read.Address, d)
		}
	}
	document, err := Exchange(settings(t, "anna@ews-imap.example"))
	if err != nil {
		t.Fatal(err)
	}
	read, err := Read(document)
	if err != nil || len(read.Servers) != 3 || read.Servers[0].Type != account.EWS || !read.Servers[0].ExchangeEntries {
		t.Errorf("Read of the answer with entries = %+v, %v, want an EWS server before the others", read.Servers, err)
	}
}

// TestSOAPErrors checks what is read where SOAP tells no server.
func TestSOAPErrors(t *testing.T) {
	both := func(a string) string { return users("ExternalEwsUrl", "anna@ews.example", a) }
	for _, c := range []struct {
		asked string
		code  Code
	}{
		{"nobody@unknown.invalid", invalidUser},
		{"no address", invalidUser},
		{"anna ek@ews.example", invalidUser}, // the domain could be read
		{"anna@down.example", serverBusy},
		{"anna@office365.example", redirectURL},
		{"anna@as-xml.example", redirectURL},
		{"anna@by-address.example", redirectedTo},
		{"anna@by-loop.example", noError},
		{"anna@example.com", noError},
		{"anna@ews-login.example", noError},
		{"anna@ews.example", noError},
	} {
		w := askSOAP(resolver, svcURL, soap("", both(c.asked)))
		checkAnswer(t, w, http.StatusOK, xmlType)
		codes := strings.Count(w.Body.String(), "<ErrorCode>"+string(c.code)+"</ErrorCode>")
		if want := map[bool]int{true: 3, false: 1}[c.code == noError]; codes != want {
			t.Errorf("%s: code %s stands %d times, want %d:\n%s", c.asked, c.code, codes, want, w.Body)
		}
	}
	// Alone, all of these get what they got before there was SOAP.
	for asked, status := range map[string]int{
		"anna@example.com": 404, "anna@exchange.example": 200, "anna@ews-login.example": 404, "anna@by-address.example": 404,
		"anna@down.example": 503, "anna@office365.example": 302, "anna@as-xml.example": 302, "anna@wrong.example": 200,
	} {
		if w := askSOAP(resolver, svcURL, soap("", users("ExternalEwsUrl", asked))); w.Code != status {
			t.Errorf("%s alone: status %d, want %d: %s", asked, w.Code, status, w.Body)
		}
	}
	for host, status := range map[string]int{
		"autodiscover.ews.example": 200, "setup.hoster.invalid": 200, // exchangelib's first question
		"autodiscover.example.com": 404, "autodiscover.office365.example": 404,
	} {
		w := askSOAP(resolver, "https://"+host+"/autodiscover/autodiscover.svc",
			soap("", users("AutoDiscoverSMTPAddress", "DUMMY@unknown.invalid")))
		if w.Code != status {
			t.Errorf("an unknown mailbox at %s: status %d, want %d: %s", host, w.Code, status, w.Body)
		}
	}
	for document, want := range map[string]Code{
		string((&soapFault{"MustUnderstand", ""}).document()):                              "MustUnderstand",
		string((&soapRequest{operation: getUserSettings}).refusal(badSOAPRequest)):         badSOAPRequest,
		askSOAP(resolver, svcURL, soap("", users("X", "a@unknown.invalid"))).Body.String(): invalidUser,
	} {
		_, err := ReadUserSettings([]byte(document))
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != want {
			t.Errorf("ReadUserSettings = %v, want the code %s of\n%s", err, want, document)
		}
	}
}

// TestSOAPDomain checks that a domain gets settings only where all its mailboxes have them.
func TestSOAPDomain(t *testing.T) {
	ask := func(domain string) *httptest.ResponseRecorder {
		return askSOAP(resolver, svcURL, soap("", "<a:GetDomainSettingsRequestMessage><a:Request><a:Domains><a:Domain>"+domain+
			"</a:Domain></a:Domains><a:RequestedSettings><a:Setting>ExternalEwsUrl</a:Setting></a:RequestedSettings></a:Request>"+
			"</a:GetDomainSettingsRequestMessage>"))
	}
	for domain, want := range map[string]string{
		"ews.example": "200 https://ex.hoster.example/EWS/Exchange.asmx", "EWS.example.": "200 https://ex.hoster.example/EWS/Exchange.asmx",
		"ews-each.example": "404", // the URL needs a mailbox
		"wrong.example":    "200 InvalidDomain", "unknown.invalid": "200 InvalidDomain", "example.com": "404",
		"office365.example": "302",
	} {
		w := ask(domain)
		status, text, _ := strings.Cut(want, " ")
		if fmt.Sprint(w.Code) != status || !strings.Contains(w.Body.String(), text) {
			t.Errorf("GetDomainSettings of %s: %d %s, want %s", domain, w.Code, w.Body, want)
		}
	}
	const federation = "<a:GetFederationInformationRequestMessage><a:Request><a:Domain>%s</a:Domain></a:Request></a:GetFederationInformationRequestMessage>"
	for domain, status := range map[string]int{"ews.example": 200, "example.com": 404, "office365.example": 302} {
		w := askSOAP(resolver, svcURL, soap("", fmt.Sprintf(federation, domain)))
		if w.Code != status ||
			status == 200 && !strings.Contains(w.Body.String(), "<ErrorCode>NotFederated</ErrorCode>") {
			t.Errorf("GetFederationInformation of %s: %d %s, want %d", domain, w.Code, w.Body, status)
		}
	}
}

// hostileSOAP are bodies with the status that they get at a host with EWS, and a text that
// the answer has.
var hostileSOAP = []struct {
	name, body string
	status     int
	text       string
}{
	{"empty", "", 400, "Client"},
	{"words", "anna@ews.example", 400, "Client"},
	{"truncated", soap("", users("ExternalEwsUrl", "anna@ews.example"))[:300], 400, "Client"},
	{"no namespace", "<Envelope><Body/></Envelope>", 400, "VersionMismatch"},
	{"SOAP 1.2", strings.ReplaceAll(soap("", users("ExternalEwsUrl", "anna@ews.example")), nsEnvelope, nsEnvelope12), 400, "VersionMismatch"},
	{"the namespace with https", strings.ReplaceAll(soap("", users("ExternalEwsUrl", "anna@ews.example")), nsSOAP,
		strings.Replace(nsSOAP, "http:", "https:", 1)), 200, "ex.hoster"},
	{"other prefixes", strings.NewReplacer("a:", "zz:", "xmlns:a=", "xmlns:zz=", "s:E", "q:E", "s:H", "q:H", "s:B", "q:B", "xmlns:s=", "xmlns:q=").
		Replace(soap("", users("ExternalEwsUrl", "anna@ews.example"))), 200, "ex.hoster"},
	{"no Body", `<s:Envelope xmlns:s="` + nsEnvelope + `"/>`, 400, "Client"},
	{"two Bodies", `<s:Envelope xmlns:s="` + nsEnvelope + `"><s:Body/><s:Body/></s:Envelope>`, 400, "Client"},
	{"two messages", soap("", users("ExternalEwsUrl", "anna@ews.example")+users("ExternalEwsUrl", "bo@ews.example")), 400, "Client"},
	{"an unknown operation", soap("", "<a:DeleteEverythingRequestMessage><a:Request/></a:DeleteEverythingRequestMessage>"), 400, "operation"},
	{"no Request", soap("", "<a:GetUserSettingsRequestMessage/>"), 400, "no Request"},
	{"no users", soap("", users("ExternalEwsUrl")), 200, "InvalidRequest"},
	{"no settings", soap("", "<a:GetUserSettingsRequestMessage><a:Request><a:Users><a:User><a:Mailbox>anna@ews.example</a:Mailbox></a:User></a:Users></a:Request></a:GetUserSettingsRequestMessage>"), 200, "InvalidRequest"},
	{"only users that cannot be read", soap("", users("ExternalEwsUrl", "", "anna", "%EMAILADDRESS%")), 200, "InvalidRequest"},
	{"an unknown setting", soap("", users("Nonsense", "anna@ews.example")), 200, "InvalidSetting"},
	{"a setting with a script", soap("", users("&lt;script&gt;alert(1)&lt;/script&gt;", "anna@ews.example")), 200, "<SettingName>scriptalert1script</SettingName>"},
	{"a long setting", soap("", users(strings.Repeat("x", 4000), "anna@ews.example")), 200, "InvalidSetting"},
	{"the setting of another operation", soap("", users("MapiHttpEnabled", "anna@ews.example")), 200, "<Value>False</Value>"},
	{"a header to understand", soap(`<x:Security xmlns:x="urn:x" s:mustUnderstand="1"/>`, users("ExternalEwsUrl", "anna@ews.example")), 400, "MustUnderstand"},
	{"a header to understand, true", soap(`<Security s:mustUnderstand="true"/>`, users("ExternalEwsUrl", "anna@ews.example")), 400, "MustUnderstand"},
	{"a header that is understood", soap(`<w:Action s:mustUnderstand="1">x</w:Action><w:To s:mustUnderstand="1">y</w:To><a:RequestedServerVersion s:mustUnderstand="1">Exchange2099</a:RequestedServerVersion>`,
		users("ExternalEwsUrl", "anna@ews.example")), 200, "ex.hoster"},
	{"a header to ignore", soap(`<Security s:mustUnderstand="0"/><t mustUnderstand="1"/>`, users("ExternalEwsUrl", "anna@ews.example")), 200, "ex.hoster"},
	{"a MessageID", soap("<w:MessageID>urn:uuid:1-2</w:MessageID>", users("ExternalEwsUrl", "anna@ews.example")), 200, "<a:RelatesTo>urn:uuid:1-2</a:RelatesTo>"},
	{"a MessageID with a script", soap("<w:MessageID>urn:&lt;b&gt;</w:MessageID>", users("ExternalEwsUrl", "anna@ews.example")), 200, "ex.hoster"},
	{"a document type", "<!DOCTYPE x>" + soap("", users("ExternalEwsUrl", "anna@ews.example")), 400, "Client"},
	{"an entity bomb", `<!DOCTYPE x [<!ENTITY a "` + strings.Repeat("ha", 500) + `"><!ENTITY b "` + strings.Repeat("&a;", 100) + `">]>` +
		soap("", users("ExternalEwsUrl", "&b;@ews.example")), 400, "Client"},
	{"an external entity", `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + soap("", users("ExternalEwsUrl", "&a;@ews.example")), 400, "Client"},
	{"UTF-16", utf16LE(soap("", users("ExternalEwsUrl", "anna@ews.example")), true), 200, "ex.hoster"},
	{"UTF-16 without a mark", utf16LE(soap("", users("ExternalEwsUrl", "anna@ews.example")), false), 400, "Client"},
	{"UTF-8 that says UTF-16", `<?xml version="1.0" encoding="utf-16"?>` + soap("", users("ExternalEwsUrl", "anna@ews.example")), 200, "ex.hoster"},
	{"deep", soap("", strings.Repeat("<a>", 1000)+strings.Repeat("</a>", 1000)), 400, "Client"},
	{"as deep as fits", strings.Repeat("<a>", MaxBody/3), 400, "Client"},
	{"as many elements as fit", soap(strings.Repeat("<a/>", 1700), users("ExternalEwsUrl", "anna@ews.example")), 400, "Client"},
	{"1,000 users", soap("", users("ExternalEwsUrl", slices.Repeat([]string{"anna@ews.example"}, 1000)...)), 400, "Client"},
	{"60 users", soap("", users("ExternalEwsUrl", slices.Repeat([]string{"anna@ews.example"}, 60)...)), 200, "ServerBusy"},
	{"5 MB", soap("<!--"+strings.Repeat("x", 5<<20)+"-->", users("ExternalEwsUrl", "anna@ews.example")), 400, "Client"},
	{"NUL", soap("", users("ExternalEwsUrl", "anna\x00@ews.example")), 400, "Client"},
	{"a script as mailbox", soap("", users("UserDisplayName", "&lt;script&gt;@ews.example", "anna@ews.example")), 200, "anna@ews.example"},
}

// TestHostileSOAP checks that no body gets a 5xx, costs much, or is repeated as markup, and
// that at a host without EWS it gets 404.
func TestHostileSOAP(t *testing.T) {
	for _, c := range hostileSOAP {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			w := askSOAP(resolver, svcURL, c.body)
			runtime.ReadMemStats(&after)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.text) {
				t.Errorf("status %d with %.2000s, want %d with %s", w.Code, w.Body, c.status, c.text)
			}
			checkAnswer(t, w, c.status, xmlType)
			if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
				t.Errorf("%d bytes allocated, want at most 1 MB", got)
			}
			if strings.Contains(w.Body.String(), "<script") || strings.Contains(w.Body.String(), "passwd") {
				t.Errorf("the answer repeats the body: %s", w.Body)
			}
			if _, err := parseTree(w.Body.Bytes(), 32, 4096); err != nil {
				t.Errorf("the answer is not XML: %v\n%s", err, w.Body)
			}
			if c.status == http.StatusOK && c.text != "InvalidRequest" {
				return // it names a mailbox, which decides
			}
			for _, host := range []string{"autodiscover.example.com", "unknown.invalid"} {
				w := serve(SOAPHandler(resolver, false), http.MethodPost, "https://"+host+soapPath,
					strings.NewReader(c.body))
				if named := strings.Contains(c.body, "anna@ews.example"); !named && w.Code != http.StatusNotFound {
					t.Errorf("at %s: status %d, want 404", host, w.Code)
				}
			}
		})
	}
}

// TestSOAPLookups limits how many mailboxes of a request are looked up.
func TestSOAPLookups(t *testing.T) {
	lookups := 0
	counting := func(ctx context.Context, q account.Query) (account.Settings, error) {
		if !q.Fallback || q.Client != account.Outlook {
			t.Errorf("the resolver got %+v, want a fallback of Outlook", q)
		}
		lookups++
		return resolver(ctx, q)
	}
	w := askSOAP(counting, svcURL, soap("", users("ExternalEwsUrl", slices.Repeat([]string{"anna@ews.example"}, 50)...)))
	if got := strings.Count(w.Body.String(), "<Value>"); lookups != maxSOAPNames || got != maxSOAPNames {
		t.Errorf("%d look-ups and %d answers, want %d", lookups, got, maxSOAPNames)
	}
	if got := strings.Count(w.Body.String(), "<UserResponse>"); got != 50 {
		t.Errorf("%d responses, want one for each of 50 mailboxes", got)
	}

	// The others of a long request fail for no reason of this side, so there is no 503.
	for _, c := range []struct {
		address string
		status  int
	}{{"anna@example.com", http.StatusNotFound}, {"anna@unknown.invalid", http.StatusOK}} {
		w := askSOAP(resolver, svcURL, soap("", users("ExternalEwsUrl", slices.Repeat([]string{c.address}, 50)...)))
		if w.Code != c.status {
			t.Errorf("50 times %s: status %d, want %d", c.address, w.Code, c.status)
		}
	}
}

// FuzzSOAP checks that any body gets an envelope that can be read, 404 or a configured
// redirect, and never a 5xx, except where DNS fails.
func FuzzSOAP(f *testing.F) {
	for _, c := range hostileSOAP {
		if len(c.body) < 2*MaxBody {
			f.Add(c.body)
		}
	}
	handler := SOAPHandler(resolver, true)
	f.Fuzz(func(t *testing.T, body string) {
		w := serve(handler, http.MethodPost, svcURL, strings.NewReader(body))
		switch w.Code {
		case http.StatusOK, http.StatusBadRequest:
			if _, err := parseTree(w.Body.Bytes(), 32, 8192); err != nil {
				t.Errorf("the answer is not XML: %v\n%s", err, w.Body)
			}
			ReadUserSettings(w.Body.Bytes())
		case http.StatusFound:
			if location := w.Header().Get("Location"); !strings.HasPrefix(location, "https://autodiscover-s.outlook.com/") &&
				!strings.HasPrefix(location, "https://autodiscover.hoster.example/") && !strings.HasPrefix(location, "https://autodiscover.to-itself.example/") {
				t.Errorf("Location %q is not configured", location)
			}
		case http.StatusNotFound:
		case http.StatusServiceUnavailable:
			if !strings.Contains(strings.ToLower(body), "down") {
				t.Errorf("status 503 for %q", body)
			}
		default:
			t.Errorf("status %d, want 200, 302, 400 or 404", w.Code)
		}
	})
}

// FuzzReadUserSettings checks that what is read is complete.
func FuzzReadUserSettings(f *testing.F) {
	for _, a := range []string{"anna@ews.example", "anna@ews.example bo@office365.example", "a@unknown.invalid"} {
		f.Add(askSOAP(resolver, svcURL, soap("", users("ExternalEwsUrl", strings.Fields(a)...))).Body.Bytes())
	}
	f.Add((&soapFault{"Client", "text"}).document())
	f.Fuzz(func(t *testing.T, document []byte) {
		s, err := ReadUserSettings(document)
		if err == nil && len(s.Servers) == 1 && !isHTTPS(s.Servers[0].URL) || len(s.Servers) > 1 {
			t.Errorf("ReadUserSettings returned %+v, want one https URL at most", s.Servers)
		}
	})
}
