package autodiscover

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
)

// utf16LE returns the text in UTF-16, with or without a byte order mark.
func utf16LE(text string, mark bool) string {
	var b bytes.Buffer
	if mark {
		b.WriteString("\xff\xfe")
	}
	for _, c := range utf16.Encode([]rune(text)) {
		b.Write([]byte{byte(c), byte(c >> 8)})
	}
	return b.String()
}

// hostile are bodies that no client sends, with the code of the answer. The answer
// to one that is too large is 413, to any other exactly the document of the error,
// which quotes neither the body nor the parser.
var hostile = []struct {
	name, body string
	code       Code // empty: 413
}{
	{"empty", "", InvalidRequest},
	{"white space", " \r\n\t", InvalidRequest},
	{"words", "anna@example.com", InvalidRequest},
	{"a form", "EMailAddress=anna%40example.com", InvalidRequest},
	{"JSON", `{"EMailAddress":"anna@example.com"}`, InvalidRequest},
	{"truncated", pox("anna@example.com", nsOutlook)[:200], InvalidRequest},
	{"truncated in a tag", `<Autodiscover><Requ`, InvalidRequest},
	{"closed too often", pox("anna@example.com", nsOutlook) + "</Autodiscover>", InvalidRequest},
	{"closed in the wrong order", `<Autodiscover><Request></Autodiscover></Request>`, InvalidRequest},
	{"two roots", pox("anna@example.com", nsOutlook) + "<x/>", InvalidRequest},
	{"words after the root", pox("anna@example.com", nsOutlook) + "words", InvalidRequest},
	{"only a declaration", `<?xml version="1.0"?>`, InvalidRequest},
	{"XML 1.1", strings.Replace(pox("anna@example.com", nsOutlook), "1.0", "1.1", 1), InvalidRequest},
	{"another root", `<Envelope><Request><EMailAddress>anna@example.com</EMailAddress></Request></Envelope>`,
		InvalidRequest},
	{"no Request", `<Autodiscover xmlns="` + nsOutlookRequest + `"><EMailAddress>anna@example.com</EMailAddress></Autodiscover>`, InvalidRequest},
	{"not UTF-8", pox("\xe5ke@example.com", nsOutlook), InvalidRequest},
	{"Latin-1, and it says so", strings.Replace(pox("\xe5ke@example.com", nsOutlook), "utf-8", "iso-8859-1", 1),
		InvalidRequest},
	{"UTF-16 cut in a character", utf16LE(pox("anna@example.com", nsOutlook), true) + "\n", InvalidRequest},
	{"UTF-16 with half a surrogate pair", utf16LE(pox("anna", nsOutlook), true) + "\x00\xd8", InvalidRequest},
	{"UTF-16 in an address, half a surrogate pair",
		strings.Replace(utf16LE(pox("annaX@example.com", nsOutlook), true), "X\x00", "\x00\xd8", 1), InvalidRequest},
	{"UTF-16 with a document type", utf16LE("<!DOCTYPE x>"+pox("anna@example.com", nsOutlook), true), InvalidRequest},
	{"UTF-16 as many tags as fit", utf16LE(strings.Repeat("<a/>", 1000), true), InvalidRequest},
	{"UTF-16 without a mark", utf16LE(pox("anna@example.com", nsOutlook), false), InvalidRequest},
	{"10 MB in a comment", "<!--" + strings.Repeat("x", 10<<20) + "-->" + pox("anna@example.com", nsOutlook), ""},
	{"10 MB address", pox(strings.Repeat("x", 10<<20)+"@example.com", nsOutlook), ""},
	{"one byte too many", pad(pox("anna@example.com", nsOutlook), MaxBody+1), ""},
	{"100,000 nested tags", strings.Repeat("<a>", 100_000), ""},
	{"as many nested tags as fit", strings.Repeat("<a>", MaxBody/3), InvalidRequest},
	{"tags too deep", envelope(nsOutlookRequest, "<EMailAddress>anna@example.com</EMailAddress>"+strings.Repeat("<a>", 50)+strings.Repeat("</a>", 50)), InvalidRequest},
	{"as many tags as fit", envelope(nsOutlookRequest, "<EMailAddress>anna@example.com</EMailAddress>"+strings.Repeat("<a/>", 1900)), InvalidRequest},
	{"as many attributes as fit", "<Autodiscover" + strings.Repeat(" a=''", 1600) + "/>", InvalidRequest},
	{"as many comments as fit in a text", pox(strings.Repeat("<!---->", 1000), nsOutlook), InvalidRequest},
	{"an entity bomb", `<!DOCTYPE x [<!ENTITY a "` + strings.Repeat("ha", 500) + `"><!ENTITY b "` + strings.Repeat("&a;", 100) + `">]>` + pox("&b;", nsOutlook), InvalidRequest},
	{"a small entity", `<!DOCTYPE x [<!ENTITY a "anna@example.com">]>` + pox("&a;", nsOutlook), InvalidRequest},
	{"an external entity", `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + pox("&a;@example.com", nsOutlook),
		InvalidRequest},
	{"an external document type", `<!DOCTYPE x SYSTEM "http://attacker.example/x.dtd">` + pox("anna@example.com", nsOutlook), InvalidRequest},
	{"an unknown entity", pox("&nbsp;anna@example.com", nsOutlook), InvalidRequest},
	{"two Request elements", "<Autodiscover>" + strings.Repeat("<Request><EMailAddress>anna@example.com</EMailAddress></Request>", 2) + "</Autodiscover>", InvalidRequest},
	{"two addresses", pox("anna@example.com</EMailAddress><EMailAddress>bo@example.com", nsOutlook), InvalidRequest},
	{"two schemas", pox("anna@example.com", nsOutlook+"</AcceptableResponseSchema><AcceptableResponseSchema>"+nsMobileSync), InvalidRequest},
	{"a schema in the place of another", pox("anna@example.com", `x" onload="alert(1)`), NotAvailable},
	{"a schema with a script", envelope(nsOutlookRequest, `<EMailAddress>anna@example.com</EMailAddress><AcceptableResponseSchema>"&gt;&lt;script&gt;</AcceptableResponseSchema>`), NotAvailable},
	{"a schema with elements", pox("anna@example.com", "<b/>"+nsOutlook), InvalidRequest},
	{"a schema before an element", pox("anna@example.com", nsOutlook+"<b/>"), InvalidRequest},
	{"an address before an element", pox("anna@example.com<b/>", nsOutlook), InvalidRequest},
	{"a LegacyDN before an element", envelope(nsOutlookRequest, "<LegacyDN>/o=Org<b/></LegacyDN>"), InvalidRequest},
	{"no address", pox("", nsOutlook), InvalidRequest},
	{"two @", pox("anna@bo@example.com", nsOutlook), InvalidRequest},
	{"NUL", pox("anna\x00@example.com", nsOutlook), InvalidRequest},
	{"NUL by number", pox("anna&#0;@example.com", nsOutlook), InvalidRequest},
	{"a control character by number", pox("anna&#27;@example.com", nsOutlook), InvalidRequest},
	{"CR LF", pox("anna\r\nX-Header: y@example.com", nsOutlook), InvalidRequest},
	{"CR LF by number", pox("anna&#13;&#10;@example.com", nsOutlook), InvalidRequest},
	{"<b>", pox("<b>anna</b>@example.com", nsOutlook), InvalidRequest},
	{"<b>, escaped", pox("&lt;b&gt;@example.com", nsOutlook), InvalidRequest},
	{"<b>, in CDATA", pox("<![CDATA[<b>@example.com]]>", nsOutlook), InvalidRequest},
	{"a script", pox("&quot;&gt;&lt;script&gt;@example.com", nsOutlook), InvalidRequest},
	{"a path upwards", pox("../../x@example.com", nsOutlook), InvalidRequest},
	{"a filter", pox("*)(uid=*@example.com", nsOutlook), InvalidRequest},
	{"an IP address", pox("anna@[127.0.0.1]", nsOutlook), InvalidRequest},
	{"a long address", pox(strings.Repeat("x", 4000)+"@example.com", nsOutlook), InvalidRequest},
	{"a domain that is none", pox("anna@example..com", nsOutlook), InvalidRequest},
	{"a placeholder as address", pox(account.EmailAddress, nsOutlook), InvalidRequest},
}

// pad lengthens a text with spaces.
func pad(text string, length int) string {
	return text + strings.Repeat(" ", length-len(text))
}

// TestHostileBodies checks the answers to hostile, sent with a length and in chunks.
func TestHostileBodies(t *testing.T) {
	handler := XMLHandler(func(context.Context, account.Query) (account.Settings, error) {
		t.Error("the handler called the resolver")
		return account.Settings{}, account.ErrUnknownDomain
	}, false)
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			for _, unsized := range []bool{false, true} {
				var body io.Reader = strings.NewReader(c.body)
				if unsized {
					body = io.MultiReader(body) // hides the length, as chunks do
				}
				w := serve(handler, http.MethodPost, "https://example.com/autodiscover/autodiscover.xml", body)
				if c.code == "" {
					checkAnswer(t, w, http.StatusRequestEntityTooLarge, "text/plain; charset=utf-8")
					if w.Body.String() != "Request Entity Too Large\n" {
						t.Errorf("the body of 413 is %.200q", w.Body)
					}
					continue
				}
				checkAnswer(t, w, http.StatusOK, xmlType)
				if d := cmp.Diff(errorDocument(c.code), atTestTime(w.Body)); d != "" {
					t.Errorf("answer (-want +got):\n%s", d)
				}
			}
		})
	}
}

