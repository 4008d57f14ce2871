package client

import (
	"context"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// fairEmailDocument reads an autoconfig document as it streams by: sections and user names count
// wherever they stand. Only the first section of each kind counts, whatever its type; the last user
// name of the whole document does.
func fairEmailDocument(x document.XML, a account.Address) (fairEmailCandidate, bool) {
	c := fairEmailCandidate{incoming: Server{Type: account.IMAP}, outgoing: Server{Type: account.SMTP}}
	readable := x.Error == nil
	username := ""
	seen := map[string]bool{}
	x.Root.Walk(func(e *document.Element) {
		switch e.Name {
		case "incomingServer", "outgoingServer":
			server, want := &c.incoming, "imap"
			if e.Name == "outgoingServer" {
				server, want = &c.outgoing, "smtp"
			}
			if t, _ := e.Attribute("type"); !seen[e.Name] && t == want {
				readable = fairEmailSection(e, server) && readable
			}
			seen[e.Name] = true
		case "username":
			if e.Text != "" {
				username = e.Text
			}
		}
	})
	c.score = 40
	switch username {
	case "", emailAddress:
	case emailLocalPart:
		// The local part is tried first, then the address.
		c.incoming.Username, c.outgoing.Username = a.Local(), a.Local()
	default:
		if rest, ok := strings.CutPrefix(username, "*@"); ok {
			username = a.Local() + "@" + rest
		}
		c.incoming.Username, c.outgoing.Username = username, username
		if !strings.EqualFold(username, a.String()) {
			c.score += 100
		}
	}
	return c, readable && c.complete()
}

// complete reports whether both servers have a host name and a port.
func (c fairEmailCandidate) complete() bool {
	return c.incoming.Hostname != "" && c.incoming.Port > 0 && c.outgoing.Hostname != "" && c.outgoing.Port > 0
}

// fairEmailSection reads a section's leaves in order: a port sets the security that is usual there, a
// socketType that it knows sets another one. A port that is no number makes the document
// unreadable.
func fairEmailSection(section *document.Element, server *Server) (readable bool) {
	readable = true
	section.Walk(func(leaf *document.Element) {
		switch leaf.Name {
		case "hostname":
			server.Hostname = leaf.Text
		case "port":
			port, err := strconv.Atoi(leaf.Text)
			readable = readable && err == nil
			server.Port, server.SocketType = port, fairEmailUsual(port)
		case "socketType":
			switch t := account.SocketType(leaf.Text); t {
			case account.SSL, account.STARTTLS:
				server.SocketType = t
			}
		}
	})
	return readable
}

func fairEmailUsual(port int) account.SocketType {
	if port == 143 || port == 587 {
		return account.STARTTLS
	}
	return account.SSL
}

// fairEmailPOX reads the IMAP and SMTP protocols of an answer for an account of the type email.
// What it says about TLS and the login is ignored.
func fairEmailPOX(x document.XML) (fairEmailCandidate, bool) {
	c := fairEmailCandidate{incoming: Server{Type: account.IMAP}, outgoing: Server{Type: account.SMTP}, score: 40}
	x.Root.Walk(func(e *document.Element) {
		if e.Name != "Account" || e.Content("AccountType") != "email" || e.Content("Action") != "settings" {
			return
		}
		for _, p := range e.All("Protocol") {
			port, err := strconv.Atoi(p.Content("Port"))
			if err != nil || p.Content("Server") == "" {
				continue
			}
			server := &c.incoming
			switch p.Content("Type") {
			case "IMAP":
			case "SMTP":
				server = &c.outgoing
			default:
				continue
			}
			server.Hostname, server.Port, server.SocketType = p.Content("Server"), port, fairEmailUsual(port)
		}
	})
	return c, x.Error == nil && c.complete()
}

// scan tries the usual names of a domain, the receiving servers with TLS at once first, the sending
// ones with STARTTLS first. A server whose certificate is for another name counts only if there
// is no other. The scan gives up a host at the first of its addresses that refuses.
func (f *fairEmailSearch) scan(ctx context.Context, domain string) {
	names := func(labels ...string) (hosts []string) {
		for _, label := range labels {
			hosts = append(hosts, strings.TrimPrefix(label+"."+domain, "."))
		}
		return hosts
	}
	incoming := append(Candidates(account.IMAP, names("imap", "imaps", "mail", "mx", ""), Port{993, account.SSL}),
		Candidates(account.IMAP, names("imap", "mail", "mx", ""), Port{143, account.STARTTLS})...)
	outgoing := append(Candidates(account.SMTP, names("smtp", "mail", "mx", ""), Port{587, account.STARTTLS}),
		Candidates(account.SMTP, names("smtp", "smtps", "mail", "mx", ""), Port{465, account.SSL})...)
	in, inScore, ok := f.scanned(ctx, incoming)
	if !ok {
		return
	}
	if out, outScore, ok := f.scanned(ctx, outgoing); ok {
		f.candidates = append(f.candidates, fairEmailCandidate{incoming: in, outgoing: out, score: inScore + outScore,
			source: "guess"})
	}
}

func (f *fairEmailSearch) scanned(ctx context.Context, servers []Server) (found Server, score int, ok bool) {
	untrusted := -1
	tries := f.TryAll(ctx, servers, Trying{Limit: fairEmailLimit, Accepts: AnyCertificate, NoLogin: true}, 0)
	for i, try := range tries {
		if !try.Known {
			f.unknown = try.Question.Key()
			return Server{}, 0, false
		}
		f.took = max(f.took, min(try.Took, fairEmailLimit))
		switch {
		case try.Answer.TLS == nil && connected(try):
			return try.Server, 10, true // it listens, whatever it speaks
		case try.Answer.TLS == nil:
		case !try.Answer.TLS.Has(probe.WrongName):
			return try.Server, 12, true
		case untrusted < 0:
			untrusted = i
		}
	}
	if untrusted < 0 {
		return Server{}, 0, false
	}
	return tries[untrusted].Server, 10, true
}
