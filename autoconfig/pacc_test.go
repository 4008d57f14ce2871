package autoconfig

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
	goldenfile "signpost/internal/golden"
)

// describable has what PACC can tell, and beside it what it leaves out.
var describable = &account.Provider{
	ID: "pacc", DisplayName: "Tom & Jerry's <Mail>", DisplayShortName: "T & J",
	Servers: []account.Server{
		with(server(account.IMAP, "imap.%EMAILDOMAIN%", 993, account.SSL), oAuth2First),
		server(account.POP3, "pop.example.com", 995, account.SSL),
		server(account.SMTP, "smtp.example.com", 587, account.STARTTLS), // preferred, but not for PACC
		server(account.SMTP, "smtp.example.com", 465, account.SSL),
		with(service(account.JMAP, "https://jmap.example.com"), oAuth2First),
		service(account.CalDAV, "https://dav.%EMAILDOMAIN%/calendars/"),
		service(account.CardDAV, "https://dav.example.com/"), // no path
		service(account.ActiveSync, "https://ex.example.com/Microsoft-Server-ActiveSync"),
		server(account.ManageSieve, "imap.example.com", 4190, account.STARTTLS),
	},
	OAuth2: &account.OAuth2{Issuer: "login.example.com"},
	Documentation: []account.Documentation{
		{URL: "https://example.com/?u=%EMAILADDRESS%"}, {URL: "https://www.%EMAILDOMAIN%/hjälp?a=1&b=2"},
	},
}

// paccSystems are those of the example systems that PACC can describe.
func paccSystems(t testing.TB) map[string]account.Settings {
	return map[string]account.Settings{
		"small":      of(t, small, "@example.com"),
		"websupport": of(t, websupport, "@foretag.se"),
		"onecom":     of(t, onecom, "@firma.dk"),
		"whole":      of(t, describable, "@bücher.example"),
	}
}

func TestPACC(t *testing.T) {
	for name, s := range paccSystems(t) {
		t.Run(name, func(t *testing.T) {
			document := mustPACC(t, s)
			if !json.Valid(document) {
				t.Fatal("not JSON")
			}
			// A golden file that changes means a digest in the DNS of every
			// customer that has to change with it.
			goldenfile.Check(t, golden+"pacc-"+name+".json", document)
			for range 20 {
				if again := mustPACC(t, s); string(again) != string(document) {
					t.Fatalf("another time other bytes:\n%s", again)
				}
			}
			personal := s
			personal.Address = address(t, "fred@"+s.Address.Domain())
			personal.Login = personal.Address
			if other := mustPACC(t, personal); string(other) != string(document) {
				t.Errorf("another mailbox, other bytes:\n%s", other)
			}

			read, err := ReadPACC(document, s.Address)
			if err != nil {
				t.Fatal(err)
			}
			again := mustPACC(t, read)
			if string(again) != string(document) {
				t.Errorf("written, read and written:\n%s\n%s", document, again)
			}
		})
	}
}

