package living

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/client"
)

// service is a service of SRV records (RFC 6186 §3, RFC 8314 §5.1, RFC 6764 §3, RFC 8620 §2.2,
// RFC 5804 §1.8).
type service struct {
	label string
	kind  account.ServerType
	how   account.SocketType
}

// services are those that are asked for. TLS from the first byte comes before STARTTLS
// (RFC 8314 §3).
var services = []service{
	{"imaps", account.IMAP, account.SSL}, {"imap", account.IMAP, account.STARTTLS},
	{"pop3s", account.POP3, account.SSL}, {"pop3", account.POP3, account.STARTTLS},
	{"submissions", account.SMTP, account.SSL}, {"submission", account.SMTP, account.STARTTLS},
	{"caldavs", account.CalDAV, ""}, {"carddavs", account.CardDAV, ""}, {"jmap", account.JMAP, ""},
	{"sieve", account.ManageSieve, account.STARTTLS},
}

// srvKind is the kind of the witness that is made of SRV records.
const srvKind = "DNS SRV"

// services asks for the SRV records. They name neither a user name nor a way to sign in.
func (s *survey) services(ctx context.Context) {
	w := Witness{Kind: srvKind, Place: "_imaps._tcp." + s.domain + " and the like", Nothing: "no such records"}
	for _, service := range services {
		answer := s.dns(ctx, client.ServiceQuestion(service.label, s.domain))
		w.Unsure = w.Unsure || answer.Failure != nil
		records := client.Services(answer)
		if len(records) == 1 && records[0].Target == "" {
			s.denied = append(s.denied, service)
		}
		records = slices.DeleteFunc(records, func(r client.SRV) bool { return r.Target == "" })
		if len(records) == 0 {
			continue
		}
		slices.SortStableFunc(records, preferred)
		w.Nothing = ""
		w.Provider.Servers = append(w.Provider.Servers, s.serverOf(ctx, service, records[0]))
		for _, other := range records[1:] {
			w.dropped = append(w.dropped, fmt.Sprintf(
				"_%s._tcp: %s:%d comes after %s:%d, and a configuration has no spare servers",
				service.label, other.Target, other.Port, records[0].Target, records[0].Port))
		}
	}
	s.add(w)
}

// serverOf returns the server that a record names.
func (s *survey) serverOf(ctx context.Context, service service, r client.SRV) account.Server {
	server := account.Server{Type: service.kind}
	if !service.kind.HasURL() {
		server.Hostname, server.Port, server.SocketType = r.Target, r.Port, service.how
		return server
	}
	host := r.Target
	if r.Port != 443 {
		host = net.JoinHostPort(host, strconv.Itoa(r.Port))
	}
	server.URL = "https://" + host + "/.well-known/" + string(service.kind)
	if service.kind == account.JMAP {
		return server
	}
	for _, text := range texts(s.dns(ctx, client.DNS("TXT", "_"+service.label+"._tcp."+s.domain))) {
		if path, ok := strings.CutPrefix(text, "path="); ok { // RFC 6764 §4
			server.URL = "https://" + host + "/" + strings.TrimPrefix(path, "/")
		}
	}
	return server
}

// exchangers asks for the MX records, and for the document of the host that the best of them
// belongs to, where Thunderbird and others look last.
func (s *survey) exchangers(ctx context.Context) {
	hosts, _ := s.MX(ctx, s.domain)
	s.Exchangers, s.MXKnown = hosts, s.dns(ctx, client.DNS("MX", s.domain)).Failure == nil
	if len(hosts) == 0 {
		s.Witnesses = append(s.Witnesses,
			Witness{Kind: "MX", Place: s.domain, Nothing: "no MX records", Unsure: !s.MXKnown})
		return
	}
	_, parent, _ := strings.Cut(hosts[0], ".")
	base := dns.Registrable(hosts[0])
	if base == dns.Registrable(s.domain) && base == s.domain {
		return // its document has been asked for
	}
	asked := false
	for _, domain := range slices.Compact([]string{parent, base}) {
		if domain == s.domain || !strings.Contains(domain, ".") ||
			domain != base && !strings.HasSuffix(domain, "."+base) {
			continue
		}
		place := autoconfigPlace{client.Autoconfig("https", domain), client.AutoconfigFor("https", domain, s.Address)}
		asked = true
		if s.autoconfigAt(ctx, "autoconfig of the MX host "+hosts[0], place) {
			break
		}
	}
	if !asked {
		s.nothing("MX", hosts[0], "it belongs to no other domain")
	}
}

// handOver looks where the name autodiscover.domain leads. Microsoft tells its customers to
// point it there, and only Microsoft's own servers can answer for them.
func (s *survey) handOver(ctx context.Context) {
	name := "autodiscover." + s.domain
	// A question for an address has the whole chain in its answer, but none if the end is not known.
	chain := s.dns(ctx, client.DNS("CNAME", name)).OfType("CNAME")
	chain = append(chain, s.Asker.DNS(ctx, client.DNS("A", name)).OfType("CNAME")...)
	for _, r := range chain {
		if target, err := account.ParseDomain(r.Data); err == nil && isMicrosoft(target) {
			s.HandOver = &account.AutodiscoverRedirect{Hostname: target}
			s.HandOverFrom = "the CNAME record of " + name
			return
		}
	}
	if target := s.autodiscoverTarget(ctx); s.HandOver == nil && isMicrosoft(target) {
		s.HandOver = &account.AutodiscoverRedirect{Hostname: target}
		s.HandOverFrom = "the SRV record of _autodiscover._tcp." + s.domain
	}
}

// guessHandOver takes the MX record for a sign that Microsoft answers Autodiscover, where
// nobody says anything else.
func (s *survey) guessHandOver() {
	if s.HandOver == nil && len(s.taken) == 0 && s.atMicrosoft() {
		s.HandOver = &account.AutodiscoverRedirect{Hostname: "autodiscover.outlook.com"}
		s.HandOverFrom = "the MX record " + s.Exchangers[0]
	}
}

// isMicrosoft reports whether a host belongs to Microsoft 365.
func isMicrosoft(host string) bool {
	p, ok := client.ProviderOfHost(host)
	return ok && p.ID == "microsoft"
}

func (s *Survey) hint(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(s.hints, text) {
		s.hints = append(s.hints, text)
	}
}
