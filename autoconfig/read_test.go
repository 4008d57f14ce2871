package autoconfig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"signpost/account"
)

// TestWriteThenRead checks that a document is read as the settings from which it was
// written.
func TestWriteThenRead(t *testing.T) {
	for name, s := range systems(t) {
		if strings.HasSuffix(name, "-percent") {
			continue // the format cannot write a name that looks like a placeholder
		}
		t.Run(name, func(t *testing.T) {
			got, err := Read(mustDocument(t, s), s.Address)
			if err != nil {
				t.Fatal(err)
			}
			if got.Address != s.Address || got.Login != s.Address || got.LookupDomain != s.LookupDomain {
				t.Errorf("Read: address %v, login %v, lookup domain %q, want %v, the same, %q",
					got.Address, got.Login, got.LookupDomain, s.Address, s.LookupDomain)
			}
			if diff := cmp.Diff(byType(s.Expanded()), byType(got.Expanded())); diff != "" {
				t.Errorf("servers (-written +read):\n%s", diff)
			}
			want := *s.Provider
			want.ID = s.Address.Domain() // what the format knows as id
			want.Webmail = account.Expand(want.Webmail, s.Login)
			want.DisplayName = oneLine(want.DisplayName)
			want.Documentation = nil
			for _, page := range s.Provider.Documentation {
				read := account.Documentation{URL: account.Expand(page.URL, s.Login)}
				for _, title := range page.Titles {
					read.Titles = append(read.Titles,
						account.Title{Language: title.Language, Text: oneLine(title.Text)})
				}
				want.Documentation = append(want.Documentation, read)
			}
			if diff := cmp.Diff(&want, got.Provider, cmpopts.IgnoreFields(account.Provider{}, "Servers")); diff != "" {
				t.Errorf("provider (-written +read):\n%s", diff)
			}
		})
	}
}

// byType groups servers by type.
func byType(servers []account.Server) map[account.ServerType][]account.Server {
	m := map[account.ServerType][]account.Server{}
	for _, s := range servers {
		m[s.Type] = append(m[s.Type], s)
	}
	return m
}

// document returns a document with the sections.
func document(sections string) string {
	return `<clientConfig version="1.1"><emailProvider id="example.com"><domain>example.com</domain>` + sections +
		`</emailProvider></clientConfig>`
}

const imapBody = `<hostname>imap.example.com</hostname><port>993</port><socketType>SSL</socketType><authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username>`

