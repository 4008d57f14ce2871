package server_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/autodiscover"
	"signpost/mobileconfig"
)

// spoken is a dialect as it is written and read, the types of servers that it
// has words for, and whether it has words for how a client authenticates.
type spoken struct {
	client account.Client
	types  []account.ServerType
	auth   bool
	write  func(account.Settings) ([]byte, error)
	read   func([]byte, account.Address) (account.Settings, error)
}

var dialects = []spoken{
	{account.Thunderbird, account.ServerTypes, true, autoconfig.Document, autoconfig.Read},
	{account.Outlook, []account.ServerType{account.IMAP, account.POP3, account.SMTP, account.CalDAV, account.CardDAV}, true, autodiscover.Outlook,
		func(document []byte, _ account.Address) (account.Settings, error) { return autodiscover.Read(document) }},
	{account.Phone, []account.ServerType{account.ActiveSync}, false, autodiscover.ActiveSync,
		func(document []byte, _ account.Address) (account.Settings, error) { return autodiscover.Read(document) }},
	// A profile has one incoming server.
	{account.Apple, []account.ServerType{account.IMAP, account.SMTP, account.ActiveSync}, true,
		func(s account.Settings) ([]byte, error) {
			return mobileconfig.Document(s, mobileconfig.Options{Service: "setup.mamutmail.com"})
		},
		func(document []byte, _ account.Address) (account.Settings, error) { return mobileconfig.Read(document) }},
	{account.PACC, []account.ServerType{account.IMAP, account.POP3, account.SMTP}, true, autoconfig.PACC, autoconfig.ReadPACC},
}

// untold says which dialects have nothing to tell of a system's address; all
// others must have.
var untold = map[string][]account.Client{
	"info@domain.se":              {account.Phone, account.PACC}, // no ActiveSync; submission by STARTTLS
	"mail@domain.se":              {account.Thunderbird, account.Outlook, account.Phone, account.PACC},
	"kontakt@domain.se":           {account.Thunderbird, account.Outlook, account.Phone, account.PACC},
	"gammal@domain.se":            {account.Phone, account.PACC},
	"anna@foretaget.example":      {account.Phone, account.PACC},
	"anna@xn--keriet-hua.example": {account.Phone, account.PACC},
	"anna@butiken.example":        {account.Phone},
	"anna@kh-konsult.example":     {account.Outlook, account.Phone, account.PACC},
	"karin@malaren.example":       {account.Phone},
	"offert@malaren.example":      {account.Phone},
	"anna@example.se":             {account.Phone},
	"anna@example.com":            {account.Phone},
}

// TestWriteThenRead writes the settings of each example system in each dialect
// and reads them back.
func TestWriteThenRead(t *testing.T) {
	for _, system := range systems {
		d, err := loadFiles(filepath.Join("..", "..", "testdata", "config", system+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range asked[system] {
			a, err := account.ParseAddress(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, dialect := range dialects {
				t.Run(a.String()+"/"+string(dialect.client), func(t *testing.T) {
					settings, err := d.Resolve(t.Context(), account.Query{Address: a, Client: dialect.client})
					if err != nil {
						t.Fatal(err)
					}
					document, err := dialect.write(settings)
					if slices.Contains(untold[a.String()], dialect.client) {
						if err == nil {
							t.Fatalf("there is something to tell:\n%s", document)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					read, err := dialect.read(document, a)
					if err != nil {
						t.Fatalf("%v\n%s", err, document)
					}
					if read.Address != a {
						t.Errorf("it is about %s", read.Address)
					}
					types := dialect.types
					if dialect.client == account.Apple && settings.Provider.ID == "office365" {
						types = []account.ServerType{account.ActiveSync} // Apple's mail account knows no OAuth2
					}
					got, want := dialect.say(read.Expanded(), types), dialect.say(settings.Expanded(), types)
					if !slices.Equal(got, want) {
						t.Errorf("read\n%s\nwrote\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
					}
					if len(want) == 0 {
						t.Error("nothing was compared")
					}
				})
			}
		}
	}
}

// say lists what the dialect can say of servers, by type: a document may order
// types differently.
func (d spoken) say(servers []account.Server, types []account.ServerType) []string {
	var lines []string
	for _, t := range types {
		for _, s := range servers {
			if s.Type != t {
				continue
			}
			line := fmt.Sprintf("%s %s:%d %s %s %s as %q of %q", s.Type, s.Hostname, s.Port, s.SocketType, s.URL, s.PathPrefix, s.Login.Username, s.Login.DomainName)
			if d.auth {
				line += fmt.Sprint(" by ", s.Authentication)
			}
			lines = append(lines, line)
		}
	}
	return lines
}
