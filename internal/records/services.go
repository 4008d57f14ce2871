package records

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/dns"
)

// service is a service that SRV records lead to.
type service struct {
	label      string
	serverType account.ServerType
	encrypted  bool // from the first byte on
	// byAddress is set if clients that find the service sign in with the mail address
	// unasked: aerc and Claws Mail always, Evolution if it finds the service before
	// autoconfig. Those that look for calendars and address books have a user name
	// from the mail account (Thunderbird) or ask for it (DAVx⁵, Apple), and so does
	// the Sieve add-on.
	byAddress bool
	offered   string // the reason of the record where the service is offered
	absent    string // the reason of the record that denies it; empty if none does
}

// These are the services of RFC 6186 §3, RFC 8314 §5.1, RFC 6764 §3, RFC 8620 §2.2
// and RFC 5804 §1.8. Few clients look for the mail services (FairEmail, aerc,
// Evolution since 3.50, eM Client). Thunderbird, DAVx⁵ and Apple look for calendars
// and address books.
//
// aerc 0.14 asks for _submission only. If the provider has port 465 alone, aerc
// offers the mail domain itself as the sending server.
var services = []service{
	{"_imaps._tcp", account.IMAP, true, true, "where FairEmail, aerc and Evolution look for IMAP over TLS",
		"says that there is no IMAP over TLS here"},
	{"_imap._tcp", account.IMAP, false, true, "where FairEmail, aerc and Evolution look for IMAP with STARTTLS",
		"says that there is no IMAP with STARTTLS here"},
	{"_pop3s._tcp", account.POP3, true, true, "where clients look for POP3 over TLS",
		"says that there is no POP3 over TLS here"},
	{"_pop3._tcp", account.POP3, false, true, "where clients look for POP3 with STARTTLS",
		"says that there is no POP3 with STARTTLS here"},
	{"_submissions._tcp", account.SMTP, true, true, "where FairEmail and Evolution look for sending over TLS",
		"says that there is no sending over TLS here"},
	{"_submission._tcp", account.SMTP, false, true,
		"where FairEmail, aerc and Evolution look for sending with STARTTLS",
		"says that there is no sending with STARTTLS here"},
	{"_caldavs._tcp", account.CalDAV, true, false, "where Thunderbird, DAVx5 and Apple look for calendars", ""},
	{"_caldav._tcp", account.CalDAV, false, false, "where clients look for calendars, without TLS", ""},
	{"_carddavs._tcp", account.CardDAV, true, false, "where Thunderbird, DAVx5 and Apple look for address books", ""},
	{"_carddav._tcp", account.CardDAV, false, false, "where clients look for address books, without TLS", ""},
	{"_jmap._tcp", account.JMAP, true, true, "where clients that speak JMAP look for its session", ""},
	{"_sieve._tcp", account.ManageSieve, false, false,
		"where mail filters are managed, for Thunderbird's Sieve add-on", ""},
}

// serviceOf returns the service that the server offers, or nil if no SRV record
// can announce it. JMAP and ManageSieve have one service only.
func serviceOf(server account.Server) *service {
	encrypted := server.SocketType == account.SSL || server.Type.HasURL() && !strings.HasPrefix(server.URL, "http://")
	var found *service
	for i := range services {
		if s := &services[i]; s.serverType == server.Type && (found == nil || s.encrypted == encrypted) {
			found = s
		}
	}
	return found
}

// services adds the SRV records. Each name has at most one, for the provider's first
// server of that service, as aerc and Thunderbird choose oddly between several.
func (b *builder) services() {
	offered := map[*service][]account.Server{}
	for _, server := range b.settings.Servers {
		s := serviceOf(server)
		offered[s] = append(offered[s], server)
	}
	for i := range services {
		s := &services[i]
		problem := ""
		switch servers := offered[s]; {
		case len(servers) > 0:
			problem = b.offer(s, servers)
		case s.absent != "":
			problem = b.deny(s)
		}
		if problem != "" {
			b.leaveOut(problem, s.label)
		}
	}
}

