package server_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"signpost/internal/server"
	"signpost/mobileconfig"
	"signpost/templates"
)

// TestPage checks that the set-up page is served under the service's own name
// only.
func TestPage(t *testing.T) {
	var log bytes.Buffer
	handler := newHandler(t, &log)
	get := func(host, path string, header ...string) *httptest.ResponseRecorder {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = host
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	for _, test := range []struct {
		host, path string
		status     int
		want       string
	}{
		{"setup.mamutmail.com", "/", 200, "Set up your email"},
		{"SETUP.mamutmail.com.:443", "/", 200, "Set up your email"},
		{"127.0.0.1:8080", "/", 200, "Set up your email"},
		{"setup.mamutmail.com", "/?emailaddress=secret@domain.se", 200, "IMAP or POP?"},
		{"setup.mamutmail.com", "/?emailaddress=secret@exmaple.com", 404, "We do not know exmaple.com"},
		{"setup.mamutmail.com", "/?emailaddress=secret", 400, "The address has no @."},
		{"setup.mamutmail.com", "/setup/style.css", 200, "--accent"},
		{"setup.mamutmail.com", "/Setup/Copy.JS", 200, "clipboard"},
		{"setup.mamutmail.com", "/setup/", 404, "not found"},
		{"setup.mamutmail.com", "/setup/else", 404, "not found"},
		{"autoconfig.domain.se", "/", 302, ""}, // to the page: TestOldURLs
		{"autoconfig.unknown.example", "/?emailaddress=secret@domain.se", 404, "not found"},
		{"domain.se", "/setup/style.css", 404, "not found"},
	} {
		w := get(test.host, test.path)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.want) {
			t.Errorf("%s%s: got status %d, want %d and text %q", test.host, test.path, w.Code, test.status, test.want)
		}
	}
	if strings.Contains(log.String(), "secret") {
		t.Errorf("the log has the local part of an address:\n%s", &log)
	}
	if !strings.Contains(log.String(), "dialect=setup") || !strings.Contains(log.String(), "domain=domain.se") {
		t.Errorf("the log has no lines for the page with their domain:\n%s", &log)
	}

	// Every link to a profile leads to one, in the language of the page.
	page := get("setup.mamutmail.com", "/?emailaddress=mail@domain.se", "Accept-Language", "sv").Body.String()
	_, link, ok := strings.Cut(page, `<a class="button" href="/profile`)
	if !ok {
		t.Fatal("the page has no link to a profile")
	}
	link, _, _ = strings.Cut(link, `"`)
	w := get("setup.mamutmail.com", "/profile"+strings.ReplaceAll(link, "&amp;", "&"))
	if w.Header().Get("Content-Type") != mobileconfig.MediaType ||
		!strings.Contains(w.Body.String(), "Inget lösenord finns i profilen") {
		t.Errorf("/profile%s: status %d, want a profile in Swedish: %s", link, w.Code, w.Body)
	}
}

// TestOwnWords checks that texts of the operator's own templates appear in the
// profiles, in every language.
func TestOwnWords(t *testing.T) {
	var log bytes.Buffer
	o := newOptions(t, &log)
	own, err := templates.Load(fstest.MapFS{
		"text/en.json": {Data: []byte(`{"profile.description": "Our own words for {provider}."}`)},
		"text/sv.json": {Data: []byte(`{"profile.description": "Våra egna ord för {provider}."}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Templates = own
	handler := server.Handler(o)
	for lang, want := range map[string]string{"en": "Our own words for Mamut Business Mail.",
		"sv": "Våra egna ord för Mamut Business Mail.", "cs": "Our own words"} {
		r := httptest.NewRequest(http.MethodGet, "/profile.mobileconfig?emailaddress=mail@domain.se&lang="+lang, nil)
		r.Host = "setup.mamutmail.com"
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: the profile lacks %q:\n%s", lang, want, w.Body)
		}
	}
}
