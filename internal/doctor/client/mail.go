package client

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// Trying is how a client tries the mail servers that it chose.
type Trying struct {
	// Limit is the time until the greeting; 0 for no limit of its own.
	Limit time.Duration
	// Accepts are the problems of certificates that it does not mind.
	Accepts []probe.Problem
	// Asks says that it shows a bad certificate to the person, who can accept it.
	Asks bool
	// NoLogin says that it does not look whether the server offers a login.
	NoLogin bool
	// LoginUnseen are the types for which it does the same when it tries the server, so that the
	// person learns of it later.
	LoginUnseen []account.ServerType
	// Methods are the mechanisms that it can use with a password, in the words of Mechanisms.
	// A type without an entry has PLAIN, LOGIN and the protocol's own command.
	Methods map[account.ServerType][]string
	// PasswordOnly says that it has the sign-in of no provider, so that it gets in nowhere where passwords
	// are refused although the server offers to take them.
	PasswordOnly bool
}

// Try is what came of trying a server.
type Try struct {
	Server   Server
	Question probe.MailQuestion
	Answer   probe.MailAnswer
	// Works reports that somebody could sign in there with a password.
	Works bool
	// Known is false if the question could not be asked.
	Known bool
	// Asked reports that the person is asked about the certificate.
	Asked bool
	// NoLogin reports that nobody can sign in there, which the client does not see.
	NoLogin bool
	Took    time.Duration
	// Why says for people why it does not work: "connection refused", "no STARTTLS".
	Why string
}

// MailQuestionOf returns the question that tries a server.
func MailQuestionOf(server Server) probe.MailQuestion {
	return probe.MailQuestion{Type: server.Type, Host: strings.ToLower(server.Hostname), Port: server.Port,
		SocketType: server.SocketType}
}

// Try connects to a server as the client does before it signs in.
func (s *Search) Try(ctx context.Context, server Server, rules Trying) Try {
	q := MailQuestionOf(server)
	if !server.dialable() {
		return Try{Server: server, Question: q, Known: true, Why: "not a host and port"}
	}
	if s.nowhere(ctx, q.Host) {
		return Try{Server: server, Question: q, Known: true, Why: "its name has no address"}
	}
	answer := s.Asker.Mail(ctx, q)
	try := Try{Server: server, Question: q, Answer: answer, Known: answer.Failure.Known(), Took: answer.Took}
	try.Why, try.Asked = rules.obstacle(server, answer)
	if try.Why == noLogin && slices.Contains(rules.LoginUnseen, server.Type) {
		try.Why, try.NoLogin = "", true
	}
	try.Works = try.Known && try.Why == ""
	if !try.Known {
		try.Why = answer.Failure.Text
	}
	if timedOut := answer.Failure != nil && answer.Failure.Kind == probe.TimedOut; rules.Limit > 0 &&
		(timedOut || try.Took > rules.Limit) {
		try.Took = rules.Limit // the diagnosis may have waited for a shorter time
	}
	return try
}

// nowhere reports whether DNS says that a host has no address. Then nothing is dialled.
func (s *Search) nowhere(ctx context.Context, host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	for _, recordType := range []string{"A", "AAAA"} {
		answer := s.Asker.DNS(ctx, DNS(recordType, host))
		if answer.Failure != nil || len(answer.OfType(recordType)) > 0 {
			return false
		}
	}
	return true
}

func (s Server) dialable() bool {
	switch s.SocketType {
	case account.SSL, account.STARTTLS, account.Plain:
		return s.Hostname != "" && s.Port > 0 && s.Port < 65536
	}
	return false
}

const noLogin = "no login with a password"

