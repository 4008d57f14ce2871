package mobileconfig

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"signpost/account"
)

var swedish = Texts{Language: "sv", Description: "Ställer in ditt konto hos {provider}. Här finns inget lösenord.",
	Mail: "E-post", Calendars: "Kalendrar", Contacts: "Kontakter"}

var hosted = map[string]*account.Provider{
	"domain.se": hostedExchange, "example.se": small, "example.com": withDAV, "kund.se": ownDomain,
	"xn--rksmrgs-5wao1o.se": ownDomain, "odd.example": odd, "groupware.example": groupware,
}

func testHandler() http.Handler {
	return Handler(hosting(hosted), HandlerOptions{Service: testService, Texts: testTexts})
}

// testTexts returns swedish if the first preference that is given is Swedish.
func testTexts(preferences ...string) Texts {
	if strings.HasPrefix(cmp.Or(preferences...), "sv") {
		return swedish
	}
	return English
}

// get requests a profile with a raw query.
func get(h http.Handler, method, query string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/profile.mobileconfig", nil)
	r.URL.RawQuery = query // NewRequest panics on some queries that clients send
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAnswer(t *testing.T) {
	tests := []struct {
		query   string
		address string // in the profile
		file    string
		options Options
	}{
		{"emailaddress=anna@example.se", "anna@example.se", "example.se", Options{}},
		{"emailaddress=anna%40example.se", "anna@example.se", "example.se", Options{}},
		{"emailaddress=Anna@Example.SE", "Anna@example.se", "example.se", Options{}},
		{"EmailAddress=anna@example.se&NAME=Anna+Ek", "anna@example.se", "example.se", Options{Name: "Anna Ek"}},
		{"emailaddress=anna@example.se&name=Anna%2BEk+%26+Co", "anna@example.se", "example.se",
			Options{Name: "Anna+Ek & Co"}},
		{"emailaddress=anna@example.se&name=100%", "anna@example.se", "example.se", Options{Name: "100%"}},
		{"name=Anna%20Ek&emailaddress=anna@example.se", "anna@example.se", "example.se", Options{Name: "Anna Ek"}},
		{"emailaddress=anna+tag@example.se", "anna+tag@example.se", "example.se", Options{}},
		{"emailaddress=anna%2Btag@example.se", "anna+tag@example.se", "example.se", Options{}},
		{"emailaddress=a%25b@example.se", "a%b@example.se", "example.se", Options{}},
		{"emailaddress=%20anna@example.se%20", "anna@example.se", "example.se", Options{}},
		{"emailaddress=anna@example.se&emailaddress=x@domain.se", "anna@example.se", "example.se", Options{}},
		{"emailaddress=anna@example.se&name=", "anna@example.se", "example.se", Options{}},
		{"emailaddress=anna@example.com&only=mail", "anna@example.com", "example.com", Options{MailOnly: true}},
		{"emailaddress=anna@example.com&only=everything", "anna@example.com", "example.com", Options{}},
		{"emailaddress=anna@example.com&lang=sv-SE", "anna@example.com", "example.com", Options{Texts: swedish}},
		{"emailaddress=anna@example.com&lang=fi", "anna@example.com", "example.com", Options{}},
		{"emailaddress=anna@example.com&lang=%00", "anna@example.com", "example.com", Options{}},
		{"emailaddress=anna@groupware.example&device=mac", "anna@groupware.example", "groupware.example",
			Options{Device: Mac}},
		{"emailaddress=anna@example.se&device=iPad", "anna@example.se", "example.se", Options{Device: Phone}},
		{"emailaddress=anna@example.se&device=toaster", "anna@example.se", "example.se", Options{}},
		{"emailaddress=anna@r%C3%A4ksm%C3%B6rg%C3%A5s.se", "anna@xn--rksmrgs-5wao1o.se", "xn--rksmrgs-5wao1o.se", Options{}},
		{"emailaddress=p%C3%A5l@example.se", "pål@example.se", "example.se", Options{}},
		{"emailaddress=mail@domain.se", "mail@domain.se", "domain.se", Options{}},
		{"emailaddress=nobody@domain.se", "nobody@domain.se", "domain.se", Options{}}, // not listed: like any other
	}
	for _, test := range tests {
		w := get(testHandler(), "GET", test.query)
		if w.Code != 200 {
			t.Errorf("GET ?%s: status %d, %s, want 200", test.query, w.Code, w.Body)
			continue
		}
		a, _ := account.ParseAddress(test.address)
		want := document(t, settings(t, hosted[a.Domain()], test.address), test.options)
		if !bytes.Equal(w.Body.Bytes(), want) {
			t.Errorf("GET ?%s:\n%s\nwant\n%s", test.query, w.Body, want)
		}
		for name, want := range map[string]string{
			"Content-Type":        "application/x-apple-aspen-config",
			"Content-Disposition": `attachment; filename="` + test.file + `.mobileconfig"`,
			"Content-Length":      fmt.Sprint(len(want)),
			"Cache-Control":       "no-store",
			"X-Robots-Tag":        "noindex",
			"Referrer-Policy":     "no-referrer",
		} {
			if got := w.Result().Header[name]; len(got) != 1 || got[0] != want {
				t.Errorf("GET ?%s: %s = %q, want %q", test.query, name, got, want)
			}
		}
	}
}

// TestLanguage checks that lang goes before Accept-Language, and that without Texts
// the profile is in English.
func TestLanguage(t *testing.T) {
	for _, test := range []struct{ query, accept, want string }{
		{"", "", "Mail"},
		{"", "sv-SE,sv;q=0.9,en;q=0.8", "E-post"},
		{"", "de,en;q=0.8,sv;q=0.7", "Mail"},
		{"&lang=sv", "en", "E-post"},
		{"&lang=en", "sv", "Mail"},
	} {
		w := get(testHandler(), "GET", "emailaddress=anna@example.se"+test.query, "Accept-Language", test.accept)
		_, payloads := parse(t, w.Body.Bytes())
		if got := payloads[0]["PayloadDisplayName"]; got != test.want {
			t.Errorf("query %q, Accept-Language %q: PayloadDisplayName = %v, want %s",
				test.query, test.accept, got, test.want)
		}
	}
	h := Handler(hosting(hosted), HandlerOptions{Service: testService})
	_, payloads := parse(t, get(h, "GET", "emailaddress=anna@example.se&lang=sv").Body.Bytes())
	if got := payloads[0]["PayloadDisplayName"]; got != "Mail" {
		t.Errorf("without Texts: PayloadDisplayName = %v, want Mail", got)
	}
}

// TestRefused checks the status of refusals, and that none quotes the request.
func TestRefused(t *testing.T) {
	failing := func(context.Context, account.Query) (account.Settings, error) {
		return account.Settings{}, errors.New("dns: secret inner thing")
	}
	wrong := func(context.Context, account.Query) (account.Settings, error) {
		return account.Settings{}, fmt.Errorf("%w", account.ErrAddressRequired)
	}
	e := url.QueryEscape
	tests := []struct {
		resolve account.Resolver
		method  string
		query   string
		status  int
		reason  string // in the answer
	}{
		{nil, "GET", "emailaddress=x@unknown.example", 404, "not served here"},
		{wrong, "GET", "emailaddress=x@example.se", 404, "not served here"},
		{nil, "GET", "emailaddress=mail@domain.se&device=mac", 404, "no profile"}, // ActiveSync alone
		{failing, "GET", "emailaddress=x@example.se", 503, "looked up"},
		{failing, "HEAD", "emailaddress=x@example.se", 503, ""},
		{nil, "POST", "emailaddress=anna@example.se", 405, "GET and HEAD"},
		{nil, "PUT", "", 405, "GET and HEAD"},
		{nil, "OPTIONS", "", 405, "GET and HEAD"},
		{nil, "GET", "", 400, "empty"},
		{nil, "GET", "emailaddress=", 400, "empty"},
		{nil, "GET", "emailaddress", 400, "empty"},
		{nil, "GET", "address=anna@example.se", 400, "empty"},
		{nil, "GET", "emailaddress=anna", 400, "no @"},
		{nil, "GET", "emailaddress=@example.se", 400, "nothing before the @"},
		{nil, "GET", "emailaddress=a@b@c", 400, "characters before"},
		{nil, "GET", "emailaddress=a@b@example.se", 400, "characters before"},
		{nil, "GET", "emailaddress=" + e(`a"><script>alert(1)</script>@example.se`), 400, "quotation mark"},
		{nil, "GET", "emailaddress=" + e(`a</string><key>IncomingPassword</key><string>x@example.se`), 400,
			"characters before"},
		{nil, "GET", "emailaddress=" + e("a@example.se\r\nX-Evil: 1"), 400, "its domain"},
		{nil, "GET", "emailaddress=" + e("a\r\nb@example.se"), 400, "control character"},
		{nil, "GET", "emailaddress=" + e("a\x00@example.se"), 400, "control character"},
		{nil, "GET", "emailaddress=" + e("../../x@example.se"), 400, "characters before"},
		{nil, "GET", "emailaddress=" + e("<b>@example.se"), 400, "characters before"},
		{nil, "GET", "emailaddress=" + e("*)(uid=*@example.se"), 400, "characters before"},
		{nil, "GET", "emailaddress=" + e(`CORP\anna@example.se`), 400, "backslash"},
		{nil, "GET", "emailaddress=" + e("a@../../example.se"), 400, "its domain"},
		{nil, "GET", "emailaddress=a@[127.0.0.1]", 400, "its domain"},
		{nil, "GET", "emailaddress=" + e("\xff\xfea@example.se"), 400, "UTF-8"},
		{nil, "GET", "emailaddress=" + strings.Repeat("a", 65) + "@example.se", 400, "more than 64"},
		{nil, "GET", "emailaddress=anna@example.se&name=" + strings.Repeat("a", 1<<20), 400, "too long"},
	}
	for _, test := range tests {
		resolve := test.resolve
		if resolve == nil {
			resolve = hosting(hosted)
		}
		w := get(Handler(resolve, HandlerOptions{Service: testService}), test.method, test.query)
		name := fmt.Sprintf("%s %.60s", test.method, test.query)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.reason) {
			t.Errorf("%s: status %d, %q, want %d and %q", name, w.Code, w.Body, test.status, test.reason)
		}
		h := w.Result().Header
		if got := h.Get("Content-Type"); got != "text/plain; charset=utf-8" {
			t.Errorf("%s: Content-Type = %s, want text/plain", name, got)
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("Content-Disposition") != "" || h.Get("X-Evil") != "" {
			t.Errorf("%s: a header allows caching, names a file or comes from the request: %v", name, h)
		}
		if (test.status == 405) != (h.Get("Allow") == "GET, HEAD") ||
			(test.status == 503) != (h.Get("Retry-After") != "") {
			t.Errorf("%s: Allow = %q, Retry-After = %q with status %d",
				name, h.Get("Allow"), h.Get("Retry-After"), test.status)
		}
		body := w.Body.String()
		for _, secret := range []string{"script", "Evil", "IncomingPassword", "unknown.example", "anna", "secret",
			"uid", "<"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s: the answer has %q: %s", name, secret, body)
			}
		}
		if (body == "") != (test.method == "HEAD") || len(body) > 200 {
			t.Errorf("%s: body = %q, want a short text, and none for HEAD", name, body)
		}
	}
}

