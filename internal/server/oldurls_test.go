package server_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/server"
	"signpost/internal/systems"
)

// oldService returns a service with the mamut example, and its log.
func oldService(t testing.TB, name string) (http.Handler, *bytes.Buffer) {
	t.Helper()
	log := new(bytes.Buffer)
	return server.Handler(server.Options{
		Resolve: systems.Load(t, "mamut").Directory.Resolve, Name: name, Log: slog.New(slog.NewTextHandler(log, nil)), Logged: 1000,
	}), log
}

// oldRow is a URL of another tool, and where it leads.
type oldRow struct{ tool, path, query, target string }

const oldAddress = "/profile.mobileconfig?emailaddress=kontakt%40domain.se"

var oldRows = []oldRow{
	{"automx2", "/mobileconfig/", "emailaddress=kontakt@domain.se&name=Anna+Ek&password=hemligt", oldAddress + "&name=Anna+Ek"},
	{"automx2 without a slash", "/mobileconfig", "emailaddress=kontakt%40domain.se", oldAddress},
	{"automx 1", "/mobileconfig", "_mobileconfig=true&cn=Anna&emailaddress=kontakt%40domain.se&password=hemligt", oldAddress + "&name=Anna"},
	{"automx 3, its form", "/mobileconfig", "", "/"},
	{"Monogramm", "/email.mobileconfig", "email=kontakt@domain.se", oldAddress},
	{"Plesk", "/email.mobileconfig", "emailaddress=kontakt@domain.se", oldAddress},
	{"wdes, its form", "/apple", "", "/"},
	{"mailcow", "/mobileconfig.php", "only_email&app_password", "/"},
	{"mailcow with an address", "/mobileconfig.php", "only_email&emailaddress=kontakt@domain.se", oldAddress + "&only=mail"},
	{"solarssk", "/mail/ios.mobileconfig", "emailaddress=kontakt@domain.se", oldAddress},
	{"solarssk, well-known", "/.well-known/apple-mail.mobileconfig", "emailaddress=kontakt@domain.se", oldAddress},
	{"Mailu", "/apple.mobileconfig", "", "/"},
	{"a plus sign in the address", "/mobileconfig", "emailaddress=+kontakt+nyhet%40domain.se+",
		"/profile.mobileconfig?emailaddress=kontakt%2Bnyhet%40domain.se"},
	{"Modoboa", "/mobileconfig", "emailaddress=kontakt%40domain.se", oldAddress},
	{"mox", "/profile.mobileconfig", "addresses=kontakt@domain.se,anna@domain.se&name=Anna", oldAddress + "&name=Anna"},
	{"mox, its picture", "/profile.mobileconfig.qrcode.png", "addresses=kontakt@domain.se", "/setup/code.png?emailaddress=kontakt%40domain.se"},
	{"Mail-in-a-Box", "/mailinabox.mobileconfig", "", "/"},
	{"bongo", "/.well-known/mobileconfig", "", "/"},
	{"case", "/MobileConfig/", "EmailAddress=KONTAKT@Domain.SE", "/profile.mobileconfig?emailaddress=KONTAKT%40domain.se"},
}

// TestOldURLs asks each URL of the table at each name, with each method.
func TestOldURLs(t *testing.T) {
	for _, name := range []string{"setup.mamutmail.com", ""} {
		handler, log := oldService(t, name)
		base := ""
		if name != "" {
			base = "https://" + name
		}
		for _, row := range oldRows {
			for _, host := range []string{"autoconfig.domain.se", "autodiscover.domain.se", "domain.se",
				"setup.mamutmail.com"} {
				for _, method := range []string{"GET", "HEAD", "POST"} {
					target, body, status := row.path+"?"+row.query, "", http.StatusFound
					if method == "POST" {
						target, body, status = row.path, row.query, http.StatusSeeOther
						if row.tool == "mox" && (host == "setup.mamutmail.com" || name == "") {
							continue // the profile's own URL takes no form
						}
					}
					r := httptest.NewRequest(method, target, strings.NewReader(body))
					r.Host = host
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					w := httptest.NewRecorder()
					handler.ServeHTTP(w, r)
					if w.Code != status || w.Header().Get("Location") != base+row.target {
						t.Errorf("%s: %s %s of %s: status %d, Location %q; want %d, %q",
							row.tool, method, row.path, host, w.Code,
							w.Header().Get("Location"), status, base+row.target)
					}
					if strings.Contains(w.Header().Get("Location")+w.Body.String(), "hemligt") {
						t.Errorf("%s: the password is in the answer", row.tool)
					}
				}
			}
		}
		for _, secret := range []string{"kontakt", "hemligt", "Anna"} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("the log has %q:\n%s", secret, log)
			}
		}
	}
}

