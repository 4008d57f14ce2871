package network

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// script plays a server: "< line" is said, "> line" is awaited, "TLS" begins TLS,
// "hello" reads the client's first bytes of TLS, "wait 8s" waits, and "close" ends the connection. A
// script without it reads until the client goes.
func play(t *testing.T, conn net.Conn, script string) {
	defer conn.Close()
	lines := bufio.NewReader(conn)
	for line := range strings.SplitSeq(strings.TrimSpace(script), "\n") {
		line = strings.TrimSpace(line)
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "<":
			if _, err := fmt.Fprintf(conn, "%s\r\n", rest); err != nil {
				return
			}
		case ">":
			got, err := lines.ReadString('\n')
			if err != nil {
				t.Errorf("the client went (%v), want it to say %q", err, rest)
				return
			}
			if got = strings.TrimRight(got, "\r\n"); got != rest {
				t.Errorf("the client says %q, want %q", got, rest)
			}
		case "TLS":
			secured := testServer(conn)
			if err := secured.Handshake(); err != nil {
				t.Errorf("handshake: %v", err)
				return
			}
			conn, lines = secured, bufio.NewReader(secured)
		case "hello":
			conn.Read(make([]byte, 16<<10))
		case "wait":
			d, err := time.ParseDuration(rest)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(d)
		case "close":
			return
		}
	}
	for {
		if _, err := lines.ReadByte(); err != nil {
			return
		}
	}
}

// converse lets the client talk to the server that the script plays.
func converse(t *testing.T, q probe.MailQuestion, script string) probe.MailAnswer {
	t.Helper()
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() { defer close(done); play(t, server, script) }()
	answer := talk(t.Context(), client, q, speakers[q.Type]("doctor.example"), testRoots)
	client.Close()
	<-done
	return answer
}

