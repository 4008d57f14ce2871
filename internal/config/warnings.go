package config

import (
	"cmp"
	"slices"
	"strings"

	"signpost/account"
)

// isPortBeside reports whether another server is the same one at another port: then it does not
// matter which of both a client takes, and sending is on 465 for some and on 587 for others.
func (s *server) isPortBeside(other *server) bool {
	return s.Type == other.Type && s.Hostname != "" && s.Hostname == other.Hostname && s.Login == other.Login
}

// checkServers warns of combinations that are most likely not intended. Only
// contradictions are faults: some hosters have TLS on port 587, and for them that is
// right.
func (p *provider) checkServers() {
	seen := map[account.ServerType]bool{}
	for i, s := range p.servers {
		if seen[s.Type] && !slices.ContainsFunc(p.servers[:i], s.isPortBeside) {
			s.at.warn("a second %s server; most clients use only the first of a type, some only the last", s.Type)
		}
		if s.Type == account.IMAP && (seen[account.EWS] || seen[account.POP3]) {
			s.at.warn("imap comes after ews or pop3; " +
				"FairEmail and Geary read only the first server of autoconfig and find no imap")
		}
		seen[s.Type] = true
		s.checkConnection()
		s.checkExchange()
		if s.AnswerWithoutLogin && s.SignsInWithAddress() {
			s.has["answerWithoutLogin"].warn("has no effect, because users sign in with the address")
		}
	}
	incoming := seen[account.IMAP] || seen[account.POP3]
	for _, s := range p.servers {
		if s.ExchangeEntries && incoming {
			s.has["exchangeEntries"].warn("versions of Outlook up to 2013 do not say that they are Outlook, " +
				"and may try the Exchange server, which they cannot use, instead of imap and pop3")
		}
	}
	switch {
	case incoming && !seen[account.SMTP]:
		p.at.warn("no smtp server; Thunderbird ignores settings without one")
	case seen[account.SMTP] && !incoming && !seen[account.JMAP]:
		p.at.warn("an smtp server, but no imap or pop3 server; clients cannot use it alone")
	}
	takes := func(s *server) bool { return s.TakesPassword() }
	if p.Support.AppPassword != "" && len(p.servers) > 0 && !slices.ContainsFunc(p.servers, takes) {
		p.has["support"].warn("appPassword: no server of this provider takes a password")
	}
	uses := func(s *server) bool { return slices.Contains(s.Authentication, account.OAuth2Auth) }
	if p.OAuth2 != nil && len(p.servers) > 0 && !slices.ContainsFunc(p.servers, uses) {
		p.has["oAuth2"].warn("no server of this provider has authentication: OAuth2")
	}
}

// checkExchange warns of a server of Exchange Web Services that programs do not find, or
// cannot use.
func (s *server) checkExchange() {
	if s.Type != account.EWS {
		return
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(s.URL, "https://"), "/")
	switch at := s.has["exchangeEntries"]; {
	case host == "outlook.office365.com" || host == "outlook.office.com":
		s.has["url"].warn("Microsoft 365 blocks Exchange Web Services since October 2026, except for programs that " +
			"an administrator has listed, and ends them in April 2027")
	case at == nil:
		s.at.warn("Evolution and Thunderbird's Exchange accounts do not find this server in autodiscover.xml: " +
			"exchangeEntries: true names it to programs other than Outlook, and false confirms that it is not named")
	case s.ExchangeEntries && !s.SignsInWithAddress() && !s.AnswerWithoutLogin:
		at.warn("has no effect, because the login is not the address, and Autodiscover has no place for it " +
			"(answerWithoutLogin answers anyway)")
	}
}

// checkConnection warns of a port and a socket type that do not belong together.
func (s *server) checkConnection() {
	if s.Type.HasURL() || s.Port == 0 || s.SocketType == "" {
		return
	}
	port, socketType := cmp.Or(s.has["port"], s.at), cmp.Or(s.has["socketType"], s.at)
	implicit, upgraded := account.DefaultPort(s.Type, account.SSL), account.DefaultPort(s.Type, account.STARTTLS)
	switch {
	case s.SocketType == account.Plain && !s.TakesPassword():
		socketType.warn("mail crosses the network unencrypted")
	case s.SocketType == account.Plain:
		socketType.warn("passwords cross the network unencrypted")
	case s.SocketType == account.SSL && s.Port == upgraded:
		socketType.warn("port %d is usually for STARTTLS; clients that expect that fail", s.Port)
	case s.SocketType == account.STARTTLS && s.Port == implicit:
		socketType.warn("port %d is usually for SSL; clients that expect that fail", s.Port)
	case s.Type == account.SMTP && s.Port == 25:
		port.warn("port 25 is for mail between servers, and many networks block it; offer 465 or 587")
	default:
		for _, other := range account.ServerTypes {
			ports := []int{account.DefaultPort(other, account.SSL), account.DefaultPort(other, account.STARTTLS)}
			if other != s.Type && slices.Contains(ports, s.Port) {
				port.warn("port %d is usually for %s", s.Port, other)
			}
		}
	}
}

// compareProviders finds providers that contradict each other, or that nothing uses.
func (l *loader) compareProviders() {
	used := l.usedByStores()
	for _, e := range l.entries {
		used[e.record.Provider] = true
	}
	for _, p := range l.providers {
		if p.has["domains"] == nil && p.has["mx"] == nil && !used[p.ID] {
			p.at.warn("is not used: it has no domains and no mx, and no account names it")
		}
		if at := p.has["withoutAddress"]; at != nil && p.has["domains"] == nil && p.has["mx"] == nil &&
			!l.storesHaveDomains() {
			at.warn("has no effect: clients without an address get what the domain's provider says, " +
				"and no domain has this one")
		}
	}
}
