package show_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
	"signpost/internal/directory"
	"signpost/internal/golden"
	"signpost/internal/show"
	"signpost/internal/systems"
)

// TestExplain compares the text for every mailbox of the example systems with a golden
// file, and checks that each client gets settings, a redirect or a reason.
func TestExplain(t *testing.T) {
	for _, system := range systems.All(t) {
		for _, address := range system.Addresses() {
			t.Run(system.Name+"/"+address.String(), func(t *testing.T) {
				report, err := show.Explain(t.Context(), system.Directory.Resolve, address, system.Config.Name)
				if err != nil {
					t.Fatalf("Explain(%s): %v", address, err)
				}
				for _, client := range report.Clients {
					answers := 0
					for _, has := range []bool{len(client.Servers) > 0, client.Redirect != "", client.Nothing != ""} {
						if has {
							answers++
						}
					}
					if answers != 1 {
						t.Errorf("%s has %d of servers, redirect and reason, want one: %+v",
							client.Client, answers, client)
					}
					if strings.Contains(client.Nothing, "cannot be read back") {
						t.Errorf("%s: %s", client.Client, client.Nothing)
					}
				}
				var text bytes.Buffer
				if err := report.WriteText(&text); err != nil {
					t.Fatalf("WriteText: %v", err)
				}
				file := address.String() + ".txt"
				golden.Check(t, filepath.Join("..", "..", "testdata", "golden", "show", system.Name, file),
					text.Bytes())
			})
		}
	}
}

// TestExplainFails checks that an error of the directory is passed on.
func TestExplainFails(t *testing.T) {
	failure := errors.New("DNS failed")
	resolve := func(context.Context, account.Query) (account.Settings, error) { return account.Settings{}, failure }
	address, err := account.ParseAddress("anna@example.se")
	if err != nil {
		t.Fatal(err)
	}
	if report, err := show.Explain(t.Context(), resolve, address, ""); report != nil || err != failure {
		t.Errorf("Explain = %v, %v, want nil and the error of resolve", report, err)
	}
}

// TestQuery checks that only dialects that never see the address ask for the domain.
func TestQuery(t *testing.T) {
	address, err := account.ParseAddress("anna@example.se")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]account.Query{
		"thunderbird": {Address: address, Client: account.Thunderbird},
		"outlook":     {Address: address, Client: account.Outlook},
		"activesync":  {Address: address, Client: account.Phone},
		"ews":         {Address: address, Client: account.Outlook},
		"exchange":    {Address: address, Client: account.Outlook},
		"apple":       {Address: address, Client: account.Apple},
		"mac":         {Address: address, Client: account.Apple},
		"pacc":        {Host: "ua-auto-config.example.se", Client: account.PACC},

		"thunderbird-android": {Host: "autoconfig.example.se", Client: account.Thunderbird},
	}
	for _, d := range show.Dialects {
		if got := d.Query(address); got != want[d.Name] {
			t.Errorf("%s: Query(%s) = %v, want %v", d.Name, address, got, want[d.Name])
		}
		if found, ok := show.Find(d.Name); !ok || found.Title != d.Title {
			t.Errorf("Find(%q) = %q, %v, want the dialect %q", d.Name, found.Title, ok, d.Title)
		}
		delete(want, d.Name)
	}
	if len(want) > 0 {
		t.Errorf("Dialects lacks %v", want)
	}
	if _, ok := show.Find("pine"); ok {
		t.Error(`Find("pine") reports a dialect, want none`)
	}
}

// TestDocument checks what a client gets that is no document with settings.
func TestDocument(t *testing.T) {
	for _, test := range []struct {
		system, address, dialect string
		document, note           string // a part of each
		err                      string
	}{
		{"mamut", "info@domain.se", "outlook", "<LoginName>info@domain.se</LoginName>", "", ""},
		{"mamut", "mail@domain.se", "activesync", "<ErrorCode>601</ErrorCode>", "the client is told error 601: ", ""},
		{"office365", "anna@kh-konsult.example", "outlook",
			"Location: https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml\n",
			"the client is redirected with HTTP 302", ""},
		{"mamut", "mail@domain.se", "mac", "", "", "no Apple profile: "},
	} {
		system := systems.Load(t, test.system)
		address, err := account.ParseAddress(test.address)
		if err != nil {
			t.Fatal(err)
		}
		d, _ := show.Find(test.dialect)
		document, note, err := d.Document(system.Settings(t, address, d.Client), system.Config.Name)
		if test.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), test.err) {
				t.Errorf("%s for %s: error %v, want one that begins with %q", test.dialect, test.address, err, test.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s for %s: %v", test.dialect, test.address, err)
		}
		if !strings.Contains(string(document), test.document) {
			t.Errorf("%s for %s lacks %q:\n%s", test.dialect, test.address, test.document, document)
		}
		if !strings.HasPrefix(note, test.note) || (note == "") != (test.note == "") {
			t.Errorf("%s for %s has the note %q, want %q", test.dialect, test.address, note, test.note)
		}
	}
}

