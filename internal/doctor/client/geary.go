package client

import (
	"context"
	"strconv"

	"signpost/account"
	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// The rules of Geary are those of src/client/accounts (accounts-autoconfig.vala,
// accounts-editor-add-pane.vala) at 3e8d4f1.
func init() {
	register(Client{ID: "geary", Name: "Geary", Version: "46", Certainty: ByCode, Forecast: geary})
}

// gearyFetching: a new libsoup session, which has no limit of its own.
var gearyFetching = Fetching{Hops: 20}

// gearyTesting: IMAP is tried, then SMTP; a bad certificate can be accepted.
var gearyTesting = Testing{Incoming: true, Outgoing: true, OneAfterTheOther: true, Later: true,
	Trying: Trying{Asks: true}}

// geary asks two places in turn. The status of an answer does not matter, only whether a
// document is in it whose first servers are IMAP and SMTP.
func geary(ctx context.Context, s *Search) Forecast {
	domain := s.Address.Domain()
	questions := []probe.WebQuestion{Autoconfig("https", domain), ISPDB(ISPDBThunderbird, domain)}
	s.Expect(ctx, questions[0], questions[1])
	var incoming, outgoing Server
	var id string
	w := s.firstPage(ctx, gearyFetching, func(page Page) (why string) {
		if page.Failure != nil {
			return page.Says()
		}
		incoming, outgoing, id, why = gearyRead(page, s.Address)
		return why
	}, questions...)
	switch {
	case w.unknown != "":
		return cannotTell(w.unknown)
	case !w.taken:
		f := asksForServers("the fields for the servers, with imap." + domain + " and smtp." + domain)
		f.But += ", and fills in imap." + domain + " and smtp." + domain
		f.Took = w.duration
		return f
	}
	s.NotePage(w.Page, Took, "")
	f := Forecast{Source: w.URL(), Took: w.duration}
	if id == "googlemail.com" || id == "hotmail.com" {
		f.Outcome, f.But, f.Servers = Asks, "the provider's own sign-in", []Server{incoming, outgoing}
		return f
	}
	f = s.Finish(ctx, f, []Server{incoming}, []Server{outgoing}, gearyTesting)
	if f.Outcome == Fails {
		f.Person = "Account not created: Check your receiving (or sending) server details"
	}
	return f
}

// gearyRead reads the first server of each direction. The user name is always the address.
func gearyRead(page Page, a account.Address) (incoming, outgoing Server, id, why string) {
	x := document.ReadXML(page.Body)
	if x.Error != nil {
		return incoming, outgoing, "", page.Says() + ", " + x.Error.Error()
	}
	provider := x.Root.Child("emailProvider")
	in, out := provider.Child("incomingServer"), provider.Child("outgoingServer")
	if in == nil || out == nil {
		return incoming, outgoing, "", page.Says() + ", not both servers in it"
	}
	inType, _ := in.Attribute("type")
	outType, _ := out.Attribute("type")
	if inType != "imap" || outType != "smtp" {
		return incoming, outgoing, "", "the first server is " + inType + ", not imap"
	}
	id, _ = provider.Attribute("id")
	return gearyServer(in, account.IMAP, a), gearyServer(out, account.SMTP, a), id, ""
}

// gearyServer reads a section. Any other security than two is none.
func gearyServer(e *document.Element, t account.ServerType, a account.Address) Server {
	server := Server{Type: t, Hostname: e.Content("hostname"), SocketType: account.Plain, Username: a.String()}
	if s := account.SocketType(e.Content("socketType")); s == account.SSL || s == account.STARTTLS {
		server.SocketType = s
	}
	server.Port, _ = strconv.Atoi(e.Content("port"))
	if server.Port == 0 {
		server.Port = account.DefaultPort(t, server.SocketType)
	}
	return server
}
