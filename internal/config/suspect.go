package config

import (
	"slices"
	"strings"

	"signpost/account"
)

// suspect warns of what may be meant but mostly is not. Only contradictions are
// faults: there are hosters with TLS on port 587, and theirs is right for them.
func (p *provider) suspect() {
	seen := map[account.ServerType]bool{}
	for _, s := range p.servers {
		if seen[s.Type] {
			s.at.warn("a second %s server; most clients take only the first of a type, some only the last", s.Type)
		}
		seen[s.Type] = true
		s.suspectConnection()
		if s.AnswerWithoutLogin && s.SignsInWithAddress() {
			s.given["answerWithoutLogin"].warn("changes nothing, since people sign in with the address")
		}
	}
	switch {
	case (seen[account.IMAP] || seen[account.POP3]) && !seen[account.SMTP]:
		p.at.warn("no smtp server; Thunderbird does not take settings without one")
	case seen[account.SMTP] && !seen[account.IMAP] && !seen[account.POP3] && !seen[account.JMAP]:
		p.at.warn("an smtp server, but no imap or pop3 server; clients cannot use it alone")
	}
	uses := func(s *server) bool { return slices.Contains(s.Authentication, account.OAuth2Auth) }
	if p.OAuth2 != nil && len(p.servers) > 0 && !slices.ContainsFunc(p.servers, uses) {
		p.given["oAuth2"].warn("no server of this provider has authentication: OAuth2")
	}
}

// suspectConnection warns of ports and socket types that are not for each other.
func (s *server) suspectConnection() {
	if s.Type.HasURL() || s.Port == 0 || s.SocketType == "" {
		return
	}
	at := func(key string) *value {
		if v := s.given[key]; v != nil {
			return v
		}
		return s.at
	}
	implicit, upgraded := account.DefaultPort(s.Type, account.SSL), account.DefaultPort(s.Type, account.STARTTLS)
	switch {
	case s.SocketType == account.Plain:
		at("socketType").warn("passwords cross the network unencrypted")
	case s.SocketType == account.SSL && s.Port == upgraded:
		at("socketType").warn("port %d is by custom for STARTTLS; clients that expect it fail", s.Port)
	case s.SocketType == account.STARTTLS && s.Port == implicit:
		at("socketType").warn("port %d is by custom for SSL; clients that expect it fail", s.Port)
	case s.Type == account.SMTP && s.Port == 25:
		at("port").warn("port 25 is for mail between servers, and many networks close it; offer 465 or 587")
	default:
		for _, other := range account.ServerTypes {
			if other != s.Type && (s.Port == account.DefaultPort(other, account.SSL) || s.Port == account.DefaultPort(other, account.STARTTLS)) {
				at("port").warn("port %d is by custom for %s", s.Port, other)
			}
		}
	}
}

// compareProviders finds what is wrong between providers, once all are read.
func (l *loader) compareProviders() {
	named := map[string]bool{}
	for _, e := range l.entries {
		named[e.record.Provider] = true
	}
	for _, p := range l.list {
		if p.given["domains"] == nil && p.given["mx"] == nil && !named[p.ID] {
			p.at.warn("nothing leads here: no domains, no mx, and no account with this provider")
		}
		if p.AutodiscoverRedirect == nil {
			continue
		}
		if p.AutodiscoverRedirect.Hostname != "" && p.AutodiscoverRedirect.Hostname == l.Name {
			p.given["autodiscover"].fault("hands over to this service itself")
		}
		domain := p.AutodiscoverRedirect.Address[strings.LastIndexByte(p.AutodiscoverRedirect.Address, '@')+1:]
		first, hosted := l.hosted[domain]
		if !hosted {
			first, hosted = l.hosted["*"]
		}
		if domain != "" && hosted && first.provider == int32(p.at.pos) {
			p.given["autodiscover"].fault("redirectAddr leads to %s, which this provider hosts; clients would go round in circles", domain)
		}
	}
}