// TestInjection checks that a hostile but valid address or name is in the profile as it
// is, escaped, and that placeholders in it are not completed.
func TestInjection(t *testing.T) {
	tests := []struct{ address, name string }{
		{"a&b@example.se", ""},
		{"a'b@example.se", ""},
		{"a/b@example.se", ""},
		{"%EMAILADDRESS%@example.se", "%EMAILADDRESS%"},
		{"%EMAILDOMAIN%@domain.se", ""},
		{"%s%d@example.se", "%s%d"},
		{"{{7*7}}@example.se", "{{7*7}}"},
		{`"a b"@example.se`, ""},
		{"a@example.se", "</string><key>IncomingPassword</key><string>x"},
		{"a@example.se", "a\r\nX-Evil: 1"},
		{"a@example.se", `"><script>alert(1)</script>`},
		{"a@example.se", "]]>&lt;&amp;"},
	}
	for _, test := range tests {
		w := get(testHandler(), "GET", "emailaddress="+strings.ReplaceAll(url.QueryEscape(test.address), "+", "%20")+
			"&name="+url.QueryEscape(test.name))
		if w.Code != 200 || w.Header().Get("X-Evil") != "" {
			t.Errorf("address %s: status %d, %v, want 200", test.address, w.Code, w.Header())
			continue
		}
		checkProfile(t, w.Body.Bytes(), test.address, CleanName(test.name))
	}
}

