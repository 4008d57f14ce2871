package living

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/client"
	"signpost/internal/importer/draft"
)

// taken is a server that the configuration will have.
type taken struct {
	account.Server
	from *Witness
}

// Contradiction is a difference between two witnesses. The first of them was believed.
type Contradiction struct {
	About         string // such as "IMAP" or "the user name of imap.hamn.example:993"
	First, Second string // the witnesses
	FirstSays     string
	SecondSays    string
}

// String returns the contradiction as a sentence.
func (c Contradiction) String() string {
	return fmt.Sprintf("%s: %s says %s, but %s says %s", c.About, c.First, c.FirstSays, c.Second, c.SecondSays)
}

// compare takes the servers of each type from the first witness that knows the type, and names
// what others say against it. Whoever knows more about a server, or of a further port of the same
// machine, adds to it.
func (s *survey) compare(ctx context.Context) {
	for i := range s.Witnesses {
		w := &s.Witnesses[i]
		for _, t := range account.ServerTypes {
			if said := ofType(w.Provider.Servers, t); len(said) > 0 {
				s.take(ctx, w, t, said)
			}
		}
		for _, text := range w.dropped {
			s.lose(w.Place, text)
		}
	}
	s.compareDenials()
	s.compareOAuth2()
	s.compareHandOver()
}

func ofType(servers []account.Server, t account.ServerType) (of []account.Server) {
	for _, server := range servers {
		if server.Type == t {
			of = append(of, server)
		}
	}
	return of
}

// take takes servers of one type, or compares them with those that were taken before.
func (s *survey) take(ctx context.Context, w *Witness, t account.ServerType, said []account.Server) {
	var before []*taken
	for i := range s.taken {
		if s.taken[i].Type == t {
			before = append(before, &s.taken[i])
		}
	}
	if len(before) == 0 {
		for _, server := range said {
			s.taken = append(s.taken, taken{server, w})
		}
		return
	}
	var more []taken
	var strange []string
	for _, server := range said {
		if i := slices.IndexFunc(before, func(b *taken) bool { return s.samePlace(b.Server, server) }); i >= 0 {
			s.compareServer(before[i], w, server)
			continue
		}
		i := slices.IndexFunc(before, func(b *taken) bool { return s.sameHost(ctx, b.Server, server) })
		switch {
		case i < 0:
			strange = append(strange, placeOf(server))
		case !strings.EqualFold(s.host(before[i].Server), s.host(server)), server.Type.HasURL():
			s.lose(w.Place, fmt.Sprintf("%s is another name of %s: the configuration has that one", placeOf(server),
				placeOf(before[i].Server)))
		case s.compareServer(before[i], w, server):
			more = append(more, taken{server, w})
		}
	}
	if len(strange) > 0 {
		s.contradict(Contradiction{label(t), before[0].from.String(), w.String(), placesOf(before),
			strings.Join(strange, " and ")})
	}
	s.taken = append(s.taken, more...)
}

// placesOf names the servers that were taken as a sentence does.
func placesOf(all []*taken) string {
	var texts []string
	for _, t := range all {
		texts = append(texts, placeOf(t.Server))
	}
	return strings.Join(texts, " and ")
}

// samePlace reports whether two servers are at the same host and port, or URL.
func (s *survey) samePlace(a, b account.Server) bool {
	if a.Type.HasURL() {
		return s.url(a) == s.url(b)
	}
	return strings.EqualFold(s.host(a), s.host(b)) && a.Port == b.Port
}

// sameHost reports whether two servers of a type are on the same machine, so that one is another
// name or a further port of the other. A URL without a path of its own is where clients begin
// to look for the other one (RFC 6764 §5).
func (s *survey) sameHost(ctx context.Context, a, b account.Server) bool {
	if a.Type.HasURL() && !isStart(a.URL) && !isStart(b.URL) && a.Type != account.ActiveSync {
		return false
	}
	return strings.EqualFold(s.host(a), s.host(b)) || s.sameMachine(ctx, s.host(a), s.host(b))
}

func isStart(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && (strings.Trim(u.Path, "/") == "" || strings.HasPrefix(u.Path, "/.well-known/"))
}

