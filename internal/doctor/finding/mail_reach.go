package finding

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// obstacle says why no connection to a server comes about, or "".
func (s mailServer) obstacle() string {
	f := s.Answer.Failure
	if f == nil || s.Answer.Greeting != "" || s.expectsTLS() {
		return ""
	}
	switch f.Kind {
	case probe.Refused:
		return "refuses the connection"
	case probe.Unreachable:
		return "cannot be reached"
	case probe.Closed:
		return "ends the connection before it has said anything"
	case probe.TimedOut:
		if s.Answer.Connected > 0 {
			return fmt.Sprintf("accepts the connection and stays silent for %d s", int(probe.GreetingLimit.Seconds()))
		}
		return fmt.Sprintf("does not answer within %d s", int(probe.ConnectLimit.Seconds()))
	}
	return ""
}

// expectsTLS reports whether a server that was asked in clear text waits for TLS.
func (s mailServer) expectsTLS() bool {
	f := s.Answer.Failure
	return s.SocketType != account.SSL && s.Answer.TLS != nil && s.Answer.Greeting == "" &&
		f != nil && f.Kind == probe.TimedOut
}

// closedPorts finds M1.
func closedPorts(ctx context.Context, c *Case) []Finding {
	servers := c.mailServers(ctx)
	var found []Finding
	for _, closed := range group(servers, func(s mailServer) bool {
		return s.obstacle() != "" && (s.announced() || c.isMissed(s, servers))
	}) {
		host := closed[0].Hostname
		f := Finding{
			Subject:  host,
			Sentence: obstacles(closed) + ".",
			Evidence: evidence(closed, func(s mailServer) string { return s.Answer.Failure.Text }),
			Cures:    []Cure{{Who: MailProvider, Text: openPort(closed[0])}},
		}
		for _, s := range servers {
			if s.Hostname == host && s.sends() == closed[0].sends() && s.announced() && s.Answer.Failure == nil {
				f.Cures = append(f.Cures, Cure{Who: MailProvider,
					Text: fmt.Sprintf("or announce only port %d, which works", s.Port)})
				break
			}
		}
		found = append(found, f)
	}
	return found
}

// isMissed reports whether a server that is only guessed is missing: no other of its kind
// answers, but the host is where one would be, or the domain's servers of the other kind are.
// Most hosts that clients guess are none, and need not answer.
func (c *Case) isMissed(s mailServer, servers []mailServer) bool {
	otherRuns, sameHost := false, false
	for _, other := range servers {
		switch {
		case other.sends() == s.sends() && other.answers():
			return false
		case other.sends() != s.sends() && other.answers():
			otherRuns = true
			sameHost = sameHost || other.Hostname == s.Hostname
		}
	}
	usual := []string{c.Name("imap"), c.Name("pop"), c.Name("pop3")}
	if s.sends() {
		usual = []string{c.Name("smtp")}
	}
	return otherRuns && (sameHost || slices.Contains(usual, s.Hostname))
}

// obstacles says what becomes of connections to the ports of a host.
func obstacles(servers []mailServer) string {
	var texts []string
	var rest = servers
	for len(rest) > 0 {
		why := rest[0].obstacle()
		var same, others []mailServer
		for _, s := range rest {
			if s.obstacle() == why {
				same = append(same, s)
			} else {
				others = append(others, s)
			}
		}
		if strings.Contains(ports(same), " ") {
			why = plural(why)
		}
		texts = append(texts, fmt.Sprintf("%s %s", placed(same), why))
		rest = others
	}
	return list(texts)
}

func plural(obstacle string) string {
	return strings.NewReplacer("refuses", "refuse", "ends", "end", "accepts", "accept", "stays", "stay",
		"does not", "do not", "it has", "they have").Replace(obstacle)
}

// The greeting times that clients' searches end at: Nextcloud tests a port for 5 s,
// Thunderbird's guess waits for 10 s.
const (
	slowGreeting     = 5 * time.Second
	thunderbirdGuess = 10 * time.Second
)

// slowGreetings finds M7.
func slowGreetings(ctx context.Context, c *Case) []Finding {
	var found []Finding
	for _, slow := range group(c.mailServers(ctx), func(s mailServer) bool {
		a := s.Answer
		unfinished := a.Failure != nil && a.Failure.Kind == probe.TimedOut && a.Greeting != "" && a.GreetedAt == 0
		return unfinished || a.GreetedAt >= slowGreeting
	}) {
		worst := slices.MaxFunc(slow, func(a, b mailServer) int { return int(waits(a) - waits(b)) })
		f := Finding{
			Subject: worst.Hostname,
			Evidence: evidence(slow, func(s mailServer) string {
				return fmt.Sprintf("after %.0f s: %s", waits(s).Seconds(), s.Answer.Greeting)
			}),
			Cures: []Cure{{Who: MailProvider, Text: greetAtOnce(worst)}},
		}
		after := fmt.Sprintf("%.0f s", waits(worst).Seconds())
		if worst.Answer.GreetedAt == 0 {
			after = "more than " + after
		}
		gives := "Nextcloud's test of the port gives up after 5 s, and people wait."
		if waits(worst) > thunderbirdGuess {
			gives = "Thunderbird's search gives up after 10 s."
		} else {
			f.Severity = Warning
		}
		f.Sentence = fmt.Sprintf("%s %s only after %s: %s", placed(slow), verb(slow, "greets", "greet"), after, gives)
		found = append(found, f)
	}
	return found
}

