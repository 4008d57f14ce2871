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

// Evolution asks for autoconfig documents one after the other, and for SRV records beside
// that (e-mail-autoconfig.c at 6901b22, e-srv-config-lookup.c of evolution's
// modules/config-lookup). What autoconfig says has the better priority (1000 against 1100 for services
// with TLS at once and 1150 for STARTTLS), IMAP a better one than POP3 (2000).
func init() {
	register(Client{ID: "evolution", Name: "Evolution", Version: "3.50", Certainty: ByCode, Forecast: evolution})
}

// evolutionFetching: the session has a time-out of 15 s; libsoup follows 20 redirects (SOUP_SESSION_MAX_REDIRECTS).
var evolutionFetching = Fetching{Limit: 15 * time.Second, Hops: 20}

func evolution(ctx context.Context, s *Search) Forecast {
	domain := s.Address.Domain()
	s.expectServices(ctx, domain, imapsService, imapService, pop3sService, pop3Service, submissionsService,
		submissionService)
	for _, q := range evolutionQuestions(domain, s.Address) {
		s.Expect(ctx, q)
	}
	s.Expect(ctx, DNS("MX", domain))

	auto := evolutionAutoconfig{search: s}
	found, unknown := auto.find(ctx, domain)
	if unknown != "" {
		return cannotTell(unknown)
	}
	source := ""
	var receive, send *Server
	if found {
		receive, send = auto.servers[account.IMAP].complete(), auto.servers[account.SMTP].complete()
		source = auto.source
	}
	// An IMAP server of DNS comes before a POP3 server of the document, a server of the document
	// before one of DNS.
	bySRV := func(target **Server, services ...string) probe.Key {
		for _, service := range services {
			records, known := s.lookupServices(ctx, domain, service)
			if *target == nil && !known {
				return ServiceQuestion(service, domain).Key()
			}
			if record, ok := firstByPriority(records); *target == nil && ok {
				server := record.server(s.Address.String())
				*target, source = &server, SRVSource
				s.Note(record.key, Took, "")
			}
		}
		return ""
	}
	unknown = bySRV(&receive, imapsService, imapService)
	if receive == nil && found && unknown == "" {
		receive = auto.servers[account.POP3].complete()
	}
	if unknown == "" {
		unknown = bySRV(&receive, pop3sService, pop3Service)
	}
	if unknown == "" {
		unknown = bySRV(&send, submissionsService, submissionService)
	}
	switch {
	case unknown != "":
		return cannotTell(unknown)
	case receive == nil:
		f := asksForServers("Receiving Email, with empty fields")
		f.Took = auto.took
		return f
	case send == nil:
		return Forecast{Outcome: Asks, But: "the sending server", Source: source, Took: auto.took,
			Servers: []Server{*receive}, Person: "Sending Email, with empty fields"}
	}
	f := Forecast{Source: source, Took: auto.took, Person: "Account Summary"}
	// It saves the account without a test; a bad certificate is shown when it first connects.
	return s.Finish(ctx, f, []Server{*receive}, []Server{*send}, Testing{Trying: Trying{Asks: true}})
}

// evolutionQuestions are its questions for a domain, in order. It also sends the MD5 sum of the
// address, in a parameter that no server needs.
func evolutionQuestions(domain string, a account.Address) []probe.WebQuestion {
	return []probe.WebQuestion{
		AutoconfigFor("https", domain, a), AutoconfigFor("http", domain, a),
		WellKnownFor("https", domain, a), WellKnownFor("http", domain, a),
		ISPDB(ISPDBThunderbird, domain),
	}
}

// evolutionAutoconfig is its search for documents. What one document says of a server stays
// until another one says something else.
type evolutionAutoconfig struct {
	search  *Search
	servers map[account.ServerType]*evolutionServer
	source  string
	took    time.Duration
}

// find asks for the documents of the domain, then of its best MX host and of each parent of that
// name. It goes on there only if the database of providers answered 404: any other failure of the
// database ends the search.
func (e *evolutionAutoconfig) find(ctx context.Context, domain string) (found bool, unknown probe.Key) {
	found, goOn, unknown := e.lookup(ctx, domain)
	if found || unknown != "" || !goOn {
		return found, unknown
	}
	hosts, known := e.search.MX(ctx, domain)
	if !known {
		return false, DNS("MX", domain).Key()
	}
	if len(hosts) == 0 {
		return false, ""
	}
	for name := hosts[0]; strings.Contains(name, "."); {
		found, goOn, unknown = e.lookup(ctx, name)
		if found || unknown != "" || !goOn {
			return found, unknown
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return false, ""
}

// lookup asks for the documents of one name. Any well-formed document ends the search, with servers
// in it or not.
func (e *evolutionAutoconfig) lookup(ctx context.Context, name string) (found, goOn bool, unknown probe.Key) {
	s := e.search
	w := s.firstPage(ctx, evolutionFetching, func(page Page) string {
		if page.Success() && e.read(document.ReadXML(page.Body)) {
			return ""
		}
		return page.Says()
	}, evolutionQuestions(name, s.Address)...)
	e.took += w.duration
	switch {
	case !w.taken:
		return false, w.Failure == nil && w.Status == 404, w.unknown
	case len(e.servers) == 0:
		s.NotePage(w.Page, Stopped, w.Says()+" without a server")
	default:
		s.NotePage(w.Page, Took, "")
		e.source = w.URL()
	}
	return true, false, ""
}

// read reads a document's servers and reports whether it is well-formed. The last section of a
// type wins, and within it the last element.
func (e *evolutionAutoconfig) read(x document.XML) bool {
	if e.servers == nil {
		e.servers = map[account.ServerType]*evolutionServer{}
	}
	wrongAttributes := false
	x.Root.Walk(func(section *document.Element) {
		if section.Name != "incomingServer" && section.Name != "outgoingServer" {
			return
		}
		serverType, has := section.Attribute("type")
		if !has || len(section.Attributes) > 1 {
			wrongAttributes = true // GLib's parser then gives up
			return
		}
		if serverType != "imap" && serverType != "pop3" && serverType != "smtp" {
			return
		}
		server := e.servers[account.ServerType(serverType)]
		if server == nil {
			server = &evolutionServer{Server{Type: account.ServerType(serverType), SocketType: account.Plain}}
			e.servers[server.Type] = server
		}
		for _, leaf := range section.Children {
			server.set(leaf.Name, e.expand(leaf.Text))
		}
	})
	return x.Error == nil && x.Root != nil && !wrongAttributes
}

// expand replaces placeholders. In place of %EMAILDOMAIN% it puts a domain that the person
// gave by hand, which is nothing as a rule.
func (e *evolutionAutoconfig) expand(text string) string {
	return account.Expand(strings.ReplaceAll(text, account.EmailDomain, ""), e.search.Address)
}

type evolutionServer struct{ Server }

func (e *evolutionServer) set(name, text string) {
	switch name {
	case "hostname":
		e.Hostname = text
	case "username":
		e.Username = text
	case "port":
		if port, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && port > 0 && port < 65536 {
			e.Port = port
		}
	case "socketType":
		switch t := account.SocketType(text); t {
		case account.Plain, account.SSL, account.STARTTLS:
			e.SocketType = t
		}
	case "authentication":
		switch text {
		case "password-cleartext", "plain":
			e.Authentication = account.PasswordCleartext
		case "password-encrypted":
			e.Authentication = account.PasswordEncrypted
		}
	}
}

// complete returns the server, or nil if the document has none.
func (e *evolutionServer) complete() *Server {
	if e == nil {
		return nil
	}
	return &e.Server
}
