package records

import (
	"net/url"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/dns"
)

// service is a service that SRV records lead to.
type service struct {
	label   string
	offered string // the reason of the record where the service is offered
	absent  string // the reason of the record that denies it; empty if none does
}

// These are the services of RFC 6186 §3, RFC 8314 §5.1, RFC 6764 §3, RFC 8620 §2.2
// and RFC 5804 §1.8. Few clients look for the mail services (FairEmail, aerc,
// Evolution since 3.50, eM Client). Thunderbird, DAVx⁵ and Apple look for calendars
// and address books.
var (
	imaps = service{"_imaps._tcp", "where FairEmail, aerc and Evolution look for IMAP over TLS",
		"says that there is no IMAP over TLS here"}
	imap = service{"_imap._tcp", "where FairEmail, aerc and Evolution look for IMAP with STARTTLS",
		"says that there is no IMAP with STARTTLS here"}
	pop3s = service{"_pop3s._tcp", "where clients look for POP3 over TLS", "says that there is no POP3 over TLS here"}
	pop3  = service{"_pop3._tcp", "where clients look for POP3 with STARTTLS",
		"says that there is no POP3 with STARTTLS here"}
	// aerc 0.14 asks for _submission only. If the provider has port 465 alone, aerc
	// offers the mail domain itself as the sending server.
	submissions = service{"_submissions._tcp", "where FairEmail and Evolution look for sending over TLS",
		"says that there is no sending over TLS here"}
	submission = service{"_submission._tcp", "where FairEmail, aerc and Evolution look for sending with STARTTLS",
		"says that there is no sending with STARTTLS here"}
	caldavs  = service{"_caldavs._tcp", "where Thunderbird, DAVx5 and Apple look for calendars", ""}
	caldav   = service{"_caldav._tcp", "where clients look for calendars, without TLS", ""}
	carddavs = service{"_carddavs._tcp", "where Thunderbird, DAVx5 and Apple look for address books", ""}
	carddav  = service{"_carddav._tcp", "where clients look for address books, without TLS", ""}
	jmap     = service{"_jmap._tcp", "where clients that speak JMAP look for its session", ""}
	sieve    = service{"_sieve._tcp", "where mail filters are managed, for Thunderbird's Sieve add-on", ""}

	services = [...]*service{&imaps, &imap, &pop3s, &pop3, &submissions, &submission, &caldavs, &caldav, &carddavs,
		&carddav, &jmap, &sieve}
)

// servicesOf returns the services that the providers offer.
func servicesOf(providers []*account.Provider) map[*service]bool {
	offered := map[*service]bool{}
	for _, provider := range providers {
		for _, server := range provider.Servers {
			offered[serviceOf(server)] = true
		}
	}
	return offered
}

// services adds the SRV records. Each name has at most one, for the provider's first
// server of that service, as aerc and Thunderbird choose oddly between several. The
// services in elsewhere are not denied, as other mailboxes of the domain have them.
func (b *builder) services(elsewhere map[*service]bool) {
	offered := make([]offer, 0, len(b.settings.Servers))
	var store account.ServerType // the preferred protocol to read mail
	for _, server := range b.settings.Servers {
		s := serviceOf(server)
		if _, ok := find(offered, s); s == nil || ok {
			continue
		}
		t, problem := locate(server, b.settings.Login)
		if problem != "" {
			b.leaveOut(problem, s.label)
			t.hidden = true
		}
		if server.Type == account.IMAP || server.Type == account.POP3 {
			if store == "" {
				store = server.Type
			}
			if server.Type != store {
				// A client that supports both then prefers the same one (RFC 6186 §3.4).
				t.priority = "10"
			}
		}
		t.plain = server.SocketType == account.Plain
		offered = append(offered, offer{s, t})
	}
	var unknown []string
	for _, s := range services {
		t, ok := find(offered, s)
		switch {
		case ok && t.hidden:
		case ok:
			reason := s.offered
			if t.plain {
				reason = strings.Replace(reason, "with STARTTLS", "without encryption", 1)
			}
			b.add(s.label, "SRV", t.priority+" 1 "+t.port+" "+t.host+".", reason)
			if t.path != "" {
				b.add(s.label, "TXT", dns.Quote("path="+t.path), "the path on that server (RFC 6764)")
			}
		case s.absent != "" && elsewhere[s]:
			unknown = append(unknown, s.label)
		case s.absent != "":
			b.add(s.label, "SRV", "0 0 0 .", s.absent)
		}
	}
	if len(unknown) > 0 {
		b.leaveOut("the domain's own provider does not offer it, but other mailboxes there may have it", unknown...)
	}
}

// offer is a service and its place. A domain has too few of them to need a map.
type offer struct {
	service *service
	target  target
}

func find(offered []offer, s *service) (target, bool) {
	for _, o := range offered {
		if o.service == s {
			return o.target, true
		}
	}
	return target{}, false
}

// serviceOf returns the service that the server offers, or nil if no SRV record
// can announce it.
func serviceOf(server account.Server) *service {
	implicit := server.SocketType == account.SSL
	insecure := strings.HasPrefix(server.URL, "http://")
	switch server.Type {
	case account.IMAP:
		return either(implicit, &imaps, &imap)
	case account.POP3:
		return either(implicit, &pop3s, &pop3)
	case account.SMTP:
		return either(implicit, &submissions, &submission)
	case account.CalDAV:
		return either(insecure, &caldav, &caldavs)
	case account.CardDAV:
		return either(insecure, &carddav, &carddavs)
	case account.JMAP:
		return &jmap
	case account.ManageSieve:
		return &sieve
	}
	return nil
}

func either(first bool, a, b *service) *service {
	if first {
		return a
	}
	return b
}

// target holds the fields of a SRV record and of the TXT record beside it.
type target struct {
	priority, port, host string
	path                 string // of a calendar or address book
	plain                bool   // without encryption
	hidden               bool   // offered, but DNS cannot express where
}

// mailbox replaces the placeholders of a mailbox in a URL, which would prevent the URL
// from being parsed.
const mailbox = "mailbox-placeholder"

var hideMailbox = strings.NewReplacer(account.EmailAddress, mailbox, account.EmailLocalPart, mailbox)

// locate returns where a server is, or the reason why DNS cannot express it.
func locate(server account.Server, login account.Address) (target, string) {
	t := target{priority: "0", port: strconv.Itoa(server.Port), host: account.Expand(server.Hostname, login)}
	if server.Type.HasURL() {
		u, err := url.Parse(hideMailbox.Replace(account.Expand(server.URL, login)))
		if err != nil {
			return t, "its URL cannot be read"
		}
		t.host, t.port = strings.ReplaceAll(u.Hostname(), mailbox, "%"), u.Port()
		switch {
		case t.port != "":
		case u.Scheme == "http":
			t.port = "80"
		default:
			t.port = "443"
		}
		if server.Type == account.CalDAV || server.Type == account.CardDAV {
			t.path = u.EscapedPath()
			if t.path == "" {
				t.path = "/"
			}
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
