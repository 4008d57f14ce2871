package living

import (
	"fmt"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/client"
	"signpost/internal/importer/draft"
)

// Found reports whether anybody named a server, or a service that answers for the domain.
func (s *Survey) Found() bool { return len(s.taken) > 0 || s.HandOver != nil }

// Draft adds to the draft what the witnesses say, each thing in the words of the first that
// says it.
func (s *Survey) Draft(d *draft.Draft) {
	p := s.Product()
	if p.Provider.DisplayName == "" {
		p.Provider.DisplayName = s.Domain
		p.Guesses = append(p.Guesses, "displayName is the domain: nobody says what the service is called")
	}
	if d.Title == "" {
		d.Title = p.Place.File
	}
	d.Products = append(d.Products, p)
	d.Lost = append(append(d.Lost, s.Disputed()...), s.lost...)
	d.Hints = append(d.Hints, s.hints...)
	if len(s.Exchangers) > 0 && !s.atMicrosoft() {
		d.Hints = append(d.Hints, fmt.Sprintf("if all domains whose mail goes to %s have these servers, "+
			"mx: [%s] in place of domains answers for them", s.Exchangers[0], s.Exchangers[0]))
	}
}

// Disputed returns what the witnesses say and how they contradict one another, if they do.
func (s *Survey) Disputed() (remarks []draft.Remark) {
	if len(s.Contradictions) == 0 {
		return nil
	}
	for _, w := range s.Witnesses {
		if w.Nothing == "" {
			text := w.Kind + " says: " + strings.Join(w.Says(), "; ")
			remarks = append(remarks, draft.Remark{Place: draft.Place{File: w.Place}, Text: text})
		}
	}
	for _, c := range s.Contradictions {
		text := c.String() + ": the first was believed"
		remarks = append(remarks, draft.Remark{Place: draft.Place{File: s.Domain}, Text: text})
	}
	return remarks
}

// Product returns the domain's servers, names and links. It has no name if nobody says one.
func (s *Survey) Product() draft.Product {
	p := draft.Product{
		Place:   draft.Place{File: "what the network tells about " + s.Domain},
		Domains: []string{s.Domain},
	}
	p.Provider.AutodiscoverRedirect = s.HandOver
	if s.HandOver != nil && isMicrosoft(s.HandOver.Hostname) && !s.has(account.IMAP) && !s.has(account.SMTP) {
		p.Provider = microsoft365(s.HandOver)
		p.Guesses = append(p.Guesses,
			"the servers and the sign-in are those of Microsoft 365, to which "+s.HandOverFrom+" leads")
	}
	for _, t := range s.taken {
		if slices.ContainsFunc(p.Provider.Servers, func(b account.Server) bool {
			return b.Type == t.Type && b.Authentication != nil && b.URL == t.URL && t.URL != ""
		}) {
			continue
		}
		p.Provider.Servers = append(p.Provider.Servers, s.complete(t, &p.Guesses))
	}
	slices.SortStableFunc(p.Provider.Servers, func(a, b account.Server) int {
		return slices.Index(account.ServerTypes, a.Type) - slices.Index(account.ServerTypes, b.Type)
	})
	for _, w := range s.Witnesses {
		s.addNames(&p, w.Provider)
	}
	if p.Provider.OAuth2 != nil && !slices.ContainsFunc(p.Provider.Servers, func(server account.Server) bool {
		return slices.Contains(server.Authentication, account.OAuth2Auth)
	}) {
		s.lose(p.Provider.OAuth2.Issuer, "OAuth2 is left out, as no server is said to take its tokens")
		p.Provider.OAuth2 = nil
	}
	return p
}

// complete returns a server with what its witness does not say.
func (s *Survey) complete(t taken, guesses *[]string) account.Server {
	server := t.Server
	// What is said of another port of the type holds for this one, too.
	for _, other := range s.taken {
		if other.Type == t.Type && server.Login.Username == "" && other.Login.Username != "" {
			server.Login = other.Login
		}
		if other.Type == t.Type && len(server.Authentication) == 0 {
			server.Authentication = other.Authentication
		}
	}
	var missing []string
	if server.Login.Username == "" {
		server.Login.Username = account.EmailAddress
		missing = append(missing, "that the user name is the address")
	}
	if len(server.Authentication) == 0 {
		server.Authentication = []account.Authentication{account.PasswordCleartext}
		if host, ok := client.ProviderOfHost(hostOf(server)); ok && host.OAuthOnly {
			server.Authentication[0] = account.OAuth2Auth
		}
		missing = append(missing, "the authentication "+string(server.Authentication[0]))
	}
	if len(missing) > 0 {
		*guesses = append(*guesses, fmt.Sprintf("of %s: %s, which %s does not say", placeOf(server),
			strings.Join(missing, " and "), t.from.Kind))
	}
	return server
}

func hostOf(server account.Server) string {
	if server.Hostname != "" {
		return server.Hostname
	}
	_, rest, _ := strings.Cut(server.URL, "://")
	host, _, _ := strings.Cut(rest, "/")
	return strings.ToLower(host)
}

// addNames adds names and links that no witness before has said.
func (s *Survey) addNames(p *draft.Product, from account.Provider) {
	for _, text := range []struct{ to, from *string }{
		{&p.Provider.DisplayName, &from.DisplayName}, {&p.Provider.DisplayShortName, &from.DisplayShortName},
		{&p.Provider.Webmail, &from.Webmail}, {&p.Provider.Logo, &from.Logo}, {&p.Provider.Developer, &from.Developer},
	} {
		if *text.to == "" && !strings.Contains(*text.from, "%EMAIL") {
			*text.to = *text.from
		}
	}
	if p.Provider.ID == "" {
		p.Provider.ID = from.ID
	}
	if p.Provider.OAuth2 == nil {
		p.Provider.OAuth2 = from.OAuth2
	}
	if len(p.Provider.Documentation) == 0 {
		p.Provider.Documentation = from.Documentation
	}
}

func (s *Survey) has(t account.ServerType) bool {
	return slices.ContainsFunc(s.taken, func(other taken) bool { return other.Type == t })
}

func (s *Survey) atMicrosoft() bool {
	p, ok := client.ProviderOf(s.Domain, s.Exchangers)
	return ok && p.ID == "microsoft"
}

// microsoft365 returns what is the same for all of Microsoft's customers (Microsoft Learn, "POP, IMAP,
// and SMTP settings" and "Authenticate an IMAP, POP or SMTP connection using OAuth").
func microsoft365(handOver *account.AutodiscoverRedirect) account.Provider {
	login, oauth := account.Login{Username: account.EmailAddress}, []account.Authentication{account.OAuth2Auth}
	return account.Provider{
		DisplayName:          "Microsoft 365",
		AutodiscoverRedirect: handOver,
		Webmail:              "https://outlook.office.com",
		Servers: []account.Server{
			{Type: account.IMAP, Hostname: "outlook.office365.com", Port: 993, SocketType: account.SSL, Login: login,
				Authentication: oauth},
			{Type: account.SMTP, Hostname: "smtp.office365.com", Port: 587, SocketType: account.STARTTLS, Login: login,
				Authentication: oauth},
			{Type: account.ActiveSync, URL: "https://outlook.office365.com/Microsoft-Server-ActiveSync", Login: login,
				Authentication: oauth},
		},
		OAuth2: &account.OAuth2{
			Issuer: "login.microsoftonline.com",
			Scopes: []string{"https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send",
				"offline_access"},
			AuthURL:  "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
			TokenURL: "https://login.microsoftonline.com/common/oauth2/v2.0/token",
		},
	}
}
