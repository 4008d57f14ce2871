package phone

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/mail"
	"os"
	"regexp"
	"strings"
	"testing"

	"signpost/account"
)

// settings returns the settings of a mailbox with IMAP and SMTP, changed.
func settings(t testing.TB, address string, change ...func(*account.Settings)) account.Settings {
	t.Helper()
	a, err := account.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	login := account.Login{Username: account.EmailAddress}
	password := []account.Authentication{account.PasswordCleartext}
	s := account.Settings{Address: a, Login: a, Provider: &account.Provider{}, Servers: []account.Server{
		{Type: account.IMAP, Hostname: "mail.example.se", Port: 993, SocketType: account.SSL, Login: login, Authentication: password},
		{Type: account.SMTP, Hostname: "mail.example.se", Port: 465, SocketType: account.SSL, Login: login, Authentication: password},
	}}
	for _, c := range change {
		c(&s)
	}
	return s
}

// both changes both servers.
func both(change func(*account.Server)) func(*account.Settings) {
	return func(s *account.Settings) {
		for i := range s.Servers {
			change(&s.Servers[i])
		}
	}
}

// TestCode compares codes with what the app reads, and with the example byte for byte.
func TestCode(t *testing.T) {
	want, err := os.ReadFile("testdata/one.json")
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := Code(settings(t, "anna@example.se"), "Anna Ek"); !ok || got != strings.TrimSpace(string(want)) {
		t.Errorf("Code = %s, %t; want %s", got, ok, want)
	}
	for _, row := range []struct {
		name    string
		address string
		person  string
		change  func(*account.Settings)
		want    string // what is in the code; empty: there is none
	}{
		{"STARTTLS", "a@b.se", "", both(func(s *account.Server) { s.SocketType, s.Port = account.STARTTLS, 587 }), `587,2,1`},
		{"POP3", "a@b.se", "", func(s *account.Settings) { s.Servers[0].Type = account.POP3 }, `,[1,"mail`},
		{"the login", "a@b.se", "", both(func(s *account.Server) { s.Login.Username = "u%EMAILLOCALPART%" }), `"ua"]`},
		{"encrypted password", "a@b.se", "", both(func(s *account.Server) {
			s.Authentication = []account.Authentication{account.PasswordEncrypted}
		}), `,3,2,"a@b.se"`},
		{"OAuth2 before a password", "a@b.se", "", both(func(s *account.Server) {
			s.Authentication = []account.Authentication{account.OAuth2Auth, account.PasswordCleartext}
		}), `,3,1,"a@b.se"`},
		{"a relay", "a@b.se", "", func(s *account.Settings) {
			s.Servers[1].Authentication = []account.Authentication{account.NoAuthentication}
		}, `465,3,0,""]`},
		{"a name in Unicode", "a@b.se", "Åsa 😀 \"x\" \x01", nil, `"\u00c5sa \ud83d\ude00 \"x\"  "`},
		{"an international domain", "a@åkeriet.example", "", nil, `"a@xn--keriet-hua.example"`},
		{"no name", "a@b.se", "", nil, `["a@b.se",""]`},

		{"plain", "a@b.se", "", both(func(s *account.Server) { s.SocketType = account.Plain }), ""},
		{"OAuth2 alone", "a@b.se", "", both(func(s *account.Server) {
			s.Authentication = []account.Authentication{account.OAuth2Auth}
		}), ""},
		{"Kerberos", "a@b.se", "", both(func(s *account.Server) { s.Authentication = []account.Authentication{account.GSSAPI} }), ""},
		{"NTLM", "a@b.se", "", both(func(s *account.Server) { s.Authentication = []account.Authentication{account.NTLM} }), ""},
		{"no sending server", "a@b.se", "", func(s *account.Settings) { s.Servers = s.Servers[:1] }, ""},
		{"no receiving server", "a@b.se", "", func(s *account.Settings) { s.Servers = s.Servers[1:] }, ""},
		{"the first IMAP server with Kerberos", "a@b.se", "", func(s *account.Settings) {
			kerberos := s.Servers[0]
			kerberos.Hostname, kerberos.Authentication = "kerberos.b.se", []account.Authentication{account.GSSAPI}
			s.Servers = append([]account.Server{kerberos}, s.Servers...)
		}, `[0,"mail.`},
		{"IMAP with Kerberos, POP3 with a password", "a@b.se", "", func(s *account.Settings) {
			pop := s.Servers[0]
			pop.Type, pop.Port = account.POP3, 995
			s.Servers[0].Authentication = []account.Authentication{account.GSSAPI}
			s.Servers = append(s.Servers, pop)
		}, ""},
		{"POP3 alone", "a@b.se", "", func(s *account.Settings) {
			s.Servers[0].Type, s.Servers[0].Port = account.POP3, 995
		}, `,995,3,1,`},
		{"line separators in the name", "a@b.se", "A\u2028B\u2029C", nil, `"A B C"`},
		{"ActiveSync alone", "a@b.se", "", func(s *account.Settings) {
			s.Servers = []account.Server{{Type: account.ActiveSync, URL: "https://b.se/Microsoft-Server-ActiveSync"}}
		}, ""},
		{"a local part in Unicode", "åsa@b.se", "", nil, ""},
		{"a quoted local part", `"a b"@b.se`, "", nil, ""},
		{"a long local part", strings.Repeat("a", 65) + "@b.se", "", nil, ""},
	} {
		change := row.change
		if change == nil {
			change = func(*account.Settings) {}
		}
		a, err := account.ParseAddress(row.address)
		if err != nil {
			continue // such an address is refused before
		}
		s := settings(t, "x@y.se", change)
		s.Address, s.Login = a, a
		got, ok := Code(s, row.person)
		if ok != (row.want != "") || !strings.Contains(got, row.want) {
			t.Errorf("%s: Code = %s, %t; want %q in it", row.name, got, ok, row.want)
		}
		file, hasFile := SettingsFile(s, row.person)
		if hasFile != ok {
			t.Errorf("%s: there is a code, %t, but a settings file, %t", row.name, ok, hasFile)
		}
		if ok {
			if err := readCode(got); err != nil {
				t.Errorf("%s: the app refuses %s: %v", row.name, got, err)
			}
			if err := readFile(file); err != nil {
				t.Errorf("%s: the app refuses the settings file: %v\n%s", row.name, err, file)
			}
		}
	}
}

