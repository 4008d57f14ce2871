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

// describable has everything that PACC can express, and what it leaves out.
var describable = &account.Provider{
	ID: "pacc", DisplayName: "Tom & Jerry's <Mail>", DisplayShortName: "T & J",
	Servers: []account.Server{
		with(server(account.IMAP, "imap.%EMAILDOMAIN%", 993, account.SSL), oAuth2First),
		with(server(account.POP3, "pop.example.com", 995, account.SSL), oAuth2First),
		server(account.SMTP, "smtp.example.com", 587, account.STARTTLS), // preferred, but not for PACC
		with(server(account.SMTP, "smtp.example.com", 465, account.SSL), oAuth2First),
		with(service(account.JMAP, "https://jmap.example.com"), oAuth2First),
		with(service(account.CalDAV, "https://dav.%EMAILDOMAIN%/calendars/"), oAuth2First),
		service(account.CardDAV, "https://dav.example.com/"), // no path
		service(account.ActiveSync, "https://ex.example.com/Microsoft-Server-ActiveSync"),
		server(account.ManageSieve, "imap.example.com", 4190, account.STARTTLS),
	},
	OAuth2: &account.OAuth2{Issuer: "login.example.com"},
	Logo:   "https://example.com/Logo.SVG", Developer: "https://dev.%EMAILDOMAIN%/",
	Support: account.Support{Contact: account.Contact{
		URL: "https://example.com/100%EMAILDOMAIN%", Email: "help@example.com", Phone: "+46 (0)8/123 45"}},
	Documentation: []account.Documentation{
		{URL: "https://example.com/?u=%EMAILADDRESS%"}, {URL: "https://www.%EMAILDOMAIN%/hjälp?a=1&b=2"},
	},
}

// paccSystems returns settings that PACC can describe, by the name of the golden file.
func paccSystems(t testing.TB) map[string]account.Settings {
	return map[string]account.Settings{
		"small":      settingsOf(t, small, "@example.com"),
		"websupport": settingsOf(t, websupport, "@foretag.se"),
		"onecom":     settingsOf(t, onecom, "@firma.dk"),
		"whole":      settingsOf(t, describable, "@bücher.example"),
	}
}

// TestPACC checks the documents against the golden files, and that nothing but the
// settings of the domain changes their bytes.
func TestPACC(t *testing.T) {
	for name, s := range paccSystems(t) {
		t.Run(name, func(t *testing.T) {
			document := mustPACC(t, s)
			if !json.Valid(document) {
				t.Fatalf("the document is not JSON:\n%s", document)
			}
			// If a golden file changes, so does a digest in the DNS of every
			// customer.
			goldenfile.Check(t, golden+"pacc-"+name+".json", document)
			for range 20 {
				if again := mustPACC(t, s); string(again) != string(document) {
					t.Fatalf("written again, the document\n%s\nis\n%s", document, again)
				}
			}
			personal := s
			personal.Address = address(t, "fred@"+s.Address.Domain())
			personal.Login = personal.Address
			if other := mustPACC(t, personal); string(other) != string(document) {
				t.Errorf("for a mailbox, the document\n%s\nis\n%s", document, other)
			}

			read, err := ReadPACC(document, s.Address)
			if err != nil {
				t.Fatal(err)
			}
			again := mustPACC(t, read)
			if string(again) != string(document) {
				t.Errorf("read and written again, the document\n%s\nis\n%s", document, again)
			}
		})
	}
}

