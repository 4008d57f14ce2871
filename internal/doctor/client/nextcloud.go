package client

import (
	"context"
	"strconv"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// Nextcloud Mail searches on its server (lib/Service/AutoConfig/IspDb.php at e5734fe), then the page in
// the browser goes on by MX (src/components/AccountForm.vue).
func init() {
	register(Client{ID: "nextcloud", Name: "Nextcloud Mail", Version: "5.12", Certainty: ByCode, Forecast: nextcloud})
}

// nextcloudFetching: IspDb.php's time-out; Guzzle follows 5 redirects.
var nextcloudFetching = Fetching{Limit: 7 * time.Second, WholeLimit: true, Hops: 5}

// nextcloudTesting: SetupService.php signs in to IMAP, then to SMTP. A bad certificate is refused, unless
// the operator allows it (app.mail.verify-tls-peer).
var nextcloudTesting = Testing{Incoming: true, Outgoing: true, OneAfterTheOther: true}

// nextcloudPortLimit is for one connection of ConnectivityTester.php.
const nextcloudPortLimit = 5 * time.Second

func nextcloud(ctx context.Context, s *Search) Forecast {
	domain := s.Address.Domain()
	s.Expect(ctx, DNS("MX", domain))
	for _, q := range nextcloudQuestions(s, domain) {
		s.Expect(ctx, q)
	}
	n := nextcloudSearch{Search: s}
	if n.query(ctx, domain) || n.byMX(ctx) {
		return n.finish(ctx)
	}
	if n.unknown == "" {
		return n.byPorts(ctx)
	}
	return cannotTell(n.unknown)
}

type nextcloudSearch struct {
	*Search
	source             string
	incoming, outgoing *Server
	took               time.Duration
	unknown            probe.Key
}

// nextcloudQuestions are its questions for a domain, in order.
func nextcloudQuestions(s *Search, domain string) []probe.WebQuestion {
	atAutoconfig, atDomain := s.AddressFor("https://autoconfig."+domain+"/"), s.AddressFor("https://"+domain+"/")
	return []probe.WebQuestion{
		AutoconfigFor("https", domain, atAutoconfig), WellKnownFor("https", domain, atDomain),
		ISPDB(ISPDBThunderbird, domain),
		AutoconfigFor("http", domain, atAutoconfig), WellKnownFor("http", domain, atDomain),
	}
}

// query asks the five URLs of a domain. Half a document, with IMAP or with SMTP only, ends the
// search, too.
func (n *nextcloudSearch) query(ctx context.Context, domain string) bool {
	w := n.firstPage(ctx, nextcloudFetching, func(page Page) string {
		if !page.Success() {
			return page.Says()
		}
		x := document.ReadXML(page.Body)
		if x.Error != nil || x.Root.Child("emailProvider") == nil {
			return page.Says() + ", no autoconfig document"
		}
		n.incoming = nextcloudServer(sections(x.Root, "incomingServer", "imap"), account.IMAP, n.Address)
		n.outgoing = nextcloudServer(sections(x.Root, "outgoingServer", "smtp"), account.SMTP, n.Address)
		if n.incoming == nil && n.outgoing == nil {
			return "neither IMAP nor SMTP in it"
		}
		return ""
	}, nextcloudQuestions(n.Search, domain)...)
	n.took += w.duration
	n.unknown = w.unknown
	if w.taken {
		n.NotePage(w.Page, Took, "")
		n.source = w.URL()
	}
	return w.taken
}

// byMX asks the same at the first MX host of the answer, whatever its preference, at the name
// above it, and at the last two labels of the best MX host.
func (n *nextcloudSearch) byMX(ctx context.Context) bool {
	if n.unknown != "" {
		return false
	}
	q := DNS("MX", n.Address.Domain())
	answer := n.Asker.DNS(ctx, q)
	if !answer.Failure.Known() {
		n.unknown = q.Key()
		return false
	}
	best := exchangers(answer)
	if len(best) == 0 {
		return false
	}
	first := best[0]
	if records := answer.OfType("MX"); len(records) > 0 {
		_, host, _ := strings.Cut(records[0].Data, " ")
		first = hostname(host)
	}
	names := []string{first}
	if _, above, ok := strings.Cut(first, "."); ok && !isPublicSuffix(above) {
		names = append(names, above)
	}
	names = append(names, lastTwoLabels(best[0]))
	for _, name := range names {
		if n.query(ctx, name) {
			return true
		}
		if n.unknown != "" {
			return false
		}
	}
	return false
}

// isPublicSuffix reports whether anybody can register names below the name.
func isPublicSuffix(name string) bool { return dns.Registrable("a."+name) == "a."+name }

// lastTwoLabels is where the page takes a registered domain to end, even for names like a.co.uk.
func lastTwoLabels(host string) string {
	labels := strings.Split(host, ".")
	return strings.Join(labels[max(0, len(labels)-2):], ".")
}

// byPorts takes the best MX host if its ports 993 and one of 465 and 587 are open.
func (n *nextcloudSearch) byPorts(ctx context.Context) Forecast {
	nothing := asksForServers("Configuration discovery failed. Please use the manual settings")
	nothing.Took = n.took
	hosts, known := n.MX(ctx, n.Address.Domain())
	if !known {
		return cannotTell(DNS("MX", n.Address.Domain()).Key())
	}
	if len(hosts) == 0 {
		return nothing
	}
	host, username := hosts[0], n.Address.String()
	tries := n.TryAll(ctx, []Server{
		{Type: account.IMAP, Hostname: host, Port: 993, SocketType: account.SSL, Username: username},
		{Type: account.SMTP, Hostname: host, Port: 465, SocketType: account.SSL, Username: username},
		{Type: account.SMTP, Hostname: host, Port: 587, SocketType: account.STARTTLS, Username: username},
	}, Trying{}, 0)
	if !asked(tries) {
		return cannotTell(tries[0].Question.Key())
	}
	open := func(t Try) bool { return connected(t) && t.Answer.Connected <= nextcloudPortLimit }
	for _, t := range tries {
		nothing.Took = max(nothing.Took, n.took+min(t.Took, nextcloudPortLimit))
		if !open(t) {
			n.Note(t.Question.Key(), Passed, t.Why)
		}
	}
	f := Forecast{Source: "guess", Took: nothing.Took}
	switch {
	case open(tries[0]) && open(tries[1]):
		return n.Finish(ctx, f, []Server{tries[0].Server}, []Server{tries[1].Server}, nextcloudTesting)
	case open(tries[0]) && open(tries[2]):
		return n.Finish(ctx, f, []Server{tries[0].Server}, []Server{tries[2].Server}, nextcloudTesting)
	}
	return nothing
}

func (n *nextcloudSearch) finish(ctx context.Context) Forecast {
	f := Forecast{Source: n.source, Took: n.took}
	switch {
	case n.incoming == nil:
		f.Outcome, f.But, f.Servers = Fails, "there is no IMAP server in what it found", []Server{*n.outgoing}
		f.Person = "IMAP server is not reachable"
		return f
	case n.outgoing == nil:
		f.Outcome, f.But, f.Servers = Fails, "there is no SMTP server in what it found", []Server{*n.incoming}
		f.Person = "SMTP server is not reachable"
		return f
	}
	f = n.Finish(ctx, f, []Server{*n.incoming}, []Server{*n.outgoing}, nextcloudTesting)
	if f.Outcome == Fails {
		f.Person = "IMAP or SMTP: “server is not reachable”, “connection failed”"
	}
	return f
}

// nextcloudServer reads the first section. An unknown socketType is no TLS.
func nextcloudServer(sections []*document.Element, t account.ServerType, a account.Address) *Server {
	if len(sections) == 0 {
		return nil
	}
	section := sections[0]
	server := &Server{Type: t, Hostname: strings.TrimSpace(section.Content("hostname")), SocketType: account.Plain,
		Username: expand(section.Content("username"), a)}
	server.Port, _ = strconv.Atoi(strings.TrimSpace(section.Content("port")))
	switch strings.ToLower(section.Content("socketType")) {
	case "ssl":
		server.SocketType = account.SSL
	case "starttls", "tls":
		server.SocketType = account.STARTTLS
	}
	return server
}