// obstacle says what keeps the client from signing in, and whether the person is asked to
// accept a certificate.
func (t Trying) obstacle(server Server, a probe.MailAnswer) (why string, asks bool) {
	silent := a.Failure != nil && a.Failure.Kind == probe.TimedOut
	switch {
	case silent, t.Limit > 0 && a.GreetedAt > t.Limit:
		return "no greeting in time", false
	case a.Failure != nil && a.Greeting == "" && a.TLS == nil:
		return a.Failure.Text, false
	case server.SocketType == account.STARTTLS && a.TLS == nil && !offersSTARTTLS(server.Type, a.Before):
		return "no STARTTLS", false
	case a.Failure != nil:
		return a.Failure.Text, false
	}
	if a.TLS != nil && !acceptable(a.TLS, t.Accepts) {
		if !t.Asks {
			return "bad certificate: " + problems(a.TLS), false
		}
		asks = true
	}
	if t.NoLogin || server.withoutPassword() {
		return "", asks
	}
	if !offersPassword(server.Type, capabilities(server, a), t.Methods[server.Type]) {
		return noLogin, asks
	}
	if p, ok := ProviderOfHost(server.Hostname); ok && p.OAuthOnly && t.PasswordOnly {
		return p.Name + " takes no password", asks
	}
	return "", asks
}

// withoutPassword reports whether the client would sign in otherwise than with a password:
// what the capabilities say about passwords then does not matter.
func (s Server) withoutPassword() bool {
	switch s.Authentication {
	case "", account.PasswordCleartext, account.PasswordEncrypted:
		return false
	}
	return true
}

// capabilities returns what the server offers when the client signs in.
func capabilities(server Server, a probe.MailAnswer) []string {
	if server.SocketType == account.Plain {
		return a.Before
	}
	return a.After
}

func offersSTARTTLS(t account.ServerType, capabilities []string) bool {
	name := "STARTTLS"
	if t == account.POP3 {
		name = "STLS" // RFC 2595 §4
	}
	return slices.Contains(capabilities, name)
}

// Mechanisms returns the login mechanisms that capabilities name (RFC 9051 §6.2.2,
// RFC 4954 §3, RFC 5034 §3), and Command for IMAP's LOGIN and POP3's USER and PASS.
func Mechanisms(t account.ServerType, capabilities []string) []string {
	var found []string
	for _, c := range capabilities {
		switch words := strings.Fields(c); {
		case len(words) == 0:
		case strings.HasPrefix(c, "AUTH="): // IMAP; some SMTP servers say it for clients of the last century
			found = append(found, strings.Fields(c[len("AUTH="):])...)
		case words[0] == "AUTH", words[0] == "SASL":
			found = append(found, words[1:]...)
		case t == account.POP3 && words[0] == "USER":
			found = append(found, Command)
		}
	}
	if t == account.IMAP && len(capabilities) > 0 && !slices.Contains(capabilities, "LOGINDISABLED") {
		found = append(found, Command)
	}
	return found
}

// Command is the way to sign in that a protocol has besides SASL: LOGIN, or USER and PASS.
const Command = "the command"

var passwordMethods = []string{"PLAIN", "LOGIN", Command}

func offersPassword(t account.ServerType, capabilities, methods []string) bool {
	if t == account.POP3 && len(capabilities) == 0 {
		return true // a server without CAPA (RFC 2449) has USER
	}
	if len(methods) == 0 {
		methods = passwordMethods
	}
	return slices.ContainsFunc(Mechanisms(t, capabilities), func(m string) bool { return slices.Contains(methods, m) })
}

// FirstWorking tries servers in order until one works, and notes what it saw. If none
// works, it returns the first try. Took is the time of all.
func (s *Search) FirstWorking(ctx context.Context, servers []Server, rules Trying) Try {
	for _, server := range servers {
		s.Expect(ctx, DNS("A", strings.ToLower(server.Hostname)), DNS("AAAA", strings.ToLower(server.Hostname)))
	}
	var tries []Try
	var took time.Duration
	for _, server := range servers {
		try := s.Try(ctx, server, rules)
		took += try.Took
		tries = append(tries, try)
		if try.Works {
			break
		}
	}
	if len(tries) == 0 {
		return Try{Known: true}
	}
	result, verdict := tries[0], Spoilt
	if last := tries[len(tries)-1]; last.Works {
		result, verdict = last, Passed
	} else if i := slices.IndexFunc(tries, func(t Try) bool { return !t.Known }); i >= 0 {
		result = tries[i] // it could have worked
	}
	for _, try := range tries {
		switch {
		case try.NoLogin:
			s.Note(try.Question.Key(), Spoilt, noLogin)
		case try.Works:
			s.Note(try.Question.Key(), Took, "")
		default:
			s.Note(try.Question.Key(), verdict, try.Why)
		}
	}
	result.Took = took
	return result
}

