package client

import (
	"context"
	"slices"
	"strconv"
	"time"

	"signpost/account"
	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// The rules of KMail are those of its account wizard (src/ispdbservice.cpp,
// src/ispdb/serverconfiguration.cpp, src/ispdb/configurationmodel.cpp) at 8163b65.
func init() {
	register(Client{ID: "kmail", Name: "KMail", Version: "6.8", Certainty: ByCode, Forecast: kmail})
}

// kmailFetching: Qt follows no redirect from https to http. How long it waits was not read.
var kmailFetching = Fetching{Limit: 30 * time.Second, Hops: 50}

// kmailTesting: nothing is tried before the account exists. KDE asks about a bad certificate.
var kmailTesting = Testing{Trying: Trying{Asks: true}}

// kmail asks four places in turn, Mozilla's database first. The next place is asked only after
// an answer that is not 200. It is told that nothing was found only by what is no XML at the
// last place: after anything else without a provider in it, it waits for ever.
func kmail(ctx context.Context, s *Search) Forecast {
	domain := s.Address.Domain()
	questions := []probe.WebQuestion{
		ISPDB(ISPDBThunderbird, domain), Autoconfig("https", domain), Autoconfig("http", domain),
		WellKnown("https", domain),
	}
	for _, q := range questions {
		s.Expect(ctx, q)
	}
	var took time.Duration
	for i, q := range questions {
		page := s.Fetch(ctx, q, kmailFetching)
		took += page.Took
		if !page.Failure.Known() {
			return cannotTell(page.Key())
		}
		// The body of an error is read, too.
		x := document.ReadXML(page.Body)
		provider := kmailProvider(page, x)
		last := i == len(questions)-1
		switch {
		case provider != nil:
			return kmailFinish(ctx, s, page, provider, took)
		case page.Failure == nil && page.Status == 200 && (x.Error == nil || !last), x.Error == nil && last:
			s.NotePage(page, Stopped, page.Says()+", no provider in it")
			return Forecast{Outcome: Fails, But: "its search never ends", Took: took,
				Person: "Available configurations: none"}
		}
		s.NotePage(page, failed(page), page.Says())
	}
	f := asksForServers("No configuration found from the internet for this server.")
	f.Took = took
	return f
}

// kmailProvider returns the first emailProvider, wherever it is in the document.
func kmailProvider(page Page, x document.XML) (provider *document.Element) {
	if page.Failure != nil || x.Error != nil {
		return nil
	}
	x.Root.Walk(func(e *document.Element) {
		if e.Name == "emailProvider" && provider == nil && e != x.Root {
			provider = e
		}
	})
	return provider
}

// kmailFinish offers each IMAP server and each POP3 server with one SMTP server.
func kmailFinish(ctx context.Context, s *Search, page Page, provider *document.Element, took time.Duration) Forecast {
	incoming := slices.Concat(kmailServers(provider, "incomingServer", account.IMAP, s.Address),
		kmailServers(provider, "incomingServer", account.POP3, s.Address))
	outgoing := kmailServers(provider, "outgoingServer", account.SMTP, s.Address)
	f := Forecast{Source: page.URL(), Took: took, Person: "Configuration found"}
	if len(incoming) == 0 {
		s.NotePage(page, Stopped, page.Says()+" without a server")
		return Forecast{Outcome: Asks, But: "the servers", Took: took, Person: "Available configurations: none"}
	}
	s.NotePage(page, Took, "")
	if len(outgoing) == 0 {
		f = s.Finish(ctx, f, incoming[:1], nil, kmailTesting)
		if f.Outcome == SetsUp {
			f.Outcome, f.But = SetsUpBut, "has no server for sending"
		}
		return f
	}
	best := outgoing[0]
	for _, server := range outgoing[1:] {
		if kmailRank[server.SocketType] > kmailRank[best.SocketType] {
			best = server
		}
	}
	return s.Finish(ctx, f, incoming[:1], []Server{best}, kmailTesting)
}

// kmailRank is the order of MailTransport's encryptions, by which the sending server is
// chosen: STARTTLS before TLS at once.
var kmailRank = map[account.SocketType]int{account.Plain: 0, account.SSL: 1, account.STARTTLS: 2}

func kmailServers(provider *document.Element, name string, t account.ServerType, a account.Address) []Server {
	var servers []Server
	for _, e := range provider.All(name) {
		if kind, _ := e.Attribute("type"); kind != string(t) || e.Child("port") == nil {
			continue
		}
		// A security that it does not know is TLS.
		server := Server{Type: t, SocketType: account.SSL, Hostname: expand(e.Content("hostname"), a),
			Username: expand(e.Content("username"), a), Authentication: kmailMethod(e)}
		if s := account.SocketType(e.Content("socketType")); s == account.STARTTLS || s == account.Plain {
			server.SocketType = s
		}
		server.Port, _ = strconv.Atoi(e.Content("port"))
		servers = append(servers, server)
	}
	return servers
}

// kmailMethod takes the first method that is not a password in clear text, if there is one.
func kmailMethod(e *document.Element) account.Authentication {
	for _, one := range e.All("authentication") {
		switch one.Text {
		case "password-encrypted", "secure":
			return account.PasswordEncrypted
		case "NTLM", "GSSAPI", "OAuth2", "none":
			return account.Authentication(one.Text)
		case "client-ip-based":
			return account.NoAuthentication
		}
	}
	return account.PasswordCleartext
}
