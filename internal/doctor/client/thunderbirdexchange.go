package client

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/doctor/document"
)

// exchangeFound is what the search for an Exchange server came to.
type exchangeFound struct {
	found
	// asks is the domain about which the person is asked in the middle of the search.
	asks string
	// signIn says that she is asked to sign in at Microsoft there.
	signIn bool
	// refused says that a server asked for a password.
	refused bool
}

// wantsPassword reports whether the search ends with the demand for a password.
func (e exchangeFound) wantsPassword() bool { return e.config == nil && e.refused && e.unknown == "" }

// autodiscover asks Autodiscover for the address, and for the one to which it sends
// (ExchangeAutoDiscover.sys.mjs, fetchConfigFromExchange).
func (t thunderbird) autodiscover(ctx context.Context, s *Search) exchangeFound {
	address := s.Address
	var took time.Duration
	for redirects := 0; ; redirects++ {
		e, page := askExchange(ctx, s, address)
		took += e.took
		e.took = took
		if e.asks != "" || page == nil || e.unknown != "" {
			return e // an earlier place that could not be asked would win
		}
		root, why := readXML(*page)
		account := root.Down("Response", "Account")
		if why == "" && root.Name != "Autodiscover" {
			why = "no Autodiscover answer"
		}
		if why != "" {
			s.NotePage(*page, Passed, page.Says()+": "+why)
			return e
		}
		if redirect := account.Child("RedirectAddr"); redirect != nil {
			next, ok := redirectAddress(redirect.Text)
			if !ok || !t.followsRedirectAddr || redirects == 2 {
				s.NotePage(*page, Passed, "sends on to another address, where the search fails")
				return e
			}
			s.NotePage(*page, Passed, "sends on to another address")
			address = next
			continue
		}
		config, ok := readExchange(account, s.Address)
		if !ok {
			s.NotePage(*page, Passed, page.Says()+", no server in it that Thunderbird can use")
			return e
		}
		s.NotePage(*page, Took, "")
		e.found = t.standardProtocols(ctx, s, config, page.URL())
		e.took += took
		return e
	}
}

func redirectAddress(text string) (account.Address, bool) {
	a, err := account.ParseAddress(strings.ToLower(strings.TrimSpace(text)))
	return a, err == nil
}

// askExchange asks four places at once and returns the first 2xx answer in their order,
// whatever is in it. Two come from DNS or plain http, and another domain found there is
// asked about first: after 2 s, in which a better place could have answered.
func askExchange(ctx context.Context, s *Search, a account.Address) (exchangeFound, *Page) {
	domain := a.Domain()
	secure, apex := AutodiscoverURL("https", "autodiscover."+domain), AutodiscoverURL("https", domain)
	plain := AutodiscoverURL("http", "autodiscover."+domain)
	srv := DNS("SRV", "_autodiscover._tcp."+domain)
	for _, rawURL := range []string{secure, apex, plain} {
		s.Expect(ctx, Autodiscover(rawURL, s.AddressOf(rawURL, a)))
	}
	s.Expect(ctx, srv)

	var e exchangeFound
	asked := func(page Page) bool { // reports whether it is the answer
		e.took = max(e.took, page.Took)
		e.refused = e.refused || page.Status == 401
		if !page.Failure.Known() && e.unknown == "" {
			e.unknown = page.URL()
		}
		if why := noResult(page); why != "" {
			s.NotePage(page, failed(page), why)
			return false
		}
		return true
	}
	for _, rawURL := range []string{secure, apex} {
		page := s.Fetch(ctx, Autodiscover(rawURL, s.AddressOf(rawURL, a)), thunderbirdFetching)
		if asked(page) {
			return e, &page
		}
	}
	page := s.Fetch(ctx, Autodiscover(plain, s.AddressOf(plain, a)), thunderbirdFetching)
	if asked(page) {
		return e, &page
	}
	// The redirect has made the POST a GET and lost its body: it is asked again at its end. What
	// has no answer at all is no end.
	if target := page.Question.URL; page.Status != 0 && strings.HasPrefix(target, "https://") {
		if e.trusts(s, a, target) {
			page = s.Fetch(ctx, Autodiscover(withoutQuery(target), s.AddressOf(target, a)), thunderbirdFetching)
			if asked(page) {
				return e, &page
			}
		} else {
			s.NotePage(page, Spoilt, "leads to "+e.asks)
		}
	}
	answer := s.Asker.DNS(ctx, srv)
	host := lightest(Services(answer))
	if !answer.Failure.Known() && e.unknown == "" {
		e.unknown = srv.Name
	}
	if host == "" {
		return e, nil
	}
	target := AutodiscoverURL("https", host)
	if !e.trusts(s, a, target) {
		s.Note(srv.Key(), Spoilt, "leads to "+host)
		return e, nil
	}
	page = s.Fetch(ctx, Autodiscover(target, s.AddressOf(target, a)), thunderbirdFetching)
	if asked(page) {
		s.Note(srv.Key(), Took, "")
		return e, &page
	}
	s.Note(srv.Key(), Passed, "")
	return e, nil
}

