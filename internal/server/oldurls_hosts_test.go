package server_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/directory"
	"signpost/internal/server"
)

// oldMixed returns a service with a domain of its own, own.example, and one whose mail is with
// another service, moved.example.
func oldMixed(name string, https bool) func(method, host, target, body string) *httptest.ResponseRecorder {
	dav := func(host string) account.Server {
		return account.Server{Type: account.CalDAV, URL: "https://" + host + "/cal/"}
	}
	d := directory.New([]directory.Provider{
		{Provider: &account.Provider{
			ID: "own", Servers: []account.Server{dav("dav.own.example")},
			Exceptions: map[account.Client][]account.Server{account.Apple: {dav("apple.own.example")}},
		}, Domains: []string{"own.example"}},
		{Provider: &account.Provider{
			ID: "moved", AutodiscoverRedirect: &account.AutodiscoverRedirect{Hostname: "autodiscover.elsewhere.example"},
		}, Domains: []string{"moved.example"}},
	}, nil, nil)
	handler := server.Handler(server.Options{Resolve: d.Resolve, Name: name, HTTPS: https, Log: discardLog})
	return func(method, host, target, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		r.Host = host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
}

// TestOldURLsOfOthers checks that nothing leads from the names of a domain whose mail is with
// another service: its old links are about that service's profiles.
func TestOldURLsOfOthers(t *testing.T) {
	for _, name := range []string{"setup.own.example", ""} {
		request := oldMixed(name, false)
		for _, host := range []string{"moved.example", "autoconfig.moved.example", "autodiscover.moved.example"} {
			for _, target := range []string{
				"/", "/mobileconfig", "/mobileconfig?emailaddress=a@moved.example", "/email.mobileconfig?email=anna", "/apple",
				"/.well-known/caldav",
			} {
				if target == "/" && name == "" {
					continue // the page is at every name
				}
				for _, method := range []string{"GET", "HEAD", "POST"} {
					if w := request(method, host, target, ""); w.Code != 404 || w.Header().Get("Location") != "" {
						t.Errorf("%s %s of %s: status %d, Location %q; want 404 and none", method, target, host, w.Code,
							w.Header().Get("Location"))
					}
				}
			}
		}
	}
}

// TestOldURLsWithoutName completes the part before the @ where the service has no name of its own
// and is asked at a domain's, and nowhere else.
func TestOldURLsWithoutName(t *testing.T) {
	request := oldMixed("", false)
	for host, want := range map[string]string{
		"own.example":              "/profile.mobileconfig?emailaddress=anna%40own.example",
		"autoconfig.own.example":   "/profile.mobileconfig?emailaddress=anna%40own.example",
		"AutoDiscover.Own.Example": "/profile.mobileconfig?emailaddress=anna%40own.example",
		"192.0.2.1":                "",
		"unknown.example":          "",
	} {
		if w := request("GET", host, "/email.mobileconfig?email=anna", ""); w.Header().Get("Location") != want {
			t.Errorf("GET of anna at %s: status %d, Location %q; want %q",
				host, w.Code, w.Header().Get("Location"), want)
		}
	}
}

// TestOldURLsSpelling asks for the profile at the service's own name as other tools spell it.
func TestOldURLsSpelling(t *testing.T) {
	for _, name := range []string{"setup.own.example", ""} {
		request, want := oldMixed(name, false), "/profile.mobileconfig?emailaddress=anna%40own.example"
		if name != "" {
			want = "https://" + name + want
		}
		for _, query := range []string{"addresses=anna@own.example,b@own.example", "email=anna%40own.example",
			"Email=anna@own.example"} {
			if w := request("GET", "setup.own.example", "/profile.mobileconfig?"+query, ""); w.Header().Get("Location") != want {
				t.Errorf("name %q, GET /profile.mobileconfig?%s: status %d, Location %q; want %q", name, query, w.Code,
					w.Header().Get("Location"), want)
			}
		}
		// Our own links do not go round in circles.
		w := request("GET", "setup.own.example",
			"/profile.mobileconfig?emailaddress=anna@own.example&email=b@own.example", "")
		if w.Header().Get("Location") != "" {
			t.Errorf("name %q: a link of ours leads to %q", name, w.Header().Get("Location"))
		}
	}
}

// TestOldURLsPlainHTTP checks that old links, which often say http, lead to https, and that a form
// with a password is not sent on as it is.
func TestOldURLsPlainHTTP(t *testing.T) {
	request := oldMixed("setup.own.example", true)
	for method, status := range map[string]int{"GET": 302, "HEAD": 302, "POST": 303} {
		w := request(method, "autoconfig.own.example", "/mobileconfig?emailaddress=anna@own.example",
			"password=hemligt")
		want := "https://setup.own.example/profile.mobileconfig?emailaddress=anna%40own.example"
		if w.Code != status || w.Header().Get("Location") != want {
			t.Errorf("%s: status %d, Location %q; want %d, %q",
				method, w.Code, w.Header().Get("Location"), status, want)
		}
	}
	w := request("GET", "own.example", "/.well-known/caldav", "")
	if want := "https://own.example/.well-known/caldav"; w.Code != 302 || w.Header().Get("Location") != want {
		t.Errorf("GET /.well-known/caldav: status %d, Location %q; want 302, %q",
			w.Code, w.Header().Get("Location"), want)
	}
}

// TestWellKnownOfAll checks that a client that does not say what it is gets what all clients have,
// not what the provider has for one kind.
func TestWellKnownOfAll(t *testing.T) {
	w := oldMixed("setup.own.example", false)("PROPFIND", "own.example", "/.well-known/caldav", "")
	if want := "https://dav.own.example/cal/"; w.Header().Get("Location") != want {
		t.Errorf("Location %q, want %q", w.Header().Get("Location"), want)
	}
}
