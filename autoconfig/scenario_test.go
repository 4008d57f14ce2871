package autoconfig

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"signpost/account"
)

// scenarioService resolves like the directory of a hoster: example.com and other
// domains of its own, customer.net by its MX record, other.example of another
// customer. It stores the last query.
type scenarioService struct{ asked account.Query }

func (s *scenarioService) resolve(_ context.Context, q account.Query) (account.Settings, error) {
	s.asked = q
	host := strings.TrimPrefix(strings.ToLower(q.Host), "autoconfig.")
	hosted := map[string]*account.Provider{
		"example.com":           standard,
		"xn--bcher-kva.example": standard,
		"pop.example":           popOnly,
		"both.example":          mamutPOP,
		"local.example":         localPart,
		"composite.example":     composite,
		"oauth.example":         oAuth2Domain,
		"other.example":         onecom,
		"domain.se":             mamutPOP,
		"in.hoster.example":     standard, // the same settings for all customers
	}
	a := q.Address
	if a.IsZero() {
		a = account.AnyAt(host)
	}
	provider, ok := hosted[a.Domain()]
	lookup := ""
	switch {
	case a.Domain() == "customer.net":
		provider, ok = standard, true
		if host == "hoster.example" || host == "in.hoster.example" {
			lookup = host
		}
	case a.Domain() == "broken.example":
		return account.Settings{}, errors.New("lookup broken.example on 192.0.2.1:53: i/o timeout")
	case !ok:
		return account.Settings{}, account.ErrUnknownDomain
	}
	set := settings(provider, a)
	set.LookupDomain = lookup
	switch a.String() {
	case "mail@domain.se":
		set = settings(mamutBusiness, a)
	case "info@example.com": // an alias whose login is not its address
		set.Custom = true
		set.Servers = nil
		for _, server := range provider.Servers {
			server.Login.Username = "u67578"
			set.Servers = append(set.Servers, server)
		}
	}
	return set, nil
}

var standard = &account.Provider{
	ID: "standard", DisplayName: "Example Mail", DisplayShortName: "Example",
	Servers: []account.Server{
		server(account.IMAP, "imap.example.com", 993, account.SSL),
		server(account.SMTP, "smtp.example.com", 465, account.SSL),
	},
}

var popOnly = &account.Provider{
	ID: "pop-only", DisplayName: "POP", DisplayShortName: "POP",
	Servers: []account.Server{
		server(account.POP3, "pop.example.com", 110, account.STARTTLS),
		server(account.SMTP, "smtp.example.com", 587, account.STARTTLS),
	},
}

var oAuth2Domain = &account.Provider{
	ID: "oauth", DisplayName: "OAuth", DisplayShortName: "OAuth",
	Servers: []account.Server{
		with(server(account.IMAP, "imap.example.com", 993, account.SSL), oAuth2First),
		with(server(account.SMTP, "smtp.example.com", 465, account.SSL), oAuth2First),
	},
	OAuth2: &account.OAuth2{
		Issuer: "https://login.example.com", Scopes: []string{"imap", "smtp"},
		AuthURL: "https://login.example.com/auth", TokenURL: "https://login.example.com/token",
	},
}

const (
	imapSection = `<incomingServer type="imap">
      <hostname>imap.example.com</hostname>
      <port>993</port>
      <socketType>SSL</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </incomingServer>`
	smtpSection = `<outgoingServer type="smtp">
      <hostname>smtp.example.com</hostname>
      <port>465</port>
      <socketType>SSL</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </outgoingServer>`
	isp       = "/mail/config-v1.1.xml"
	wellKnown = "/.well-known/autoconfig/mail/config-v1.1.xml"
)

