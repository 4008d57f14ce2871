package server_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/golden"
	"signpost/internal/show"
	"signpost/internal/systems"
)

// vocabulary is what the documents of a dialect can express: types of servers, and
// whether they say how a client authenticates.
type vocabulary struct {
	types          []account.ServerType
	authentication bool
}

// vocabularies holds the vocabulary of each dialect of show.Dialects. A profile has
// one incoming server.
var vocabularies = map[string]vocabulary{
	"thunderbird": {account.ServerTypes, true},
	"outlook":     {[]account.ServerType{account.IMAP, account.POP3, account.SMTP, account.CalDAV, account.CardDAV}, true},
	"activesync":  {[]account.ServerType{account.ActiveSync}, false},
	"apple":       {[]account.ServerType{account.IMAP, account.SMTP, account.ActiveSync}, true},
	"mac":         {[]account.ServerType{account.IMAP, account.SMTP, account.EWS}, true},
	"ews":         {[]account.ServerType{account.EWS}, false},
	"exchange":    {[]account.ServerType{account.IMAP, account.POP3, account.SMTP, account.CalDAV, account.CardDAV, account.EWS}, true},
	"pacc":        {[]account.ServerType{account.IMAP, account.POP3, account.SMTP}, true},
}

// TestWriteThenRead writes the settings of each example system in each dialect and
// reads them back: nothing that the dialect can express may be lost or changed. The
// golden files show which dialects have no document for an address.
func TestWriteThenRead(t *testing.T) {
	for _, system := range systems.All(t) {
		t.Run(system.Name, func(t *testing.T) {
			var all strings.Builder
			for _, address := range system.Addresses() {
				for _, dialect := range show.Dialects {
					if dialect.Name == "thunderbird-android" {
						continue // the document of thunderbird, without the mailbox
					}
					if dialect.Exchange && system.Name != "exchange" {
						continue // not shown, and told as Outlook is
					}
					all.WriteString(readBack(t, system, dialect, address))
				}
			}
			file := filepath.Join("..", "..", "testdata", "golden", "readback", system.Name+".txt")
			golden.Check(t, file, []byte(all.String()))
		})
	}
}

// readBack returns what a client reads from the document for the address.
func readBack(t *testing.T, system systems.System, dialect show.Dialect, address account.Address) string {
	words, ok := vocabularies[dialect.Name]
	if !ok {
		t.Fatalf("the test does not know what dialect %s can express", dialect.Name)
	}
	place := fmt.Sprintf("%s, %s", address, dialect.Name)
	settings := system.Settings(t, address, dialect.Client)
	document, err := dialect.Write(settings, "setup.mamutmail.com")
	if err != nil {
		return place + ": no document\n"
	}
	read, err := dialect.Read(document, address)
	if err != nil {
		t.Errorf("%s: reading the document: %v\n%s", place, err, document)
		return ""
	}
	if read.Address != address {
		t.Errorf("%s: the document is about %s", place, read.Address)
	}
	written := settings.Expanded()
	if dialect.Client == account.Apple {
		written = slices.DeleteFunc(slices.Clone(written), appleOmits)
	}
	got, want := words.describe(read.Expanded()), words.describe(written)
	if !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("%s: read\n%s\nwant what was written, and at least one server\n%s",
			place, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return place + "\n  " + strings.Join(got, "\n  ") + "\n"
}

// appleOmits reports whether a profile leaves out the server: its mail payload has no
// OAuth2.
func appleOmits(s account.Server) bool {
	return (s.Type == account.IMAP || s.Type == account.SMTP) && !slices.ContainsFunc(s.Authentication,
		func(a account.Authentication) bool { return a != account.OAuth2Auth })
}

// describe lists what the dialect can express of the servers, by type: a document may
// order types differently.
func (v vocabulary) describe(servers []account.Server) []string {
	var lines []string
	for _, serverType := range v.types {
		for _, s := range servers {
			if s.Type != serverType {
				continue
			}
			line := fmt.Sprintf("%s %s:%d %s %s %s as %q of %q",
				s.Type, s.Hostname, s.Port, s.SocketType, s.URL, s.PathPrefix, s.Login.Username, s.Login.DomainName)
			if v.authentication {
				line += fmt.Sprint(" by ", s.Authentication)
			}
			lines = append(lines, line)
		}
	}
	return lines
}