// TestExactlyTheLimit checks that a body of MaxBody bytes is read.
func TestExactlyTheLimit(t *testing.T) {
	w := post(XMLHandler(resolver, false), pad(pox("anna@example.com", nsOutlook), MaxBody))
	checkAnswer(t, w, http.StatusOK, xmlType)
	if got := fields(t, w.Body.String(), "Account/Action")[0]; got != "settings" {
		t.Errorf("Action is %q, want settings, in\n%s", got, w.Body)
	}
}

// TestHostileMemory limits what a body can cost. It measures allocation and not
// time: time follows it, and the clock of a busy machine proves nothing.
func TestHostileMemory(t *testing.T) {
	const limit = 256 << 10
	handler := XMLHandler(resolver, false)
	for _, c := range hostile {
		r := httptest.NewRequest(http.MethodPost, "https://example.com/autodiscover/autodiscover.xml", nil)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(c.body)), -1
		w := httptest.NewRecorder()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		handler.ServeHTTP(w, r)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > limit {
			t.Errorf("%s: %d bytes allocated, want at most %d", c.name, got, limit)
		}
	}
}

// TestOddAddresses checks that addresses that look hostile are answered like any
// other, and are escaped in the answer.
func TestOddAddresses(t *testing.T) {
	handler := XMLHandler(resolver, false)
	for _, c := range []struct{ sent, address, raw string }{
		{"%s%d@example.com", "%s%d@example.com", "%s%d@example.com"},
		{"{{7*7}}@example.com", "{{7*7}}@example.com", "{{7*7}}@example.com"},
		{"%EMAILLOCALPART%@example.com", "%EMAILLOCALPART%@example.com", "%EMAILLOCALPART%@example.com"},
		{"o'neil&amp;co@example.com", "o'neil&co@example.com", "o&apos;neil&amp;co@example.com"},
		{"&quot;&lt;b&gt;&quot;@example.com", `"<b>"@example.com`, "&quot;&lt;b&gt;&quot;@example.com"},
		{"Åke@example.com", "Åke@example.com", "Åke@example.com"},
		{"kalle@EXAMPLE.com.", "kalle@example.com", "kalle@example.com"},
	} {
		for range 2 { // the second answer comes from the caches
			w := post(handler, pox(c.sent, nsOutlook))
			checkAnswer(t, w, http.StatusOK, xmlType)
			got := fields(t, w.Body.String(), "User/AutoDiscoverSMTPAddress", "Account/Protocol[1]/LoginName")
			if d := cmp.Diff([]string{c.address, c.address}, got); d != "" {
				t.Errorf("answer for %s (-want +got):\n%s", c.sent, d)
			}
			if strings.Count(w.Body.String(), ">"+c.raw+"<") != 4 {
				t.Errorf("answer for %s does not have %s four times:\n%s", c.sent, c.raw, w.Body)
			}
		}
	}
}

