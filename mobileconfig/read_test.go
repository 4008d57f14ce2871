package mobileconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"signpost/account"
)

// TestWriteThenRead checks that Read returns the settings that a profile was written
// from.
func TestWriteThenRead(t *testing.T) {
	for _, p := range profiles(t) {
		t.Run(p.file, func(t *testing.T) {
			s := settings(t, p.provider, p.address)
			got, err := Read(document(t, s, p.options))
			if err != nil {
				t.Fatal(err)
			}
			if got.Address != s.Address || got.Login != s.Login || got.Provider.DisplayName != p.provider.DisplayName {
				t.Errorf("Read = address %v, login %v, provider %q, want %v, %v, %q", got.Address, got.Login,
					got.Provider.DisplayName, s.Address, s.Login, p.provider.DisplayName)
			}
			if diff := cmp.Diff(readable(t, s, p.options), got.Expanded(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// readable returns the servers that can be read back from a profile: those that it
// holds, without the settings that it has no keys for.
func readable(t *testing.T, s account.Settings, o Options) (servers []account.Server) {
	chosen, err := selectServers(s.Expanded(), o.Device, o.MailOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*account.Server{chosen.incoming, chosen.outgoing, chosen.exchange, chosen.calendars,
		chosen.contacts} {
		if s == nil {
			continue
		}
		one := *s
		if one.Type != account.ActiveSync {
			one.PastDays = 0 // only ActiveSync has a number of days
		}
		if one.Type == account.CalDAV || one.Type == account.CardDAV {
			url, _ := splitURL(one.URL)
			url.path = "/" // devices find the path by .well-known
			one.URL = url.join()
		}
		servers = append(servers, one)
	}
	return servers
}

// TestReadOthers reads profiles with what other programs write and this package does
// not.
func TestReadOthers(t *testing.T) {
	profile := func(payload string) string {
		return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>PayloadType</key><string>Configuration</string>
<key>PayloadContent</key><array>` + payload + `</array></dict></plist>`
	}
	mail := func(keys string) string {
		return profile(`<dict><key>PayloadType</key><string>com.apple.mail.managed</string>
<key>IncomingMailServerHostName</key><string>imap.example.se</string><key>OutgoingMailServerHostName</key><string>smtp.example.se</string>` + keys + `</dict>`)
	}
	server := func(t account.ServerType, host string, port int, socket account.SocketType) account.Server {
		return account.Server{Type: t, Hostname: host, Port: port, SocketType: socket}
	}
	tests := []struct {
		name, document, address string
		want                    []account.Server
	}{
		{"nothing but hosts", mail(""), "", []account.Server{
			server(account.IMAP, "imap.example.se", 143, account.Plain),
			server(account.SMTP, "smtp.example.se", 587, account.Plain)}},
		{"UseSSL without ports", mail("<key>IncomingMailServerUseSSL</key><true/><key>OutgoingMailServerUseSSL</key><true/>"), "", []account.Server{
			server(account.IMAP, "imap.example.se", 993, account.SSL),
			server(account.SMTP, "smtp.example.se", 465, account.SSL)}},
		{"ports as real, port 0, false", mail("<key>IncomingMailServerPortNumber</key><real>993</real><key>OutgoingMailServerPortNumber</key><integer>99999</integer>"), "", []account.Server{
			server(account.IMAP, "imap.example.se", 993, account.Plain),
			server(account.SMTP, "smtp.example.se", 587, account.Plain)}},
		{"ActiveSync by default without TLS", profile(`<dict><key>PayloadType</key><string>com.apple.eas.account</string><key>Host</key><string>ex.example.se</string>
<key>EmailAddress</key><string>anna@example.se</string><key>MailNumberOfPastDaysToSync</key><integer>5</integer></dict>`), "anna@example.se", []account.Server{
			{Type: account.ActiveSync, URL: "http://ex.example.se/Microsoft-Server-ActiveSync", PastDays: 7,
				Authentication: password}}},
		{"another number of days", profile(`<dict><key>PayloadType</key><string>com.apple.eas.account</string>
<key>Host</key><string>ex.example.se</string><key>SSL</key><true/>
<key>MailNumberOfPastDaysToSync</key><integer>31</integer></dict>`), "", []account.Server{
			{Type: account.ActiveSync, URL: "https://ex.example.se/Microsoft-Server-ActiveSync", PastDays: 31,
				Authentication: password}}},
		{"calendars by default with TLS", profile(`<dict><key>PayloadType</key><string>com.apple.caldav.account</string><key>CalDAVHostName</key><string>dav.example.se</string></dict>`), "", []account.Server{
			{Type: account.CalDAV, URL: "https://dav.example.se/", Authentication: password}}},
		{"texts that look like placeholders", profile(`<dict><key>PayloadType</key><string>com.apple.mail.managed</string>
<key>EmailAddress</key><string>anna@example.se</string>
<key>IncomingMailServerHostName</key><string>imap.%EMAILDOMAIN%</string><key>OutgoingMailServerHostName</key><string>%EMAILDOMAIN%</string>
<key>IncomingMailServerUsername</key><string>%EMAILADDRESS%</string></dict>
<dict><key>PayloadType</key><string>com.apple.carddav.account</string><key>CardDAVHostName</key><string>dav.%EMAILDOMAIN%</string>
<key>CardDAVPrincipalURL</key><string>/%EMAILLOCALPART%/</string></dict>`), "anna@example.se", []account.Server{
			withLogin(server(account.IMAP, "imap.%EMAILDOMAIN%", 143, account.Plain), "", "%EMAILADDRESS%"),
			server(account.SMTP, "%EMAILDOMAIN%", 587, account.Plain),
			{Type: account.CardDAV, URL: "https://dav.%EMAILDOMAIN%/", PrincipalURL: "/%EMAILLOCALPART%/",
				Authentication: password}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, text := range []string{test.document,
				"\n" + strings.Replace(test.document, `<?xml version="1.0" encoding="UTF-8"?>`, "<!-- x -->", 1)} {
				got, err := Read([]byte(text))
				if err != nil {
					t.Fatal(err)
				}
				if got.Address.String() != test.address {
					t.Errorf("address = %q, want %q", got.Address, test.address)
				}
				if diff := cmp.Diff(test.want, got.Expanded()); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
		})
	}
}

// badDocuments returns documents that Read refuses, each with the error.
func badDocuments(t testing.TB) map[string][2]string {
	good := string(document(t, settings(t, small, "anna@example.se"), Options{}))
	utf16 := "\xff\xfe"
	for _, r := range good {
		utf16 += string([]byte{byte(r), byte(r >> 8)})
	}
	const (
		damaged = "not a profile: it is damaged or no XML property list"
		another = "not a profile: its PayloadType is not Configuration"
		nothing = "the profile sets up no mail, calendars or contacts"
	)
	withPayload := func(payload string) string {
		return "<plist><dict><key>PayloadType</key><string>Configuration</string><key>PayloadContent</key><array>" +
			payload + "</array></dict></plist>"
	}
	entity := `<!DOCTYPE plist [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><plist><string>&b;</string></plist>`
	return map[string][2]string{
		"empty":                       {"", damaged},
		"words":                       {"hello", damaged},
		"truncated":                   {good[:len(good)/2], damaged},
		"HTML":                        {"<html><body>not found</body></html>", damaged},
		"no plist":                    {"<dict/>", another},
		"plist in plist":              {"<plist><plist/></plist>", another},
		"binary":                      {"bplist00\xd0\x08\x00\x00\x00\x00\x00\x00\x01\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09", damaged},
		"OpenStep":                    {`{PayloadType = Configuration;}`, damaged},
		"UTF-16":                      {utf16, damaged},
		"NUL":                         {strings.Replace(good, "Example", "Exa\x00mple", 1), damaged},
		"Latin-1":                     {strings.Replace(good, "Example", "Ex\xe4mple", 1), damaged},
		"another encoding":            {strings.Replace(good, "UTF-8", "ISO-8859-1", 1), damaged},
		"entities":                    {entity, damaged},
		"external entity":             {`<!DOCTYPE plist SYSTEM "file:///etc/passwd" [<!ENTITY x SYSTEM "file:///etc/passwd">]><plist>&x;</plist>`, damaged},
		"other doctype":               {`<!DOCTYPE html><plist/>`, another},
		"entity in string":            {strings.Replace(good, "Example", "&nbsp;", 1), damaged},
		"deep":                        {"<plist>" + strings.Repeat("<array>", 30000), damaged},
		"deep and closed":             {"<plist>" + strings.Repeat("<array>", 17) + strings.Repeat("</array>", 17) + "</plist>", damaged},
		"long":                        {good + strings.Repeat(" ", maxProfile), "not a profile: it is longer than 256 KiB"},
		"10 MB":                       {"<plist>" + strings.Repeat("<dict/>", 10<<20/7) + "</plist>", "not a profile: it is longer than 256 KiB"},
		"empty plist":                 {"<plist/>", another},
		"a string":                    {"<plist><string>x</string></plist>", damaged},
		"another plist":               {"<plist><dict><key>PayloadType</key><string>com.apple.mail.managed</string></dict></plist>", another},
		"no payloads":                 {"<plist><dict><key>PayloadType</key><string>Configuration</string></dict></plist>", nothing},
		"a payload that is a text":    {withPayload("<string>x</string>"), damaged},
		"a payload that says nothing": {withPayload("<dict/>"), nothing},
		"bad integer":                 {"<plist><integer>0x</integer></plist>", damaged},
		"signed":                      {"\x30\x82\x0a\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" + good, damaged},
	}
}

func TestReadBad(t *testing.T) {
	for name, test := range badDocuments(t) {
		start := time.Now()
		s, err := Read([]byte(test[0]))
		if err == nil || err.Error() != test[1] {
			t.Errorf("Read(%s) = %v, want error %q", name, err, test[1])
		}
		if s.Servers != nil || !s.Address.IsZero() || s.Provider != nil {
			t.Errorf("Read(%s) = %+v beside an error, want nothing", name, s)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("Read(%s) took %v, want less than a second", name, took)
		}
	}
}

// FuzzRead checks that no document crashes the reader, and that its result can be used.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob(goldenFile("*"))
	if err != nil || len(files) == 0 {
		f.Fatal("no golden files", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, test := range badDocuments(f) {
		if len(test[0]) < 10000 {
			f.Add([]byte(test[0]))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Read(text)
		if err != nil {
			if len(err.Error()) > 100 {
				t.Errorf("the error is too long to be logged: %v", err)
			}
			return
		}
		if len(s.Servers) == 0 || s.Provider == nil || !s.Custom {
			t.Errorf("read %+v", s)
		}
		for i, server := range s.Expanded() {
			if server.Port < 0 || server.Port > 65535 {
				t.Errorf("server %d has the port %d", i, server.Port)
			}
		}
	})
}
