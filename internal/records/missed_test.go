package records

import (
	"strings"
	"testing"

	"signpost/account"
)

func TestMissed(t *testing.T) {
	server := func(kind account.ServerType, port int, socket account.SocketType, username string) account.Server {
		return account.Server{Type: kind, Hostname: "mail.example.net", Port: port, SocketType: socket,
			Login: account.Login{Username: username}}
	}
	imaps := server(account.IMAP, 993, account.SSL, account.EmailAddress)
	submissions := server(account.SMTP, 465, account.SSL, account.EmailAddress)
	submission := server(account.SMTP, 587, account.STARTTLS, account.EmailAddress)
	const on465 = "Mail is sent on port 465 only."
	silent := &account.Provider{Servers: []account.Server{imaps, submissions}, NothingWithoutAddress: true}
	if got := Missed(silent); len(got) != 1 || !strings.Contains(got[0], "withoutAddress: nothing") {
		t.Errorf("Missed with nothing told without an address = %q, want one sentence that says so", got)
	}
	silent.Servers = []account.Server{{Type: account.ActiveSync, URL: "https://mail.example.net/"}}
	if got := Missed(silent); got != nil {
		t.Errorf("Missed with ActiveSync alone, which has no SRV records = %q, want none", got)
	}
	for _, test := range []struct {
		name    string
		servers []account.Server
		want    []string // how the sentences begin
	}{
		{"sending with STARTTLS", []account.Server{imaps, submission}, nil},
		{"sending on both ports", []account.Server{imaps, submissions, submission}, nil},
		{"sending on 465 alone", []account.Server{imaps, submissions}, []string{on465}},
		{"sending on 465, and with another name on 587", []account.Server{imaps, submissions,
			server(account.SMTP, 587, account.STARTTLS, account.EmailLocalPart)},
			[]string{"No SRV records for smtp, because", on465}},
		{"another user name", []account.Server{
			server(account.IMAP, 993, account.SSL, account.EmailLocalPart),
			server(account.IMAP, 143, account.STARTTLS, account.EmailLocalPart),
			server(account.SMTP, 465, account.SSL, account.EmailLocalPart)},
			[]string{"No SRV records for imap and smtp, because"}},
		{"unencrypted", []account.Server{server(account.POP3, 110, account.Plain, account.EmailAddress), submission},
			[]string{"No SRV records for pop3, which has no encryption"}},
		{"all unencrypted", []account.Server{server(account.IMAP, 143, account.Plain, account.EmailAddress),
			server(account.SMTP, 25, account.Plain, account.EmailAddress)},
			[]string{"No SRV records for imap and smtp, which have no encryption"}},
		{"another user name of ActiveSync, which has no SRV records", []account.Server{
			{Type: account.ActiveSync, URL: "https://mail.example.net/", Login: account.Login{Username: "u1"}}}, nil},
	} {
		got := Missed(&account.Provider{Servers: test.servers})
		same := len(got) == len(test.want)
		for i := range min(len(got), len(test.want)) {
			same = same && strings.HasPrefix(got[i], test.want[i])
		}
		if !same {
			t.Errorf("%s: Missed = %q, want sentences that begin with %q", test.name, got, test.want)
		}
	}
}
