package account

import (
	"slices"
	"testing"
)

// TestServersOn checks that %MAILHOST% is the host of the mailbox, or else the provider's,
// and that only the former makes the servers those of single accounts.
func TestServersOn(t *testing.T) {
	p := &Provider{MailHost: "mail.example.com", Servers: []Server{
		{Type: IMAP, Hostname: MailHost},
		{Type: CalDAV, URL: "https://" + MailHost + "/dav/" + EmailAddress, PrincipalURL: "https://" + MailHost + "/p/"},
		{Type: SMTP, Hostname: "smtp.example.com"},
	}}
	for host, on := range map[string]string{"": p.MailHost, "node7.example.com": "node7.example.com"} {
		want := []string{on, "https://" + on + "/dav/%EMAILADDRESS%", "https://" + on + "/p/", "smtp.example.com"}
		servers, own := p.ServersOn(Outlook, "example.com", host)
		got := []string{servers[0].Hostname, servers[1].URL, servers[1].PrincipalURL, servers[2].Hostname}
		if !slices.Equal(got, want) || own != (host != "") {
			t.Errorf("ServersOn(%q) = %q, own %v; want %q, own %v", host, got, own, want, host != "")
		}
	}
	if p.Servers[0].Hostname != MailHost {
		t.Errorf("ServersOn changed the provider: its host is %s", p.Servers[0].Hostname)
	}
	plain := &Provider{Servers: []Server{{Type: IMAP, Hostname: "mail.example.com"}}}
	servers, own := plain.ServersOn(Outlook, "example.com", "node7.example.com")
	if own || &servers[0] != &plain.Servers[0] {
		t.Errorf("ServersOn without the placeholder = %v, own %v; want the provider's own list", servers, own)
	}
}
