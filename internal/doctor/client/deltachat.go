package client

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

func init() {
	register(Client{ID: "deltachat", Name: "Delta Chat", Version: "2.59", Certainty: ByCode, Forecast: deltaChat})
}

// deltaChatFetching: each connection and each read has 60 s (src/net.rs), a fetch is ten
// requests at most, and a Location is parsed as a whole URI (src/net/http.rs). The list of
// authorities is built in, and a certificate must be good (src/net/tls.rs).
var deltaChatFetching = Fetching{Limit: time.Minute, Hops: 9, AbsoluteOnly: true}

// deltaChatTesting: IMAP and SMTP are tried beside each other, each with all candidates in
// order (src/configure.rs). IMAP signs in with LOGIN whatever the capabilities say
// (src/imap.rs), SMTP with PLAIN or LOGIN (src/smtp/connect.rs). Where SMTP offers neither, it
// goes on without, and the first message fails.
var deltaChatTesting = Testing{Incoming: true, Outgoing: true, Trying: Trying{
	PasswordOnly: true, Limit: time.Minute, LoginUnseen: []account.ServerType{account.SMTP},
	Methods: map[account.ServerType][]string{account.IMAP: {Command}, account.SMTP: {"PLAIN", "LOGIN"}},
}}

// deltaChat asks five URLs one after the other and takes the first answer that its reader
// accepts, even if there is no server in it (src/configure.rs, get_autoconfig).
func deltaChat(ctx context.Context, s *Search) Forecast {
	domain := s.Address.Domain()
	steps := []struct {
		question probe.WebQuestion
		read     func(context.Context, *Search, *Page) ([]Server, string)
	}{
		{AutoconfigFor("https", domain, s.Address), deltaChatAutoconfig},
		{WellKnown("https", domain), deltaChatAutoconfig},
		{AutodiscoverGET(AutodiscoverURL("https", domain)), deltaChatAutodiscover},
		{AutodiscoverGET(AutodiscoverURL("https", "autodiscover."+domain)), deltaChatAutodiscover},
		{ISPDB(ISPDBThunderbird, domain), deltaChatAutoconfig},
	}
	for _, step := range steps {
		s.Expect(ctx, step.question)
	}
	var f Forecast
	var servers []Server
	for _, step := range steps {
		page := s.Fetch(ctx, step.question, deltaChatFetching)
		f.Took += page.Took
		if !page.Failure.Known() {
			s.NotePage(page, Passed, page.Says())
			return Forecast{Outcome: Unknown, But: page.URL() + " could not be asked", Took: f.Took}
		}
		why := page.Says()
		if page.Success() {
			begun := page.Took
			servers, why = step.read(ctx, s, &page)
			f.Took += page.Took - begun
		}
		if !page.Failure.Known() { // the end of a redirect
			return Forecast{Outcome: Unknown, But: page.URL() + " could not be asked", Took: f.Took}
		}
		if why != "" {
			s.NotePage(page, failed(page), why)
			continue
		}
		if len(servers) == 0 {
			s.NotePage(page, Stopped, page.Says()+" without a server")
		} else {
			s.NotePage(page, Took, "")
			f.Source = page.URL()
		}
		break
	}
	return deltaChatFinish(ctx, s, f, servers)
}

// deltaChatFinish guesses the servers of a type that was not found (src/configure.rs), tries
// them and signs in.
func deltaChatFinish(ctx context.Context, s *Search, f Forecast, servers []Server) Forecast {
	domain := s.Address.Domain()
	lists := map[account.ServerType][]Server{}
	for _, server := range servers {
		lists[server.Type] = append(lists[server.Type], deltaChatPorts(server)...)
	}
	for _, guess := range []struct {
		t         account.ServerType
		hosts     []string
		tls, with int
	}{
		{account.IMAP, []string{"imap." + domain, "mail." + domain, domain}, 993, 143},
		{account.SMTP, []string{"smtp." + domain, "mail." + domain, domain}, 465, 587},
	} {
		if len(lists[guess.t]) > 0 {
			continue
		}
		if f.Source == "" {
			f.Source = "guess"
		}
		lists[guess.t] = Candidates(guess.t, guess.hosts, Port{guess.tls, account.SSL}, Port{guess.with,
			account.STARTTLS})
	}
	for _, list := range lists {
		for i := range list {
			if list[i].Username == "" {
				list[i].Username = s.Address.String()
			}
		}
	}
	f = s.Finish(ctx, f, lists[account.IMAP], lists[account.SMTP], deltaChatTesting)
	if f.Outcome == Fails {
		f.Person = "Error: “Could not find your mail server. Please check your internet connection.”, " +
			"or what the server says"
	}
	return f
}

// deltaChatPorts fills in what a document leaves open (src/configure/server_params.rs):
// without a security it tries TLS, then STARTTLS on the same port.
func deltaChatPorts(server Server) []Server {
	socketTypes := []account.SocketType{server.SocketType}
	if server.SocketType == "" {
		socketTypes = []account.SocketType{account.SSL, account.STARTTLS}
	}
	var all []Server
	for _, socketType := range socketTypes {
		one := server
		one.SocketType = socketType
		if one.Port == 0 {
			one.Port = account.DefaultPort(one.Type, socketType)
		}
		all = append(all, one)
	}
	return all
}

