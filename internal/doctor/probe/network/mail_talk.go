package network

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// The limits of what is read of a server.
const (
	greetingBytes   = 2 << 10
	capabilityBytes = 32 << 10
	answerBytes     = 4 << 10 // to any other command
	// partingLimit is how long the end of a session, or a word of a silent server, is waited for.
	partingLimit = 2 * time.Second
)

// speaker says and understands the first commands of a protocol.
type speaker interface {
	// greet reads the greeting and calls greeted with its first line.
	greet(s *session) *probe.Failure
	// capabilities returns what the server offers, as probe.MailAnswer has it.
	capabilities(s *session) ([]string, *probe.Failure)
	// startTLS asks for TLS. After a nil failure the handshake begins.
	startTLS(s *session) *probe.Failure
	// secured is called when TLS has begun after startTLS.
	secured(s *session) *probe.Failure
	// quit returns the line that ends a session.
	quit() string
	// offersTLS is the capability that offers TLS.
	offersTLS() string
}

// speakers are the protocols. Each takes the name for EHLO.
var speakers = map[account.ServerType]func(hello string) speaker{
	account.IMAP:        func(string) speaker { return &imap{} },
	account.POP3:        func(string) speaker { return &pop3{} },
	account.SMTP:        func(hello string) speaker { return &smtp{hello: hello} },
	account.ManageSieve: func(string) speaker { return &sieve{} },
}

// session is a connection to a mail server.
type session struct {
	ctx     context.Context
	conn    net.Conn
	limited *io.LimitedReader
	lines   *bufio.Reader
	began   time.Time
	answer  probe.MailAnswer
	parted  bool // the command that ends the session was sent
}

// talk holds a whole session on the connection.
func talk(ctx context.Context, conn net.Conn, q probe.MailQuestion, speaker speaker,
	roots *x509.CertPool) probe.MailAnswer {
	s := &session{ctx: ctx, began: time.Now()}
	s.use(conn)
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(past) })
	defer stop()
	s.answer.Failure = s.run(q, speaker, roots)
	s.answer.Took = time.Since(s.began)
	s.part(speaker)
	return s.answer
}

// run goes as far as the server does.
func (s *session) run(q probe.MailQuestion, speaker speaker, roots *x509.CertPool) (failure *probe.Failure) {
	h := &handshake{host: q.Host, roots: roots}
	if q.SocketType == account.SSL {
		// What makes a greeting late (a look-up of the client's name, a filter) comes before TLS here.
		if failure = s.secure(h, probe.GreetingLimit); failure != nil {
			if h.clear != nil {
				s.greeted(firstLine(h.clear))
			}
			return failure
		}
	}
	s.step(greetingBytes, probe.GreetingLimit-time.Since(s.began))
	if failure = speaker.greet(s); failure != nil {
		if failure.Kind == probe.TimedOut && s.answer.Greeting == "" {
			return s.sound(q, speaker, h, failure)
		}
		return failure
	}
	offered, failure := speaker.capabilities(s)
	if q.SocketType == account.SSL {
		s.answer.After = offered
		return failure
	}
	s.answer.Before = offered
	if failure != nil || q.SocketType != account.STARTTLS || !mayStart(offered, speaker.offersTLS()) {
		return failure
	}
	s.step(answerBytes, probe.ByteLimit)
	if failure = speaker.startTLS(s); failure != nil {
		return failure
	}
	if failure = s.secure(h, probe.ByteLimit); failure != nil {
		return failure
	}
	if failure = speaker.secured(s); failure != nil {
		return failure
	}
	s.answer.After, failure = speaker.capabilities(s)
	return failure
}

// mayStart reports whether TLS can be asked for. A server without a list of capabilities
// (POP3 before RFC 2449) may still know the command.
func mayStart(offered []string, command string) bool {
	for _, capability := range offered {
		if capability == command {
			return true
		}
	}
	return offered == nil
}

// sound finds out who it is that is silent where a greeting is expected. In clear text
// it begins TLS, which a port for TLS waits for and a web server complains about; below TLS
// it says goodbye, which a web server complains about, too. A client sees silence all the same, so
// the failure keeps its kind unless another protocol answers.
func (s *session) sound(q probe.MailQuestion, speaker speaker, h *handshake, silence *probe.Failure) *probe.Failure {
	if q.SocketType == account.SSL {
		s.step(answerBytes, partingLimit)
		s.parted = true
		s.say(speaker.quit())
		if line, failure := s.line(); failure == nil && otherProtocol(line) != "" {
			s.greeted(clean(line))
			return foreign(line)
		}
		return silence
	}
	if failure := s.secure(h, partingLimit); failure != nil {
		if h.clear != nil && otherProtocol(firstLine(h.clear)) != "" {
			s.greeted(firstLine(h.clear))
			return foreign(firstLine(h.clear))
		}
		return silence
	}
	silence.Text = "silent until TLS begins: the port expects TLS from the first byte"
	return silence
}

// secure begins TLS.
func (s *session) secure(h *handshake, limit time.Duration) *probe.Failure {
	s.conn.SetDeadline(time.Time{})
	h.limit = limit
	secured, facts, failure := h.do(s.ctx, s.conn)
	if failure != nil {
		if s.ctx.Err() != nil {
			return ended()
		}
		// What follows on this connection would be no protocol any more.
		s.conn.Close()
		return failure
	}
	s.use(secured)
	s.answer.TLS = facts
	return nil
}

