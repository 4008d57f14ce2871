package autoconfig

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
)

// TestRelay writes and reads a provider whose smtp server is a relay without sign-in.
// Thunderbird reads both methods for outgoing servers only.
func TestRelay(t *testing.T) {
	imap := server(account.IMAP, "imap.example.com", 993, account.SSL)
	imap.Login.Username = account.EmailLocalPart
	relay := server(account.SMTP, "relay.example.com", 25, account.Plain)
	relay.Authentication = []account.Authentication{account.ClientIPAddress, account.NoAuthentication}
	fred := address(t, "fred@example.com")
	p := &account.Provider{DisplayName: "Example", Servers: []account.Server{imap, relay}}
	document, err := Document(account.Settings{Address: fred, Login: fred, Provider: p, Servers: p.Servers})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<authentication>client-IP-address<", "<authentication>none<"} {
		if !strings.Contains(string(document), want) {
			t.Errorf("the document lacks %s:\n%s", want, document)
		}
	}
	read, err := Read(document, fred)
	if err != nil {
		t.Fatal(err)
	}
	relay.Login = imap.Login // the name that FairEmail, which takes the last, uses for both
	if diff := cmp.Diff([]account.Server{imap, relay}, read.Servers); diff != "" {
		t.Errorf("servers (-written +read):\n%s", diff)
	}
	if read.Dropped != nil {
		t.Errorf("Dropped = %q, want nothing", read.Dropped)
	}
}

// TestReadDropped checks that a section that cannot be used is reported, with the reason.
func TestReadDropped(t *testing.T) {
	section := func(old, new string) string {
		return `<incomingServer type="imap">` + strings.Replace(imapBody, old, new, 1) + `</incomingServer>`
	}
	for _, row := range []struct{ section, want string }{
		{section("", ""), ""},
		{section("password-cleartext", "X-NEW"), "incomingServer imap: no authentication that is known here"},
		{section("password-cleartext", "none"), "incomingServer imap: no authentication that is known here"},
		{section("imap.example.com", "-"), "incomingServer imap: no usable hostname"},
		{section("993", "0"), "incomingServer imap: no usable port"},
		{section("<socketType>SSL", "<socketType>TLS"), "incomingServer imap: no socketType that is known here"},
		{section("%EMAILADDRESS%", ""), "incomingServer imap: no username"},
		{`<incomingServer type="ews"><url>javascript:x</url>` + imapBody + `</incomingServer>`, "incomingServer ews: no usable URL"},
		{`<incomingServer type="nntp">` + imapBody + `</incomingServer>`, "incomingServer nntp: a type that is not known here"},
		{`<outgoingServer>` + imapBody + `</outgoingServer>`, "outgoingServer: a type that is not known here"},
		{`<incomingServer type="exchange"><owaURL>https://a/</owaURL>` + imapBody + `</incomingServer>`,
			"incomingServer exchange: no usable URL"},
	} {
		text := document(row.section + `<incomingServer type="pop3">` + imapBody + `</incomingServer>`)
		s, err := Read([]byte(text), address(t, "fred@example.com"))
		if err != nil {
			t.Errorf("Read(%s): %v", row.section, err)
		}
		want := []string{row.want}
		if row.want == "" {
			want = nil
		}
		if !slices.Equal(s.Dropped, want) {
			t.Errorf("Read(%s): Dropped = %q, want %q", row.section, s.Dropped, want)
		}
	}
}

// TestClientID writes and reads the id of a client.
func TestClientID(t *testing.T) {
	fred := address(t, "fred@example.com")
	imap := server(account.IMAP, "imap.example.com", 993, account.SSL)
	imap.Authentication = []account.Authentication{account.OAuth2Auth}
	o := &account.OAuth2{Issuer: "example.com", Scopes: []string{"mail"}, AuthURL: "https://example.com/a",
		TokenURL: "https://example.com/t", ClientID: "open"}
	p := &account.Provider{DisplayName: "Example", Servers: []account.Server{imap}, OAuth2: o}
	document, err := Document(account.Settings{Address: fred, Login: fred, Provider: p, Servers: p.Servers})
	if err != nil {
		t.Fatal(err)
	}
	read, err := Read(document, fred)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o, read.Provider.OAuth2); diff != "" {
		t.Errorf("oAuth2 (-written +read):\n%s", diff)
	}
}