func TestTalk(t *testing.T) {
	for _, test := range []struct {
		name          string
		protocol      account.ServerType
		socket        account.SocketType
		script        string
		before, after []string
		failure       string // kind: text
	}{
		{"imap", account.IMAP, account.SSL, `
			TLS
			< * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] Dovecot ready.
			> s9 LOGOUT
			< * BYE Logging out
			close`, nil, []string{"IMAP4REV1", "AUTH=PLAIN"}, ""},
		{"imap without capabilities in the greeting", account.IMAP, account.SSL, `
			TLS
			< * OK ready
			> s1 CAPABILITY
			< * CAPABILITY IMAP4rev1 LOGINDISABLED
			< * OK still here
			< s1 OK done
			> s9 LOGOUT
			close`, nil, []string{"IMAP4REV1", "LOGINDISABLED"}, ""},
		{"imap with STARTTLS", account.IMAP, account.STARTTLS, `
			< * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready
			> s1 STARTTLS
			< s1 OK [CAPABILITY X-FORGED] begin
			TLS
			> s2 CAPABILITY
			< * CAPABILITY IMAP4rev1 AUTH=PLAIN
			< s2 OK done
			> s9 LOGOUT
			close`, []string{"IMAP4REV1", "STARTTLS", "LOGINDISABLED"}, []string{"IMAP4REV1", "AUTH=PLAIN"}, ""},
		{"imap in clear text", account.IMAP, account.Plain, `
			< * PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] ready
			> s9 LOGOUT
			close`, []string{"IMAP4REV1", "STARTTLS"}, nil, ""},
		{"imap that offers no STARTTLS", account.IMAP, account.STARTTLS, `
			< * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready
			> s9 LOGOUT
			close`, []string{"IMAP4REV1", "AUTH=PLAIN"}, nil, ""},
		{"imap that refuses STARTTLS", account.IMAP, account.STARTTLS, `
			< * OK [CAPABILITY IMAP4rev1 STARTTLS] ready
			> s1 STARTTLS
			< s1 BAD TLS is not available
			> s9 LOGOUT
			close`, []string{"IMAP4REV1", "STARTTLS"}, nil,
			"tls-refused: offers TLS and refuses to begin it: 's1 BAD TLS is not available'"},
		{"imap that is busy", account.IMAP, account.SSL, `
			TLS
			< * BYE Too many connections
			close`, nil, nil, "closed: turns the client away: '* BYE Too many connections'"},
		{"pop3", account.POP3, account.STARTTLS, `
			< +OK Dovecot ready.
			> CAPA
			< +OK
			< STLS
			< SASL
			< .
			> STLS
			< +OK Begin TLS
			TLS
			> CAPA
			< +OK
			< USER
			< SASL PLAIN LOGIN
			< .
			> QUIT
			< +OK bye
			close`, []string{"STLS", "SASL"}, []string{"USER", "SASL PLAIN LOGIN"}, ""},
		{"pop3 of old", account.POP3, account.STARTTLS, `
			< +OK <1.2@old.example>
			> CAPA
			< -ERR unknown command
			> STLS
			< -ERR unknown command
			> QUIT
			close`, nil, nil, "tls-refused: offers TLS and refuses to begin it: '-ERR unknown command'"},
		{"smtp", account.SMTP, account.STARTTLS, `
			< 220-mail.hoster.example ESMTP
			< 220 Postfix
			> EHLO doctor.example
			< 250-mail.hoster.example
			< 250-SIZE 1000
			< 250 STARTTLS
			> STARTTLS
			< 220 2.0.0 Ready to start TLS
			TLS
			> EHLO doctor.example
			< 250-mail.hoster.example
			< 250-AUTH PLAIN LOGIN
			< 250-AUTH=PLAIN LOGIN
			< 250 8BITMIME
			> QUIT
			< 221 2.0.0 Bye
			close`, []string{"SIZE 1000", "STARTTLS"}, []string{"AUTH PLAIN LOGIN", "AUTH=PLAIN LOGIN", "8BITMIME"}, ""},
		{"smtp without extensions", account.SMTP, account.STARTTLS, `
			< 220 mail
			> EHLO doctor.example
			< 250 mail
			> QUIT
			close`, []string{}, nil, ""},
		{"smtp that wants no client", account.SMTP, account.Plain, `
			< 554 5.7.1 no access from dial-up
			> QUIT
			close`, nil, nil, "closed: turns the client away: '554 5.7.1 no access from dial-up'"},
		{"smtp without TLS today", account.SMTP, account.STARTTLS, `
			< 220 mail
			> EHLO doctor.example
			< 250-mail
			< 250 STARTTLS
			> STARTTLS
			< 454 4.7.0 TLS not available due to local problem
			> QUIT
			close`, []string{"STARTTLS"}, nil,
			"tls-refused: offers TLS and refuses to begin it: '454 4.7.0 TLS not available due to local problem'"},
		{"managesieve", account.ManageSieve, account.STARTTLS, `
			< "IMPLEMENTATION" "Dovecot Pigeonhole"
			< "SASL" ""
			< "STARTTLS"
			< OK "Dovecot ready."
			> STARTTLS
			< OK "Begin TLS negotiation now."
			TLS
			< "SASL" "PLAIN LOGIN"
			< OK "TLS negotiation successful."
			> LOGOUT
			< OK "Logout completed."
			close`, []string{"IMPLEMENTATION DOVECOT PIGEONHOLE", "SASL", "STARTTLS"}, []string{"SASL PLAIN LOGIN"}, ""},
		{"a web server", account.IMAP, account.SSL, `
			hello
			< HTTP/1.1 400 Bad Request
			close`, nil, nil, "tls: speaks clear text where TLS is expected: HTTP/1.1 400 Bad Request"},
		{"a web server with TLS", account.IMAP, account.SSL, `
			TLS
			> s9 LOGOUT
			< HTTP/1.1 400 Bad Request
			close`, nil, nil, "protocol: answers 'HTTP/1.1 400 Bad Request': that is a web server"},
		{"clear text where TLS is expected", account.SMTP, account.SSL, `
			hello
			< 220 mail.hoster.example ESMTP Postfix
			close`, nil, nil, "tls: speaks clear text where TLS is expected: 220 mail.hoster.example ESMTP Postfix"},
		{"TLS where clear text is expected", account.IMAP, account.STARTTLS, `
			TLS`, nil, nil, "timed-out: silent until TLS begins: the port expects TLS from the first byte"},
		{"an SMTP server on the port of IMAP", account.IMAP, account.STARTTLS, `
			< 220 mail ESMTP`, nil, nil, "protocol: answers '220 mail ESMTP': that is an SMTP or FTP server"},
		{"an SSH server", account.POP3, account.Plain, `
			< SSH-2.0-OpenSSH_9.2`, nil, nil, "protocol: answers 'SSH-2.0-OpenSSH_9.2': that is an SSH server"},
		{"silence", account.SMTP, account.STARTTLS, `
			wait 60s`, nil, nil, "timed-out: no greeting within 14s"},
		{"silence instead of TLS", account.SMTP, account.SSL, `
			wait 60s`, nil, nil, "timed-out: no answer to the TLS handshake"},
		{"silence below TLS", account.SMTP, account.SSL, `
			TLS
			wait 60s`, nil, nil, "timed-out: no greeting within 14s"},
		{"the end", account.POP3, account.Plain, `close`, nil, nil,
			"closed: the server ended the connection before its greeting"},
		{"the end instead of TLS", account.POP3, account.SSL, `close`, nil, nil,
			"closed: the server ended the connection during the TLS handshake"},
		{"postscreen", account.SMTP, account.Plain, `
			< 220-mail ESMTP
			wait 20s`, nil, nil, "timed-out: no answer in time"},
		{"escape sequences", account.POP3, account.Plain, `
			< ` + "+OK \x1b]0;owned\a\u202etxt.exe\u2028 \xff ready" + `
			> CAPA
			< +OK
			< ` + "SASL \x1b[31mPLAIN" + `
			< .
			> QUIT
			close`, []string{"SASL [31MPLAIN"}, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := probe.MailQuestion{Type: test.protocol, Host: "mail.hoster.example", SocketType: test.socket}
				answer := converse(t, q, test.script)
				if !reflect.DeepEqual(answer.Before, test.before) || !reflect.DeepEqual(answer.After, test.after) {
					t.Errorf("capabilities are %q before and %q after TLS, want %q and %q",
						answer.Before, answer.After, test.before, test.after)
				}
				if got := describe(answer.Failure); got != test.failure {
					t.Errorf("failure is %q, want %q", got, test.failure)
				}
			})
		})
	}
}

