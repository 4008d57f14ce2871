package start

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/fault"
	"signpost/internal/importer/draft"
	"signpost/internal/importer/machine"
)

// ErrNoMailHost is the error where no mail server was found, and nobody can be asked.
var ErrNoMailHost = errors.New("no mail server was found")

// candidate is a server that clients may be told.
type candidate struct {
	server account.Server
	note   string // what is known of it
	on     bool   // whether clients are told of it if nobody says otherwise
	works  bool
}

// servers finds out which servers clients are told.
func (s *start) servers(ctx context.Context) error {
	s.takeTold()
	told := s.provider.Servers
	if len(s.Servers) > 0 {
		s.provider.Servers = s.Servers
		return nil
	}
	if len(told) == 0 && s.survey.HandOver != nil {
		return nil // an Exchange server, which tells its clients all themselves
	}
	found := s.mailHost(ctx, told)
	if s.MailHost == "" {
		_, err := s.Person.ask(ctx, "Host name of the mail server", found, func(answer string) (err error) {
			s.MailHost, err = ParseHost(answer)
			return err
		})
		switch {
		case errors.Is(err, errNobody) && found == "":
			return fault.WithHint(ErrNoMailHost, "name it: -mail-host mail."+s.Domains[0])
		case errors.Is(err, errNobody):
			s.MailHost = found
		case err != nil:
			return err
		}
	}
	if s.MailHost != found {
		s.forget()
		told = nil
	}
	return s.choose(ctx, s.candidates(ctx, told))
}

// forget drops what was found about another mail server than the person names.
func (s *start) forget() {
	if r := s.provider.AutodiscoverRedirect; r != nil {
		s.unknown("whether %s%s still answers Autodiscover: it is left out, as mail is at %s", r.Hostname, r.Address,
			s.MailHost)
		s.provider.DisplayName = ""
	}
	s.provider = account.Provider{DisplayName: s.provider.DisplayName}
	s.machine, s.guesses = nil, nil
}

// takeTold takes what this machine or the network says of the domain.
func (s *start) takeTold() {
	p := s.survey.Product()
	if m := s.machineProduct(); m != nil {
		p.Provider.Servers, p.Guesses = m.Provider.Servers, m.Guesses
		if m.Provider.DisplayName != "" {
			p.Provider.DisplayName = m.Provider.DisplayName
		}
	}
	s.provider = p.Provider
	for _, guess := range p.Guesses {
		if !strings.HasPrefix(guess, machine.NameGuess) { // it is asked for
			s.guess("%s", guess)
		}
	}
}

// machineProduct returns what this machine has for the first domain, or nil.
func (s *start) machineProduct() *draft.Product {
	if s.machine == nil {
		return nil
	}
	for i := range s.machine.Products {
		if slices.Contains(s.machine.Products[i].Domains, s.Domains[0]) {
			return &s.machine.Products[i]
		}
	}
	// Where a database or a directory has the domains, the machine's configuration names none.
	for i := range s.machine.Products {
		if len(s.machine.Products[i].Domains) == 0 && len(s.machine.Accounts) > 0 {
			return &s.machine.Products[i]
		}
	}
	return nil
}

// mailHost returns the mail server that was found, or nothing.
func (s *start) mailHost(ctx context.Context, told []account.Server) string {
	domain := account.AnyAt(s.Domains[0])
	for _, t := range []account.ServerType{account.IMAP, account.POP3, account.SMTP} {
		for _, server := range told {
			if server.Type == t {
				return account.Expand(server.Hostname, domain)
			}
		}
	}
	hosts := []string{"mail." + s.Domains[0], "imap." + s.Domains[0]}
	for _, mx := range s.survey.Exchangers[:min(1, len(s.survey.Exchangers))] {
		hosts = append([]string{mx}, hosts...)
	}
	var servers []account.Server
	for _, host := range hosts {
		servers = append(servers,
			account.Server{Type: account.IMAP, Hostname: host, Port: 993, SocketType: account.SSL})
	}
	tries := s.tries(ctx, servers)
	for _, t := range tries {
		if t.works {
			return t.server.Hostname
		}
	}
	// A server that is there, but calls itself otherwise: clients need the name that it has a certificate for.
	for _, t := range tries {
		for _, name := range t.names {
			if host, err := ParseHost(name); err == nil && s.try(ctx, account.Server{Type: account.IMAP, Hostname: host,
				Port: 993, SocketType: account.SSL}).works {
				s.guess("that the mail server is %s: the certificate of %s is for that name", host, t.server.Hostname)
				return host
			}
		}
	}
	return ""
}

// candidates returns the servers that were told, those that other witnesses name, and those that the
// mail host has.
func (s *start) candidates(ctx context.Context, told []account.Server) []candidate {
	s.say("Asking the ports of %s …", s.MailHost)
	domain := account.AnyAt(s.Domains[0])
	var others []account.Server
	if told != nil {
		others = s.contradicting(told, domain)
	}
	said := slices.Concat(told, others)
	tries := s.tries(ctx, atMailPorts(said, domain))
	var all []candidate
	for i, server := range said {
		c := candidate{server, "clients are told of it now", i < len(told), false}
		expanded := server.Expand(domain)
		if i := slices.IndexFunc(tries, func(t try) bool { return sameEndpoint(t.server, expanded) }); i >= 0 {
			c.note, c.on = tries[i].says, c.on && (tries[i].works || !tries[i].known)
			c.works = tries[i].works
			if len(server.Authentication) == 0 {
				c.server.Authentication = tries[i].server.Authentication
			}
		}
		all = append(all, c)
	}
	all = s.addProbed(ctx, all, told != nil)
	return s.turnOn(all, len(told))
}

