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

// Outlook for Windows ("classic") asks Autodiscover at the domain, at autodiscover.domain, by a redirect on
// plain http, and by an SRV record (Microsoft's KB 3211279; gromox, doc/autodiscover.7). It first asks
// Microsoft whether the domain is a customer's, which MX records tell nearly as well.
func init() {
	register(Client{ID: "outlook", Name: "Outlook", Version: "classic", Certainty: ByDocuments, Forecast: outlook})
}

// outlookFetching: Microsoft's documents name 10 redirects and no limit of time (office-developer-exchange-docs,
// action-pox). A POST is repeated at the new place.
var outlookFetching = Fetching{Hops: 10, KeepsPOST: true}

// outlookTesting: it signs in to both servers and sends a message. It shows a bad certificate.
var outlookTesting = Testing{Incoming: true, Outgoing: true, Trying: Trying{Asks: true}}

func outlook(ctx context.Context, s *Search) Forecast {
	domain := s.Address.Domain()
	o := outlookSearch{Search: s}
	s.expectServices(ctx, domain, autodiscoverService)
	for _, host := range []string{domain, "autodiscover." + domain} {
		s.Expect(ctx, o.question(AutodiscoverURL("https", host)))
	}
	s.Expect(ctx, AutodiscoverGET(AutodiscoverURL("http", "autodiscover."+domain)), DNS("MX", domain))

	exchanges, known := s.MX(ctx, domain)
	if !known {
		return cannotTell(DNS("MX", domain).Key())
	}
	if p, ok := ProviderOf(domain, exchanges); ok && p.ID == "microsoft" {
		return p.builtIn("Microsoft's sign-in page")
	}
	for _, way := range []func(context.Context) (Forecast, bool){o.atDomain, o.atName, o.byRedirect, o.bySRV} {
		f, ok := way(ctx)
		if o.unknown != "" {
			return cannotTell(o.unknown)
		}
		if ok {
			return f
		}
	}
	f := asksForServers("IMAP account settings")
	if o.refused != "" { // it asks again with the password, which the doctor has not
		f = Forecast{Outcome: Unknown, But: answersWithPassword(o.refused), Person: o.prompt}
	}
	f.Took = o.took
	return f
}

// answersWithPassword says why nobody can tell what a client ends up with.
func answersWithPassword(host string) string {
	return host + " answers only with the password"
}

type outlookSearch struct {
	*Search
	took    time.Duration
	unknown probe.Key
	prompt  string // a question to the person that came up before the settings
	led     int    // how many answers named another URL
	refused string // a host that wants a password before it answers
}

// outlookRedirects is how many answers may name another URL before the search ends (Microsoft,
// "Action (POX)").
const outlookRedirects = 10

func (o *outlookSearch) question(rawURL string) probe.WebQuestion {
	return Autodiscover(rawURL, o.AddressFor(rawURL))
}

func (o *outlookSearch) atDomain(ctx context.Context) (Forecast, bool) {
	return o.post(ctx, AutodiscoverURL("https", o.Address.Domain()))
}

func (o *outlookSearch) atName(ctx context.Context) (Forecast, bool) {
	return o.post(ctx, AutodiscoverURL("https", "autodiscover."+o.Address.Domain()))
}

// byRedirect follows a redirect of plain http to https, after a question to the person if it leads to
// another domain.
func (o *outlookSearch) byRedirect(ctx context.Context) (Forecast, bool) {
	page := o.Fetch(ctx, AutodiscoverGET(AutodiscoverURL("http", "autodiscover."+o.Address.Domain())), Fetching{})
	o.took += page.Took
	if !page.Failure.Known() {
		o.unknown = page.Key()
		return Forecast{}, false
	}
	location := page.Header["Location"]
	if page.Failure != nil || page.Status < 300 || page.Status > 399 || !strings.HasPrefix(location, "https://") {
		o.NotePage(page, failed(page), page.Says())
		return Forecast{}, false
	}
	f, ok := o.elsewhere(ctx, hostOf(location), location)
	o.noteLed(page.Key(), f, ok)
	return f, ok
}

// bySRV ignores the port of the record.
func (o *outlookSearch) bySRV(ctx context.Context) (Forecast, bool) {
	records, known := o.lookupServices(ctx, o.Address.Domain(), autodiscoverService)
	if !known {
		o.unknown = ServiceQuestion(autodiscoverService, o.Address.Domain()).Key()
		return Forecast{}, false
	}
	record, ok := firstByPriority(records)
	if !ok {
		return Forecast{}, false
	}
	f, ok := o.elsewhere(ctx, record.Target, AutodiscoverURL("https", record.Target))
	o.noteLed(record.key, f, ok)
	return f, ok
}

// noteLed notes that a redirect or a record led to somebody else.
func (o *outlookSearch) noteLed(key probe.Key, f Forecast, ok bool) {
	if ok && f.Outcome == Elsewhere {
		o.Note(key, Spoilt, "it leads to "+f.But)
	}
}

