package autoconfig

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"signpost/account"
	goldenfile "signpost/internal/golden"
)

func TestDocuments(t *testing.T) {
	for name, s := range systems(t) {
		t.Run(name, func(t *testing.T) {
			document := mustDocument(t, s)
			if found := traps(document); found != nil {
				t.Errorf("the document has what some reader cannot read: %q", found)
			}
			goldenfile.Check(t, golden+name+".xml", document)
		})
	}
}

// TestDocumentsByXmllint validates the golden documents against a schema.
func TestDocumentsByXmllint(t *testing.T) {
	needProgram(t, "xmllint")
	files, err := filepath.Glob(golden + "*.xml")
	if err != nil || len(files) != len(systems(t)) {
		t.Fatalf("%d golden documents for %d systems, %v", len(files), len(systems(t)), err)
	}
	arguments := append([]string{"--noout", "--nonet", "--relaxng", "testdata/config.rng"}, files...)
	out, err := exec.Command("xmllint", arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// The schema refuses bad documents.
	document, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{{"<port>", "<port>99"}, {"<hostname>", "<hostname>_"},
		{"<username>", "<username> "}, {"<displayName>", "<x/><displayName>"}} {
		cmd := exec.Command("xmllint", "--noout", "--nonet", "--relaxng", "testdata/config.rng", "-")
		cmd.Stdin = strings.NewReader(strings.Replace(string(document), change[0], change[1], 1))
		if cmd.Run() == nil {
			t.Errorf("xmllint accepts a document with %s", change[1])
		}
	}
}

func needProgram(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
}

// TestDocumentsKeepApart checks that a document does not depend on the documents
// that were written before.
func TestDocumentsKeepApart(t *testing.T) {
	all := systems(t)
	all["quoted"] = settingsOf(t, composite, `" a  b "@example.com`)
	lookup := settingsOf(t, small, "fred@example.com")
	lookup.LookupDomain = "example.com"
	all["led here by the own domain"] = lookup

	var d documents
	for range 2 {
		for name, s := range all {
			got, err := d.write(s)
			if err != nil {
				t.Fatal(err)
			}
			if want := string(mustDocument(t, s)); string(got) != want {
				t.Errorf("%s: the document after others is\n%s\nwant\n%s", name, got, want)
			}
		}
	}
}

// TestDivide checks which servers a document names, and in which order.
func TestDivide(t *testing.T) {
	plain := func(s account.Server) account.Server {
		s.SocketType, s.Port = account.Plain, account.DefaultPort(s.Type, account.Plain)
		return s
	}
	imap := server(account.IMAP, "imap.example.com", 993, account.SSL)
	second := server(account.IMAP, "imap2.example.com", 143, account.STARTTLS)
	pop3 := server(account.POP3, "pop.example.com", 995, account.SSL)
	smtp := server(account.SMTP, "smtp.example.com", 465, account.SSL)
	submission := server(account.SMTP, "smtp.example.com", 587, account.STARTTLS)
	ews := service(account.EWS, "https://ex.example.com/EWS/Exchange.asmx")
	easy := service(account.ActiveSync, "https://ex.example.com/Microsoft-Server-ActiveSync")
	jmap := service(account.JMAP, "https://jmap.example.com/session")
	caldav := service(account.CalDAV, "https://dav.example.com/c/")

	for _, row := range []struct {
		name    string
		servers []account.Server
		want    []account.Server // nil: not describable
	}{
		{"the provider's order", []account.Server{pop3, ews, imap, smtp}, []account.Server{pop3, ews, imap, smtp}},
		{"ews preferred", []account.Server{ews, imap, smtp}, []account.Server{ews, imap, smtp}},
		{"types that few read come last", []account.Server{easy, jmap, ews, imap, smtp},
			[]account.Server{ews, imap, easy, jmap, smtp}},
		{"the provider's order where there is no imap", []account.Server{ews, pop3, smtp}, []account.Server{ews, pop3, smtp}},
		{"one of each type, the preferred", []account.Server{imap, second, smtp, submission, pop3},
			[]account.Server{imap, pop3, smtp}},
		{"encrypted rather than preferred", []account.Server{plain(imap), second, plain(smtp), submission},
			[]account.Server{second, submission}},
		{"no plain pop3 beside imap", []account.Server{imap, plain(pop3), smtp}, []account.Server{imap, smtp}},
		{"no plain imap beside pop3", []account.Server{plain(imap), pop3, smtp}, []account.Server{pop3, smtp}},
		{"plain where there is nothing else", []account.Server{plain(imap), plain(pop3), plain(smtp)},
			[]account.Server{plain(imap), plain(pop3), plain(smtp)}},
		{"plain smtp where there is nothing else, so that people can send", []account.Server{imap, plain(smtp)},
			[]account.Server{imap, plain(smtp)}},
		{"plain imap beside ews, which few speak", []account.Server{ews, plain(imap), smtp},
			[]account.Server{ews, plain(imap), smtp}},
		{"imap without smtp, for clients that can use it", []account.Server{imap}, []account.Server{imap}},
		{"jmap alone", []account.Server{jmap}, []account.Server{jmap}},
		{"ews alone", []account.Server{ews, caldav}, []account.Server{ews, caldav}},
		{"activesync alone", []account.Server{easy}, nil},
		{"activesync, smtp and a calendar", []account.Server{easy, smtp, caldav}, nil},
		{"nothing", nil, nil},
	} {
		before := slices.Clone(row.servers)
		s, err := divide(row.servers)
		got := slices.Concat(s.incoming, s.outgoing, s.others)
		if !slices.EqualFunc(got, row.want, sameServer) || errors.Is(err, ErrNotDescribable) != (row.want == nil) {
			t.Errorf("%s: divide = %v, %v, want %v", row.name, got, err, row.want)
		}
		if !slices.EqualFunc(before, row.servers, sameServer) {
			t.Errorf("%s: divide changed the provider's servers", row.name)
		}
	}
}

func sameServer(a, b account.Server) bool {
	same := slices.Equal(a.Authentication, b.Authentication)
	a.Authentication, b.Authentication = nil, nil
	return same && a.Type == b.Type && a.Hostname == b.Hostname && a.Port == b.Port &&
		a.SocketType == b.SocketType && a.URL == b.URL && a.Login == b.Login
}

// TestActiveSyncAlone checks that there is no document without a server that some
// reader of the format can use.
func TestActiveSyncAlone(t *testing.T) {
	document, err := Document(settingsOf(t, mamutBusiness, "mail@domain.se"))
	if document != nil || !errors.Is(err, ErrNotDescribable) || !strings.Contains(err.Error(), "neither imap") {
		t.Errorf("Document = %q, %v, want ErrNotDescribable for want of imap", document, err)
	}
}

// TestInternationalDomain checks that a document leaves no client the choice how to
// spell an international domain in a login.
func TestInternationalDomain(t *testing.T) {
	for text, want := range map[string]string{
		"fred@bücher.example": "<username>fred@xn--bcher-kva.example</username>",
		"@bücher.example":     "<username>%EMAILLOCALPART%@xn--bcher-kva.example</username>",
		"fred@example.com":    "<username>%EMAILADDRESS%</username>",
		"@example.com":        "<username>%EMAILADDRESS%</username>",
	} {
		document := string(mustDocument(t, settingsOf(t, ownDomain, text)))
		if n := strings.Count(document, "<username>"); n == 0 || strings.Count(document, want) != n {
			t.Errorf("the document for %s has not always %s:\n%s", text, want, document)
		}
	}
	// The two kinds of domains of one provider do not share a template.
	var d documents
	for _, text := range []string{"fred@example.com", "fred@bücher.example", "fred@example.com"} {
		s := settingsOf(t, ownDomain, text)
		if got, err := d.write(s); err != nil || !bytes.Equal(got, mustDocument(t, s)) {
			t.Errorf("the document for %s after another differs (%v):\n%s", text, err, got)
		}
	}
}

// TestVersion checks that the version is not older than what the document holds.
func TestVersion(t *testing.T) {
	for name, want := range map[string]string{"mamut-info": "1.1", "office365": "1.1", "everything": "1.2"} {
		document := string(mustDocument(t, systems(t)[name]))
		if !strings.Contains(document, `<clientConfig version="`+want+`">`) {
			t.Errorf("%s: version is not %s in\n%s", name, want, document)
		}
	}
	sieve := *small
	sieve.Servers = append(slices.Clone(small.Servers),
		server(account.ManageSieve, "mail.example.se", 4190, account.STARTTLS))
	document := string(mustDocument(t, settingsOf(t, &sieve, "@example.se")))
	if !strings.Contains(document, `version="1.2"`) {
		t.Errorf("version with setupServer is not 1.2 in\n%s", document)
	}
}

// TestSparseProvider checks that texts and links that are missing, empty or
// dependent on the mailbox leave no element behind.
func TestSparseProvider(t *testing.T) {
	bare := &account.Provider{
		Servers: small.Servers, Webmail: "https://example.com/?u=%EMAILADDRESS%",
		OAuth2: &account.OAuth2{},
		Documentation: []account.Documentation{{}, {URL: "https://example.com/%EMAILLOCALPART%"},
			{URL: "https://example.com/", Titles: []account.Title{{Language: "en"}}}},
	}
	bare.Servers = []account.Server{with(small.Servers[0], oAuth2First), small.Servers[1]}
	document := mustDocument(t, settingsOf(t, bare, "fred@example.com"))
	if found := traps(document); found != nil {
		t.Errorf("the document has what some reader cannot read: %q", found)
	}
	text := string(document)
	for _, want := range []string{"<displayName>example.com</displayName>",
		`<documentation url="https://example.com/"/>`} {
		if !strings.Contains(text, want) {
			t.Errorf("the document lacks %s:\n%s", want, text)
		}
	}
	for _, unwanted := range []string{"webMail", "oAuth2", "displayShortName", "descr"} {
		if strings.Contains(text, unwanted+">") {
			t.Errorf("the document has an element %s:\n%s", unwanted, text)
		}
	}
}

// TestDocumentNamesEachDomainOnce checks that a client that was led here by the domain of
// its own address gets the document that names no second domain.
func TestDocumentNamesEachDomainOnce(t *testing.T) {
	s := settingsOf(t, small, "fred@example.com")
	want := string(mustDocument(t, s))
	s.LookupDomain = "example.com"
	if got := string(mustDocument(t, s)); got != want {
		t.Errorf("the document with the address's own domain as the one that led here is\n%s\nwant\n%s", got, want)
	}
}

// TestSectionsOfOtherLogins checks that the last <username> of a document is one that mail
// servers take: FairEmail uses it for them.
func TestSectionsOfOtherLogins(t *testing.T) {
	login := func(s account.Server, username string) account.Server {
		s.Login = account.Login{Username: username}
		return s
	}
	imap := login(server(account.IMAP, "imap.example.com", 993, account.SSL), "incoming")
	smtp := login(server(account.SMTP, "smtp.example.com", 465, account.SSL), "outgoing")
	calendar := service(account.CalDAV, "https://dav.example.com/")
	for _, row := range []struct {
		name    string
		servers []account.Server
		want    []string // the user names, in the order of the document
	}{
		{"the login for sending", []account.Server{imap, smtp, login(calendar, "outgoing")},
			[]string{"incoming", "outgoing", "outgoing"}},
		{"the login for receiving", []account.Server{imap, smtp, login(calendar, "incoming")},
			[]string{"incoming", "incoming", "outgoing"}},
		{"a login of its own", []account.Server{imap, smtp, login(calendar, "own")}, []string{"own", "incoming", "outgoing"}},
		{"nothing to send with", []account.Server{imap, login(calendar, "incoming")}, []string{"incoming", "incoming"}},
	} {
		provider := &account.Provider{ID: "example", Servers: row.servers}
		document := string(mustDocument(t, settingsOf(t, provider, "fred@example.com")))
		var got []string
		for _, part := range strings.Split(document, "<username>")[1:] {
			name, _, _ := strings.Cut(part, "</username>")
			got = append(got, name)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: user names %q, want %q", row.name, got, row.want)
		}
		if row.name == "the login for sending" &&
			strings.Index(document, "<calendar") < strings.Index(document, "<emailProvider") {
			t.Errorf("%s: the calendar stands before emailProvider:\n%s", row.name, document)
		}
	}
}