// checkProfile checks what a stranger could have broken: the profile has a single
// EmailAddress, the one that was asked for, and no additional keys.
func checkProfile(t *testing.T, document []byte, address, name string) {
	t.Helper()
	_, payloads := parse(t, document)
	if got := payloads[0]["EmailAddress"]; got != address {
		t.Errorf("EmailAddress = %q, want %q", got, address)
	}
	if got, _ := payloads[0]["EmailAccountName"].(string); got != name &&
		payloads[0]["PayloadType"] == "com.apple.mail.managed" {
		t.Errorf("%s: EmailAccountName = %q, want %q", address, got, name)
	}
	if user, _ := payloads[0]["UserName"].(string); strings.Count(user, `\`) > 1 {
		t.Errorf("%s: UserName = %q, want at most one backslash", address, user)
	}
	keys := map[string]int{}
	for decoder := xml.NewDecoder(bytes.NewReader(document)); ; {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "key" {
			var key string
			decoder.DecodeElement(&key, &start)
			keys[key]++
		}
	}
	if keys["EmailAddress"] != 1 || keys["EmailAccountName"] > 1 || keys["PayloadContent"] != 1 {
		t.Errorf("%s: the profile has the keys %v, want each once", address, keys)
	}
	for key := range keys {
		if strings.HasSuffix(key, "Password") && key != "OutgoingPasswordSameAsIncomingPassword" {
			t.Errorf("%s: the profile has a key for a password, %s", address, key)
		}
	}
}

// TestTexts checks that every text of the configuration, every name and every address
// comes out of a profile as it went in.
func TestTexts(t *testing.T) {
	addresses := []string{"anna@example.se", "Anna+x@example.se", "a&b'c@example.se", "%EMAILADDRESS%@example.se",
		"%%EMAILDOMAIN%%@x.example", `"a <b"@example.se`, "pål@räksmörgås.se", "{provider}@example.se",
		"a&b=c@example.se", "$x.y@räksmörgås.se", "ANNA_EK-1~@example.se"}
	providers := slices.AppendSeq([]*account.Provider{hostedExchange, ownDomain, tokenExchange, small, popOnly,
		withDAV, groupware, odd, {Servers: small.Servers}}, maps.Values(LoadProviders(t)))
	texts := Texts{Language: "xx", Description: "100%{provider}%EMAILADDRESS% <&>", Mail: "%EMAILDOMAIN%",
		Calendars: "%%EMAILADDRESS%%", Contacts: "'\""}
	compared := 0
	for _, p := range providers {
		for _, address := range addresses {
			for _, name := range []string{"", "Åsa \"Öberg\" & Søn <日本> 😀", "%EMAILADDRESS%"} {
				for _, o := range []Options{{}, {Device: Mac}, {Device: Phone, MailOnly: true}, {Texts: texts}} {
					o.Name, o.Service = name, testService
					s := settings(t, p, address)
					got, err := Document(s, o)
					if err != nil {
						continue
					}
					compared++
					checkTexts(t, s, o, got)
				}
			}
		}
	}
	if compared < 600 {
		t.Errorf("only %d profiles were compared", compared)
	}
}

// checkTexts compares the texts of a profile with what they are made of.
func checkTexts(t *testing.T, s account.Settings, o Options, document []byte) {
	t.Helper()
	profile, payloads := parse(t, document)
	address, displayName := s.Address.String(), s.Provider.DisplayName
	id := newIdentity(testService, s.Address.Key())
	want := map[string]any{
		"PayloadDisplayName": address, "PayloadIdentifier": id.identifier, "PayloadUUID": id.uuid(kindProfile),
	}
	if displayName != "" {
		texts := English
		if o.Texts != (Texts{}) {
			texts = o.Texts
		}
		want["PayloadDisplayName"] = displayName + ": " + address
		want["PayloadOrganization"] = displayName
		want["PayloadDescription"] = strings.ReplaceAll(texts.Description, "{provider}", displayName)
	}
	for key, value := range want {
		if profile[key] != value {
			t.Errorf("%s, %s: %s = %q, want %q", s.Provider.ID, address, key, profile[key], value)
		}
	}
	servers := s.Expanded()
	if host := payloads[0]["IncomingMailServerHostName"]; host != nil {
		if !slices.ContainsFunc(servers, func(s account.Server) bool { return s.Hostname == host }) {
			t.Errorf("%s, %s: IncomingMailServerHostName = %q, which is no server of the provider",
				s.Provider.ID, address, host)
		}
		user := payloads[0]["IncomingMailServerUsername"]
		if !slices.ContainsFunc(servers, func(s account.Server) bool { return joinLogin(s.Login) == user }) {
			t.Errorf("%s, %s: IncomingMailServerUsername = %q, which is no login of the provider",
				s.Provider.ID, address, user)
		}
		if name, _ := payloads[0]["EmailAccountName"].(string); name != CleanName(o.Name) {
			t.Errorf("%s, %s: EmailAccountName = %q, want %q", s.Provider.ID, address, name, CleanName(o.Name))
		}
	}
	for i, payload := range payloads {
		k := kind(strings.TrimPrefix(fmt.Sprint(payload["PayloadIdentifier"]), id.identifier+"."))
		if want := id.uuid(k); payload["PayloadUUID"] != want {
			t.Errorf("%s, %s: payload %d, %s: PayloadUUID = %v, want %v", s.Provider.ID, address, i, k,
				payload["PayloadUUID"], want)
		}
	}
}

// TestOwnAnswer checks that an account with servers or a login of its own gets its own
// profile, and that the provider's other accounts do not get that one.
func TestOwnAnswer(t *testing.T) {
	own := append([]account.Server(nil), small.Servers...)
	own[0] = withLogin(own[0], "", "special")
	resolve := func(_ context.Context, q account.Query) (account.Settings, error) {
		s := account.Settings{Address: q.Address, Login: q.Address, Provider: small, Servers: small.Servers}
		switch q.Address.Local() {
		case "own":
			s.Custom, s.Servers = true, own
		case "alias":
			s.Login, _ = account.ParseAddress("mailbox@example.se")
		}
		return s, nil
	}
	h := Handler(resolve, HandlerOptions{Service: testService})
	for range 2 {
		for local, want := range map[string]string{"own": "special", "alias": "mailbox@example.se",
			"anna": "anna@example.se"} {
			_, payloads := parse(t, get(h, "GET", "emailaddress="+local+"@example.se").Body.Bytes())
			if got := payloads[0]["IncomingMailServerUsername"]; got != want {
				t.Errorf("%s signs in as %v, want %s", local, got, want)
			}
		}
	}
}

// TestNoService checks that without a name of the service, the address's domain stands
// in for it in the identity.
func TestNoService(t *testing.T) {
	h := Handler(hosting(hosted), HandlerOptions{})
	for _, address := range []string{"anna@example.se", "anna@kund.se", "anna@example.se"} {
		want, err := Document(settings(t, hosted[strings.Split(address, "@")[1]], address), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := get(h, "GET", "emailaddress="+address).Body.Bytes(); !bytes.Equal(got, want) {
			t.Errorf("profile for %s:\n%s\nwant\n%s", address, got, want)
		}
	}
}

func TestQuery(t *testing.T) {
	var query account.Query
	resolve := func(_ context.Context, q account.Query) (account.Settings, error) {
		query = q
		return account.Settings{}, account.ErrUnknownDomain
	}
	get(Handler(resolve, HandlerOptions{Service: testService}), "GET", "emailaddress=Anna@Example.SE")
	if query.Client != account.Apple || query.Host != "" || query.Address.String() != "Anna@example.se" {
		t.Errorf("query = %+v, want client apple, no host and Anna@example.se", query)
	}
}

func TestHead(t *testing.T) {
	for _, query := range []string{"emailaddress=anna@example.se", "emailaddress=x@unknown.example", ""} {
		a, b := get(testHandler(), "GET", query), get(testHandler(), "HEAD", query)
		if a.Code != b.Code || fmt.Sprint(a.Result().Header) != fmt.Sprint(b.Result().Header) || b.Body.Len() > 0 ||
			a.Body.Len() == 0 {
			t.Errorf("query %q: GET: %d %v, HEAD: %d %v %s, want the same without a body",
				query, a.Code, a.Header(), b.Code, b.Header(), b.Body)
		}
	}
}

// TestSign checks that the answer is what Sign returns, with the headers of an unsigned
// one.
func TestSign(t *testing.T) {
	query := "emailaddress=anna@example.se&name=Anna"
	plain := get(testHandler(), "GET", query)
	sign := func(profile []byte) []byte { return append([]byte("signed:"), profile...) }
	w := get(Handler(hosting(hosted), HandlerOptions{Service: testService, Sign: sign}), "GET", query)
	want := "signed:" + plain.Body.String()
	if got := w.Body.String(); got != want {
		t.Errorf("body = %q, want %q", got, want)
	}
	if got := w.Header(); got.Get("Content-Type") != MediaType || got.Get("Content-Length") != fmt.Sprint(len(want)) {
		t.Errorf("Content-Type = %q, Content-Length = %q, want %q and %d",
			got.Get("Content-Type"), got.Get("Content-Length"), MediaType, len(want))
	}
}

// FuzzQuery checks that the answer to any query is a profile for its address, or a
// refusal that does not quote it.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{
		"emailaddress=anna+tag@example.se&name=Anna+Ek&only=mail&lang=sv&device=mac", "emailaddress=a%26b@domain.se",
		"emailaddress=%EMAILADDRESS%@odd.example&name=%3C%00%E2%80%AE", "emailaddress=%22a%20b%22@example.com;name=x",
		"%zz&&==&emailaddress",
	} {
		f.Add(query)
	}
	h := testHandler()
	f.Fuzz(func(t *testing.T, query string) {
		w := get(h, "GET", query)
		switch w.Code {
		case 200:
			q, err := readRequest(query)
			if err != nil {
				t.Fatal(err)
			}
			s := settings(t, hosted[q.address.Domain()], q.address.String())
			checkProfile(t, w.Body.Bytes(), q.address.String(), CleanName(q.name))
			read, err := Read(w.Body.Bytes())
			if err != nil || read.Address != s.Address {
				t.Errorf("Read of the answer = %v, %v, want %v", read.Address, err, s.Address)
			}
			file := w.Header().Get("Content-Disposition")
			if file != `attachment; filename="`+s.Address.Domain()+`.mobileconfig"` ||
				hosted[s.Address.Domain()] == nil {
				t.Errorf("Content-Disposition = %s, want the domain %s", file, s.Address.Domain())
			}
		case 400, 404:
			if body := w.Body.String(); strings.ContainsAny(body, "<>&%\x00") || strings.Count(body, "\n") != 1 ||
				len(body) > 200 {
				t.Errorf("the refusal quotes the query or is too long: %q", body)
			}
		default:
			t.Errorf("status %d, want 200, 400 or 404", w.Code)
		}
	})
}

// FuzzDisplayName checks that any name comes out of the profile as it was cleaned.
func FuzzDisplayName(f *testing.F) {
	for _, name := range []string{"Åsa \"Öberg\" & Søn <日本> 😀", "\u202ea\x00\r\n", "%EMAILADDRESS%", "]]>&#0;",
		"\xff\ufffe\ufffd"} {
		f.Add(name)
	}
	s := settings(f, small, "anna@example.se")
	f.Fuzz(func(t *testing.T, name string) {
		clean := CleanName(name)
		if again := CleanName(clean); again != clean || len([]rune(clean)) > maxName {
			t.Errorf("CleanName(%q) = %q, which becomes %q", name, clean, again)
		}
		checkProfile(t, document(t, s, Options{Name: name}), "anna@example.se", clean)
	})
}

func BenchmarkHandler(b *testing.B) {
	h := testHandler()
	r := httptest.NewRequest("GET", "/profile.mobileconfig?emailaddress=anna@example.se&name=Anna+Ek", nil)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}
