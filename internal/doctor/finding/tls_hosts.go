package finding

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// tlsHost is a host with the handshakes that were seen there.
type tlsHost struct {
	Name string
	Mail bool // a mail server; else a web server
	Seen []seenTLS
}

// seenTLS is a handshake that a question led to.
type seenTLS struct {
	TLS    *probe.TLS
	Server mailServer // if it is one
	Key    probe.Key
	At     string // where it was: "198.51.100.25:993"
}

// who says who must act at the host.
func (h tlsHost) who() string {
	if h.Mail {
		return MailProvider
	}
	return WebServer(h.Name)
}

// with returns the handshakes that have one of the problems.
func (h tlsHost) with(problems ...probe.Problem) []seenTLS {
	var some []seenTLS
	for _, s := range h.Seen {
		if s.TLS.Has(problems...) {
			some = append(some, s)
		}
	}
	return some
}

// evidence returns evidence of each handshake.
func (h tlsHost) evidence(seen []seenTLS, text func(t *probe.TLS) string) []Evidence {
	var all []Evidence
	for _, s := range seen {
		all = append(all, Evidence{s.Key, s.At + ": " + text(s.TLS)})
	}
	return all
}

// place names where in a host it was seen: "imap.hoster.example", or with ports if it is not so on all.
func (h tlsHost) place(seen []seenTLS) string {
	if !h.Mail || len(seen) == len(h.Seen) {
		return h.Name
	}
	return ports(serversOf(seen)) + " of " + h.Name
}

func serversOf(seen []seenTLS) []mailServer {
	var servers []mailServer
	for _, s := range seen {
		servers = append(servers, s.Server)
	}
	return servers
}

// tlsHosts returns the hosts that matter: mail servers, and web servers at which settings of the
// domain are sought, if there are some, or if a client came off worse there. A bad certificate
// at a web site that nobody needs is no fault.
func (c *Case) tlsHosts(ctx context.Context) []tlsHost {
	var hosts []tlsHost
	host := func(name string, mail bool) *tlsHost {
		for i := range hosts {
			if hosts[i].Name == name && hosts[i].Mail == mail {
				return &hosts[i]
			}
		}
		hosts = append(hosts, tlsHost{Name: name, Mail: mail})
		return &hosts[len(hosts)-1]
	}
	for _, s := range c.mailServers(ctx) {
		if s.Answer.TLS != nil {
			h := host(s.Hostname, true)
			h.Seen = append(h.Seen,
				seenTLS{s.Answer.TLS, s, s.Question().Key(), fmt.Sprintf("%s:%d", s.Answer.Address, s.Port)})
		}
	}
	for _, w := range c.webHosts() {
		h := host(w.Name, false)
		for _, hop := range w.Hops {
			if hop.Answer.TLS != nil {
				h.Seen = append(h.Seen, seenTLS{TLS: hop.Answer.TLS, Key: hop.Question.Key(),
					At: fmt.Sprintf("%s:443", hop.Answer.Address)})
			}
		}
	}
	return slices.DeleteFunc(hosts, func(h tlsHost) bool { return len(h.Seen) == 0 })
}

// webHost is a web server that was asked over https.
type webHost struct {
	Name string
	Hops []Hop
}

// webHosts returns the web servers at the domain's names for settings, and all others that
// gave a document, whether or not their certificates are good.
func (c *Case) webHosts() []webHost {
	byName := map[string]*webHost{}
	var order []string
	documents := map[string]bool{}
	for q, a := range c.Asker.Webs() {
		hop := Hop{q, a}
		if !strings.HasPrefix(q.URL, "https://") || q.Address.IsValid() {
			continue
		}
		name := hop.host()
		if byName[name] == nil {
			byName[name] = &webHost{Name: name}
			order = append(order, name)
		}
		byName[name].Hops = append(byName[name].Hops, hop)
		if _, ok := c.read(q, a); ok && a.Status == 200 || c.hasAutodiscover(hop) {
			documents[name] = true
		}
	}
	slices.Sort(order)
	var hosts []webHost
	for _, name := range order {
		w := byName[name]
		slices.SortFunc(w.Hops, func(a, b Hop) int {
			return strings.Compare(string(a.Question.Key()), string(b.Question.Key()))
		})
		var keys []probe.Key
		for _, hop := range w.Hops {
			keys = append(keys, hop.Question.Key())
		}
		own := name == c.Domain() || slices.ContainsFunc([]string{"autoconfig", "autodiscover", "ua-auto-config"},
			func(label string) bool { return name == c.Name(label) })
		hit, _ := c.Hit(keys...)
		if documents[name] || own && (len(hit) > 0 || c.serves(name)) {
			hosts = append(hosts, *w)
		}
	}
	return hosts
}

// certificateOf says for whom a certificate is.
func certificateOf(t *probe.TLS) string {
	switch n := len(t.Names); {
	case n == 0:
		return "a certificate without a name"
	case n > 3:
		return fmt.Sprintf("a certificate for %s and %d others", list(t.Names[:2]), n-2)
	}
	return "a certificate for " + list(t.Names)
}

// date writes a day as people read it.
func date(t time.Time) string { return t.UTC().Format("2 January 2006") }

// look is a command that shows the certificate of a port.
func (h tlsHost) look(seen []seenTLS, what string) string {
	port, starttls := 443, ""
	if h.Mail {
		s := seen[0].Server
		port = s.Port
		if s.SocketType == account.STARTTLS {
			starttls = " -starttls " + string(s.Type)
		}
	}
	return fmt.Sprintf("openssl s_client -connect %s:%d -servername %s%s </dev/null | openssl x509 -noout %s",
		h.Name, port, h.Name, starttls, what)
}
