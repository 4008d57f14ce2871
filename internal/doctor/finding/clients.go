package finding

import (
	"context"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// clientFaults are the faults of clients, where they harm a person of this domain. What a client does
// with every domain stands in its own line of the report (Forecast.Person): that the new Outlook signs in from
// Microsoft's servers, that the simplified set-up of Outlook reads no IMAP settings, that an iPhone
// finds nothing by itself, that FairEmail of F-Droid asks for no documents. That KMail's search
// does not end is a consequence of a web page in the place of a document (H1).
var clientFaults = []Fault{
	{
		ID: "K4", Severity: Warning, Title: "phones cannot be told the login for ActiveSync",
		Cause: "Autodiscover has no field for it: a phone signs in as the address. Known only where the service on " +
			"this machine serves the domain, and the login is another one",
		Cure: "the person types the user name and the domain; an iPhone gets them in a profile",
		Who:  "iPhone Mail (Exchange), Gmail, Samsung Email, Nine", Find: activeSyncLogin,
	},
	{
		ID: "K5", Severity: Note, Title: "Thunderbird offers Exchange beside IMAP",
		Cause: "Autodiscover names an Exchange server, but nothing answers to EWS",
		Cure:  "leave EXCH and EXPR out of the answer",
		Who:   "Thunderbird", Find: offersExchange,
	},
	{
		ID: "K6", Severity: Warning, Title: "clients ignore the user name of the document",
		Cause: "some clients take the address, or placeholders only, and the document says something else",
		Cure:  "let the address sign in, too; else the person types the user name",
		Who:   "Geary, GNOME Online Accounts, Mailspring, aerc, Himalaya", Find: ignoredLogin,
	},
}

// activeSyncClients are the clients that are told of ActiveSync.
var activeSyncClients = []string{"apple-exchange", "gmail", "nine", "outlook-mobile", "samsung"}

func activeSyncLogin(_ context.Context, c *Case) []Finding {
	if c.Own == nil {
		return nil
	}
	i := slices.IndexFunc(c.Own.Servers, func(s account.Server) bool { return s.Type == account.ActiveSync })
	if i < 0 {
		return nil
	}
	server := c.Own.Expanded()[i]
	if server.Login.Is(c.Address) {
		return nil
	}
	login := server.Login.Username
	if server.Login.DomainName != "" {
		login = server.Login.DomainName + `\` + login
	}
	typed := "server " + hostOfURL(server.URL) + ", user name " + server.Login.Username
	if server.Login.DomainName != "" {
		typed += ", domain " + server.Login.DomainName
	}
	return []Finding{{
		Severity: Warning,
		Sentence: "ActiveSync wants the login " + login + ", which no answer can tell a phone: " +
			"it asks, or tries the address.",
		Clients:  c.among(activeSyncClients...),
		Evidence: []Evidence{{ownKey, "the login for ActiveSync is " + login}},
		Cures: []Cure{{Who: ThePerson, Text: "type " + typed +
			"; on an iPhone install the profile of the set-up page"}},
	}}
}

func hostOfURL(rawURL string) string {
	_, rest, _ := strings.Cut(rawURL, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// offersExchange finds an Exchange server in an Autodiscover answer of a domain where Thunderbird uses
// IMAP and EWS programs find nothing.
func offersExchange(_ context.Context, c *Case) []Finding {
	usesIMAP := false
	for _, id := range []string{"thunderbird", "thunderbird-156"} {
		for _, s := range c.Forecasts[id].Servers {
			usesIMAP = usesIMAP || s.Type == account.IMAP
		}
	}
	for _, id := range ewsClients {
		if c.Forecasts[id].Source != "" {
			return nil // there is EWS
		}
	}
	if !usesIMAP {
		return nil
	}
	var seen []Evidence
	for q, a := range c.Asker.Webs() {
		if a.Failure == nil && a.Status == 200 && q.Method == "POST" && namesExchange(a) {
			seen = append(seen, See(q, "names an Exchange server"))
		}
	}
	if len(seen) == 0 {
		return nil
	}
	slices.SortFunc(seen, func(a, b Evidence) int { return strings.Compare(string(a.Key), string(b.Key)) })
	return []Finding{{
		Severity: Note,
		Sentence: "Autodiscover names an Exchange server, so Thunderbird offers Exchange beside IMAP.",
		Clients:  c.among("thunderbird", "thunderbird-156"),
		Evidence: seen,
		Cures:    []Cure{{Who: MailProvider, Text: "leave EXCH and EXPR out of the answer, unless EWS is meant"}},
	}}
}

func namesExchange(a probe.WebAnswer) bool {
	body := strings.Join(strings.Fields(string(a.Body)), "")
	return strings.Contains(body, "<Type>EXCH</Type>") || strings.Contains(body, "<Type>EXPR</Type>")
}

// ignoredLogin finds a user name in a document that is not the address, and clients that took the
// document and will sign in with the address.
func ignoredLogin(_ context.Context, c *Case) []Finding {
	for _, d := range c.Documents() {
		if d.Format != Autoconfig {
			continue
		}
		for _, s := range d.Servers {
			login := s.Login.Username
			if !isMail(s.Type) || login == "" || login == c.Address.String() {
				continue
			}
			ids, names := c.tookWithout(d, login)
			if len(ids) == 0 {
				continue
			}
			return []Finding{{
				Severity: Warning,
				Sentence: "The document says that the login is " + login + ", but " + list(names) +
					" sign in as the address or ask.",
				Clients:  ids,
				Evidence: []Evidence{See(d.Question, "username %s", login)},
				Cures: []Cure{
					{Who: MailProvider, Text: "let the address sign in, too"},
					{Who: ThePerson, Text: "type the user name " + login},
				},
			}}
		}
	}
	return nil
}

// tookWithout returns the clients whose settings come from the document, and that have another user
// name for a mail server, or none.
func (c *Case) tookWithout(d Document, login string) (ids, names []string) {
	where, _, _ := strings.Cut(d.Question.URL, "?")
	for _, k := range c.Clients {
		f := c.Forecasts[k.ID]
		if f.Source != where {
			continue
		}
		if slices.ContainsFunc(f.Servers, func(s client.Server) bool { return isMail(s.Type) && s.Username != login }) {
			ids = append(ids, k.ID)
			if !slices.Contains(names, k.Name) {
				names = append(names, k.Name)
			}
		}
	}
	return ids, names
}
