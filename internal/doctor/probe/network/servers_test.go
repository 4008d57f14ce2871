package network

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"signpost/account"
	"signpost/internal/doctor/mailrig"
	"signpost/internal/doctor/probe"
)

// TestRealServers checks the dialogue with Dovecot and Postfix.
func TestRealServers(t *testing.T) {
	servers := mailrig.Start(t)
	n, err := New(Options{Servers: []string{"127.0.0.1:1"}, Private: true, Roots: servers.Roots,
		Hello: "doctor.example"})
	if err != nil {
		t.Fatal(err)
	}
	home := netip.MustParseAddr(mailrig.Address)
	for _, test := range []struct {
		name     string
		protocol account.ServerType
		port     int
		socket   account.SocketType
		greeting string
		before   string // one of the capabilities
		after    string
		version  string
		failure  string
	}{
		{"imaps", account.IMAP, servers.IMAPS, account.SSL, "* OK [CAPABILITY", "", "AUTH=PLAIN", "TLS 1.3", ""},
		{"imap", account.IMAP, servers.IMAP, account.STARTTLS, "* OK [CAPABILITY", "LOGINDISABLED", "AUTH=PLAIN", "TLS 1.3", ""},
		{"imap in clear text", account.IMAP, servers.IMAP, account.Plain, "* OK [CAPABILITY", "LOGINDISABLED", "", "", ""},
		{"pop3s", account.POP3, servers.POP3S, account.SSL, "+OK", "", "SASL PLAIN LOGIN", "TLS 1.3", ""},
		{"pop3", account.POP3, servers.POP3, account.STARTTLS, "+OK", "STLS", "SASL PLAIN LOGIN", "TLS 1.3", ""},
		{"sieve", account.ManageSieve, servers.Sieve, account.STARTTLS, `"IMPLEMENTATION"`, "STARTTLS", "SASL PLAIN LOGIN",
			"TLS 1.3", ""},
		{"smtps", account.SMTP, servers.SMTPS, account.SSL, "220 ", "", "AUTH PLAIN LOGIN", "TLS 1.3", ""},
		{"TLS 1.1", account.SMTP, servers.SMTPSOldTLS, account.SSL, "220 ", "", "AUTH PLAIN LOGIN", "TLS 1.1", ""},
		{"submission", account.SMTP, servers.Submission, account.STARTTLS, "220 ", "STARTTLS", "AUTH PLAIN LOGIN", "TLS 1.3", ""},
		{"ssl = no", account.IMAP, servers.IMAPWithoutTLS, account.STARTTLS, "* OK", "LOGINDISABLED", "", "", ""},
		{"cram-md5", account.IMAP, servers.IMAPCRAM, account.SSL, "* OK", "", "AUTH=CRAM-MD5", "TLS 1.3", ""},
		{"TLS in vain", account.SMTP, servers.SMTPSInClear, account.SSL, "220 ", "", "", "",
			"tls: speaks clear text where TLS is expected: 220 mail.hoster.example ESMTP Postfix"},
		{"no TLS", account.SMTP, servers.SubmissionWithoutTLS, account.STARTTLS, "220 ", "AUTH PLAIN LOGIN", "", "", ""},
		{"no login", account.SMTP, servers.SubmissionWithoutLogin, account.STARTTLS, "220 ", "STARTTLS", "8BITMIME", "TLS 1.3", ""},
		{"postscreen", account.SMTP, servers.SubmissionPostscreen, account.STARTTLS, "220-", "STARTTLS", "AUTH PLAIN LOGIN",
			"TLS 1.3", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answer := n.Mail(t.Context(), probe.MailQuestion{Type: test.protocol, Host: mailrig.Host, Port: test.port,
				SocketType: test.socket, Address: home})
			if !strings.HasPrefix(answer.Greeting, test.greeting) || answer.GreetedAt == 0 {
				t.Errorf("greeting is %q after %v, want %q", answer.Greeting, answer.GreetedAt, test.greeting)
			}
			for _, want := range []struct {
				when, one string
				all       []string
			}{{"before", test.before, answer.Before}, {"after", test.after, answer.After}} {
				if (want.one == "") != (want.all == nil) || want.one != "" && !slices.Contains(want.all, want.one) {
					t.Errorf("capabilities %s TLS are %q, want %q among them", want.when, want.all, want.one)
				}
			}
			version := ""
			if answer.TLS != nil {
				version = answer.TLS.Version
				if answer.TLS.Has(probe.OldVersion) != (version == "TLS 1.1") || len(answer.TLS.Problems) > 1 {
					t.Errorf("problems of the certificate are %q, want none", answer.TLS.Problems)
				}
			}
			if got := describe(answer.Failure); version != test.version || got != test.failure {
				t.Errorf("TLS is %q, failure %q; want %q, %q", version, got, test.version, test.failure)
			}
			if test.name == "postscreen" && answer.GreetedAt < time.Second {
				t.Errorf("postscreen greets after %v, want two seconds", answer.GreetedAt)
			}
		})
	}
}
