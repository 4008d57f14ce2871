package client

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// The rules of Thunderbird for Android, which is K-9 Mail under another name, are those of
// feature/autodiscovery at a59bd67.
func init() {
	register(Client{ID: "thunderbird-android", Name: "Thunderbird for Android, K-9 Mail", Version: "24",
		Certainty: ByCode,
		Forecast:  k9})
}

// k9Fetching: OkHttp waits 10 s and follows 20 redirects.
var k9Fetching = Fetching{Limit: 10 * time.Second, Hops: 20}

// k9Testing: both servers are tried in turn; a bad certificate can be accepted. What is missing
// is shown as "Missing server capability" (feature/account/server/validation).
var k9Testing = Testing{Incoming: true, Outgoing: true, OneAfterTheOther: true, Later: true,
	Trying: Trying{Asks: true}}

// k9Found is a document that was taken.
type k9Found struct {
	Page
	incoming, outgoing Server
	trusted            bool
}

// k9 asks six ways at once, none with the address, and takes the first in their order that
// has a document it can use whole. It guesses nothing.
func k9(ctx context.Context, s *Search) Forecast {
	domain := s.Address.Domain()
	questions := []probe.WebQuestion{
		Autoconfig("https", domain), WellKnown("https", domain), Autoconfig("http", domain), WellKnown("http", domain),
		ISPDB(ISPDBThunderbird, domain),
	}
	for _, q := range questions {
		s.Expect(ctx, q)
	}
	s.Expect(ctx, DNS("MX", domain))

	found, took, unknown := k9First(ctx, s, questions, false)
	if found == nil && unknown == "" {
		var mxTook time.Duration
		found, mxTook, unknown = k9ByMX(ctx, s)
		took = max(took, mxTook)
	}
	switch {
	case unknown != "":
		return cannotTell(unknown)
	case found == nil:
		f := asksForServers("the form for the incoming server, without a word")
		f.Took = took
		return f
	}
	f := Forecast{Source: found.Page.URL(), Took: took, Person: "Configuration found: configure automatically"}
	if !found.trusted {
		f.Person = "This configuration is not trusted"
	}
	f = s.Finish(ctx, f, []Server{found.incoming}, []Server{found.outgoing}, k9Testing)
	if !found.trusted && f.Outcome == SetsUp {
		f.Outcome, f.But = SetsUpBut, "the person must tick “I trust this configuration”"
	}
	return f
}

// k9First returns the first page with a document, and how long the slowest before it took.
// One after the other is how the MX is searched; all at once is the rest.
func k9First(ctx context.Context, s *Search, questions []probe.WebQuestion, inTurn bool) (*k9Found, time.Duration,
	probe.Key) {
	var took time.Duration
	for _, q := range questions {
		page := s.Fetch(ctx, q, k9Fetching)
		if inTurn {
			took += page.Took
		} else {
			took = max(took, page.Took)
		}
		if !page.Failure.Known() {
			return nil, took, page.Key()
		}
		why := page.Says()
		if page.Success() {
			var found k9Found
			if found, why = k9Read(page, s.Address); why == "" {
				s.NotePage(page, Took, "")
				return &found, took, ""
			}
			why = page.Says() + ": " + why
		}
		s.NotePage(page, failed(page), why)
	}
	return nil, took, ""
}

// k9ByMX asks for the most preferred MX without its first label, then for its registrable
// domain, each by https and in Mozilla's database. The result is trusted only if DNSSEC
// vouches for the MX (MxLookupAutoconfigDiscovery.kt).
func k9ByMX(ctx context.Context, s *Search) (*k9Found, time.Duration, probe.Key) {
	domain := s.Address.Domain()
	q := DNS("MX", domain)
	answer := s.Asker.DNS(ctx, q)
	hosts := exchangers(answer)
	if !answer.Failure.Known() {
		return nil, 0, q.Key()
	}
	if len(hosts) == 0 || dns.Registrable(hosts[0]) == domain {
		return nil, answer.Took, ""
	}
	base := dns.Registrable(hosts[0])
	var questions []probe.WebQuestion
	if _, parent, _ := strings.Cut(hosts[0], "."); parent != base && strings.HasSuffix(parent, "."+base) {
		questions = append(questions, Autoconfig("https", parent), ISPDB(ISPDBThunderbird, parent))
	}
	questions = append(questions, Autoconfig("https", base), ISPDB(ISPDBThunderbird, base))
	for _, q := range questions {
		s.Expect(ctx, q)
	}
	found, took, unknown := k9First(ctx, s, questions, true)
	if found != nil {
		found.trusted = found.trusted && answer.Authentic
	}
	return found, answer.Took + took, unknown
}