// TestReader checks that the reader of this test refuses what the app refuses.
func TestReader(t *testing.T) {
	two, err := os.ReadFile("testdata/two.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := readCode(string(two)); err != nil {
		t.Errorf("two accounts: %v", err)
	}
	null, err := os.ReadFile("testdata/refused-null.json")
	if err != nil {
		t.Fatal(err)
	}
	const good = `[1,[1,1],[0,"m.se",993,3,1,"a@b.se"],[[[0,"m.se",465,3,1,"a@b.se"],["a@b.se","A"]]]]`
	if err := readCode(good); err != nil {
		t.Fatal(err)
	}
	for _, row := range [][2]string{
		{"[1,", "[2,"}, {`993,3,1`, `993,3,3`}, {`993,3,1`, `993,3,4`}, {`993,3,1`, `993,3,7`}, {`993,3,1`, `993,1,1`},
		{"993", "0"}, {"993", "65536"}, {`"m.se",993`, `"m_ö.se",993`}, {`"A"`, `"A\nB"`}, {`,"A"`, ``},
		{`["a@b.se"`, `["\"a b\"@b.se"`}, {`["a@b.se"`, `["å@b.se"`}, {`[0,"m.se",465`, `[1,"m.se",465`}, {`[1,1]`, `[2,1]`},
		{good, string(null)}, {good, "{}"}, {good, "[1,[1,1]]"}, {`[[[0,`, `[[[null,`},
	} {
		if text := strings.Replace(good, row[0], row[1], 1); readCode(text) == nil {
			t.Errorf("the reader takes %s", text)
		}
	}
}