// TestHostIsNotRepeated checks that the answer to a POST does not depend on the host
// and does not repeat it.
func TestHostIsNotRepeated(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "https://evil.example/autodiscover/autodiscover.xml",
		strings.NewReader(pox("anna@example.com", nsOutlook)))
	r.Header.Set("X-Forwarded-Host", "evil.example")
	handler := XMLHandler(func(ctx context.Context, q account.Query) (account.Settings, error) {
		if q.Host != "" {
			t.Errorf("the resolver got the host %s, want none", q.Host)
		}
		return resolver(ctx, q)
	}, false)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	checkAnswer(t, w, http.StatusOK, xmlType)
	if strings.Contains(w.Body.String(), "evil") {
		t.Errorf("the answer repeats the host:\n%s", w.Body)
	}
}

// TestBrokenBody checks that a body that ends in an error is not read as a short
// request.
func TestBrokenBody(t *testing.T) {
	body := pox("anna@example.com", nsOutlook)
	for status, err := range map[int]error{
		http.StatusBadRequest:            io.ErrClosedPipe,
		http.StatusRequestEntityTooLarge: &http.MaxBytesError{Limit: 100},
	} {
		r := httptest.NewRequest(http.MethodPost, "https://example.com/autodiscover/autodiscover.xml", nil)
		r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(body), failing{err})), -1
		w := httptest.NewRecorder()
		XMLHandler(resolver, false).ServeHTTP(w, r)
		checkAnswer(t, w, status, "text/plain; charset=utf-8")
	}
}

// TestUnreadBody checks that nothing is read of a body that announces too many bytes.
func TestUnreadBody(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "https://example.com/autodiscover/autodiscover.xml", nil)
	body := strings.NewReader("x")
	r.Body, r.ContentLength = io.NopCloser(body), MaxBody+1
	w := httptest.NewRecorder()
	XMLHandler(resolver, false).ServeHTTP(w, r)
	checkAnswer(t, w, http.StatusRequestEntityTooLarge, "text/plain; charset=utf-8")
	if body.Len() == 0 {
		t.Error("the handler read the body")
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