// TestOldURLsRefused asks what must not be redirected.
func TestOldURLsRefused(t *testing.T) {
	handler, log := oldService(t, "setup.mamutmail.com")
	for _, row := range []struct {
		method, host, target, body string
		status                     int
	}{
		{"GET", "autoconfig.unknown.example", "/mobileconfig", "", 404},
		{"GET", "autoconfig.unknown.example", "/email.mobileconfig?email=kontakt@domain.se", "", 404},
		{"GET", "autoconfig.domain.se", "/email.mobileconfig?email=kontakt@unknown.example", "", 404},
		{"GET", "domain.se@evil.example", "/mobileconfig", "", 404},
		{"GET", "evil.example/domain.se", "/mobileconfig", "", 404},
		{"GET", "autoconfig.domain.se", "/email.mobileconfig?email=a%20b@domain.se", "", 400},
		{"GET", "autoconfig.domain.se", "/email.mobileconfig?email=%3Cscript%3E@domain.se", "", 400},
		{"GET", "autoconfig.domain.se", "/email.mobileconfig?email=kontakt%0d%0aSet-Cookie:x@domain.se", "", 400},
		{"PUT", "autoconfig.domain.se", "/mobileconfig", "", 405},
		{"POST", "autoconfig.domain.se", "/mobileconfig", strings.Repeat("a=b&", 4000), 400},
		{"GET", "autoconfig.domain.se", "/initdb/", "", 404},
		{"GET", "autoconfig.domain.se", "/mobileconfig/x", "", 404},
		{"GET", "autoconfig.domain.se", "/profile.mobileconfig.qrcode.pngx", "", 404},
	} {
		r := httptest.NewRequest(row.method, row.target, strings.NewReader(row.body))
		r.Host = row.host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != row.status || w.Header().Get("Location") != "" || strings.Contains(w.Body.String(), "script") {
			t.Errorf("%s %s of %s: status %d, Location %q, %q; want %d and no Location",
				row.method, row.target, row.host, w.Code, w.Header().Get("Location"), w.Body, row.status)
		}
	}
	for _, secret := range []string{"kontakt", "script"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q:\n%s", secret, log)
		}
	}
}

// TestOldURLsBare completes the part before the @ with the domain of the host.
func TestOldURLsBare(t *testing.T) {
	handler, _ := oldService(t, "setup.mamutmail.com")
	r := httptest.NewRequest("GET", "/email.mobileconfig?email=kontakt", nil)
	r.Host = "autoconfig.domain.se"
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if want := "https://setup.mamutmail.com" + oldAddress; w.Header().Get("Location") != want {
		t.Errorf("status %d, Location %q, want %q", w.Code, w.Header().Get("Location"), want)
	}
}