// TestPACCsKeepApart checks that a document does not depend on the domain or mailbox
// for which the first one was written, and that texts with placeholders stay as
// they are.
func TestPACCsKeepApart(t *testing.T) {
	verbatim := *describable
	verbatim.DisplayName = "100%%EMAILDOMAIN% \"%%EMAILADDRESS%%\" \x01%EMAILADDRESS%EMAILDOMAIN%"
	verbatim.DisplayShortName = " %EMAILDOMAIN%\xff%EMAILDOMAIN% "
	verbatim.Documentation = []account.Documentation{{URL: "https://%EMAILDOMAIN%/%%EMAILDOMAIN%%?%20"}}
	nameless := *describable
	nameless.DisplayName = " "
	// Percent signs that begin an escape or not, depending on the domain.
	escape := *describable
	escape.Servers = append(slices.Clone(small.Servers),
		service(account.CalDAV, "https://dav.example.com/%2%EMAILDOMAIN%"),
		service(account.CardDAV, "https://dav.example.com/%%EMAILDOMAIN%"))
	read, err := ReadPACC(mustPACC(t, settingsOf(t, &verbatim, "@ab.example")), account.AnyAt("ab.example"))
	if err != nil {
		t.Fatal(err)
	}
	const name, shortName = "100%%EMAILDOMAIN% \"%%EMAILADDRESS%%\" \x01%EMAILADDRESS%EMAILDOMAIN%",
		"%EMAILDOMAIN%\ufffd%EMAILDOMAIN%"
	if p := read.Provider; p.DisplayName != name || p.DisplayShortName != shortName {
		t.Errorf("names with placeholders are read as %q and %q, want %q and %q",
			p.DisplayName, p.DisplayShortName, name, shortName)
	}
	for name, provider := range map[string]*account.Provider{
		"whole": describable, "verbatim": &verbatim, "nameless": &nameless, "escape": &escape, "small": small, "standard": standard,
		"not describable": mamutPOP, "everything": everything,
	} {
		own, alias := settingsOf(t, provider, "own@ab.example"), settingsOf(t, provider, "alias@ab.example")
		own.Custom = true
		alias.Login = address(t, "fred@ab.example")
		all := []account.Settings{own, alias}
		for _, domain := range []string{"first.example", "bücher.example", "1-2.example", "ab.example"} {
			for _, local := range []string{"", "fred", "%EMAILDOMAIN%", "a/b"} {
				all = append(all, settingsOf(t, provider, local+"@"+domain))
			}
		}
		for first := range all {
			var p PACCs
			for i := range all {
				s := all[(first+i)%len(all)]
				want, wantErr := PACC(s)
				got, err := p.Document(s)
				if string(got) != string(want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
					t.Fatalf("%s: for %s after %s, the document is, with error %v,\n%s\nwant, with error %v,\n%s",
						name, s.Address, all[first].Address, err, got, wantErr, want)
				}
			}
		}
	}
}

// TestPACCHandlerKeepsApart checks that concurrent answers do not mix.
func TestPACCHandlerKeepsApart(t *testing.T) {
	handler := PACCHandler(func(_ context.Context, q account.Query) (account.Settings, error) {
		return settingsOf(t, describable, "@"+q.Host), nil
	})
	var group sync.WaitGroup
	for _, domain := range []string{"a.example", strings.Repeat("long.", 20) + "example", "b.example"} {
		want := string(mustPACC(t, settingsOf(t, describable, "@"+domain)))
		for range 4 {
			group.Go(func() {
				for range 200 {
					w := httptest.NewRecorder()
					r := httptest.NewRequest(http.MethodGet, paccPath, nil)
					r.Host = domain
					if handler.ServeHTTP(w, r); w.Body.String() != want {
						t.Errorf("%s gets\n%s\nwant\n%s", domain, w.Body, want)
						return
					}
				}
			})
		}
	}
	group.Wait()
}

// TestPACCWriteThenRead checks that the servers of a document are those of the
// settings.
func TestPACCWriteThenRead(t *testing.T) {
	for name, s := range paccSystems(t) {
		if name == "whole" {
			continue // the document leaves servers out; see TestPACCWhole
		}
		read, err := ReadPACC(mustPACC(t, s), s.Address)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(byType(s.Expanded()), byType(read.Expanded())); diff != "" {
			t.Errorf("%s (-written +read):\n%s", name, diff)
		}
		if read.Provider.DisplayName != s.Provider.DisplayName ||
			read.Provider.DisplayShortName != s.Provider.DisplayShortName {
			t.Errorf("%s: names are read as %q and %q, want those of %+v",
				name, read.Provider.DisplayName, read.Provider.DisplayShortName, s.Provider)
		}
	}
}