// host returns the host of a server for the mailbox that was asked about.
func (s *survey) host(server account.Server) string {
	if !server.Type.HasURL() {
		return strings.ToLower(account.Expand(server.Hostname, s.Address))
	}
	u, err := url.Parse(s.url(server))
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func (s *survey) url(server account.Server) string {
	return strings.TrimSuffix(client.Normalize(account.ExpandURL(server.URL, s.Address)), "/")
}

// compareServer compares what two witnesses say of a server, completes the one that was taken,
// and reports whether they agree. The port may be another one of the same host.
func (s *survey) compareServer(b *taken, w *Witness, server account.Server) (agree bool) {
	agree = true
	against := func(what, first, second string) {
		agree = false
		s.contradict(Contradiction{what + " of " + endpoint(server), b.from.String(), w.String(), first, second})
	}
	if b.Port == server.Port && b.SocketType != server.SocketType {
		against("the security", string(b.SocketType), string(server.SocketType))
	}
	switch first, second := s.login(b.Server), s.login(server); {
	case second == "":
	case first == "":
		b.Login = server.Login
	case !strings.EqualFold(first, second):
		against("the user name", text(b.Login), text(server.Login))
	}
	switch {
	case len(server.Authentication) == 0:
	case len(b.Authentication) == 0:
		b.Authentication = server.Authentication
	case !slices.ContainsFunc(server.Authentication, func(a account.Authentication) bool {
		return slices.Contains(b.Authentication, a)
	}):
		against("the authentication", methods(b.Authentication), methods(server.Authentication))
	}
	return agree
}

// login returns the login for the mailbox that was asked about, with its Windows domain as
// autoconfig writes both; empty if it is not said.
func (s *survey) login(server account.Server) string {
	login := account.Expand(server.Login.Username, s.Address)
	if login != "" && server.Login.DomainName != "" {
		login = server.Login.DomainName + `\` + login
	}
	return login
}

func text(l account.Login) string {
	if l.DomainName != "" {
		return l.DomainName + `\` + l.Username
	}
	return l.Username
}

func methods(all []account.Authentication) string {
	words := make([]string, len(all))
	for i, a := range all {
		words[i] = string(a)
	}
	return strings.Join(words, " or ")
}

// compareDenials compares the servers with the SRV records that say that there is none.
func (s *survey) compareDenials() {
	for _, d := range s.denied {
		for _, t := range s.taken {
			if t.Type == d.kind && t.SocketType == d.how && t.from.Kind != srvKind {
				s.contradict(Contradiction{label(t.Type), t.from.String(),
					"the SRV record of _" + d.label + "._tcp." + s.domain,
					placeOf(t.Server), "that there is no such server"})
			}
		}
	}
}

// compareOAuth2 compares where tokens are given out.
func (s *survey) compareOAuth2() {
	var first *Witness
	for i := range s.Witnesses {
		w := &s.Witnesses[i]
		switch {
		case w.Provider.OAuth2 == nil:
		case first == nil:
			first = w
		case issuer(w) != issuer(first):
			s.contradict(Contradiction{"the issuer of OAuth2", first.String(), w.String(), issuer(first), issuer(w)})
		}
	}
}

func issuer(w *Witness) string {
	text := strings.ToLower(w.Provider.OAuth2.Issuer)
	if _, host, ok := strings.Cut(text, "://"); ok {
		text = host
	}
	return strings.TrimSuffix(text, "/")
}

// compareHandOver compares the service that answers Autodiscover with the servers. Where mail is
// not at Microsoft, a record that leads there was left behind by a former provider.
func (s *survey) compareHandOver() {
	if s.HandOver == nil || !isMicrosoft(s.HandOver.Hostname) {
		return
	}
	atMicrosoft := func(host string) bool { return isMicrosoft(host) || strings.HasSuffix(host, ".mx.microsoft") }
	for _, t := range s.taken {
		if t.Type != account.IMAP && t.Type != account.POP3 || isMicrosoft(s.host(t.Server)) {
			continue
		}
		s.contradict(Contradiction{"where mail is", t.from.String(), s.HandOverFrom, s.host(t.Server),
			s.HandOver.Hostname + ", which is Microsoft 365"})
		if s.MXKnown && !slices.ContainsFunc(s.Exchangers, atMicrosoft) {
			s.lose(s.HandOverFrom, "it leads to "+s.HandOver.Hostname+", where this domain's mail is not")
			s.HandOver = nil
		}
		return
	}
}

// contradict notes a contradiction.
func (s *survey) contradict(c Contradiction) {
	if !slices.Contains(s.Contradictions, c) {
		s.Contradictions = append(s.Contradictions, c)
	}
}

func (s *Survey) lose(place, text string) {
	if r := (draft.Remark{Place: draft.Place{File: place}, Text: text}); !slices.Contains(s.lost, r) {
		s.lost = append(s.lost, r)
	}
}

// placeOf names a server for people.
func placeOf(server account.Server) string {
	if server.Type.HasURL() {
		return server.URL
	}
	return endpoint(server) + " " + string(server.SocketType)
}

func endpoint(server account.Server) string {
	if server.Type.HasURL() {
		return server.URL
	}
	return server.Hostname + ":" + strconv.Itoa(server.Port)
}

// label names a type of server for people.
func label(t account.ServerType) string {
	switch t {
	case account.IMAP, account.POP3, account.SMTP, account.JMAP, account.EWS:
		return strings.ToUpper(string(t))
	case account.CalDAV:
		return "CalDAV"
	case account.CardDAV:
		return "CardDAV"
	case account.ActiveSync:
		return "ActiveSync"
	case account.ManageSieve:
		return "ManageSieve"
	}
	return string(t)
}

// sameServer reports whether two servers are told alike.
func sameServer(a, b account.Server) bool {
	return a.Type == b.Type && a.Hostname == b.Hostname && a.Port == b.Port && a.SocketType == b.SocketType &&
		a.URL == b.URL && a.Login == b.Login && slices.Equal(a.Authentication, b.Authentication)
}