// elsewhere asks a place that a redirect or a record names.
func (o *outlookSearch) elsewhere(ctx context.Context, host, rawURL string) (Forecast, bool) {
	if dns.Registrable(host) != dns.Registrable(o.Address.Domain()) {
		o.prompt = "it asks whether " + host + " may configure the account"
	}
	f, ok := o.post(ctx, rawURL)
	if p, large := ProviderOfHost(host); large && !ok && o.unknown == "" {
		return Forecast{Outcome: Elsewhere, But: p.Name, Source: withoutQuery(rawURL), Took: o.took}, true
	}
	return f, ok
}

// post asks one place. A bad certificate or a demand for a password comes up as a window before the
// search goes on.
func (o *outlookSearch) post(ctx context.Context, rawURL string) (Forecast, bool) {
	rules := outlookFetching
	rules.Accepts = AnyCertificate
	page := o.Fetch(ctx, o.question(rawURL), rules)
	o.took += page.Took
	host := hostOf(page.Question.URL)
	switch p, large := ProviderOfHost(host); {
	case !page.Failure.Known():
		o.unknown = page.Key()
		return Forecast{}, false
	case page.Failure == nil && large:
		o.NotePage(page, Spoilt, "it leads to "+p.Name)
		return Forecast{Outcome: Elsewhere, But: p.Name, Source: page.URL(), Took: o.took}, true
	case page.Failure == nil && page.TLS != nil && len(page.TLS.Problems) > 0:
		o.prompt = "it warns of the certificate of " + host
		o.NotePage(page, Spoilt, "bad certificate: "+problems(page.TLS))
	}
	if page.Failure == nil && page.Status == 401 {
		o.prompt, o.refused = "it asks for the password for "+host, host
		o.NotePage(page, Spoilt, page.Says())
		return Forecast{}, false
	}
	if !page.Success() {
		o.NotePage(page, failed(page), page.Says())
		return Forecast{}, false
	}
	return o.read(ctx, page)
}

// read reads an answer. One without an account, such as a web page or an error, is passed over.
func (o *outlookSearch) read(ctx context.Context, page Page) (Forecast, bool) {
	x := document.ReadXML(page.Body)
	account := x.Root.Down("Response", "Account")
	if x.Error != nil || account == nil {
		o.NotePage(page, failed(page), page.Says()+", no account in it")
		return Forecast{}, false
	}
	if target := strings.TrimSpace(account.Content("RedirectUrl")); strings.HasPrefix(target, "https://") {
		if o.led++; o.led > outlookRedirects {
			o.NotePage(page, Passed, "it redirects too often")
			return Forecast{}, false
		}
		o.NotePage(page, Passed, "it redirects to "+target)
		return o.post(ctx, target)
	}
	f := Forecast{Source: page.URL(), Took: o.took}
	incoming, outgoing, exchange := outlookServers(account, o.Address)
	switch {
	case exchange:
		f.Outcome = SetsUp
	case incoming == nil || outgoing == nil:
		o.NotePage(page, Passed, "no servers for receiving and sending in it")
		return Forecast{}, false
	default:
		f = o.Finish(ctx, f, []Server{*incoming}, []Server{*outgoing}, outlookTesting)
		f.Person = "The simplified set-up of newer versions does not read this answer; there one chooses " +
			"“Let me set up my account manually” and types the servers."
	}
	o.NotePage(page, Took, "")
	if o.prompt != "" && f.Outcome == SetsUp {
		f.Outcome, f.But = SetsUpBut, o.prompt
	}
	return f, true
}

// outlookServers reads the first receiving and the first sending server, and reports whether there is
// Exchange.
func outlookServers(root *document.Element, a account.Address) (incoming, outgoing *Server, exchange bool) {
	for _, p := range root.All("Protocol") {
		switch strings.TrimSpace(p.Content("Type")) {
		case "EXCH", "EXPR", "EXHTTP":
			exchange = true
		case "IMAP":
			if incoming == nil {
				incoming = outlookServer(p, account.IMAP, a)
			}
		case "POP3":
			if incoming == nil {
				incoming = outlookServer(p, account.POP3, a)
			}
		case "SMTP":
			if outgoing == nil {
				outgoing = outlookServer(p, account.SMTP, a)
			}
		}
	}
	return incoming, outgoing, exchange
}

// outlookServer reads a protocol: Encryption counts before SSL, which is on if it is missing; TLS
// means STARTTLS; without LoginName it is the local part (Microsoft's TechNet article
// cc511507; MS-OXDSCLI 2.2.4.1.1.2.6).
func outlookServer(p *document.Element, t account.ServerType, a account.Address) *Server {
	server := &Server{Type: t, Hostname: strings.TrimSpace(p.Content("Server")), SocketType: account.SSL,
		Username: a.Local()}
	if strings.EqualFold(strings.TrimSpace(p.Content("SSL")), "off") {
		server.SocketType = account.Plain
	}
	switch strings.TrimSpace(p.Content("Encryption")) {
	case "SSL":
		server.SocketType = account.SSL
	case "TLS":
		server.SocketType = account.STARTTLS
	case "None":
		server.SocketType = account.Plain
	}
	server.Port = account.DefaultPort(t, server.SocketType)
	if port, err := strconv.Atoi(strings.TrimSpace(p.Content("Port"))); err == nil {
		server.Port = port
	}
	if login := strings.TrimSpace(p.Content("LoginName")); login != "" {
		server.Username = login
	}
	return server
}
