package network

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"
	"unicode"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// FuzzMail lets a server of each protocol say what the fuzzer wants, and nothing after it.
func FuzzMail(f *testing.F) {
	protocols := []account.ServerType{account.IMAP, account.POP3, account.SMTP, account.ManageSieve}
	for _, seed := range []struct {
		protocol uint8
		said     string
	}{
		{0, "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n* BYE\r\n"},
		{0, "* OK ready\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\ns1 OK done\r\n"},
		{0, "* OK [CAPABILITY ]\n* CAPABILITY\ns1 ok"},
		{0, "* BYE busy\r\n"},
		{1, "+OK <1.2@x>\r\n+OK\r\nUSER\r\nSASL PLAIN LOGIN\r\n..\r\n.\r\n+OK\r\n"},
		{1, "+OK\r\n-ERR\r\n"},
		{1, "HTTP/1.1 400 Bad Request\r\n\r\n"},
		{2, "220-mail\r\n220 mail\r\n250-mail\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE\r\n221 bye\r\n"},
		{2, "220\r\n250\r\n"},
		{2, "220 \x1b[31m\u202e\xff\r\n250-\r\n250 \x00\r\n"},
		{2, strings.Repeat("220-", 20000)},
		{3, "\"IMPLEMENTATION\" \"x\"\r\n\"SASL\" \"PLAIN\"\r\nOK \"ready\"\r\n"},
		{3, "\"\"\"\r\n\"\r\nNO\r\n"},
	} {
		f.Add(seed.protocol, []byte(seed.said))
	}
	f.Fuzz(func(t *testing.T, n uint8, said []byte) {
		protocol := protocols[int(n)%len(protocols)]
		conn := &monologue{reader: bytes.NewReader(said)}
		q := probe.MailQuestion{Type: protocol, SocketType: account.Plain}
		answer := talk(t.Context(), conn, q, speakers[protocol]("doctor.example"), testRoots)
		if limit := greetingBytes + 2*capabilityBytes + answerBytes; len(said)-conn.reader.Len() > limit {
			t.Errorf("%d bytes were read, want at most %d", len(said)-conn.reader.Len(), limit)
		}
		texts := append([]string{answer.Greeting}, answer.Before...)
		if answer.Failure != nil {
			texts = append(texts, answer.Failure.Text)
		}
		for _, text := range texts {
			if strings.ContainsFunc(text,
				func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
				t.Errorf("%q has characters that cannot be printed", text)
			}
			if len(text) > 2*maxLine {
				t.Errorf("a text of %d bytes is kept, want at most %d", len(text), maxLine)
			}
		}
		for _, command := range []string{"AUTH", "MAIL", "LOGIN", "PASS"} {
			if strings.Contains(conn.heard.String(), command) {
				t.Errorf("the client says %q", conn.heard.String())
			}
		}
		if answer.Failure == nil && answer.GreetedAt == 0 {
			t.Errorf("no failure and no greeting")
		}
	})
}

// monologue is a connection to a server that listens to nobody.
type monologue struct {
	net.Conn
	reader *bytes.Reader
	heard  strings.Builder
}

func (m *monologue) Read(p []byte) (int, error)  { return m.reader.Read(p) }
func (m *monologue) Write(p []byte) (int, error) { return m.heard.Write(p) }
func (m *monologue) SetDeadline(time.Time) error { return nil }
func (m *monologue) Close() error                { return nil }