// TestReadTolerance checks what Read accepts and drops, as clients do.
func TestReadTolerance(t *testing.T) {
	imap := server(account.IMAP, "imap.example.com", 993, account.SSL)
	dav := service(account.CardDAV, "https://dav.example.com/")
	methods := func(s account.Server, a ...account.Authentication) account.Server {
		s.Authentication = a
		return s
	}
	for _, row := range []struct {
		name string
		text string
		want []account.Server // nil: no usable document
	}{
		{"as written", document(`<incomingServer type="imap">` + imapBody + `</incomingServer>`), []account.Server{imap}},
		{"with a BOM and a declaration", "\ufeff<?xml version='1.0'?>\n" + document(`<incomingServer type="imap">`+imapBody+`</incomingServer>`), []account.Server{imap}},
		{"white space and comments", document("\n<incomingServer type=' imap '><hostname>\n imap.<!-- x -->example.com </hostname><port> 993\n</port><socketType> SSL </socketType><authentication> password-cleartext </authentication><username> %EMAILADDRESS% </username></incomingServer>"), []account.Server{imap}},
		{"other case", document(`<incomingServer type="IMAP"><hostname>IMAP.example.com</hostname><port>993</port><socketType>ssl</socketType><authentication>Password-Cleartext</authentication><username>%EMAILADDRESS%</username></incomingServer>`), []account.Server{with(imap, func(s *account.Server) { s.Hostname = "IMAP.example.com" })}},
		{"a default namespace", strings.Replace(document(`<incomingServer type="imap">`+imapBody+`</incomingServer>`), "<clientConfig", `<clientConfig xmlns="urn:x"`, 1), []account.Server{imap}},
		{"unknown elements and attributes", document(`<x><incomingServer/></x><incomingServer type="imap" y="z"><z>1</z>` + imapBody + `</incomingServer>`), []account.Server{imap}},
		{"repeated values, the first", document(`<incomingServer type="imap">` + imapBody + `<hostname>second.example.com</hostname><port>143</port><username>second</username><socketType>STARTTLS</socketType></incomingServer>`), []account.Server{imap}},
		{"an unknown socketType, then a known one",
			document(`<incomingServer type="imap"><socketType>TLS</socketType>` + imapBody + `</incomingServer>`),
			[]account.Server{imap}},
		{"an unknown method, then a known one",
			document(`<incomingServer type="imap"><authentication system="sasl">X-NEW</authentication>` + imapBody +
				`</incomingServer>`), []account.Server{imap}},
		{"the first emailProvider", `<clientConfig><emailProvider id="a"><incomingServer type="imap">` + imapBody + `</incomingServer></emailProvider><emailProvider id="b"><incomingServer type="pop3">` + imapBody + `</incomingServer></emailProvider></clientConfig>`, []account.Server{imap}},
		{"two of a type", document(`<incomingServer type="imap">` + imapBody + `</incomingServer><incomingServer type="imap">` + imapBody + `</incomingServer>`), []account.Server{imap, imap}},
		{"a server among bad ones", document(`<incomingServer type="imap"/><incomingServer><hostname>x</hostname></incomingServer><incomingServer type="nntp">` + imapBody + `</incomingServer><incomingServer type="smtp">` + imapBody + `</incomingServer><outgoingServer type="imap">` + imapBody + `</outgoingServer><incomingServer type="imap">` + imapBody + `</incomingServer>`), []account.Server{imap}},
		{"SASL names", document(`<incomingServer type="imap"><authentication system="sasl">SCRAM-SHA-256-PLUS</authentication><authentication>CRAM-MD5</authentication><authentication system="sasl">PLAIN</authentication><authentication>XOAUTH2</authentication>` + imapBody + `</incomingServer>`), []account.Server{methods(imap, account.PasswordEncrypted, account.PasswordCleartext, account.OAuth2Auth)}},
		{"placeholders in host names", document(`<incomingServer type="imap"><hostname>imap.%EMAILDOMAIN%</hostname>` + imapBody + `</incomingServer>`), []account.Server{with(imap, func(s *account.Server) { s.Hostname = "imap.%EMAILDOMAIN%" })}},

		{"no server", document(``), nil},
		{"1.2: addressbook, url, Basic", strings.Replace(document(``), "</clientConfig>", `<addressbook type="carddav"><url>https://dav.example.com/</url><authentication system="http">Basic</authentication><username>%EMAILADDRESS%</username></addressbook></clientConfig>`, 1), []account.Server{dav}},
		{"1.1: addressBook, serverURL, http-basic",
			strings.Replace(document(``), "</clientConfig>",
				`<addressBook type="carddav"><serverURL>https://dav.example.com/</serverURL><authentication>http-basic</authentication></addressBook></clientConfig>`, 1), []account.Server{dav}},
		{"digest", strings.Replace(document(``), "</clientConfig>", `<calendar type="caldav"><url>https://dav.example.com/</url><authentication system="http">Digest</authentication></calendar></clientConfig>`, 1), []account.Server{methods(service(account.CalDAV, "https://dav.example.com/"), account.PasswordEncrypted)}},
		{"activeSync as the registry has it", document(`<incomingServer type="activeSync"><url>https://ex.example.com/eas</url><authentication>basic</authentication><username>hosting01\fred</username></incomingServer>`), []account.Server{with(service(account.ActiveSync, "https://ex.example.com/eas"), func(s *account.Server) {
			s.Login = account.Login{DomainName: "hosting01", Username: "fred"}
		})}},
		{"1.1: exchange", document(`<incomingServer type="exchange"><hostname>ex.example.com</hostname><ewsURL>https://ex.example.com/ews</ewsURL><easURL>https://ex.example.com/eas</easURL><owaURL>https://ex.example.com/owa</owaURL><authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></incomingServer>`), []account.Server{service(account.EWS, "https://ex.example.com/ews"), service(account.ActiveSync, "https://ex.example.com/eas")}},

		{"port 0", document(`<incomingServer type="imap"><port>0</port>` + imapBody + `</incomingServer>`), nil},
		{"port 70000", document(`<incomingServer type="imap"><port>70000</port>` + imapBody + `</incomingServer>`), nil},
		{"port +993x", document(`<incomingServer type="imap"><port>993x</port>` + imapBody + `</incomingServer>`), nil},
		{"a host that is none", document(`<incomingServer type="imap"><hostname>-imap_</hostname>` + imapBody + `</incomingServer>`), nil},
		{"a URL that is none", document(`<incomingServer type="ews"><url>javascript:alert(1)</url>` + imapBody + `</incomingServer>`), nil},
		{"a prefix, which Thunderbird cannot read",
			`<a:clientConfig xmlns:a="urn:x"><emailProvider><incomingServer type="imap">` + imapBody + `</incomingServer></emailProvider></a:clientConfig>`, nil},
		{"none, where somebody signs in", document(`<incomingServer type="imap">` + strings.Replace(imapBody, "password-cleartext", "none", 1) + `</incomingServer>`), nil},
		{"a relay", document(`<outgoingServer type="smtp"><hostname>smtp.example.com</hostname><port>25</port><socketType>plain</socketType><authentication>none</authentication></outgoingServer>`),
			[]account.Server{methods(server(account.SMTP, "smtp.example.com", 25, account.Plain), account.NoAuthentication)}},
		{"no socketType", document(`<incomingServer type="imap">` + strings.Replace(imapBody, "<socketType>SSL</socketType>", "", 1) + `</incomingServer>`), nil},
		{"no username", document(`<incomingServer type="imap">` + strings.Replace(imapBody, "<username>%EMAILADDRESS%</username>", "", 1) + `</incomingServer>`), nil},
		{"sections with a prefix", strings.NewReplacer("incomingServer", "a:incomingServer", "<clientConfig", `<clientConfig xmlns:a="urn:x"`).
			Replace(document(`<incomingServer type="imap">` + imapBody + `</incomingServer>`)), nil},
		{"no emailProvider", `<clientConfig version="1.1"/>`, nil},
		{"a web page", `<!DOCTYPE html><html><body>Welcome</body></html>`, nil},
		{"another root", `<html><emailProvider/></html>`, nil},
	} {
		s, err := Read([]byte(row.text), address(t, "fred@example.com"))
		if errors.Is(err, ErrNoDocument) != (row.want == nil) {
			t.Errorf("%s: Read: %v", row.name, err)
		}
		if diff := cmp.Diff(row.want, s.Servers); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// TestReadPages checks which pages are read: those that have a URL.
func TestReadPages(t *testing.T) {
	for text, want := range map[string]account.Provider{
		``: {},
		`<webMail><loginPage url=" https://a/ "/></webMail>`:                                {Webmail: "https://a/"},
		`<webMail><loginPageInfo url="https://b/"/></webMail>`:                              {Webmail: "https://b/"},
		`<webMail><loginPageInfo url="https://b/"/><loginPage url="https://a/"/></webMail>`: {Webmail: "https://a/"},
		`<webMail><loginPage url=""/><loginPageInfo url="https://b/"/></webMail>`:           {Webmail: "https://b/"},
		`<webMail><loginPage/><loginPageInfo/></webMail>`:                                   {},
		`<documentation><descr>Help</descr></documentation>`:                                {},
		`<documentation url=""/><documentation url="https://c/"><descr> </descr></documentation>`: {
			Documentation: []account.Documentation{{URL: "https://c/"}}},
		`<documentation url="https://c/"><descr lang="sv">Hjälp</descr><descr>Help</descr></documentation>`: {
			Documentation: []account.Documentation{{URL: "https://c/", Titles: []account.Title{{Language: "sv", Text: "Hjälp"},
				{Text: "Help"}}}}},
	} {
		inside, atRoot := text, ""
		if strings.HasPrefix(text, "<webMail") {
			inside, atRoot = "", text
		}
		whole := strings.Replace(document(inside+`<incomingServer type="imap">`+imapBody+`</incomingServer>`),
			"</clientConfig>", atRoot+"</clientConfig>", 1)
		s, err := Read([]byte(whole), address(t, "fred@example.com"))
		if err != nil {
			t.Errorf("Read of %s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, account.Provider{Webmail: s.Provider.Webmail, Documentation: s.Provider.Documentation}); diff != "" {
			t.Errorf("pages of %s (-want +got):\n%s", text, diff)
		}
	}
}

// TestReadLogin checks that a user name is divided only where both parts are there.
func TestReadLogin(t *testing.T) {
	for name, want := range map[string]account.Login{
		"fred":        {Username: "fred"},
		`corp\fred`:   {DomainName: "corp", Username: "fred"},
		`corp\fred\x`: {DomainName: "corp", Username: `fred\x`},
		`\fred`:       {Username: `\fred`},
		`corp\`:       {Username: `corp\`},
		`\`:           {Username: `\`},

		"%EMAILLOCALPART%@example.com":      {Username: account.EmailAddress},
		"%EMAILLOCALPART%@other.example":    {Username: "%EMAILLOCALPART%@other.example"},
		`corp\%EMAILLOCALPART%@example.com`: {DomainName: "corp", Username: "%EMAILLOCALPART%@example.com"},
	} {
		if got := readLogin(name, account.AnyAt("example.com")); got != want {
			t.Errorf("readLogin(%q) = %+v, want %+v", name, got, want)
		}
	}
}

func TestReadLookupDomain(t *testing.T) {
	for text, want := range map[string]string{
		"<domain>example.com</domain>":                                                                                     "",
		"<domain>example.com</domain><domain>hoster.example</domain>":                                                      "hoster.example",
		`<domain>hoster.example</domain><domain>Example.com</domain><domain purpose="mx">hoster.example</domain>`:          "hoster.example",
		"<domain>%EMAILDOMAIN%</domain><domain>hoster.example</domain>":                                                    "hoster.example",
		"<domain>example.com</domain><domain>a.example</domain><domain>b.example</domain>":                                 "",
		"<domain>a.example</domain><domain>_bad_</domain>":                                                                 "",
		"<domain>example.com</domain><domain>-</domain><domain></domain><domain>a.example</domain><domain>\n\t</domain>\n": "a.example",
	} {
		s, err := Read([]byte(`<clientConfig><emailProvider>`+text+`<incomingServer type="imap">`+imapBody+
			`</incomingServer></emailProvider></clientConfig>`), address(t, "fred@example.com"))
		if err != nil || s.LookupDomain != want {
			t.Errorf("LookupDomain of %s = %q, %v, want %q", text, s.LookupDomain, err, want)
		}
	}
}

func TestReadOAuth2InEitherPlace(t *testing.T) {
	section := `<oAuth2><issuer>i</issuer><scope>a b</scope><scope>c</scope><authURL>https://a/</authURL><tokenURL>https://t/</tokenURL></oAuth2>`
	inside := document(`<incomingServer type="imap">` + imapBody + `</incomingServer>` + section)
	atRoot := strings.Replace(document(`<incomingServer type="imap">`+imapBody+`</incomingServer>`), "</clientConfig>",
		section+"</clientConfig>", 1)
	want := &account.OAuth2{Issuer: "i", Scopes: []string{"a", "b", "c"}, AuthURL: "https://a/", TokenURL: "https://t/"}
	for _, text := range []string{inside, atRoot} {
		s, err := Read([]byte(text), address(t, "fred@example.com"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, s.Provider.OAuth2); diff != "" {
			t.Errorf("OAuth2 (-want +got):\n%s", diff)
		}
	}
}

// hostileDocuments are answers that a bad server could send.
func hostileDocuments() map[string]string {
	good := document(`<incomingServer type="imap">` + imapBody + `</incomingServer>`)
	return map[string]string{
		"empty":           "",
		"white space":     " \n ",
		"words":           "not found",
		"truncated":       good[:len(good)-20],
		"truncated tag":   good[:60],
		"NUL":             strings.Replace(good, "imap.", "imap\x00.", 1),
		"not UTF-8":       strings.Replace(good, "imap.", "imap\xff.", 1),
		"Latin-1":         `<?xml version="1.0" encoding="ISO-8859-1"?>` + good,
		"UTF-16":          utf16(good),
		"two roots":       good + good,
		"text after":      good + "x",
		"text before":     "x" + good,
		"DOCTYPE":         `<!DOCTYPE clientConfig>` + good,
		"entity bomb":     `<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>` + strings.Replace(good, "imap.", "&b;", 1),
		"external entity": `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + strings.Replace(good, "imap.", "&x;", 1),
		"unknown entity":  strings.Replace(good, "imap.", "&x;", 1),
		"nested":          strings.Repeat("<a>", 10_000),
		"nested, closed":  strings.Replace(good, "<domain>", strings.Repeat("<a>", 20)+strings.Repeat("</a>", 20)+"<domain>", 1),
		"10 MB":           strings.Replace(good, "<domain>", "<!--"+strings.Repeat("x", 10<<20)+"--><domain>", 1),
		"many elements":   strings.Replace(good, "<domain>", strings.Repeat("<a/>", 60_000)+"<domain>", 1),
		"crossed tags":    "<clientConfig><emailProvider></clientConfig></emailProvider>",
		"JSON":            `{"protocols":{}}`,
	}
}

func utf16(text string) string {
	b := []byte{0xff, 0xfe}
	for i := range len(text) {
		b = append(b, text[i], 0)
	}
	return string(b)
}

func TestReadHostile(t *testing.T) {
	for name, text := range hostileDocuments() {
		start := time.Now()
		_, err := Read([]byte(text), address(t, "fred@example.com"))
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: Read took %v, want less than 2s", name, took)
		}
		if !errors.Is(err, ErrNoDocument) {
			t.Errorf("%s: error %v", name, err)
		} else if strings.Contains(err.Error(), "line") || strings.Contains(err.Error(), "syntax") ||
			strings.Contains(err.Error(), "etree") {
			t.Errorf("%s: the error quotes the parser: %v", name, err)
		}
	}
}

// TestParseXML checks the reason for which a document is refused.
func TestParseXML(t *testing.T) {
	for name, reason := range map[string]string{
		"nested, closed": "nested too deep", "nested": "nested too deep", "DOCTYPE": "document type",
		"entity bomb": "not well-formed", "two roots": "two root", "many elements": "too many parts",
		"10 MB": "larger than", "UTF-16": "not UTF-8", "text before": "outside", "text after": "outside",
	} {
		_, err := parseXML([]byte(hostileDocuments()[name]))
		if err == nil || !strings.HasPrefix(err.Error(), "no usable document: it ") ||
			!strings.Contains(err.Error(), reason) {
			t.Errorf("parseXML(%s) = %v, want %q", name, err, reason)
		}
	}
}

// TestReadForeign reads documents of other hosters, and compares the servers with
// what their authors meant.
func TestReadForeign(t *testing.T) {
	files, err := filepath.Glob("testdata/foreign/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob: %d foreign documents, %v, want some", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Read(text, address(t, "fred@example.com"))
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		var got strings.Builder
		for _, server := range s.Expanded() {
			fmt.Fprintln(&got, server.Type, server.Hostname+server.URL, server.Port, server.SocketType,
				server.Authentication, server.Login.Username)
		}
		want, err := os.ReadFile(strings.TrimSuffix(file, ".xml") + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

func TestIsURL(t *testing.T) {
	for text, want := range map[string]bool{
		"https://example.com/x": true,
		"http://example.com":    true,
		"wss://example.com":     true,
		"HTTPS://example.com":   true,
		"ftp://example.com":     false,
		"file:///etc/passwd":    false,
		"https:///x":            false,
		"https:example.com":     false,
		"example.com":           false,
		"https://%zz":           false,
		"":                      false,
	} {
		if got := isURL(text); got != want {
			t.Errorf("isURL(%q) = %v, want %v", text, got, want)
		}
	}
}
