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

// GNOME Online Accounts asks for documents one after the other, first at a path that drafts of
// autoconfig had until May 2024 (src/goabackend/goamailclient.c at 0a85e7c, 3.58). The search
// starts anew with each letter of the address that the person types.
func init() {
	register(Client{ID: "goa", Name: "GNOME Online Accounts", Version: "3.58", Certainty: ByCode, Forecast: goa})
}

// goaFetching: soup_session_set_timeout; libsoup follows 20 redirects.
var goaFetching = Fetching{Limit: 15 * time.Second, Hops: 20}

// goaTesting: IMAP is tried, then SMTP (goaimapsmtpprovider.c). A certificate can be accepted by
// pressing the button again. IMAP signs in with LOGIN (goaimapauthlogin.c), SMTP with PLAIN
// or LOGIN.
var goaTesting = Testing{Incoming: true, Outgoing: true, OneAfterTheOther: true, Later: true, Trying: Trying{
	Limit: 30 * time.Second, Asks: true, PasswordOnly: true,
	Methods: map[account.ServerType][]string{account.IMAP: {Command}, account.SMTP: {"PLAIN", "LOGIN"}},
}}

func goa(ctx context.Context, s *Search) Forecast {
	domain := s.Address.Domain()
	questions := []probe.WebQuestion{
		MailV1(domain, s.Address), AutoconfigFor("https", domain, s.Address), WellKnown("https", domain),
		Autoconfig("http", domain), ISPDB(ISPDBV1, domain),
	}
	for _, q := range questions {
		s.Expect(ctx, q)
	}
	s.Expect(ctx, DNS("MX", domain))

	var root *document.Element
	take := func(page Page) string {
		if page.Failure != nil || page.Status != 200 {
			return page.Says()
		}
		// The parser keeps what stands before an error.
		if root = document.ReadXML(page.Body).Root; root == nil || root.Name != "clientConfig" {
			return page.Says() + ", no clientConfig"
		}
		return ""
	}
	w := s.firstPage(ctx, goaFetching, take, questions...)
	took := w.duration
	if !w.taken && w.unknown == "" {
		var more []probe.WebQuestion
		if more, w.unknown = goaByMX(ctx, s); w.unknown == "" {
			w = s.firstPage(ctx, goaFetching, take, more...)
			took += w.duration
		}
	}
	switch {
	case w.unknown != "":
		return cannotTell(w.unknown)
	case !w.taken:
		f := asksForServers("Unable to auto-detect IMAP and SMTP settings")
		f.Took = took
		return f
	}
	return goaFinish(ctx, s, w.Page, root, took)
}

// goaByMX returns its questions at the best MX host and at the domain of that name that
// somebody has registered.
func goaByMX(ctx context.Context, s *Search) (questions []probe.WebQuestion, unknown probe.Key) {
	hosts, known := s.MX(ctx, s.Address.Domain())
	if !known {
		return nil, DNS("MX", s.Address.Domain()).Key()
	}
	if len(hosts) == 0 {
		return nil, ""
	}
	names := []string{hosts[0]}
	if base := dns.Registrable(hosts[0]); base != hosts[0] {
		names = append(names, base)
	}
	for _, name := range names {
		questions = append(questions, MailV1(name, s.AddressFor("https://autoconfig."+name+"/")))
	}
	for _, name := range names {
		questions = append(questions, ISPDB(ISPDBV1, name))
	}
	return questions, ""
}

// goaFinish fills its form with the first IMAP and SMTP servers of the document.
func goaFinish(ctx context.Context, s *Search, page Page, root *document.Element, took time.Duration) Forecast {
	incoming := goaServer(root, "incomingServer", account.IMAP, s.Address)
	outgoing := goaServer(root, "outgoingServer", account.SMTP, s.Address)
	f := Forecast{Source: page.URL(), Took: took, Person: "Auto-detected"}
	if incoming == nil {
		s.NotePage(page, Stopped, page.Says()+" without an IMAP server")
		f = asksForServers("the form, without a word")
		f.Took = took
		return f
	}
	s.NotePage(page, Took, "")
	f.Servers = []Server{*incoming}
	if outgoing == nil {
		f = s.Finish(ctx, f, f.Servers, nil, goaTesting)
		if f.Outcome == SetsUp || f.Outcome == SetsUpBut {
			f.Outcome, f.But = SetsUpBut, "cannot send: it takes an account without a sending server"
		}
		return f
	}
	f.Servers = append(f.Servers, *outgoing)
	if incoming.Username == "" || outgoing.Username == "" {
		s.NotePage(page, Spoilt, "a user name that is not exactly one placeholder is ignored")
		f.Outcome, f.But = Asks, "the user name"
		return f
	}
	return s.Finish(ctx, f, f.Servers[:1], f.Servers[1:], goaTesting)
}

// goaServer returns the first server of a type, as the form shows it: without its port, because the form
// has no field for it, and never without TLS. A user name counts only if it is exactly one
// placeholder.
func goaServer(root *document.Element, name string, t account.ServerType, a account.Address) *Server {
	var sections []*document.Element
	root.Walk(func(e *document.Element) {
		serverType, _ := e.Attribute("type")
		if e.Name == name && strings.EqualFold(serverType, string(t)) {
			sections = append(sections, e)
		}
	})
	if len(sections) == 0 {
		return nil
	}
	section := sections[0]
	server := &Server{Type: t, Hostname: section.Content("hostname"), SocketType: account.SSL}
	if strings.EqualFold(section.Content("socketType"), string(account.STARTTLS)) {
		server.SocketType = account.STARTTLS
	}
	server.Port = account.DefaultPort(t, server.SocketType)
	// The field takes a port behind the name.
	if host, port, ok := strings.Cut(server.Hostname, ":"); ok {
		if number, err := strconv.Atoi(port); err == nil {
			server.Hostname, server.Port = host, number
		}
	}
	switch username := section.Content("username"); {
	case strings.EqualFold(username, emailAddress):
		server.Username = a.String()
	case strings.EqualFold(username, emailLocalPart):
		server.Username = a.Local()
	case strings.EqualFold(username, emailDomain):
		server.Username = a.Domain()
	}
	return server
}
