package account

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

var (
	imapServer = Server{Type: IMAP, Hostname: "mail.%EMAILDOMAIN%", Login: Login{Username: EmailAddress}}
	smtpServer = Server{Type: SMTP, Hostname: "smtp.%EMAILDOMAIN%", Login: Login{Username: EmailLocalPart}}
	smtpBackup = Server{Type: SMTP, Hostname: "smtp2.%EMAILDOMAIN%", Login: Login{Username: EmailLocalPart}}
)

func TestCacheable(t *testing.T) {
	anna, bo, odd := parse(t, "anna@example.com"), parse(t, "bo@example.com"), parse(t, "a/b@example.com")
	provider := new(Provider)
	for _, test := range []struct {
		name string
		s    Settings
		want bool
	}{
		{"a mailbox", Settings{Address: anna, Login: anna, Provider: provider}, true},
		{"any mailbox", Settings{Address: AnyAt("example.com"), Login: AnyAt("example.com"), Provider: provider}, true},
		{"an alias that signs in as its mailbox", Settings{Address: anna, Login: bo, Provider: provider}, false},
		{"a login of its own", Settings{Address: anna, Login: anna, Provider: provider, Custom: true}, false},
		{"an address that a URL cannot hold", Settings{Address: odd, Login: odd, Provider: provider}, false},
		{"no provider", Settings{Address: anna, Login: anna}, false},
	} {
		if got := test.s.Cacheable(); got != test.want {
			t.Errorf("%s: Cacheable is %v, want %v", test.name, got, test.want)
		}
	}
}

func TestSettingsServers(t *testing.T) {
	s := Settings{Address: parse(t, "info@example.com"), Login: parse(t, "anna@example.org"),
		Servers: []Server{imapServer, smtpServer, smtpBackup}}
	if got, ok := s.First(SMTP); !ok || got.Hostname != smtpServer.Hostname {
		t.Errorf("First(smtp) = %+v, %v, want %s", got, ok, smtpServer.Hostname)
	}
	if got, ok := s.First(POP3); ok || got.Type != "" {
		t.Errorf("First(pop3) = %+v, %v, want none", got, ok)
	}
	want := []Server{
		{Type: IMAP, Hostname: "mail.example.org", Login: Login{Username: "anna@example.org"}},
		{Type: SMTP, Hostname: "smtp.example.org", Login: Login{Username: "anna"}},
		{Type: SMTP, Hostname: "smtp2.example.org", Login: Login{Username: "anna"}},
	}
	if got := s.Expanded(); !reflect.DeepEqual(got, want) {
		t.Errorf("Expanded = %+v, want %+v", got, want)
	}
	if s.Servers[0].Hostname != imapServer.Hostname {
		t.Error("Expanded changed the settings")
	}
}

func TestServersFor(t *testing.T) {
	p := &Provider{Servers: []Server{imapServer}, Exceptions: map[Client][]Server{Outlook: {smtpServer}, Apple: {}}}
	for client, want := range map[Client]int{Outlook: 1, Apple: 0, Thunderbird: 1} {
		if got := p.ServersFor(client); len(got) != want || client == Outlook && got[0].Type != SMTP ||
			client == Thunderbird && got[0].Type != IMAP {
			t.Errorf("ServersFor(%s) = %+v", client, got)
		}
	}
}

func TestIsUnknown(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{ErrUnknownDomain, true},
		{ErrAddressRequired, true},
		{fmt.Errorf("example.com: %w", ErrAddressRequired), true},
		{errors.New("timeout"), false},
	} {
		if got := IsUnknown(test.err); got != test.want {
			t.Errorf("IsUnknown(%v) = %v, want %v", test.err, got, test.want)
		}
	}
}
