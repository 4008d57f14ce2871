package client

import (
	"context"
	"strconv"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// aerc searches in five ways at once and takes the first of their order that found something:
// SRV records, the domain's documents, the database of providers, usual host names, the MX
// host (lib/autoconfig at fab0531). The wizard (app/account-wizard.go) waits 5 s for all of that and
// puts the address into the fields for the login, whatever a document says. Nothing is tried before the
// account is saved.
func init() {
	register(Client{ID: "aerc", Name: "aerc", Version: "0.21", Certainty: ByCode, Forecast: aerc})
	register(Client{ID: "aerc-0.14", Name: "aerc", Version: "0.14", Certainty: ByCode, Forecast: aerc014})
}

// aercLimit is for the whole search.
const aercLimit = 5 * time.Second

// aercFetching: http.Get has no time-out and follows 10 redirects.
var aercFetching = Fetching{Limit: aercLimit, WholeLimit: true, Hops: 10}

// aercTesting: nothing is tried before it saves; a token of a provider's must come from another program.
var aercTesting = Testing{Trying: Trying{PasswordOnly: true}}

func aerc(ctx context.Context, s *Search) Forecast {
	domain := s.Address.Domain()
	s.expectServices(ctx, domain, jmapService, imapService, imapsService, submissionService, smtpsService)
	s.Expect(ctx, AutoconfigFor("https", domain, s.Address), WellKnownFor("https", domain, s.Address),
		ISPDB(ISPDBThunderbird, domain), DNS("MX", domain))
	a := aercSearch{Search: s}
	for _, way := range []func(context.Context) bool{a.bySRV, a.byDocument, a.byDatabase, a.byGuess, a.byMX} {
		if way(ctx) {
			return a.finish(ctx)
		}
		if a.unknown != "" {
			return cannotTell(a.unknown)
		}
	}
	f := asksForServers("empty fields")
	f.Took = a.took
	return f
}

type aercSearch struct {
	*Search
	source             string
	incoming, outgoing *Server
	jmap               string
	took               time.Duration // of the ways that are done, at most the limit
	unknown            probe.Key
}

// bySRV prefers STARTTLS to TLS at once where both are published. The sending server can be
// missing.
func (a *aercSearch) bySRV(ctx context.Context) bool {
	chosen := map[string]serviceRecord{}
	for _, service := range []string{jmapService, imapService, imapsService, submissionService, smtpsService} {
		q := ServiceQuestion(service, a.Address.Domain())
		if answer := a.Asker.DNS(ctx, q); !answer.Failure.Known() {
			a.unknown = q.Key()
			return false
		} else if record, ok := aercHighest(Services(answer)); ok && record.Target != "" && record.Port != 0 {
			chosen[service] = serviceRecord{record, service, q.Key()}
		}
	}
	pick := func(services ...string) *Server {
		for _, service := range services {
			if record, ok := chosen[service]; ok {
				a.Note(record.key, Took, "")
				server := record.server(a.Address.String())
				return &server
			}
		}
		return nil
	}
	if record, ok := chosen[jmapService]; ok {
		a.Note(record.key, Took, "")
		a.jmap = "https://" + record.Target + ":" + strconv.Itoa(record.Port) + "/.well-known/jmap"
		a.source = SRVSource
		return true
	}
	if a.incoming = pick(imapService, imapsService); a.incoming == nil {
		return false
	}
	a.outgoing, a.source = pick(submissionService, smtpsService), SRVSource
	return true
}

// aercHighest returns the record of the highest weight, whatever its priority; among equal ones that of
// the lowest priority number (dns-srv.go, getHighestSRV).
func aercHighest(records []SRV) (SRV, bool) {
	if len(records) == 0 {
		return SRV{}, false
	}
	best := records[0]
	for _, r := range records[1:] {
		if r.Weight > best.Weight || r.Weight == best.Weight && r.Priority < best.Priority {
			best = r
		}
	}
	return best, true
}

func (a *aercSearch) byDocument(ctx context.Context) bool {
	domain := a.Address.Domain()
	return a.read(ctx, AutoconfigFor("https", domain, a.Address), WellKnownFor("https", domain, a.Address))
}

func (a *aercSearch) byDatabase(ctx context.Context) bool {
	return a.read(ctx, ISPDB(ISPDBThunderbird, a.Address.Domain()))
}

// read takes the first document with an IMAP server, whatever the status of the answer.
func (a *aercSearch) read(ctx context.Context, questions ...probe.WebQuestion) bool {
	w := a.firstPage(ctx, aercFetching, func(page Page) string {
		if page.Failure != nil {
			return page.Says()
		}
		x := document.ReadXML(page.Body)
		if x.Error != nil && x.Error.Kind != document.Late || x.Encoding != "utf-8" || // as encoding/xml
			x.Root.Local() != "clientConfig" {
			return page.Says() + ", no autoconfig document"
		}
		var ok bool
		if a.incoming, a.outgoing, ok = aercServers(x.Root, a.Address); !ok {
			return "no IMAP and SMTP servers with a port in it"
		}
		return ""
	}, questions...)
	a.took = max(a.took, min(w.duration, aercLimit))
	a.unknown = w.unknown
	if w.taken && w.duration >= aercLimit {
		a.NotePage(w.Page, Slowed, "too late: aerc waits 5 s for all")
		return false
	}
	if w.taken {
		a.NotePage(w.Page, Took, "")
		a.source = w.URL()
	}
	return w.taken
}

// aercServers reads the first IMAP server and the last sending one, of all providers. An unknown
// socketType is STARTTLS.
func aercServers(root *document.Element, address account.Address) (incoming, outgoing *Server, ok bool) {
	for _, provider := range root.All("emailProvider") {
		for _, section := range provider.All("incomingServer") {
			if t, _ := section.Attribute("type"); incoming == nil && strings.EqualFold(t, "imap") {
				incoming = aercServer(section, account.IMAP, address)
			}
		}
		for _, section := range provider.All("outgoingServer") {
			outgoing = aercServer(section, account.SMTP, address)
		}
	}
	return incoming, outgoing, incoming != nil && incoming.Port > 0 && outgoing != nil && outgoing.Port > 0
}

func aercServer(section *document.Element, t account.ServerType, address account.Address) *Server {
	server := &Server{Type: t, Hostname: section.Content("hostname"), SocketType: account.STARTTLS,
		Username: address.String()}
	server.Port, _ = strconv.Atoi(section.Content("port"))
	switch strings.ToLower(section.Content("socketType")) {
	case "plain":
		// The wizard's field keeps what it shows at first: TLS at once.
		server.SocketType = account.SSL
	case "ssl":
		server.SocketType = account.SSL
	}
	return server
}

var (
	aercIMAPPorts = []Port{{143, account.STARTTLS}, {993, account.SSL}}
	aercSMTPPorts = []Port{{587, account.STARTTLS}, {465, account.SSL}}
)

// byGuess connects to the usual names, the port for STARTTLS first, and needs both a
// receiving and a sending server.
func (a *aercSearch) byGuess(ctx context.Context) bool {
	domain := a.Address.Domain()
	return a.connect(ctx, Candidates(account.IMAP, []string{"imap." + domain, "mail." + domain}, aercIMAPPorts...),
		Candidates(account.SMTP, []string{"smtp." + domain, "mail." + domain}, aercSMTPPorts...))
}

func (a *aercSearch) byMX(ctx context.Context) bool {
	hosts, known := a.MX(ctx, a.Address.Domain())
	if !known {
		a.unknown = DNS("MX", a.Address.Domain()).Key()
	}
	if len(hosts) == 0 {
		return false
	}
	return a.connect(ctx, Candidates(account.IMAP, hosts[:1], aercIMAPPorts...),
		Candidates(account.SMTP, hosts[:1], aercSMTPPorts...))
}

func (a *aercSearch) connect(ctx context.Context, incoming, outgoing []Server) bool {
	var found [2]*Server
	for i, servers := range [][]Server{incoming, outgoing} {
		tries := a.TryAll(ctx, servers, Trying{}, 0)
		var took time.Duration
		for _, try := range tries {
			if !try.Known {
				a.unknown = try.Question.Key()
				return false
			}
			if connected(try) {
				server := try.Server
				server.Username = a.Address.String()
				found[i] = &server
				took += try.Answer.Connected
				break
			}
			took += try.Took
		}
		if a.took = max(a.took, min(took, aercLimit)); took >= aercLimit {
			return false
		}
	}
	if found[0] == nil || found[1] == nil {
		return false
	}
	a.incoming, a.outgoing, a.source = found[0], found[1], "guess"
	return true
}

func (a *aercSearch) finish(ctx context.Context) Forecast {
	f := Forecast{Source: a.source, Took: a.took}
	if a.jmap != "" {
		f.Outcome = SetsUp
		f.Servers = []Server{{Type: account.JMAP, URL: a.jmap, Username: a.Address.String()}}
		return f
	}
	if a.outgoing == nil {
		f.Outcome, f.But, f.Servers = Asks, "the sending server", []Server{*a.incoming}
		return f
	}
	return a.Finish(ctx, f, []Server{*a.incoming}, []Server{*a.outgoing}, aercTesting)
}

// aerc014 is the wizard of Debian 12 (widgets/account-wizard.go): _imaps, else _imap; for
// sending _submission alone. Fields without a record hold the mail domain.
func aerc014(ctx context.Context, s *Search) Forecast {
	s.expectServices(ctx, s.Address.Domain(), imapsService, imapService, submissionService)
	first := func(services ...string) (server *Server, unknown probe.Key) {
		for _, service := range services {
			records, known := s.lookupServices(ctx, s.Address.Domain(), service)
			if !known {
				return nil, ServiceQuestion(service, s.Address.Domain()).Key()
			}
			if record, ok := firstByPriority(records); ok && record.Port > 0 {
				s.Note(record.key, Took, "")
				server := record.server(s.Address.String())
				return &server, ""
			}
			s.Note(ServiceQuestion(service, s.Address.Domain()).Key(), Passed, "no record")
		}
		return nil, ""
	}
	incoming, unknown := first(imapsService, imapService)
	outgoing, unknown2 := first(submissionService)
	switch {
	case unknown != "":
		return cannotTell(unknown)
	case unknown2 != "":
		return cannotTell(unknown2)
	case incoming == nil && outgoing == nil:
		return asksForServers("the fields hold " + s.Address.Domain())
	case incoming == nil:
		return Forecast{Outcome: Asks, But: "the receiving server", Source: SRVSource, Servers: []Server{*outgoing}}
	case outgoing == nil:
		return Forecast{Outcome: Asks, But: "the sending server", Source: SRVSource, Servers: []Server{*incoming}}
	}
	return s.Finish(ctx, Forecast{Source: SRVSource}, []Server{*incoming}, []Server{*outgoing}, aercTesting)
}
