package finding

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// mailServer is a mail server that matters, and what it answered.
type mailServer struct {
	Named
	Answer probe.MailAnswer
}

// announced reports whether somebody is told of the server. Others are only guessed.
func (s mailServer) announced() bool { return len(s.Keys) > 0 }

func (s mailServer) sends() bool { return s.Type == account.SMTP }

// answers reports whether there is a server that speaks the protocol, however late or badly.
func (s mailServer) answers() bool { return s.Answer.Failure == nil || s.Answer.GreetedAt > 0 }

// see returns evidence with the server's address.
func (s mailServer) see(format string, a ...any) Evidence {
	text := fmt.Sprintf(format, a...)
	if s.Answer.Address.IsValid() {
		text = fmt.Sprintf("%s:%d: %s", s.Answer.Address, s.Port, text)
	}
	return See(s.Question(), "%s", text)
}

// capabilities returns what the server offers when a client signs in.
func (s mailServer) capabilities() []string {
	if s.SocketType == account.Plain {
		return s.Answer.Before
	}
	return s.Answer.After
}

// mailServers returns the servers that documents and SRV records announce, each asked once.
// If none is announced for receiving, or none for sending, it has those that clients guessed: at the
// names of the domain, and those with which a client ended up. What could not be asked is left out.
func (c *Case) mailServers(ctx context.Context) []mailServer {
	named := c.Servers(ctx)
	announced := map[bool]bool{} // whether there are some, by whether they send
	endsWith := map[probe.MailQuestion]bool{}
	for _, n := range named {
		switch {
		case len(n.Keys) > 0:
			announced[n.Type == account.SMTP] = true
			c.Expect(ctx, n.Question())
		case len(n.Clients) > 0:
			endsWith[n.Question()] = true
		}
	}
	var all []mailServer
	for _, n := range named {
		if len(n.Keys) == 0 {
			continue
		}
		if a := c.Asker.Mail(ctx, n.Question()); a.Failure.Known() {
			all = append(all, mailServer{n, a})
		}
	}
	for q, a := range sortedMails(c.Asker.Mails()) {
		if q.Address.IsValid() || !isMail(q.Type) || announced[q.Type == account.SMTP] || !a.Failure.Known() {
			continue
		}
		if q.Host != c.Domain() && !strings.HasSuffix(q.Host, "."+c.Domain()) && !endsWith[q] {
			continue
		}
		n := Named{Type: q.Type, Hostname: q.Host, Port: q.Port, SocketType: q.SocketType}
		all = append(all, mailServer{n, a})
	}
	return all
}

// group returns the servers for which the condition holds, those of a host together.
func group(servers []mailServer, holds func(s mailServer) bool) [][]mailServer {
	var groups [][]mailServer
	at := map[string]int{}
	for _, s := range servers {
		if !holds(s) {
			continue
		}
		i, known := at[s.Hostname]
		if !known {
			i = len(groups)
			at[s.Hostname] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], s)
	}
	return groups
}

// ports names the ports of servers for a sentence: "465 and 587".
func ports(servers []mailServer) string {
	var numbers []int
	for _, s := range servers {
		if !slices.Contains(numbers, s.Port) {
			numbers = append(numbers, s.Port)
		}
	}
	slices.Sort(numbers)
	var texts []string
	for _, n := range numbers {
		texts = append(texts, fmt.Sprint(n))
	}
	return list(texts)
}

// placed names servers of a host for a sentence: "465 and 587 of smtp.hoster.example".
func placed(servers []mailServer) string { return ports(servers) + " of " + servers[0].Hostname }

// verb returns the form of a verb that fits the number of ports.
func verb(servers []mailServer, one, more string) string {
	if strings.Contains(ports(servers), " ") {
		return more
	}
	return one
}

// evidence returns evidence of each server.
func evidence(servers []mailServer, text func(s mailServer) string) []Evidence {
	var all []Evidence
	for _, s := range servers {
		all = append(all, s.see("%s", text(s)))
	}
	return all
}

// capabilityText returns the capabilities that matter for a login, for evidence.
func capabilityText(capabilities []string) string {
	text := strings.Join(capabilities, ", ")
	if len(text) > 160 {
		text = strings.ToValidUTF8(text[:160], "") + " …"
	}
	if text == "" {
		return "nothing"
	}
	return text
}

// tlsText says after which version of TLS something was seen.
func tlsText(s mailServer) string {
	if s.Answer.TLS == nil {
		return "in clear text"
	}
	return "after " + s.Answer.TLS.Version
}

var passwordMechanisms = []string{"PLAIN", "LOGIN", client.Command}

// oauthMechanisms are those of sign-ins at a web page (RFC 7628, and Google's before it).
var oauthMechanisms = []string{"XOAUTH2", "OAUTHBEARER", "XOAUTH", "PLAIN-CLIENTTOKEN"}

func hasAny(have, wanted []string) bool {
	return slices.ContainsFunc(have, func(s string) bool { return slices.Contains(wanted, s) })
}
