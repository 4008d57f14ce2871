package autodiscover

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"signpost/account"
)

// FuzzRequest checks that any body gets 200 with a document that can be read, a
// redirect, or 413.
func FuzzRequest(f *testing.F) {
	for _, c := range hostile {
		if len(c.body) < 2*MaxBody {
			f.Add(c.body)
		}
	}
	for _, a := range []string{"anna@example.com", "mail@domain.se", "anna@office365.example", "anna@by-address.example",
		"anna@as-xml.example", "&quot;&lt;b&gt;&quot;@dav.example", "ågot@åäö.example"} {
		f.Add(pox(a, nsOutlook))
		f.Add(pox(a, nsMobileSync))
	}
	handler := XMLHandler(resolver, false)
	f.Fuzz(func(t *testing.T, body string) {
		w := post(handler, body)
		switch w.Code {
		case http.StatusOK:
			_, err := Read(w.Body.Bytes())
			if _, ok := err.(*Error); err != nil && !ok {
				t.Errorf("Read of the answer: %v in\n%s", err, w.Body)
			}
		case http.StatusFound:
			if w.Header().Get("Location") != "https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml" &&
				w.Header().Get("Location") != "https://autodiscover.hoster.example/autodiscover/autodiscover.xml" {
				t.Errorf("Location %q is not configured", w.Header().Get("Location"))
			}
		case http.StatusRequestEntityTooLarge:
			if len(body) <= MaxBody {
				t.Errorf("a body of %d bytes is refused, want at most %d to be read", len(body), MaxBody)
			}
		default:
			t.Errorf("status %d, want 200, 302 or 413", w.Code)
		}
	})
}

// FuzzRead checks that all servers and addresses that are read are complete.
func FuzzRead(f *testing.F) {
	handler := XMLHandler(resolver, false)
	for _, a := range []string{"anna@example.com", "info@domain.se", "anna@dav.example", "anna@eas.example",
		"anna@as-xml.example", "anna@by-address.example", "anna@unknown.invalid"} {
		for _, schema := range []string{nsOutlook, nsMobileSync} {
			f.Add(post(handler, pox(a, schema)).Body.Bytes())
		}
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		s, err := Read(document)
		if err != nil {
			return
		}
		for _, server := range s.Servers {
			if server.Type.HasURL() != (server.URL != "") || server.Type.HasURL() == (server.Hostname != "") ||
				server.Hostname != "" && (server.Port < 1 || server.Port > 65535 || server.SocketType == "") {
				t.Errorf("Read returned an incomplete server: %+v", server)
			}
		}
		if h := s.Provider.AutodiscoverRedirect; h != nil {
			if (h.Hostname == "") == (h.Address == "") || len(s.Servers) > 0 {
				t.Errorf("Read returned a bad redirect, or servers beside it: %+v", h)
			}
		}
		if !s.Address.IsZero() {
			if a, err := account.ParseAddress(s.Address.String()); err != nil || a != s.Address {
				t.Errorf("Read returned the address %q, which parses as %q, %v", s.Address, a, err)
			}
		}
	})
}

// FuzzJSONQuery checks that any path and query gets JSON of one of the two forms, or
// a redirect to the configured host, and nothing that could be read as HTML.
func FuzzJSONQuery(f *testing.F) {
	const path = "/autodiscover/autodiscover.json"
	f.Add(path, "Email=anna%40example.com&Protocol=ActiveSync&RedirectCount=1")
	f.Add(path, "Email=anna+tag@office365.example&Protocol=Substrate&RedirectCount=9")
	f.Add(path+"/v1.0/anna@eas.example", "protocol=autodiscoverv1")
	f.Add(path+"/v1.0/anna%40eas.example/", "Protocol=<b>&ServerLocation=true")
	f.Add(path+"/V1.0/", `Email="<b>"@office365.example&Protocol=Ews;x=%zz`)
	handler := JSONHandler(resolver, "")
	f.Fuzz(func(t *testing.T, path, query string) {
		u, err := url.ParseRequestURI(path)
		if err != nil {
			return
		}
		u.RawQuery = query
		r := httptest.NewRequest(http.MethodGet, "https://example.com/", nil)
		r.URL = u
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if location := w.Header().Get("Location"); location != "" {
			const prefix = "https://autodiscover-s.outlook.com/autodiscover/autodiscover.json?Email="
			rest, ok := strings.CutPrefix(location, prefix)
			if !ok {
				rest, ok = strings.CutPrefix(location,
					"https://autodiscover.hoster.example/autodiscover/autodiscover.json?Email=")
			}
			if !ok || strings.ContainsAny(rest, "<>\"' \r\n+") || strings.Count(rest, "&") != 2 {
				t.Errorf("Location %q has another host, or unescaped text", location)
			}
			return
		}
		got := answerJSON(t, w.Body.Bytes())
		switch w.Code {
		case http.StatusOK:
			if len(got) != 2 || !strings.HasPrefix(got["Url"], "https://") ||
				filter(got["Protocol"]) != got["Protocol"] {
				t.Errorf("status 200 with %v, want Protocol and an https Url", got)
			}
		case http.StatusBadRequest, http.StatusNotFound, http.StatusServiceUnavailable:
			if len(got) != 2 || got["ErrorCode"] == "" || got["ErrorMessage"] == "" {
				t.Errorf("status %d with %v, want ErrorCode and ErrorMessage", w.Code, got)
			}
		default:
			t.Errorf("status %d, want 200, 302, 400, 404 or 503", w.Code)
		}
		if strings.ContainsAny(w.Body.String(), "<>&") {
			t.Errorf("the answer could be read as HTML: %s", w.Body)
		}
	})
}
