package start

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
	"signpost/internal/importer/living"
)

// port is a port at which people reach their mail.
type port struct {
	kind   account.ServerType
	number int
	how    account.SocketType
	// spare ports count only where the one before does not answer.
	spare bool
}

// ports are those that are asked, TLS from the first byte before STARTTLS (RFC 8314 §3). Both
// ports for sending are told to clients, as many know only one of them.
var ports = []port{
	{account.IMAP, 993, account.SSL, false}, {account.IMAP, 143, account.STARTTLS, true},
	{account.POP3, 995, account.SSL, false}, {account.POP3, 110, account.STARTTLS, true},
	{account.SMTP, 465, account.SSL, false}, {account.SMTP, 587, account.STARTTLS, false},
}

// try is what came of a connection to a server.
type try struct {
	server account.Server
	works  bool
	known  bool   // whether the answer says something about the server
	says   string // for people
	names  []string
}

// try connects to a server. Nobody signs in.
func (s *start) try(ctx context.Context, server account.Server) try {
	q := probe.MailQuestion{Type: server.Type, Host: strings.ToLower(server.Hostname), Port: server.Port,
		SocketType: server.SocketType}
	answer := s.Asker.Mail(ctx, q)
	t := try{server: server, known: true}
	f := answer.Failure
	switch {
	case f != nil:
		t.says = f.Text
		if f.Kind == probe.Forbidden {
			t.says += "; -private asks it nevertheless"
		}
		// A firewall on the way may swallow packets, and what was not asked says nothing.
		t.known = f.Known() && f.Kind != probe.TimedOut && f.Kind != probe.Unreachable && f.Kind != probe.NoAnswer
		return t
	case answer.TLS == nil:
		t.says = "offers no TLS"
		return t
	case len(answer.TLS.Problems) > 0:
		t.says = problems(answer.TLS)
		t.names = answer.TLS.Names
	}
	mechanisms := client.Mechanisms(server.Type, answer.After)
	if token := slices.Contains(mechanisms, "XOAUTH2") || slices.Contains(mechanisms, "OAUTHBEARER"); !token ||
		!slices.Contains(server.Authentication, account.OAuth2Auth) {
		t.server.Authentication = methods(mechanisms)
	}
	if server.Type == account.POP3 && len(answer.After) == 0 { // before RFC 2449
		t.server.Authentication = []account.Authentication{account.PasswordCleartext}
	}
	if len(t.server.Authentication) == 0 {
		t.says = "offers no login"
		return t
	}
	t.works = t.says == ""
	if t.works {
		t.says = "answers, with a good certificate"
	}
	return t
}

// problems says what is wrong with a certificate.
func problems(t *probe.TLS) string {
	var words []string
	for _, p := range t.Problems {
		words = append(words, strings.ReplaceAll(string(p), "-", " "))
	}
	text := "bad certificate: " + strings.Join(words, ", ")
	if t.Has(probe.WrongName) && len(t.Names) > 0 {
		text += ", it is for " + strings.Join(t.Names[:min(3, len(t.Names))], ", ")
	}
	return living.Printable(text)
}

// methods returns what autoconfig calls the mechanisms of SASL. OAuth2 is left out: a client needs
// to be told the issuer.
func methods(mechanisms []string) (all []account.Authentication) {
	for _, m := range mechanisms {
		var a account.Authentication
		switch {
		case m == "PLAIN", m == "LOGIN", m == client.Command:
			a = account.PasswordCleartext
		case m == "CRAM-MD5", m == "DIGEST-MD5", strings.HasPrefix(m, "SCRAM-"):
			a = account.PasswordEncrypted
		case m == "NTLM":
			a = account.NTLM
		case m == "GSSAPI":
			a = account.GSSAPI
		}
		if a != "" && !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	// Inside TLS the password itself does no harm, and all clients can send it.
	if i := slices.Index(all, account.PasswordCleartext); i >= 0 {
		return []account.Authentication{account.PasswordCleartext}
	}
	return all
}

// tryAll connects to all ports of a host, at once.
func (s *start) tryAll(ctx context.Context, host string, only ...account.ServerType) []try {
	var servers []account.Server
	for _, p := range ports {
		if len(only) == 0 || slices.Contains(only, p.kind) {
			servers = append(servers, account.Server{Type: p.kind, Hostname: host, Port: p.number, SocketType: p.how})
		}
	}
	return s.tries(ctx, servers)
}

func (s *start) tries(ctx context.Context, servers []account.Server) []try {
	results := make([]try, len(servers))
	done := make(chan struct{})
	for i, server := range servers {
		go func() {
			results[i] = s.try(ctx, server)
			done <- struct{}{}
		}()
	}
	for range servers {
		<-done
	}
	return results
}

// chosen returns which of the tries are told to clients if nobody says otherwise.
func chosen(tries []try) (servers []account.Server) {
	for _, p := range ports {
		for _, t := range tries {
			if !t.works || t.server.Type != p.kind || t.server.Port != p.number {
				continue
			}
			if p.spare && slices.ContainsFunc(servers, func(s account.Server) bool { return s.Type == p.kind }) {
				continue
			}
			servers = append(servers, t.server)
		}
	}
	return servers
}

func describe(s account.Server) string {
	if s.Type.HasURL() {
		return fmt.Sprintf("%s %s", s.Type, s.URL)
	}
	return fmt.Sprintf("%s %s:%d %s", s.Type, s.Hostname, s.Port, s.SocketType)
}