// TestOldURLsCounted checks how requests for other tools' URLs are counted, and that they are limited as
// all others are.
func TestOldURLsCounted(t *testing.T) {
	mamut := systems.Load(t, "mamut").Directory.Resolve
	metrics := server.NewMetrics("", "")
	handler := server.Handler(server.Options{
		Resolve: func(ctx context.Context, q account.Query) (account.Settings, error) {
			if q.Host == "elsewhere.example" || q.Address.Domain() == "elsewhere.example" {
				return account.Settings{Address: account.AnyAt("elsewhere.example"), Provider: &account.Provider{}}, nil
			}
			return mamut(ctx, q)
		},
		Name: "setup.mamutmail.com", Metrics: metrics, Log: discardLog,
		Limiter: server.NewLimiter(), Rate: server.RateOf(1, 6),
	})
	for _, row := range []struct {
		host, target     string
		status           int
		dialect, outcome string
	}{
		{"autoconfig.domain.se", "/mobileconfig?emailaddress=kontakt@domain.se", 302, "old-url", "redirected"},
		{"domain.se", "/", 302, "old-url", "redirected"},
		{"domain.se", "/mobileconfig?emailaddress=a%20b@domain.se", 400, "old-url", "refused"},
		{"unknown.example", "/mobileconfig", 404, "old-url", "unknown"},
		{"elsewhere.example", "/mobileconfig", 404, "old-url", "answered"}, // there is nothing for the domain here
		{"domain.se", "/mobileconfig?emailaddress=a@elsewhere.example", 404, "old-url", "answered"},
		{"autoconfig.domain.se", "/mobileconfig?emailaddress=kontakt@domain.se", 429, "other", "limited"},
	} {
		name := `signpost_requests_total{dialect="` + row.dialect + `",outcome="` + row.outcome + `"}`
		before := counted(t, metrics, name)
		r := httptest.NewRequest("GET", row.target, nil)
		r.Host = row.host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if after := counted(t, metrics, name); w.Code != row.status || after != before+1 {
			t.Errorf("GET %s of %s: status %d, and %s went from %d to %d; want %d, and one more",
				row.target, row.host, w.Code, name, before, after, row.status)
		}
	}
}

// TestWellKnown asks for calendars, contacts and JMAP.
func TestWellKnown(t *testing.T) {
	provider := func(servers ...account.Server) account.Resolver {
		return func(_ context.Context, q account.Query) (account.Settings, error) {
			if !q.Address.IsZero() || !q.Fallback || !strings.HasSuffix(q.Host, "udde.example") {
				return account.Settings{}, account.ErrUnknownDomain
			}
			anyone := account.AnyAt("udde.example")
			return account.Settings{Address: anyone, Login: anyone, Provider: &account.Provider{Servers: servers},
				Servers: servers}, nil
		}
	}
	dav := func(t account.ServerType, url string) account.Server { return account.Server{Type: t, URL: url} }
	for _, row := range []struct {
		path, host string
		servers    []account.Server
		want       string
	}{
		{"/.well-known/caldav", "udde.example", []account.Server{dav(account.CalDAV, "https://dav.udde.example/cal/")}, "https://dav.udde.example/cal/"},
		{"/.well-known/carddav", "udde.example:443", []account.Server{dav(account.CardDAV, "https://dav.%EMAILDOMAIN%/card/")}, "https://dav.udde.example/card/"},
		{"/.Well-Known/JMAP", "autoconfig.udde.example", []account.Server{dav(account.JMAP, "https://jmap.udde.example/session")}, "https://jmap.udde.example/session"},
		{"/.well-known/caldav/", "udde.example", []account.Server{dav(account.CalDAV, "https://dav.udde.example/cal/")}, "https://dav.udde.example/cal/"},
		{"/.well-known/caldav/", "udde.example", []account.Server{dav(account.CalDAV, "https://udde.example/.well-known/caldav")}, ""},
		{"/.well-known/caldav/x", "udde.example", []account.Server{dav(account.CalDAV, "https://dav.udde.example/cal/")}, ""},
		{"/.well-known/caldav", "udde.example", []account.Server{dav(account.CalDAV, "https://dav.udde.example/%EMAILADDRESS%/")}, ""},
		{"/.well-known/caldav", "udde.example", []account.Server{dav(account.CalDAV, "https://udde.example/.well-known/caldav")}, ""},
		{"/.well-known/carddav", "udde.example", []account.Server{dav(account.CalDAV, "https://dav.udde.example/cal/")}, ""},
		{"/.well-known/caldav", "unknown.example", []account.Server{dav(account.CalDAV, "https://dav.udde.example/cal/")}, ""},
	} {
		for _, method := range []string{"GET", "PROPFIND", "OPTIONS"} {
			handler := server.Handler(server.Options{Resolve: provider(row.servers...), Name: "setup.udde.example",
				Log: discardLog})
			r := httptest.NewRequest(method, row.path, nil)
			r.Host = row.host
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			status := http.StatusTemporaryRedirect
			if row.want == "" {
				status = http.StatusNotFound
			}
			if w.Code != status || w.Header().Get("Location") != row.want {
				t.Errorf("%s %s of %s with %v: status %d, Location %q; want %d, %q",
					method, row.path, row.host, row.servers, w.Code, w.Header().Get("Location"), status, row.want)
			}
		}
	}
}