// TestScenarios holds the requests that real clients send and what each of them can
// use. The numbers are those of testdata/scenarios.md.
func TestScenarios(t *testing.T) {
	standardAnswer := []string{`<emailProvider id="example.com">`,
		"<domain>example.com</domain>\n    <displayName>Example Mail</displayName>", imapSection, smtpSection}
	for _, row := range []struct {
		name   string
		method string // GET
		url    string // host and path
		query  string // raw
		status int    // 200
		wants  []string
		lacks  []string
		asked  string // address that the resolver is asked about
		// What it is asked about besides; the host is that of the URL where none is given.
		wantHost, wantMD5 string
	}{
		{name: "1 Thunderbird", url: "autoconfig.example.com" + isp, query: "emailaddress=fred%40example.com",
			wants: standardAnswer, asked: "fred@example.com"},
		{
			name: "2 POP3 only", url: "autoconfig.pop.example" + isp, query: "emailaddress=fred%40pop.example",
			asked: "fred@pop.example",
			wants: []string{"<incomingServer type=\"pop3\">\n      <hostname>pop.example.com</hostname>\n      <port>110</port>\n      <socketType>STARTTLS</socketType>", "<port>587</port>\n      <socketType>STARTTLS</socketType>"},
			lacks: []string{"imap"},
		},
		{
			name: "3 IMAP and POP3", url: "autoconfig.both.example" + isp, query: "emailaddress=fred%40both.example",
			asked: "fred@both.example",
			wants: []string{"</displayShortName>\n    <incomingServer type=\"imap\">",
				"</incomingServer>\n    <incomingServer type=\"pop3\">", "</incomingServer>\n    <outgoingServer type=\"smtp\">"},
		},
		{
			name: "4 by the MX host", url: "autoconfig.in.hoster.example" + isp, query: "emailaddress=u%40customer.net",
			asked: "u@customer.net",
			wants: []string{`<emailProvider id="customer.net">`,
				"<domain>customer.net</domain>\n    <domain>in.hoster.example</domain>\n    <displayName>", imapSection},
		},
		{name: "4 by the MX host's domain", url: "autoconfig.hoster.example" + isp, query: "emailaddress=u%40customer.net",
			wants: []string{"<domain>customer.net</domain>\n    <domain>hoster.example</domain>\n    <displayName>"},
			asked: "u@customer.net"},
		{name: "4 unknown customer", url: "autoconfig.in.hoster.example" + isp, query: "emailaddress=u%40stranger.net",
			status: 404, asked: "u@stranger.net"},
		{name: "5 by the MX host, without address, all the same", url: "autoconfig.in.hoster.example" + isp,
			wants: []string{`<emailProvider id="in.hoster.example">`, imapSection}},
		{name: "5 by the MX host, without address, customers differ", url: "autoconfig.hoster.example" + isp, status: 404},
		{name: "6 without address", url: "autoconfig.example.com" + isp, wants: standardAnswer},
		{name: "6 without address, local part", url: "autoconfig.local.example" + isp,
			wants: []string{"<username>%EMAILLOCALPART%</username>"}},
		// No single placeholder that all clients know can express this name. Most
		// clients complete one of several parts, and for the others a 404 would
		// be no better.
		{name: "6 without address, composite", url: "autoconfig.composite.example" + isp,
			wants: []string{`<username>hosting01\%EMAILLOCALPART%_composite.example</username>`}},
		{name: "6 an empty parameter is none", url: "autoconfig.example.com" + isp, query: "emailaddress=",
			wants: standardAnswer},
		{name: "7 well-known", url: "example.com" + wellKnown, wants: standardAnswer},
		{name: "7 well-known with address", url: "example.com" + wellKnown, query: "emailaddress=fred%40example.com",
			wants: standardAnswer, asked: "fred@example.com"},
		{name: "8 case", url: "autoconfig.example.com" + isp, query: "emailaddress=Fred.Smith%40EXAMPLE.COM",
			wants: standardAnswer, lacks: []string{"Fred", "fred"}, asked: "Fred.Smith@example.com"},
		{name: "8 case kept where it shows", url: "autoconfig.composite.example" + isp,
			query: "emailaddress=Fred.Smith%40Composite.EXAMPLE",
			wants: []string{`<username>hosting01\Fred.Smith_composite.example</username>`},
			asked: "Fred.Smith@composite.example"},
		{name: "9 raw plus", url: "autoconfig.example.com" + isp, query: "emailaddress=fred+tag@example.com",
			wants: standardAnswer, asked: "fred+tag@example.com"},
		{name: "9 encoded plus", url: "autoconfig.example.com" + isp, query: "emailaddress=fred%2Btag%40example.com",
			wants: standardAnswer, asked: "fred+tag@example.com"},
		{name: "10 U-label, encoded", url: "autoconfig.xn--bcher-kva.example" + isp,
			query: "emailaddress=fred%40b%C3%BCcher.example",
			wants: []string{`<emailProvider id="xn--bcher-kva.example">`, "<domain>xn--bcher-kva.example</domain>"},
			lacks: []string{"ü"}, asked: "fred@xn--bcher-kva.example"},
		{name: "10 U-label, raw", url: "autoconfig.xn--bcher-kva.example" + isp, query: "emailaddress=fred@bücher.example",
			wants: []string{"<domain>xn--bcher-kva.example</domain>"}, lacks: []string{"ü"},
			asked: "fred@xn--bcher-kva.example"},
		{name: "10 A-label", url: "autoconfig.xn--bcher-kva.example" + isp,
			query: "emailaddress=fred%40XN--BCHER-KVA.example", wants: []string{"<domain>xn--bcher-kva.example</domain>"},
			asked: "fred@xn--bcher-kva.example"},
		{name: "11 UTF-8 local part", url: "autoconfig.example.com" + isp,
			query: "emailaddress=%E7%94%A8%E6%88%B7%40example.com", wants: standardAnswer, asked: "用户@example.com"},
		{name: "11 UTF-8 local part, NFC", url: "autoconfig.composite.example" + isp,
			query: "emailaddress=e%CC%81%40composite.example",
			wants: []string{`<username>hosting01\é_composite.example</username>`}, asked: "é@composite.example"},
		// What cannot be read is answered for the domain that is told: by the part behind
		// the @, or else by the host.
		{name: "11 not UTF-8", url: "autoconfig.hoster.example" + isp, query: "emailaddress=%E7%94%40example.com",
			wants: standardAnswer, asked: account.EmailAddress},
		{name: "11 ISO 8859-1", url: "autoconfig.example.com" + isp, query: "emailaddress=%E5sa%40example.com",
			wants: standardAnswer, asked: "åsa@example.com"},
		{name: "two dots", url: "autoconfig.composite.example" + isp, query: "emailaddress=anna..ek%40composite.example",
			wants: []string{"anna..ek_composite.example"}, asked: "anna..ek@composite.example"},
		{name: "a dot before the @", url: "autoconfig.composite.example" + isp,
			query: "emailaddress=anna.%40composite.example", wants: []string{"anna._composite.example"},
			asked: "anna.@composite.example"},
		{name: "two dots and a path", url: "autoconfig.composite.example" + isp,
			query: "emailaddress=..%2Fx%40composite.example",
			wants: []string{`%EMAILLOCALPART%_composite.example`}, asked: account.EmailAddress},
		{name: "the domain only", url: "autoconfig.other.example" + isp, query: "emailaddress=example.com",
			wants: standardAnswer, wantHost: "example.com"},
		{name: "the user name only", url: "autoconfig.example.com" + isp, query: "emailaddress=anna",
			wants: standardAnswer},
		{name: "12 everything encoded, Delta Chat", url: "autoconfig.composite.example" + isp,
			query: "emailaddress=fred%40composite%2Eexample", wants: []string{"fred_composite.example"},
			lacks: []string{"%2E"}, asked: "fred@composite.example"},
		{name: "12 bad escape", url: "autoconfig.example.com" + isp, query: "emailaddress=fred%zz@example.com",
			wants: standardAnswer, asked: account.EmailAddress},
		{name: "12 cut escape", url: "autoconfig.example.com" + isp, query: "emailaddress=fred@example.com%4",
			wants: standardAnswer},
		{name: "12 a template that was not filled in", url: "autoconfig.example.com" + isp,
			query: "emailaddress=%EMAILADDRESS%", wants: standardAnswer},
		{name: "12 the same, escaped", url: "autoconfig.example.com" + isp,
			query: "emailaddress=%25EMAILADDRESS%25", wants: standardAnswer},
		{name: "12 bad escape in another parameter", url: "autoconfig.example.com" + isp,
			query: "x=%zz&emailaddress=fred@example.com&y=%", wants: standardAnswer, asked: "fred@example.com"},
		{name: "12 semicolon", url: "autoconfig.example.com" + isp, query: "emailaddress=fred@example.com;x=y",
			wants: standardAnswer},
		{name: "12 duplicates, the first", url: "autoconfig.example.com" + isp,
			query: "EmailAddress=fred@example.com&emailaddress=x@other.example", wants: standardAnswer,
			asked: "fred@example.com"},
		{name: "12 encoded twice", url: "autoconfig.example.com" + isp, query: "emailaddress=fred%2540example.com",
			wants: standardAnswer, asked: "fred@example.com"},
		{name: "12 a percent sign in the address", url: "autoconfig.composite.example" + isp,
			query: "emailaddress=fred%252Ejr@composite.example", wants: []string{"fred%2Ejr_composite.example"},
			asked: "fred%2Ejr@composite.example"},
		{name: "13 unknown domain", url: "autoconfig.unknown.example" + isp, query: "emailaddress=fred@unknown.example",
			status: 404, asked: "fred@unknown.example"},
		{name: "13 unknown domain without address", url: "autoconfig.unknown.example" + isp, status: 404},
		{name: "14 parameter decides", url: "autoconfig.example.com" + isp, query: "emailaddress=fred@both.example",
			wants: []string{"<domain>both.example</domain>\n    <displayName>"}, asked: "fred@both.example"},
		{name: "14 another customer's host", url: "autoconfig.other.example" + isp, query: "emailaddress=fred@example.com",
			wants: standardAnswer, asked: "fred@example.com"},
		{name: "15 unknown mailbox", url: "autoconfig.example.com" + isp,
			query: "emailaddress=nobody-of-that-name@example.com", wants: standardAnswer, lacks: []string{"nobody"},
			asked: "nobody-of-that-name@example.com"},
		{name: "16 alias with a login of its own", url: "autoconfig.example.com" + isp,
			query: "emailaddress=info@example.com",
			wants: []string{"<username>u67578</username>\n    </incomingServer>",
				"<username>u67578</username>\n    </outgoingServer>"}, asked: "info@example.com"},
		// A form encodes a space as a plus sign, which is a plus sign here. The
		// answer has a placeholder in both cases.
		{name: "17 quoted local part", url: "autoconfig.example.com" + isp, query: "emailaddress=%22a%20b%22%40example.com",
			wants: standardAnswer, asked: `"a b"@example.com`},
		{name: "17 quoted local part by a form", url: "autoconfig.example.com" + isp,
			query: "emailaddress=%22a+b%22%40example.com", wants: standardAnswer, asked: `a+b@example.com`},
		{name: "17 & and '", url: "autoconfig.composite.example" + isp,
			query: "emailaddress=o'neil%26co%40composite.example",
			wants: []string{`<username>hosting01\o'neil&amp;co_composite.example</username>`},
			asked: "o'neil&co@composite.example"},
		{name: "17 & unencoded cuts the address", url: "autoconfig.example.com" + isp,
			query: "emailaddress=a&b@example.com", wants: standardAnswer},
		{name: "18 emailmd5", url: "autoconfig.example.com" + isp,
			query: "emailaddress=fred%40example.com&emailmd5=0123456789abcdef", wants: standardAnswer,
			asked: "fred@example.com"},
		{name: "18 EVOLUTIONUSER with a sum", url: "autoconfig.composite.example" + isp,
			query: "emailaddress=EVOLUTIONUSER%40composite.example&emailmd5=900150983CD24FB0d6963f7d28e17f72",
			wants: []string{`<username>hosting01\%EMAILLOCALPART%_composite.example</username>`},
			asked: account.EmailAddress, wantMD5: "900150983cd24fb0d6963f7d28e17f72"},
		{name: "18 EVOLUTIONUSER", url: "autoconfig.composite.example" + isp,
			query: "emailaddress=EVOLUTIONUSER@composite.example&emailmd5=0123456789abcdef",
			wants: []string{`<username>hosting01\%EMAILLOCALPART%_composite.example</username>`},
			lacks: []string{"EVOLUTIONUSER"}, asked: account.EmailAddress},
		{name: "19 HEAD", method: http.MethodHead, url: "autoconfig.example.com" + isp,
			query: "emailaddress=fred%40example.com", asked: "fred@example.com"},
		{name: "19 HEAD of nothing", method: http.MethodHead, url: "autoconfig.unknown.example" + isp, status: 404},
		{name: "19 POST", method: http.MethodPost, url: "autoconfig.example.com" + isp, status: 405},
		{name: "19 OPTIONS", method: http.MethodOptions, url: "autoconfig.example.com" + isp, status: 405},
		{name: "19 PROPFIND", method: "PROPFIND", url: "autoconfig.example.com" + isp, status: 405},
		{name: "19 other path", url: "autoconfig.example.com/mail/config-v1.2.xml", status: 404},
		{name: "19 other path by POST", method: http.MethodPost, url: "autoconfig.example.com/mail/", status: 404},
		{name: "19 trailing slash", url: "autoconfig.example.com" + isp + "/", status: 404},
		{name: "19 path in any case", url: "autoconfig.example.com/MAIL/Config-V1.1.XML", wants: standardAnswer},
		{name: "19 well-known in any case", url: "autoconfig.example.com/.Well-Known/AutoConfig/mail/config-v1.1.xml",
			wants: standardAnswer},
		{
			name: "20 OAuth2", url: "autoconfig.oauth.example" + isp,
			wants: []string{"<authentication>OAuth2</authentication>\n      <authentication>password-cleartext</authentication>", "<oAuth2>\n    <issuer>https://login.example.com</issuer>\n    <scope>imap smtp</scope>\n    <authURL>https://login.example.com/auth</authURL>\n    <tokenURL>https://login.example.com/token</tokenURL>\n  </oAuth2>"},
		},
		{name: "ISPDB's form", url: "192.0.2.1:8080/v1.1/example.com", wants: standardAnswer, wantHost: "example.com"},
		{name: "ISPDB's form in capitals", url: "localhost/V1.1/EXAMPLE.COM.", wants: standardAnswer,
			wantHost: "example.com"},
		{name: "ISPDB's form, U-label", url: "localhost/v1.1/b%C3%BCcher.example",
			wants: []string{"<domain>xn--bcher-kva.example</domain>"}, wantHost: "xn--bcher-kva.example"},
		{name: "ISPDB's form with address", url: "localhost/v1.1/example.com", query: "emailaddress=info@example.com",
			wants: []string{"u67578"}, asked: "info@example.com"},
		{name: "ISPDB's form with another domain's address", url: "localhost/v1.1/example.com",
			query: "emailaddress=fred@both.example", wants: standardAnswer, wantHost: "example.com"},
		{name: "ISPDB's form with a bad address", url: "localhost/v1.1/example.com", query: "emailaddress=fred",
			wants: standardAnswer, wantHost: "example.com"},
		{name: "ISPDB's form, unknown", url: "localhost/v1.1/unknown.example", status: 404, wantHost: "unknown.example"},
		{name: "ISPDB's form, no domain", url: "autoconfig.example.com/v1.1/", status: 404},
		{name: "ISPDB's form, not a domain", url: "autoconfig.example.com/v1.1/a%20b", status: 404},
		{name: "ISPDB's form, deeper", url: "autoconfig.example.com/v1.1/example.com/x", status: 404},
		{name: "Mamut, POP product", url: "autoconfig.domain.se" + isp, query: "emailaddress=info@domain.se",
			wants: []string{"<displayName>Mamut E-post</displayName>", "<port>993</port>", "<port>995</port>",
				"<port>587</port>\n      <socketType>STARTTLS</socketType>", "%EMAILADDRESS%"}, asked: "info@domain.se"},
		{name: "Mamut, Business Mail has ActiveSync alone", url: "autoconfig.domain.se" + isp,
			query: "emailaddress=mail@domain.se", status: 404, asked: "mail@domain.se"},
		{name: "DNS is down", url: "autoconfig.broken.example" + isp, query: "emailaddress=fred@broken.example",
			status: 503, asked: "fred@broken.example"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var service scenarioService
			method, status := row.method, row.status
			if method == "" {
				method = http.MethodGet
			}
			if status == 0 {
				status = http.StatusOK
			}
			w := ask(t, Handler(service.resolve), method, row.url, row.query)
			body := w.Body.String()
			if w.Code != status {
				t.Fatalf("status %d, want %d: %s", w.Code, status, body)
			}
			if got := service.asked.Address.String(); got != row.asked {
				t.Errorf("the resolver got address %q, want %q", got, row.asked)
			}
			if status == 200 || row.asked != "" {
				host, path, _ := strings.Cut(row.url, "/")
				host = cmp.Or(row.wantHost, host)
				if service.asked.Host != host || service.asked.Client != account.Thunderbird {
					t.Errorf("the resolver got host %q and client %q, want %q and thunderbird",
						service.asked.Host, service.asked.Client, host)
				}
				// A client that sends a text knows its address. Of the URLs without, only
				// this one is asked before another that has the address.
				named := row.asked != "" && row.asked != account.EmailAddress || row.wantMD5 != ""
				fallback := !named &&
					(sentAddress.MatchString(row.query) || !strings.EqualFold(path, "mail/config-v1.1.xml"))
				if service.asked.Fallback != fallback {
					t.Errorf("the resolver got the fallback %v, want %v", service.asked.Fallback, fallback)
				}
			}
			want := cmp.Or(row.wantMD5, strings.Repeat("0", 32))
			if got := hex.EncodeToString(service.asked.MD5[:]); got != want {
				t.Errorf("the resolver got the MD5 sum %s, want %s", got, want)
			}
			for _, want := range row.wants {
				if !strings.Contains(body, want) {
					t.Errorf("the answer lacks\n%s\nin\n%s", want, body)
				}
			}
			for _, unwanted := range append(row.lacks, "timeout", "192.0.2") {
				if strings.Contains(body, unwanted) {
					t.Errorf("the answer has %q:\n%s", unwanted, body)
				}
			}
			personal := strings.Contains(row.query, "mailaddress=") && !strings.HasSuffix(row.query, "mailaddress=")
			checkAnswer(t, w, method, status, personal)
		})
	}
}