func describe(f *probe.Failure) string {
	if f == nil {
		return ""
	}
	return string(f.Kind) + ": " + f.Text
}

// TestGreetingTime checks that the greeting is timed from the connection to its end.
func TestGreetingTime(t *testing.T) {
	for _, test := range []struct {
		script string
		want   time.Duration
	}{
		{"< 220 mail\n> EHLO doctor.example\n< 250 mail\n> QUIT\nclose", 1},
		{"wait 8s\n< 220 mail\n> EHLO doctor.example\n< 250 mail\n> QUIT\nclose", 8 * time.Second},
		{"< 220-mail\nwait 6s\n< 220 mail\n> EHLO doctor.example\n< 250 mail\n> QUIT\nclose", 6 * time.Second},
		{"wait 13s\n< 220 mail\n> EHLO doctor.example\n< 250 mail\n> QUIT\nclose", 13 * time.Second},
		{"< 220-mail\nwait 15s", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			answer := converse(t, probe.MailQuestion{Type: account.SMTP, SocketType: account.Plain}, test.script)
			if answer.GreetedAt != test.want || answer.Greeting == "" {
				t.Errorf("%q: greeting %q after %v, want one after %v",
					test.script, answer.Greeting, answer.GreetedAt, test.want)
			}
		})
	}
}