// TestPACCWhole checks which servers of describable a document has.
func TestPACCWhole(t *testing.T) {
	s := settingsOf(t, describable, "@example.org")
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
		t.Errorf("OAuth2 is read as %+v, want issuer https://login.example.com", read.Provider.OAuth2)
	}
	p := read.Provider
	contact := account.Contact{URL: "https://example.com/100%EMAILDOMAIN%",
		Email: "help@example.com", Phone: "+46-(0)8-123-45"}
	if p.Logo != "https://example.com/Logo.SVG" || p.Developer != "https://dev.example.org/" ||
		p.Support.Contact != contact {
		t.Errorf("logo, developer, contact = %q, %q, %+v, want those of the provider",
			p.Logo, p.Developer, p.Support.Contact)
	}
	if len(read.Provider.Documentation) != 1 ||
		read.Provider.Documentation[0].URL != "https://www.example.org/hjälp?a=1&b=2" {
		t.Errorf("documentation is read as %+v, want the page of www.example.org", read.Provider.Documentation)
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
		{"login by local part", []account.Server{with(imap, byLocalPart), smtp},
			"imap: the user name is not the mail address", ""},
		{"login with NT domain", []account.Server{imap,
			with(smtp, func(s *account.Server) { s.Login.DomainName = "hosting01" })},
			"smtp: the user name is not the mail address", ""},
		{"a host per mailbox", []account.Server{with(imap, func(s *account.Server) { s.Hostname = "%EMAILLOCALPART%.example.com" }), smtp}, "imap: the server depends on the mailbox", ""},
		{"a URL per mailbox", []account.Server{with(jmap, path("https://jmap.example.com/%EMAILADDRESS%"))},
			"jmap: the server depends on the mailbox", ""},
		{"jmap by http", []account.Server{with(jmap, path("http://jmap.example.com/"))},
			"jmap: PACC knows https URLs only", ""},
		{"jmap on a port", []account.Server{with(jmap, path("https://jmap.example.com:443/"))},
			"jmap: PACC knows URLs without a port only", ""},
		{"a calendar without path", []account.Server{imap, smtp, with(caldav, path("https://dav.example.com/"))},
			"", "caldav"},
		{"a calendar with another login", []account.Server{imap, smtp, with(caldav, byLocalPart)}, "", "caldav"},
		{"a calendar alone", []account.Server{caldav}, "neither imap, pop3 nor jmap", ""},
		{"activesync alone", mamutBusiness.Servers, "neither imap, pop3 nor jmap", ""},
		{"OAuth2 without issuer", []account.Server{with(imap, oAuth2Only), with(smtp, oAuth2Only)},
			"neither a password nor OAuth2", ""},
		{"nothing but certificates", []account.Server{with(imap, certificate), with(smtp, certificate)},
			"neither a password nor OAuth2", ""},
		{"nothing", nil, "neither imap, pop3 nor jmap", ""},
	} {
		s := settingsOf(t, &account.Provider{DisplayName: "X", Servers: row.servers}, "@example.com")
		document, err := PACC(s)
		if row.reason == "" {
			if err != nil || strings.Contains(string(document), `"`+row.lacks+`"`) {
				t.Errorf("%s: error %v, want a document without %q\n%s", row.name, err, row.lacks, document)
			}
			continue
		}
		if !errors.Is(err, ErrNotDescribable) || !strings.Contains(err.Error(), row.reason) || document != nil {
			t.Errorf("%s: error %v, want %s\n%s", row.name, err, row.reason, document)
		}
	}

	alias := settingsOf(t, small, "info@example.com")
	alias.Login = address(t, "fred@example.com")
	own := settingsOf(t, small, "fred@example.com")
	own.Custom = true
	for _, s := range []account.Settings{alias, own} {
		if _, err := PACC(s); !errors.Is(err, ErrNotDescribable) {
			t.Errorf("a login of its own: error %v, want ErrNotDescribable", err)
		}
	}
	for _, name := range []string{"mamut-any", "own-domain-any", "office365"} {
		if _, err := PACC(systems(t)[name]); !errors.Is(err, ErrNotDescribable) ||
			!strings.Contains(err.Error(), "smtp: PACC knows implicit TLS only") {
			t.Errorf("%s, which submits by STARTTLS: error %v, want ErrNotDescribable", name, err)
		}
	}
}

// TestPACCAuthentication checks that a document tells only what every server in it
// accepts: PACC has one list of methods for all servers.
func TestPACCAuthentication(t *testing.T) {
	imap := server(account.IMAP, "imap.example.com", 993, account.SSL)
	smtp := server(account.SMTP, "smtp.example.com", 465, account.SSL)
	caldav := service(account.CalDAV, "https://dav.example.com/c/")
	const password, token = account.PasswordCleartext, account.OAuth2Auth
	for _, row := range []struct {
		name    string
		servers []account.Server
		want    []account.Authentication // nil: not describable
		lacks   account.ServerType
	}{
		{"both everywhere", []account.Server{with(imap, oAuth2First), with(smtp, oAuth2First)},
			[]account.Authentication{token, password}, ""},
		{"imap without a password", []account.Server{with(imap, oAuth2Only), smtp}, nil, ""},
		{"smtp without a password", []account.Server{imap, with(smtp, oAuth2Only)}, nil, ""},
		{"imap without a password, smtp with both", []account.Server{with(imap, oAuth2Only), with(smtp, oAuth2First)},
			[]account.Authentication{token}, ""},
		{"smtp without OAuth2", []account.Server{with(imap, oAuth2First), smtp}, []account.Authentication{password}, ""},
		{"a calendar without OAuth2", []account.Server{with(imap, oAuth2First), with(smtp, oAuth2First), caldav},
			[]account.Authentication{token, password}, account.CalDAV},
		{"a calendar without a password", []account.Server{imap, smtp, with(caldav, oAuth2Only)},
			[]account.Authentication{password}, account.CalDAV},
		{"a calendar with more", []account.Server{imap, smtp, with(caldav, oAuth2First)},
			[]account.Authentication{password}, ""},
	} {
		s := settingsOf(t, &account.Provider{DisplayName: "X", Servers: row.servers,
			OAuth2: &account.OAuth2{Issuer: "login.example.com"}}, "@example.com")
		document, err := PACC(s)
		if row.want == nil {
			if !errors.Is(err, ErrNotDescribable) {
				t.Errorf("%s: error %v, want ErrNotDescribable\n%s", row.name, err, document)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		read, err := ReadPACC(document, s.Address)
		if err != nil || !slices.Equal(read.Servers[0].Authentication, row.want) {
			t.Errorf("%s: methods %v, %v, want %v", row.name, read.Servers[0].Authentication, err, row.want)
		}
		if _, has := read.First(account.CalDAV); has == (row.lacks == account.CalDAV) && row.lacks != "" {
			t.Errorf("%s: the document has a calendar", row.name)
		}
	}
}

func certificate(s *account.Server) {
	s.Authentication = []account.Authentication{account.TLSClientCert}
}

// TestPACCDocumentation checks that the document names the first of several help
// pages that does not depend on the mailbox.
func TestPACCDocumentation(t *testing.T) {
	provider := *small
	provider.Documentation = []account.Documentation{
		{URL: "https://example.com/%EMAILLOCALPART%"}, {URL: "https://example.com/first"},
		{URL: "https://example.com/second"},
	}
	read, err := ReadPACC(mustPACC(t, settingsOf(t, &provider, "@example.com")), account.AnyAt("example.com"))
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
			t.Errorf("issuerURL(%q) = %q, want %q", issuer, got, want)
		}
	}
}