// use goes on with a connection: the first, or the secured one.
func (s *session) use(conn net.Conn) {
	s.conn = conn
	s.limited = &io.LimitedReader{R: conn}
	s.lines = bufio.NewReaderSize(s.limited, answerBytes)
}

var past = time.Unix(1, 0)

// step allows as many bytes and as much time for what is said and answered next.
func (s *session) step(bytes int64, limit time.Duration) {
	s.limited.N = bytes
	s.conn.SetDeadline(time.Now().Add(limit))
	if s.ctx.Err() != nil {
		s.conn.SetDeadline(past)
	}
}

// say sends a line.
func (s *session) say(line string) *probe.Failure {
	if _, err := s.conn.Write([]byte(line + "\r\n")); err != nil {
		return s.failed(err)
	}
	return nil
}

// line reads a line without its end.
func (s *session) line() (string, *probe.Failure) {
	raw, err := s.lines.ReadBytes('\n')
	switch {
	case err == nil:
		return string(bytes.TrimRight(raw, "\r\n")), nil
	case err == io.EOF && s.limited.N <= 0:
		return "", &probe.Failure{Kind: probe.BadProtocol,
			Text: "sends more than any mail server: " + quoted(string(raw))}
	case len(raw) > 0 && otherProtocol(string(raw)) != "":
		return "", foreign(string(raw))
	}
	return "", s.failed(err)
}

// greeted writes down the first line of the greeting.
func (s *session) greeted(line string) {
	s.answer.Greeting = clean(line)
	s.answer.GreetedAt = s.sinceStart()
}

// sinceStart returns the time since the connection was made; never zero, which means never.
func (s *session) sinceStart() time.Duration { return max(time.Since(s.began), 1) }

// failed returns why the session cannot go on.
func (s *session) failed(err error) *probe.Failure {
	if s.ctx.Err() != nil {
		return ended()
	}
	switch failure := failed(err); {
	case failure.Kind == probe.Closed && s.answer.Greeting == "":
		return &probe.Failure{Kind: probe.Closed, Text: "the server ended the connection before its greeting"}
	case failure.Kind == probe.TimedOut && s.answer.Greeting == "":
		return &probe.Failure{Kind: probe.TimedOut, Text: fmt.Sprintf("no greeting within %v", probe.GreetingLimit)}
	default:
		return failure
	}
}

// part ends the session in order, so that nothing remarkable is in the server's log. It
// waits for the server's word: who closes first leaves "lost connection" there.
func (s *session) part(speaker speaker) {
	s.step(answerBytes, partingLimit)
	if !s.parted && s.say(speaker.quit()) == nil &&
		(s.answer.Failure == nil || s.answer.Failure.Kind != probe.TimedOut) {
		for {
			if _, failure := s.line(); failure != nil {
				break
			}
		}
	}
	if secured, ok := s.conn.(*tls.Conn); ok {
		secured.CloseWrite()
	}
}

// turnedAway is the failure of a server that answers, and wants no client now.
func turnedAway(line string) *probe.Failure {
	return &probe.Failure{Kind: probe.Closed, Text: "turns the client away: " + quoted(line)}
}

// foreign is the failure of a server that does not speak the protocol.
func foreign(line string) *probe.Failure {
	text := "answers " + quoted(line)
	if other := otherProtocol(line); other != "" {
		text += ": that is " + other
	}
	return &probe.Failure{Kind: probe.BadProtocol, Text: text}
}

// quoted returns the beginning of a line in quotation marks, for a failure's text.
func quoted(line string) string {
	const most = 120
	short := strings.TrimSpace(printable(line, most))
	if len(line) > most {
		short += "…"
	}
	return "'" + short + "'"
}

// maxLine is the most that is kept of one line of a stranger's server.
const maxLine = 512

// clean makes a line of a stranger's server fit to be shown.
func clean(line string) string {
	return strings.TrimSpace(printable(strings.ToValidUTF8(line, "\ufffd"), maxLine))
}

// otherProtocol says which server begins a line so, or "" if none that is known.
func otherProtocol(line string) string {
	upper := strings.ToUpper(line)
	for _, p := range [...]struct{ prefix, name string }{
		{"HTTP/", "a web server"}, {"<!DOCTYPE", "a web server"}, {"<HTML", "a web server"},
		{"SSH-", "an SSH server"},
		{"* OK", "an IMAP server"}, {"+OK", "a POP3 server"},
		{"220 ", "an SMTP or FTP server"}, {"220-", "an SMTP or FTP server"},
		{`"IMPLEMENTATION"`, "a ManageSieve server"},
	} {
		if strings.HasPrefix(upper, p.prefix) {
			return p.name
		}
	}
	return ""
}

// failed classifies an error of a connection that was made.
func failed(err error) *probe.Failure {
	var netError net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return ended()
	case errors.As(err, &netError) && netError.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return &probe.Failure{Kind: probe.TimedOut, Text: "no answer in time"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, io.ErrClosedPipe), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return &probe.Failure{Kind: probe.Closed, Text: "the server ended the connection"}
	}
	var operation *net.OpError
	if errors.As(err, &operation) && (operation.Op == "remote error" || operation.Op == "local error") {
		return &probe.Failure{Kind: probe.BadTLS, Text: clean(err.Error())}
	}
	return &probe.Failure{Kind: probe.BadProtocol, Text: clean(err.Error())}
}
