package setup

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"signpost/mobileconfig"
)

// FuzzParseInput checks that the address in any input parses as itself.
func FuzzParseInput(f *testing.F) {
	for _, seed := range []string{"", "mail@domain.se", `hosting01\mail_domain.se`, "mailto:a@b.se?x", "A <a@b.se>",
		"a@b@c", "_", `\`, "＠", "a_b_c.d", "<>", "@", `"a b"@c.se`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		got, problem := parseInput(input)
		if problem != "" {
			if !got.address.IsZero() {
				t.Errorf("parseInput(%q) = %s, and the problem %s", input, got.address, problem)
			}
			return
		}
		again, problem := parseInput(got.address.String())
		if problem != "" || again.address != got.address || again.guessed {
			t.Errorf("parseInput(%q) = %s, which parses as %s, %q", input, got.address, again.address, problem)
		}
	})
}

// FuzzQuery checks that no query changes the structure of a page or makes it fail.
func FuzzQuery(f *testing.F) {
	resolve, o := load(f, "mamut")
	h := Handler(resolve, o)
	known := map[view]map[string]bool{}
	for d := range orders {
		f.Add("emailaddress=mail@domain.se&lang=sv&name=Anna&device=" + string(d))
	}
	for _, address := range []string{"", "a", "a@b", "info@domain.se", "%C3%B6@domain.se"} {
		f.Add("emailaddress=" + address)
		f.Add("emailaddress=" + address + "&format=fragment")
	}
	f.Add("")
	f.Add(tooLong)
	f.Add("lAng=es")
	f.Add("emailaddress=info@domain.se&lang=ar&name=Anna")
	f.Add(`emailaddress=%22%3E%3Cscript%3E`)
	f.Add(`name=%3Cb%3E&emailaddress=x`)
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: "/", RawQuery: query}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("query %q: status %d", query, w.Code)
		}
		body := w.Body.String()
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
			return
		}
		v := viewOf(r, w.Header().Get("Content-Language"))
		if known[v] == nil {
			known[v] = v.shapes(t, h)
		}
		if !known[v][shape(t, body)] {
			t.Errorf("query %q changes the structure of the page:\n%s", query, body)
		}
	})
}

// tooLong is a query that is answered like an invalid address.
var tooLong = "x=" + strings.Repeat("x", mobileconfig.MaxQuery)

// view is what a query may choose about the structure of a page, besides the address and the name.
// Texts of each language emphasize other words.
type view struct {
	lang     string
	asked    bool // for the language
	device   device
	fragment bool
}

func viewOf(r *http.Request, lang string) view {
	q, _ := readRequest(r)
	v := view{lang: lang, asked: q.language != "", fragment: q.fragment}
	if q.fixed {
		v.device = q.device
	}
	return v
}

// shapes returns the structures that the page has for some address and some name. The app's code is
// left out where the name makes it too long, and the app's file and code for an address that the app
// refuses.
func (v view) shapes(t testing.TB, h http.Handler) map[string]bool {
	choice := "&device=" + string(v.device)
	if v.asked {
		choice += "&lang=" + v.lang
	}
	if v.fragment {
		choice += "&format=fragment"
	}
	all := map[string]bool{}
	for _, name := range []string{"", "&name=Anna", "&name=" + strings.Repeat("%F0%9D%92%9C", 100)} {
		for _, address := range []string{"", "emailaddress=", "emailaddress=a", "emailaddress=a@b",
			"emailaddress=mail@domain.se", "emailaddress=info@domain.se", "emailaddress=%C3%B6@domain.se"} {
			all[shape(t, get(t, h, "/?"+address+name+choice).Body.String())] = true
		}
	}
	return all
}