// TestJSON checks the names of the fields, which other programs rely on.
func TestJSON(t *testing.T) {
	report := show.Report{
		Address: "a@b.example", Provider: "p", Name: "P", Account: show.Account{Listed: true, MX: "mx.b.example"},
		Clients: []show.Client{{
			Client: "outlook", Title: "Outlook", Error: "601", Nothing: "why",
			Servers: []show.Server{{Type: "imap", Hostname: "h", Port: 993, SocketType: "SSL", Username: "a"}},
			Wrong:   "another product", Link: "https://h/", Say: "Open it.",
		}},
	}
	got, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"address":"a@b.example","provider":"p","displayName":"P",` +
		`"account":{"listed":true,"mx":"mx.b.example"},` +
		`"clients":[{"client":"outlook",` +
		`"servers":[{"type":"imap","hostname":"h","port":993,"socketType":"SSL","username":"a"}],` +
		`"error":"601","nothing":"why","wrong":"another product","link":"https://h/","say":"Open it."}]}`
	if string(got) != want {
		t.Errorf("the report as JSON is\n%s\nwant\n%s", got, want)
	}
}

// TestLogins checks that a client with a login of its own has a row of its own, that
// other clients have none, and that a provider without servers gives an empty list.
func TestLogins(t *testing.T) {
	sample := func(string) account.Address { return account.AnyAt("example.se") }
	login := func(username string) account.Login { return account.Login{Username: username} }
	servers := func(imap string) []account.Server {
		return []account.Server{
			{Type: account.IMAP, Hostname: "h", Port: 993, SocketType: account.SSL, Login: login(imap)},
			{Type: account.EWS, URL: "https://h/ews", Login: login("u")},
		}
	}
	logins := show.Logins([]directory.Provider{{Provider: &account.Provider{
		ID: "p", Servers: servers("u"),
		Exceptions: map[account.Client][]account.Server{account.Outlook: servers("special")},
	}}}, sample)
	var text bytes.Buffer
	if err := show.WriteLogins(&text, logins); err != nil {
		t.Fatal(err)
	}
	address := sample("p").String()
	want := [][]string{
		strings.Fields("PROVIDER ADDRESS TYPE SERVER USER NAME DOMAIN ONLY FOR"),
		{"p", address, "imap", "h:993", "SSL", "u", "-", "-"},
		{"p", address, "ews", "https://h/ews", "u", "-", "-"},
		{"p", address, "imap", "h:993", "SSL", "special", "-", "outlook"},
	}
	var got [][]string
	for line := range strings.Lines(text.String()) {
		got = append(got, strings.Fields(line))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table of logins (-want +got):\n%s", diff)
	}

	logins = show.Logins([]directory.Provider{{Provider: &account.Provider{ID: "p"}}}, sample)
	if text, err := json.Marshal(logins); err != nil || string(text) != "[]" {
		t.Errorf("the logins of a provider without servers as JSON = %s, %v, want []", text, err)
	}
}

// TestWriteTextOrder checks that servers stay in the order of preference, whether they
// have a URL or not.
func TestWriteTextOrder(t *testing.T) {
	report := show.Report{Clients: []show.Client{{Title: "Some client", Servers: []show.Server{
		{Type: "ews", URL: "https://mail.example.se/EWS/Exchange.asmx", Username: "anna"},
		{Type: "imap", Hostname: "mail.example.se", Port: 993, SocketType: "SSL", Username: "anna"},
		{Type: "smtp", Hostname: "smtp.example.se", Port: 465, SocketType: "SSL", Username: "anna"},
		{Type: "caldav", URL: "https://dav.example.se", Username: "anna"},
	}}}}
	var text bytes.Buffer
	if err := report.WriteText(&text); err != nil {
		t.Fatalf("WriteText: %v", err)
	}
	_, got, _ := strings.Cut(text.String(), "Some client\n")
	want := `  ews     https://mail.example.se/EWS/Exchange.asmx  user name anna
  imap    mail.example.se  993 SSL  user name anna
  smtp    smtp.example.se  465 SSL  user name anna
  caldav  https://dav.example.se  user name anna
`
	if got != want {
		t.Errorf("WriteText writes the servers as\n%s\nwant\n%s", got, want)
	}
}