// checkAnswer checks what all answers have in common.
func checkAnswer(t *testing.T, w *httptest.ResponseRecorder, method string, status int, personal bool) {
	t.Helper()
	contentType, cache := "text/plain; charset=utf-8", "no-store"
	if status == 200 {
		contentType = "text/xml; charset=utf-8"
		if !personal {
			cache = "private, max-age=300"
		}
		if method != http.MethodHead {
			if found := traps(w.Body.Bytes()); found != nil {
				t.Errorf("the document has what some reader cannot read: %q", found)
			}
		}
	} else if w.Body.Len() > 100 {
		t.Errorf("an error has %d bytes, want at most 100", w.Body.Len())
	}
	retry, allow := "", ""
	switch status {
	case 405:
		allow = "GET, HEAD"
		if got := w.Body.String(); got != "only GET and HEAD\n" {
			t.Errorf("the text of the refusal is %q", got)
		}
	case 503:
		retry = "30"
	}
	h := w.Header()
	for name, want := range map[string]string{"Content-Type": contentType, "Cache-Control": cache, "Retry-After": retry,
		"Allow": allow} {
		if got := h.Get(name); got != want {
			t.Errorf("header %s is %q, want %q", name, got, want)
		}
	}
	length := h.Get("Content-Length")
	switch {
	case method == http.MethodHead:
		if n, err := strconv.Atoi(length); w.Body.Len() != 0 || err != nil || n == 0 {
			t.Errorf("HEAD: body of %d bytes, Content-Length %q, want no body and its length", w.Body.Len(), length)
		}
	case length != strconv.Itoa(w.Body.Len()): // some clients cannot read chunks
		t.Errorf("Content-Length is %q, want %d", length, w.Body.Len())
	}
}