// Testing says what a client tests before it saves the account.
type Testing struct {
	Incoming, Outgoing bool
	Trying             Trying
	// OneAfterTheOther says that the outgoing server is tried after the incoming one.
	OneAfterTheOther bool
	// Later says that the person does something between the search and the test, whose time
	// then is not part of the search.
	Later bool
}

// Finish tries the servers of a forecast and says how the set-up ends. The lists are
// candidates of which the client takes the first that works; what a client does not test
// before it saves the account is tried all the same, to tell what the person will meet.
func (s *Search) Finish(ctx context.Context, f Forecast, incoming, outgoing []Server, test Testing) Forecast {
	var in, out Try
	done := make(chan struct{})
	go func() {
		defer close(done)
		out = s.FirstWorking(ctx, outgoing, test.Trying)
	}()
	in = s.FirstWorking(ctx, incoming, test.Trying)
	<-done
	f.Servers = slices.Concat(chosen(in, incoming), chosen(out, outgoing))
	f.Took += testTime(in, out, test)

	unusable := func(try Try, servers []Server) bool { return len(servers) > 0 && !try.Works }
	switch {
	case len(incoming) > 0 && !in.Known, len(outgoing) > 0 && !out.Known:
		f.Outcome, f.But = Unknown, "its servers could not be tried"
	case unusable(in, incoming) && test.Incoming:
		f.Outcome, f.But = Fails, fmt.Sprintf("at the receiving server %s: %s", in.Server.place(), in.Why)
	case unusable(out, outgoing) && test.Outgoing:
		f.Outcome, f.But = Fails, fmt.Sprintf("at the sending server %s: %s", out.Server.place(), out.Why)
	case in.NoLogin:
		f.Outcome, f.But = SetsUpBut, "cannot receive: "+noLogin
	case out.NoLogin:
		f.Outcome, f.But = SetsUpBut, "cannot send: "+noLogin
	case unusable(in, incoming) && unusable(out, outgoing):
		f.Outcome, f.But = SetsUpBut, "can neither receive nor send"
	case unusable(in, incoming):
		f.Outcome, f.But = SetsUpBut, "cannot receive: "+in.Why
	case unusable(out, outgoing):
		f.Outcome, f.But = SetsUpBut, "cannot send: "+out.Why
	case in.Asked || out.Asked:
		f.Outcome, f.But = SetsUpBut, "asks to accept a bad certificate"
		for _, try := range []Try{in, out} {
			if try.Asked {
				s.Note(try.Question.Key(), Spoilt, "bad certificate: "+problems(try.Answer.TLS))
			}
		}
	default:
		f.Outcome, f.But = SetsUp, ""
	}
	return f
}

func (s Server) place() string { return fmt.Sprintf("%s:%d", s.Hostname, s.Port) }

// chosen returns the server that works, or the preferred one.
func chosen(try Try, servers []Server) []Server {
	switch {
	case len(servers) == 0:
		return nil
	case try.Works:
		return []Server{try.Server}
	}
	return servers[:1]
}

func testTime(in, out Try, test Testing) time.Duration {
	if test.Later {
		return 0
	}
	var a, b time.Duration
	if test.Incoming {
		a = in.Took
	}
	if test.Outgoing {
		b = out.Took
	}
	if test.OneAfterTheOther {
		return a + b
	}
	return max(a, b)
}