// k9Read reads a document, in which one mistake in a section that it looks at spoils the
// whole (RealAutoconfigParser.kt). Of several providers the last counts. A method that it
// cannot use for want of a registration does not count (GetAutoDiscovery.kt).
func k9Read(page Page, a account.Address) (k9Found, string) {
	x := document.ReadXML(page.Body)
	if x.Error != nil {
		return k9Found{}, x.Error.Error()
	}
	if x.Root.Name != "clientConfig" || x.Root.Child("emailProvider") == nil {
		return k9Found{}, "no emailProvider in it"
	}
	found := k9Found{Page: page, trusted: !page.Plain}
	for _, provider := range x.Root.All("emailProvider") {
		if id, ok := provider.Attribute("id"); !ok || !isLegalHost(id) {
			return found, "the id of emailProvider is no host name"
		}
		if !slices.ContainsFunc(provider.All("domain"),
			func(e *document.Element) bool { return isLegalHost(expand(e.Text, a)) }) {
			return found, "no domain that is a host name"
		}
		for _, part := range []struct {
			name   string
			t      account.ServerType
			server *Server
		}{{"incomingServer", account.IMAP, &found.incoming}, {"outgoingServer", account.SMTP, &found.outgoing}} {
			servers, why := k9Servers(provider, part.name, part.t, a)
			if why != "" {
				return found, why
			}
			*part.server = servers[0]
		}
	}
	if found.incoming.Authentication == "" || found.outgoing.Authentication == "" {
		return found, "no sign-in but OAuth2, for which it is not registered"
	}
	return found, ""
}

func k9Servers(provider *document.Element, name string, t account.ServerType, a account.Address) ([]Server, string) {
	var servers []Server
	for _, section := range provider.All(name) {
		if kind, _ := section.Attribute("type"); kind != string(t) {
			continue
		}
		server, why := k9Server(section, t, a)
		if why != "" {
			return nil, name + ": " + why
		}
		servers = append(servers, server)
	}
	if len(servers) == 0 {
		return nil, "no " + name + " of type " + string(t)
	}
	return servers, ""
}

func k9Server(section *document.Element, t account.ServerType, a account.Address) (Server, string) {
	server := Server{Type: t, SocketType: account.SocketType(section.Content("socketType"))}
	for _, name := range []string{"hostname", "port", "username", "socketType"} {
		if section.Child(name) == nil {
			return server, "no " + name
		}
		if len(section.Child(name).Children) > 0 {
			return server, name + " is no text"
		}
	}
	server.Hostname = strings.TrimSpace(expand(section.Content("hostname"), a))
	server.Username = expand(section.Content("username"), a)
	var err error
	server.Port, err = strconv.Atoi(section.Content("port"))
	methods := k9Methods(section)
	switch {
	case !isLegalHost(server.Hostname):
		return server, "hostname " + strconv.Quote(server.Hostname)
	case err != nil || server.Port < 0 || server.Port > 65535:
		return server, "port " + strconv.Quote(section.Content("port"))
	case server.SocketType != account.SSL && server.SocketType != account.STARTTLS:
		return server, "socketType " + strconv.Quote(string(server.SocketType))
	case len(methods) == 0:
		return server, "no authentication that it supports"
	}
	for _, method := range methods {
		if method != account.OAuth2Auth || slices.Contains(k9Registered, strings.ToLower(server.Hostname)) {
			server.Authentication = method
			break
		}
	}
	return server, ""
}

// k9Registered are the hosts for which it has an OAuth2 registration (TbOAuthConfigurationFactory.kt).
var k9Registered = []string{"imap.gmail.com", "imap.googlemail.com", "smtp.gmail.com", "smtp.googlemail.com",
	"outlook.office365.com", "smtp.office365.com", "imap.fastmail.com", "smtp.fastmail.com", "imap.aol.com",
	"smtp.aol.com",
	"imap.mail.yahoo.com", "smtp.mail.yahoo.com", "mail.thundermail.com"}

func k9Methods(section *document.Element) []account.Authentication {
	var methods []account.Authentication
	for _, e := range section.All("authentication") {
		switch m := account.Authentication(e.Text); m {
		case account.OAuth2Auth, account.PasswordCleartext, account.PasswordEncrypted:
			methods = append(methods, m)
		}
	}
	return methods
}

// isLegalHost reports whether a text is a host name or an IP address (HostNameUtils.kt).
func isLegalHost(text string) bool {
	_, ok := sanitizeHostname(text)
	return ok && !strings.Contains(text, "%")
}