// deny adds the record that denies a service, or returns why nobody can know that the
// domain does not have it. Silence is not a denial.
func (b *builder) deny(s *service) (problem string) {
	offers := func(p *account.Provider) bool {
		return slices.ContainsFunc(p.Servers, func(server account.Server) bool { return serviceOf(server) == s })
	}
	switch {
	case slices.ContainsFunc(b.providers, offers):
		return "the domain's own provider does not offer it, but accounts of the domain with another provider may"
	case slices.ContainsFunc(b.providers, isSilent):
		return unsaid
	}
	b.add(s.label, "SRV", "0 0 0 .", s.absent)
	return ""
}

// offer adds the records of a service that the servers offer, or returns why there
// are none.
func (b *builder) offer(s *service, servers []account.Server) (problem string) {
	// Clients that find a server by DNS use it as RFC 8314 §5 demands: with TLS.
	first := slices.IndexFunc(servers, isEncrypted)
	if first < 0 {
		return "it is not encrypted (RFC 8314)"
	}
	server, login := servers[first], b.settings.Login
	switch {
	case b.settings.Provider.NothingWithoutAddress:
		return nothingWithoutAddress
	case login != b.settings.Address:
		return "people sign in with their address at " + login.Domain() +
			", and clients that find a server in DNS sign in with the address that was typed"
	case s.byAddress && !server.SignsInWithAddress():
		return "the user name is not the mail address, and clients that look there sign in with the address"
	}
	t, problem := locate(server, login)
	if problem != "" {
		return problem
	}
	isStore := func(s account.Server) bool { return s.Type == account.IMAP || s.Type == account.POP3 }
	priority := 0
	if isStore(server) && server.Type != b.settings.Servers[slices.IndexFunc(b.settings.Servers, isStore)].Type {
		priority = 10 // a client that supports both then prefers the same one (RFC 6186 §3.4)
	}
	b.add(s.label, "SRV", fmt.Sprintf("%d 1 %s %s.", priority, t.port, t.host), s.offered)
	if t.path != "" {
		b.add(s.label, "TXT", dns.Quote("path="+t.path), "the path on that server (RFC 6764)")
	}
	return ""
}

func isEncrypted(s account.Server) bool {
	return s.SocketType != account.Plain && !strings.HasPrefix(s.URL, "http://")
}

// target is where a server is.
type target struct {
	port, host string
	path       string // of a calendar or address book
}

// mailbox replaces the placeholders of a mailbox in a URL, which would prevent the URL
// from being parsed.
const mailbox = "mailbox-placeholder"

var hideMailbox = strings.NewReplacer(account.EmailAddress, mailbox, account.EmailLocalPart, mailbox)

// locate returns where a server is, or the reason why DNS cannot express it.
func locate(server account.Server, login account.Address) (target, string) {
	t := target{port: strconv.Itoa(server.Port), host: account.Expand(server.Hostname, login)}
	if server.Type.HasURL() {
		u, err := url.Parse(hideMailbox.Replace(account.Expand(server.URL, login)))
		if err != nil {
			return t, "its URL cannot be read"
		}
		t.host = strings.ReplaceAll(u.Hostname(), mailbox, "%")
		t.port = cmp.Or(u.Port(), map[string]string{"http": "80"}[u.Scheme], "443")
		if server.Type == account.CalDAV || server.Type == account.CardDAV {
			t.path = cmp.Or(u.EscapedPath(), "/")
			if strings.Contains(t.path, mailbox) {
				// Clients then ask /.well-known at the host (RFC 6764 §5).
				t.path = ""
			}
		}
	}
	if strings.Contains(t.host, "%") {
		return t, "its host differs from mailbox to mailbox"
	}
	host, err := account.ParseDomain(t.host)
	if err != nil {
		return t, "a SRV record needs a host name"
	}
	t.host = host
	return t, ""
}