// TestPreparedPACCIsDirect: filling in a prepared document gives what writing it
// for the domain gives, whichever domain or mailbox came first.
func TestPreparedPACCIsDirect(t *testing.T) {
	verbatim := *describable
	verbatim.DisplayName = "100%%EMAILDOMAIN% \"%%EMAILADDRESS%%\" \x01%EMAILADDRESS%EMAILDOMAIN%"
	verbatim.DisplayShortName = " %EMAILDOMAIN%\xff%EMAILDOMAIN% "
	verbatim.Documentation = []account.Documentation{{URL: "https://%EMAILDOMAIN%/%%EMAILDOMAIN%%?%20"}}
	nameless := *describable
	nameless.DisplayName = " "
	// A percent sign that the domain makes an escape, or not.
	escape := *describable
	escape.Servers = append(slices.Clone(small.Servers),
		service(account.CalDAV, "https://dav.example.com/%2%EMAILDOMAIN%"), service(account.CardDAV, "https://dav.example.com/%%EMAILDOMAIN%"))
	for name, provider := range map[string]*account.Provider{
		"whole": describable, "verbatim": &verbatim, "nameless": &nameless, "escape": &escape, "small": small, "standard": standard,
		"not describable": mamutPOP, "everything": everything,
	} {
		own, alias := of(t, provider, "own@ab.example"), of(t, provider, "alias@ab.example")
		own.Custom = true
		alias.Login = address(t, "fred@ab.example")
		all := []account.Settings{own, alias}
		for _, domain := range []string{"first.example", "bücher.example", "1-2.example", "ab.example"} {
			for _, local := range []string{"", "fred", "%EMAILDOMAIN%", "a/b"} {
				all = append(all, of(t, provider, local+"@"+domain))
			}
		}
		for first := range all {
			var p PACCs
			for i := range all {
				s := all[(first+i)%len(all)]
				want, wantErr := PACC(s)
				got, err := p.Document(s)
				if string(got) != string(want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
					t.Fatalf("%s, %s after %s: prepared, %v\n%s\ndirect, %v\n%s", name, s.Address, all[first].Address, err, got, wantErr, want)
				}
			}
		}
	}
}

// TestPACCHandlerKeepsApart: the memory that answers share does not mix them.
func TestPACCHandlerKeepsApart(t *testing.T) {
	handler := PACCHandler(func(_ context.Context, q account.Query) (account.Settings, error) {
		return of(t, describable, "@"+q.Host), nil
	})
	var group sync.WaitGroup
	for _, domain := range []string{"a.example", strings.Repeat("long.", 20) + "example", "b.example"} {
		want := string(mustPACC(t, of(t, describable, "@"+domain)))
		for range 4 {
			group.Go(func() {
				for range 200 {
					w := httptest.NewRecorder()
					r := httptest.NewRequest(http.MethodGet, paccPath, nil)
					r.Host = domain
					if handler.ServeHTTP(w, r); w.Body.String() != want {
						t.Errorf("%s is told\n%s", domain, w.Body)
						return
					}
				}
			})
		}
	}
	group.Wait()
}

// What PACC tells of the five systems is what they were configured with.
func TestPACCWriteThenRead(t *testing.T) {
	for name, s := range paccSystems(t) {
		if name == "whole" {
			continue // tells less than it has; see TestPACCWhole
		}
		read, err := ReadPACC(mustPACC(t, s), s.Address)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(byType(s.Expanded()), byType(read.Expanded())); diff != "" {
			t.Errorf("%s (-written +read):\n%s", name, diff)
		}
		if read.Provider.DisplayName != s.Provider.DisplayName || read.Provider.DisplayShortName != s.Provider.DisplayShortName {
			t.Errorf("%s: %+v", name, read.Provider)
		}
	}
}