// contradicting returns the servers that witnesses name and the first of them does not.
func (s *start) contradicting(told []account.Server, domain account.Address) (others []account.Server) {
	if len(s.survey.Contradictions) == 0 {
		return nil
	}
	for _, w := range s.survey.Witnesses {
		for _, server := range w.Provider.Servers {
			if server.Login.Username == "" {
				server.Login.Username = account.EmailAddress
			}
			same := func(o account.Server) bool { return sameEndpoint(o.Expand(domain), server.Expand(domain)) }
			if !slices.ContainsFunc(told, same) && !slices.ContainsFunc(others, same) {
				others = append(others, server)
			}
		}
	}
	return others
}

// addProbed adds what the ports of the mail host have. What is told of a type goes before it.
func (s *start) addProbed(ctx context.Context, all []candidate, told bool) []candidate {
	domain := account.AnyAt(s.Domains[0])
	var types []account.ServerType
	for _, c := range all {
		if c.on {
			types = append(types, c.server.Type)
		}
	}
	probed := s.tryAll(ctx, s.MailHost)
	if !told && !slices.ContainsFunc(probed, func(t try) bool { return t.works && t.server.Type == account.SMTP }) {
		for _, prefix := range []string{"smtp.", "mail."} {
			if host := prefix + dns.Registrable(s.MailHost); host != s.MailHost {
				probed = append(probed, s.tryAll(ctx, host, account.SMTP)...)
			}
		}
	}
	picked := chosen(probed)
	var silent []string
	var why string
	for _, t := range probed {
		if slices.ContainsFunc(all, func(c candidate) bool { return sameEndpoint(c.server.Expand(domain), t.server) }) {
			continue
		}
		switch {
		case t.works:
			on := !slices.Contains(types, t.server.Type) &&
				slices.ContainsFunc(picked, func(p account.Server) bool { return sameEndpoint(p, t.server) })
			t.server.Login.Username = account.EmailAddress
			all = append(all, candidate{t.server, t.says, on, true})
		case !t.known && t.server.Hostname != s.MailHost:
		case !t.known:
			silent = append(silent, strconv.Itoa(t.server.Port))
			why = t.says
		case t.names != nil || strings.HasPrefix(t.says, "bad") || strings.HasPrefix(t.says, "offers"):
			all = append(all, candidate{t.server, t.says, false, false})
		}
	}
	if len(silent) > 0 {
		s.unknown("whether %s has servers at the ports %s, as it did not answer there. The last reason: %s",
			s.MailHost, strings.Join(silent, ", "), why)
	}
	return all
}

// turnOn chooses a server for reading and one for sending where none is chosen yet, as no mail
// program sets an account up without: one that works, or else one that is told, or else a guess.
func (s *start) turnOn(all []candidate, told int) []candidate {
	has := func(types ...account.ServerType) bool {
		return slices.ContainsFunc(all, func(c candidate) bool { return c.on && slices.Contains(types, c.server.Type) })
	}
	need := func(t account.ServerType, port int) {
		for i := range all {
			if all[i].server.Type == t && all[i].works {
				all[i].on = true
				return
			}
		}
		for i := range all[:told] {
			if all[i].server.Type == t {
				all[i].on = true
				s.guess("whether there is a server at %s: %s", describe(all[i].server), all[i].note)
				return
			}
		}
		server := account.Server{Type: t, Hostname: s.MailHost, Port: port, SocketType: account.SSL,
			Login:          account.Login{Username: account.EmailAddress},
			Authentication: []account.Authentication{account.PasswordCleartext}}
		all = append(all, candidate{server, "is a guess", true, false})
		s.guess("whether there is a server at %s: no port of that kind answered well", describe(server))
	}
	if !has(account.IMAP, account.POP3, account.EWS, account.ActiveSync, account.JMAP) {
		need(account.IMAP, 993)
	}
	if has(account.IMAP, account.POP3) && !has(account.SMTP) {
		need(account.SMTP, 465)
	}
	return all
}

// atMailPorts returns the mail servers among those that are told, completed.
func atMailPorts(told []account.Server, domain account.Address) (servers []account.Server) {
	for _, server := range told {
		if server.Type == account.IMAP || server.Type == account.POP3 || server.Type == account.SMTP {
			servers = append(servers, server.Expand(domain))
		}
	}
	return servers
}

func sameEndpoint(a, b account.Server) bool {
	return a.Type == b.Type && strings.EqualFold(a.Hostname, b.Hostname) && a.Port == b.Port && a.URL == b.URL
}

// choose lets the person choose among the candidates.
func (s *start) choose(ctx context.Context, all []candidate) error {
	slices.SortStableFunc(all, func(a, b candidate) int {
		return slices.Index(account.ServerTypes, a.server.Type) - slices.Index(account.ServerTypes, b.server.Type)
	})
	var numbers []string
	for i, c := range all {
		s.say("  %d  %s\n       %s", i+1, describe(c.server), c.note)
		if c.on {
			numbers = append(numbers, strconv.Itoa(i+1))
		}
	}
	take := func(answer string) (err error) {
		s.provider.Servers, err = pick(answer, all)
		return err
	}
	found := strings.Join(numbers, ", ")
	_, err := s.Person.ask(ctx, "Which of them mail programs are told: numbers, or servers written as above",
		found, take)
	if errors.Is(err, errNobody) {
		return take(found)
	}
	return err
}
