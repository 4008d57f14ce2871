package town

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// Mail starts a mail server at a port: 143, 993, 110, 995, 465 or 587. It says as much as somebody
// needs who does not sign in. The mechanisms are those that it offers, such as "PLAIN LOGIN".
func (town *Town) Mail(t testing.TB, port int, mechanisms string) {
	t.Helper()
	l := town.listen(t, port)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s := session{c, bufio.NewScanner(c), town.tlsConfig(), strings.Fields(mechanisms), port, false}
			go s.serve()
		}
	}()
}

// session is a connection of somebody to a mail server.
type session struct {
	net.Conn
	lines      *bufio.Scanner
	config     *tls.Config
	mechanisms []string
	port       int
	secure     bool
}

func (s *session) startTLS() {
	s.Conn = tls.Server(s.Conn, s.config)
	s.lines, s.secure = bufio.NewScanner(s.Conn), true
}

func (s *session) say(format string, args ...any) { fmt.Fprintf(s.Conn, format+"\r\n", args...) }

func (s *session) serve() {
	defer func() { s.Close() }()
	s.SetDeadline(time.Now().Add(time.Minute))
	if s.port == 993 || s.port == 995 || s.port == 465 {
		s.startTLS()
	}
	switch s.port {
	case 143, 993:
		s.say("* OK ready")
		s.each(s.imap)
	case 110, 995:
		s.say("+OK ready")
		s.each(s.pop3)
	default:
		s.say("220 mail ESMTP")
		s.each(s.smtp)
	}
}

// each lets answer have each line until it returns false.
func (s *session) each(answer func(words []string) bool) {
	for s.lines.Scan() {
		words := strings.Fields(strings.ToUpper(s.lines.Text()))
		if len(words) == 0 || !answer(words) {
			return
		}
	}
}

// offered returns the mechanisms with a prefix: they are offered inside TLS only.
func (s *session) offered(prefix string) (text string) {
	if s.secure {
		for _, m := range s.mechanisms {
			text += " " + prefix + m
		}
	}
	return text
}

func (s *session) imap(words []string) bool {
	if len(words) < 2 {
		return false
	}
	switch tag := words[0]; words[1] {
	case "CAPABILITY":
		more := s.offered("AUTH=")
		if !s.secure {
			more = " STARTTLS LOGINDISABLED"
		}
		s.say("* CAPABILITY IMAP4rev1%s", more)
		s.say("%s OK done", tag)
	case "STARTTLS":
		s.say("%s OK go on", tag)
		s.startTLS()
	case "LOGOUT":
		s.say("* BYE\r\n%s OK done", tag)
		return false
	default:
		s.say("%s BAD what?", tag)
	}
	return true
}

func (s *session) pop3(words []string) bool {
	switch words[0] {
	case "CAPA":
		s.say("+OK\r\nUIDL")
		if s.secure {
			s.say("SASL%s", s.offered(""))
		} else {
			s.say("STLS")
		}
		s.say(".")
	case "STLS":
		s.say("+OK go on")
		s.startTLS()
	case "QUIT":
		s.say("+OK bye")
		return false
	default:
		s.say("-ERR what?")
	}
	return true
}

func (s *session) smtp(words []string) bool {
	switch words[0] {
	case "EHLO":
		s.say("250-mail")
		if s.secure {
			s.say("250 AUTH%s", s.offered(""))
		} else {
			s.say("250 STARTTLS")
		}
	case "STARTTLS":
		s.say("220 go on")
		s.startTLS()
	case "QUIT":
		s.say("221 bye")
		return false
	default:
		s.say("500 what?")
	}
	return true
}
