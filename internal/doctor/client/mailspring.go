package client

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/document"
)

// Mailspring looks into its own tables, by the domain and by MX hosts, then for a document on https, and
// at last guesses two names (app/internal_packages/onboarding/lib/onboarding-helpers.ts at
// d93a0d7). It signs in to both servers and sends a message before it saves the account.
func init() {
	register(Client{ID: "mailspring", Name: "Mailspring", Version: "1.23", Certainty: ByCode, Forecast: mailspring})
}

// mailspringFetching: fetch() of Electron, which follows 20 redirects and has no limit of its own.
var mailspringFetching = Fetching{Hops: 20}

var mailspringTesting = Testing{Incoming: true, Outgoing: true, OneAfterTheOther: true}

func mailspring(ctx context.Context, s *Search) Forecast {
	domain := s.Address.Domain()
	s.Expect(ctx, DNS("MX", domain), Autoconfig("https", domain), WellKnown("https", domain))
	exchanges, known := s.MX(ctx, domain)
	if !known {
		return cannotTell(DNS("MX", domain).Key())
	}
	// Of Microsoft's customers it knows only those with addresses of Microsoft's.
	if p, ok := ProviderOf(domain, exchanges); ok && (p.ID != "microsoft" || p.owns(domain)) {
		return p.builtIn("Mailspring has a profile of the provider")
	}
	var root *document.Element
	w := s.firstPage(ctx, mailspringFetching, func(page Page) string {
		if !page.Success() {
			return page.Says()
		}
		x := document.ReadXML(page.Body)
		// Its parser makes nothing of an empty body, and takes that for an answer.
		if root = x.Root; x.Error != nil && x.Error.Kind != document.Empty {
			return page.Says() + ", " + x.Error.Error()
		}
		return ""
	}, Autoconfig("https", domain), WellKnown("https", domain))
	f := Forecast{Took: w.duration}
	if w.unknown != "" {
		return cannotTell(w.unknown)
	}
	if w.taken {
		if incoming, outgoing, ok := mailspringServers(root, s.Address); ok {
			s.NotePage(w.Page, Took, "")
			f.Source = w.URL()
			return s.Finish(ctx, f, []Server{incoming}, []Server{outgoing}, mailspringTesting)
		}
		s.NotePage(w.Page, Stopped, w.Says()+" without servers that it can use")
	}
	f.Source = "guess"
	username := s.Address.String()
	f = s.Finish(ctx, f,
		[]Server{{Type: account.IMAP, Hostname: "imap." + domain, Port: 993, SocketType: account.SSL,
			Username: username}},
		[]Server{{Type: account.SMTP, Hostname: "smtp." + domain, Port: 465, SocketType: account.SSL,
			Username: username}},
		mailspringTesting)
	if f.Outcome == Fails {
		f.Outcome, f.But = Asks, "the servers"
		f.Person = "it fills in imap." + domain + " and smtp." + domain
	}
	return f
}

// mailspringServers reads the first IMAP and SMTP servers. Of several providers it wants the one with
// the domain's name. A document with sections of other types only leads to guessed hosts without
// a port.
func mailspringServers(root *document.Element, a account.Address) (incoming, outgoing Server, ok bool) {
	providers := root.All("emailProvider")
	if len(providers) > 1 {
		providers = slices.DeleteFunc(providers, func(p *document.Element) bool {
			id, _ := p.Attribute("id")
			return id != a.Domain()
		})
	}
	if len(providers) == 0 || providers[0].Child("incomingServer") == nil ||
		providers[0].Child("outgoingServer") == nil {
		return incoming, outgoing, false
	}
	return mailspringServer(providers[0].All("incomingServer"), account.IMAP, a),
		mailspringServer(providers[0].All("outgoingServer"), account.SMTP, a), true
}

// mailspringServer reads a server. A user name other than the local part's placeholder, literals
// included, is the address; an unknown security is STARTTLS.
func mailspringServer(sections []*document.Element, t account.ServerType, a account.Address) Server {
	server := Server{Type: t, Hostname: string(t) + "." + a.Domain(), SocketType: account.STARTTLS,
		Username: a.String()}
	for _, section := range sections {
		if serverType, _ := section.Attribute("type"); serverType != string(t) {
			continue
		}
		server.Hostname = section.Content("hostname")
		server.Port, _ = strconv.Atoi(strings.TrimSpace(section.Content("port")))
		if section.Content("username") == emailLocalPart {
			server.Username = a.Local()
		}
		switch socketType := account.SocketType(section.Content("socketType")); socketType {
		case account.Plain, account.SSL:
			server.SocketType = socketType
		}
		break
	}
	return server
}