// deltaChatAutoconfig reads all servers with a host name, a port and a user name, whatever
// else is in the document (src/configure/auto_mozilla.rs). It minds neither case nor
// white space. quick-xml takes a document that ends too early, and text without an element.
func deltaChatAutoconfig(_ context.Context, s *Search, page *Page) ([]Server, string) {
	x := document.ReadXML(page.Body)
	if quickXMLRefuses(x) {
		return nil, page.Says() + ", " + x.Error.Error()
	}
	var incoming, outgoing []Server
	x.Root.Walk(func(e *document.Element) {
		server, ok := deltaChatServer(e, s.Address)
		switch {
		case !ok:
		case strings.EqualFold(e.Name, "incomingServer"):
			incoming = append(incoming, server)
		case strings.EqualFold(e.Name, "outgoingServer"):
			outgoing = append(outgoing, server)
		}
	})
	return slices.DeleteFunc(append(incoming, outgoing...), func(s Server) bool {
		return s.Type != account.IMAP && s.Type != account.SMTP
	}), ""
}

func quickXMLRefuses(x document.XML) bool { return x.Error != nil && x.Error.Kind == document.Syntax }

func deltaChatServer(e *document.Element, a account.Address) (Server, bool) {
	var server Server
	for _, attribute := range e.Attributes {
		if strings.EqualFold(attribute.Name, "type") {
			server.Type = account.ServerType(strings.ToLower(attribute.Value))
			break
		}
	}
	texts := map[string]string{}
	e.Walk(func(leaf *document.Element) {
		if text := quickXMLText(leaf); text != "" {
			texts[strings.ToLower(leaf.Name)] = text
		}
	})
	server.Hostname = expand(texts["hostname"], a)
	server.Username = expand(texts["username"], a)
	port, err := strconv.ParseUint(texts["port"], 10, 16)
	if err == nil {
		server.Port = int(port) // else 0, which is inferred from the security
	}
	switch strings.ToLower(texts["sockettype"]) {
	case "ssl":
		server.SocketType = account.SSL
	case "starttls":
		server.SocketType = account.STARTTLS
	case "plain":
		server.SocketType = account.Plain
	}
	return server, texts["hostname"] != "" && texts["username"] != "" && texts["port"] != ""
}

// quickXMLText returns the last piece of text of a leaf, trimmed. An entity, a comment or a
// CDATA section ends a piece, and the latter is no text.
func quickXMLText(leaf *document.Element) string {
	raw := leaf.Raw
	if len(leaf.Children) > 0 {
		return ""
	}
	last := ""
	for raw != "" {
		end := strings.IndexAny(raw, "&<")
		if end < 0 {
			end = len(raw)
		}
		if piece := strings.TrimSpace(raw[:end]); piece != "" {
			last = piece
		}
		raw = skipMarkup(raw[end:])
	}
	return last
}

// skipMarkup returns what follows the entity, comment or CDATA section at the start of raw.
func skipMarkup(raw string) string {
	for start, end := range map[string]string{"<!--": "-->", "<![CDATA[": "]]>", "&": ";"} {
		if strings.HasPrefix(raw, start) {
			_, rest, _ := strings.Cut(raw, end)
			return rest
		}
	}
	if raw == "" {
		return ""
	}
	return raw[1:]
}

// deltaChatAutodiscover reads IMAP and SMTP from a POX document and follows its
// RedirectUrl (src/configure/auto_outlook.rs). It leaves the last page in page, with the time of all.
func deltaChatAutodiscover(ctx context.Context, s *Search, page *Page) ([]Server, string) {
	for range 10 {
		if !page.Success() {
			return nil, page.Says()
		}
		x := document.ReadXML(page.Body)
		if quickXMLRefuses(x) {
			return nil, page.Says() + ", " + x.Error.Error()
		}
		servers, redirect, found := deltaChatProtocols(x.Root)
		if !found {
			return servers, ""
		}
		before := *page
		*page = s.Fetch(ctx, Get(redirect), deltaChatFetching)
		page.Took, page.Asked = page.Took+before.Took, append(before.Asked, page.Asked...)
	}
	return nil, "too many redirects"
}

func deltaChatProtocols(root *document.Element) (servers []Server, redirect string, found bool) {
	root.Walk(func(e *document.Element) {
		if strings.EqualFold(e.Name, "RedirectUrl") && !found {
			redirect, found = quickXMLText(e), true
		}
		if !strings.EqualFold(e.Name, "Protocol") {
			return
		}
		texts := map[string]string{}
		for _, c := range e.Children {
			if text := quickXMLText(c); text != "" {
				texts[strings.ToLower(c.Name)] = text
			}
		}
		server := Server{Type: account.ServerType(strings.ToLower(texts["type"])), Hostname: texts["server"]}
		port, _ := strconv.ParseUint(texts["port"], 10, 16)
		server.Port = int(port)
		if texts["ssl"] == "off" {
			server.SocketType = account.Plain
		}
		if texts["server"] == "" || texts["port"] == "" || server.Type != account.IMAP && server.Type != account.SMTP {
			return
		}
		servers = append(servers, server)
	})
	return servers, redirect, found
}