// waits returns how long a client waits for the greeting.
func waits(s mailServer) time.Duration {
	if s.Answer.GreetedAt == 0 {
		return probe.GreetingLimit
	}
	return s.Answer.GreetedAt
}

// turnedAway finds M8: a server that answers one connection and not another to the same port, or that
// says that it wants none.
func turnedAway(ctx context.Context, c *Case) []Finding {
	servers := c.mailServers(ctx)
	var found []Finding
	add := func(s mailServer, sentence string, seen ...Evidence) {
		if !slices.ContainsFunc(found, func(f Finding) bool { return f.Subject == s.Hostname }) {
			found = append(found, Finding{Subject: s.Hostname, Sentence: sentence, Evidence: seen,
				Cures:    []Cure{{Who: MailProvider, Text: liftBan(s)}},
				Explains: append(at([]string{s.Hostname}, "M1", "T5", "D13"), c.announcing("D9")...)})
		}
	}
	mails := c.Asker.Mails()
	for _, s := range servers {
		f := s.Answer.Failure
		if f != nil && f.Kind == probe.Closed && s.Answer.Greeting != "" && s.announced() {
			add(s, fmt.Sprintf("%d of %s greets and %s: this address may be banned, or the server is overloaded.",
				s.Port, s.Hostname, f.Text), s.see("%s", f.Text))
		}
		if s.obstacle() == "" {
			continue
		}
		for q, a := range sortedMails(mails) {
			if q.Host == s.Hostname && q.Port == s.Port && a.GreetedAt > 0 && a.Address == s.Answer.Address {
				add(s, fmt.Sprintf("%d of %s answered once and then no more: it may have banned this address.",
					s.Port, s.Hostname),
					s.see("%s", f.Text), See(q, "answered"))
			}
		}
	}
	return found
}

// announcing returns the entries of Finding.Explains for a fault at any of the SRV records of mail.
func (c *Case) announcing(id string) []string {
	var entries []string
	for _, service := range mailServices {
		entries = append(entries, id+" "+c.Name(service.Label))
	}
	return entries
}

// only25 finds M9.
func only25(ctx context.Context, c *Case) []Finding {
	var found []Finding
	named := c.Servers(ctx)
	for _, n := range named {
		known := func(f Finding) bool { return f.Subject == n.Hostname }
		other := func(other Named) bool { return other.Type == account.SMTP && other.Port != 25 && len(other.Keys) > 0 }
		if n.Type != account.SMTP || n.Port != 25 || len(n.Keys) == 0 || slices.ContainsFunc(named, other) ||
			slices.ContainsFunc(found, known) {
			continue
		}
		f := Finding{
			Subject:  n.Hostname,
			Severity: Warning,
			Sentence: fmt.Sprintf("Port 25 of %s is the only one for sending: many networks block it.", n.Hostname),
			Clients:  append([]string{}, n.Clients...),
			Cures: []Cure{{Who: MailProvider, Text: "announce submission on 587 or 465; " +
				masterEntry(mailServer{Named: Named{Type: account.SMTP, Port: 587, SocketType: account.STARTTLS}})}},
		}
		for _, key := range n.Keys {
			f.Evidence = append(f.Evidence, Evidence{key, "smtp " + n.Hostname + " port 25"})
		}
		found = append(found, f)
	}
	return found
}

// otherService finds M10.
func otherService(ctx context.Context, c *Case) []Finding {
	var found []Finding
	for _, wrong := range group(c.mailServers(ctx), func(s mailServer) bool {
		f := s.Answer.Failure
		foreign := f != nil &&
			(f.Kind == probe.BadProtocol || f.Kind == probe.BadTLS && isOtherGreeting(s.Answer.Greeting))
		return foreign && (s.announced() || len(s.Clients) > 0)
	}) {
		s := wrong[0]
		f := Finding{
			Subject:  s.Hostname,
			Evidence: evidence(wrong, func(s mailServer) string { return s.Answer.Failure.Text }),
			Cures: []Cure{{Who: MailProvider, Text: fmt.Sprintf("lead port %s to the mail server: see port "+
				"forwarding, the proxy, and who listens (ss -ltnp)", ports(wrong))}},
		}
		text := s.Answer.Failure.Text
		if s.Answer.Failure.Kind == probe.BadTLS {
			text = fmt.Sprintf("answers '%s': that is a web server", s.Answer.Greeting)
		}
		f.Sentence = fmt.Sprintf("%s %s.", placed(wrong), text)
		found = append(found, f)
	}
	return found
}

// isOtherGreeting reports whether what a server said in clear text is not of a mail server.
func isOtherGreeting(greeting string) bool {
	upper := strings.ToUpper(greeting)
	return strings.HasPrefix(upper, "HTTP/") || strings.HasPrefix(upper, "<") || strings.HasPrefix(upper, "SSH-")
}