// TestPublic checks which answers web pages of other origins may read.
func TestPublic(t *testing.T) {
	handler, _ := oldService(t, "setup.mamutmail.com")
	for target, want := range map[string]string{
		"GET autoconfig.domain.se/mail/config-v1.1.xml?emailaddress=a@domain.se":                          "*",
		"GET domain.se/.well-known/autoconfig/mail/config-v1.1.xml":                                       "*",
		"GET domain.se/.well-known/mail-v1.xml":                                                           "*",
		"GET autodiscover.domain.se/autodiscover/autodiscover.json?Email=a@domain.se&Protocol=ActiveSync": "*",
		"GET ua-auto-config.domain.se/.well-known/user-agent-configuration.json":                          "*",
		"POST autodiscover.domain.se/autodiscover/autodiscover.xml":                                       "",
		"GET setup.mamutmail.com/":                                                                        "",
		"GET setup.mamutmail.com/profile.mobileconfig?emailaddress=a@domain.se":                           "",
		"GET autoconfig.domain.se/mobileconfig":                                                           "",
	} {
		method, rest, _ := strings.Cut(target, " ")
		host, path, _ := strings.Cut(rest, "/")
		r := httptest.NewRequest(method, "/"+path, nil)
		r.Host = host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != want ||
			w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: Access-Control-Allow-Origin %q, want %q", target, got, want)
		}
	}
}

// TestMailV1 checks that the URL of drafts from 2024, which GNOME Online Accounts asks first,
// has the document of the usual URL.
func TestMailV1(t *testing.T) {
	handler, _ := oldService(t, "setup.mamutmail.com")
	get := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", path+"?emailaddress=a@domain.se", nil)
		r.Host = "autoconfig.domain.se"
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	usual := get("/mail/config-v1.1.xml")
	for _, path := range []string{"/.well-known/mail-v1.xml", "/.Well-Known/Mail-V1.xml"} {
		w := get(path)
		if w.Code != http.StatusOK || w.Body.String() != usual.Body.String() {
			t.Errorf("GET %s: status %d, %q; want 200, %q", path, w.Code, w.Body, usual.Body)
		}
	}
}

// FuzzOldURLs sends queries and forms to other tools' URLs. A redirect leads to the service's own
// name, and the address in it is one that the service knows.
func FuzzOldURLs(f *testing.F) {
	for _, row := range oldRows {
		f.Add("autoconfig.domain.se", row.query, "")
		f.Add("domain.se", "", row.query)
	}
	f.Add("evil.example", "email=a@domain.se%0d%0aX:y&name=%00", "")
	handler, _ := oldService(f, "setup.mamutmail.com")
	f.Fuzz(func(t *testing.T, host, query, form string) {
		r := httptest.NewRequest("POST", "/email.mobileconfig", strings.NewReader(form))
		r.Host, r.URL.RawQuery = host, query
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		location := w.Header().Get("Location")
		if location == "" {
			if w.Code < 400 || w.Code > 499 {
				t.Errorf("status %d without Location", w.Code)
			}
			return
		}
		u, err := url.Parse(location)
		if err != nil || u.Scheme != "https" || u.Host != "setup.mamutmail.com" || u.User != nil {
			t.Fatalf("Location %q", location)
		}
		if address := u.Query().Get("emailaddress"); address != "" {
			if _, err := account.ParseAddress(address); err != nil {
				t.Errorf("the address %q in Location: %v", address, err)
			}
		}
		for _, r := range location {
			if r <= ' ' || r >= 0x7f {
				t.Fatalf("Location %q has the character %q", location, r)
			}
		}
	})
}
