package autodiscover

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
	"signpost/internal/golden"
)

const jsonType = "application/json; charset=utf-8"

// answerJSON returns all keys and values of an answer.
func answerJSON(t testing.TB, body []byte) map[string]string {
	t.Helper()
	var got map[string]string
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("the answer is not JSON: %v in %q", err, body)
	}
	return got
}

// TestScenariosJSON holds the scenarios of JSON, by their numbers in
// testdata/scenarios.md.
func TestScenariosJSON(t *testing.T) {
	found := func(protocol, url string) map[string]string {
		return map[string]string{"Protocol": protocol, "Url": url}
	}
	failed := func(code, message string) map[string]string {
		return map[string]string{"ErrorCode": code, "ErrorMessage": message}
	}
	const (
		query   = "/autodiscover/autodiscover.json?"
		path    = "/autodiscover/autodiscover.json/v1.0/"
		missing = "The get request sent does not match the valid format."
		pox     = "https://autodiscover.eas.example/autodiscover/autodiscover.xml"
	)
	noActiveSync := failed("InvalidProtocol",
		"The given protocol value 'ActiveSync' is invalid. Supported values are 'AutodiscoverV1'")
	for _, c := range []struct {
		scenario, target string
		status           int
		want             map[string]string
	}{
		{"8.11 query", query + "Email=anna%40eas.example&Protocol=ActiveSync&RedirectCount=1", 200,
			found("ActiveSync", easURL)},
		{"8.11 path", path + "anna@eas.example?Protocol=activesync", 200, found("ActiveSync", easURL)},
		{"8.11 path, escaped", path + "anna%40eas.example?Protocol=ActiveSync&ServerLocation=true", 200,
			found("ActiveSync", easURL)},
		{"8.11 path in any case", "/AutoDiscover/AutoDiscover.JSON/V1.0/anna+tag@eas.example/?pROTOCOL=ACTIVESYNC", 200,
			found("ActiveSync", easURL)},
		{"8.11 raw + and @", query + "email=anna+tag@eas.example&protocol=ActiveSync", 200, found("ActiveSync", easURL)},
		{"8.11 escaped names do not matter", query + "foo=%zz;&Email=100%25@eas.example&Protocol=Active%53ync", 200,
			found("ActiveSync", easURL)},
		// What cannot be read is answered for the domain behind the @, or that of Host.
		{"a bad escape", query + "Email=100%@eas.example&Protocol=ActiveSync", 200, found("ActiveSync", easURL)},
		{"escaped twice", path + "anna%2540eas.example?Protocol=ActiveSync", 200, found("ActiveSync", easURL)},
		{"escaped twice, in the query", query + "Email=anna%2540eas.example&Protocol=AutodiscoverV1", 200,
			found("AutodiscoverV1", pox)},
		{"ISO 8859-1", query + "Email=%E5sa@eas.example&Protocol=ActiveSync", 200, found("ActiveSync", easURL)},
		{"two dots", query + "Email=anna..ek@eas.example&Protocol=ActiveSync", 200, found("ActiveSync", easURL)},
		{"a domain alone", query + "Email=eas.example&Protocol=ActiveSync", 200, found("ActiveSync", easURL)},
		{"a bad address of a domain that is handed over", query + "Email=a%20b@office365.example&Protocol=ActiveSync", 400,
			failed("MandatoryParameterMissing", missing)},
		{"8.11 the first of several", query + "Email=anna@eas.example&Email=x&Protocol=ActiveSync&Protocol=x", 200,
			found("ActiveSync", easURL)},
		{"8.11 path before query", path + "anna@eas.example?Email=bo@unknown.invalid&Protocol=ActiveSync", 200,
			found("ActiveSync", easURL)},
		{"8.11 an empty path falls back", path + "?Email=anna@eas.example&Protocol=ActiveSync", 200,
			found("ActiveSync", easURL)},
		{"8.11 Autodiscoverv1", query + "Email=anna@eas.example&Protocol=Autodiscoverv1&RedirectCount=1", 200,
			found("AutodiscoverV1", pox)},
		{"8.11 AutodiscoverV1 of a domain with mail only", query + "Email=anna@EXAMPLE.com&Protocol=AutodiscoverV1", 200,
			found("AutodiscoverV1", "https://autodiscover.example.com/autodiscover/autodiscover.xml")},
		{"Rest", query + "Email=anna@ews.example&Protocol=REST", 200, found("Rest", "https://ex.hoster.example/api/anna")},
		{"Rest that is not configured", query + "Email=anna@exchange.example&Protocol=Rest", 400,
			failed("InvalidProtocol", "The given protocol value 'Rest' is invalid. Supported values are 'ActiveSync,Ews,AutodiscoverV1'")},
		{"Graph that is not configured", query + "Email=anna@ews.example&Protocol=Graph", 400,
			failed("InvalidProtocol", "The given protocol value 'Graph' is invalid. Supported values are 'Ews,Rest'")},
		{"Ews", query + "Email=anna@exchange.example&Protocol=EWS&RedirectCount=1", 200,
			found("Ews", "https://eas.hoster.example/EWS/Exchange.asmx")},
		// The client would sign in with the address.
		{"8.11 another login", query + "Email=mail@domain.se&Protocol=ActiveSync", 400,
			failed("InvalidProtocol", "The given protocol value 'ActiveSync' is invalid.")},
		{"8.11 not configured", query + "Email=anna@example.com&Protocol=ActiveSync", 400,
			failed("InvalidProtocol", "The given protocol value 'ActiveSync' is invalid. Supported values are 'AutodiscoverV1'")},
		{"no XML for a phone with another login", query + "Email=mail@domain.se&Protocol=AutodiscoverV1", 400,
			failed("InvalidProtocol", "The given protocol value 'AutodiscoverV1' is invalid.")},
		{"8.12 unknown protocol", query + "Email=anna%40exchange.example&Protocol=Substrate", 400,
			failed("InvalidProtocol", "The given protocol value 'Substrate' is invalid. Supported values are 'ActiveSync,Ews,AutodiscoverV1'")},
		{"8.12 only letters and digits come back", query + `Email=anna@example.com&Protocol=<b>'"{{7*7}}%00%0d%0aX`, 400,
			failed("InvalidProtocol", "The given protocol value 'b77X' is invalid. Supported values are 'AutodiscoverV1'")},
		{"8.12 and not many of them", query + "Email=anna@example.com&Protocol=" + strings.Repeat("a", 999), 400,
			failed("InvalidProtocol", "The given protocol value '"+strings.Repeat("a", 40)+
				"' is invalid. Supported values are 'AutodiscoverV1'")},
		{"8.12 a letter that only looks right", query + "Email=anna@eas.example&Protocol=Active%C5%BFync", 400,
			failed("InvalidProtocol", "The given protocol value 'Activeync' is invalid. Supported values are 'ActiveSync,AutodiscoverV1'")},
		{"8.12 no protocol", query + "Email=anna@example.com", 400,
			failed("MissingProtocol", "A valid value must be provided for the query parameter 'Protocol'.")},
		{"8.12 an empty protocol", path + "anna@example.com?Protocol=", 400,
			failed("MissingProtocol", "A valid value must be provided for the query parameter 'Protocol'.")},
		{"8.12 no address", query + "Protocol=ActiveSync", 400, failed("MandatoryParameterMissing", missing)},
		{"8.12 nothing", "/autodiscover/autodiscover.json", 400, failed("MandatoryParameterMissing", missing)},
		{"8.12 no address at all", query + "Email=anna&Protocol=ActiveSync", 400,
			failed("MandatoryParameterMissing", missing)},
		{"8.12 two @", query + "Email=anna@bo@example.com&Protocol=ActiveSync", 400,
			noActiveSync},
		{"8.12 NUL", query + "Email=anna%00@example.com&Protocol=ActiveSync", 400,
			noActiveSync},
		{"8.12 CR LF", query + "Email=anna%0d%0aX:y@example.com&Protocol=ActiveSync", 400,
			noActiveSync},
		{"8.12 a script", query + `Email="><script>@example.com&Protocol=ActiveSync`, 400,
			noActiveSync},
		{"8.12 a path upwards", path + "../../x@example.com?Protocol=ActiveSync", 400,
			noActiveSync},
		{"8.12 a filter", query + "Email=*)(uid=*@example.com&Protocol=ActiveSync", 400,
			noActiveSync},
		{"8.12 a long query", query + "Email=anna@example.com&Protocol=AutodiscoverV1&x=" + strings.Repeat("x", 1<<20), 400,
			failed("MandatoryParameterMissing", missing)},
		{"8.12 a long path", path + strings.Repeat("x", 1<<20) + "@example.com?Protocol=ActiveSync", 400,
			failed("MandatoryParameterMissing", missing)},
		{"8.12 unknown domain", query + "Email=anna@unknown.invalid&Protocol=ActiveSync", 404,
			failed("UserNotFound", "The email address can't be found.")},
		{"8.12 another customer's host", query + "Email=anna@wrong.example&Protocol=ActiveSync", 404,
			failed("UserNotFound", "The email address can't be found.")},
		{"a failure of DNS", query + "Email=anna@down.example&Protocol=ActiveSync", 503,
			failed("InternalServerError", "The server cannot answer now.")},
		{"8.11 too many redirections", query + "Email=anna@office365.example&Protocol=ActiveSync&RedirectCount=10", 404,
			failed("UserNotFound", "The email address can't be found.")},
		{"8.11 far too many", query + "Email=anna@office365.example&Protocol=ActiveSync&RedirectCount=99999999", 404,
			failed("UserNotFound", "The email address can't be found.")},
		{"no word to hand over", query + "Email=anna@office365.example&Protocol=x%26y", 400,
			failed("InvalidProtocol", "The given protocol value 'xy' is invalid.")},
		// Only autodiscover.xml can redirect to another address.
		{"redirected to another address", query + "Email=anna@by-address.example&Protocol=AutodiscoverV1", 200,
			found("AutodiscoverV1", "https://autodiscover.by-address.example/autodiscover/autodiscover.xml")},
	} {
		t.Run(c.scenario, func(t *testing.T) {
			// net/http reads the request line in the same way.
			u, err := url.ParseRequestURI(c.target)
			if err != nil {
				t.Fatal(err)
			}
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				r := httptest.NewRequest(method, "https://other.host.example/", nil)
				r.URL = u
				w := httptest.NewRecorder()
				JSONHandler(resolver, "").ServeHTTP(w, r)
				checkAnswer(t, w, c.status, jsonType)
				if (w.Header().Get("Retry-After") != "") != (c.status == 503) {
					t.Errorf("status %d with Retry-After %q", c.status, w.Header().Get("Retry-After"))
				}
				if method == http.MethodHead {
					if w.Body.Len() > 0 {
						t.Errorf("HEAD has the body %s", w.Body)
					}
					continue
				}
				if d := cmp.Diff(c.want, answerJSON(t, w.Body.Bytes())); d != "" {
					t.Errorf("answer (-want +got):\n%s", d)
				}
			}
		})
	}
}