// lightest returns the target with the lowest weight. The priority does not count.
func lightest(all []SRV) string {
	if len(all) == 0 {
		return ""
	}
	return slices.MinFunc(all, func(a, b SRV) int { return a.Weight - b.Weight }).Target
}

// trusts reports whether the person need not be asked before a URL is, and notes it if
// she must. Microsoft's domains count as safe and start its sign-in.
func (e *exchangeFound) trusts(s *Search, a account.Address, target string) bool {
	u, err := url.Parse(target)
	if err != nil {
		return true
	}
	base := registrable(u.Hostname())
	switch {
	case e.asks != "":
	case isMicrosoft(u.Hostname()):
		e.asks, e.signIn = base, true
	case base != registrable(a.Domain()):
		e.asks = base
		e.took += 2 * time.Second
	default:
		return true
	}
	return false
}

// readExchange reads an Account of an Autodiscover answer, and reports whether a whole
// configuration is in it.
func readExchange(e *document.Element, a account.Address) (*thunderbirdConfig, bool) {
	c := &thunderbirdConfig{incoming: Server{Port: 443, SocketType: account.SSL, Username: a.String(),
		Authentication: account.PasswordCleartext}}
	for _, protocol := range e.All("Protocol") {
		switch jxon(protocol.Child("Type")) {
		case "WEB":
			c.takeWeb(protocol)
		case "EXHTTP", "EXCH":
			if link := protocol.Child("EwsUrl"); link != nil {
				c.takeExchange(jxon(link), jxon(link))
			}
		case "IMAP", "POP3":
			server, ok := readProtocol(protocol, a)
			switch {
			case !ok:
			case c.incoming.Hostname == "":
				c.incoming = server
			default:
				c.alternatives = append(c.alternatives, server)
			}
		case "SMTP":
			if server, ok := readProtocol(protocol, a); ok && c.outgoing.Hostname == "" {
				c.outgoing = server
			}
		}
	}
	return c, c.incoming.Hostname != "" && c.incoming.Port != 0
}

// takeWeb takes the URL of the web interface, which has an attribute in all real answers.
func (c *thunderbirdConfig) takeWeb(protocol *document.Element) {
	links := protocol.Child("External")
	if links == nil {
		links = protocol.Child("Internal")
	}
	web := links.Child("OWAUrl")
	if web == nil || len(web.Attributes) == 0 {
		return
	}
	server := c.incoming.URL
	if link := links.Down("Protocol", "ASUrl"); link != nil && server == "" {
		server = jxon(link)
	}
	c.takeExchange(web.Text, server)
}

// takeExchange makes the preferred server an Exchange server, even if it was another.
func (c *thunderbirdConfig) takeExchange(rawURL, server string) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return
	}
	host, ok := sanitizeHostname(u.Hostname())
	if !ok {
		return
	}
	c.incoming.Type, c.incoming.Hostname, c.incoming.URL = exchangeType, host, server
	if port, err := strconv.Atoi(u.Port()); err == nil {
		c.incoming.Port = port
	}
}

// readProtocol reads a server of POP3, IMAP or SMTP. The port decides between TLS and
// STARTTLS, whatever Encryption says.
func readProtocol(protocol *document.Element, a account.Address) (Server, bool) {
	server := Server{Type: account.ServerType(strings.ToLower(jxon(protocol.Child("Type")))), Username: a.String(),
		Authentication: account.PasswordCleartext, SocketType: account.SSL}
	var ok bool
	if server.Hostname, ok = sanitizeHostname(jxon(protocol.Child("Server"))); !ok {
		return server, false
	}
	port, err := strconv.Atoi(strings.TrimSpace(leadingInteger.FindString(jxon(protocol.Child("Port")))))
	if err != nil {
		return server, false
	}
	server.Port = port
	switch {
	case strings.EqualFold(jxon(protocol.Child("SSL")), "off"), strings.EqualFold(jxon(protocol.Child("Encryption")),
		"none"):
		server.SocketType = account.Plain
	case slices.Contains([]int{143, 110, 25, 587}, port):
		server.SocketType = account.STARTTLS
	}
	if login := protocol.Child("LoginName"); login != nil {
		server.Username = jxon(login)
	}
	return server, true
}

// standardProtocols prefers IMAP and POP3 to Exchange. If the answer has neither, it tries
// the Exchange server for them (detectStandardProtocols).
func (t thunderbird) standardProtocols(ctx context.Context, s *Search, c *thunderbirdConfig, source string) found {
	f := found{config: c, source: source, where: "for a Microsoft Exchange server"}
	if c.incoming.Type != exchangeType {
		return f
	}
	if i := slices.IndexFunc(c.alternatives, func(s Server) bool { return s.Type != exchangeType }); i >= 0 {
		c.incoming, c.alternatives[i] = c.alternatives[i], c.incoming
		return f
	}
	guessed := t.guess(ctx, s, c.incoming.Hostname, c)
	f.took = guessed.took
	if guessed.config != nil {
		f.config, f.where = guessed.config, guessed.where
	}
	return f
}