func TestDigest(t *testing.T) {
	document := mustPACC(t, settingsOf(t, small, "@example.com"))
	sum := sha256.Sum256(document)
	if got, want := Digest(document), "v=UAAC1; a=sha256; d="+base64.StdEncoding.EncodeToString(sum[:]); got != want {
		t.Errorf("Digest = %s, want %s", got, want)
	}
	// The well-known SHA-256 of the empty string.
	if got := Digest(nil); got != "v=UAAC1; a=sha256; d=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" {
		t.Errorf("Digest(nil) = %s", got)
	}
}

func TestReadPACC(t *testing.T) {
	for _, row := range []struct {
		name string
		text string
		want []string // types, or nil: no usable document
	}{
		{"-03", `{"protocols":{"imap":{"host":"a.example"},"submit":{"host":"b.example"}}}`,
			[]string{"imap a.example 993", "smtp b.example 465"}},
		{"-02", `{"protocols":{"imap":{"host":"a.example"},"smtp":{"host":"b.example"}}}`,
			[]string{"imap a.example 993", "smtp b.example 465"}},
		{"both, the newer counts", `{"protocols":{"smtp":{"host":"old.example"},"submit":{"host":"new.example"}}}`,
			[]string{"smtp new.example 465"}},
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
		if errors.Is(err, ErrNoDocument) != (row.want == nil) ||
			err != nil && strings.Contains(err.Error(), "character") {
			t.Errorf("%s: ReadPACC: %v, want ErrNoDocument: %v, without the parser's words",
				row.name, err, row.want == nil)
		}
		var got []string
		for _, server := range s.Servers {
			got = append(got, strings.TrimSpace(string(server.Type)+" "+server.Hostname+server.URL+" "+
				strconv.Itoa(server.Port)))
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: ReadPACC has the servers %q, want %q", row.name, got, row.want)
		}
	}
	s, err := ReadPACC([]byte(`{"authentication":{"oauth-public":{"issuer":"https://i.example"},"password":false},"protocols":{"imap":{"host":"a.example"}}}`), address(t, "fred@example.com"))
	if err != nil || !slices.Equal(s.Servers[0].Authentication, []account.Authentication{account.OAuth2Auth}) ||
		s.Provider.OAuth2.Issuer != "https://i.example" {
		t.Errorf("OAuth2 alone is read as %+v, %v", s, err)
	}
}

func TestPACCHandler(t *testing.T) {
	var service scenarioService
	handler := PACCHandler(service.resolve)
	w := ask(t, handler, http.MethodGet, "example.com"+paccPath, "emailaddress=info@example.com")
	want := mustPACC(t, settingsOf(t, standard, "@example.com"))
	if w.Code != 200 || w.Body.String() != string(want) {
		t.Errorf("GET: status %d, want 200 with\n%s\ngot\n%s", w.Code, want, w.Body)
	}
	if service.asked != (account.Query{Host: "example.com", Client: account.PACC}) {
		t.Errorf("the resolver got %+v, want the host alone", service.asked)
	}
	h := w.Header()
	if h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "private, max-age=300" {
		t.Errorf("header %v, want application/json that may be cached for 300 s", h)
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
		if w := ask(t, handler, row.method, row.url, ""); w.Code != row.status ||
			row.method == http.MethodHead && w.Body.Len() > 0 {
			t.Errorf("%s %s: status %d, want %d, and no body after HEAD", row.method, row.url, w.Code, row.status)
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
