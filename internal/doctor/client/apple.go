package client

import (
	"context"
	"strings"
)

// Mail on iPhone, iPad and Mac knows large providers and asks for everything else: neither documents nor
// SRV records, only names and ports that it tries (a packet trace of iOS 8.4 at five-ten-sg.com;
// mox, http/autoconf.go). A configuration profile is the only other way.
func init() {
	register(Client{ID: "apple-mail", Name: "iPhone and Mac Mail", Version: "IMAP", Certainty: ByDocuments,
		Forecast: appleMail})
	register(Client{ID: "apple-exchange", Name: "iPhone Mail", Version: "Exchange", Certainty: ByDocuments,
		Forecast: appleExchange})
}

func appleMail(ctx context.Context, s *Search) Forecast {
	exchanges, known := s.MX(ctx, s.Address.Domain())
	if p, ok := ProviderOf(s.Address.Domain(), exchanges); ok {
		return p.builtIn("one chooses " + p.Name + " in the list of providers")
	}
	if !known {
		return cannotTell(DNS("MX", s.Address.Domain()).Key())
	}
	return Forecast{Outcome: Asks, But: "the servers, unless they come in a profile",
		Person: "Incoming Mail Server, Outgoing Mail Server: host name, user name, password"}
}

// appleExchange is the account that one adds as "Microsoft Exchange". It asks Autodiscover for ActiveSync
// (iOS Deployment Reference). Without an answer it asks for the server, the domain and the user name.
func appleExchange(ctx context.Context, s *Search) Forecast {
	m := mobileSync{Search: s}
	found := m.find(ctx)
	exchanges, known := s.MX(ctx, s.Address.Domain())
	if p, ok := ProviderOf(s.Address.Domain(), exchanges); ok && p.ID == "microsoft" {
		return p.builtIn("Sign in to your Exchange account using Microsoft?")
	}
	f := Forecast{Took: m.took}
	_, large := ProviderOfHost(hostOf(m.url))
	switch {
	case m.unknown != "":
		return cannotTell(m.unknown)
	case large && !known:
		return cannotTell(DNS("MX", s.Address.Domain()).Key())
	case !found && m.refused != "":
		if p, large := ProviderOfHost(m.refused); large && known {
			f.Outcome, f.But = Elsewhere, p.Name
			return f
		}
		f.Outcome, f.But = Unknown, answersWithPassword(m.refused)
		return f
	case !found:
		f.Outcome, f.But = Asks, "the server, the domain and the user name"
		if m.problem != "" {
			f.Person = "Cannot Verify Server Identity: " + m.problem
		}
		return f
	case large:
		f = s.exchangeAt(ctx, hostOf(m.url), m.page, f)
	default:
		s.NotePage(m.page, Took, "")
		f.Outcome = SetsUp
		if strings.HasPrefix(m.url, "http://") {
			s.NotePage(m.page, Spoilt, "the URL of ActiveSync is http")
			f.Outcome, f.But = SetsUpBut, "synchronises without encryption"
		}
	}
	f.Source, f.Servers = m.page.URL(), []Server{m.server()}
	return f
}