// ask sends a request with the raw query.
func ask(t testing.TB, handler http.Handler, method, hostAndPath, query string) *httptest.ResponseRecorder {
	t.Helper()
	u, err := url.Parse("http://" + hostAndPath)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(method, "http://example.com/", nil)
	r.URL, r.Host = u, u.Host
	r.URL.RawQuery = query
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

// TestRefusals checks what a person reads who looks into why a client got nothing.
func TestRefusals(t *testing.T) {
	for _, row := range []struct {
		err    error
		status int
		text   string
	}{
		{errNotFound, 404, "not found"},
		{account.ErrUnknownDomain, 404, "no settings for this domain"},
		{ErrNotDescribable, 404, "no settings for this kind of client"},
		{account.ErrAddressRequired, 404, "no settings for this domain"},
		{errors.New("the database is down"), 503, "the settings cannot be looked up now"},
	} {
		w := httptest.NewRecorder()
		refuse(w, httptest.NewRequest(http.MethodGet, "/", nil), row.err)
		if w.Code != row.status || w.Body.String() != row.text+"\n" {
			t.Errorf("refuse(%v): status %d, %q, want %d, %q", row.err, w.Code, w.Body, row.status, row.text+"\n")
		}
	}
}

// sentAddress matches a query with a text in the parameter for the address.
var sentAddress = regexp.MustCompile(`(?i)(^|&)emailaddress=[^&]`)
