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
	known := map[string]map[string]bool{} // structures by the language of the page
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
		lang := w.Header().Get("Content-Language")
		if known[lang] == nil {
			known[lang] = shapes(t, h, lang)
		}
		if !known[lang][shape(t, body)] {
			t.Errorf("query %q changes the structure of the page:\n%s", query, body)
		}
	})
}

// tooLong is a query that is answered like an invalid address.
var tooLong = "x=" + strings.Repeat("x", mobileconfig.MaxQuery)

// shapes returns the structures of the page in a language, in which texts differ in what they
// emphasize.
func shapes(t testing.TB, h http.Handler, lang string) map[string]bool {
	all := map[string]bool{}
	know := func(query string) { all[shape(t, get(t, h, "/?"+query).Body.String())] = true }
	asked := []string{"&lang=" + lang}
	if lang == "en" {
		asked = append(asked, "") // the language of those who ask for none
	}
	for _, lang := range asked {
		// The app's code is left out where the name makes it too long, the page's own where
		// the name does, and both for an address that the app refuses.
		for _, name := range []string{"", "&name=Anna", "&name=" + strings.Repeat("%F0%9D%92%9C", 100)} {
			for d := range orders {
				for _, address := range []string{"", "emailaddress=", "emailaddress=a", "emailaddress=a@b",
					"emailaddress=mail@domain.se", "emailaddress=info@domain.se", "emailaddress=%C3%B6@domain.se"} {
					know(address + lang + name + "&device=" + string(d))
					know(address + lang + name + "&format=fragment&device=" + string(d))
				}
			}
		}
	}
	know(tooLong)
	return all
}