func TestPACCWhole(t *testing.T) {
	s := of(t, describable, "@example.org")
	read, err := ReadPACC(mustPACC(t, s), s.Address)
	if err != nil {
		t.Fatal(err)
	}
	both := func(s account.Server) account.Server {
		s.Authentication = []account.Authentication{account.OAuth2Auth, account.PasswordCleartext}
		return s
	}
	want := []account.Server{
		both(service(account.JMAP, "https://jmap.example.com")),
		both(server(account.IMAP, "imap.example.org", 993, account.SSL)),
		both(server(account.POP3, "pop.example.com", 995, account.SSL)),
		both(server(account.SMTP, "smtp.example.com", 465, account.SSL)),
		both(service(account.CalDAV, "https://dav.example.org/calendars/")),
	}
	if diff := cmp.Diff(want, read.Servers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if read.Provider.OAuth2 == nil || read.Provider.OAuth2.Issuer != "https://login.example.com" {
		t.Errorf("OAuth2: %+v", read.Provider.OAuth2)
	}
	if len(read.Provider.Documentation) != 1 || read.Provider.Documentation[0].URL != "https://www.example.org/hjälp?a=1&b=2" {
		t.Errorf("documentation: %+v", read.Provider.Documentation)
	}
}

func TestPACCNotDescribable(t *testing.T) {
	imap := server(account.IMAP, "imap.example.com", 993, account.SSL)
	pop3 := server(account.POP3, "pop.example.com", 995, account.SSL)
	smtp := server(account.SMTP, "smtp.example.com", 465, account.SSL)
	jmap := service(account.JMAP, "https://jmap.example.com/session")
	caldav := service(account.CalDAV, "https://dav.example.com/c/")
	starttls := func(s *account.Server) { s.SocketType = account.STARTTLS }
	port := func(s *account.Server) { s.Port++ }
	path := func(url string) func(*account.Server) { return func(s *account.Server) { s.URL = url } }
	for _, row := range []struct {
		name    string
		servers []account.Server
		reason  string // empty: describable
		lacks   string // a member that is left out
	}{
		{"imap and smtp", []account.Server{imap, smtp}, "", "pop3"},
		{"pop3 and smtp", []account.Server{pop3, smtp}, "", "imap"},
		{"jmap alone", []account.Server{jmap}, "", "submit"},
		{"imap by STARTTLS", []account.Server{with(imap, starttls), pop3, smtp}, "imap: PACC knows implicit TLS only", ""},
		{"imap on another port", []account.Server{with(imap, port), smtp}, "imap: PACC knows the usual port only", ""},
		{"imap by STARTTLS, then by TLS", []account.Server{with(imap, starttls), imap, smtp}, "", "pop3"},
		{"smtp by STARTTLS", []account.Server{imap, with(smtp, starttls)}, "smtp: PACC knows implicit TLS only", ""},
		{"no smtp", []account.Server{imap}, "no smtp server", ""},
		{"pop3 by STARTTLS alone", []account.Server{with(pop3, starttls), smtp}, "pop3: PACC knows implicit TLS only", ""},
		{"pop3 by STARTTLS beside imap", []account.Server{imap, with(pop3, starttls), smtp}, "", "pop3"},
		{"login by local part", []account.Server{with(imap, byLocalPart), smtp}, "imap: the user name is not the mail address", ""},
		{"login with NT domain", []account.Server{imap, with(smtp, func(s *account.Server) { s.Login.DomainName = "hosting01" })}, "smtp: the user name is not the mail address", ""},
		{"a host per mailbox", []account.Server{with(imap, func(s *account.Server) { s.Hostname = "%EMAILLOCALPART%.example.com" }), smtp}, "imap: the server depends on the mailbox", ""},
		{"a URL per mailbox", []account.Server{with(jmap, path("https://jmap.example.com/%EMAILADDRESS%"))}, "jmap: the server depends on the mailbox", ""},
		{"jmap by http", []account.Server{with(jmap, path("http://jmap.example.com/"))}, "jmap: PACC knows https URLs only", ""},
		{"jmap on a port", []account.Server{with(jmap, path("https://jmap.example.com:443/"))}, "jmap: PACC knows URLs without a port only", ""},
		{"a calendar without path", []account.Server{imap, smtp, with(caldav, path("https://dav.example.com/"))}, "", "caldav"},
		{"a calendar with another login", []account.Server{imap, smtp, with(caldav, byLocalPart)}, "", "caldav"},
		{"a calendar alone", []account.Server{caldav}, "neither imap, pop3 nor jmap", ""},
		{"activesync alone", mamutBusiness.Servers, "neither imap, pop3 nor jmap", ""},
		{"OAuth2 without issuer", []account.Server{with(imap, oAuth2Only), with(smtp, oAuth2Only)}, "neither a password nor OAuth2", ""},
		{"nothing but certificates", []account.Server{with(imap, certificate), with(smtp, certificate)}, "neither a password nor OAuth2", ""},
		{"nothing", nil, "neither imap, pop3 nor jmap", ""},
	} {
		s := of(t, &account.Provider{DisplayName: "X", Servers: row.servers}, "@example.com")
		document, err := PACC(s)
		if row.reason == "" {
			if err != nil || strings.Contains(string(document), `"`+row.lacks+`"`) {
				t.Errorf("%s: %v\n%s", row.name, err, document)
			}
			continue
		}
		if !errors.Is(err, ErrNotDescribable) || !strings.Contains(err.Error(), row.reason) || document != nil {
			t.Errorf("%s: %v, want %s\n%s", row.name, err, row.reason, document)
		}
	}

	alias := of(t, small, "info@example.com")
	alias.Login = address(t, "fred@example.com")
	own := of(t, small, "fred@example.com")
	own.Custom = true
	for _, s := range []account.Settings{alias, own} {
		if _, err := PACC(s); !errors.Is(err, ErrNotDescribable) {
			t.Errorf("a login of its own: %v", err)
		}
	}
	for _, name := range []string{"mamut-any", "own-domain-any", "office365"} {
		if _, err := PACC(systems(t)[name]); !errors.Is(err, ErrNotDescribable) || !strings.Contains(err.Error(), "smtp: PACC knows implicit TLS only") {
			t.Errorf("%s, which submits by STARTTLS: %v", name, err)
		}
	}
}

func certificate(s *account.Server) {
	s.Authentication = []account.Authentication{account.TLSClientCert}
}

// TestPACCDocumentation: of several help pages the first one that does not depend
// on the mailbox is named.
func TestPACCDocumentation(t *testing.T) {
	provider := *small
	provider.Documentation = []account.Documentation{
		{URL: "https://example.com/%EMAILLOCALPART%"}, {URL: "https://example.com/first"}, {URL: "https://example.com/second"},
	}
	read, err := ReadPACC(mustPACC(t, of(t, &provider, "@example.com")), account.AnyAt("example.com"))
	if err != nil {
		t.Fatal(err)
	}
	want := []account.Documentation{{URL: "https://example.com/first"}}
	if diff := cmp.Diff(want, read.Provider.Documentation); diff != "" {
		t.Errorf("documentation (-want +got):\n%s", diff)
	}
}

func TestPACCIssuer(t *testing.T) {
	for issuer, want := range map[string]string{
		"login.example.com":           "https://login.example.com",
		"https://login.example.com/a": "https://login.example.com/a",
		"http://login.example.com":    "",
		"https://login.example.com?a": "",
		"https://login.example.com#a": "",
		"":                            "",
		"https://":                    "",
		"://":                         "",
	} {
		if got := issuerURL(issuer); got != want {
			t.Errorf("%q: %q, want %q", issuer, got, want)
		}
	}
}

func TestDigest(t *testing.T) {
	document := mustPACC(t, of(t, small, "@example.com"))
	sum := sha256.Sum256(document)
	if got, want := Digest(document), "v=UAAC1; a=sha256; d="+base64.StdEncoding.EncodeToString(sum[:]); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// The digest of nothing, known from elsewhere.
	if got := Digest(nil); got != "v=UAAC1; a=sha256; d=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" {
		t.Error(got)
	}
}

func TestReadPACC(t *testing.T) {
	for _, row := range []struct {
		name string
		text string
		want []string // types, or nil: no usable document
	}{
		{"-03", `{"protocols":{"imap":{"host":"a.example"},"submit":{"host":"b.example"}}}`, []string{"imap a.example 993", "smtp b.example 465"}},
		{"-02", `{"protocols":{"imap":{"host":"a.example"},"smtp":{"host":"b.example"}}}`, []string{"imap a.example 993", "smtp b.example 465"}},
		{"both, the newer counts", `{"protocols":{"smtp":{"host":"old.example"},"submit":{"host":"new.example"}}}`, []string{"smtp new.example 465"}},
		{"unknown members", `{"x":[],"protocols":{"x":{"y":1},"pop3":{"host":"a.example","z":{}}},"info":{"provider":{"logo":[{"url":"u","content-type":"t"}]},"help":{"contact":["c"],"developer":"d"}}}`, []string{"pop3 a.example 995"}},
		{"bad servers", `{"protocols":{"imap":{"host":"-"},"jmap":{"url":"x"},"caldav":{"host":"a.example"},"carddav":{"url":"https://a.example/c"}}}`, []string{"carddav https://a.example/c 0"}},
		{"no sign-in", `{"authentication":{"password":false},"protocols":{"imap":{"host":"a.example"}}}`, nil},
		{"no server", `{"protocols":{}}`, nil},
		{"no protocols", `{}`, nil},
		{"null", `null`, nil},
		{"another type", `{"protocols":[]}`, nil},
		{"two values", `{"protocols":{"imap":{"host":"a.example"}}} {}`, nil},
		{"not UTF-8", "{\"protocols\":{\"imap\":{\"host\":\"a.example\xff\"}}}", nil},
		{"nested", strings.Repeat(`{"a":`, 50_000), nil},
		{"large", `{"a":"` + strings.Repeat("x", 300<<10) + `","protocols":{"imap":{"host":"a.example"}}}`, nil},
		{"empty", "", nil},
		{"XML", "<clientConfig/>", nil},
	} {
		s, err := ReadPACC([]byte(row.text), address(t, "fred@example.com"))
		if errors.Is(err, ErrNoDocument) != (row.want == nil) || err != nil && strings.Contains(err.Error(), "character") {
			t.Errorf("%s: %v", row.name, err)
		}
		var got []string
		for _, server := range s.Servers {
			got = append(got, strings.TrimSpace(string(server.Type)+" "+server.Hostname+server.URL+" "+strconv.Itoa(server.Port)))
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
	s, err := ReadPACC([]byte(`{"authentication":{"oauth-public":{"issuer":"https://i.example"},"password":false},"protocols":{"imap":{"host":"a.example"}}}`), address(t, "fred@example.com"))
	if err != nil || !slices.Equal(s.Servers[0].Authentication, []account.Authentication{account.OAuth2Auth}) || s.Provider.OAuth2.Issuer != "https://i.example" {
		t.Errorf("OAuth2 alone: %+v, %v", s, err)
	}
}

func TestPACCHandler(t *testing.T) {
	var service scenarioService
	handler := PACCHandler(service.resolve)
	w := ask(t, handler, http.MethodGet, "example.com"+paccPath, "emailaddress=info@example.com")
	want := mustPACC(t, of(t, standard, "@example.com"))
	if w.Code != 200 || w.Body.String() != string(want) {
		t.Errorf("status %d\n%s", w.Code, w.Body)
	}
	if service.asked != (account.Query{Host: "example.com", Client: account.PACC}) {
		t.Errorf("asked %+v", service.asked)
	}
	h := w.Header()
	if h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "private, max-age=300" {
		t.Errorf("header %v", h)
	}
	for _, row := range []struct {
		method, url string
		status      int
	}{
		{http.MethodHead, "example.com" + paccPath, 200},
		{http.MethodGet, "example.com" + strings.ToUpper(paccPath), 200},
		{http.MethodGet, "example.com" + paccPath + "/", 404},
		{http.MethodGet, "example.com/", 404},
		{http.MethodGet, "unknown.example" + paccPath, 404},
		{http.MethodGet, "domain.se" + paccPath, 404}, // submits by STARTTLS
		{http.MethodPost, "example.com" + paccPath, 405},
	} {
		if w := ask(t, handler, row.method, row.url, ""); w.Code != row.status || row.method == http.MethodHead && w.Body.Len() > 0 {
			t.Errorf("%s %s: status %d", row.method, row.url, w.Code)
		}
	}
}

func mustPACC(t testing.TB, s account.Settings) []byte {
	t.Helper()
	document, err := PACC(s)
	if err != nil {
		t.Fatal(err)
	}
	return document
}
