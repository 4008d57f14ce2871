package client

import (
	"context"
	"slices"
	"time"

	"signpost/account"
)

// thunderbirdGuessing: 10 s for a greeting (mailnews.auto_config.guess.timeout), only good
// certificates (guess.requireGoodCert), and nobody looks for a login (GuessConfig.sys.mjs).
var thunderbirdGuessing = Trying{Limit: 10 * time.Second, NoLogin: true}

// guessDelay is the time between the starts of two tries.
const guessDelay = 100 * time.Millisecond

// guess tries common names at a domain, or a host alone if that of an Exchange server is known.
// Either an incoming and an outgoing server are found, or nothing is (guessConfig).
func (t thunderbird) guess(ctx context.Context, s *Search, domain string, exchange *thunderbirdConfig) found {
	incoming := []string{"imap." + domain, "pop3." + domain, "pop." + domain, "mail." + domain, domain}
	outgoing := []string{"smtp." + domain, "mail." + domain, domain}
	if exchange != nil {
		incoming, outgoing = []string{domain}, []string{domain}
	}
	in, inTook, inKnown := bestGuess(ctx, s, incomingGuesses(incoming))
	out, outTook, outKnown := bestGuess(ctx, s, outgoingGuesses(outgoing))
	f := found{source: "guess", where: "by trying common server names", took: max(inTook, outTook)}
	switch {
	case !in.Works && inKnown, !out.Works && outKnown:
		f.source = ""
		return f
	case !in.Works, !out.Works:
		f.source, f.unknown = "", "a server that Thunderbird would guess"
		return f
	}
	f.config = &thunderbirdConfig{incoming: t.asGuessed(s, in), outgoing: t.asGuessed(s, out)}
	if exchange != nil {
		f.config.incoming.Username, f.config.outgoing.Username = s.Address.String(), s.Address.String()
		f.config.alternatives = []Server{exchange.incoming}
	}
	return f
}

// asGuessed completes a server that was found with the best login that it names, Kerberos
// before all others (_advertisesAuthMethods).
func (t thunderbird) asGuessed(s *Search, try Try) Server {
	server := try.Server
	server.Username = s.Address.String()
	if t.guessesLocalPart {
		server.Username = s.Address.Local()
	}
	offered := Mechanisms(server.Type, capabilities(server, try.Answer))
	server.Authentication = account.PasswordCleartext
	for _, m := range []struct {
		name   string
		method account.Authentication
	}{{"GSSAPI", account.GSSAPI}, {"CRAM-MD5", account.PasswordEncrypted}, {"NTLM", account.NTLM}} {
		if slices.Contains(offered, m.name) {
			server.Authentication = m.method
			break
		}
	}
	return server
}

// incomingGuesses returns all tries in the order of preference: with TLS before without,
// IMAP before POP3, TLS at once before STARTTLS, then by host (sortTriesByPreference).
func incomingGuesses(hosts []string) []Server {
	var servers []Server
	for _, socketTypes := range [][]account.SocketType{{account.SSL, account.STARTTLS}, {account.Plain}} {
		for _, t := range []account.ServerType{account.IMAP, account.POP3} {
			for _, socketType := range socketTypes {
				for i, host := range hosts {
					isPOP, isIMAP := len(hosts) > 1 && (i == 1 || i == 2), len(hosts) > 1 && i == 0
					if t == account.IMAP && isPOP || t == account.POP3 && isIMAP {
						continue
					}
					servers = append(servers, Candidates(t, []string{host}, Port{account.DefaultPort(t, socketType),
						socketType})...)
				}
			}
		}
	}
	return servers
}

// outgoingGuesses leaves out port 25, which Thunderbird tries, too: the diagnosis does
// not, and many networks block it.
func outgoingGuesses(hosts []string) []Server {
	return slices.Concat(Candidates(account.SMTP, hosts, Port{465, account.SSL}),
		Candidates(account.SMTP, hosts, Port{587, account.STARTTLS}), Candidates(account.SMTP, hosts, Port{587,
			account.Plain}))
}

// bestGuess returns the first try that works, and how long Thunderbird waits: all tries start
// one after the other, and it knows the best only when all better ones have failed. It reports
// false if a try could not be made that could have worked.
func bestGuess(ctx context.Context, s *Search, servers []Server) (best Try, took time.Duration, known bool) {
	for _, server := range servers {
		s.Expect(ctx, DNS("A", server.Hostname), DNS("AAAA", server.Hostname))
	}
	known = true
	for i, server := range servers {
		try := s.guessOne(ctx, server)
		took = max(took, try.Took+time.Duration(i)*guessDelay)
		known = known && try.Known
		if try.Works {
			s.Note(try.Question.Key(), Took, "")
			// It goes on for a server of the other protocol, until all tries have started.
			return try, max(took, time.Duration(len(servers))*guessDelay), true
		}
		if try.Answer.Connected > 0 || try.Answer.Greeting != "" {
			s.Note(try.Question.Key(), Passed, try.Why)
		}
	}
	return best, took, known
}

// guessOne tries a server. Where TLS does not begin at once, it asks for the capabilities in
// clear text and goes away: no handshake shows whether the certificate is good.
func (s *Search) guessOne(ctx context.Context, server Server) Try {
	if server.SocketType == account.SSL {
		return s.Try(ctx, server, thunderbirdGuessing)
	}
	socketType := server.SocketType
	server.SocketType = account.STARTTLS
	try := s.Try(ctx, server, thunderbirdGuessing)
	try.Server.SocketType = socketType
	a := try.Answer
	greeted := try.Known && a.Greeting != "" && a.GreetedAt <= thunderbirdGuessing.Limit
	if greeted && (socketType == account.Plain || offersSTARTTLS(server.Type, a.Before)) {
		try.Why, try.Works = "", true
	}
	return try
}
