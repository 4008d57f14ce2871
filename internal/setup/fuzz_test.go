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
	shapes := map[string]bool{}
	know := func(query string) { shapes[shape(f, get(f, h, "/?"+query).Body.String())] = true }
	seed := func(query string) {
		f.Add(query)
		know(query)
	}
	for _, lang := range []string{"", "&lang=sv", "&lang=en"} {
		// The apps' code is left out where the name makes it too long, and for an address
		// that the app refuses.
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
	for d := range orders {
		seed("emailaddress=mail@domain.se&lang=sv&name=Anna&device=" + string(d))
	}
	for _, address := range []string{"", "a", "a@b", "info@domain.se", "%C3%B6@domain.se"} {
		seed("emailaddress=" + address)
		seed("emailaddress=" + address + "&format=fragment")
	}
	seed("")
	seed("x=" + strings.Repeat("x", mobileconfig.MaxQuery)) // too long: answered like an invalid address
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
		if !shapes[shape(t, body)] {
			t.Errorf("query %q changes the structure of the page:\n%s", query, body)
		}
	})
}