// TestJSONHost checks that the URL of Autodiscover stays at the service's own name where
// the client came by that, and that no other host of a request gets into an answer.
func TestJSONHost(t *testing.T) {
	handler := JSONHandler(resolver, "setup.hoster.example")
	for host, want := range map[string]string{
		"setup.hoster.example":      "setup.hoster.example",
		"SETUP.Hoster.example.:443": "setup.hoster.example",
		"autodiscover.example.com":  "autodiscover.example.com",
		"example.com":               "autodiscover.example.com",
		"evil.example":              "autodiscover.example.com",
		"":                          "autodiscover.example.com",
	} {
		r := httptest.NewRequest(http.MethodGet,
			"/autodiscover/autodiscover.json?Email=anna%40example.com&Protocol=AutodiscoverV1", nil)
		r.Host = host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if got := answerJSON(t, w.Body.Bytes())["Url"]; got != "https://"+want+"/autodiscover/autodiscover.xml" {
			t.Errorf("asked at %q: Url is %s, want the host %s", host, got, want)
		}
	}
}

// TestRedirectCount checks that the count of redirects is carried along.
func TestRedirectCount(t *testing.T) {
	for text, want := range map[string]string{"": "1", "0": "1", "9": "10", "-5": "1", "x": "1",
		"%31": "2", "%zz": "1"} {
		w := get(JSONHandler(resolver, ""), "https://x.example/autodiscover/autodiscover.json?Email=anna@office365.example&Protocol=Ews&RedirectCount="+text)
		location, _ := answered(t, w)
		if !strings.HasSuffix(location, "&RedirectCount="+want) {
			t.Errorf("RedirectCount=%s: Location %s, want RedirectCount=%s", text, location, want)
		}
	}
}