// readCode reads a code by the rules of the app's reader (feature/migration/qrcode,
// QrCodePayloadReader and QrCodePayloadMapper): what it refuses, it refuses as a whole.
func readCode(text string) error {
	var root []json.RawMessage
	if err := json.Unmarshal([]byte(text), &root); err != nil {
		return err
	}
	if len(root) < 4 || len(root)%2 != 0 {
		return fmt.Errorf("%d elements", len(root))
	}
	version, err := number(root[0])
	if err != nil || version != 1 {
		return fmt.Errorf("format %d", version)
	}
	var count []json.RawMessage
	if err := json.Unmarshal(root[1], &count); err != nil || len(count) < 2 {
		return errors.New("no count")
	}
	n, err1 := number(count[0])
	of, err2 := number(count[1])
	if err1 != nil || err2 != nil || n < 1 || n > of {
		return errors.New("the count is wrong")
	}
	for i := 2; i < len(root); i += 2 {
		if err := readServer(root[i], 0, 1); err != nil {
			return fmt.Errorf("incoming: %w", err)
		}
		var groups [][]json.RawMessage
		if err := json.Unmarshal(root[i+1], &groups); err != nil || len(groups) == 0 || len(groups[0]) < 2 {
			return errors.New("no outgoing server with an identity")
		}
		for _, group := range groups {
			if err := readServer(group[0], 0, 0); err != nil {
				return fmt.Errorf("outgoing: %w", err)
			}
			for _, identity := range group[1:] {
				var fields []json.RawMessage
				if err := json.Unmarshal(identity, &fields); err != nil || len(fields) < 2 {
					return errors.New("an identity without its two texts")
				}
				address, err := word(fields[0])
				if err != nil {
					return err
				}
				if parsed, err := mail.ParseAddress(address); err != nil || parsed.Address != address || !ascii.MatchString(address) ||
					strings.Contains(address, `"`) || len(address) > 254 || strings.IndexByte(address, '@') > 64 ||
					!hostName.MatchString(address[strings.LastIndexByte(address, '@')+1:]) {
					return fmt.Errorf("the address %q", address)
				}
				if _, err := word(fields[1]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

var (
	ascii    = regexp.MustCompile(`^[\x21-\x7e]+$`)
	hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$`)
)

func readServer(data json.RawMessage, kinds ...int) error {
	var fields []json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil || len(fields) < 6 {
		return errors.New("fewer than six fields")
	}
	kind, err := number(fields[0])
	if err != nil || kind < kinds[0] || kind > kinds[1] {
		return fmt.Errorf("the type %s", fields[0])
	}
	host, err := word(fields[1])
	if err != nil || !hostName.MatchString(host) {
		return fmt.Errorf("the host %s", fields[1])
	}
	if port, err := number(fields[2]); err != nil || port < 1 || port > 65535 {
		return fmt.Errorf("the port %s", fields[2])
	}
	if security, err := number(fields[3]); err != nil || security != 0 && security != 2 && security != 3 {
		return fmt.Errorf("the security %s", fields[3]) // 1 must not be written
	}
	switch auth, err := number(fields[4]); {
	case err != nil, auth < 0, auth > 6, auth == 3, auth == 4:
		return fmt.Errorf("the authentication %s", fields[4])
	}
	for _, field := range fields[5:] { // user name, account name, password
		if _, err := word(field); err != nil {
			return err
		}
	}
	return nil
}

func number(data json.RawMessage) (int, error) {
	var n *int
	if err := json.Unmarshal(data, &n); err != nil || n == nil {
		return 0, fmt.Errorf("%s is no number", data)
	}
	return *n, nil
}

// word reads a text. The app's reader fails at null, and the rest refuses line breaks.
func word(data json.RawMessage) (string, error) {
	var s *string
	if err := json.Unmarshal(data, &s); err != nil || s == nil {
		return "", fmt.Errorf("%s is no text", data)
	}
	if strings.ContainsAny(*s, "\r\n") {
		return "", errors.New("a line break in a text")
	}
	return *s, nil
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// readFile reads a settings file by the layout of the app's own export.
func readFile(file []byte) error {
	type server struct {
		Type     string `xml:"type,attr"`
		Host     string `xml:"host"`
		Port     int    `xml:"port"`
		Security string `xml:"connection-security"`
		Auth     string `xml:"authentication-type"`
		Username string `xml:"username"`
		Password string `xml:"password"`
	}
	var root struct {
		XMLName  xml.Name `xml:"k9settings"`
		Version  int      `xml:"version,attr"`
		Format   int      `xml:"format,attr"`
		Accounts []struct {
			UUID       string `xml:"uuid,attr"`
			Name       string `xml:"name"`
			In         server `xml:"incoming-server"`
			Out        server `xml:"outgoing-server"`
			Identities []struct {
				Name  string `xml:"name"`
				Email string `xml:"email"`
			} `xml:"identities>identity"`
		} `xml:"accounts>account"`
	}
	if err := xml.Unmarshal(file, &root); err != nil {
		return err
	}
	if root.Version < 99 || root.Format != 1 || len(root.Accounts) != 1 || len(root.Accounts[0].Identities) != 1 {
		return fmt.Errorf("version %d, format %d, %d accounts", root.Version, root.Format, len(root.Accounts))
	}
	a := root.Accounts[0]
	if !uuidForm.MatchString(a.UUID) || a.Name == "" || a.Identities[0].Email == "" {
		return fmt.Errorf("the account %+v", a)
	}
	if a.In.Type != "IMAP" && a.In.Type != "POP3" || a.Out.Type != "SMTP" || a.In.Password+a.Out.Password != "" {
		return fmt.Errorf("the servers %+v and %+v", a.In, a.Out)
	}
	for _, s := range []server{a.In, a.Out} {
		if s.Host == "" || s.Port == 0 || s.Security != "SSL_TLS_REQUIRED" && s.Security != "STARTTLS_REQUIRED" ||
			!strings.Contains(" PLAIN CRAM_MD5 NONE ", " "+s.Auth+" ") {
			return fmt.Errorf("the server %+v", s)
		}
	}
	return nil
}

// TestSettingsFile compares a file with the example, but for the account's UUID.
func TestSettingsFile(t *testing.T) {
	got, ok := SettingsFile(settings(t, "anna@example.se"), "Anna Ek")
	if !ok {
		t.Fatal("there is no file")
	}
	if err := readFile(got); err != nil {
		t.Error(err)
	}
	example, err := os.ReadFile("testdata/account.k9s")
	if err != nil {
		t.Fatal(err)
	}
	plain := func(file []byte) string {
		_, body, _ := strings.Cut(string(file), "?>")
		return strings.TrimSpace(regexp.MustCompile(`uuid="[^"]*"`).ReplaceAllString(body, ""))
	}
	if plain(got) != plain(example) {
		t.Errorf("the file is\n%s\nwant\n%s", got, example)
	}
	again, _ := SettingsFile(settings(t, "anna@example.se"), "Anna Ek")
	if string(again) != string(got) {
		t.Error("the file of the same address differs")
	}
}

// FuzzCode writes codes for names and logins that anybody may choose. The app takes each.
func FuzzCode(f *testing.F) {
	f.Add("Anna Ek", "anna")
	f.Add("\xff\u2028\x7f\\\"", "%EMAILLOCALPART%\r\n")
	f.Fuzz(func(t *testing.T, name, username string) {
		s := settings(t, "anna@example.se", both(func(s *account.Server) { s.Login.Username = username }))
		text, ok := Code(s, name)
		file, hasFile := SettingsFile(s, name)
		if ok != hasFile {
			t.Errorf("a code: %t, a file: %t", ok, hasFile)
		}
		if !ok {
			return
		}
		if err := readCode(text); err != nil {
			t.Errorf("the app refuses %q: %v", text, err)
		}
		for _, r := range text {
			if r < ' ' || r > '~' {
				t.Errorf("the code %q has the character %q", text, r)
			}
		}
		if err := readFile(file); err != nil {
			t.Errorf("the app refuses the file: %v\n%s", err, file)
		}
	})
}