// TestSlowTLS checks that a server is waited for as long where TLS begins at once.
func TestSlowTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := converse(t,
			probe.MailQuestion{Type: account.SMTP, Host: "mail.hoster.example", SocketType: account.SSL},
			"wait 13s\nTLS\n< 220 mail\n> EHLO doctor.example\n< 250 mail\n> QUIT\nclose")
		if answer.GreetedAt != 13*time.Second || answer.Failure != nil {
			t.Errorf("greeting after %v, failure %q; want one after 13s", answer.GreetedAt, describe(answer.Failure))
		}
	})
}

// TestHostileMail checks the bounds of time and bytes.
func TestHostileMail(t *testing.T) {
	endless := func(prefix, line string) func(net.Conn) {
		return func(conn net.Conn) {
			fmt.Fprint(conn, prefix)
			for {
				if _, err := fmt.Fprint(conn, line); err != nil {
					return
				}
			}
		}
	}
	drip := func(conn net.Conn) {
		for {
			if _, err := conn.Write([]byte("2")); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	}
	for name, serve := range map[string]func(net.Conn){
		"endless line":         endless("", "220 "),
		"endless greeting":     endless("", "220-hello\r\n"),
		"endless capabilities": endless("220 mail\r\n", "250-X\r\n"),
		"drip":                 drip,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				counted := &countingConn{Conn: client}
				go io.Copy(io.Discard, server)
				done := make(chan struct{})
				go func() { defer close(done); serve(server) }()
				start := time.Now()
				answer := talk(t.Context(), counted, probe.MailQuestion{Type: account.SMTP, SocketType: account.Plain},
					speakers[account.SMTP]("doctor.example"), testRoots)
				took := time.Since(start)
				client.Close()
				<-done
				if answer.Failure == nil {
					t.Errorf("no failure, want one")
				}
				if took > 30*time.Second {
					t.Errorf("it took %v, want at most 30 s", took)
				}
				if limit := greetingBytes + capabilityBytes + answerBytes; counted.n > limit {
					t.Errorf("%d bytes were read, want at most %d", counted.n, limit)
				}
			})
		})
	}
}

type countingConn struct {
	net.Conn
	n int
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n += n
	return n, err
}

// TestMailEnds checks that the end of the diagnosis ends a session, and that nothing is
// said to be known then.
func TestMailEnds(t *testing.T) {
	for _, socket := range []account.SocketType{account.SSL, account.Plain} {
		synctest.Test(t, func(t *testing.T) {
			client, server := net.Pipe()
			defer server.Close()
			go func() { bufio.NewReader(server).ReadString('\x00') }()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			start := time.Now()
			answer := talk(ctx, client, probe.MailQuestion{Type: account.IMAP, SocketType: socket}, &imap{}, nil)
			client.Close()
			if took := time.Since(start); took != 3*time.Second || answer.Failure.Known() {
				t.Errorf("%s: after %v the failure is %q, want %s after 3s",
					socket, took, describe(answer.Failure), probe.NotAsked)
			}
		})
	}
}

func TestPortsOfMail(t *testing.T) {
	for port, want := range map[int]probe.FailureKind{
		25: probe.Forbidden, 22: probe.Forbidden, 80: probe.Forbidden, 0: probe.Unreachable, 70000: probe.Unreachable,
		110: "", 143: "", 465: "", 587: "", 993: "", 995: "", 2525: "", 4190: "",
	} {
		got := probe.FailureKind("")
		if failure := mayAsk(port); failure != nil {
			got = failure.Kind
		}
		if got != want {
			t.Errorf("mayAsk(%d) = %q, want %q", port, got, want)
		}
	}
}