// TestJSON checks the documents without a request.
func TestJSON(t *testing.T) {
	odd := urlServer(account.ActiveSync, "https://eas.example.com/a?b=<%EMAILDOMAIN%>&c")
	plain := urlServer(account.EWS, "http://eas.example.com/EWS/Exchange.asmx")
	a := address(t, "anna@example.com")
	s := account.Settings{Address: a, Login: a, Provider: provider(plain, odd), Servers: []account.Server{plain, odd}}
	document, err := JSON(s, "ActiveSync")
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, goldenDir+"activesync.json", document)
	if got := answerJSON(t, document)["Url"]; got != "https://eas.example.com/a?b=<example.com>&c" {
		t.Errorf("Url is %q, want it completed, once decoded", got)
	}
	if strings.ContainsAny(string(document), "<>") {
		t.Errorf("the document has unescaped angle brackets: %s", document)
	}
	for protocol, code := range map[string]Code{"Ews": InvalidProtocol, "": MissingProtocol, "IMAP": InvalidProtocol} {
		document, err := JSON(s, protocol)
		if e, ok := err.(*Error); !ok || e.Code != code || document != nil {
			t.Errorf("JSON for protocol %q = %s, %v, want error %s", protocol, document, err, code)
		}
	}
	if _, err := JSON(settings(t, "anna@office365.example"), "Ews"); err == nil ||
		!strings.Contains(err.Error(), "https://autodiscover-s.outlook.com/") {
		t.Errorf("JSON for a redirected provider: %v, want a redirect to Microsoft", err)
	}
}
